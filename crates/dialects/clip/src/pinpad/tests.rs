use super::*;

fn settings() -> Settings {
    Settings {
        amount_max_minor: 100,
        amount_min_minor: 1,
        charge_seconds_max: 86_400,
        installment_surcharge: false,
        installments_min_minor: 50_001,
        refund_balance_rule: false,
        refunds_enabled: true,
        terminal_seconds_max: 600,
        three_ds: crate::settings::ThreeDs::Never,
    }
}

fn read(body: &str) -> Result<Asked, String> {
    let json = Json::parse(body.as_bytes(), &Default::default()).map_err(|e| e.to_string())?;
    asked(&json, &settings()).map_err(|refusal| refusal.message)
}

#[test]
fn requests_are_read() {
    let one = read(r#"{"amount":"200.50","reference":"r","serial_number_pos":"P8"}"#).unwrap();
    assert_eq!((one.amount_minor, one.tip_minor, one.serial.as_str()), (20_050, 0, "P8"));
    assert!(one.choices.tip && one.choices.months && one.choices.tips.is_empty());
    let body = r#"{"amount":600,"tip_amount":"10","reference":7,"serial_number_pos":"P8","webhook_url":"http://localhost/w","preferences":{"is_msi_enabled":false,"tip_options":[5,100],"x":1}}"#;
    let one = read(body).unwrap();
    assert_eq!((one.tip_minor, one.reference.as_str()), (1_000, "7"));
    // A tip that is fixed is not asked for again.
    assert!(!one.choices.tip && !one.choices.months);
    assert_eq!(one.choices.tips, [5, 100]);
    assert_eq!(one.preferences.len(), 2);
}

#[test]
fn requests_that_break_a_rule() {
    let with = |member: &str| {
        format!(r#"{{"amount":1,"reference":"r","serial_number_pos":"P8",{member}}}"#)
    };
    let table = [
        ("[]".to_owned(), "the body must be a JSON object"),
        (r#"{"reference":"r","serial_number_pos":"P8"}"#.to_owned(), "amount is required"),
        (r#"{"amount":1,"serial_number_pos":"P8"}"#.to_owned(), "reference is required"),
        (r#"{"amount":1,"reference":"r"}"#.to_owned(), "serial_number_pos is required"),
        (
            r#"{"amount":"mucho","reference":"r","serial_number_pos":"P8"}"#.to_owned(),
            "amount must be a number",
        ),
        (with(r#""tip_amount":-1"#), "tip_amount must not be negative"),
        (with(r#""preferences":[]"#), "preferences must be an object"),
        (
            with(r#""preferences":{"is_tip_enabled":7}"#),
            "preferences.is_tip_enabled must be true or false",
        ),
        (
            with(r#""preferences":{"tip_options":[]}"#),
            "preferences.tip_options must be 1 to 3 integers from 1 to 100",
        ),
        (
            with(r#""preferences":{"tip_options":[1,2,3,4]}"#),
            "preferences.tip_options must be 1 to 3 integers from 1 to 100",
        ),
        (
            with(r#""preferences":{"tip_options":[101]}"#),
            "preferences.tip_options must be 1 to 3 integers from 1 to 100",
        ),
    ];
    for (body, expected) in table {
        assert_eq!(read(&body).err().as_deref(), Some(expected), "{body}");
    }
}

#[test]
fn offers_follow_choices_and_amount() {
    let table = [
        (Choices::all(), 50_001, json!([10, 15, 20]), 6),
        (Choices::all(), 50_000, json!([10, 15, 20]), 0),
        (Choices { tip: false, ..Choices::all() }, 1, json!([]), 0),
        (Choices { tips: vec![5], ..Choices::all() }, 1, json!([5]), 0),
        (Choices { months: false, ..Choices::all() }, 99_999, json!([10, 15, 20]), 0),
    ];
    for (choices, amount, tips, months) in table {
        let offered = offers(&choices, amount, &settings());
        assert_eq!(offered["tip_percents"], tips, "{choices:?}");
        assert_eq!(offered["installments"].as_array().unwrap().len(), months, "{choices:?}");
    }
}

#[test]
fn ids_are_read_with_and_without_their_beginning() {
    let id = IntentId(uuid::Uuid::from_u128(7));
    assert_eq!(intent_id(&shown_id(id)), Some(id));
    assert_eq!(intent_id(&id.to_string()), Some(id));
    assert_eq!(intent_id("pinpad-"), None);
    assert_eq!(fixed_tip_minor(r#"{"kind":"pinpad","tip_minor":500}"#), 500);
    assert_eq!(fixed_tip_minor(r#"{"kind":"pos","tip_minor":500}"#), 0);
    let luggage = r#"{"kind":"pinpad","webhook_url":"http://localhost/w"}"#;
    let told = own_address(EventKind::IntentProcessed, luggage);
    assert_eq!(told.as_deref(), Some("http://localhost/w"));
    assert_eq!(own_address(EventKind::IntentFinished, luggage), None);
    assert_eq!(own_address(EventKind::IntentProcessed, r#"{"kind":"pinpad"}"#), None);
}
