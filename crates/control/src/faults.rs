//! Failures on demand: other outcomes, and an acquirer that is slow or silent.

use axum::routing::{get, put};
use cobro_domain::TerminalId;
use cobro_domain::payment::DeclineReason;
use cobro_domain::scenario::Scenario;
use cobro_engine::World;
use cobro_engine::faults::{Fault, Pace};
use cobro_surface::endpoint::{Endpoint, Routes};
use cobro_surface::json::Json;
use serde_json::{Value, json};

use crate::Shared;
use crate::answers::{answer, call, read_responses, write_responses};
use crate::input::{Input, Members, Selected};
use crate::refusal::{Answer, Refusal};
use crate::view::ok;

/// How many faults can be set at once.
const FAULTS_MAX: usize = 100;

/// How many payments one fault can be for.
const TIMES_MAX: i64 = 1_000_000;

/// How long a slow acquirer takes unless told, in milliseconds: longer than clients wait.
const SLOW_MS: i64 = 15_000;

/// How long it can be told to take: longer than the engine waits for an answer.
const DELAY_MS_MAX: i64 = 3_600_000;

/// After how many seconds a payment that was made pending is approved.
const PENDING_S: i64 = 30;

const SET: &str = r#"{"acquirer":"error","terminal":"PAX_A910__SBX0000001","times":1,"faults":[{"acquirer":"error","terminal":"PAX_A910__SBX0000001","times":1}]}"#;

static READ: Endpoint = Endpoint {
    summary: "Tells which failures are set",
    responses: read_responses![answer(200, "What is set", SET)],
    ..call("GET", "/_cobro/v1/faults", "readFaults")
};

static WRITE: Endpoint = Endpoint {
    summary: "Makes the next payments end with an outcome, or late, or without an answer; an empty object clears",
    request: Some(r#"{"acquirer":"error","terminal":"PAX_A910__SBX0000001","times":1}"#),
    responses: write_responses![
        answer(200, "What is set", SET),
        answer(200, "Nothing is set", r#"{"faults":[]}"#)
    ],
    ..call("PUT", "/_cobro/v1/faults", "setFaults")
};

pub(crate) fn routes(routes: Routes<Shared>) -> Routes<Shared> {
    routes.at(&READ, get(read)).at(&WRITE, put(write))
}

async fn read(Selected(world): Selected) -> Answer {
    Ok(ok(&shown(&world.faults_set())))
}

async fn write(Selected(world): Selected, input: Input) -> Answer {
    let faults = parse(&input)?;
    check_terminals(&world, &faults).await?;
    world.set_faults(faults);
    Ok(ok(&shown(&world.faults_set())))
}

async fn check_terminals(world: &World, faults: &[Fault]) -> Result<(), Refusal> {
    for terminal in faults.iter().filter_map(|fault| fault.terminal.as_ref()) {
        world.terminal(&terminal.0).await?;
    }
    Ok(())
}

/// One fault as the body itself, or several as its member `faults`.
fn parse(input: &Input) -> Result<Vec<Fault>, Refusal> {
    const ONE: [&str; 4] = ["acquirer", "delay_ms", "terminal", "times"];
    if let Some(list) = input.json().get("faults") {
        input.members(&["faults"])?;
        let list = list.as_array().filter(|list| list.len() <= FAULTS_MAX);
        let list = list.ok_or_else(|| Refusal::bad("faults must be a list of at most 100"))?;
        return list.iter().map(|one| fault(Members::of(one, &ONE)?)).collect();
    }
    if input.json().as_object().is_some_and(<[(String, Json)]>::is_empty) {
        return Ok(Vec::new());
    }
    Ok(vec![fault(input.members(&ONE)?)?])
}

fn fault(members: Members<'_>) -> Result<Fault, Refusal> {
    let word = members.text("acquirer")?.unwrap_or_default();
    let delay_ms = members.integer("delay_ms", 0..=DELAY_MS_MAX)?;
    let late = delay_ms.map_or(Pace::Prompt, |delay_ms| Pace::Slow { delay_ms });
    let (scenario, pace) = match word {
        // As the card decides.
        "slow" => (None, Pace::Slow { delay_ms: delay_ms.unwrap_or(SLOW_MS) }),
        "silent" if delay_ms.is_some() => {
            return Err(Refusal::bad("an acquirer that is silent has no delay_ms"));
        }
        "silent" => (None, Pace::Silent),
        word => (Some(scenario(word).ok_or_else(unknown_word)?), late),
    };
    Ok(Fault {
        scenario,
        pace,
        word: word.to_owned(),
        terminal: members.text("terminal")?.map(|id| TerminalId(id.to_owned())),
        times: members.integer("times", 1..=TIMES_MAX)?.unwrap_or(1),
    })
}

fn unknown_word() -> Refusal {
    Refusal::bad(
        "acquirer must be approved, rejected, reversed, error, pending, confirmation_required, \
         slow or silent",
    )
}

/// What an outcome's word makes the acquirer do.
fn scenario(word: &str) -> Option<Scenario> {
    Some(match word {
        "approved" => Scenario::Approve,
        "rejected" => Scenario::Decline(DeclineReason::Generic),
        "reversed" => Scenario::Reverse,
        "error" => Scenario::Fail,
        "pending" => Scenario::Defer { approve: true, after_s: PENDING_S },
        "confirmation_required" => Scenario::Silence,
        _ => return None,
    })
}

/// All that is set, and the first one's members beside, so that what was put comes back.
fn shown(faults: &[Fault]) -> Value {
    let one = |fault: &Fault| {
        let terminal = fault.terminal.as_ref().map(|terminal| &terminal.0);
        let mut one = json!({"acquirer": fault.word, "terminal": terminal, "times": fault.times});
        if let (Some(members), Pace::Slow { delay_ms }) = (one.as_object_mut(), fault.pace) {
            members.insert("delay_ms".to_owned(), delay_ms.into());
        }
        one
    };
    let mut body = faults.first().map_or_else(|| json!({}), one);
    if let Some(members) = body.as_object_mut() {
        members.insert("faults".to_owned(), faults.iter().map(one).collect());
    }
    body
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_read_and_shown() {
        let table = [
            ("{}", Some(json!({"faults": []}))),
            (r#"{"faults":[]}"#, Some(json!({"faults": []}))),
            (
                r#"{"acquirer":"error"}"#,
                Some(json!({"acquirer": "error", "terminal": null, "times": 1,
                    "faults": [{"acquirer": "error", "terminal": null, "times": 1}]})),
            ),
            (
                r#"{"faults":[{"acquirer":"pending","terminal":"T1","times":3},{"acquirer":"approved"}]}"#,
                Some(json!({"acquirer": "pending", "terminal": "T1", "times": 3, "faults": [
                    {"acquirer": "pending", "terminal": "T1", "times": 3},
                    {"acquirer": "approved", "terminal": null, "times": 1},
                ]})),
            ),
            (
                r#"{"faults":[{"acquirer":"slow","delay_ms":2000},{"acquirer":"silent"},{"acquirer":"rejected","delay_ms":5}]}"#,
                Some(json!({"acquirer": "slow", "terminal": null, "times": 1, "delay_ms": 2000,
                    "faults": [
                    {"acquirer": "slow", "terminal": null, "times": 1, "delay_ms": 2000},
                    {"acquirer": "silent", "terminal": null, "times": 1},
                    {"acquirer": "rejected", "terminal": null, "times": 1, "delay_ms": 5},
                ]})),
            ),
            (
                r#"{"acquirer":"slow"}"#,
                Some(json!({"acquirer": "slow", "terminal": null, "times": 1, "delay_ms": 15000,
                    "faults": [{"acquirer": "slow", "terminal": null, "times": 1,
                        "delay_ms": 15000}]})),
            ),
            (r#"{"acquirer":"silent","delay_ms":1}"#, None),
            (r#"{"acquirer":"slow","delay_ms":-1}"#, None),
            (r#"{"acquirer":"slow","delay_ms":3600001}"#, None),
            (r#"{"acquirer":"challenge"}"#, None),
            (r#"{"acquirer":"Error"}"#, None),
            (r#"{"acquirer":7}"#, None),
            (r#"{"terminal":"T1"}"#, None),
            (r#"{"acquirer":"error","times":0}"#, None),
            (r#"{"acquirer":"error","times":-1}"#, None),
            (r#"{"acquirer":"error","terminal":1}"#, None),
            (r#"{"acquirer":"error","what":1}"#, None),
            (r#"{"faults":{}}"#, None),
            (r#"{"faults":[1]}"#, None),
            (r#"{"faults":[{}]}"#, None),
            (r#"{"faults":[],"acquirer":"error"}"#, None),
        ];
        for (body, expected) in table {
            let found = parse(&Input::parse(body.as_bytes()).unwrap());
            assert_eq!(found.ok().map(|faults| shown(&faults)), expected, "{body}");
        }
    }

    #[test]
    fn every_word_is_a_scenario() {
        let table = [
            ("approved", "approve"),
            ("rejected", "decline:generic"),
            ("reversed", "reverse"),
            ("error", "fail"),
            ("pending", "defer:approve:30"),
            ("confirmation_required", "silence"),
        ];
        for (word, code) in table {
            assert_eq!(scenario(word).map(Scenario::code).as_deref(), Some(code));
        }
        assert_eq!(scenario("canceled"), None);
    }
}
