//! What is particular to the dialect whose session a page shows.

use cobro_domain::card::CardFacts;
use cobro_domain::merchant::Merchant;
use cobro_domain::payment::Payment;
use cobro_domain::session::Session;
use cobro_engine::cards::StorePlan;
use jiff::tz::TimeZone;

use crate::order::{Order, Person};

/// A kind of document of identity.
#[derive(Clone, Copy, Debug)]
pub struct DocumentType {
    /// Its code on the wire, `CC` for example.
    pub code: &'static str,
    /// Its name in its country.
    pub name: &'static str,
    /// Whether a number is well formed.
    pub is_valid: fn(&str) -> bool,
    /// Whether companies have it: its holder has no family name then.
    pub of_company: bool,
    /// A number that is well formed, for the sandbox.
    pub sample: &'static str,
}

/// What a test card does, as its button says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behaviour {
    /// Approves.
    Approved,
    /// Approves after a challenge.
    Challenged,
    /// Declines.
    Declined,
    /// Stays pending, then approves.
    PendingApproved,
    /// Stays pending, then declines.
    PendingDeclined,
}

/// A published test card that the page offers to fill in.
#[derive(Clone, Copy, Debug)]
pub struct OfferedCard {
    /// Its number.
    pub number: &'static str,
    /// The brand's usual lower-case name.
    pub brand: &'static str,
    /// What it does.
    pub behaviour: Behaviour,
}

/// What the page has to know of a dialect. One for each channel whose sessions have a page.
pub trait Merchandise: Send + Sync {
    /// The channel of the merchants that it speaks for.
    fn channel(&self) -> &'static str;

    /// What the shop wrote into a session.
    fn order(&self, merchant: &Merchant, session: &Session) -> Order;

    /// The session's luggage once the payer has typed this.
    fn luggage(&self, session: &Session, payer: &Person) -> String;

    /// How a card is to be stored that this payer consents to have stored.
    fn store_plan(&self, session: &Session, payer: &Person) -> StorePlan;

    /// The kinds of documents of the merchant's country, the most usual first; none where the page
    /// does not ask for a document.
    fn documents(&self, merchant: &Merchant) -> &'static [DocumentType];

    /// Whether a payer must have a document.
    fn document_required(&self, merchant: &Merchant) -> bool {
        !self.documents(merchant).is_empty()
    }

    /// In how many instalments a credit card may pay at most; 1 where there are none.
    fn installments_max(&self, merchant: &Merchant, session: &Session) -> i64 {
        let _ = (merchant, session);
        1
    }

    /// Whether the shop takes this card.
    fn accepts(&self, order: &Order, card: &CardFacts) -> bool {
        order.methods.is_empty() || order.methods.contains(&card.brand)
    }

    /// The test cards that the sandbox offers.
    fn test_cards(&self) -> &'static [OfferedCard] {
        &[]
    }

    /// Published test numbers that fail the Luhn test, so that the page does not warn of them.
    fn luhn_exceptions(&self) -> Vec<&'static str> {
        Vec::new()
    }

    /// The time zone that times are shown in.
    fn time_zone(&self, merchant: &Merchant) -> TimeZone;

    /// The number under which a payer finds a payment again.
    fn receipt_number(&self, payment: &Payment) -> String {
        payment.number.to_string()
    }

    /// What the page says to the page that has it in a frame, or has opened it, once a payment
    /// that its holder had to confirm has ended; by default nothing.
    fn message(&self, payment: &Payment) -> Option<serde_json::Value> {
        let _ = payment;
        None
    }

    /// Whether other sites may show the page of a session in a frame.
    fn may_be_framed(&self, merchant: &Merchant, session: &Session) -> bool {
        let _ = (merchant, session);
        false
    }
}
