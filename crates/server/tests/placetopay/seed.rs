//! The samples of seed 004, with authentication, token and dates of the test's own.

use serde_json::{Value, json};

use crate::place::Place;
use crate::server::Server;
use crate::shape::assert_shape;
use crate::shop::{COLOMBIA, payer, send};

crate::on_both!(
    collect_and_invalidate_as_the_seed_shows_them,
    a_repeated_request_gets_the_stored_answer,
);

/// The request of the seed's collect, but for what is the test's own.
fn sample(token: &str) -> Value {
    json!({
        "locale": "es_CO",
        "payment": {
            "reference": "1122334455",
            "description": "Prueba",
            "amount": { "currency": "USD", "total": 100 },
        },
        "instrument": { "token": { "token": token } },
        "expiration": "2021-12-30T00:00:00-05:00",
        "returnUrl": "https://dnetix.co/p2p/client",
        "ipAddress": "127.0.0.1",
        "userAgent": "PlacetoPay Sandbox",
    })
}

/// The answer of the seed's collect.
fn sample_answer() -> Value {
    json!({
        "requestId": 1,
        "status": { "status": "APPROVED", "reason": "00",
            "message": "La petición ha sido aprobada exitosamente",
            "date": "2021-11-30T15:49:47-05:00" },
        "request": {
            "locale": "es_CO",
            "payer": { "document": "1033332222", "documentType": "CC", "name": "Name",
                "surname": "LastName", "email": "x@example.org", "mobile": "3111111111" },
            "payment": { "reference": "1122334455", "description": "Prueba",
                "amount": { "currency": "USD", "total": 100 },
                "allowPartial": false, "subscribe": false },
            "returnUrl": "https://redirection.test/home",
            "ipAddress": "127.0.0.1",
            "userAgent": "PlacetoPay Sandbox",
            "expiration": "2021-12-30T00:00:00-05:00",
        },
        "payment": [{
            "status": { "status": "APPROVED", "reason": "00", "message": "Aprobada",
                "date": "2021-11-30T15:49:36-05:00" },
            "internalReference": 1,
            "paymentMethod": "visa",
            "paymentMethodName": "Visa",
            "issuerName": "JPMORGAN CHASE BANK, N.A.",
            "amount": { "from": { "currency": "USD", "total": 100 },
                "to": { "currency": "USD", "total": 100 }, "factor": 1 },
            "authorization": "000000",
            "reference": "1122334455",
            "receipt": "241516",
            "franchise": "DF_VS",
            "refunded": false,
            "processorFields": [{ "keyword": "lastDigits", "displayOn": "none" }],
        }],
        "subscription": null,
    })
}

/// The sample with a payer and with every optional member.
fn whole_sample(token: &str) -> Value {
    let mut full = sample(token);
    full["payer"] = json!({ "name": "Juan José", "surname": "Peréz Pinzon",
        "document": "1122334455", "documentType": "CC", "company": "Evertec",
        "email": "juan@example.org", "mobile": "+573214445566",
        "address": { "country": "CO", "state": "Antioquia", "city": "Medellín",
            "postalCode": "050012", "street": "Calle 12 #33a-12, Apto 101",
            "phone": "+573214445566" } });
    full["payment"]["reference"] = json!("Ord: 1001/2023");
    full["payment"]["description"] =
        json!("Cita con el Dr. Pérez a las 10:00 am. 5/12/2024, por $100.00");
    full["payment"]["amount"]["taxes"] =
        json!([{ "kind": "valueAddedTax", "amount": 16, "base": 84 }]);
    full["payment"]["amount"]["details"] = json!([{ "kind": "discount", "amount": 1 }]);
    full["payment"]["items"] = json!([{ "sku": "SKU-12345", "name": "product_1",
        "category": "physical", "qty": 1, "price": 1400, "tax": 100 }]);
    full["payment"]["shipping"] = full["payer"].clone();
    full["payment"]["fields"] = json!([{ "keyword": "1111", "value": "lastDigits" }]);
    full["instrument"]["token"]["installments"] = json!(3);
    full["instrument"]["token"]["cvv"] = json!("123");
    full["instrument"]["pocket"] = json!(10);
    full["instrument"]["credit"] = json!({ "code": 500, "type": "00", "groupCode": "C",
        "installment": 1 });
    full["metadata"] = json!({ "initiatorIndicator": "AGENT" });
    full["buyer"] = payer();
    full
}

fn collect_and_invalidate_as_the_seed_shows_them(place: &Place) {
    let server = Server::start(place);
    let token = COLOMBIA.token(&server, "4111111111111111");

    let answer = COLOMBIA.call(&server, "/api/collect", sample(&token), 200);
    assert_shape("collect", &sample_answer(), &answer);
    assert_eq!(answer["status"]["reason"], "00");
    assert_eq!(answer["status"]["message"], "La petición ha sido aprobada exitosamente");
    assert_eq!(answer["subscription"], Value::Null);
    // Without a payer it is the person of the token.
    assert_eq!(answer["request"]["payer"]["document"], payer()["document"]);
    assert_eq!(answer["request"]["expiration"], "2021-12-30T00:00:00-05:00");
    assert_eq!(answer["request"]["returnUrl"], "https://dnetix.co/p2p/client");
    let transaction = &answer["payment"][0];
    assert_eq!(transaction["issuerName"], "JPMORGAN CHASE BANK, N.A.");
    assert_eq!(transaction["amount"], sample_answer()["payment"][0]["amount"]);
    assert_eq!(crate::shop::keyword(&transaction["processorFields"], "lastDigits"), "1111");
    assert!(transaction["internalReference"].as_i64().unwrap() < i64::from(i32::MAX));
    let receipt = transaction["receipt"].as_str().unwrap();
    assert!(receipt.parse::<i64>().is_ok(), "{receipt}");

    let full = whole_sample(&token);
    let answer = COLOMBIA.call(&server, "/api/collect", full.clone(), 200);
    assert_shape("full collect", &sample_answer(), &answer);
    let request = &answer["request"];
    assert_eq!(request["payer"], full["payer"]);
    assert_eq!(request["payment"]["shipping"], full["payer"]);
    assert_eq!(request["payment"]["items"], full["payment"]["items"]);
    assert_eq!(request["payment"]["amount"], full["payment"]["amount"]);
    assert_eq!(request["metadata"]["initiatorIndicator"], "AGENT");

    let mut invalidate =
        json!({ "locale": "en_US", "instrument": { "token": { "token": token } } });
    let answer = COLOMBIA.call(&server, "/api/instrument/invalidate", invalidate.clone(), 200);
    assert_eq!(answer["status"]["status"], "APPROVED");
    assert_eq!(answer["status"]["reason"], "00");
    assert_eq!(answer["status"]["message"], "The petition has been successfully approved");
    assert_eq!(answer.as_object().unwrap().len(), 1);

    invalidate["locale"] = json!("es_CO");
    for (path, body) in [
        ("/api/instrument/invalidate", invalidate),
        ("/api/collect", crate::shop::collect("OTHER", 500, &token)),
        ("/api/gateway/token", json!({ "instrument": { "token": { "token": token } } })),
    ] {
        let refused = COLOMBIA.call(&server, path, body, 400);
        assert_eq!(refused["status"]["reason"], "XN", "{path}");
        assert_eq!(refused["status"]["message"], "El token usado es inválido", "{path}");
    }
}

fn a_repeated_request_gets_the_stored_answer(place: &Place) {
    let server = Server::start(place);
    let token = COLOMBIA.token(&server, "4111111111111111");
    let body = COLOMBIA.signed(json!({ "instrument": { "token": { "token": token } } }));
    let path = "/api/instrument/invalidate";
    let first = send(&server, path, &body).expect(200);
    assert_eq!(send(&server, path, &body).expect(200).body, first.body);
    // The prefix leads to the same.
    let path = "/placetopay/api/instrument/invalidate";
    assert_eq!(send(&server, path, &body).expect(200).body, first.body);
    let fresh = json!({ "instrument": { "token": { "token": token } } });
    COLOMBIA.call(&server, path, fresh, 400);

    let session = COLOMBIA.signed(crate::shop::subscription());
    let first = send(&server, "/api/session", &session).expect(200);
    assert_eq!(send(&server, "/api/session", &session).expect(200).body, first.body);
    let other = COLOMBIA.call(&server, "/api/session", crate::shop::subscription(), 200);
    assert_ne!(other["requestId"], first.json()["requestId"]);
}
