//! Charges for terminals: seed 000; reference, section 1.

use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::MethodFilter;
use cobro_domain::intent::{Intent, IntentPhase};
use cobro_domain::money::{Currency, Money};
use cobro_domain::payment::{Payment, PaymentState};
use cobro_domain::{Entropy, IntentId, Timestamp};
use cobro_engine::intents::IntentView;
use cobro_engine::pool::NewCharge;
use cobro_engine::{EngineError, Subject};
use cobro_surface::json::{Json, decimal_units};
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::call::{Api, Call, serve};
use crate::errors::Refusal;
use crate::fields::{Fields, is_email, pesos_text};
use crate::offers::{Choices, offers};
use crate::receipts::code;
use crate::routes::Surface;
use crate::seed::MERCHANT_TOKEN;
use crate::settings::{self, Settings};

mod endpoints;
mod postback;

pub(crate) use postback::{notice, tells};

/// The kind under which a charge is found by the caller's reference, unique for the merchant.
const REFERENCE: &str = "clip.reference";

/// The kind under which a charge is found by its code.
pub(crate) const CODE: &str = "clip.code";

/// What the luggage of such a charge says that it is.
const KIND: &str = "pos";

/// The longest texts of a charge, in characters; no bounds are published.
const REFERENCE_MAX: usize = 255;
const MESSAGE_MAX: usize = 255;
const USER_MAX: usize = 254;

/// How many charges a list has at most; no paging is described.
const LIST_MAX: usize = 1_000;

/// How many intents of a merchant are read at once, and how often, to fill a list: other surfaces
/// make some as well.
const PAGE: i64 = 1_000;
const PAGES_MAX: usize = 8;

/// How often another code is drawn when one is taken.
const DRAWS_MAX: usize = 4;

pub(crate) fn routes(
    routes: cobro_surface::endpoint::Routes<Surface>,
) -> cobro_surface::endpoint::Routes<Surface> {
    routes
        .at(&endpoints::REGISTER, serve(MethodFilter::POST, Api::Pos, register))
        .at(&endpoints::LIST, serve(MethodFilter::GET, Api::Pos, list))
        .at(&endpoints::READ, serve(MethodFilter::GET, Api::Pos, read))
        .at(&endpoints::CANCEL, serve(MethodFilter::DELETE, Api::Pos, cancel))
}

/// Where a charge is, as points of sale are told. Neither the numbers nor the words are published:
/// this table is our choice (reference, section 1.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Pending = 1,
    Completed = 2,
    Cancelled = 3,
    Declined = 4,
    Expired = 5,
}

impl Status {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Completed => "COMPLETED",
            Self::Cancelled => "CANCELLED",
            Self::Declined => "DECLINED",
            Self::Expired => "EXPIRED",
        }
    }
}

/// The status of a charge of which only the phase is known.
pub(crate) const fn status(phase: IntentPhase) -> Status {
    match phase {
        IntentPhase::Open
        | IntentPhase::OnTerminal
        | IntentPhase::Processing
        | IntentPhase::ConfirmationRequired => Status::Pending,
        IntentPhase::Processed | IntentPhase::Finished => Status::Completed,
        IntentPhase::Canceled => Status::Cancelled,
        IntentPhase::Error => Status::Declined,
        IntentPhase::Abandoned => Status::Expired,
    }
}

/// The status of a charge with its last try, and since when it has it.
pub(crate) fn standing(intent: &Intent, payment: Option<&Payment>) -> (Status, Timestamp) {
    let of_payment = |payment: &Payment| match &payment.state {
        PaymentState::Approved { at, .. } | PaymentState::Authorized { at, .. } => {
            (Status::Completed, *at)
        }
        PaymentState::Declined { .. } | PaymentState::Failed => {
            (Status::Declined, intent.changed_at)
        }
        PaymentState::Reversed { .. } => (Status::Cancelled, payment.changed_at),
        PaymentState::Sending { .. }
        | PaymentState::Pending
        | PaymentState::Challenged
        | PaymentState::Unknown => (Status::Pending, intent.changed_at),
    };
    match (intent.phase(), payment) {
        (
            IntentPhase::OnTerminal
            | IntentPhase::Processed
            | IntentPhase::Finished
            | IntentPhase::ConfirmationRequired,
            Some(payment),
        ) => of_payment(payment),
        (phase, _) => (status(phase), intent.changed_at),
    }
}

/// A time as this surface writes it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Moment {
    epoch_second: i64,
    nano: i64,
}

impl From<Timestamp> for Moment {
    fn from(at: Timestamp) -> Self {
        let (second, micros) =
            (at.micros().div_euclid(1_000_000), at.micros().rem_euclid(1_000_000));
        Self { epoch_second: second, nano: micros * 1_000 }
    }
}

/// A charge as it is listed, its members in the order of the seed.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Transaction {
    payment_request_id: String,
    transaction_id: Option<String>,
    merchant_id: String,
    merchant_token: String,
    payment_request_code: String,
    amount: Box<RawValue>,
    currency: &'static str,
    merchant_invoice_id: String,
    status_code: i64,
    status_msg: &'static str,
    expires_at: Moment,
    assigned_user_id: Option<String>,
    message: String,
    consumer_email: Option<String>,
    created_by_user_id: Option<String>,
    closed_at: Option<Moment>,
    created_at: Moment,
    updated_at: Moment,
}

/// The answer to a question for a list.
#[derive(Serialize)]
struct Listed {
    transactions: Vec<Transaction>,
}

/// What a charge carries, read.
struct Carried(Value);

impl Carried {
    /// What an intent's luggage says, when the intent is a charge of this surface.
    fn of(luggage: &str) -> Option<Self> {
        let luggage: Value = serde_json::from_str(luggage).ok()?;
        (luggage.get("kind").and_then(Value::as_str) == Some(KIND)).then_some(Self(luggage))
    }

    fn text(&self, name: &str) -> Option<String> {
        self.0.get(name).and_then(Value::as_str).map(str::to_owned)
    }

    fn seconds(&self) -> i64 {
        self.0.get("seconds").and_then(Value::as_i64).unwrap_or_default()
    }
}

fn transaction(call: &Call, view: &IntentView) -> Option<Transaction> {
    let IntentView { intent, payment } = view;
    let carried = Carried::of(&intent.luggage)?;
    let merchant = call.merchant();
    let (status, since) = standing(intent, payment.as_ref());
    // A declined charge that waits for another card is not closed.
    let is_open = status == Status::Pending || intent.phase() == IntentPhase::OnTerminal;
    Some(Transaction {
        payment_request_id: intent.id.to_string(),
        transaction_id: payment.as_ref().map(|payment| payment.id.to_string()),
        merchant_id: merchant.id.to_string(),
        merchant_token: settings::text(merchant, MERCHANT_TOKEN),
        payment_request_code: carried.text("code").unwrap_or_default(),
        amount: decimal_units(intent.amount.minor, intent.amount.currency.exponent()),
        currency: intent.amount.currency.code(),
        merchant_invoice_id: carried.text("reference").unwrap_or_default(),
        status_code: status as i64,
        status_msg: status.word(),
        expires_at: intent.created_at.plus_seconds(carried.seconds()).into(),
        assigned_user_id: carried.text("assigned_user"),
        message: carried.text("message").unwrap_or_default(),
        consumer_email: None,
        created_by_user_id: carried.text("user_id"),
        closed_at: (!is_open).then(|| since.into()),
        created_at: intent.created_at.into(),
        updated_at: intent.changed_at.into(),
    })
}

/// A charge that a request asks for.
struct Asked {
    amount_minor: i64,
    reference: String,
    message: String,
    assigned_user: Option<String>,
    user_id: Option<String>,
}

fn asked(body: &Json, settings: &Settings) -> Result<Asked, Refusal> {
    let api = Api::Pos;
    if body.as_object().is_none() {
        return Err(Refusal::bad(api, "the body must be a JSON object"));
    }
    let mut fields = Fields::of(body);
    let amount = fields.positive_amount("amount");
    let reference = fields.required_text("reference", REFERENCE_MAX);
    let message = fields.required_text("message", MESSAGE_MAX);
    let some = |text: &String| !text.is_empty();
    let assigned_user = fields.text("assigned_user", USER_MAX).filter(some);
    let user_id = fields.text("user_id", USER_MAX).filter(some);
    if assigned_user.as_deref().is_some_and(|user| !is_email(user)) {
        fields.reject("assigned_user", "must be an e-mail address");
    }
    if amount.is_some_and(|minor| minor < settings.amount_min_minor) {
        fields.reject("amount", "is too small");
    }
    let asked = match (amount, reference, message) {
        (Some(amount_minor), Some(reference), Some(message)) => {
            Some(Asked { amount_minor, reference, message, assigned_user, user_id })
        }
        _ => None,
    };
    fields.done(api)?;
    asked.ok_or_else(|| Refusal::bad(api, "the body is incomplete"))
}

fn new_charge(asked: &Asked, settings: &Settings, entropy: &dyn Entropy) -> NewCharge {
    let code = code(entropy);
    let luggage = json!({
        "kind": KIND,
        "reference": asked.reference,
        "message": asked.message,
        // What the terminal's list shows.
        "description": asked.message,
        "assigned_user": asked.assigned_user,
        "user_id": asked.user_id,
        "code": code,
        "seconds": settings.charge_seconds_max,
        "offers": offers(&Choices::all(), asked.amount_minor, settings),
    });
    NewCharge {
        amount: Money::new(asked.amount_minor, Currency::MXN),
        assignee: asked.assigned_user.as_ref().map(|user| user.to_lowercase()),
        names: vec![(REFERENCE, asked.reference.clone()), (CODE, code)],
        retry_declined: true,
        luggage: luggage.to_string(),
        abandon_after_s: settings.charge_seconds_max,
    }
}

/// `POST /paymentrequest`
async fn register(call: Call) -> Result<Response, Refusal> {
    let api = call.api;
    let body = call.json().map_err(|error| Refusal::of_json(api, error))?;
    let settings = Settings::of(call.merchant());
    let asked = asked(&body, &settings)?;
    for _ in 0..DRAWS_MAX {
        let new = new_charge(&asked, &settings, call.world().entropy());
        match call.world().register_charge(&call.shop.caller, new).await {
            // The code is taken: draw another.
            Err(EngineError::Exists(Subject::Intent)) => {}
            Ok(registered) => {
                let body = answer(&call, &registered.intent, registered.is_new).await?;
                return Ok(call.answer(StatusCode::OK, &body));
            }
            Err(error) => return Err(Refusal::of(api, error)),
        }
    }
    Err(Refusal::unavailable(api))
}

/// The answer to a registration. The seed's one example has the description of the one outcome and
/// the message of the other; here each outcome has its own (reference, section 1.1).
#[derive(Serialize)]
struct Registration {
    code: i64,
    description: &'static str,
    message: &'static str,
    amount: String,
    payment_request_code: String,
    payment_request_status: &'static str,
    payment_request_id: String,
}

async fn answer(call: &Call, intent: &Intent, is_new: bool) -> Result<Registration, Refusal> {
    let (code, text) = if is_new {
        (100, "Transaction Device Saved Success")
    } else {
        (101, "Reference Already Exists")
    };
    let status = match intent.phase() {
        IntentPhase::Open => Status::Pending,
        // One that was there before may be paid.
        _ => {
            let view = call.world().intent(&call.shop.caller, intent.id).await;
            let view = view.map_err(|error| Refusal::of(call.api, error))?;
            standing(&view.intent, view.payment.as_ref()).0
        }
    };
    let carried = Carried::of(&intent.luggage);
    Ok(Registration {
        code,
        description: text,
        message: text,
        amount: pesos_text(intent.amount.minor),
        payment_request_code: carried.and_then(|one| one.text("code")).unwrap_or_default(),
        payment_request_status: status.word(),
        payment_request_id: intent.id.to_string(),
    })
}

/// `GET /paymentrequest`
async fn list(call: Call) -> Result<Response, Refusal> {
    let assignee = call.parameter("assigned_user").map(str::to_lowercase);
    let (mut found, mut before) = (Vec::new(), None);
    for _ in 0..PAGES_MAX {
        let merchant = call.merchant().id;
        let page = call.world().charges_of(merchant, assignee.clone(), before, PAGE).await;
        let page = page.map_err(|error| Refusal::of(call.api, error))?;
        let is_last = i64::try_from(page.len()).unwrap_or(i64::MAX) < PAGE;
        before = page.last().map(|view| view.intent.id);
        found.extend(page.iter().filter_map(|view| transaction(&call, view)));
        if is_last || found.len() >= LIST_MAX {
            break;
        }
    }
    found.truncate(LIST_MAX);
    Ok(call.answer(StatusCode::OK, &Listed { transactions: found }))
}

/// The charge that the path names, by id or by code.
async fn named(call: &Call) -> Result<IntentView, Refusal> {
    let id = match IntentId::parse(&call.id) {
        Some(id) => Some(id),
        None => {
            let found = call.world().by_alias(call.merchant().id, CODE, &call.id).await;
            let found = found.map_err(|error| Refusal::of(call.api, error))?;
            found.as_deref().and_then(IntentId::parse)
        }
    };
    let id = id.ok_or_else(|| Refusal::not_found(call.api))?;
    let view = call.world().intent(&call.shop.caller, id).await;
    let view = view.map_err(|error| Refusal::of(call.api, error))?;
    match Carried::of(&view.intent.luggage) {
        Some(_) => Ok(view),
        None => Err(Refusal::not_found(call.api)),
    }
}

fn shown(call: &Call, view: &IntentView) -> Result<Response, Refusal> {
    match transaction(call, view) {
        Some(transaction) => Ok(call.answer(StatusCode::OK, &transaction)),
        None => Err(Refusal::not_found(call.api)),
    }
}

/// `GET /paymentrequest/{id}`, which the provider does not have
async fn read(call: Call) -> Result<Response, Refusal> {
    let view = named(&call).await?;
    shown(&call, &view)
}

/// `DELETE /paymentrequest/{id}`, which the provider does not have
async fn cancel(call: Call) -> Result<Response, Refusal> {
    let view = named(&call).await?;
    match call.world().withdraw_charge(&call.shop.caller, view.intent.id).await {
        Ok(intent) => shown(&call, &IntentView { intent, payment: None }),
        Err(EngineError::Intent(refused)) => {
            let text = match refused.phase.is_final() {
                true => "the charge is closed",
                false => "the charge is on a terminal",
            };
            Err(Refusal::new(call.api, StatusCode::CONFLICT, "", text))
        }
        Err(error) => Err(Refusal::of(call.api, error)),
    }
}

#[cfg(test)]
mod tests;
