//! Every way in which an intent ends, and what may be done with it in each state.

use serde_json::{Value, json};

use crate::place::Place;
use crate::point::Seller;
use crate::receiver::Receiver;
use crate::server::Server;

/// The states that were told for an intent, in the order in which they came.
fn states(receiver: &Receiver, intent: &str) -> Vec<String> {
    let notices = receiver.notices();
    let of_intent = notices.iter().filter(|notice| notice.body["id"] == intent);
    of_intent.map(|notice| notice.body["state"].as_str().unwrap().to_owned()).collect()
}

/// An intent of this amount to its end: its id, the outcome, and the body that tells of the end.
fn ended(seller: &Seller<'_>, receiver: &Receiver, amount: i64, card: &Value) -> (String, Value) {
    let intent = seller.create(&json!({ "amount": amount }));
    let outcome = seller.take_card(card);
    let state = outcome["intent"]["state"].as_str().unwrap();
    let told = receiver.told(&intent, state).body;
    assert_eq!(seller.intent(&intent)["state"], state);
    let mut passed = vec!["ON_TERMINAL", "PROCESSING"];
    if state == "FINISHED" {
        passed.push("PROCESSED");
    }
    passed.push(state);
    assert_eq!(states(receiver, &intent), passed, "{amount}");
    let payment = &outcome["payment"]["id"];
    assert_eq!(seller.intent(&intent)["payment"]["id"], *payment, "{amount}");
    if let Some(number) = payment.as_str() {
        assert_eq!(told["payment"]["id"], number.parse::<i64>().unwrap());
    }
    (intent, json!({ "outcome": outcome, "told": told["payment"] }))
}

#[test]
fn magic_amounts_in_both_units() {
    let place = Place::sqlite();
    let server = Server::start(&place);
    let seller = Seller::demo(&server, "MLA");
    let receiver = seller.subscribe();
    let none = Value::Null;
    // amount, outcome, state told of the payment, its status and detail
    let table = [
        (1_100, "reversed", "reversed", "cancelled", "reversed"),
        (110_000, "reversed", "reversed", "cancelled", "reversed"),
        (1_200, "rejected", "rejected", "rejected", "cc_rejected_other_reason"),
        (120_000, "rejected", "rejected", "rejected", "cc_rejected_other_reason"),
        (1_300, "error", "", "", ""),
        (130_000, "error", "", "", ""),
        (1_400, "approved", "approved", "approved", "accredited"),
        (11_000, "approved", "approved", "approved", "accredited"),
    ];
    for (amount, outcome, told, status, detail) in table {
        let (_, end) = ended(&seller, &receiver, amount, &json!({}));
        assert_eq!(end["outcome"]["outcome"], outcome, "{amount}");
        let state = &end["outcome"]["intent"]["state"];
        if outcome == "error" {
            assert_eq!((state, &end["told"]), (&json!("ERROR"), &none));
            assert_eq!(end["outcome"]["payment"], none);
            continue;
        }
        assert_eq!(state, "FINISHED");
        assert_eq!(end["told"]["state"], told);
        assert_eq!(end["told"]["type"], "credit_card");
        let payment = seller.payment(end["outcome"]["payment"]["id"].as_str().unwrap());
        assert_eq!(
            (&payment["status"], &payment["status_detail"]),
            (&json!(status), &json!(detail))
        );
        let collected = payment["transaction_details"]["net_received_amount"] != 0;
        assert_eq!(collected, outcome == "approved", "{amount}");
    }
    let taken: i64 = server
        .list("balances", "/ledger/balances")
        .iter()
        .filter(|balance| balance["account"] == "acquirer_receivable")
        .map(|balance| balance["balance_minor"].as_i64().unwrap())
        .sum();
    assert_eq!(taken, 1_400 + 11_000, "what was not approved is not in the books");
}

fn a_named_card_decides_before_the_amount(place: &Place) {
    let server = Server::start(place);
    let seller = Seller::demo(&server, "MLB");
    let card = |holder: &str| json!({ "card": { "number": "5067766783888311", "holder": holder } });
    for (holder, outcome, detail) in [
        ("APRO", "approved", "accredited"),
        ("FUND", "rejected", "cc_rejected_insufficient_amount"),
        ("SECU", "rejected", "cc_rejected_bad_filled_security_code"),
    ] {
        let intent = seller.create(&json!({ "amount": 1_300 }));
        let end = seller.take_card(&card(holder));
        assert_eq!(end["outcome"], outcome, "{holder}");
        assert_eq!(seller.intent(&intent)["payment"]["type"], "debit_card");
        let payment = seller.payment(end["payment"]["id"].as_str().unwrap());
        assert_eq!(payment["status_detail"], detail);
    }
    // A deferred payment: the intent ends, and the payment is approved 30 seconds later.
    let intent = seller.create(&json!({ "amount": 1_300 }));
    let end = seller.take_card(&card("CONT"));
    assert_eq!(end["outcome"], "pending");
    assert_eq!(seller.intent(&intent)["state"], "FINISHED");
    let payment = end["payment"]["id"].as_str().unwrap();
    assert_eq!(seller.payment(payment)["status"], "in_process");
    seller.advance(31);
    assert_eq!(seller.payment(payment)["status"], "approved");
    // A number that nobody publishes is refused, and appears nowhere.
    seller.create(&json!({ "amount": 1_500 }));
    seller.at_terminal("fetch", &json!({})).expect(200);
    let refused = seller.at_terminal("card", &json!({ "card": "4242424242424242" })).expect(422);
    assert!(!refused.text().contains("4242"), "{}", refused.text());
    assert!(!server.log().contains("4242424242424242"));
}

fn abandoned_when_nobody_takes_it(place: &Place) {
    let server = Server::start(place);
    let seller = Seller::demo(&server, "MLA");
    let receiver = seller.subscribe();
    let open = seller.create(&json!({ "amount": 1500 }));
    seller.advance(590);
    assert_eq!(seller.intent(&open)["state"], "OPEN");
    let moved = seller.advance(20);
    assert_eq!(moved["due"][0]["subject"], *seller.device, "{moved}");
    assert_eq!(seller.intent(&open)["state"], "ABANDONED");
    assert_eq!(receiver.told(&open, "ABANDONED").body.get("payment"), None);

    // Taking it starts the time anew.
    let taken = seller.create(&json!({ "amount": 1500 }));
    seller.advance(590);
    seller.at_terminal("fetch", &json!({})).expect(200);
    seller.advance(590);
    assert_eq!(seller.intent(&taken)["state"], "ON_TERMINAL");
    seller.advance(20);
    assert_eq!(seller.intent(&taken)["state"], "ABANDONED");
    receiver.told(&taken, "ABANDONED");
    assert_eq!(states(&receiver, &taken), ["ON_TERMINAL", "ABANDONED"]);

    // The terminal is free, and what waits too long on it closes by itself.
    let shown = seller.create(&json!({ "amount": 1500 }));
    seller.take_card(&json!({ "hold": true }));
    assert_eq!(seller.intent(&shown)["state"], "PROCESSED");
    seller.advance(31);
    assert_eq!(seller.intent(&shown)["state"], "FINISHED");
    receiver.told(&shown, "FINISHED");
}

fn the_time_of_an_intent_is_not_that_of_the_one_before(place: &Place) {
    let server = Server::start(place);
    let seller = Seller::demo(&server, "MLA");
    let first = seller.create(&json!({ "amount": 1500 }));
    seller.advance(400);
    seller.cancel(&first).expect(200);
    let second = seller.create(&json!({ "amount": 1500 }));
    // Past the end that the first would have had: nothing is told of it.
    assert_eq!(seller.advance(590)["due"], json!([]));
    assert_eq!(seller.intent(&second)["state"], "OPEN");
    let due = seller.advance(20)["due"].clone();
    assert_eq!((&due[0]["kind"], &due[1]), (&json!("abandon"), &Value::Null), "{due}");
    assert_eq!(seller.intent(&second)["state"], "ABANDONED");
    assert_eq!(seller.intent(&first)["state"], "CANCELED");

    // A result is put away long before the intent would have been given up.
    let third = seller.create(&json!({ "amount": 1500 }));
    seller.take_card(&json!({ "hold": true }));
    let due = seller.advance(31)["due"].clone();
    assert_eq!((&due[0]["kind"], &due[1]), (&json!("close_result"), &Value::Null), "{due}");
    assert_eq!(seller.intent(&third)["state"], "FINISHED");
    // Nor does what is left of its time end anything.
    let fourth = seller.create(&json!({ "amount": 1500 }));
    assert_eq!(seller.advance(590)["due"], json!([]));
    assert_eq!(seller.intent(&fourth)["state"], "OPEN");
}

fn an_unanswered_payment_is_reversed(place: &Place) {
    let server = Server::start(place);
    let seller = Seller::demo(&server, "MLB");
    let receiver = seller.subscribe();
    let fault = json!({ "acquirer": "confirmation_required", "terminal": seller.device });
    seller.control("PUT", "/faults", &fault).expect(200);
    let (intent, end) = ended(&seller, &receiver, 1500, &json!({}));
    assert_eq!(end["outcome"]["outcome"], "confirmation_required");
    assert_eq!(end["outcome"]["intent"]["state"], "CONFIRMATION_REQUIRED");
    assert_eq!((&end["told"]["state"], &end["told"]["type"]), (&json!(""), &json!("")));
    let payment = end["outcome"]["payment"]["id"].as_str().unwrap();
    assert_eq!(seller.payment(payment)["status"], "pending");
    seller.refund(payment, &json!({})).expect(400);
    assert!(server.list("postings", "/ledger/postings").is_empty());
    seller.advance(60);
    let undone = seller.payment(payment);
    assert_eq!(
        (&undone["status"], &undone["status_detail"]),
        (&json!("cancelled"), &json!("reversed"))
    );
    assert!(server.list("postings", "/ledger/postings").is_empty());
    assert_eq!(seller.intent(&intent)["state"], "CONFIRMATION_REQUIRED", "which never changes");
    // The fault was for one payment.
    seller.pay(1500);
}

fn cancelling_in_every_state(place: &Place) {
    let server = Server::start(place);
    let seller = Seller::demo(&server, "MLM");
    let receiver = seller.subscribe();
    let busy = |intent: &str| {
        let before = server.traces();
        let body = seller.cancel(intent).expect(409).json();
        assert_eq!((&body["error"], &body["status"]), (&json!("conflict"), &json!(409)));
        let message = body["message"].as_str().unwrap();
        assert!(message.contains("Verify if the intent is already being processed"), "{message}");
        assert_eq!(server.traces(), before);
    };
    let gone = |intent: &str| {
        let before = server.traces();
        let body = seller.cancel(intent).expect(404).json();
        let message = "Not-found - Payment intent doesn't exist";
        assert_eq!((&body["error"], &body["message"]), (&json!("not_found"), &json!(message)));
        assert_eq!(server.traces(), before);
    };

    let open = seller.create(&json!({ "amount": 1500 }));
    assert_eq!(seller.cancel(&open).expect(200).json(), json!({ "id": open }));
    assert_eq!(receiver.told(&open, "CANCELED").body.get("payment"), None);
    gone(&open);

    let taken = seller.create(&json!({ "amount": 1500 }));
    seller.at_terminal("fetch", &json!({})).expect(200);
    busy(&taken);
    seller.at_terminal("cancel", &json!({})).expect(200);
    assert_eq!(seller.intent(&taken)["state"], "CANCELED");
    receiver.told(&taken, "CANCELED");
    gone(&taken);

    let processed = seller.create(&json!({ "amount": 1500 }));
    seller.take_card(&json!({ "hold": true }));
    busy(&processed);
    seller.at_terminal("close", &json!({})).expect(200);
    gone(&processed);

    let failed = seller.create(&json!({ "amount": 1300 }));
    assert_eq!(seller.take_card(&json!({}))["intent"]["state"], "ERROR");
    gone(&failed);

    seller.control("PUT", "/faults", &json!({ "acquirer": "confirmation_required" })).expect(200);
    let unknown = seller.create(&json!({ "amount": 1500 }));
    seller.take_card(&json!({}));
    gone(&unknown);

    let abandoned = seller.create(&json!({ "amount": 1500 }));
    seller.advance(601);
    gone(&abandoned);
}

#[test]
fn a_terminal_offline_or_on_its_own() {
    let place = Place::sqlite();
    let server = Server::start(&place);
    let seller = Seller::demo(&server, "MLA");
    let device = format!("/point/integration-api/devices/{}", seller.device);
    let mode = |word: &str| {
        let call = seller.call("PATCH", &device).json(&json!({ "operating_mode": word }));
        assert_eq!(server.send(&call).expect(200).json(), json!({ "operating_mode": word }));
        let listed = seller.get("/point/integration-api/devices");
        assert_eq!(listed["devices"][0]["operating_mode"], word);
    };

    // With nothing queued the keys do nothing.
    assert_eq!(
        seller.at_terminal("fetch", &json!({})).expect(404).json()["code"],
        "nothing_queued"
    );
    assert_eq!(seller.at_terminal("card", &json!({})).expect(409).json()["code"], "nothing_taken");
    assert_eq!(
        seller.at_terminal("cancel", &json!({})).expect(409).json()["code"],
        "nothing_taken"
    );

    // Offline: what is queued waits.
    seller.change_terminal(&json!({ "online": false }));
    let waiting = seller.create(&json!({ "amount": 1500 }));
    assert_eq!(
        seller.at_terminal("fetch", &json!({})).expect(409).json()["code"],
        "terminal_offline"
    );
    seller.change_terminal(&json!({ "online": true }));
    seller.at_terminal("fetch", &json!({})).expect(200);
    seller.change_terminal(&json!({ "online": false }));
    assert_eq!(
        seller.at_terminal("card", &json!({})).expect(409).json()["code"],
        "terminal_offline"
    );
    assert_eq!(seller.intent(&waiting)["state"], "ON_TERMINAL");
    seller.change_terminal(&json!({ "online": true }));
    assert_eq!(seller.at_terminal("card", &json!({})).expect(200).json()["outcome"], "approved");

    // On its own: it takes no new intents, and keeps the one that it has.
    let kept = seller.create(&json!({ "amount": 1500 }));
    mode("STANDALONE");
    assert_eq!(seller.intent(&kept)["state"], "OPEN");
    seller.cancel(&kept).expect(200);
    let before = server.traces();
    let refused = seller.post(&json!({ "amount": 1500 })).expect(400).json();
    assert_eq!(refused["message"], "The device is not in PDV operating mode");
    assert_eq!(server.traces(), before);
    mode("PDV");
    seller.pay(1500);
}

crate::on_both!(
    a_named_card_decides_before_the_amount,
    abandoned_when_nobody_takes_it,
    the_time_of_an_intent_is_not_that_of_the_one_before,
    an_unanswered_payment_is_reversed,
    cancelling_in_every_state
);
