//! What an intent may say in each country: reference, sections 4.1 and 13.

use serde_json::{Value, json};

use crate::place::Place;
use crate::point::Seller;
use crate::server::Server;

/// What a valid request leads to: the body of the answer without the two ids. The terminal is
/// free again afterwards.
#[track_caller]
fn accepted(seller: &Seller<'_>, body: &Value) -> Value {
    let mut answer = seller.post(body).expect(201).json();
    let members = answer.as_object_mut().unwrap();
    let id = members.remove("id").unwrap();
    assert_eq!(members.remove("device_id").unwrap(), *seller.device);
    seller.cancel(id.as_str().unwrap()).expect(200);
    answer
}

/// The message of a refusal that changed nothing.
#[track_caller]
fn refused(seller: &Seller<'_>, body: &Value) -> String {
    let before = seller.server.traces();
    let answer = seller.post(body).expect(400).json();
    assert_eq!((&answer["error"], &answer["status"]), (&json!("bad_request"), &json!(400)));
    assert_eq!(answer["cause"], json!([]));
    assert_eq!(seller.server.traces(), before, "{body}");
    answer["message"].as_str().unwrap().to_owned()
}

#[test]
fn limits_of_amounts() {
    let place = Place::sqlite();
    let server = Server::start(&place);
    for (site, currency, least, most) in [
        ("MLA", "ARS", 500, 400_000_000),
        ("MLB", "BRL", 100, 7_000_000),
        ("MLM", "MXN", 500, 35_000_000),
    ] {
        let seller = Seller::demo(&server, site);
        for amount in [least, most] {
            let answer = accepted(&seller, &json!({ "amount": amount }));
            assert_eq!(answer["amount"], amount, "{site}");
        }
        let under = refused(&seller, &json!({ "amount": least - 1 }));
        assert_eq!(under, format!("amount: Must be greater than or equal to {least}"));
        let over = refused(&seller, &json!({ "amount": most + 1 }));
        assert_eq!(over, format!("amount: Must be less than or equal to {most}"));
        let (_, payment) = seller.pay(least);
        assert_eq!(seller.payment(&payment)["currency_id"], currency);
    }
}

#[test]
fn the_least_amount_is_a_setting() {
    let place = Place::sqlite();
    let server = Server::start(&place);
    let seller = Seller::demo(&server, "MLA");
    let path = format!("/merchants/{}", seller.user_id);
    let change = json!({ "amount_min_minor": 1500, "payment_id_as_number": true });
    let changed = server.control("PATCH", &path, &change, 200);
    assert_eq!(changed["amount_min_minor"], 1500, "{changed}");
    let under = refused(&seller, &json!({ "amount": 1499 }));
    assert_eq!(under, "amount: Must be greater than or equal to 1500");
    let (intent, payment) = seller.pay(1500);
    let shown = seller.intent(&intent)["payment"]["id"].clone();
    assert_eq!(shown, payment.parse::<i64>().unwrap());
    assert_eq!(
        refused(&Seller::demo(&server, "MLM"), &json!({ "amount": 499 })),
        "amount: Must be greater than or equal to 500"
    );
    // A seller that is not active is nobody.
    server.control("PATCH", &path, &json!({ "state": "inactive" }), 200);
    seller.post(&json!({ "amount": 1500 })).expect(401);
    server.control("PATCH", &path, &json!({ "state": "active" }), 200);
    seller.pay(1500);
}

#[test]
fn members_by_country() {
    let place = Place::sqlite();
    let server = Server::start(&place);
    let info = json!({
        "external_reference": "Pedido 001_x-y", "print_on_terminal": false, "ticket_number": "T1",
    });
    let mut without_ticket = info.clone();
    without_ticket.as_object_mut().unwrap().remove("ticket_number");
    let payment = json!({ "type": "credit_card", "installments": 3, "installments_cost": "buyer" });
    for (site, shown_info) in [("MLA", &info), ("MLB", &without_ticket), ("MLM", &without_ticket)] {
        let seller = Seller::demo(&server, site);
        let is_brazil = site == "MLB";
        let answer = accepted(&seller, &json!({ "amount": 1500, "additional_info": info }));
        assert_eq!(answer["additional_info"], *shown_info, "{site}");
        assert_eq!(answer.get("payment_mode").is_some(), is_brazil);
        let bare = accepted(&seller, &json!({ "amount": 1500 }));
        assert_eq!(bare.get("additional_info"), None, "what was not sent does not come back");
        let more = json!({ "amount": 1500, "description": "Mesa 7", "payment": payment });
        if is_brazil {
            let mut expected = more.clone();
            expected["payment_mode"] = json!("card");
            assert_eq!(accepted(&seller, &more), expected);
        } else {
            let message = refused(&seller, &more);
            for name in ["description", "payment"] {
                let text = format!("Additional property {name} is not allowed");
                assert!(message.contains(&text), "{message}");
            }
        }
    }
}

#[test]
fn payment_options_of_brazil() {
    let place = Place::sqlite();
    let server = Server::start(&place);
    let seller = Seller::demo(&server, "MLB");
    let intent = |payment: &Value| json!({ "amount": 3600, "payment": payment });
    for payment in [
        json!({ "type": "credit_card" }),
        json!({ "type": "debit_card" }),
        json!({ "type": "credit_card", "installments": 1, "installments_cost": "seller" }),
        json!({ "type": "credit_card", "installments": 72 }),
        json!({ "type": "voucher_card", "voucher_type": "sodexo" }),
    ] {
        assert_eq!(accepted(&seller, &intent(&payment))["payment"], payment);
    }
    let one_of = "must be one of the following";
    for (payment, complaint) in [
        (json!({ "type": "pix" }), one_of),
        (json!({ "type": "credit_card", "installments_cost": "bank" }), one_of),
        (json!({ "type": "voucher_card", "voucher_type": "vr" }), one_of),
        (json!({ "type": 1 }), "Invalid type. Expected: string, given: integer"),
        (json!({ "type": "credit_card", "installments": 0 }), "greater than or equal to 1"),
        (json!({ "type": "credit_card", "installments": 73 }), "less than or equal to 72"),
        (json!({ "type": "credit_card", "installments": 1.5 }), "Expected: integer"),
        (json!({ "type": "debit_card", "installments": 2 }), "only allowed with type credit_card"),
        (json!({ "voucher_type": "alelo" }), "only allowed with type voucher_card"),
        (json!({ "id": 7 }), "Additional property id is not allowed"),
        (json!("credit_card"), "Expected: object, given: string"),
    ] {
        let message = refused(&seller, &intent(&payment));
        assert!(message.contains(complaint), "{payment}: {message}");
    }
    // What is asked for is what is taken, and shown.
    let asked = json!({ "type": "credit_card", "installments": 3, "installments_cost": "seller" });
    let id = seller.create(&intent(&asked));
    seller.take_card(&json!({}));
    let shown = seller.intent(&id)["payment"].clone();
    let payment = seller.payment(shown["id"].as_str().unwrap());
    let mut expected = asked.clone();
    expected["id"] = shown["id"].clone();
    assert_eq!(shown, expected);
    assert_eq!(
        (&payment["installments"], &payment["payment_type_id"]),
        (&json!(3), &json!("credit_card"))
    );
    assert_eq!(payment["transaction_details"]["installment_amount"], 12);
}

#[test]
fn a_smart_takes_small_instalments_as_one_payment() {
    let place = Place::sqlite();
    let server = Server::start(&place);
    let seller = Seller::demo(&server, "MLB");
    let pairing = json!({ "merchant": seller.user_id.to_string(), "model": "PAX_A910" });
    let paired = seller.control("POST", "/terminals", &pairing).expect(201).json();
    let smart = seller.at(paired["terminals"][0]["id"].as_str().unwrap());
    for (on, amount, taken) in [(&smart, 1_499, 1), (&smart, 1_500, 3), (&seller, 1_499, 3)] {
        let payment = json!({ "type": "credit_card", "installments": 3 });
        let intent = on.create(&json!({ "amount": amount, "payment": payment }));
        // What was asked for is shown until there is a payment.
        assert_eq!(on.intent(&intent)["payment"]["installments"], 3);
        on.take_card(&json!({}));
        let shown = on.intent(&intent);
        assert_eq!(shown["payment"]["installments"], taken, "{} {amount}", on.device);
        let payment = on.payment(shown["payment"]["id"].as_str().unwrap());
        assert_eq!(payment["installments"], taken);
    }
}
