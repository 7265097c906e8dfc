//! What a person does at a terminal: the green key, a card, the red key, putting the result away.

use axum::routing::post;
use cobro_domain::card::CardEntry;
use cobro_domain::intent::IntentPhase;
use cobro_domain::{MerchantId, TerminalId};
use cobro_engine::charges::PresentCard;
use cobro_engine::intents::IntentView;
use cobro_engine::{EngineError, World};
use cobro_surface::endpoint::{Endpoint, Routes};

use crate::Shared;
use crate::answers::{
    CONFLICT, OUTCOME, OUTCOME_FORMS, TERMINAL, TERMINAL_FORMS, UNANSWERED, UNFIT, answer, call,
    write_responses,
};
use crate::cards::NamedCard;
use crate::input::{Input, Members, Named, Selected};
use crate::refusal::{Answer, Refusal};
use crate::view::{self, ok};
use crate::worlds::to_the_end;

/// The most instalments that a card can be presented with.
const INSTALLMENTS_MAX: i64 = 99;

static FETCH: Endpoint = Endpoint {
    summary: "The green key: the terminal takes its queued intent, or the one that is named",
    request: Some(r#"{"intent_id":"0197a000-0000-4000-8000-000000000001"}"#),
    responses: write_responses![
        answer(200, "The terminal", TERMINAL),
        TERMINAL_FORMS,
        answer(
            404,
            "Nothing is queued",
            r#"{"type":"about:blank","title":"Not Found","status":404,"detail":"nothing is queued for the terminal","code":"nothing_queued"}"#,
        ),
        CONFLICT
    ],
    ..call("POST", "/_cobro/v1/terminals/{id}/fetch", "fetchIntent")
};

static CARD: Endpoint = Endpoint {
    summary: "Presents a card and answers when the try is over; with hold, the result stays on the terminal",
    request: Some(
        r#"{"card":{"number":"5031433215406351","expiration":"11/30","cvv":"123","holder":"APRO"},"entry":"tap","tip_minor":0,"installments":1,"hold":false}"#,
    ),
    responses: write_responses![
        answer(200, "The outcome", OUTCOME),
        OUTCOME_FORMS,
        CONFLICT,
        UNFIT,
        UNANSWERED
    ],
    ..call("POST", "/_cobro/v1/terminals/{id}/card", "presentCard")
};

static CANCEL: Endpoint = Endpoint {
    summary: "The red key: the person at the terminal gives the intent up",
    request: Some("{}"),
    responses: write_responses![answer(200, "The terminal", TERMINAL), TERMINAL_FORMS, CONFLICT],
    ..call("POST", "/_cobro/v1/terminals/{id}/cancel", "cancelOnTerminal")
};

static CLOSE: Endpoint = Endpoint {
    summary: "The terminal has shown the result",
    request: Some("{}"),
    responses: write_responses![answer(200, "The terminal", TERMINAL), TERMINAL_FORMS, CONFLICT],
    ..call("POST", "/_cobro/v1/terminals/{id}/close", "closeResult")
};

pub(crate) fn routes(routes: Routes<Shared>) -> Routes<Shared> {
    routes
        .at(&FETCH, post(fetch))
        .at(&CARD, post(card))
        .at(&CANCEL, post(cancel))
        .at(&CLOSE, post(close))
}

async fn fetch(Selected(world): Selected, Named(id): Named, input: Input) -> Answer {
    let intent = input.members(&["intent_id"])?.text("intent_id")?;
    let merchant = world.merchant_at(&id).await?;
    let intent = match intent {
        Some(name) => Some(world.find_intent(&merchant, name).await?),
        None => None,
    };
    world.fetch_intent(merchant.id, TerminalId(id.clone()), intent).await?;
    terminal(&world, &id).await
}

async fn cancel(Selected(world): Selected, Named(id): Named, input: Input) -> Answer {
    input.members(&[])?;
    let merchant = world.merchant_at(&id).await?;
    world.cancel_on_terminal(merchant.id, TerminalId(id.clone())).await?;
    terminal(&world, &id).await
}

async fn close(Selected(world): Selected, Named(id): Named, input: Input) -> Answer {
    input.members(&[])?;
    let merchant = world.merchant_at(&id).await?;
    world.close_result(merchant.id, TerminalId(id.clone())).await?;
    terminal(&world, &id).await
}

async fn terminal(world: &World, id: &str) -> Answer {
    let view = world.terminal(id).await?;
    Ok(ok(&view::terminal(world, &view)?))
}

async fn card(Selected(world): Selected, Named(id): Named, input: Input) -> Answer {
    let members = input.members(&["card", "entry", "tip_minor", "installments", "hold"])?;
    let named = members.get("card").map(NamedCard::read).transpose()?;
    let hold = members.boolean("hold")?.unwrap_or(false);
    let mut command = command(members)?;
    let merchant = world.merchant_at(&id).await?;
    if let Some(named) = named {
        command.card = Some(named.find(&world, &merchant.channel)?);
    }
    let (own, owner) = (world.clone(), merchant.id);
    let done = async move { present(&own, owner, TerminalId(id), command, hold).await };
    let view = to_the_end(done).await?;
    Ok(ok(&view::outcome(world.dialect(&merchant.channel)?.as_ref(), &view)))
}

/// All of the command but the card.
fn command(members: Members<'_>) -> Result<PresentCard, Refusal> {
    let entry = match members.text("entry")?.unwrap_or("tap") {
        "tap" => CardEntry::Tap,
        "insert" => CardEntry::Insert,
        "swipe" => CardEntry::Swipe,
        _ => return Err(Refusal::bad("entry must be tap, insert or swipe")),
    };
    Ok(PresentCard {
        card: None,
        entry,
        tip_minor: members.integer("tip_minor", 0..=i64::MAX)?.unwrap_or(0),
        installments: members.integer("installments", 1..=INSTALLMENTS_MAX)?,
    })
}

/// Presents a card and, unless the result is to stay on the terminal, puts the result away.
///
/// # Errors
/// As [`World::present_card`].
pub(crate) async fn present(
    world: &World,
    merchant: MerchantId,
    id: TerminalId,
    command: PresentCard,
    hold: bool,
) -> Result<IntentView, EngineError> {
    let view = world.present_card(merchant, id.clone(), command).await?;
    if hold || view.intent.phase() != IntentPhase::Processed {
        return Ok(view);
    }
    match world.close_result(merchant, id.clone()).await {
        Ok(intent) => Ok(IntentView { intent, ..view }),
        // Somebody else was quicker, or the terminal lost its connection: what it shows decides.
        Err(EngineError::NothingTaken | EngineError::Intent(_) | EngineError::TerminalOffline) => {
            let now = world.terminal(&id.0).await?;
            let shown = [now.current, now.last].into_iter().flatten();
            let same = shown.into_iter().find(|other| other.intent.id == view.intent.id);
            Ok(same.unwrap_or(view))
        }
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_read() {
        let read = |body: &str| {
            let input = Input::parse(body.as_bytes()).unwrap();
            command(input.members(&["entry", "tip_minor", "installments"]).unwrap())
        };
        let table = [
            ("{}", Some((CardEntry::Tap, 0, None))),
            (r#"{"entry":"insert"}"#, Some((CardEntry::Insert, 0, None))),
            (
                r#"{"entry":"swipe","tip_minor":150,"installments":3}"#,
                Some((CardEntry::Swipe, 150, Some(3))),
            ),
            (r#"{"entry":"typed"}"#, None),
            (r#"{"entry":"TAP"}"#, None),
            (r#"{"entry":1}"#, None),
            (r#"{"tip_minor":-1}"#, None),
            (r#"{"tip_minor":1.5}"#, None),
            (r#"{"installments":0}"#, None),
            (r#"{"installments":100}"#, None),
        ];
        for (body, expected) in table {
            let found = read(body).ok();
            let found = found.map(|one| (one.entry, one.tip_minor, one.installments));
            assert_eq!(found, expected, "{body}");
        }
    }
}
