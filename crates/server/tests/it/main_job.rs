//! The main job: from the list of devices to the books, on both databases.

use serde_json::{Value, json};

use crate::http::Call;
use crate::place::Place;
use crate::point::Seller;
use crate::receiver::{Notice, Receiver, hmac_hex};
use crate::server::{Server, verify};

crate::on_both!(
    a_payment_from_the_list_of_devices_to_the_books,
    a_restart_keeps_everything,
    both_webhooks_are_told_of_a_payment,
    one_key_stays_one_intent_across_a_restart,
);

/// What an account of the demo world holds, in minor units.
fn balance(server: &Server<'_>, account: &str, currency: &str) -> i64 {
    let balances = server.list("balances", "/ledger/balances");
    let found = balances
        .iter()
        .find(|balance| balance["account"] == account && balance["currency"] == currency);
    found.map_or(0, |balance| balance["balance_minor"].as_i64().unwrap())
}

fn books_balance(server: &Server<'_>) {
    let mut sums = std::collections::BTreeMap::<String, i64>::new();
    for balance in server.list("balances", "/ledger/balances") {
        let currency = balance["currency"].as_str().unwrap().to_owned();
        *sums.entry(currency).or_default() += balance["balance_minor"].as_i64().unwrap();
    }
    assert!(sums.values().all(|sum| *sum == 0), "{sums:?}");
    for posting in server.list("postings", "/ledger/postings") {
        let entries = posting["entries"].as_array().unwrap().iter();
        let sum: i64 = entries.map(|entry| entry["amount_minor"].as_i64().unwrap()).sum();
        assert_eq!(sum, 0, "{posting}");
    }
}

fn a_payment_from_the_list_of_devices_to_the_books(place: &Place) {
    let server = Server::start(place);
    let seller = Seller::demo(&server, "MLA");
    let receiver = seller.subscribe();

    let devices = seller.get("/point/integration-api/devices");
    assert_eq!(devices["devices"][0]["id"], *seller.device);
    assert_eq!(devices["paging"], json!({ "limit": 50, "offset": 0, "total": 1 }));

    let body = json!({
        "amount": 150_000,
        "additional_info": {
            "external_reference": "caja-3-0001",
            "print_on_terminal": true,
            "ticket_number": "B0001-00042",
        },
    });
    let created = seller.post(&body).expect(201).json();
    let intent = created["id"].as_str().unwrap();
    let mut expected = body.clone();
    expected["id"] = json!(intent);
    expected["device_id"] = json!(seller.device);
    assert_eq!(created, expected, "what was sent, with the two ids");
    expected["state"] = json!("OPEN");
    assert_eq!(seller.intent(intent), expected);

    let shown = seller.at_terminal("fetch", &json!({})).expect(200).json();
    assert_eq!(shown["intent"]["state"], "ON_TERMINAL");
    assert_eq!(shown["intent"]["amount_minor"], 150_000);
    assert_eq!(seller.intent(intent)["state"], "ON_TERMINAL");

    let hold = json!({ "card": "5031755734530604", "entry": "insert", "hold": true });
    let outcome = seller.at_terminal("card", &hold).expect(200).json();
    assert_eq!(outcome["outcome"], "approved", "{outcome}");
    assert_eq!(outcome["intent"], json!({ "id": intent, "state": "PROCESSED" }));
    let payment = outcome["payment"]["id"].as_str().unwrap();
    expected["state"] = json!("PROCESSED");
    expected["payment"] = json!({ "id": payment });
    assert_eq!(seller.intent(intent), expected, "the payment's id is there before the end");

    seller.at_terminal("close", &json!({})).expect(200);
    expected["state"] = json!("FINISHED");
    assert_eq!(seller.intent(intent), expected);

    let told = receiver.told(intent, "FINISHED");
    assert_eq!(told.body["payment"]["id"], payment.parse::<i64>().unwrap());
    assert_eq!(told.body["payment"]["state"], "approved");

    let paid = seller.payment(payment);
    assert_eq!(
        (&paid["status"], &paid["status_detail"]),
        (&json!("approved"), &json!("accredited"))
    );
    assert_eq!(paid["transaction_amount"], 1500);
    assert_eq!(paid["external_reference"], "caja-3-0001");
    assert_eq!(paid["metadata"]["payment_intent_id"], intent);
    assert_eq!(paid["card"]["last_four_digits"], "0604");
    // Five percent, and the country's value-added tax of 21 percent on it.
    assert_eq!(paid["fee_details"][0]["amount"], 90.75);
    assert_eq!(paid["transaction_details"]["net_received_amount"], 1409.25);
    assert_eq!(balance(&server, "acquirer_receivable", "ARS"), 150_000);

    refunds(&server, &seller, payment);
    assert_eq!(balance(&server, "acquirer_receivable", "ARS"), 0);
    books_balance(&server);
    let counted = verify(place);
    assert!(counted.starts_with("verified: 1 payments, 2 refunds,"), "{counted}");
}

/// A part, too much, and the rest.
fn refunds(server: &Server<'_>, seller: &Seller<'_>, payment: &str) {
    let part = seller.refund(payment, &json!({ "amount": 500.5 })).expect(201).json();
    assert_eq!((&part["amount"], &part["status"]), (&json!(500.5), &json!("approved")));
    let paid = seller.payment(payment);
    assert_eq!(paid["status"], "approved");
    assert_eq!(paid["status_detail"], "partially_refunded");
    assert_eq!(paid["transaction_amount_refunded"], 500.5);
    assert_eq!(paid["refunds"], json!([part]));

    let before = server.traces();
    let refused = seller.refund(payment, &json!({ "amount": 999.51 })).expect(400).json();
    assert_eq!(refused["cause"][0]["code"], 2063, "{refused}");
    assert_eq!(server.traces(), before);

    let target = format!("/v1/payments/{payment}/refunds");
    let rest = server.send(&seller.call("POST", &target)).expect(201).json();
    assert_eq!(rest["amount"], 999.5);
    let paid = seller.payment(payment);
    assert_eq!((&paid["status"], &paid["status_detail"]), (&json!("refunded"), &json!("refunded")));
    assert_eq!(paid["transaction_amount_refunded"], 1500);
    assert_eq!(seller.get(&target), json!([part, rest]));
    for refund in [&part, &rest] {
        assert_eq!(seller.get(&format!("{target}/{}", refund["id"])), *refund);
    }
    seller.refund(payment, &json!({})).expect(400);
}

fn a_restart_keeps_everything(place: &Place) {
    let server = Server::start(place);
    let seller = Seller::demo(&server, "MLB");
    let receiver = seller.subscribe();
    let (paid_intent, payment) = seller.pay(1400);
    receiver.told(&paid_intent, "FINISHED");
    let refund = seller.refund(&payment, &json!({ "amount": 4 })).expect(201).json();
    let waiting = seller.create(&json!({ "amount": 2500, "description": "Mesa 7" }));
    let targets = [
        "/point/integration-api/devices".to_owned(),
        "/point/integration-api/integrators".to_owned(),
        format!("/point/integration-api/payment-intents/{paid_intent}"),
        format!("/point/integration-api/payment-intents/{waiting}"),
        format!("/v1/payments/{payment}"),
        format!("/v1/payments/{payment}/refunds"),
        format!("/v1/payments/{payment}/refunds/{}", refund["id"]),
    ];
    let answers = |server: &Server<'_>| {
        let seller = Seller::demo(server, "MLB");
        let read = |target: &String| server.send(&seller.call("GET", target)).expect(200).text();
        let shown: Vec<String> = targets.iter().map(read).collect();
        let posted = server.send(&seller.creation(&json!({ "amount": 100 }))).expect(409).text();
        (shown, posted, seller.terminal(), server.traces())
    };
    let before = answers(&server);
    let server = server.restart();
    assert_eq!(answers(&server), before);

    // What was begun goes on: the terminal takes what waits, and the webhook is told of it.
    let seller = Seller::demo(&server, "MLB");
    let outcome = seller.take_card(&json!({}));
    assert_eq!(outcome["intent"], json!({ "id": waiting, "state": "FINISHED" }));
    receiver.told(&waiting, "FINISHED");
    let numbers: Vec<i64> =
        [&payment, outcome["payment"]["id"].as_str().unwrap()].map(|id| id.parse().unwrap()).into();
    assert_ne!(numbers[0], numbers[1]);
}

fn both_webhooks_are_told_of_a_payment(place: &Place) {
    let server = Server::start(place);
    let seller = Seller::demo(&server, "MLM");
    let all = seller.subscribe();
    let signed = Receiver::start("");
    let webhook = json!({ "webhook": { "url": signed.url("/signed?shop=7") } });
    server.control("PATCH", &format!("/merchants/{}", seller.user_id), &webhook, 200);
    let body = json!({ "amount": 1500, "additional_info": { "external_reference": "r 1" } });
    let intent = seller.create(&body);
    let outcome = seller.take_card(&json!({}));
    let payment: i64 = outcome["payment"]["id"].as_str().unwrap().parse().unwrap();

    let finished = all.told(&intent, "FINISHED");
    let states: Vec<Value> = all.notices().iter().map(|one| one.body["state"].clone()).collect();
    assert_eq!(states, ["ON_TERMINAL", "PROCESSING", "PROCESSED", "FINISHED"]);
    assert!(all.notices()[..3].iter().all(|one| one.body.get("payment").is_none()));
    let created_at = finished.body["created_at"].as_str().unwrap().to_owned();
    assert_eq!(created_at.len(), "2026-03-02 14:05:09".len(), "{created_at}");
    let expected = json!({
        "additional_info": { "external_reference": "r 1" },
        "amount": 1500,
        "caller_id": seller.user_id,
        "client_id": 1_000_000_000_000_001_i64,
        "created_at": created_at,
        "id": intent,
        "payment": { "id": payment, "state": "approved", "type": "credit_card" },
        "state": "FINISHED",
    });
    assert_eq!(finished.body, expected);

    let notice = signed.told(&intent, "FINISHED");
    assert_eq!(notice.body, expected);
    assert_eq!(signed.notices().len(), 1, "the signed webhook is told the end alone");
    check_signature(&server, &notice, &intent);
    let deliveries = server.list("deliveries", "/deliveries");
    assert_eq!(deliveries.len(), 5, "{deliveries:?}");
}

fn check_signature(server: &Server<'_>, notice: &Notice, intent: &str) {
    let world = server.control("GET", "/worlds/demo", &Value::Null, 200);
    let secret = world["mercado_pago"]["webhook_secret"].as_str().unwrap();
    assert_eq!(notice.target, format!("/signed?shop=7&data.id={intent}&type=point_integration_wh"));
    let signature = notice.header("x-signature");
    let (ts, v1) = signature.strip_prefix("ts=").unwrap().split_once(",v1=").unwrap();
    assert!(ts.len() == 10 && ts.bytes().all(|digit| digit.is_ascii_digit()), "seconds: {ts}");
    let id = notice.header("x-request-id");
    assert!(!id.is_empty());
    assert_eq!(v1, hmac_hex(secret, &format!("id:{intent};request-id:{id};ts:{ts};")));
}

fn one_key_stays_one_intent_across_a_restart(place: &Place) {
    let server = Server::start(place);
    let request = |server: &Server<'_>, key: &str, amount: i64| {
        let seller = Seller::demo(server, "MLA");
        let call = seller.creation(&json!({ "amount": amount })).header("x-idempotency-key", key);
        server.send(&call)
    };
    let first = request(&server, "k-1", 1500).expect(201);
    let server = server.restart();
    assert_eq!(request(&server, "k-1", 1500).expect(201).text(), first.text());
    // Another body, another key, or none at all is another intent, and the terminal is taken.
    request(&server, "k-1", 1600).expect(409);
    request(&server, "k-2", 1500).expect(409);
    let seller = Seller::demo(&server, "MLA");
    seller.post(&json!({ "amount": 1500 })).expect(409);
    seller.cancel(first.json()["id"].as_str().unwrap()).expect(200);
    assert_eq!(request(&server, "k-1", 1500).expect(201).text(), first.text());
    let target = Call::get("/_cobro/v1/events?limit=10");
    assert_eq!(server.send(&target).json()["events"].as_array().unwrap().len(), 2);
}
