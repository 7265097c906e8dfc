//! What a card holder does on a hosted page: pays, answers a challenge, gives up.

use axum::routing::post;
use cobro_domain::merchant::Merchant;
use cobro_domain::payment::{Payment, PaymentState};
use cobro_domain::session::{SessionEnd, SessionKind, SessionState};
use cobro_domain::{SessionId, Timestamp};
use cobro_engine::ports::CardUse;
use cobro_engine::sessions::SessionView;
use cobro_engine::typed_cards::{PASSING_CODE, TypedCard};
use cobro_engine::{EngineError, Subject, World};
use cobro_surface::endpoint::{Endpoint, Routes};
use cobro_surface::json::Json;
use serde_json::{Map, Value, json};

use crate::Shared;
use crate::answers::{
    CONFLICT, OUTCOME, OUTCOME_FORMS, UNANSWERED, UNFIT, answer, call, write_responses,
};
use crate::cards::NamedCard;
use crate::input::{Input, Members, Named, Selected};
use crate::refusal::{Answer, Refusal};
use crate::view::ok;
use crate::worlds::to_the_end;

static PAY: Endpoint = Endpoint {
    summary: "Acts as the card holder on a hosted page and answers when the try is over",
    request: Some(
        r#"{"card":{"number":"4111111111111111","expiration":"11/30","cvv":"123","holder":"ROSA LEMUS"},"document":"1040099001","installments":1,"save":true,"otp":"12345"}"#,
    ),
    responses: write_responses![
        answer(200, "The outcome", OUTCOME),
        OUTCOME_FORMS,
        CONFLICT,
        UNFIT,
        UNANSWERED
    ],
    ..call("POST", "/_cobro/v1/sessions/{id}/pay", "paySession")
};

static ABANDON: Endpoint = Endpoint {
    summary: "The card holder does not want to go on",
    request: Some("{}"),
    responses: write_responses![answer(200, "The outcome", OUTCOME), OUTCOME_FORMS, CONFLICT],
    ..call("POST", "/_cobro/v1/sessions/{id}/abandon", "abandonSession")
};

pub(crate) fn routes(routes: Routes<Shared>) -> Routes<Shared> {
    routes.at(&PAY, post(pay)).at(&ABANDON, post(abandon))
}

/// A session with its merchant.
async fn find(world: &World, id: &str) -> Result<(SessionView, Merchant), EngineError> {
    if let Some(id) = SessionId::parse(id) {
        return world.session_anywhere(id).await;
    }
    let number = id.parse().map_err(|_| EngineError::NotFound(Subject::Session))?;
    let found = world.sessions_numbered(number).await?;
    let mut paid_by_people =
        found.into_iter().filter(|(view, _)| view.session.kind != SessionKind::Direct);
    paid_by_people.next().ok_or(EngineError::NotFound(Subject::Session))
}

async fn pay(Selected(world): Selected, Named(id): Named, input: Input) -> Answer {
    let members =
        input.members(&["card", "document", "installments", "amount_minor", "save", "otp"])?;
    let otp = members.text("otp")?.map(str::to_owned);
    let (view, merchant) = find(&world, &id).await?;
    if view.session.kind == SessionKind::Direct {
        let passed = otp.as_deref() == Some(PASSING_CODE);
        return confirm(&world, view, &merchant, otp.map(|_| passed)).await;
    }
    if view.session.expires_at <= world.now() {
        return Err(EngineError::NotFound(Subject::Session).into());
    }
    let waits = world.challenged_card(view.session.id).is_some();
    let own = world.clone();
    let after = match (otp, waits && members.get("card").is_none()) {
        (Some(code), true) => {
            let view = view.clone();
            to_the_end(async move { own.answer_typed_card(&view, &code).await }).await?
        }
        (otp, _) => {
            let typed = typed(&world, &view, &merchant, members)?;
            world.forget_challenge(view.session.id);
            match (is_challenged(&world, &merchant, &typed)?, otp) {
                (true, None) => {
                    let body = outcome(&world, &view, &merchant, Some("challenge"))?;
                    world.challenge_holder(view.session.id, typed);
                    return Ok(ok(&body));
                }
                (true, Some(code)) => {
                    to_the_end(async move {
                        own.use_challenged_card(&view, typed, &code).await.map(Some)
                    })
                    .await?
                }
                (false, _) => {
                    to_the_end(async move { own.use_typed_card(&view, typed).await.map(Some) })
                        .await?
                }
            }
        }
    };
    let after = after.ok_or(EngineError::NotFound(Subject::Session))?;
    Ok(ok(&outcome(&world, &after, &merchant, None)?))
}

/// The holder of a payment that was made without a page confirms it, or does not; without an answer
/// it still waits.
async fn confirm(
    world: &World,
    view: SessionView,
    merchant: &Merchant,
    passed: Option<bool>,
) -> Answer {
    let payment = view.payments.first().ok_or(EngineError::NotFound(Subject::Payment))?.id;
    let Some(passed) = passed else { return Ok(ok(&outcome(world, &view, merchant, None)?)) };
    let (own, id) = (world.clone(), merchant.id);
    let after = to_the_end(async move { own.answer_challenge(id, payment, passed).await }).await?;
    Ok(ok(&outcome(world, &after, merchant, None)?))
}

/// What the holder types: the card that was named, or one that approves.
fn typed(
    world: &World,
    view: &SessionView,
    merchant: &Merchant,
    members: Members<'_>,
) -> Result<TypedCard, Refusal> {
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
    let offered = view.session.offers_storing || view.session.kind == SessionKind::Subscription;
    let save = members.boolean("save")?.unwrap_or(true) && offered;
    Ok(TypedCard {
        store: save.then(|| dialect.store_plan(&luggage)),
        card,
        ready,
        amount_minor,
        installments: members.integer("installments", 1..=99)?.unwrap_or(1),
        luggage,
    })
}

fn is_challenged(
    world: &World,
    merchant: &Merchant,
    typed: &TypedCard,
) -> Result<bool, EngineError> {
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

async fn abandon(Selected(world): Selected, Named(id): Named, input: Input) -> Answer {
    input.members(&[])?;
    let (view, merchant) = find(&world, &id).await?;
    if view.session.kind == SessionKind::Direct {
        return confirm(&world, view, &merchant, Some(false)).await;
    }
    world.forget_challenge(view.session.id);
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
            "request_id": dialect.session_id(&view.session),
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

pub(crate) const fn payment_word(payment: &Payment) -> &'static str {
    match payment.state {
        PaymentState::Authorized { .. } | PaymentState::Approved { .. } => "approved",
        PaymentState::Declined { .. } => "rejected",
        PaymentState::Reversed { .. } => "reversed",
        PaymentState::Failed => "error",
        PaymentState::Challenged => "challenge",
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
