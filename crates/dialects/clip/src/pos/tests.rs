use cobro_domain::intent::IntentState;
use cobro_domain::payment::{DeclineReason, Owner, ReversedBy};
use cobro_domain::{MerchantId, PaymentId};

use super::*;

fn read(body: &str) -> Result<Asked, String> {
    let json = Json::parse(body.as_bytes(), &Default::default()).map_err(|e| e.to_string())?;
    let settings = Settings {
        amount_max_minor: 100,
        amount_min_minor: 1,
        charge_seconds_max: 86_400,
        installment_surcharge: false,
        installments_min_minor: 1,
        refund_balance_rule: false,
        refunds_enabled: true,
        terminal_seconds_max: 600,
        three_ds: settings::ThreeDs::Never,
    };
    asked(&json, &settings).map_err(|refusal| refusal.message)
}

#[test]
fn requests_of_real_clients_are_read() {
    let full = r#"{"amount":245.5,"assigned_user":" Caja1@Tienda.example","reference":"order-1042","user_id":"2f6c1b0d-8a8e-4d53-bb1f-5f0f6a6f7e02","message":"Mesa 4"}"#;
    let one = read(full).unwrap();
    assert_eq!((one.amount_minor, one.reference.as_str()), (24_550, "order-1042"));
    assert_eq!(one.assigned_user.as_deref(), Some("Caja1@Tienda.example"));
    // Numbers as text, integers as references, members that nobody knows, empty optional ones.
    let odd = r#"{"amount":"245.50","reference":1042,"message":"☕ Mesa 4","assigned_user":"","user_id":null,"x":[1]}"#;
    let one = read(odd).unwrap();
    assert_eq!((one.amount_minor, one.reference.as_str()), (24_550, "1042"));
    assert_eq!((one.assigned_user, one.user_id), (None, None));
}

#[test]
fn requests_that_break_a_rule() {
    let long = "x".repeat(REFERENCE_MAX + 1);
    let table = [
        (r#"[]"#.to_owned(), "the body must be a JSON object"),
        (r#"{}"#.to_owned(), "amount is required"),
        (r#"{"amount":1}"#.to_owned(), "reference is required"),
        (r#"{"amount":1,"reference":"a"}"#.to_owned(), "message is required"),
        (r#"{"amount":1,"reference":"  ","message":"m"}"#.to_owned(), "reference is required"),
        (r#"{"amount":null,"reference":"a","message":"m"}"#.to_owned(), "amount is required"),
        (
            r#"{"amount":0,"reference":"a","message":"m"}"#.to_owned(),
            "amount must be greater than 0",
        ),
        (
            r#"{"amount":-5,"reference":"a","message":"m"}"#.to_owned(),
            "amount must not be negative",
        ),
        (
            r#"{"amount":1.005,"reference":"a","message":"m"}"#.to_owned(),
            "amount must have at most 2 decimals",
        ),
        (
            r#"{"amount":"diez","reference":"a","message":"m"}"#.to_owned(),
            "amount must be a number",
        ),
        (r#"{"amount":true,"reference":"a","message":"m"}"#.to_owned(), "amount must be a number"),
        (r#"{"amount":1e40,"reference":"a","message":"m"}"#.to_owned(), "amount is too large"),
        (
            r#"{"amount":1,"reference":"a","message":"m","assigned_user":"caja"}"#.to_owned(),
            "assigned_user must be an e-mail address",
        ),
        (r#"{"amount":1,"reference":{},"message":"m"}"#.to_owned(), "reference must be a string"),
        (
            format!(r#"{{"amount":1,"reference":"{long}","message":"m"}}"#),
            "reference must have at most 255 characters",
        ),
    ];
    for (body, expected) in table {
        assert_eq!(read(&body).err().as_deref(), Some(expected), "{body}");
    }
}

fn intent(state: IntentState) -> Intent {
    Intent {
        merchant: MerchantId(uuid::Uuid::nil()),
        id: IntentId(uuid::Uuid::nil()),
        terminal: None,
        assignee: None,
        refund_of: None,
        amount: Money::new(100, Currency::MXN),
        card_kind: None,
        installments: 1,
        retry_declined: true,
        scenario: None,
        luggage: String::new(),
        state,
        deadline: None,
        created_at: Timestamp::from_micros(0),
        changed_at: Timestamp::from_micros(9),
    }
}

fn payment(state: PaymentState) -> Payment {
    use cobro_domain::card::{CardEntry, CardKind};
    Payment {
        merchant: MerchantId(uuid::Uuid::nil()),
        id: PaymentId(uuid::Uuid::nil()),
        lane: 0,
        number: 1,
        ordinal: 1,
        intent: None,
        session: None,
        stored_card: None,
        capture: true,
        amount: Money::new(100, Currency::MXN),
        tip_minor: 0,
        installments: 1,
        card: crate::cards::default_card(CardKind::Credit),
        entry: CardEntry::Tap,
        trace: cobro_domain::payment::Trace(1),
        state,
        captured_minor: 0,
        refunded_minor: 0,
        refund_pending_minor: 0,
        fee: Default::default(),
        settles_on: None,
        luggage: String::new(),
        created_at: Timestamp::from_micros(0),
        changed_at: Timestamp::from_micros(7),
    }
}

#[test]
fn a_charge_stands_where_its_last_try_stands() {
    let id = PaymentId(uuid::Uuid::nil());
    let approved =
        || PaymentState::Approved { authorization: "1".to_owned(), at: Timestamp::from_micros(5) };
    let declined = || PaymentState::Declined { reason: DeclineReason::Generic };
    let retry = IntentState::OnTerminal { declined: Some(id) };
    let unclear = IntentState::ConfirmationRequired { payment: id };
    let table = [
        (IntentState::Open, None, Status::Pending, 9),
        (IntentState::OnTerminal { declined: None }, None, Status::Pending, 9),
        (retry, Some(declined()), Status::Declined, 9),
        (
            IntentState::Processing { payment: id },
            Some(PaymentState::Sending { owner: Owner(1) }),
            Status::Pending,
            9,
        ),
        (IntentState::Processed { payment: id }, Some(approved()), Status::Completed, 5),
        (IntentState::Finished { payment: id }, Some(approved()), Status::Completed, 5),
        (IntentState::Finished { payment: id }, Some(PaymentState::Pending), Status::Pending, 9),
        (
            IntentState::Finished { payment: id },
            Some(PaymentState::Reversed { by: ReversedBy::Acquirer }),
            Status::Cancelled,
            7,
        ),
        (unclear, Some(PaymentState::Unknown), Status::Pending, 9),
        (unclear, Some(PaymentState::Reversed { by: ReversedBy::Recovery }), Status::Cancelled, 7),
        (IntentState::Canceled, None, Status::Cancelled, 9),
        (IntentState::Abandoned, None, Status::Expired, 9),
        (IntentState::Error, None, Status::Declined, 9),
    ];
    for (state, paid, expected, since) in table {
        let found = standing(&intent(state), paid.map(payment).as_ref());
        assert_eq!(found, (expected, Timestamp::from_micros(since)), "{state:?}");
    }
}
