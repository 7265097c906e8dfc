//! What a card holder does on a hosted page: pays, answers a challenge, gives up.
//!
//! A card that is challenged waits in the memory of this process alone until its holder has
//! answered; its security code is not among what waits.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use axum::extract::State;
use axum::routing::post;
use cobro_domain::merchant::Merchant;
use cobro_domain::payment::{DeclineReason, Payment, PaymentState};
use cobro_domain::scenario::Scenario;
use cobro_domain::session::{SessionEnd, SessionKind, SessionState};
use cobro_domain::{SessionId, Timestamp};
use cobro_engine::card_charges::{ChargeCard, ReadyCard};
use cobro_engine::ports::CardUse;
use cobro_engine::sessions::SessionView;
use cobro_engine::vault::CardData;
use cobro_engine::{EngineError, Subject, World};
use cobro_surface::endpoint::{Endpoint, Routes, Security};
use cobro_surface::json::Json;
use serde_json::{Map, Value, json};

use crate::Shared;
use crate::answers::{
    BAD, CONFLICT, FAULT, ONE, OUTCOME, OUTCOME_FORMS, REFUSED, TAG, TOO_LARGE, UNANSWERED,
    UNAVAILABLE, UNFIT, UNKNOWN, answer,
};
use crate::cards::NamedCard;
use crate::input::{Input, Members, Named, Selected};
use crate::refusal::{Answer, Refusal};
use crate::view::ok;
use crate::worlds::to_the_end;

/// The code that passes every challenge of the sandbox (contract).
const PASSING_CODE: &str = "12345";

/// How many challenged cards may wait.
const WAITING_MAX: usize = 1_000;

static PAY: Endpoint = Endpoint {
    method: "POST",
    path: "/_cobro/v1/sessions/{id}/pay",
    id: "paySession",
    summary: "Acts as the card holder on a hosted page and answers when the try is over",
    tag: TAG,
    security: Security::None,
    parameters: ONE,
    request: Some(
        r#"{"card":{"number":"4111111111111111","expiration":"11/30","cvv":"123","holder":"ROSA LEMUS"},"document":"1040099001","installments":1,"save":true,"otp":"12345"}"#,
    ),
    responses: &[
        answer(200, "The outcome", OUTCOME),
        OUTCOME_FORMS,
        BAD,
        REFUSED,
        UNKNOWN,
        CONFLICT,
        TOO_LARGE,
        UNFIT,
        FAULT,
        UNAVAILABLE,
        UNANSWERED,
    ],
};

static ABANDON: Endpoint = Endpoint {
    method: "POST",
    path: "/_cobro/v1/sessions/{id}/abandon",
    id: "abandonSession",
    summary: "The card holder does not want to go on",
    tag: TAG,
    security: Security::None,
    parameters: ONE,
    request: Some("{}"),
    responses: &[
        answer(200, "The outcome", OUTCOME),
        OUTCOME_FORMS,
        BAD,
        REFUSED,
        UNKNOWN,
        CONFLICT,
        TOO_LARGE,
        FAULT,
        UNAVAILABLE,
    ],
};

pub(crate) fn routes(routes: Routes<Shared>) -> Routes<Shared> {
    routes.at(&PAY, post(pay)).at(&ABANDON, post(abandon))
}

/// Cards that wait for their holders, by world and session.
#[derive(Default)]
pub(crate) struct Challenges(Mutex<HashMap<(String, SessionId), Typed>>);

impl Challenges {
    fn keep(&self, world: &World, session: SessionId, typed: Typed) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() >= WAITING_MAX {
            waiting.clear();
        }
        waiting.insert((world.id().to_owned(), session), typed);
    }

    fn take(&self, world: &World, session: SessionId) -> Option<Typed> {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.remove(&(world.id().to_owned(), session))
    }
}

/// What a card holder typed; deliberately without `Debug`.
struct Typed {
    card: CardData,
    ready: ReadyCard,
    amount_minor: Option<i64>,
    installments: i64,
    save: bool,
    luggage: String,
}

/// A session with its merchant.
async fn find(world: &World, id: &str) -> Result<(SessionView, Merchant), EngineError> {
    let number = id.parse().map_err(|_| EngineError::NotFound(Subject::Session))?;
    let found = world.sessions_numbered(number).await?;
    let mut paid_by_people =
        found.into_iter().filter(|(view, _)| view.session.kind != SessionKind::Direct);
    paid_by_people.next().ok_or(EngineError::NotFound(Subject::Session))
}

async fn pay(
    State(shared): State<Shared>,
    Selected(world): Selected,
    Named(id): Named,
    input: Input,
) -> Answer {
    let members =
        input.members(&["card", "document", "installments", "amount_minor", "save", "otp"])?;
    let otp = members.text("otp")?.map(str::to_owned);
    let (view, merchant) = find(&world, &id).await?;
    let waiting = shared.challenges.take(&world, view.session.id);
    let answers = otp.is_some() && members.get("card").is_none();
    let mut typed = match waiting.filter(|_| answers) {
        Some(typed) => typed,
        None => typed(&world, &view, &merchant, members)?,
    };
    if is_challenged(&world, &merchant, &typed)? {
        match otp.as_deref() {
            None => {
                let body = outcome(&world, &view, &merchant, Some("challenge"))?;
                shared.challenges.keep(&world, view.session.id, typed);
                return Ok(ok(&body));
            }
            Some(PASSING_CODE) => {}
            Some(_) => {
                typed.ready.scenario = Scenario::Decline(DeclineReason::HighRisk);
                typed.save = false;
            }
        }
    }
    let own = world.clone();
    let after = to_the_end(async move { use_card(&own, view, typed).await }).await?;
    Ok(ok(&outcome(&world, &after, &merchant, None)?))
}

/// Charges or stores a card.
async fn use_card(
    world: &World,
    view: SessionView,
    typed: Typed,
) -> Result<SessionView, EngineError> {
    let session = &view.session;
    if session.expires_at <= world.now() {
        return Err(EngineError::NotFound(Subject::Session));
    }
    let merchant = world.merchant(session.merchant).await?;
    let plan = world.dialect(&merchant.channel)?.store_plan(&typed.luggage);
    let Typed { card, ready, amount_minor, installments, save, luggage } = typed;
    let luggage = Some(luggage);
    let (merchant, id) = (session.merchant, session.id);
    if session.kind == SessionKind::Subscription {
        // Without consent, or with a challenge that failed, nothing is stored: the try counts.
        if !save {
            return world.decline_card(merchant, id).await;
        }
        return world.store_typed_card(merchant, id, &card, ready.facts, plan, luggage).await;
    }
    let store = (save && session.offers_storing).then_some(plan);
    let charge = ChargeCard { amount_minor, installments, tip_minor: 0, store, luggage };
    world.charge_typed_card(merchant, id, &card, ready, charge).await
}

/// What the holder types: the card that was named, or one that approves.
fn typed(
    world: &World,
    view: &SessionView,
    merchant: &Merchant,
    members: Members<'_>,
) -> Result<Typed, Refusal> {
    let named = members.get("card").map(NamedCard::read).transpose()?;
    let dialect = world.dialect(&merchant.channel)?;
    let named = named.unwrap_or_else(|| NamedCard::numbered(dialect.default_number()));
    let found = named.find(world, &merchant.channel)?;
    let amount_minor = members.integer("amount_minor", 1..=i64::MAX)?;
    let amount = view.session.amount.map(|whole| cobro_domain::Money {
        minor: amount_minor.unwrap_or(view.session.left_minor()),
        ..whole
    });
    let card = named.typed(&found, world.now());
    let code = members.get("card").and_then(|card| card.get("cvv")).and_then(Json::as_str);
    let ready = world.ready_card(&merchant.channel, &card, code, amount)?;
    let document = members.text("document")?;
    let luggage = with_payer(&view.session.luggage, document, &card.holder);
    Ok(Typed {
        card,
        ready,
        amount_minor,
        installments: members.integer("installments", 1..=99)?.unwrap_or(1),
        save: members.boolean("save")?.unwrap_or(true),
        luggage,
    })
}

fn is_challenged(world: &World, merchant: &Merchant, typed: &Typed) -> Result<bool, EngineError> {
    let use_of = CardUse {
        number: &typed.card.number,
        holder: &typed.card.holder,
        expiration: (typed.card.expiration_month, typed.card.expiration_year),
        code: None,
        amount: None,
    };
    Ok(world.dialect(&merchant.channel)?.challenges(&use_of))
}

/// The luggage with who pays as its member `payer`: what the shop knows of the payer or the buyer,
/// with the document and, where nobody is known, the card holder's name.
fn with_payer(luggage: &str, document: Option<&str>, holder: &str) -> String {
    let mut whole: Map<String, Value> = serde_json::from_str(luggage).unwrap_or_default();
    let known = |name: &str| {
        let found = whole.get("request").and_then(|request| request.get(name));
        found.and_then(Value::as_object).cloned()
    };
    let mut payer = known("payer").or_else(|| known("buyer")).unwrap_or_default();
    if payer.is_empty() && !holder.is_empty() {
        payer.insert("name".to_owned(), holder.into());
    }
    if let Some(document) = document {
        payer.insert("document".to_owned(), document.into());
    }
    if !payer.is_empty() {
        whole.insert("payer".to_owned(), Value::Object(payer));
    }
    Value::Object(whole).to_string()
}

async fn abandon(
    State(shared): State<Shared>,
    Selected(world): Selected,
    Named(id): Named,
    input: Input,
) -> Answer {
    input.members(&[])?;
    let (view, merchant) = find(&world, &id).await?;
    shared.challenges.take(&world, view.session.id);
    let after = world.abandon_session(merchant.id, view.session.id).await?;
    Ok(ok(&outcome(&world, &after, &merchant, None)?))
}

/// The outcome of a try (contract, "An outcome").
fn outcome(
    world: &World,
    view: &SessionView,
    merchant: &Merchant,
    word: Option<&str>,
) -> Result<Value, EngineError> {
    let dialect = world.dialect(&merchant.channel)?;
    let payment = view.payments.first().filter(|_| word.is_none());
    let word = word.unwrap_or_else(|| outcome_word(view));
    let reason = payment.and_then(|payment| match payment.state {
        PaymentState::Declined { reason } => Some(reason.code()),
        _ => None,
    });
    Ok(json!({
        "outcome": word,
        "reason": reason,
        "intent": null,
        "session": {
            "request_id": view.session.number,
            "status": dialect.session_state(&view.session),
        },
        "payment": payment.map(|payment| json!({ "id": dialect.payment_id(payment) })),
    }))
}

fn outcome_word(view: &SessionView) -> &'static str {
    match (view.session.state, view.payments.first()) {
        (SessionState::Rejected { end: SessionEnd::Payer | SessionEnd::Merchant }, _)
        | (SessionState::PartialExpired, _) => "canceled",
        (_, Some(payment)) => payment_word(payment),
        (SessionState::Approved, None) => "approved",
        (SessionState::Pending | SessionState::Rejected { .. }, None) => "rejected",
        (SessionState::Processing { .. } | SessionState::ApprovedPartial, None) => "pending",
    }
}

const fn payment_word(payment: &Payment) -> &'static str {
    match payment.state {
        PaymentState::Authorized { .. } | PaymentState::Approved { .. } => "approved",
        PaymentState::Declined { .. } => "rejected",
        PaymentState::Reversed { .. } => "reversed",
        PaymentState::Failed => "error",
        PaymentState::Unknown => "confirmation_required",
        PaymentState::Pending | PaymentState::Sending { .. } => "pending",
    }
}

/// A year in which a card that is named by its number alone is still good.
pub(crate) fn good_year(year: i64, now: Timestamp) -> i64 {
    let today = now.calendar().to_zoned(jiff::tz::TimeZone::UTC);
    year.max(i64::from(today.year()).saturating_add(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_payer_is_whoever_is_known() {
        let luggage = json!({"request": {"buyer": {"name": "Rosa"}}, "x": 1}).to_string();
        let read = |text: String| serde_json::from_str::<Value>(&text).unwrap();
        let with = read(with_payer(&luggage, Some("1040099001"), "ANA"));
        assert_eq!(with["payer"], json!({"name": "Rosa", "document": "1040099001"}));
        assert_eq!(with["x"], 1);
        assert_eq!(read(with_payer("{}", None, "ANA"))["payer"], json!({"name": "ANA"}));
        assert_eq!(read(with_payer("{}", None, "")).get("payer"), None);
    }

    #[test]
    fn years_are_moved_ahead_only_when_they_are_over() {
        let now = Timestamp::parse_rfc3339("2036-01-01T00:00:00Z").unwrap();
        assert_eq!((good_year(2035, now), good_year(2040, now)), (2037, 2040));
    }
}
