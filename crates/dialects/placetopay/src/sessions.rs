//! Sessions: make, read, take back (reference, section 3).

use cobro_domain::Timestamp;
use cobro_domain::session::SessionKind;
use cobro_engine::recurring::{NewRecurrence, Series};
use cobro_engine::sessions::{NewSession, SessionView};
use serde_json::{Map, Value, json};

use crate::calls::Call;
use crate::errors::Refusal;
use crate::fields::Fields;
use crate::luggage::{Luggage, page_hash, page_secret};
use crate::payment_request::{PaymentRequest, Rules, description, reference};
use crate::persons::{Role, person};
use crate::recurring::{Period, Plan};
use crate::sites::date;
use crate::texts::{Language, Text};
use crate::validate::{At, put};

/// How long a session is open unless the request says otherwise, in seconds.
pub(crate) const LIFETIME_S: i64 = 30 * 60;
/// How far ahead an expiration must lie, in seconds.
const LIFETIME_MIN_S: i64 = 5 * 60;

const INDICATORS: [&str; 4] =
    ["COF", "RECURRING_VARIABLE_AMOUNT", "RECURRING_FIXED_AMOUNT", "WITH_INSTALLMENTS"];
const DELIVERIES: [&str; 5] =
    ["DIRECT_DELIVERY", "CUSTOMER_PICKUP", "COMMERCIAL_SHIPPING", "OTHER", "NOT_AVAILABLE"];

/// `metadata`, cleaned (reference, section 4.2).
pub(crate) fn metadata(at: &At<'_>) -> Result<Option<Value>, Refusal> {
    let Some(at) = at.object()? else { return Ok(None) };
    let initiator = at.member("initiatorIndicator");
    if let Some(word) = initiator.text(64)? {
        let rest = word.strip_prefix("CARDHOLDER_").or_else(|| word.strip_prefix("MERCHANT_"));
        if word != "AGENT" && !rest.is_some_and(|rest| INDICATORS.contains(&rest)) {
            return Err(initiator.invalid());
        }
    }
    let delivery = at.member("EBTDeliveryIndicator");
    if delivery.text(64)?.is_some_and(|word| !DELIVERIES.contains(&word.as_str())) {
        return Err(delivery.invalid());
    }
    at.member("openingDate").day()?;
    at.member("requiresConfirmation").flag()?;
    at.member("beneficiaryId").text(255)?;
    Ok(at.json().map(cobro_surface::json::Json::to_value))
}

/// An expiration as a moment: ISO 8601, read as leniently as a seed.
fn moment(text: &str) -> Option<Timestamp> {
    crate::auth::parse_seed(text).map(Timestamp::from_micros)
}

/// How a payment recurs, as the engine is told.
pub(crate) fn series(call: &Call, plan: Plan) -> NewRecurrence {
    use cobro_domain::recurrence::RecurrenceUnit;
    NewRecurrence::First(Series {
        unit: match plan.period {
            Period::Day => RecurrenceUnit::Day,
            Period::Month => RecurrenceUnit::Month,
            Period::Year => RecurrenceUnit::Year,
        },
        every: plan.interval,
        starts_on: plan.next,
        zone: call.country.zone_name().to_owned(),
        charges_max: plan.charges_max,
        last_on: plan.last,
        url: plan.url,
    })
}

/// `type`: whether it is a pre-authorisation.
pub(crate) fn is_checkin(at: &At<'_>) -> Result<bool, Refusal> {
    let kind = at.member("type");
    match kind.text(20)?.as_deref() {
        None => Ok(false),
        Some("checkin") => Ok(true),
        Some(_) => Err(kind.invalid()),
    }
}

/// A session that is asked for: the request as it is kept, and what it means.
struct Wanted {
    kept: Map<String, Value>,
    payment: Option<PaymentRequest>,
    expires_at: Timestamp,
    is_checkin: bool,
    requires_confirmation: bool,
}

fn wanted(call: &Call) -> Result<Wanted, Refusal> {
    let at = call.at();
    let settings = call.settings();
    let is_checkin = is_checkin(&at)?;
    let mut fields = Fields::default();
    let mut kept = Map::new();
    put(&mut kept, "locale", Some(call.locale.clone()));
    put(&mut kept, "payer", person(&at.member("payer"), Role::Payer)?);
    put(&mut kept, "buyer", person(&at.member("buyer"), Role::Buyer)?);
    put(&mut kept, "fields", fields.read(&at.member("fields"))?);
    let rules = Rules {
        dispersion_max: settings.dispersion_max,
        is_checkin,
        is_collect: false,
        strict: false,
        today: call.today(),
    };
    let (payment, subscription) = (at.member("payment"), at.member("subscription"));
    let subscription_asked = subscription.object()?;
    let payment = match payment.object()? {
        Some(payment) => Some(PaymentRequest::read(&payment, rules, &mut fields)?),
        None if subscription_asked.is_some() => None,
        None => return Err(payment.required()),
    };
    put(&mut kept, "payment", payment.as_ref().map(|payment| payment.kept.clone()));
    if let Some(at) = subscription_asked {
        put(&mut kept, "subscription", Some(subscription_of(&at, &mut fields)?));
    }
    let return_url = at.member("returnUrl");
    put(&mut kept, "returnUrl", Some(return_url.uri()?.ok_or_else(|| return_url.required())?));
    put(&mut kept, "cancelUrl", at.member("cancelUrl").uri()?);
    for (name, max) in [("ipAddress", 46), ("userAgent", 255)] {
        let member = at.member(name);
        put(&mut kept, name, Some(member.text(max)?.ok_or_else(|| member.required())?));
    }
    put(&mut kept, "paymentMethod", at.member("paymentMethod").text(255)?);
    put(&mut kept, "type", at.member("type").text(20)?);
    for name in ["skipResult", "noBuyerFill"] {
        if at.member(name).flag()? {
            put(&mut kept, name, Some(true));
        }
    }
    put(&mut kept, "metadata", metadata(&at.member("metadata"))?);
    let expires_at = expiration(call, &at.member("expiration"))?;
    put(&mut kept, "expiration", Some(date(expires_at, &call.zone)));
    let confirms = at.member("metadata").member("requiresConfirmation").flag()?;
    let requires_confirmation =
        confirms && settings.confirmation_flow && payment.is_some() && !is_checkin;
    Ok(Wanted { kept, payment, expires_at, is_checkin, requires_confirmation })
}

fn subscription_of(at: &At<'_>, fields: &mut Fields) -> Result<Map<String, Value>, Refusal> {
    let mut kept = Map::new();
    put(&mut kept, "reference", Some(reference(&at.member("reference"))?));
    put(&mut kept, "description", description(&at.member("description"), 255)?);
    put(&mut kept, "fields", fields.read(&at.member("fields"))?);
    Ok(kept)
}

fn expiration(call: &Call, at: &At<'_>) -> Result<Timestamp, Refusal> {
    let now = call.now();
    let Some(text) = at.text(35)? else { return Ok(now.plus_seconds(LIFETIME_S)) };
    let asked = moment(&text).ok_or_else(|| at.invalid())?;
    // A client that reckons from its own clock must not fail by the time that a request takes.
    if asked < now.plus_seconds(LIFETIME_MIN_S - 5) {
        return Err(Refusal::bad("request_not_valid", Text::ExpirationTooSoon));
    }
    Ok(asked)
}

/// `POST /api/session`
pub(crate) async fn create(call: &Call) -> Result<Value, Refusal> {
    let wanted = wanted(call)?;
    let world = &call.site.world;
    let secret = page_secret(world);
    let mut luggage = Luggage::new(world, wanted.kept, Some(&secret));
    if wanted.requires_confirmation {
        luggage = luggage.awaiting_confirmation();
    }
    let payment = wanted.payment;
    let new = NewSession {
        kind: if payment.is_some() { SessionKind::Payment } else { SessionKind::Subscription },
        amount: payment.as_ref().map(|payment| payment.amount),
        allow_partial: payment.as_ref().is_some_and(|payment| payment.allow_partial),
        capture: !wanted.is_checkin && !wanted.requires_confirmation,
        offers_storing: payment.as_ref().is_some_and(|payment| payment.subscribe),
        attempts_max: call.settings().card_attempts_max,
        page_hash: page_hash(world.key(), &secret),
        luggage: luggage.text(),
        expires_at: wanted.expires_at,
        repeatable: Some(call.repeatable()),
        duplicate: None,
        recurrence: payment.and_then(|payment| payment.recurring).map(|plan| series(call, plan)),
    };
    let view = world.create_session(&call.site.caller, new).await?;
    // Of a repeated request the address is that of the first session.
    let luggage = Luggage::read(&view.session.luggage);
    let number = view.session.number;
    let at = view.session.created_at;
    Ok(json!({
        "status": call.teller().status("OK", "PC", Text::Processed, at),
        "requestId": number,
        "processUrl": luggage.page(world, &call.base, number),
    }))
}

/// The session in the path.
async fn find(call: &Call) -> Result<SessionView, Refusal> {
    let number = call.request_id.as_deref().and_then(|id| id.parse::<i32>().ok()).map(i64::from);
    let number: i64 = number.ok_or_else(Refusal::session_unknown)?;
    Ok(call.site.world.session_by_number(call.site.caller.merchant, number).await?)
}

/// The words for a session: those that the request asks for, else those of the session.
fn language(call: &Call, view: &SessionView) -> Language {
    let asked = crate::validate::locale(&call.body).is_some();
    let luggage = Luggage::read(&view.session.luggage);
    match luggage.locale() {
        Some(locale) if !asked => Language::of(locale),
        _ => call.language,
    }
}

/// `POST /api/session/{requestId}`
pub(crate) async fn query(call: &Call) -> Result<Value, Refusal> {
    let view = find(call).await?;
    let teller = call.teller();
    let teller = crate::wire::Teller { language: language(call, &view), ..teller };
    Ok(teller.session(&view))
}

/// `POST /api/session/{requestId}/cancel`
pub(crate) async fn cancel(call: &Call) -> Result<Value, Refusal> {
    let view = find(call).await?;
    let world = &call.site.world;
    let view = world.cancel_session(&call.site.caller, view.session.id).await?;
    let teller = crate::wire::Teller { language: language(call, &view), ..call.teller() };
    Ok(json!({
        "status": teller.status("OK", "00", Text::Processed, view.session.changed_at),
        "session": teller.session(&view),
    }))
}
