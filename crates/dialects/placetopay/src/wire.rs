//! Sessions, transactions and stored cards as the API shows them (reference, sections 2.1, 2.7,
//! 3.3 and 4.3).

use cobro_domain::Timestamp;
use cobro_domain::card::StoredCard;
use cobro_domain::payment::{DeclineReason, Payment, PaymentState, ReversedBy};
use cobro_domain::refund::Refund;
use cobro_domain::session::{SessionEnd, SessionKind, SessionState};
use cobro_engine::World;
use cobro_engine::sessions::SessionView;
use jiff::tz::TimeZone;
use serde_json::{Map, Value, json};

use crate::amounts::{units, units_of};
use crate::cards::Brand;
use crate::luggage::Luggage;
use crate::payment_request::{MODIFIER_BPS, modifier_discount};
use crate::sites::date;
use crate::texts::{Language, Text};

/// The status of a session: its word, the reason's code and what is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SessionWords {
    pub(crate) word: &'static str,
    pub(crate) reason: &'static str,
    pub(crate) text: Text,
}

const fn words(word: &'static str, reason: &'static str, text: Text) -> SessionWords {
    SessionWords { word, reason, text }
}

/// The status of a session's state, by the codes that are stored (reference, section 7.2).
pub(crate) fn session_words(state: &str, end: &str) -> SessionWords {
    match (state, end) {
        ("approved", _) => words("APPROVED", "00", Text::Approved),
        ("approved_partial", _) => words("APPROVED_PARTIAL", "P0", Text::PartiallyApproved),
        ("partial_expired", _) => words("PARTIAL_EXPIRED", "PX", Text::PartialExpired),
        ("processing", _) => words("PENDING", "PT", Text::Pending),
        ("rejected", "payer") => words("REJECTED", "?C", Text::CancelledByUser),
        ("rejected", "merchant") => words("REJECTED", "MC", Text::CancelledByMerchant),
        ("rejected", "expired") => words("REJECTED", "EX", Text::Expired),
        ("rejected", _) => words("REJECTED", "XN", Text::Rejected),
        _ => words("PENDING", "PC", Text::Active),
    }
}

/// A reason of the network: its code and what is said (reference, section 7.3).
const fn declined(reason: DeclineReason) -> (&'static str, Text) {
    match reason {
        DeclineReason::Generic | DeclineReason::Restricted | DeclineReason::Blocked => {
            ("05", Text::DeniedGeneric)
        }
        DeclineReason::InsufficientFunds => ("51", Text::DeniedFunds),
        DeclineReason::CallIssuer => ("02", Text::DeniedCall),
        DeclineReason::SecurityCode => ("99", Text::DeniedCode),
        DeclineReason::Expired => ("54", Text::DeniedExpired),
        DeclineReason::BadForm => ("30", Text::DeniedData),
        DeclineReason::CardNumber => ("14", Text::DeniedNumber),
        DeclineReason::Inactive => ("62", Text::DeniedInactive),
        DeclineReason::Installments => ("16", Text::DeniedInstalments),
        DeclineReason::Duplicate => ("94", Text::DeniedDuplicate),
        DeclineReason::TooManyTries => ("65", Text::DeniedTries),
        DeclineReason::KindNotAccepted | DeclineReason::BrandNotSupported => {
            ("XF", Text::DeniedFranchise)
        }
        DeclineReason::AmountRule => ("61", Text::DeniedAmount),
        DeclineReason::HighRisk => ("?2", Text::DeniedRisk),
        DeclineReason::Authentication => ("OT", Text::DeniedAuthentication),
    }
}

/// How things are told to one caller.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Teller<'a> {
    pub(crate) world: &'a World,
    /// The beginning of our own addresses.
    pub(crate) base: &'a str,
    pub(crate) zone: &'a TimeZone,
    pub(crate) language: Language,
}

impl Teller<'_> {
    /// A status object.
    pub(crate) fn status(&self, word: &str, reason: &str, text: Text, at: Timestamp) -> Value {
        json!({
            "status": word,
            "reason": reason,
            "message": text.said(self.language),
            "date": date(at, self.zone),
        })
    }

    /// A session with all that the API shows of it.
    pub(crate) fn session(&self, view: &SessionView) -> Value {
        let session = &view.session;
        let luggage = Luggage::read(&session.luggage);
        let words = self.words(view, &luggage);
        json!({
            "requestId": session.number,
            "status": self.status(words.word, words.reason, words.text, session.changed_at),
            "request": self.request(view, &luggage),
            "payment": self.payments(view, &luggage),
            "subscription": self.subscription(view),
        })
    }

    /// The status of a session; one whose money waits for the merchant's word is pending.
    fn words(&self, view: &SessionView, luggage: &Luggage) -> SessionWords {
        let state = view.session.state;
        if luggage.requires_confirmation() && state == SessionState::Approved {
            let waits =
                |payment: &Payment| matches!(payment.state, PaymentState::Authorized { .. });
            let dropped =
                |payment: &Payment| matches!(payment.state, PaymentState::Reversed { .. });
            if view.payments.iter().any(waits) {
                return words("PENDING", "PT", Text::Pending);
            }
            if view.payments.first().is_some_and(dropped) {
                return words("REJECTED", "?C", Text::CancelledByMerchant);
            }
        }
        let end = match state {
            SessionState::Rejected { end } => end.code(),
            _ => "",
        };
        session_words(state.code(), end)
    }

    /// The request as it was sent, with what the payer typed and the address of the page.
    fn request(&self, view: &SessionView, luggage: &Luggage) -> Value {
        let mut request = luggage.request();
        if let Some(payer) = luggage.payer() {
            request.insert("payer".to_owned(), payer);
        }
        if let Some(url) = luggage.page(self.world, self.base, view.session.number) {
            let fields = request.entry("fields").or_insert_with(|| json!([]));
            if let Value::Array(fields) = fields {
                fields
                    .push(json!({ "keyword": "_processUrl_", "value": url, "displayOn": "none" }));
            }
        }
        Value::Object(request)
    }

    /// The tries, the newest first. A charge of a token that is pending has none to show yet, and
    /// a session without any has none.
    fn payments(&self, view: &SessionView, luggage: &Luggage) -> Value {
        let is_pending = matches!(view.session.state, SessionState::Processing { .. });
        if view.payments.is_empty() || view.session.kind == SessionKind::Direct && is_pending {
            return Value::Null;
        }
        view.payments.iter().map(|payment| self.transaction(payment, luggage)).collect()
    }

    /// One transaction.
    pub(crate) fn transaction(&self, payment: &Payment, luggage: &Luggage) -> Value {
        let (word, reason, text) = transaction_words(payment, luggage.requires_confirmation());
        let released = matches!(payment.state, PaymentState::Reversed { by: ReversedBy::Merchant });
        let mut shown = json!({
            "status": self.status(word, reason, text, answered_at(payment)),
            "internalReference": payment.number,
            "amount": conversion(units(payment.amount), payment),
            "authorization": authorization(payment),
            "reference": luggage.reference(),
            "receipt": self.receipt(payment),
            "refunded": payment.is_fully_refunded() || released,
            "processorFields": processor_fields(payment, reason),
        });
        let Some(members) = shown.as_object_mut() else { return shown };
        members.extend(card_members(payment));
        if let Some(Value::Array(parts)) = luggage.of_request("/payment/dispersion") {
            members.insert("dispersion".to_owned(), self.dispersion(parts, payment));
        }
        if let Some(discount) = discount(luggage) {
            members.insert("discount".to_owned(), discount);
        }
        shown
    }

    /// The parts of a dispersed transaction.
    fn dispersion(&self, parts: &[Value], payment: &Payment) -> Value {
        parts
            .iter()
            .map(|part| {
                let total = part.pointer("/amount/total").cloned().unwrap_or_default();
                json!({
                    "amount": conversion(total, payment),
                    "agreement": part.get("agreement").cloned().unwrap_or_default(),
                    "agreementType": part.get("agreementType").cloned().unwrap_or_default(),
                    "refunded": payment.is_fully_refunded(),
                })
            })
            .collect()
    }

    /// Money that went back: a transaction of its own.
    pub(crate) fn refund(&self, payment: &Payment, refund: &Refund, luggage: &Luggage) -> Value {
        let at = refund.changed_at;
        let amount = conversion(units(refund.amount), payment);
        let mut shown = json!({
            "status": self.status("APPROVED", "00", Text::TransactionApproved, at),
            "internalReference": refund.number,
            "amount": amount,
            "authorization": authorization(payment),
            "reference": luggage.reference(),
            "receipt": self.receipt(payment),
            "refunded": false,
            "processorFields": processor_fields(payment, "00"),
        });
        if let Some(members) = shown.as_object_mut() {
            members.extend(card_members(payment));
        }
        shown
    }

    /// Digits that stand for the receipt: year, day, time and the last of the message's number.
    fn receipt(&self, payment: &Payment) -> String {
        let at = payment.created_at.calendar().to_zoned(self.zone.clone());
        let text = at.strftime("%Y%j%H%M%S").to_string();
        format!("{}{:02}", text.get(3..).unwrap_or_default(), payment.trace.0.rem_euclid(100))
    }

    /// The card that was stored, for those who may know its token.
    fn subscription(&self, view: &SessionView) -> Value {
        let session = &view.session;
        let stores = session.kind == SessionKind::Subscription || session.offers_storing;
        let stored = session.card.and(view.card.as_ref()).filter(|_| stores);
        match (stored, session.state) {
            (Some(card), _) => json!({
                "type": "token",
                "status": self.status("OK", "00", Text::Processed, card.created_at),
                "instrument": instrument(card),
            }),
            (None, SessionState::Rejected { end: SessionEnd::Attempts })
                if session.kind == SessionKind::Subscription =>
            {
                json!({
                    "type": "token",
                    "status": self.status("REJECTED", "XN", Text::Rejected, session.changed_at),
                    "instrument": null,
                })
            }
            _ => Value::Null,
        }
    }

    /// A stored card as `gateway/token` shows it.
    pub(crate) fn token(&self, card: &StoredCard) -> Value {
        let facts = &card.facts;
        let person = crate::luggage::card_person(&card.luggage).unwrap_or_default();
        let part = |name: &str| person.get(name).and_then(Value::as_str).unwrap_or_default();
        let owner = format!("{} {}", part("name"), part("surname")).trim().to_uppercase();
        let digits = card.subtoken.as_deref().unwrap_or_default();
        let id = digits.get(2..11).and_then(|digits| digits.parse::<i64>().ok()).unwrap_or(1);
        json!({
            "id": id,
            "type": "card",
            "token": card.token,
            "subtoken": card.subtoken,
            "franchise": facts.brand,
            "franchiseName": Brand::named(&facts.brand).name,
            "issuerName": facts.issuer,
            "lastDigits": facts.last_digits,
            "validUntil": format!("{:02}/{:02}", facts.expiration_month, facts.expiration_year % 100),
            "owner": owner,
            "bin": facts.bin,
            "accountType": null,
        })
    }
}

/// Word, reason and text of a transaction.
fn transaction_words(
    payment: &Payment,
    requires_confirmation: bool,
) -> (&'static str, &'static str, Text) {
    match &payment.state {
        PaymentState::Authorized { .. } if requires_confirmation => {
            ("PENDING_CONFIRMATION", "PE", Text::TransactionAwaitsConfirmation)
        }
        PaymentState::Authorized { .. } | PaymentState::Approved { .. } => {
            ("APPROVED", "00", Text::TransactionApproved)
        }
        PaymentState::Declined { reason } => {
            let (code, text) = declined(*reason);
            ("REJECTED", code, text)
        }
        PaymentState::Failed => ("FAILED", "XH", Text::NetworkFault),
        // Neither approved nor rejected until the network has said so.
        PaymentState::Challenged
        | PaymentState::Sending { .. }
        | PaymentState::Pending
        | PaymentState::Unknown => ("PENDING", "?-", Text::TransactionPending),
        PaymentState::Reversed { by: ReversedBy::Merchant } => {
            ("REJECTED", "?C", Text::TransactionCancelled)
        }
        PaymentState::Reversed { by: ReversedBy::Acquirer | ReversedBy::Recovery } => {
            ("REJECTED", "TO", Text::TransactionReversed)
        }
    }
}

/// When a transaction was answered; refunds do not move it.
fn answered_at(payment: &Payment) -> Timestamp {
    match payment.state {
        PaymentState::Approved { at, .. } | PaymentState::Authorized { at, .. } => at,
        _ => payment.changed_at,
    }
}

fn authorization(payment: &Payment) -> &str {
    match &payment.state {
        PaymentState::Approved { authorization, .. }
        | PaymentState::Authorized { authorization, .. } => authorization,
        _ => "000000",
    }
}

/// Nothing is converted: both sides are the same.
fn conversion(total: Value, payment: &Payment) -> Value {
    let side = json!({ "currency": payment.amount.currency.code(), "total": total });
    json!({ "from": side, "to": side, "factor": 1 })
}

fn card_members(payment: &Payment) -> Map<String, Value> {
    let brand = Brand::named(&payment.card.brand);
    let members = [
        ("paymentMethod", brand.method),
        ("paymentMethodName", brand.name),
        ("franchise", brand.franchise),
        ("issuerName", payment.card.issuer.as_str()),
    ];
    members.into_iter().map(|(name, value)| (name.to_owned(), json!(value))).collect()
}

fn processor_fields(payment: &Payment, reason: &str) -> Value {
    let card = &payment.card;
    let expiration =
        format!("{:02}{:02}", card.expiration_month, card.expiration_year.rem_euclid(100));
    let fields = [
        ("bin", json!(card.bin)),
        ("expiration", json!(expiration)),
        ("installments", json!(payment.installments)),
        ("lastDigits", json!(card.last_digits)),
        ("id", json!(hex::encode(payment.id.0.as_bytes()))),
        ("totalAmount", units(payment.amount)),
        ("b24", json!(reason)),
    ];
    fields
        .into_iter()
        .map(|(keyword, value)| json!({ "keyword": keyword, "value": value, "displayOn": "none" }))
        .collect()
}

/// What a modifier took off.
fn discount(luggage: &Luggage) -> Option<Value> {
    let modifier = luggage.of_request("/payment/modifiers/0")?;
    let total = luggage.of_request("/payment/amount/total")?;
    let currency = luggage.of_request("/payment/amount/currency")?.as_str()?;
    let currency = cobro_domain::Currency::from_code(currency)?;
    let number = crate::amounts::number(&total.into())?;
    let base = crate::amounts::rounded(&number, currency.exponent())?;
    let code = modifier.get("code").map(ToString::to_string).unwrap_or_default();
    Some(json!({
        "base": total,
        "code": code,
        "type": modifier.get("type").cloned().unwrap_or_default(),
        "amount": units_of(modifier_discount(base), currency),
        "percent": format!("{}.0000", MODIFIER_BPS / 100),
    }))
}

/// A stored card's members, in the documented order.
fn instrument(card: &StoredCard) -> Value {
    let facts = &card.facts;
    let members = [
        ("token", json!(card.token)),
        ("subtoken", json!(card.subtoken)),
        ("franchise", json!(facts.brand)),
        ("franchiseName", json!(Brand::named(&facts.brand).name)),
        ("issuerName", json!(facts.issuer)),
        ("lastDigits", json!(facts.last_digits)),
        ("validUntil", json!(valid_until(facts.expiration_month, facts.expiration_year))),
        ("installments", Value::Null),
    ];
    members
        .into_iter()
        .map(|(keyword, value)| json!({ "keyword": keyword, "value": value, "displayOn": "none" }))
        .collect()
}

/// The last day of a month.
fn valid_until(month: i64, year: i64) -> String {
    let parts = i16::try_from(year).ok().zip(i8::try_from(month).ok());
    let date = parts.and_then(|(year, month)| jiff::civil::Date::new(year, month, 1).ok());
    date.map_or_else(String::new, |date| date.last_of_month().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_has_its_words() {
        let table = [
            ("pending", "", "PENDING", "PC"),
            ("processing", "", "PENDING", "PT"),
            ("approved", "", "APPROVED", "00"),
            ("approved_partial", "", "APPROVED_PARTIAL", "P0"),
            ("partial_expired", "", "PARTIAL_EXPIRED", "PX"),
            ("rejected", "declined", "REJECTED", "XN"),
            ("rejected", "attempts", "REJECTED", "XN"),
            ("rejected", "payer", "REJECTED", "?C"),
            ("rejected", "merchant", "REJECTED", "MC"),
            ("rejected", "expired", "REJECTED", "EX"),
        ];
        for (state, end, word, reason) in table {
            let found = session_words(state, end);
            assert_eq!((found.word, found.reason), (word, reason), "{state} {end}");
        }
    }

    #[test]
    fn months_end_on_their_last_day() {
        assert_eq!(valid_until(2, 2028), "2028-02-29");
        assert_eq!(valid_until(12, 2029), "2029-12-31");
        assert_eq!(valid_until(13, 2029), "");
    }

    #[test]
    fn every_decline_has_a_code_of_its_table() {
        for reason in DeclineReason::ALL {
            let (code, _) = declined(*reason);
            assert_eq!(code.len(), 2, "{reason:?}");
        }
    }
}
