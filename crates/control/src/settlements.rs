//! Settlements: closing what is due, and what is paid out, down to the postings.

use axum::extract::FromRequestParts;
use axum::routing::{get, post};
use cobro_domain::MerchantId;
use cobro_domain::merchant::Merchant;
use cobro_domain::settlement::{Settlement, SettlementState};
use cobro_domain::time::Day;
use cobro_engine::deposits::{LinePlace, SettlementLine, SettlementsBefore, settlement_id};
use cobro_engine::{EngineError, Subject, World};
use cobro_surface::endpoint::{Endpoint, Parameter, Place, Routes};
use http::request::Parts;
use serde_json::{Value, json};

use crate::Shared;
use crate::answers::{CURSOR, LIMIT, LIST, WORLD, answer, call, list_responses, read_responses};
use crate::input::{Named, Paging, Selected, parameter};
use crate::ledger::posting;
use crate::merchants::find_merchant;
use crate::refusal::{Answer, Refusal};
use crate::view::{list, ok};
use crate::worlds::to_the_end;

static RUN: Endpoint = Endpoint {
    summary: "Closes every day that is due; tells what was closed since this was last called, by \
              the clock too",
    responses: read_responses![answer(
        200,
        "The settlements",
        r#"{"settlements":[{"id":"W472RZQKV","settlement_id":"5d41402a-bc4b-8a76-b971-9d9100004e20","merchant":"c11b0000-0000-4000-8000-000000000001","date":"2026-11-23"}]}"#,
    )],
    ..call("POST", "/_cobro/v1/settlements/run", "runSettlements")
};

static SETTLEMENTS: Endpoint = Endpoint {
    summary: "Lists the settlements, open ones too, the newest day first",
    parameters: &[
        WORLD,
        CURSOR,
        LIMIT,
        Parameter {
            name: "merchant",
            place: Place::Query,
            required: false,
            description: "One merchant's alone, named as in /_cobro/v1/merchants/{credential}",
        },
    ],
    responses: list_responses![answer(
        200,
        "The settlements",
        r#"{"settlements":[{"id":"W472RZQKV","settlement_id":"5d41402a-bc4b-8a76-b971-9d9100004e20","dialect":"clip","merchant":"c11b0000-0000-4000-8000-000000000001","merchant_name":"Café Central","date":"2026-11-23","state":"closed","closed_at":"2026-11-23T06:00:00Z","currency":"MXN","gross_minor":10000,"fee_minor":360,"tax_minor":58,"net_minor":9582,"rows":1}],"next":null}"#,
    )],
    ..call("GET", "/_cobro/v1/settlements", "listAllSettlements")
};

static SETTLEMENT: Endpoint = Endpoint {
    summary: "Shows a settlement, named by its report's number or its UUID",
    responses: read_responses![answer(
        200,
        "The settlement",
        r#"{"id":"W472RZQKV","settlement_id":"5d41402a-bc4b-8a76-b971-9d9100004e20","dialect":"clip","merchant":"c11b0000-0000-4000-8000-000000000001","merchant_name":"Café Central","date":"2026-11-23","state":"closed","closed_at":"2026-11-23T06:00:00Z","currency":"MXN","gross_minor":10000,"fee_minor":360,"tax_minor":58,"net_minor":9582,"rows":1}"#,
    )],
    ..call("GET", "/_cobro/v1/settlements/{id}", "showSettlement")
};

static LINES: Endpoint = Endpoint {
    summary: "Lists a settlement's lines: payments, less what went back before, then refunds of \
              payments that were paid out before",
    parameters: LIST,
    responses: list_responses![answer(
        200,
        "The lines",
        r#"{"lines":[{"line":"p1","kind":"payment","at":"2026-11-20T18:00:00Z","payment":{"id":"0197a000-0000-4000-8000-000000000003","installments":1,"card":{"brand":"visa","last_digits":"4352","type":"credit","issuer":"BANAMEX"}},"currency":"MXN","tip_minor":0,"gross_minor":10000,"fee_minor":360,"tax_minor":58,"net_minor":9582}],"next":null}"#,
    )],
    ..call("GET", "/_cobro/v1/settlements/{id}/lines", "listSettlementLines")
};

static POSTINGS: Endpoint = Endpoint {
    summary: "Lists the postings of the pay-out, or of one line",
    parameters: &[
        WORLD,
        Parameter {
            name: "line",
            place: Place::Query,
            required: false,
            description: "The member line of a line; the pay-out itself without it",
        },
    ],
    responses: list_responses![answer(
        200,
        "The postings",
        r#"{"postings":[{"id":"0197a000-0000-4000-8000-000000000003","at":"2026-11-23T06:00:00Z","event":"0197a000-0000-4000-8000-000000000002","entries":[{"account":"merchant_payable","currency":"MXN","amount_minor":9582},{"account":"bank","currency":"MXN","amount_minor":-9582}]}],"next":null}"#,
    )],
    ..call("GET", "/_cobro/v1/settlements/{id}/postings", "listSettlementPostings")
};

pub(crate) fn routes(routes: Routes<Shared>) -> Routes<Shared> {
    routes
        .at(&RUN, post(run))
        .at(&SETTLEMENTS, get(settlements))
        .at(&SETTLEMENT, get(settlement))
        .at(&LINES, get(lines))
        .at(&POSTINGS, get(postings))
}

/// A parameter of the query that only one list has.
struct Asked<const MERCHANT: bool>(Option<String>);

impl<const MERCHANT: bool> FromRequestParts<Shared> for Asked<MERCHANT> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &Shared) -> Result<Self, Refusal> {
        Ok(Self(parameter(parts, if MERCHANT { "merchant" } else { "line" })?))
    }
}

async fn run(Selected(world): Selected) -> Answer {
    let own = world.clone();
    let closed = to_the_end(async move { own.run_settlements().await }).await?;
    let mut settlements = Vec::with_capacity(closed.len());
    for settlement in &closed {
        let merchant = world.merchant(settlement.merchant).await?;
        settlements.push(json!({
            "id": name(settlement),
            "settlement_id": settlement_id(settlement.merchant, settlement.day).to_string(),
            "merchant": merchant.public_id,
            "date": settlement.day.to_string(),
        }));
    }
    Ok(ok(&json!({"settlements": settlements})))
}

async fn settlements(
    Selected(world): Selected,
    paging: Paging,
    Asked(merchant): Asked<true>,
) -> Answer {
    let before = paging.cursor(place)?;
    let merchant = match merchant {
        Some(name) => Some(find_merchant(&world, &name).await?.id),
        None => None,
    };
    let which = SettlementsBefore { merchant, before };
    let rows = world.deposits().before(which, paging.rows()).await?;
    let (page, next) =
        paging.cut(rows, |last| settlement_id(last.merchant, last.day).to_string() + &tail(last));
    let mut shown = Vec::with_capacity(page.len());
    for settlement in &page {
        let merchant = world.merchant(settlement.merchant).await?;
        shown.push(view(settlement, &merchant));
    }
    Ok(list("settlements", shown, next))
}

/// The rest of a cursor: the merchant and the day that the list goes on from.
fn tail(settlement: &Settlement) -> String {
    format!(".{}.{}", settlement.merchant, settlement.day.0)
}

/// What a cursor leads to; its first part proves that a page gave it.
fn place(cursor: &str) -> Option<(Day, MerchantId)> {
    let mut parts = cursor.split('.');
    let (id, merchant, day) = (parts.next()?, parts.next()?, parts.next()?);
    let merchant = MerchantId::parse(merchant)?;
    let day = Day(day.parse().ok()?);
    let is_ours = parts.next().is_none() && settlement_id(merchant, day).to_string() == id;
    is_ours.then_some((day, merchant))
}

async fn settlement(Selected(world): Selected, Named(id): Named) -> Answer {
    let (settlement, merchant) = world.deposits().find(&id).await?;
    Ok(ok(&view(&settlement, &merchant)))
}

async fn lines(Selected(world): Selected, Named(id): Named, paging: Paging) -> Answer {
    let (settlement, merchant) = world.deposits().find(&id).await?;
    let after = paging.cursor(line_place)?;
    let limit = paging.limit.saturating_add(1);
    let rows = world.deposits().lines(merchant.id, settlement.day, after, limit).await?;
    let (page, next) = paging.cut(rows, |line| line_name(line.place()));
    let dialect = world.dialect(&merchant.channel)?;
    let shown = page.iter().map(|one| line(one, &dialect.payment_id(&one.payment)));
    Ok(list("lines", shown.collect(), next))
}

async fn postings(
    Selected(world): Selected,
    Named(id): Named,
    Asked(line): Asked<false>,
) -> Answer {
    let (settlement, merchant) = world.deposits().find(&id).await?;
    let causes = match (line, &settlement.state) {
        (Some(name), _) => line_named(&world, &settlement, &name).await?.causes(),
        (None, SettlementState::Closed { report, at }) => vec![(report.clone(), *at)],
        (None, SettlementState::Open) => Vec::new(),
    };
    let mut found = Vec::new();
    for (subject, at) in causes {
        found.extend(world.deposits().postings_of(merchant.id, subject, at).await?);
    }
    Ok(list("postings", found.iter().map(posting).collect(), None))
}

/// The line of a settlement with this name.
async fn line_named(
    world: &World,
    settlement: &Settlement,
    name: &str,
) -> Result<SettlementLine, Refusal> {
    let wrong = || Refusal::bad("line must be the member line of a line");
    let place = line_place(name).ok_or_else(wrong)?;
    let before = match place {
        LinePlace::Payment(ordinal) => LinePlace::Payment(ordinal - 1),
        LinePlace::Refund(ordinal) => LinePlace::Refund(ordinal - 1),
    };
    let deposits = world.deposits();
    let found = deposits.lines(settlement.merchant, settlement.day, Some(before), 1).await?;
    let found = found.into_iter().find(|line| line.place() == place);
    Ok(found.ok_or(EngineError::NotFound(Subject::Settlement))?)
}

fn line_name(place: LinePlace) -> String {
    match place {
        LinePlace::Payment(ordinal) => format!("p{ordinal}"),
        LinePlace::Refund(ordinal) => format!("r{ordinal}"),
    }
}

fn line_place(name: &str) -> Option<LinePlace> {
    let ordinal = name.get(1..)?.parse().ok().filter(|ordinal| *ordinal > 0)?;
    match name.get(..1)? {
        "p" => Some(LinePlace::Payment(ordinal)),
        "r" => Some(LinePlace::Refund(ordinal)),
        _ => None,
    }
}

/// What a settlement is called: its report's number, or its UUID while it is open.
fn name(settlement: &Settlement) -> String {
    match &settlement.state {
        SettlementState::Closed { report, .. } => report.clone(),
        SettlementState::Open => settlement_id(settlement.merchant, settlement.day).to_string(),
    }
}

fn view(settlement: &Settlement, merchant: &Merchant) -> Value {
    let closed_at = match &settlement.state {
        SettlementState::Closed { at, .. } => Some(at.to_string()),
        SettlementState::Open => None,
    };
    json!({
        "id": name(settlement),
        "settlement_id": settlement_id(settlement.merchant, settlement.day).to_string(),
        "dialect": merchant.channel,
        "merchant": merchant.public_id,
        "merchant_name": merchant.name,
        "date": settlement.day.to_string(),
        "state": if closed_at.is_some() { "closed" } else { "open" },
        "closed_at": closed_at,
        "currency": settlement.currency.code(),
        "gross_minor": settlement.gross_minor,
        "fee_minor": settlement.fee.fee_minor,
        "tax_minor": settlement.fee.tax_minor,
        "net_minor": settlement.net_minor(),
        "rows": settlement.rows,
    })
}

fn line(line: &SettlementLine, payment: &str) -> Value {
    let card = &line.payment.card;
    let tip_minor = if line.refund.is_some() { 0 } else { line.payment.tip_minor };
    json!({
        "line": line_name(line.place()),
        "kind": if line.refund.is_some() { "refund" } else { "payment" },
        "at": line.at().to_string(),
        "payment": {
            "id": payment,
            "installments": line.payment.installments,
            "card": {
                "brand": card.brand,
                "last_digits": card.last_digits,
                "type": card.kind.code(),
                "issuer": card.issuer,
            },
        },
        "netted_minor": line.netted.iter().map(|refund| refund.amount.minor).sum::<i64>(),
        "currency": line.payment.amount.currency.code(),
        "tip_minor": tip_minor.min(line.gross_minor.max(0)),
        "gross_minor": line.gross_minor,
        "fee_minor": line.fee.fee_minor,
        "tax_minor": line.fee.tax_minor,
        "net_minor": line.net_minor(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_have_names() {
        for place in [LinePlace::Payment(1), LinePlace::Refund(i64::MAX)] {
            assert_eq!(line_place(&line_name(place)), Some(place));
        }
        for wrong in ["", "p", "p0", "p-1", "x1", "1", "ñ1", "p1x"] {
            assert_eq!(line_place(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_cursor_is_one_that_a_page_gave() {
        let merchant = MerchantId::from_slice(&[7; 16]).unwrap();
        let id = settlement_id(merchant, Day(20_000));
        assert_eq!(place(&format!("{id}.{merchant}.20000")), Some((Day(20_000), merchant)));
        for wrong in
            [String::new(), format!("{id}.{merchant}.20001"), format!("{id}.{merchant}.20000.1")]
        {
            assert_eq!(place(&wrong), None, "{wrong}");
        }
    }
}
