//! The bodies that the API writes. Members stand in alphabetical order, as in real answers.

use cobro_domain::Timestamp;
use cobro_domain::intent::{Intent, IntentPhase};
use cobro_domain::merchant::Merchant;
use cobro_domain::payment::{Payment, PaymentState};
use cobro_domain::refund::Refund;
use cobro_domain::terminal::{OperatingMode, Terminal};
use cobro_engine::intents::IntentView;
use cobro_engine::refund_intents::RefundIntentView;
use cobro_surface::json::decimal_units;
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use crate::accounts::TestUser;
use crate::map;
use crate::sites::Site;

/// An answer to the making of an intent: what was sent, and its id.
pub(crate) fn created_intent(site: Site, intent: &Intent) -> Value {
    Value::Object(intent_members(site, intent))
}

/// An intent as it is read.
pub(crate) fn intent(site: Site, view: &IntentView, id_as_number: bool) -> Value {
    let intent = &view.intent;
    let mut members = intent_members(site, intent);
    let shows_payment = matches!(
        intent.phase(),
        IntentPhase::Processed | IntentPhase::Finished | IntentPhase::ConfirmationRequired
    );
    if let Some(payment) = view.payment.as_ref().filter(|_| shows_payment) {
        let mut shown = match members.remove("payment") {
            Some(Value::Object(asked)) => asked,
            _ => Map::new(),
        };
        if site.takes_payment_options() {
            shown.insert("type".to_owned(), map::card_type(payment.card.kind).into());
            shown.insert("installments".to_owned(), payment.installments.into());
        }
        let id = if id_as_number {
            Value::from(payment.number)
        } else {
            Value::from(payment.number.to_string())
        };
        shown.insert("id".to_owned(), id);
        members.insert("payment".to_owned(), shown.into());
    }
    members.insert("state".to_owned(), map::intent_state(intent.phase()).into());
    Value::Object(members)
}

fn intent_members(site: Site, intent: &Intent) -> Map<String, Value> {
    let mut members: Map<String, Value> = serde_json::from_str(&intent.luggage).unwrap_or_default();
    hide_ticket(site, &mut members);
    members.insert("amount".to_owned(), intent.amount.minor.into());
    let device = intent.terminal.as_ref().map_or("", |terminal| terminal.0.as_str());
    members.insert("device_id".to_owned(), device.into());
    members.insert("id".to_owned(), intent.id.to_string().into());
    if site.takes_payment_options() {
        members.insert("payment_mode".to_owned(), "card".into());
    }
    members
}

/// An answer to the making of a refund intent: what was sent, and its id.
pub(crate) fn created_refund_intent(view: &RefundIntentView) -> Value {
    Value::Object(refund_intent_members(view))
}

/// A refund intent as it is read.
pub(crate) fn refund_intent(view: &RefundIntentView) -> Value {
    let mut members = refund_intent_members(view);
    members.insert("state".to_owned(), map::intent_state(view.intent.phase()).into());
    Value::Object(members)
}

fn refund_intent_members(view: &RefundIntentView) -> Map<String, Value> {
    let intent = &view.intent;
    let mut members: Map<String, Value> = serde_json::from_str(&intent.luggage).unwrap_or_default();
    let device = intent.terminal.as_ref().map_or("", |terminal| terminal.0.as_str());
    members.insert("device_id".to_owned(), device.into());
    members.insert("id".to_owned(), intent.id.to_string().into());
    members.insert("payment_id".to_owned(), view.payment.number.to_string().into());
    members
}

/// A ticket number is accepted everywhere and comes back in one country only.
pub(crate) fn hide_ticket(site: Site, luggage: &mut Map<String, Value>) {
    if !site.shows_ticket_number()
        && let Some(Value::Object(info)) = luggage.get_mut("additional_info")
    {
        info.remove("ticket_number");
    }
}

/// A device in the list.
pub(crate) fn device(terminal: &Terminal) -> Value {
    let settings: Value = serde_json::from_str(&terminal.settings).unwrap_or_default();
    json!({
        "external_pos_id": settings.get("external_pos_id").cloned().unwrap_or_else(|| "".into()),
        "id": terminal.id.0,
        "operating_mode": operating_mode(terminal.mode == OperatingMode::Integrated),
        "pos_id": settings.get("pos_id").cloned().unwrap_or_else(|| 0.into()),
        "store_id": settings.get("store_id").cloned().unwrap_or_else(|| "0".into()),
    })
}

/// The word for an operating mode.
pub(crate) const fn operating_mode(integrated: bool) -> &'static str {
    if integrated { "PDV" } else { "STANDALONE" }
}

/// A time as the Payments API writes it: milliseconds and the offset of its zone.
pub(crate) fn payment_time(at: Timestamp) -> String {
    let offset = jiff::tz::Offset::constant(Site::Mla.zone_offset_hours());
    let local = at.calendar().to_zoned(offset.to_time_zone());
    local.strftime("%Y-%m-%dT%H:%M:%S%.3f%:z").to_string()
}

/// A time as events write it.
pub(crate) fn event_time(at: Timestamp) -> String {
    at.calendar().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// A time as notifications write it, in UTC.
pub(crate) fn notice_time(at: Timestamp) -> String {
    at.calendar().strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// A payment, with the members of a payment that an intent led to (reference, section 10.1).
#[derive(Serialize)]
pub(crate) struct PaymentBody {
    accounts_info: Option<()>,
    acquirer_reconciliation: [(); 0],
    additional_info: Value,
    authorization_code: Option<String>,
    binary_mode: bool,
    call_for_authorize_id: Option<()>,
    captured: bool,
    card: Value,
    charges_details: [(); 0],
    collector_id: i64,
    corporation_id: Option<()>,
    counter_currency: Option<()>,
    coupon_amount: i64,
    currency_id: &'static str,
    date_approved: Option<String>,
    date_created: String,
    date_last_updated: String,
    date_of_expiration: Option<()>,
    deduction_schema: Option<()>,
    description: Option<String>,
    differential_pricing_id: Option<()>,
    external_reference: Option<String>,
    fee_details: Vec<FeeBody>,
    financing_group: Option<()>,
    id: i64,
    installments: i64,
    integrator_id: Option<()>,
    issuer_id: String,
    live_mode: bool,
    merchant_account_id: Option<()>,
    merchant_number: Option<()>,
    metadata: Value,
    money_release_date: Option<String>,
    money_release_schema: Option<()>,
    money_release_status: Option<()>,
    notification_url: Option<()>,
    operation_type: &'static str,
    order: Value,
    payer: Value,
    payment_method: Value,
    payment_method_id: String,
    payment_type_id: &'static str,
    platform_id: Option<()>,
    pos_id: String,
    processing_mode: &'static str,
    refunds: Vec<RefundBody>,
    shipping_amount: i64,
    sponsor_id: Option<()>,
    statement_descriptor: String,
    status: &'static str,
    status_detail: &'static str,
    store_id: String,
    tags: Option<()>,
    taxes_amount: i64,
    transaction_amount: Box<RawValue>,
    transaction_amount_refunded: Box<RawValue>,
    transaction_details: TransactionDetails,
}

#[derive(Serialize)]
struct FeeBody {
    amount: Box<RawValue>,
    fee_payer: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
}

#[derive(Serialize)]
struct TransactionDetails {
    acquirer_reference: Option<()>,
    external_resource_url: Option<()>,
    financial_institution: Option<()>,
    installment_amount: Box<RawValue>,
    net_received_amount: Box<RawValue>,
    overpaid_amount: i64,
    payable_deferral_period: Option<()>,
    payment_method_reference_id: Option<()>,
    total_paid_amount: Box<RawValue>,
}

/// A refund (reference, section 10.3).
#[derive(Serialize)]
pub(crate) struct RefundBody {
    additional_data: Option<()>,
    adjustment_amount: i64,
    amount: Box<RawValue>,
    amount_refunded_to_payer: Box<RawValue>,
    date_created: String,
    expiration_date: Option<()>,
    id: i64,
    labels: [(); 0],
    metadata: Value,
    partition_details: [(); 0],
    payment_id: i64,
    reason: Option<()>,
    refund_mode: &'static str,
    source: Value,
    status: &'static str,
    unique_sequence_number: Option<()>,
}

/// A page of payments.
#[derive(Serialize)]
pub(crate) struct SearchBody {
    pub(crate) paging: Value,
    pub(crate) results: Vec<PaymentBody>,
}

/// What a payment's body is made of.
pub(crate) struct PaymentParts<'a> {
    pub(crate) merchant: &'a Merchant,
    pub(crate) payment: &'a Payment,
    pub(crate) refunds: &'a [Refund],
    pub(crate) terminal: Option<&'a Terminal>,
}

/// A payment; `None` when the Payments API does not know it.
pub(crate) fn payment(parts: &PaymentParts<'_>) -> Option<PaymentBody> {
    let PaymentParts { merchant, payment, refunds, terminal } = parts;
    let (status, status_detail) = map::payment_status(payment)?;
    let units = |minor| decimal_units(minor, payment.amount.currency.exponent());
    let luggage: Value = serde_json::from_str(&payment.luggage).unwrap_or_default();
    let text = |pointer| luggage.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    let device = terminal.map(device).unwrap_or_default();
    let (authorization_code, approved_at) = approval(payment);
    let captured = payment.captured_minor > 0;
    let fee_minor = payment.fee.total_minor();
    Some(PaymentBody {
        accounts_info: None,
        acquirer_reconciliation: [],
        additional_info: additional_info(),
        authorization_code,
        binary_mode: true,
        call_for_authorize_id: None,
        captured,
        card: card(payment),
        charges_details: [],
        collector_id: user_id(merchant),
        corporation_id: None,
        counter_currency: None,
        coupon_amount: 0,
        currency_id: payment.amount.currency.code(),
        date_approved: approved_at.map(payment_time),
        date_created: payment_time(payment.created_at),
        date_last_updated: payment_time(payment.changed_at),
        date_of_expiration: None,
        deduction_schema: None,
        description: text("/description"),
        differential_pricing_id: None,
        external_reference: text("/additional_info/external_reference"),
        fee_details: fees(captured, units(fee_minor), fee_minor),
        financing_group: None,
        id: payment.number,
        installments: payment.installments.max(1),
        integrator_id: None,
        issuer_id: payment.card.issuer.clone(),
        live_mode: false,
        merchant_account_id: None,
        merchant_number: None,
        metadata: metadata(payment),
        money_release_date: approved_at.map(payment_time),
        money_release_schema: None,
        money_release_status: None,
        notification_url: None,
        operation_type: "pos_payment",
        order: json!({}),
        payer: payer(),
        payment_method: payment_method(payment),
        payment_method_id: payment.card.brand.clone(),
        payment_type_id: map::card_type(payment.card.kind),
        platform_id: None,
        pos_id: device.get("pos_id").map(Value::to_string).unwrap_or_default(),
        processing_mode: "aggregator",
        refunds: refunds.iter().map(|one| refund(merchant, payment, one)).collect(),
        shipping_amount: 0,
        sponsor_id: None,
        statement_descriptor: format!("MERPAGO*{}", merchant.name.to_uppercase()),
        status,
        status_detail,
        store_id: device.get("store_id").and_then(Value::as_str).unwrap_or_default().to_owned(),
        tags: None,
        taxes_amount: 0,
        transaction_amount: units(payment.amount.minor),
        transaction_amount_refunded: units(payment.refunded_minor),
        transaction_details: transaction_details(payment),
    })
}

/// The issuer's code and the time of an approval.
fn approval(payment: &Payment) -> (Option<String>, Option<Timestamp>) {
    match &payment.state {
        PaymentState::Approved { authorization, at } => (Some(authorization.clone()), Some(*at)),
        _ => (None, None),
    }
}

fn additional_info() -> Value {
    json!({ "authentication_code": null, "available_balance": null, "nsu_processadora": null })
}

fn payment_method(payment: &Payment) -> Value {
    let card = &payment.card;
    json!({ "id": card.brand, "issuer_id": card.issuer, "type": map::card_type(card.kind) })
}

fn transaction_details(payment: &Payment) -> TransactionDetails {
    let units = |minor| decimal_units(minor, payment.amount.currency.exponent());
    let taken = payment.captured_minor > 0;
    let net_minor = if taken { payment.amount.minor - payment.fee.total_minor() } else { 0 };
    TransactionDetails {
        acquirer_reference: None,
        external_resource_url: None,
        financial_institution: None,
        installment_amount: units(payment.amount.minor / payment.installments.max(1)),
        net_received_amount: units(net_minor),
        overpaid_amount: 0,
        payable_deferral_period: None,
        payment_method_reference_id: None,
        total_paid_amount: units(payment.amount.minor),
    }
}

fn fees(captured: bool, amount: Box<RawValue>, fee_minor: i64) -> Vec<FeeBody> {
    if captured && fee_minor > 0 {
        vec![FeeBody { amount, fee_payer: "collector", kind: "mercadopago_fee" }]
    } else {
        Vec::new()
    }
}

fn card(payment: &Payment) -> Value {
    let card = &payment.card;
    let made = payment_time(payment.created_at);
    json!({
        "bin": card.bin,
        "cardholder": { "identification": { "number": null, "type": null }, "name": "{}" },
        "date_created": made,
        "date_last_updated": made,
        "expiration_month": card.expiration_month,
        "expiration_year": card.expiration_year,
        "first_six_digits": card.bin,
        "id": null,
        "last_four_digits": card.last_digits,
    })
}

fn metadata(payment: &Payment) -> Value {
    json!({
        "cdcvm_validation": false,
        "integration": "api",
        "is_fallback": false,
        "payment_intent_id": payment.intent.map(|intent| intent.to_string()),
        "pin_validation": "pin_not_validated",
        "was_pin": false,
    })
}

fn payer() -> Value {
    json!({
        "email": null, "entity_type": null, "first_name": null, "id": "151211818",
        "identification": { "number": null, "type": null }, "last_name": null,
        "operator_id": null, "phone": { "area_code": null, "extension": null, "number": null },
        "type": null,
    })
}

/// A refund as its own call and its payment show it.
pub(crate) fn refund(merchant: &Merchant, payment: &Payment, refund: &Refund) -> RefundBody {
    use cobro_domain::refund::RefundState;
    let exponent = refund.amount.currency.exponent();
    let amount = || decimal_units(refund.amount.minor, exponent);
    RefundBody {
        additional_data: None,
        adjustment_amount: 0,
        amount: amount(),
        amount_refunded_to_payer: amount(),
        date_created: payment_time(refund.created_at),
        expiration_date: None,
        id: refund.number,
        labels: [],
        metadata: json!({ "status_detail": null }),
        partition_details: [],
        payment_id: payment.number,
        reason: None,
        refund_mode: "standard",
        source: json!({ "id": merchant.public_id, "name": merchant.name, "type": "collector" }),
        status: match refund.state {
            RefundState::Sending { .. } => "in_process",
            RefundState::Approved => "approved",
            RefundState::Declined => "rejected",
        },
        unique_sequence_number: None,
    }
}

/// A seller's id as a number.
pub(crate) fn user_id(merchant: &Merchant) -> i64 {
    merchant.public_id.parse().unwrap_or_default()
}

fn nickname(merchant: &Merchant) -> String {
    let made_of_name = || {
        let letters = merchant.name.chars().filter(|letter| letter.is_alphanumeric());
        letters.flat_map(char::to_uppercase).collect()
    };
    TestUser::of(merchant).map_or_else(made_of_name, |user| user.nickname)
}

fn email(merchant: &Merchant) -> String {
    match TestUser::of(merchant) {
        Some(_) => format!("test_user_{}@testuser.com", merchant.public_id),
        None => format!("{}@example.com", nickname(merchant).to_lowercase()),
    }
}

/// A new test user, as the older of the two calls answers.
pub(crate) fn test_user(merchant: &Merchant, password: &str) -> Value {
    json!({
        "email": email(merchant),
        "id": user_id(merchant),
        "nickname": nickname(merchant),
        "password": password,
        "site_status": "active",
    })
}

/// A new test user, as the newer of the two calls answers.
pub(crate) fn described_test_user(merchant: &Merchant, password: &str) -> Value {
    let made = payment_time(merchant.created_at);
    let description = TestUser::of(merchant).and_then(|user| user.description);
    json!({
        "date_created": made,
        "date_last_updated": made,
        "description": description,
        "email": email(merchant),
        "id": user_id(merchant),
        "nickname": nickname(merchant),
        "password": password,
        "site_id": Site::of(&merchant.country).code(),
        "site_status": "active",
    })
}

/// A user as it sees itself (reference, section 11).
pub(crate) fn user(merchant: &Merchant) -> Value {
    let site = Site::of(&merchant.country);
    let (first, last) = merchant.name.split_once(' ').unwrap_or((&merchant.name, ""));
    let is_test = TestUser::of(merchant).is_some();
    let tags: &[&str] = if is_test { &["normal", "test_user"] } else { &["normal"] };
    let nickname = nickname(merchant);
    json!({
        "address": { "address": null, "city": null, "state": null, "zip_code": null },
        "alternative_phone": { "area_code": "", "extension": "", "number": "" },
        "country_id": site.country(),
        "email": email(merchant),
        "first_name": first,
        "id": user_id(merchant),
        "identification": { "number": null, "type": null },
        "last_name": last,
        "logo": null,
        "nickname": nickname,
        "permalink": format!("http://perfil.example/{nickname}"),
        "phone": { "area_code": null, "extension": "", "number": null, "verified": false },
        "points": 0,
        "registration_date": payment_time(merchant.created_at),
        "seller_experience": "NEWBIE",
        "site_id": site.code(),
        "status": { "site_status": "active" },
        "tags": tags,
        "user_type": "normal",
    })
}
