//! Refunds on the terminal: reference, section 5.

use serde_json::{Value, json};

use crate::ask;
use crate::http::{Answer, Call};
use crate::place::Place;
use crate::point::Seller;
use crate::server::Server;

const API: &str = "/point/integration-api";

fn target(device: &str) -> String {
    format!("{API}/devices/{device}/refund")
}

fn post(seller: &Seller<'_>, body: &Value) -> Answer {
    seller.server.send(&seller.call("POST", &target(&seller.device)).json(body))
}

fn create(seller: &Seller<'_>, payment: &str) -> String {
    let refund = post(seller, &json!({ "payment_id": payment })).expect(201).json();
    refund["id"].as_str().unwrap().to_owned()
}

fn cancel(seller: &Seller<'_>, refund: &str) -> Answer {
    let target = format!("{}/{refund}", target(&seller.device));
    seller.server.send(&seller.call("DELETE", &target))
}

fn read(seller: &Seller<'_>, refund: &str) -> Value {
    seller.get(&format!("{API}/refund/{refund}"))
}

fn state(seller: &Seller<'_>, refund: &str) -> String {
    read(seller, refund)["state"].as_str().unwrap().to_owned()
}

fn the_whole_way(place: &Place) {
    let server = Server::start(place);
    let seller = Seller::demo(&server, "MLA");
    let receiver = seller.subscribe();
    let (_, payment) = seller.pay(150_000);
    let info = json!({ "print_on_terminal": ["SELLER_TICKET", "BUYER_TICKET"] });
    let body = json!({ "payment_id": payment, "additional_info": info });
    let made = post(&seller, &body).expect(201).json();
    let id = made["id"].as_str().unwrap().to_owned();
    let device = &seller.device;
    let sent = json!({ "additional_info": info, "device_id": device, "id": id,
                       "payment_id": payment });
    assert_eq!(made, sent);
    let mut shown = sent.clone();
    shown["state"] = json!("OPEN");
    assert_eq!(read(&seller, &id), shown);

    // It has the terminal's one place, and is no payment intent.
    let error = post(&seller, &body).expect(409).json();
    assert_eq!(error["error"], "2205");
    let error = seller.post(&json!({ "amount": 1500 })).expect(409).json();
    assert_eq!(error["message"], "There is already a queued intent for the device");
    let intent = format!("{API}/payment-intents/{id}");
    ask(&server, &seller.token, ("GET", &intent), &Value::Null, 404);
    ask(&server, &seller.token, ("GET", &format!("{intent}/events")), &Value::Null, 404);
    let clock = server.control("GET", "/clock", &Value::Null, 200);
    let day = &clock["now"].as_str().unwrap()[..10];
    let events = format!("{API}/payment-intents/events?startDate={day}&endDate={day}");
    assert!(!seller.get(&events).to_string().contains(&id));
    seller.cancel(&id).expect(404);
    let terminal = seller.terminal();
    assert_eq!(terminal["intent"]["id"], *id, "{terminal}");
    assert_eq!(
        (&terminal["intent"]["refund"], &terminal["intent"]["amount_minor"]),
        (&json!(true), &json!(150_000))
    );

    seller.at_terminal("fetch", &json!({})).expect(200);
    assert_eq!(state(&seller, &id), "ON_TERMINAL");
    let outcome = seller.at_terminal("card", &json!({})).expect(200).json();
    assert_eq!(outcome["intent"], json!({ "id": id, "state": "FINISHED" }));
    assert_eq!(
        (&outcome["outcome"], &outcome["payment"]["id"]),
        (&json!("approved"), &json!(payment))
    );
    assert_eq!(state(&seller, &id), "FINISHED");
    let terminal = seller.terminal();
    assert_eq!(terminal["intent"], Value::Null);
    // The tickets that were asked for make the terminal print.
    assert_eq!(terminal["last"]["print"], true);
    let refunded = seller.payment(&payment);
    assert_eq!(
        (&refunded["status"], &refunded["status_detail"]),
        (&json!("refunded"), &json!("refunded"))
    );
    assert_eq!(refunded["transaction_amount_refunded"], 1500);
    let refunds = seller.get(&format!("/v1/payments/{payment}/refunds"));
    assert_eq!(refunds.as_array().unwrap().len(), 1);
    assert_eq!((&refunds[0]["amount"], &refunds[0]["status"]), (&json!(1500), &json!("approved")));
    cancel(&seller, &id).expect(404);

    // Nobody is told of it; what comes after it is told.
    let (next, _) = seller.pay(1_500);
    receiver.told(&next, "FINISHED");
    assert!(receiver.notices().iter().all(|notice| notice.body["id"] != *id));
    drop(server);
    let server = Server::start(place);
    assert_eq!(state(&Seller::demo(&server, "MLA"), &id), "FINISHED");
}

fn cancelled_in_every_state(place: &Place) {
    let server = Server::start(place);
    let seller = Seller::demo(&server, "MLA");
    let (_, touched) = seller.pay(150_000);
    let inserted = {
        seller.create(&json!({ "amount": 150_000 }));
        let outcome = seller.take_card(&json!({ "entry": "insert" }));
        outcome["payment"]["id"].as_str().unwrap().to_owned()
    };

    let open = create(&seller, &touched);
    assert_eq!(cancel(&seller, &open).expect(200).json(), json!({ "id": open }));
    assert_eq!(state(&seller, &open), "CANCELED");
    let error = cancel(&seller, &open).expect(404).json();
    assert_eq!(error["message"], "Not-found - Refund intent doesn't exist");

    // A terminal that has it lets go of it when the card was contactless.
    let taken = create(&seller, &touched);
    seller.at_terminal("fetch", &json!({})).expect(200);
    cancel(&seller, &taken).expect(200);
    assert_eq!(state(&seller, &taken), "CANCELED");
    let kept = create(&seller, &inserted);
    seller.at_terminal("fetch", &json!({})).expect(200);
    let error = cancel(&seller, &kept).expect(409).json();
    let text = "Verify if the intent is already being processed";
    assert!(error["message"].as_str().unwrap().contains(text), "{error}");
    seller.at_terminal("cancel", &json!({})).expect(200);
    assert_eq!(state(&seller, &kept), "CANCELED");

    for fetched in [false, true] {
        let left = create(&seller, &touched);
        if fetched {
            seller.at_terminal("fetch", &json!({})).expect(200);
        }
        seller.advance(600);
        assert_eq!(state(&seller, &left), "ABANDONED");
    }
    assert_eq!(seller.payment(&touched)["status"], "approved");
    assert_eq!(seller.terminal()["intent"], Value::Null);
}

fn what_is_left(place: &Place) {
    let server = Server::start(place);
    let seller = Seller::demo(&server, "MLA");
    // A part went back before: the rest goes back.
    let (_, payment) = seller.pay(150_000);
    seller.refund(&payment, &json!({ "amount": 500 })).expect(201);
    let refund = create(&seller, &payment);
    seller.take_card(&json!({}));
    assert_eq!(state(&seller, &refund), "FINISHED");
    let refunds = seller.get(&format!("/v1/payments/{payment}/refunds"));
    let amounts: Vec<_> = refunds.as_array().unwrap().iter().map(|one| &one["amount"]).collect();
    assert_eq!(amounts, [&json!(500), &json!(1000)]);
    let error = post(&seller, &json!({ "payment_id": payment })).expect(400).json();
    assert_eq!(error["cause"][0]["code"], 2063);

    // Everything goes back while it is queued: it ends in an error, and the terminal is free.
    let (_, payment) = seller.pay(150_000);
    let refund = create(&seller, &payment);
    seller.refund(&payment, &json!({})).expect(201);
    let outcome = seller.take_card(&json!({}));
    assert_eq!(outcome["outcome"], "error", "{outcome}");
    assert_eq!(state(&seller, &refund), "ERROR");
    let refunds = seller.get(&format!("/v1/payments/{payment}/refunds"));
    assert_eq!(refunds.as_array().unwrap().len(), 1);
    seller.pay(1_500);

    // A fault is for payments, and waits for one.
    let (_, payment) = seller.pay(150_000);
    create(&seller, &payment);
    seller.control("PUT", "/faults", &json!({ "acquirer": "rejected" })).expect(200);
    assert_eq!(seller.take_card(&json!({}))["outcome"], "approved");
    seller.create(&json!({ "amount": 1_500 }));
    assert_eq!(seller.take_card(&json!({}))["outcome"], "rejected");
}

fn what_is_refused(place: &Place) {
    let server = Server::start(place);
    let seller = Seller::demo(&server, "MLA");
    let other = Seller::demo(&server, "MLM");
    let (_, payment) = seller.pay(150_000);
    let (_, foreign) = other.pay(150_000);
    let paired = json!({ "merchant": "100000001" });
    let second = server.control("POST", "/terminals", &paired, 201);
    let second = seller.at(second["terminals"][0]["id"].as_str().unwrap());
    let wanted = |payment: &str| json!({ "payment_id": payment });
    let unknown = "Device or Payment not found";
    for (seller, body, status, message) in [
        (&second, wanted(&payment), 404, unknown),
        (&seller, wanted("18308029193"), 404, unknown),
        (&seller, wanted(&foreign), 404, unknown),
        (&seller.at(&other.device), wanted(&payment), 403, "Forbidden Error checking device owner"),
        (&seller.at("PAX_A910__X"), wanted(&payment), 403, "Forbidden Error checking device owner"),
        (&seller.at("nonsense"), wanted(&payment), 400, "Device id incorrect format"),
        (&seller, json!({}), 400, "payment_id is required"),
        (&seller, json!({ "payment_id": payment, "amount": 5 }), 400, "Additional property amount"),
    ] {
        let error = post(seller, &body).expect(status).json();
        assert!(error["message"].as_str().unwrap().contains(message), "{error}");
    }
    let rejected = {
        seller.create(&json!({ "amount": 1_200 }));
        seller.take_card(&json!({}))["payment"]["id"].as_str().unwrap().to_owned()
    };
    let error = post(&seller, &wanted(&rejected)).expect(400).json();
    assert_eq!(error["cause"][0]["code"], 2063);
    seller.change_terminal(&json!({ "operating_mode": "STANDALONE" }));
    let error = post(&seller, &wanted(&payment)).expect(400).json();
    assert_eq!(error["message"], "The device is not in PDV operating mode");
    seller.change_terminal(&json!({ "operating_mode": "PDV" }));

    let refund = create(&seller, &payment);
    let none = "0f6f3c52-0d0e-4b7e-9d3b-6a3f5a1c7e20";
    for (token, id) in
        [(&other.token, refund.as_str()), (&seller.token, none), (&seller.token, "x")]
    {
        ask(&server, token, ("GET", &format!("{API}/refund/{id}")), &Value::Null, 404);
    }
    cancel(&seller, none).expect(404);
    cancel(&seller, "x").expect(404);
    cancel(&second, &refund).expect(404);
    cancel(&seller.at(&other.device), &refund).expect(403);
    let nobody = Call::get(&format!("{API}/refund/{refund}"));
    server.send(&nobody).expect(401);

    // In Brazil one model alone gives money back.
    let brazilian = Seller::demo(&server, "MLB");
    let (_, payment) = brazilian.pay(150_000);
    let paired = json!({ "merchant": "100000002", "model": "PAX_A910" });
    let smart = server.control("POST", "/terminals", &paired, 201);
    let smart = brazilian.at(smart["terminals"][0]["id"].as_str().unwrap());
    let error = post(&smart, &wanted(&payment)).expect(400).json();
    assert_eq!(error["message"], "The device does not support refunds");
    create(&brazilian, &payment);
}

fn a_key_makes_one(place: &Place) {
    let server = Server::start(place);
    let seller = Seller::demo(&server, "MLA");
    let (_, payment) = seller.pay(150_000);
    let body = json!({ "payment_id": payment });
    let call = seller.call("POST", &target(&seller.device)).json(&body);
    let call = call.header("x-idempotency-key", "k1");
    let first = server.send(&call).expect(201);
    let again = server.send(&call).expect(201);
    assert_eq!(first.text(), again.text());
    seller.take_card(&json!({}));
    assert_eq!(server.send(&call).expect(201).text(), first.text());
    let refunds = seller.get(&format!("/v1/payments/{payment}/refunds"));
    assert_eq!(refunds.as_array().unwrap().len(), 1);
}

crate::on_both!(
    the_whole_way,
    what_is_left,
    what_is_refused,
    a_key_makes_one,
    cancelled_in_every_state
);
