//! The newer way to a terminal: one request on it, and one that waits: reference, section 7.

use std::time::Duration;

use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::MethodFilter;
use cobro_domain::event::EventKind;
use cobro_domain::intent::{Intent, IntentPhase};
use cobro_domain::money::{Currency, Money};
use cobro_domain::terminal::Terminal;
use cobro_domain::{IntentId, TerminalId, Timestamp};
use cobro_engine::intents::{CreateIntent, IntentView};
use cobro_engine::pool::NewCharge;
use cobro_engine::ports::{NoticeAsk, NoticeRequest};
use cobro_engine::terminals::ChangeTerminal;
use cobro_engine::{Change, EngineError};
use cobro_surface::endpoint::Routes;
use cobro_surface::json::Json;
use serde_json::{Map, Value, json};

use crate::call::{Api, Call, serve};
use crate::describe::MODEL;
use crate::errors::Refusal;
use crate::fields::{Fields, pesos_text};
use crate::offers::{Choices, offers};
use crate::pos::{Status, standing};
use crate::routes::Surface;
use crate::settings::Settings;

mod detail;
mod endpoints;

/// What the luggage of such a request says that it is.
const KIND: &str = "pinpad";

/// What stands before an intent's id on this surface.
const PREFIX: &str = "pinpad-";

/// The longest reference and serial number, in characters; no bounds are published.
const TEXT_MAX: usize = 255;

/// How many tips can be offered, and how many terminals one call may set.
const TIPS_MAX: usize = 3;
const DEVICES_MAX: usize = 25;

/// How long a caller that asks for it waits for the terminal.
const PATIENCE: Duration = Duration::from_secs(55);

/// After how many seconds of silence a terminal counts as gone.
const SILENCE_S: i64 = 20;

/// How many terminals of a merchant are looked through.
const TERMINALS_MAX: i64 = 10_000;

/// The preferences of a request that are switches.
const SWITCHES: [&str; 9] = [
    "is_auto_return_enabled",
    "is_tip_enabled",
    "is_msi_enabled",
    "is_mci_enabled",
    "is_dcc_enabled",
    "is_retry_enabled",
    "is_share_enabled",
    "is_auto_print_receipt_enabled",
    "is_split_payment_enabled",
];

pub(crate) fn routes(routes: Routes<Surface>) -> Routes<Surface> {
    let api = Api::PinPad;
    routes
        .at(&endpoints::CREATE, serve(MethodFilter::POST, api, create))
        .at(&endpoints::READ, serve(MethodFilter::GET, api, read))
        .at(&endpoints::CANCEL, serve(MethodFilter::DELETE, api, cancel))
        .at(&endpoints::CANCEL_BY_SERIAL, serve(MethodFilter::DELETE, api, cancel_by_serial))
        .at(&endpoints::STATUS, serve(MethodFilter::GET, api, status))
        .at(&endpoints::DEVICES, serve(MethodFilter::POST, api, devices))
}

/// The intent that an id of this surface names.
pub(crate) fn intent_id(text: &str) -> Option<IntentId> {
    IntentId::parse(text.strip_prefix(PREFIX).unwrap_or(text))
}

/// The tip that the point of sale has fixed, in minor units.
pub(crate) fn fixed_tip_minor(luggage: &str) -> i64 {
    Carried::of(luggage).map_or(0, |carried| carried.tip_minor())
}

/// Where a request is told of; `None` for events and luggage that name nobody.
pub(crate) fn own_address(kind: EventKind, luggage: &str) -> Option<String> {
    let is_told = matches!(
        kind,
        EventKind::IntentOnTerminal
            | EventKind::IntentDeclined
            | EventKind::IntentProcessed
            | EventKind::IntentCanceled
            | EventKind::IntentAbandoned
            | EventKind::IntentFailed
            | EventKind::IntentConfirmationRequired
    );
    let carried = Carried::of(luggage).filter(|_| is_told)?;
    Some(carried.text("webhook_url")).filter(|url| !url.is_empty())
}

/// What the address of a request is told: that it changed, and nothing of how.
pub(crate) fn notice(ask: &NoticeAsk<'_>, data: &Value) -> Option<NoticeRequest> {
    let id = data.get("intent").and_then(Value::as_str)?;
    let body = json!({
        "id": format!("{PREFIX}{id}"),
        "origin": "pinpad-payments-api",
        "event_type": "PINPAD_INTENT_STATUS_CHANGED",
    });
    Some(crate::notices::notice(ask, &body))
}

/// What a request carries, read.
struct Carried(Value);

impl Carried {
    /// What an intent's luggage says, when the intent is a request of this surface.
    fn of(luggage: &str) -> Option<Self> {
        let luggage: Value = serde_json::from_str(luggage).ok()?;
        (luggage.get("kind").and_then(Value::as_str) == Some(KIND)).then_some(Self(luggage))
    }

    fn text(&self, name: &str) -> String {
        self.0.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
    }

    fn tip_minor(&self) -> i64 {
        self.0.get("tip_minor").and_then(Value::as_i64).unwrap_or_default()
    }
}

/// A request that is asked for.
struct Asked {
    amount_minor: i64,
    tip_minor: i64,
    reference: String,
    serial: String,
    webhook_url: String,
    preferences: Map<String, Value>,
    choices: Choices,
}

fn asked(body: &Json, settings: &Settings) -> Result<Asked, Refusal> {
    let api = Api::PinPad;
    if body.as_object().is_none() {
        return Err(Refusal::bad(api, "the body must be a JSON object"));
    }
    let mut fields = Fields::of(body);
    let amount = fields.positive_amount("amount");
    let tip = fields.amount("tip_amount").unwrap_or_default();
    let reference = fields.required_text("reference", TEXT_MAX);
    let serial = fields.required_text("serial_number_pos", TEXT_MAX);
    let webhook_url = fields.url("webhook_url");
    let (preferences, tips) = preferences(&mut fields);
    if amount.is_some_and(|minor| minor < settings.amount_min_minor) {
        fields.reject("amount", "is too small");
    }
    // A preference that is not named leaves the terminal to its own way.
    let is_on = |name: &str| preferences.get(name).and_then(Value::as_bool).unwrap_or(true);
    let choices =
        Choices { tip: tip == 0 && is_on("is_tip_enabled"), tips, months: is_on("is_msi_enabled") };
    let parts = (amount, reference, serial);
    fields.done(api)?;
    let (Some(amount_minor), Some(reference), Some(serial)) = parts else {
        return Err(Refusal::bad(api, "the body is incomplete"));
    };
    Ok(Asked { amount_minor, tip_minor: tip, reference, serial, webhook_url, preferences, choices })
}

/// The preferences that are known, and the tips that are offered.
fn preferences(fields: &mut Fields<'_>) -> (Map<String, Value>, Vec<i64>) {
    let mut known = Map::new();
    match fields.at("preferences") {
        None => return (known, Vec::new()),
        Some(Json::Object(_)) => {}
        Some(_) => {
            fields.reject("preferences", "must be an object");
            return (known, Vec::new());
        }
    }
    for name in SWITCHES {
        let path = format!("preferences.{name}");
        if fields.at(&path).is_some() {
            known.insert(name.to_owned(), fields.flag(&path).into());
        }
    }
    if let Some(package) = fields.text("preferences.redirect_package_name", TEXT_MAX) {
        known.insert("redirect_package_name".to_owned(), package.into());
    }
    let tips = match fields.at("preferences.tip_options") {
        None => Vec::new(),
        Some(options) => {
            let percents: Option<Vec<i64>> = options.as_array().and_then(|options| {
                let percent = |one: &Json| one.as_number().and_then(|number| number.integer());
                options.iter().map(|one| percent(one).filter(|n| (1..=100).contains(n))).collect()
            });
            let percents = percents.filter(|tips| (1..=TIPS_MAX).contains(&tips.len()));
            if percents.is_none() {
                let why = "must be 1 to 3 integers from 1 to 100";
                fields.reject("preferences.tip_options", why);
            }
            percents.unwrap_or_default()
        }
    };
    if !tips.is_empty() {
        known.insert("tip_options".to_owned(), tips.clone().into());
    }
    (known, tips)
}

/// A terminal's serial number: what follows `__` in its id (contract).
fn serial(terminal: &Terminal) -> &str {
    terminal.id.0.split_once("__").map_or(terminal.id.0.as_str(), |(_, serial)| serial)
}

async fn terminals(call: &Call) -> Result<Vec<Terminal>, Refusal> {
    let merchant = call.merchant().id;
    let found = call.world().terminals_of(merchant, 0, TERMINALS_MAX).await;
    found.map(|(terminals, _)| terminals).map_err(|error| Refusal::of(call.api, error))
}

/// The merchant's terminal with this serial number.
async fn terminal(call: &Call, number: &str) -> Result<Terminal, Refusal> {
    // Nearly every terminal is of the one model, so that its id is known.
    let id = format!("{MODEL}__{number}");
    if let Ok(view) = call.world().terminal(&id).await
        && view.merchant.id == call.merchant().id
    {
        return Ok(view.terminal);
    }
    let found = terminals(call).await?.into_iter().find(|one| serial(one) == number);
    found.ok_or_else(|| {
        let text = "There is no terminal with this serial number";
        Refusal::new(call.api, StatusCode::NOT_FOUND, "NOT_FOUND", text)
    })
}

fn shown_id(id: IntentId) -> String {
    format!("{PREFIX}{id}")
}

/// `POST /f2f/pinpad/v1/payment`
async fn create(call: Call) -> Result<Response, Refusal> {
    let body = call.json().map_err(|error| Refusal::of_json(call.api, error))?;
    let settings = Settings::of(call.merchant());
    let asked = asked(&body, &settings)?;
    let terminal = terminal(&call, &asked.serial).await?;
    if !terminal.online {
        return Err(unavailable(&call));
    }
    let luggage = json!({
        "kind": KIND,
        "reference": asked.reference,
        "description": asked.reference,
        "serial": asked.serial,
        "tip_minor": asked.tip_minor,
        "webhook_url": asked.webhook_url,
        "preferences": asked.preferences,
        "offers": offers(&asked.choices, asked.amount_minor, &settings),
    });
    let retry = asked.preferences.get("is_retry_enabled").and_then(Value::as_bool);
    let command = CreateIntent {
        terminal: terminal.id.clone(),
        amount: Money::new(asked.amount_minor, Currency::MXN),
        card_kind: None,
        installments: 1,
        retry_declined: retry.unwrap_or(true),
        scenario: None,
        luggage: luggage.to_string(),
        abandon_after_s: settings.terminal_seconds_max,
        repeatable: None,
    };
    let mut changes = call.world().changes();
    let behind = NewCharge {
        amount: command.amount,
        assignee: None,
        names: Vec::new(),
        retry_declined: command.retry_declined,
        luggage: command.luggage.clone(),
        abandon_after_s: command.abandon_after_s,
    };
    let mut made = call.world().create_intent(&call.shop.caller, command).await;
    if made == Err(EngineError::TerminalBusy) {
        // One may wait behind the one that the terminal has taken.
        made = call.world().enqueue_charge(&call.shop.caller, terminal.id.clone(), behind).await;
    }
    let intent = match made {
        Ok(intent) => intent,
        Err(EngineError::TerminalBusy | EngineError::NothingTaken) => {
            return Err(busy(&call, &terminal.id).await);
        }
        Err(EngineError::TerminalStandalone) => return Err(unavailable(&call)),
        Err(error) => return Err(Refusal::of(call.api, error)),
    };
    if call.header("pinpad-wait-response").is_some_and(|wait| wait.eq_ignore_ascii_case("true")) {
        let taken = tokio::time::timeout(PATIENCE, taken(&call, &mut changes, intent.id)).await;
        if taken.is_err() {
            return Err(timed_out(&call, intent).await);
        }
    }
    let (running, _) = requests_of(&call, &terminal.id).await;
    let body = json!({
        "pinpad_request_id": shown_id(intent.id),
        "reference": asked.reference,
        "amount": pesos_text(asked.amount_minor),
        "serial_number_pos": asked.serial,
        // Another one, which the terminal ends first.
        "current_payment_on_transaction": running.filter(|id| *id != intent.id).map(shown_id),
    });
    Ok(call.answer(StatusCode::OK, &body))
}

/// Waits until the terminal has taken an intent.
async fn taken(call: &Call, changes: &mut tokio::sync::broadcast::Receiver<Change>, id: IntentId) {
    use tokio::sync::broadcast::error::RecvError;
    loop {
        match call.world().intent(&call.shop.caller, id).await {
            Ok(view) if view.intent.phase() == IntentPhase::Open => {}
            _ => return,
        }
        loop {
            match changes.recv().await {
                Ok(Change::Terminal(merchant, _)) if merchant == call.merchant().id => break,
                Ok(_) => {}
                Err(RecvError::Lagged(_)) => break,
                Err(RecvError::Closed) => return,
            }
        }
    }
}

/// The terminal did not take the request in time: it is taken back, so that it is not charged
/// later without its caller's knowing.
async fn timed_out(call: &Call, intent: Intent) -> Refusal {
    // Where it was taken at the last moment the caller finds it by its reference.
    let _ = withdrawn(call, &intent).await;
    let text = "The terminal did not answer in time";
    let code = "PINPAD_TERMINAL_TIMEOUT_EXCEPTION";
    Refusal::new(call.api, StatusCode::BAD_REQUEST, code, text)
}

/// The terminal does not answer (contract: an offline one).
fn unavailable(call: &Call) -> Refusal {
    let text = "The terminal is not available";
    let name = "STORING PAYMENT - DEVICE UNAVAILABLE";
    Refusal::new(call.api, StatusCode::BAD_REQUEST, "ERR10_04", text)
        .beside(json!({ "name": name }))
}

/// The request that a terminal has taken, and the one that waits for it.
async fn requests_of(call: &Call, id: &TerminalId) -> (Option<IntentId>, Option<IntentId>) {
    let Ok(view) = call.world().terminal(&id.0).await else { return (None, None) };
    let is_named = |intent: &&Intent| intent.assignee.as_deref() == Some(id.0.as_str());
    let behind = view.pending.iter().find(is_named).map(|intent| intent.id);
    match view.current.map(|current| current.intent) {
        Some(current) if current.phase() == IntentPhase::Open => (None, Some(current.id)),
        Some(current) => (Some(current.id), behind),
        None => (None, behind),
    }
}

/// The terminal has as many requests as it may have.
async fn busy(call: &Call, terminal: &TerminalId) -> Refusal {
    let (running, waiting) = requests_of(call, terminal).await;
    let data = json!({
        "current_payment_on_transaction": running.map(shown_id),
        "payment_enqueued": waiting.map(shown_id),
    });
    let text = "The terminal has a payment already";
    Refusal::new(call.api, StatusCode::BAD_REQUEST, "PAYMENT_PENDING", text)
        .beside(json!({ "data": data }))
}

/// The word for where a request is (our choice among those of reference, section 7).
fn word(view: &IntentView) -> &'static str {
    let (status, _) = standing(&view.intent, view.payment.as_ref());
    match (view.intent.phase(), status) {
        (_, Status::Completed) => "COMPLETED",
        (_, Status::Cancelled) => "CANCELED",
        (IntentPhase::Open, _) => "PENDING",
        (phase, Status::Declined | Status::Expired) if phase.is_final() => "FAILED",
        (IntentPhase::Processed, Status::Declined) => "FAILED",
        _ => "IN_PROCESS",
    }
}

fn request(view: &IntentView, carried: &Carried) -> Value {
    let IntentView { intent, payment } = view;
    let paid = payment.as_ref().filter(|payment| payment.captured_minor > 0);
    let tip_minor = paid.map_or_else(|| carried.tip_minor(), |payment| payment.tip_minor);
    json!({
        "pinpad_request_id": shown_id(intent.id),
        "reference": carried.text("reference"),
        "amount": pesos_text(intent.amount.minor),
        "amount_paid": pesos_text(paid.map_or(0, |payment| payment.amount.minor)),
        "tip_amount": pesos_text(tip_minor),
        "create_date": local(intent.created_at),
        "serial_number_pos": carried.text("serial"),
        "status": word(view),
    })
}

/// A time in Mexico City, without its zone.
fn local(at: Timestamp) -> String {
    let zoned = at.calendar().to_zoned(crate::calendar::zone());
    zoned.strftime("%Y-%m-%dT%H:%M:%S").to_string()
}

/// The request with this id, and what it carries.
async fn named(call: &Call, id: &str) -> Result<(IntentView, Carried), Refusal> {
    let not_found = || Refusal::not_found(call.api);
    let id = intent_id(id).ok_or_else(not_found)?;
    let view = call.world().intent(&call.shop.caller, id).await;
    let view = view.map_err(|error| Refusal::of(call.api, error))?;
    let carried = Carried::of(&view.intent.luggage).ok_or_else(not_found)?;
    Ok((view, carried))
}

/// `GET /f2f/pinpad/v1/payment`
async fn read(call: Call) -> Result<Response, Refusal> {
    let id = call.parameter("pinpadRequestId").or_else(|| call.parameter("pinpad_request_id"));
    let id = id.ok_or_else(|| Refusal::bad(call.api, "pinpadRequestId is required"))?;
    let (view, carried) = named(&call, id).await?;
    let mut body = request(&view, &carried);
    let is_wanted = |value: &str| value.eq_ignore_ascii_case("true");
    if call.header("pinpad-include-detail").is_some_and(is_wanted)
        && let Some(members) = body.as_object_mut()
    {
        members.insert("detail".to_owned(), detail::of(&call, &view).await?);
    }
    Ok(call.answer(StatusCode::OK, &body))
}

/// Takes a request back, in its terminal's queue or behind it.
async fn withdrawn(call: &Call, intent: &Intent) -> Result<Intent, EngineError> {
    let (world, caller) = (call.world(), &call.shop.caller);
    match &intent.terminal {
        Some(terminal) => world.cancel_intent(caller, terminal.clone(), intent.id).await,
        None => world.withdraw_charge(caller, intent.id).await,
    }
}

async fn take_back(call: &Call, view: IntentView, carried: &Carried) -> Result<Response, Refusal> {
    match withdrawn(call, &view.intent).await {
        Ok(intent) => {
            let view = IntentView { intent, payment: None };
            Ok(call.answer(StatusCode::OK, &request(&view, carried)))
        }
        Err(EngineError::Intent(refused)) if !refused.phase.is_final() => {
            let terminal = view.intent.terminal.unwrap_or(TerminalId(String::new()));
            Err(busy(call, &terminal).await)
        }
        Err(EngineError::Intent(_)) => Err(Refusal::not_found(call.api)),
        Err(error) => Err(Refusal::of(call.api, error)),
    }
}

/// `DELETE /f2f/pinpad/v1/payment/{id}`
async fn cancel(call: Call) -> Result<Response, Refusal> {
    let (view, carried) = named(&call, &call.id).await?;
    take_back(&call, view, &carried).await
}

/// `DELETE /f2f/pinpad/v1/payment/serial-number/{serial}`
async fn cancel_by_serial(call: Call) -> Result<Response, Refusal> {
    let terminal = terminal(&call, &call.id).await?;
    let (running, waiting) = requests_of(&call, &terminal.id).await;
    let id = waiting.or(running).ok_or_else(|| Refusal::not_found(call.api))?;
    let (view, carried) = named(&call, &id.to_string()).await?;
    take_back(&call, view, &carried).await
}

/// `GET /f2f/pinpad/v1/devices/status`
async fn status(call: Call) -> Result<Response, Refusal> {
    let wanted = call.parameter("serial_number");
    let now = call.now();
    let shown: Vec<Value> = terminals(&call)
        .await?
        .iter()
        .filter(|one| wanted.is_none_or(|wanted| wanted == serial(one)))
        .map(|one| {
            // A terminal that is online speaks all the time; another has been silent too long.
            let heard = if one.online { now } else { now.plus_seconds(-SILENCE_S) };
            json!({
                "serial_number": serial(one),
                "status": if one.online { "active" } else { "expired" },
                "expires_at": crate::dates::seconds(heard.plus_seconds(SILENCE_S)),
                "updated_at": crate::dates::seconds(heard),
                "version": "1.0.0",
            })
        })
        .collect();
    Ok(call.answer(StatusCode::OK, &shown))
}

/// `POST /f2f/pinpad/v1/devices`
async fn devices(call: Call) -> Result<Response, Refusal> {
    let body = call.json().map_err(|error| Refusal::of_json(call.api, error))?;
    let mut fields = Fields::of(&body);
    let kiosk = fields.flag("preferences.is_kiosk_mode_enabled");
    let timeout = fields.integer("preferences.timeout_seg");
    let listed = fields.at("devices").and_then(Json::as_array).unwrap_or_default();
    let serials: Option<Vec<&str>> = listed.iter().map(Json::as_str).collect();
    let serials = serials.filter(|serials| (1..=DEVICES_MAX).contains(&serials.len()));
    if serials.is_none() {
        fields.reject("devices", "must be 1 to 25 serial numbers");
    }
    fields.done(call.api)?;
    let preferences = json!({ "is_kiosk_mode_enabled": kiosk, "timeout_seg": timeout });
    let mut found = Vec::new();
    for number in serials.unwrap_or_default() {
        found.push(terminal(&call, number).await?);
    }
    let mut shown = Vec::new();
    for one in found {
        let change = ChangeTerminal {
            settings: vec![("pinpad".to_owned(), preferences.clone())],
            ..ChangeTerminal::default()
        };
        let changed = call.world().change_terminal(one.merchant, one.id.clone(), change).await;
        changed.map_err(|error| Refusal::of(call.api, error))?;
        shown.push(json!({ "serial_number": serial(&one), "preferences": preferences }));
    }
    Ok(call.answer(StatusCode::OK, &json!({ "devices": shown })))
}

#[cfg(test)]
mod tests;
