//! What the hosted card page asks of this dialect.

use cobro_domain::payment::Payment;
use cobro_domain::session::Session;
use jiff::tz::TimeZone;
use serde_json::Value;

use crate::luggage::Luggage;
use crate::{calendar, receipts};

/// What a payment link, or a payment that its holder has to confirm, says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Carried {
    /// The shop's own name for it; empty where there is none.
    pub reference: String,
    /// What is sold.
    pub description: String,
    /// The customer's name, as far as the shop knows it.
    pub name: String,
    /// The customer's e-mail address.
    pub email: String,
    /// The customer's telephone number.
    pub phone: String,
    /// Where the customer goes at the end; empty for nowhere.
    pub return_url: String,
    /// Where the customer goes after giving up.
    pub cancel_url: String,
}

/// What a session carries.
pub fn carried(session: &Session) -> Carried {
    let luggage = Luggage::read(&session.luggage);
    let customer = luggage.object("customer");
    let text = |name: &str| customer.get(name).and_then(Value::as_str).unwrap_or_default();
    let name = format!("{} {}", text("first_name"), text("last_name")).trim().to_owned();
    Carried {
        reference: luggage.str("external_reference").to_owned(),
        description: luggage.str("description").to_owned(),
        name,
        email: text("email").to_owned(),
        phone: text("phone").to_owned(),
        return_url: luggage.str("return_url").to_owned(),
        cancel_url: luggage.str("cancel_url").to_owned(),
    }
}

/// The receipt number of a payment.
pub fn receipt_number(payment: &Payment) -> String {
    receipts::receipt_no(payment.number)
}

/// The zone that times are told in.
pub fn time_zone() -> TimeZone {
    calendar::zone()
}
