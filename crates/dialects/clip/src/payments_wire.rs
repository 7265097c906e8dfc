//! The payment object, its states and its refunds: seed 001; reference, sections 2.1, 2.6 and 3.1.
//!
//! What is empty is written as `""`, `{}` or `[]`, never as `null` and never left out.

use cobro_domain::card::CardKind;
use cobro_domain::payment::{DeclineReason, Payment, PaymentState, ReversedBy};
use cobro_domain::refund::{Refund, RefundState};
use cobro_engine::payment_search::FoundPayment;
use serde_json::{Map, Value, json};

use crate::cards;
use crate::dates::{nanoseconds, seconds};
use crate::fields::pesos;
use crate::luggage::Luggage;
use crate::receipts::receipt_no;

/// A payment's status with the code and the message of its detail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Status {
    pub(crate) word: &'static str,
    pub(crate) code: &'static str,
    pub(crate) message: &'static str,
}

const fn status_of(word: &'static str, code: &'static str, message: &'static str) -> Status {
    Status { word, code, message }
}

/// Where a payment is, in the words of reference, section 2.6.
pub(crate) fn status(payment: &Payment) -> Status {
    match &payment.state {
        PaymentState::Challenged => status_of("pending", "PE-3DS01", "Waiting 3ds"),
        // Neither approved nor rejected until the issuer has said so.
        PaymentState::Sending { .. } | PaymentState::Pending | PaymentState::Unknown => {
            status_of("pending", "PE-TIC01", "waiting payment")
        }
        PaymentState::Authorized { .. } => status_of("authorized", "AU-CAP01", "pending capture"),
        PaymentState::Approved { .. } if payment.is_fully_refunded() => {
            status_of("refunded", "RE-REF01", "refunded")
        }
        PaymentState::Approved { .. } if payment.refunded_minor > 0 => {
            status_of("approved", "AP-REF01", "partially refunded")
        }
        PaymentState::Approved { .. } => status_of("approved", "AP-PAI01", "paid"),
        PaymentState::Declined { reason } => {
            let (code, message) = declined(*reason);
            status_of("rejected", code, message)
        }
        PaymentState::Failed => status_of("rejected", "RE-ISS14", "issuer or switch inoperative"),
        PaymentState::Reversed { by: ReversedBy::Merchant } => {
            status_of("cancelled", "CA-MER01", "cancelled by the merchant")
        }
        PaymentState::Reversed { by: ReversedBy::Acquirer | ReversedBy::Recovery } => {
            status_of("cancelled", "CA-AUT01", "cancelled automatically")
        }
    }
}

/// Code and message of a decline.
const fn declined(reason: DeclineReason) -> (&'static str, &'static str) {
    match reason {
        DeclineReason::InsufficientFunds => ("RE-ISS01", "not sufficient funds"),
        DeclineReason::Generic => ("RE-ISS02", "do not honor"),
        DeclineReason::Restricted => ("RE-ISS03", "restricted card"),
        DeclineReason::Inactive
        | DeclineReason::Installments
        | DeclineReason::KindNotAccepted
        | DeclineReason::BrandNotSupported => {
            ("RE-ISS05", "transaction not permitted to cardholder")
        }
        DeclineReason::Blocked => ("RE-ISS06", "pick up card"),
        DeclineReason::Expired => ("RE-ISS07", "expired card"),
        DeclineReason::AmountRule => ("RE-ISS08", "exceeds withdrawal amount limit"),
        DeclineReason::TooManyTries => ("RE-ISS10", "PIN tries exceeded"),
        DeclineReason::CallIssuer => ("RE-ISS11", "refer to card issuer"),
        DeclineReason::CardNumber => ("RE-ISS16", "invalid card number"),
        DeclineReason::BadForm | DeclineReason::Duplicate => ("RE-ISS18", "invalid transaction"),
        DeclineReason::SecurityCode => ("RE-ISS99", "generic error"),
        DeclineReason::HighRisk | DeclineReason::Authentication => {
            ("RE-3DS01", "3DS authentication failed")
        }
    }
}

/// What a payment is shown with besides itself.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shown<'a> {
    pub(crate) found: &'a FoundPayment,
    /// Where its holder confirms it, while it waits for that.
    pub(crate) page: Option<&'a str>,
}

/// The payment object.
pub(crate) fn payment(shown: Shown<'_>) -> Value {
    let payment = &shown.found.payment;
    let luggage = Luggage::read(&payment.luggage);
    let status = status(payment);
    let taken_minor = payment.captured_minor;
    let net_minor = taken_minor.saturating_sub(payment.tip_minor).max(0);
    json!({
        "id": payment.id.to_string(),
        "amount": pesos(payment.amount.minor - payment.tip_minor),
        "tip_amount": pesos(payment.tip_minor),
        "amount_refunded": pesos(payment.refunded_minor),
        "installment_amount": pesos(monthly_minor(payment)),
        "installments": payment.installments,
        "capture_method": if payment.capture { "automatic" } else { "manual" },
        "net_amount": pesos(net_minor),
        "paid_amount": pesos(taken_minor),
        "captured_amount": pesos(taken_minor),
        "binary_mode": luggage.flag("binary_mode"),
        "approved_at": approved_at(payment),
        "country": "MX",
        "currency": payment.amount.currency.code(),
        "description": luggage.first(&["description", "message"]),
        "external_reference": luggage.first(&["external_reference", "reference"]),
        "customer": customer(&luggage),
        "payment_method": payment_method(payment, &luggage),
        "pending_action": match shown.page {
            Some(url) if payment.state == PaymentState::Challenged => {
                json!({ "type": "open_modal", "url": url })
            }
            _ => json!({}),
        },
        "receipt_no": receipt_no(payment.number),
        "refunds": refunds(shown.found),
        "statement_descriptor": luggage.str("statement_descriptor"),
        "status": status.word,
        "status_detail": { "code": status.code, "message": status.message },
        "metadata": luggage.object("metadata"),
        "return_url": luggage.str("return_url"),
        "webhook_url": luggage.str("webhook_url"),
        "created_at": nanoseconds(payment.created_at),
        "version": version(payment, &luggage, &shown.found.refunds),
    })
}

/// What is paid each month: the whole divided by the months, half up.
fn monthly_minor(payment: &Payment) -> i64 {
    let months = payment.installments.max(1);
    let whole =
        if payment.captured_minor > 0 { payment.captured_minor } else { payment.amount.minor };
    (whole.saturating_mul(2).saturating_add(months)) / months.saturating_mul(2)
}

fn approved_at(payment: &Payment) -> String {
    match &payment.state {
        PaymentState::Approved { at, .. } => nanoseconds(*at),
        _ => String::new(),
    }
}

/// Members of a customer that are text, in the order of seed 001.
const CUSTOMER: [&str; 5] = ["description", "email", "first_name", "last_name", "phone"];
/// Members of an address.
const ADDRESS: [&str; 7] =
    ["city", "colony", "country", "number", "postal_code", "state", "street"];

/// The customer: what was sent, with what was not as empty text.
fn customer(luggage: &Luggage) -> Value {
    let mut sent = typed(luggage);
    if let Value::Object(customer) = luggage.object("customer") {
        sent.extend(customer);
    }
    let mut shown = filled(&sent, &CUSTOMER);
    let part = |name: &str| sent.get(name).and_then(Value::as_object).cloned().unwrap_or_default();
    shown.insert("address".to_owned(), filled(&part("address"), &ADDRESS).into());
    shown.insert(
        "identification".to_owned(),
        filled(&part("identification"), &["id", "type"]).into(),
    );
    Value::Object(shown)
}

/// The customer of whom a page was told.
fn typed(luggage: &Luggage) -> Map<String, Value> {
    let payer = luggage.object("payer");
    let names =
        [("first_name", "name"), ("last_name", "surname"), ("email", "email"), ("phone", "mobile")];
    let known = names.into_iter().filter_map(|(ours, theirs)| {
        payer
            .get(theirs)
            .filter(|value| value.is_string())
            .map(|value| (ours.to_owned(), value.clone()))
    });
    known.collect()
}

/// The members with these names as text, empty where there are none, and whatever else was kept.
fn filled(sent: &Map<String, Value>, names: &[&str]) -> Map<String, Value> {
    let mut shown: Map<String, Value> =
        names.iter().map(|name| ((*name).to_owned(), Value::from(""))).collect();
    shown.extend(sent.clone());
    shown
}

/// The name on the card: that of the token, else what was typed on a page.
fn holder(luggage: &Luggage) -> String {
    let typed = typed(luggage);
    let part = |name: &str| typed.get(name).and_then(Value::as_str).unwrap_or_default();
    match luggage.str("holder") {
        "" => format!("{} {}", part("first_name"), part("last_name")).trim().to_owned(),
        name => name.to_owned(),
    }
}

fn payment_method(payment: &Payment, luggage: &Luggage) -> Value {
    let card = &payment.card;
    let (prefix, kind) = match card.kind {
        CardKind::Credit => ("", "credit_card"),
        CardKind::Debit | CardKind::Voucher => ("debit_", "debit_card"),
        CardKind::Prepaid => ("prepaid_", "prepaid_card"),
    };
    json!({
        "id": format!("{prefix}{}", card.brand),
        "type": kind,
        "card": {
            "bin": card.bin,
            "issuer": card.issuer,
            "name": holder(luggage),
            "country": cards::country(card),
            "last_digits": card.last_digits,
            "exp_year": format!("{:02}", card.expiration_year.rem_euclid(100)),
            "exp_month": format!("{:02}", card.expiration_month),
        },
        "token": luggage.str("token"),
    })
}

/// How often a payment has been changed, from 1; it follows from what has become of it.
fn version(payment: &Payment, luggage: &Luggage, refunds: &[Refund]) -> usize {
    let is_over = |state: &PaymentState| {
        !matches!(state, PaymentState::Challenged | PaymentState::Authorized { .. })
    };
    let confirmed = luggage.flag("three_ds") && payment.state != PaymentState::Challenged;
    let held_no_more = !payment.capture
        && is_over(&payment.state)
        && matches!(payment.state, PaymentState::Approved { .. } | PaymentState::Reversed { .. });
    let returned = refunds.iter().filter(|refund| refund.state == RefundState::Approved).count();
    1 + usize::from(confirmed) + usize::from(held_no_more) + returned
}

fn refunds(found: &FoundPayment) -> Value {
    let accepted = found.refunds.iter().filter(|refund| refund.state == RefundState::Approved);
    accepted.map(|one| refund(one, &found.payment)).collect()
}

/// A refund (reference, section 3.1). One that takes a payment back as a whole on its own day is a
/// cancellation: it has the payment's id and receipt number.
pub(crate) fn refund(refund: &Refund, payment: &Payment) -> Value {
    let luggage = Luggage::read(&refund.luggage);
    let (id, receipt) = if luggage.flag("cancellation") {
        (payment.id.to_string(), payment.number)
    } else {
        (refund.id.to_string(), refund.number)
    };
    let (status, message) = match refund.state {
        RefundState::Approved => ("approved", "Refunded. Merchant initiated."),
        RefundState::Sending { .. } | RefundState::Declined => ("declined", "Refund declined."),
    };
    let reference = match luggage.object("reference") {
        Value::Object(reference) if !reference.is_empty() => Value::Object(reference),
        _ => json!({ "type": "payment", "id": payment.id.to_string() }),
    };
    json!({
        "id": id,
        "status": status,
        "status_message": message,
        "amount": pesos(refund.amount.minor),
        "receipt_no": receipt_no(receipt),
        "created_at": seconds(refund.created_at),
        "currency": refund.amount.currency.code(),
        "reference": reference,
        "reason": luggage.str("reason"),
    })
}
