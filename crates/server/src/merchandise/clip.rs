//! Payment links of Clip, and its payments that a card's holder has to confirm.

use cobro_checkout::order::{card_luggage, with_payer};
use cobro_checkout::{Behaviour, DocumentType, Merchandise, OfferedCard, Order, Person};
use cobro_clip::{carried, receipt_number, time_zone};
use cobro_domain::merchant::Merchant;
use cobro_domain::payment::Payment;
use cobro_domain::session::{Session, SessionKind};
use cobro_engine::cards::StorePlan;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::offered;

/// Sessions of Clip.
pub(crate) struct ClipSessions;

/// One published card for each way that a payment can go (reference, section 2.10).
const OFFERED: &[OfferedCard] = &[
    offered("4555128482797669", "visa", Behaviour::Approved),
    offered("5177136199824515", "master", Behaviour::Approved),
    offered("379907880667372", "amex", Behaviour::Approved),
    offered("4555126387272952", "visa", Behaviour::Declined),
];

impl Merchandise for ClipSessions {
    fn channel(&self) -> &'static str {
        "clip"
    }

    fn order(&self, _: &Merchant, session: &Session) -> Order {
        let carried = carried(session);
        let suggestion = Person {
            name: carried.name,
            email: carried.email,
            mobile: carried.phone,
            ..Person::default()
        };
        Order {
            reference: carried.reference,
            description: carried.description,
            locale: "es_MX".to_owned(),
            suggestion,
            return_url: carried.return_url,
            cancel_url: carried.cancel_url,
            ..Order::default()
        }
    }

    fn luggage(&self, session: &Session, payer: &Person) -> String {
        with_payer(&session.luggage, payer)
    }

    /// No page of this dialect offers to store a card.
    fn store_plan(&self, session: &Session, payer: &Person) -> StorePlan {
        StorePlan {
            token: None,
            with_subtoken: false,
            single_use: true,
            lifetime_s: None,
            luggage: card_luggage(&session.luggage, payer),
        }
    }

    fn documents(&self, _: &Merchant) -> &'static [DocumentType] {
        &[]
    }

    fn test_cards(&self) -> &'static [OfferedCard] {
        OFFERED
    }

    fn time_zone(&self, _: &Merchant) -> TimeZone {
        time_zone()
    }

    fn receipt_number(&self, payment: &Payment) -> String {
        receipt_number(payment)
    }

    /// Shops show the page in a modal and wait for this message (reference, section 2.4).
    fn message(&self, payment: &Payment) -> Option<Value> {
        Some(json!({ "paymentId": payment.id.to_string() }))
    }

    fn may_be_framed(&self, _: &Merchant, session: &Session) -> bool {
        session.kind == SessionKind::Direct
    }
}

#[cfg(test)]
mod tests {
    use cobro_engine::ports::Describe;

    use super::*;

    #[test]
    fn offered_cards_are_published() {
        for card in OFFERED {
            let found = cobro_clip::Clip.test_card(card.number, None);
            assert_eq!(found.map(|found| found.facts.brand).as_deref(), Some(card.brand));
        }
    }
}
