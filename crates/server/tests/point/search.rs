//! `GET /v1/payments/search`: reference, section 10.2.

use serde_json::{Value, json};

use crate::ask;
use crate::place::Place;
use crate::point::Seller;
use crate::server::Server;

fn search(seller: &Seller<'_>, query: &str) -> Value {
    seller.get(&format!("/v1/payments/search{query}"))
}

/// The ids of a page, and how many there are in all.
fn found(seller: &Seller<'_>, query: &str) -> (Vec<String>, i64) {
    let page = search(seller, query);
    let results = page["results"].as_array().unwrap();
    let ids = results.iter().map(|payment| payment["id"].to_string()).collect();
    (ids, page["paging"]["total"].as_i64().unwrap())
}

/// A payment with this reference and outcome.
fn pay(seller: &Seller<'_>, reference: &str, fault: Option<&str>) -> String {
    let info = json!({ "external_reference": reference });
    seller.create(&json!({ "amount": 150_000, "additional_info": info }));
    if let Some(fault) = fault {
        seller.control("PUT", "/faults", &json!({ "acquirer": fault })).expect(200);
    }
    let outcome = seller.take_card(&json!({}));
    let id = outcome["payment"]["id"].as_str().unwrap_or_default().to_owned();
    // Nothing happens at the same instant as the next thing.
    seller.advance(60);
    id
}

fn parameters(place: &Place) {
    let server = Server::start(place);
    let seller = Seller::demo(&server, "MLA");
    let paging = json!({ "limit": 30, "offset": 0, "total": 0 });
    assert_eq!(search(&seller, "?"), json!({ "paging": paging, "results": [] }));

    let one = pay(&seller, "mesa 7", None);
    let two = pay(&seller, "mesa 8", Some("rejected"));
    pay(&seller, "mesa 7", Some("error"));
    let three = pay(&seller, "mesa 7", None);
    let ids = |ids: &[&String]| ids.iter().map(|id| (*id).clone()).collect::<Vec<_>>();
    let newest_first = ids(&[&three, &two, &one]);
    assert_eq!(found(&seller, ""), (newest_first.clone(), 3));
    let everything = "?sort=date_created&criteria=desc&range=date_created\
                      &begin_date=NOW-30DAYS&end_date=NOW";
    assert_eq!(found(&seller, everything), (newest_first.clone(), 3));
    assert_eq!(found(&seller, "?criteria=asc"), (ids(&[&one, &two, &three]), 3));
    assert_eq!(found(&seller, "?external_reference=mesa%207"), (ids(&[&three, &one]), 2));
    assert_eq!(found(&seller, "?external_reference=mesa"), (vec![], 0));
    assert_eq!(found(&seller, "?limit=1&offset=1"), (ids(&[&two]), 3));
    assert_eq!(found(&seller, "?offset=3"), (vec![], 3));
    let mut by_id = newest_first.clone();
    by_id.sort_by_key(|id| id.parse::<i64>().unwrap());
    assert_eq!(found(&seller, "?sort=id&criteria=asc"), (by_id, 3));
    // What was not approved has no such time: it is outside of every range of it, and first.
    assert_eq!(found(&seller, "?range=date_approved"), (ids(&[&three, &one]), 2));
    assert_eq!(found(&seller, "?range=money_release_date"), (ids(&[&three, &one]), 2));
    let by_approval = ids(&[&two, &one, &three]);
    assert_eq!(found(&seller, "?sort=date_approved&criteria=asc"), (by_approval, 3));

    // A refund makes it the one that changed last.
    seller.refund(&one, &json!({ "amount": 5 })).expect(201);
    assert_eq!(found(&seller, "?sort=date_last_updated").0[0], one);
    let (changed, _) = found(&seller, "?range=date_last_updated&begin_date=NOW-1MINUTE");
    assert_eq!(changed, std::slice::from_ref(&one));
    assert_eq!(found(&seller, "?begin_date=NOW-1MINUTE").0, [""; 0]);
    let created = seller.payment(&two)["date_created"].as_str().unwrap().to_owned();
    let exactly = format!("?end_date={created}");
    let (until, _) = found(&seller, &exactly);
    assert!(until.contains(&one) && !until.contains(&three), "{until:?}");

    // Each result is the whole payment.
    let page = search(&seller, "?criteria=asc&limit=1");
    assert_eq!(page["results"][0], seller.payment(&one));
    assert_eq!(page["results"][0]["refunds"].as_array().unwrap().len(), 1);
    assert_eq!(page["paging"], json!({ "limit": 1, "offset": 0, "total": 3 }));
    let other = Seller::demo(&server, "MLM");
    assert_eq!(found(&other, ""), (vec![], 0));

    for (query, code, text) in [
        ("sort=amount", 1003, "Invalid sort value"),
        ("criteria=up", 1004, "Invalid criteria value"),
        ("range=id", 1, "Params Error"),
        ("begin_date=2026-01-01", 1001, "Date format must be yyyy-MM-dd'T'HH:mm:ss.SSSZ"),
        ("limit=1001", 1000, "Number of rows exceeded the limits"),
    ] {
        let target = format!("/v1/payments/search?{query}");
        let error = ask(&server, &seller.token, ("GET", &target), &Value::Null, 400);
        let cause = json!([{ "code": code, "data": null, "description": text }]);
        assert_eq!((&error["message"], &error["cause"]), (&json!(text), &cause));
    }
    let missing = ask(&server, "", ("GET", "/v1/payments/search"), &Value::Null, 401);
    assert_eq!(missing["cause"][0]["code"], 5);

    // After twelve months payments are found no more, and read all the same.
    seller.advance(366 * 86_400);
    assert_eq!(found(&seller, ""), (vec![], 0));
    assert_eq!(found(&seller, "?begin_date=NOW-2YEARS"), (vec![], 0));
    assert_eq!(seller.payment(&one)["id"].to_string(), one);
}

/// Every order and range finds the same payments; one was rejected.
fn orders_and_ranges(place: &Place) {
    let server = Server::start(place);
    let seller = Seller::demo(&server, "MLA");
    let info = json!({ "external_reference": "mesa 7" });
    let body = json!({ "amount": 150_000, "additional_info": info });
    for fault in ["approved", "rejected", "error", "approved"] {
        seller.create(&body);
        if fault != "approved" {
            seller.control("PUT", "/faults", &json!({ "acquirer": fault })).expect(200);
        }
        seller.take_card(&json!({}));
    }
    let times = ["date_created", "date_last_updated", "date_approved", "money_release_date"];
    for sort in times.into_iter().chain(["id"]) {
        for range in times {
            let is_of_all = range.starts_with("date_created") || range == "date_last_updated";
            let total = if is_of_all { 3 } else { 2 };
            let query = format!("?sort={sort}&range={range}&external_reference=mesa%207&limit=2");
            let (down, count) = found(&seller, &format!("{query}&criteria=desc"));
            assert_eq!((count, down.len()), (total, 2), "{query}");
            let (up, _) = found(&seller, &format!("{query}&limit=30&criteria=asc"));
            let mut whole = up.clone();
            whole.reverse();
            assert_eq!(whole[..2], down[..], "{query}");
        }
    }
}

crate::on_both!(orders_and_ranges, parameters);
