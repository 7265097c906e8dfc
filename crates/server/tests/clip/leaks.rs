//! Canary cards and codes: looked for wherever a server leaves something.

use serde_json::{Value, json};

use crate::http::Call;
use crate::place::Place;
use crate::receiver::Receiver;
use crate::server::Server;
use crate::shared::canaries::{CODE, Canaries};
use crate::shop::{CAFE, payment};

/// Numbers whose appearance anywhere is a leak.
const CARDS: [&str; 3] = ["5216509312757445", "4065503514846523", "349996347610601"];

/// Everything that a shop can do with a card, also what is refused.
fn use_everything(server: &Server<'_>, card: &str, webhook: &str, answers: &mut Vec<Vec<u8>>) {
    let mut call = |path: &str, body: &Value, status: u16| {
        let answer = CAFE.send(server, Call::new("POST", path).json(body)).expect(status);
        answers.push(answer.body.clone());
        answer.json()
    };
    let typed = |number: &str| {
        json!({ "cardholder_name": "Canary Lopez", "card_number": number, "card_exp_month": "12",
            "card_exp_year": "2035", "cvv": CODE })
    };
    let groups = if card.len() == 16 {
        format!("{} {} {} {}", &card[..4], &card[4..8], &card[8..12], &card[12..])
    } else {
        card.to_owned()
    };
    let mut tokens: Vec<String> = Vec::new();
    for number in [card, &groups] {
        let made = call("/card_tokens", &typed(number), 201);
        tokens.push(made["id"].as_str().unwrap().to_owned());
    }
    // Where no card's number belongs, and a card that is refused.
    for (name, value) in [("cardholder_name", card), ("card_exp_year", "2001"), ("cvv", "1")] {
        let mut wrong = typed(card);
        wrong[name] = json!(value);
        call("/card_tokens", &wrong, 400);
    }
    let mut body = payment(&tokens[0], "100");
    body["webhook_url"] = json!(webhook);
    let mut wrong = body.clone();
    wrong["customer"]["first_name"] = json!(groups);
    call("/payments", &wrong, 400);
    let paid = call("/payments", &body, 201);
    body["payment_method"]["token"] = json!(tokens[1]);
    body["prevention_data"] = json!({ "request_3ds": true });
    let waiting = call("/payments", &body, 201);
    let path = format!("/sessions/{}/pay", waiting["id"].as_str().unwrap());
    server.control("POST", &path, &json!({ "otp": "12345" }), 200);
    let refund = json!({ "reference": { "type": "payment", "id": paid["id"] }, "amount": 10,
        "reason": "x" });
    call("/refunds", &refund, 200);
    let link = json!({ "amount": 5, "currency": "MXN", "purchase_description": "x",
        "webhook_url": webhook });
    let link = call("/v2/checkout", &link, 200);
    let path = format!("/sessions/{}/pay", link["payment_request_id"].as_str().unwrap());
    let named = json!({ "number": card, "expiration": "12/35", "cvv": CODE, "holder": "Canary" });
    server.control("POST", &path, &json!({ "card": named }), 200);
    for target in ["/payments?from=2020-01-01&to=2099-01-01", "/payments?limit=5&from=2020-01-01"] {
        answers.push(CAFE.send(server, Call::get(target)).body);
    }
}

#[test]
fn cards_codes_and_secrets_are_nowhere() {
    let place = Place::sqlite();
    let receiver = Receiver::start("");
    let server = Server::start_logging(&place, "trace");
    let mut answers = Vec::new();
    for card in CARDS {
        use_everything(&server, card, &receiver.url("/n"), &mut answers);
    }
    // Of each card: two payments, one of them told twice, a refund, a link made and paid.
    receiver.wait_for(CARDS.len() * 6);
    let secrets = [CARDS[0], CARDS[1], CARDS[2], CAFE.secret];
    let canaries = Canaries(&secrets);
    for answer in &answers {
        canaries.assert_not_in("an answer", answer);
    }
    canaries.assert_not_told(&server, &[&receiver], &["requests", "events", "deliveries"]);
    assert!(canaries.assert_not_below(place.directory()) > 3);
    drop(server);
    assert!(canaries.assert_not_below(place.directory()) > 3);
}
