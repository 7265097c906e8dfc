//! The books.

use axum::routing::get;
use cobro_domain::PostingId;
use cobro_engine::books::{Balance, PostingView};
use cobro_surface::endpoint::{Endpoint, Routes};
use serde_json::{Value, json};

use crate::Shared;
use crate::answers::{LIST, answer, call, list_responses};
use crate::input::{Paging, Selected};
use crate::refusal::Answer;
use crate::view;

static BALANCES: Endpoint = Endpoint {
    summary: "Lists what each account holds, debit positive: a currency's balances add up to 0",
    parameters: LIST,
    responses: list_responses![answer(
        200,
        "The balances",
        r#"{"balances":[{"account":"acquirer_receivable","currency":"ARS","balance_minor":1500},{"account":"merchant_payable","currency":"ARS","balance_minor":-1500}],"next":null}"#,
    )],
    ..call("GET", "/_cobro/v1/ledger/balances", "listBalances")
};

static POSTINGS: Endpoint = Endpoint {
    summary: "Lists the postings, the newest first",
    parameters: LIST,
    responses: list_responses![answer(
        200,
        "The postings",
        r#"{"postings":[{"id":"0197a000-0000-4000-8000-000000000003","at":"2026-11-20T10:00:00Z","event":"0197a000-0000-4000-8000-000000000002","entries":[{"account":"acquirer_receivable","currency":"ARS","amount_minor":1500},{"account":"merchant_payable","currency":"ARS","amount_minor":-1500}]}],"next":null}"#,
    )],
    ..call("GET", "/_cobro/v1/ledger/postings", "listPostings")
};

pub(crate) fn routes(routes: Routes<Shared>) -> Routes<Shared> {
    routes.at(&BALANCES, get(balances)).at(&POSTINGS, get(postings))
}

async fn balances(Selected(world): Selected, paging: Paging) -> Answer {
    let after = paging.cursor(|cursor| cursor.contains(':').then(|| cursor.to_owned()))?;
    let (page, next) = part(world.balances().await?, after.as_deref(), &paging);
    let shown = page.iter().map(|balance| {
        json!({
            "account": balance.account.code(),
            "currency": balance.currency.code(),
            "balance_minor": balance.balance_minor,
        })
    });
    Ok(view::list("balances", shown.collect(), next))
}

/// The balances after a cursor. There are few, so that each page reads all of them.
fn part(
    mut all: Vec<Balance>,
    after: Option<&str>,
    paging: &Paging,
) -> (Vec<Balance>, Option<String>) {
    let place = |balance: &Balance| format!("{}:{}", balance.currency, balance.account.code());
    all.sort_by_key(place);
    all.retain(|balance| after.is_none_or(|after| place(balance).as_str() > after));
    paging.cut(all, place)
}

async fn postings(Selected(world): Selected, paging: Paging) -> Answer {
    let before = paging.cursor(PostingId::parse)?;
    let rows = world.postings(before, paging.rows()).await?;
    let (page, next) = paging.cut(rows, |posting| posting.id.to_string());
    Ok(view::list("postings", page.iter().map(posting).collect(), next))
}

pub(crate) fn posting(posting: &PostingView) -> Value {
    let entries = posting.lines.iter().map(|line| {
        json!({
            "account": line.account.code(),
            "currency": line.amount.currency.code(),
            "amount_minor": line.amount.minor,
        })
    });
    json!({
        "id": posting.id.to_string(),
        "at": posting.at.to_string(),
        "event": posting.event.to_string(),
        "entries": entries.collect::<Vec<Value>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use cobro_domain::Currency;
    use cobro_domain::ledger::Account;

    #[test]
    fn balances_come_in_pages() {
        let balance = |account, currency| Balance { account, currency, balance_minor: 1 };
        let all = vec![
            balance(Account::MerchantPayable, Currency::MXN),
            balance(Account::AcquirerReceivable, Currency::MXN),
            balance(Account::MerchantPayable, Currency::ARS),
        ];
        let paging = Paging { cursor: None, limit: 2 };
        let (page, next) = part(all.clone(), None, &paging);
        let places: Vec<(&str, &str)> =
            page.iter().map(|one| (one.currency.code(), one.account.code())).collect();
        assert_eq!(places, [("ARS", "merchant_payable"), ("MXN", "acquirer_receivable")]);
        assert_eq!(next.as_deref(), Some("MXN:acquirer_receivable"));
        let (page, next) = part(all, next.as_deref(), &paging);
        assert_eq!(page, [balance(Account::MerchantPayable, Currency::MXN)]);
        assert_eq!(next, None);
    }
}
