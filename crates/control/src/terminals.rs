//! Terminals: list, show, pair, change, take away.

use axum::extract::State;
use axum::response::IntoResponse;
use axum::routing::{delete, get, patch, post};
use cobro_domain::TerminalId;
use cobro_domain::merchant::Merchant;
use cobro_domain::terminal::OperatingMode;
use cobro_engine::ports::Dialect;
use cobro_engine::terminals::{ChangeTerminal, PAIR_MAX, TerminalView};
use cobro_engine::{EngineError, World};
use cobro_surface::body::json_response;
use cobro_surface::endpoint::{Endpoint, Routes};
use cobro_surface::json::Json;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use http::StatusCode;
use serde_json::{Value, json};

use crate::Shared;
use crate::answers::{
    CONFLICT, GONE, LIST, TERMINAL, TERMINAL_FORMS, UNFIT, answer, call, list_responses,
    read_responses, write_responses,
};
use crate::autopilot;
use crate::input::{Input, Members, Named, Paging, Selected};
use crate::merchants::find_merchant;
use crate::refusal::{Answer, Refusal};
use crate::view::{self, ok};
use crate::worlds::to_the_end;

/// The longest text that a terminal keeps (a cashier's address, a model), in characters.
const TEXT_MAX: usize = 254;

/// How many terminals are looked after at once when many are paired.
const AT_ONCE: usize = 16;

const LISTED: &str = r#"{"terminals":[{"id":"PAX_A910__SBX0000001","dialect":"mercadopago","merchant":"100000001","merchant_name":"Tienda Demo","model":"PAX_A910","operating_mode":"PDV","online":true,"cashier":null,"b2b_transactions":null,"autopilot":null,"currency":"ARS","currency_exponent":2,"intent":null,"pending":[],"last":null}],"next":null}"#;

const PAIRED: &str = r#"{"terminals":[{"id":"PAX_A910__SBX0000001","dialect":"mercadopago","merchant":"100000001","merchant_name":"Tienda Demo","model":"PAX_A910","operating_mode":"PDV","online":true,"cashier":null,"b2b_transactions":null,"autopilot":null,"currency":"ARS","currency_exponent":2,"intent":null,"pending":[],"last":null}]}"#;

static ALL: Endpoint = Endpoint {
    summary: "Lists the world's terminals by id, with what each shows",
    parameters: LIST,
    responses: list_responses![answer(200, "The terminals", LISTED)],
    ..call("GET", "/_cobro/v1/terminals", "listTerminals")
};

static PAIR: Endpoint = Endpoint {
    summary: "Pairs one or up to 10,000 terminals with a merchant",
    request: Some(
        r#"{"merchant":"100000001","model":"PAX_A910","operating_mode":"PDV","cashier":"caja1@tienda.example","count":1}"#,
    ),
    responses: write_responses![answer(201, "The new terminals", PAIRED), CONFLICT],
    ..call("POST", "/_cobro/v1/terminals", "pairTerminals")
};

static SHOW: Endpoint = Endpoint {
    summary: "Tells what a terminal is and shows",
    responses: read_responses![answer(200, "The terminal", TERMINAL), TERMINAL_FORMS],
    ..call("GET", "/_cobro/v1/terminals/{id}", "showTerminal")
};

static CHANGE: Endpoint = Endpoint {
    summary: "Changes a terminal; autopilot takes what is queued and presents a card by itself",
    request: Some(
        r#"{"operating_mode":"PDV","online":true,"paper":true,"b2b_transactions":true,"cashier":"caja1@tienda.example","autopilot":{"enabled":true,"delay_ms":1500,"card":"5031433215406351"}}"#,
    ),
    responses: write_responses![answer(200, "The terminal", TERMINAL), TERMINAL_FORMS, UNFIT],
    ..call("PATCH", "/_cobro/v1/terminals/{id}", "changeTerminal")
};

static UNPAIR: Endpoint = Endpoint {
    summary: "Takes a terminal away from its merchant",
    responses: read_responses![GONE, CONFLICT],
    ..call("DELETE", "/_cobro/v1/terminals/{id}", "unpairTerminal")
};

pub(crate) fn routes(routes: Routes<Shared>) -> Routes<Shared> {
    routes
        .at(&ALL, get(all))
        .at(&PAIR, post(pair))
        .at(&SHOW, get(show))
        .at(&CHANGE, patch(change))
        .at(&UNPAIR, delete(unpair))
}

async fn all(Selected(world): Selected, paging: Paging) -> Answer {
    let after = paging.cursor(|cursor| Some(cursor.to_owned()))?.unwrap_or_default();
    let rows = world.terminals(after, paging.rows()).await?;
    let (page, next) = paging.cut(rows, |view| view.terminal.id.0.clone());
    let shown: Result<Vec<Value>, EngineError> =
        page.iter().map(|view| view::terminal(&world, view)).collect();
    Ok(view::list("terminals", shown?, next))
}

async fn show(Selected(world): Selected, Named(id): Named) -> Answer {
    let view = world.terminal(&id).await?;
    Ok(ok(&view::terminal(&world, &view)?))
}

async fn unpair(Selected(world): Selected, Named(id): Named) -> Answer {
    world.unpair_terminal(&id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn pair(Selected(world): Selected, input: Input) -> Answer {
    let members = input.members(&["merchant", "model", "operating_mode", "cashier", "count"])?;
    let merchant = find_merchant(&world, &merchant_name(members)?).await?;
    let count = members.integer("count", 1..=PAIR_MAX)?.unwrap_or(1);
    let model = short(members, "model")?.map(str::to_owned);
    let mode = mode(members, world.dialect(&merchant.channel)?.as_ref())?;
    let cashier = short(members, "cashier")?.map(|cashier| ("cashier".to_owned(), json!(cashier)));
    let mode = mode.unwrap_or(OperatingMode::Integrated);
    let own = world.clone();
    let paired = to_the_end(async move {
        let ids = own.pair_terminals(merchant.id, model, mode, count).await?;
        let settled = stream::iter(ids)
            .map(|id| settle(&own, &merchant, id, cashier.clone()))
            .buffered(AT_ONCE);
        settled.try_collect::<Vec<TerminalView>>().await
    })
    .await?;
    let shown: Result<Vec<Value>, EngineError> =
        paired.iter().map(|view| view::terminal(&world, view)).collect();
    Ok(json_response(StatusCode::CREATED, &json!({"terminals": shown?})))
}

/// Gives a new terminal its settings and reads it back.
async fn settle(
    world: &World,
    merchant: &Merchant,
    id: TerminalId,
    setting: Option<(String, Value)>,
) -> Result<TerminalView, EngineError> {
    if let Some(setting) = setting {
        let change = ChangeTerminal { settings: vec![setting], ..ChangeTerminal::default() };
        world.change_terminal(merchant.id, id.clone(), change).await?;
    }
    world.terminal(&id.0).await
}

/// The merchant that is named: text, or a number where ids are numbers.
fn merchant_name(members: Members<'_>) -> Result<String, Refusal> {
    let name = members.get("merchant").and_then(|json| match json {
        Json::String(text) => Some(text.clone()),
        Json::Number(number) => number.integer().map(|number| number.to_string()),
        _ => None,
    });
    name.ok_or_else(|| Refusal::bad("merchant must be text or a number"))
}

async fn change(
    State(shared): State<Shared>,
    Selected(world): Selected,
    Named(id): Named,
    input: Input,
) -> Answer {
    let known = ["operating_mode", "online", "paper", "b2b_transactions", "cashier", "autopilot"];
    let members = input.members(&known)?;
    let view = world.terminal(&id).await?;
    let dialect = world.dialect(&view.merchant.channel)?.as_ref();
    let mut change = ChangeTerminal {
        mode: mode(members, dialect)?,
        online: members.boolean("online")?,
        settings: Vec::new(),
    };
    let mut setting = |name: &str, value: Value| change.settings.push((name.to_owned(), value));
    if let Some(is_on) = members.boolean("b2b_transactions")? {
        setting("b2b_transactions", json!(is_on));
    }
    if let Some(is_there) = members.boolean("paper")? {
        setting("paper", json!(is_there));
    }
    // `null` signs the cashier out, and takes the autopilot away.
    if members.raw("cashier").is_some() {
        setting("cashier", json!(short(members, "cashier")?));
    }
    let autopilot = match members.raw("autopilot") {
        None => None,
        Some(Json::Null) => Some(Value::Null),
        Some(json) => Some(autopilot::changed(&world, &view, json)?),
    };
    if let Some(autopilot) = &autopilot {
        setting("autopilot", autopilot.clone());
    }
    world.change_terminal(view.merchant.id, view.terminal.id.clone(), change).await?;
    if autopilot.is_some() {
        shared.control.autopilot.changed(&world, &view.terminal.id).await?;
    }
    show(Selected(world), Named(id)).await
}

/// The operating mode in the dialect's words.
fn mode(members: Members<'_>, dialect: &dyn Dialect) -> Result<Option<OperatingMode>, Refusal> {
    let words = [
        (dialect.operating_mode(true), OperatingMode::Integrated),
        (dialect.operating_mode(false), OperatingMode::Standalone),
    ];
    let mode = members.text("operating_mode")?.map(|word| {
        let found = words.iter().find(|(known, _)| *known == word).map(|(_, mode)| *mode);
        found.ok_or_else(|| {
            let [(integrated, _), (standalone, _)] = words;
            Refusal::bad(format!("operating_mode must be {integrated} or {standalone}"))
        })
    });
    mode.transpose()
}

fn short<'a>(members: Members<'a>, name: &str) -> Result<Option<&'a str>, Refusal> {
    let text = members.text(name)?;
    if text.is_some_and(|text| text.is_empty() || text.chars().count() > TEXT_MAX) {
        return Err(Refusal::bad(format!("{name} must be text of 1 to {TEXT_MAX} characters")));
    }
    Ok(text)
}
