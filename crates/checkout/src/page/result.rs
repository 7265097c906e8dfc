//! The page at the end: what became of it, a receipt, a way back.

use cobro_domain::payment::PaymentState;
use cobro_domain::session::SessionEnd;
use cobro_surface::html::escape;

use super::{Filling, Page, RECEIPT, RESULT, line};
use crate::stand::{Stand, receipted};

pub(super) const CROSS: &str =
    "<svg viewBox=\"0 0 24 24\" aria-hidden=\"true\"><path d=\"m7 7 10 10M17 7 7 17\"/></svg>";
const CHECK: &str =
    "<svg viewBox=\"0 0 24 24\" aria-hidden=\"true\"><path d=\"m5 12.5 4.5 4.5L19 7.5\"/></svg>";
const CLOCK: &str = "<svg viewBox=\"0 0 24 24\" aria-hidden=\"true\"><circle cx=\"12\" cy=\"12\" \
    r=\"9\"/><path d=\"M12 7v5l3 2\"/></svg>";
const TURNING: &str =
    "<svg viewBox=\"0 0 24 24\" aria-hidden=\"true\"><path d=\"M12 3a9 9 0 1 0 9 9\"/></svg>";

/// The keys of the texts of a page at the end, and how it looks.
struct Ending {
    title: &'static str,
    lead: &'static str,
    tone: &'static str,
    icon: &'static str,
}

const fn ending(
    title: &'static str,
    lead: &'static str,
    tone: &'static str,
    icon: &'static str,
) -> Ending {
    Ending { title, lead, tone, icon }
}

impl Page<'_> {
    fn ending(&self, stand: &Stand) -> Ending {
        match stand {
            Stand::Approved if self.is_subscription() => {
                ending("stored", "stored-lead", "good", CHECK)
            }
            Stand::Approved => ending("approved", "approved-lead", "good", CHECK),
            Stand::Held => ending("held", "held-lead", "good", CHECK),
            Stand::PartlyPaid => ending("ended-partial", "ended-partial-lead", "late", CLOCK),
            Stand::Ended(SessionEnd::Payer) => {
                ending("ended-payer", "ended-payer-lead", "bad", CROSS)
            }
            Stand::Ended(SessionEnd::Merchant) => {
                ending("ended-merchant", "ended-merchant-lead", "bad", CROSS)
            }
            Stand::Ended(SessionEnd::Expired) => {
                ending("ended-expired", "ended-expired-lead", "late", CLOCK)
            }
            Stand::Ended(SessionEnd::Declined) => {
                ending("ended-declined", "ended-declined-lead", "bad", CROSS)
            }
            Stand::Ended(SessionEnd::Attempts) => {
                ending("ended-attempts", "ended-attempts-lead", "bad", CROSS)
            }
            Stand::Waiting | Stand::Open { .. } | Stand::Challenge(_) => {
                ending("waiting", "waiting-lead", "wait", TURNING)
            }
        }
    }

    /// The title and the body of the page at the end.
    pub(super) fn result(&self, stand: &Stand) -> (String, String) {
        let ending = self.ending(stand);
        let words = self.words;
        let title = words.text(ending.title).to_owned();
        let lead = words.with(ending.lead, &[("shop", &self.merchant.name)]);
        let body = Filling::default()
            .value("tone", ending.tone)
            .value("title", title.clone())
            .value("lead", lead)
            .part("icon", ending.icon)
            .part("receipt", self.receipt(stand))
            .part("back", self.back(stand))
            .render(RESULT, words);
        (title, body)
    }

    fn receipt(&self, stand: &Stand) -> String {
        let approved = matches!(stand, Stand::Approved | Stand::Held);
        let lines = match (receipted(self.view), &self.view.card) {
            (Some(_), _) => self.payment_lines(),
            (None, Some(card)) if approved => {
                let mut lines = String::new();
                let words = self.words;
                line(&mut lines, words.text("receipt-shop"), &self.merchant.name);
                line(&mut lines, words.text("order-reference"), &self.order.reference);
                let named = self.facts_words(&card.facts, "receipt-card-value");
                line(&mut lines, words.text("receipt-card"), &named);
                let date = self.time(card.created_at, "%Y-%m-%d %H:%M");
                line(&mut lines, words.text("receipt-date"), &date);
                lines
            }
            _ => return String::new(),
        };
        let mut lines = lines;
        for field in self.order.fields.iter().filter(|field| field.is_shown_after(approved)) {
            line(&mut lines, &field.keyword, &field.value);
        }
        let title = if *stand == Stand::Waiting { "receipt-waiting" } else { "receipt" };
        Filling::default()
            .value("title", self.words.text(title))
            .part("lines", lines)
            .render(RECEIPT, self.words)
    }

    fn payment_lines(&self) -> String {
        let mut lines = String::new();
        let Some(payment) = receipted(self.view) else { return lines };
        let words = self.words;
        let mut add = |key: &'static str, value: &str| line(&mut lines, words.text(key), value);
        add("receipt-shop", &self.merchant.name);
        add("order-reference", &self.order.reference);
        add("receipt-amount", &self.style.amount(payment.amount));
        add("receipt-card", &self.facts_words(&payment.card, "receipt-card-value"));
        if payment.installments > 1 {
            add("receipt-installments", &payment.installments.to_string());
        }
        if let PaymentState::Approved { authorization, at }
        | PaymentState::Authorized { authorization, at } = &payment.state
        {
            add("receipt-authorization", authorization);
            add("receipt-date", &self.time(*at, "%Y-%m-%d %H:%M"));
        } else {
            add("receipt-date", &self.time(payment.created_at, "%Y-%m-%d %H:%M"));
        }
        add("receipt-number", &self.merchandise.receipt_number(payment));
        lines
    }

    fn back(&self, stand: &Stand) -> String {
        let address = match stand {
            Stand::Ended(SessionEnd::Payer) => self.order.way_out(),
            _ => &self.order.return_url,
        };
        if address.is_empty() {
            return String::new();
        }
        let mut html = "<a class=\"button primary\" id=\"back\" href=\"".to_owned();
        escape(address, &mut html);
        html.push_str("\">");
        escape(self.words.text("back"), &mut html);
        html.push_str("</a>");
        html
    }
}
