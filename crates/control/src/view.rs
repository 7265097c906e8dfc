//! The shapes of the control API (contract, "Shapes").

use axum::response::Response;
use cobro_domain::event::{Delivery, DeliveryState, Event};
use cobro_domain::intent::{Intent, IntentPhase};
use cobro_domain::merchant::Merchant;
use cobro_domain::payment::{Payment, PaymentState};
use cobro_domain::terminal::OperatingMode;
use cobro_engine::attempts::{Attempt, attempts, last_answer};
use cobro_engine::intents::IntentView;
use cobro_engine::ports::Dialect;
use cobro_engine::terminals::TerminalView;
use cobro_engine::{EngineError, World};
use cobro_surface::body::json_response;
use http::StatusCode;
use serde_json::{Value, json};

/// An answer that went well.
pub(crate) fn ok(body: &Value) -> Response {
    json_response(StatusCode::OK, body)
}

/// A page of a list: its member and the next page's cursor.
pub(crate) fn list(plural: &str, rows: Vec<Value>, next: Option<String>) -> Response {
    ok(&json!({plural: rows, "next": next}))
}

/// A terminal with what it shows.
///
/// # Errors
/// When the merchant speaks a dialect that this program lacks.
pub(crate) fn terminal(world: &World, view: &TerminalView) -> Result<Value, EngineError> {
    let (terminal, merchant) = (&view.terminal, &view.merchant);
    let dialect = world.dialect(&merchant.channel)?.as_ref();
    let settings: Value = serde_json::from_str(&terminal.settings).unwrap_or_default();
    let setting = |name: &str| settings.get(name).cloned().unwrap_or_default();
    let current = view.current.as_ref();
    let shown = current.map(|current| intent(dialect, &current.intent, current.payment.as_ref()));
    let queued = shown
        .as_ref()
        .filter(|_| current.is_some_and(|current| current.intent.phase() == IntentPhase::Open));
    let listed = view.pending.iter().map(|charge| intent(dialect, charge, None));
    let pending: Vec<Value> = queued.cloned().into_iter().chain(listed).collect();
    let ended = current
        .filter(|current| current.intent.phase() == IntentPhase::Processed)
        .or(view.last.as_ref());
    Ok(json!({
        "id": terminal.id.0,
        "dialect": merchant.channel,
        "merchant": merchant.public_id,
        "merchant_name": merchant.name,
        "model": terminal.model,
        "operating_mode": dialect.operating_mode(terminal.mode == OperatingMode::Integrated),
        "online": terminal.online,
        "cashier": setting("cashier"),
        "b2b_transactions": setting("b2b_transactions"),
        "autopilot": setting("autopilot"),
        "paper": setting("paper") != false,
        "currency": merchant.currency.code(),
        "currency_exponent": merchant.currency.exponent(),
        "pending": pending,
        "intent": shown,
        "last": ended.map(|ended| last(dialect, ended)),
    }))
}

/// An intent as a terminal shows it.
fn intent(dialect: &dyn Dialect, intent: &Intent, payment: Option<&Payment>) -> Value {
    let mut shown = json!({
        "id": intent.id.to_string(),
        "state": dialect.intent_word(intent, payment),
        "phase": intent.phase().code(),
        "amount_minor": intent.amount.minor,
        "currency": intent.amount.currency.code(),
    });
    if let (Some(_), Some(members)) = (intent.refund_of, shown.as_object_mut()) {
        members.insert("refund".to_owned(), json!(true));
    }
    let luggage: Value = serde_json::from_str(&intent.luggage).unwrap_or_default();
    // What the terminal lets its holder choose, where the dialect says so.
    if let (Some(offers), Some(members)) = (luggage.get("offers"), shown.as_object_mut()) {
        members.insert("offers".to_owned(), offers.clone());
    }
    let description = luggage.get("description").and_then(Value::as_str);
    if let (Some(text), Some(members)) = (description, shown.as_object_mut()) {
        members.insert("description".to_owned(), json!(text));
    }
    shown
}

/// What a terminal did last.
fn last(dialect: &dyn Dialect, view: &IntentView) -> Value {
    let outcome = outcome_word(&view.intent, view.payment.as_ref());
    let luggage: Value = serde_json::from_str(&view.intent.luggage).unwrap_or_default();
    // A charge says yes or no, a refund names the tickets.
    let print = match luggage.pointer("/additional_info/print_on_terminal") {
        Some(Value::Bool(print)) => *print,
        Some(Value::Array(tickets)) => !tickets.is_empty(),
        _ => false,
    };
    let ticket = luggage.pointer("/additional_info/ticket_number").and_then(Value::as_str);
    let payment = shown_payment(outcome, view).map(|payment| {
        json!({
            "id": dialect.payment_id(payment),
            "authorization_code": authorization(payment),
            "amount_minor": payment.amount.minor,
            "tip_minor": payment.tip_minor,
            "installments": payment.installments,
            "card": {
                "brand": payment.card.brand,
                "last_digits": payment.card.last_digits,
                "type": payment.card.kind.code(),
                "entry": payment.entry.code(),
            },
        })
    });
    json!({
        "intent": intent(dialect, &view.intent, view.payment.as_ref()),
        "outcome": outcome,
        "reason": reason(view.payment.as_ref()),
        "payment": payment,
        "print": print,
        "ticket": ticket,
        "at": view.intent.changed_at.to_string(),
    })
}

/// What came of presenting a card.
pub(crate) fn outcome(dialect: &dyn Dialect, view: &IntentView) -> Value {
    let word = outcome_word(&view.intent, view.payment.as_ref());
    let state = dialect.intent_word(&view.intent, view.payment.as_ref());
    let payment = shown_payment(word, view);
    json!({
        "outcome": word,
        "reason": reason(view.payment.as_ref()),
        "intent": {"id": view.intent.id.to_string(), "state": state},
        "session": null,
        "payment": payment.map(|payment| json!({"id": dialect.payment_id(payment)})),
    })
}

/// A try that failed took nothing and is nothing that a dialect shows.
fn shown_payment<'a>(outcome: &str, view: &'a IntentView) -> Option<&'a Payment> {
    view.payment.as_ref().filter(|_| outcome != "error")
}

/// The outcome's word (contract, "An outcome"). An abandoned intent counts as cancelled; its
/// state says more.
fn outcome_word(intent: &Intent, payment: Option<&Payment>) -> &'static str {
    match intent.phase() {
        IntentPhase::Canceled | IntentPhase::Abandoned => "canceled",
        IntentPhase::Error => "error",
        IntentPhase::ConfirmationRequired => "confirmation_required",
        // A refund's payment was answered long ago.
        IntentPhase::Processing => "pending",
        IntentPhase::Open
        | IntentPhase::OnTerminal
        | IntentPhase::Processed
        | IntentPhase::Finished => match payment.map(|payment| &payment.state) {
            Some(PaymentState::Authorized { .. } | PaymentState::Approved { .. }) => "approved",
            Some(PaymentState::Declined { .. }) => "rejected",
            Some(PaymentState::Reversed { .. }) => "reversed",
            Some(PaymentState::Failed) => "error",
            Some(PaymentState::Challenged) => "challenge",
            Some(PaymentState::Unknown) => "confirmation_required",
            Some(PaymentState::Pending | PaymentState::Sending { .. }) | None => "pending",
        },
    }
}

fn reason(payment: Option<&Payment>) -> Option<&'static str> {
    match payment?.state {
        PaymentState::Declined { reason } => Some(reason.code()),
        _ => None,
    }
}

fn authorization(payment: &Payment) -> Option<&str> {
    match &payment.state {
        PaymentState::Approved { authorization, .. } => Some(authorization),
        _ => None,
    }
}

/// Who an event or a delivery belongs to, as it is shown.
#[derive(Clone, Debug)]
pub(crate) struct Whose {
    pub(crate) dialect: String,
    pub(crate) merchant: String,
}

impl From<&Merchant> for Whose {
    fn from(merchant: &Merchant) -> Self {
        Self { dialect: merchant.channel.clone(), merchant: merchant.public_id.clone() }
    }
}

/// Whose list of charges changed.
pub(crate) fn whose(whose: &Whose) -> Value {
    json!({"dialect": whose.dialect, "merchant": whose.merchant})
}

/// An event.
pub(crate) fn event(event: &Event, whose: Option<&Whose>) -> Value {
    json!({
        "id": event.id.to_string(),
        "at": event.at.to_string(),
        "dialect": whose.map(|whose| &whose.dialect),
        "merchant": whose.map(|whose| &whose.merchant),
        "kind": event.kind.code(),
        "subject": event.subject,
        "data": serde_json::from_str(&event.data).unwrap_or(Value::Null),
    })
}

/// A delivery. `attempt` is the one that `request` and `response` are of; before the first there
/// is neither.
pub(crate) fn delivery(delivery: &Delivery, whose: Option<&Whose>) -> Value {
    let next_at = match delivery.state {
        DeliveryState::Waiting { next_at } => Some(next_at.to_string()),
        DeliveryState::Delivered | DeliveryState::Failed | DeliveryState::Exhausted => None,
    };
    let request: Option<Value> = serde_json::from_str(&delivery.request).ok();
    let made: Vec<Value> = attempts(delivery).iter().map(attempt).collect();
    json!({
        "id": delivery.id.to_string(),
        "event_id": delivery.event.to_string(),
        "at": delivery.created_at.to_string(),
        "dialect": whose.map(|whose| &whose.dialect),
        "merchant": whose.map(|whose| &whose.merchant),
        "url": delivery.url,
        "attempt": delivery.attempts.max(1),
        "state": delivery.state.code(),
        "next_at": next_at,
        "request": request.unwrap_or_else(|| json!({"headers": {}, "body": null})),
        "response": last_answer(delivery),
        "attempts": made,
    })
}

/// One attempt of a delivery.
fn attempt(attempt: &Attempt) -> Value {
    json!({
        "attempt": attempt.number,
        "at": attempt.at,
        "due_at": attempt.due_at,
        "request": attempt.request,
        "response": attempt.response,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use cobro_domain::card::{CardEntry, CardFacts, CardKind};
    use cobro_domain::fee::Fee;
    use cobro_domain::intent::IntentState;
    use cobro_domain::payment::{DeclineReason, Owner, ReversedBy, Trace};
    use cobro_domain::{Currency, DeliveryId, EventId, IntentId, MerchantId, Money, PaymentId};
    use cobro_domain::{TerminalId, Timestamp};

    fn payment(state: PaymentState) -> Payment {
        Payment {
            merchant: MerchantId::from_slice(&[1; 16]).unwrap(),
            id: PaymentId::from_slice(&[2; 16]).unwrap(),
            lane: 0,
            number: 7,
            ordinal: 1,
            intent: None,
            session: None,
            stored_card: None,
            capture: true,
            amount: Money::new(1500, Currency::MXN),
            tip_minor: 0,
            installments: 1,
            card: CardFacts {
                brand: "visa".to_owned(),
                kind: CardKind::Credit,
                bin: "400000".to_owned(),
                last_digits: "0001".to_owned(),
                issuer: String::new(),
                expiration_month: 11,
                expiration_year: 2030,
            },
            entry: CardEntry::Tap,
            trace: Trace(1),
            state,
            captured_minor: 0,
            refunded_minor: 0,
            refund_pending_minor: 0,
            fee: Fee::default(),
            settles_on: None,
            luggage: String::new(),
            created_at: Timestamp::default(),
            changed_at: Timestamp::default(),
        }
    }

    fn intent_in(state: IntentState) -> Intent {
        Intent {
            merchant: MerchantId::from_slice(&[1; 16]).unwrap(),
            id: IntentId::from_slice(&[3; 16]).unwrap(),
            terminal: Some(TerminalId("T1".to_owned())),
            assignee: None,
            refund_of: None,
            amount: Money::new(1500, Currency::MXN),
            card_kind: None,
            installments: 1,
            retry_declined: false,
            scenario: None,
            luggage: String::new(),
            state,
            deadline: None,
            created_at: Timestamp::default(),
            changed_at: Timestamp::default(),
        }
    }

    #[test]
    fn outcomes_of_intent_and_payment() {
        let id = PaymentId::from_slice(&[2; 16]).unwrap();
        let processed = IntentState::Processed { payment: id };
        let finished = IntentState::Finished { payment: id };
        let unclear = IntentState::ConfirmationRequired { payment: id };
        let approved =
            PaymentState::Approved { authorization: "1".to_owned(), at: Timestamp::default() };
        let declined = PaymentState::Declined { reason: DeclineReason::InsufficientFunds };
        let reversed = PaymentState::Reversed { by: ReversedBy::Acquirer };
        let recovered = PaymentState::Reversed { by: ReversedBy::Recovery };
        let sending = PaymentState::Sending { owner: Owner(1) };
        let on_terminal = IntentState::OnTerminal { declined: Some(id) };
        let table = [
            (processed, Some(approved.clone()), "approved", None),
            (finished, Some(approved), "approved", None),
            (finished, Some(declined.clone()), "rejected", Some("insufficient_funds")),
            (on_terminal, Some(declined), "rejected", Some("insufficient_funds")),
            (finished, Some(reversed), "reversed", None),
            (processed, Some(PaymentState::Pending), "pending", None),
            (IntentState::Processing { payment: id }, Some(sending), "pending", None),
            (IntentState::Error, Some(PaymentState::Failed), "error", None),
            (IntentState::Error, None, "error", None),
            (unclear, Some(PaymentState::Unknown), "confirmation_required", None),
            (unclear, Some(recovered), "confirmation_required", None),
            (IntentState::Canceled, None, "canceled", None),
            (IntentState::Abandoned, None, "canceled", None),
        ];
        for (state, paid, word, why) in table {
            let (intent, payment) = (intent_in(state), paid.map(payment));
            assert_eq!(outcome_word(&intent, payment.as_ref()), word, "{state:?}");
            assert_eq!(reason(payment.as_ref()), why, "{state:?}");
        }
    }

    #[test]
    fn a_delivery_says_which_attempt_it_shows() {
        let waiting = DeliveryState::Waiting { next_at: Timestamp::from_micros(1_000_000) };
        let table = [
            (0, waiting, 1, "waiting", json!("1970-01-01T00:00:01Z")),
            (1, waiting, 1, "waiting", json!("1970-01-01T00:00:01Z")),
            (3, DeliveryState::Delivered, 3, "delivered", Value::Null),
            (9, DeliveryState::Exhausted, 9, "exhausted", Value::Null),
        ];
        for (attempts, state, attempt, word, next_at) in table {
            let delivered = Delivery {
                id: DeliveryId::from_slice(&[1; 16]).unwrap(),
                merchant: MerchantId::from_slice(&[1; 16]).unwrap(),
                lane: 0,
                event: EventId::from_slice(&[1; 16]).unwrap(),
                slot: 0,
                url: "http://localhost/".to_owned(),
                attempts,
                state,
                request: String::new(),
                response: r#"{"status":200,"body":""}"#.to_owned(),
                created_at: Timestamp::default(),
            };
            let shown = delivery(&delivered, None);
            assert_eq!(shown["attempt"], attempt);
            assert_eq!(shown["state"], word);
            assert_eq!(shown["next_at"], next_at);
            assert_eq!(shown["at"], "1970-01-01T00:00:00Z");
            assert_eq!(shown["request"], json!({"headers": {}, "body": null}));
            // Before the first attempt there is no answer.
            let status = if attempts == 0 { Value::Null } else { json!(200) };
            assert_eq!(shown["response"]["status"], status);
            let mut numbers =
                shown["attempts"].as_array().unwrap().iter().map(|one| &one["attempt"]);
            assert_eq!(numbers.next_back(), (attempts > 0).then_some(&json!(attempts)));
        }
    }
}
