//! Card tokens: single use, a quarter of an hour, the published cards with their outcomes.

use serde_json::{Value, json};

use crate::http::Call;
use crate::place::Place;
use crate::server::Server;
use crate::shape::assert_shape;
use crate::shop::{APPROVES, CAFE, assert_refused, card, payment};

#[test]
fn a_token_says_what_may_be_known_of_its_card() {
    let place = Place::sqlite();
    let server = Server::start(&place);
    let made = CAFE.post(&server, "/card_tokens", &card(APPROVES), 201);
    // Reference, section 2.9.
    let sample = json!({
        "id": "9144b8f0-e4cb-4e14-8412-d2b4d8967001",
        "card": { "bin": "517713", "last_digits": "4515", "exp_month": "12", "exp_year": "29",
            "name": "Ana Lopez", "country": "MX", "issuer": "SANTANDER MEXICO" },
        "created_at": "2025-03-04T17:20:00Z",
        "expires_at": "2025-03-04T17:35:00Z",
    });
    assert_shape("a card token", &sample, &made);
    let mut expected = sample["card"].clone();
    expected["exp_year"] = json!("35");
    assert_eq!(made["card"], expected);
    assert_eq!(made["id"].as_str().unwrap().len(), 36);
}

fn a_token_is_good_for_one_payment_and_a_quarter_of_an_hour(place: &Place) {
    let server = Server::start(place);
    let pay = |token: &str| {
        CAFE.send(&server, Call::new("POST", "/payments").json(&payment(token, "10")))
    };
    let used = CAFE.token(&server, APPROVES);
    assert_eq!(pay(&used).status, 201);
    assert_refused(&pay(&used), 400, "CL2290", "a token that was used");
    // A card that is declined has been used, too.
    let declined = CAFE.token(&server, crate::shop::NO_FUNDS);
    assert_eq!(pay(&declined).expect(201).json()["status"], "rejected");
    assert_refused(&pay(&declined), 400, "CL2290", "a token that was declined");
    let (in_time, late) = (CAFE.token(&server, APPROVES), CAFE.token(&server, APPROVES));
    server.control("POST", "/clock/advance", &json!({ "seconds": 14 * 60 }), 200);
    assert_eq!(pay(&in_time).status, 201);
    server.control("POST", "/clock/advance", &json!({ "seconds": 61 }), 200);
    assert_refused(&pay(&late), 400, "CL2290", "a token that has expired");
    for unknown in ["9144b8f0-e4cb-4e14-8412-d2b4d8967001", "x"] {
        assert_refused(&pay(unknown), 400, "CL2290", unknown);
    }
}

#[test]
fn a_token_of_another_merchant_is_as_unknown_as_any_other() {
    let place = Place::sqlite();
    let server = Server::start(&place);
    let world = server.control("POST", "/worlds", &json!({}), 201);
    let other = crate::shop::Shop {
        key: world["clip"]["api_key"].as_str().unwrap(),
        secret: world["clip"]["secret"].as_str().unwrap(),
    };
    let foreign = other.token(&server, APPROVES);
    let call = Call::new("POST", "/payments").json(&payment(&foreign, "10"));
    assert_refused(&CAFE.send(&server, call), 400, "CL2290", "a foreign token");
}

/// The published cards (reference, section 2.10), by row and outcome.
const TABLE: [(&str, &str, [&str; 5]); 13] = [
    (
        "debit_amex",
        "MX",
        [
            "377770358335399",
            "377770541774520",
            "377770520127013",
            "377770887509613",
            "377770935123896",
        ],
    ),
    (
        "debit_amex",
        "US",
        [
            "349028833584288",
            "349028153670097",
            "349028915463054",
            "349028444099841",
            "349028694976300",
        ],
    ),
    (
        "amex",
        "MX",
        [
            "379907880667372",
            "379907148479842",
            "379907289747023",
            "379907456170025",
            "379907519095607",
        ],
    ),
    (
        "amex",
        "US",
        [
            "349996347610601",
            "349996704195386",
            "349996210951538",
            "349996436877459",
            "349996943913540",
        ],
    ),
    (
        "debit_visa",
        "US",
        [
            "4436968353241031",
            "4436965656541760",
            "4436968834203659",
            "4436969496650369",
            "4436965538616277",
        ],
    ),
    (
        "prepaid_visa",
        "MX",
        ["4746469153355902", "", "4746464772355300", "4746467113246237", "4746462229056935"],
    ),
    (
        "visa",
        "MX",
        [
            "4555128482797669",
            "4555126387272952",
            "4555124951976546",
            "4555126464792591",
            "4555127277126233",
        ],
    ),
    (
        "visa",
        "US",
        [
            "4065503514846523",
            "4065507860853728",
            "4065508500608936",
            "4065508992011896",
            "4065505330411929",
        ],
    ),
    (
        "debit_visa",
        "MX",
        [
            "4208318689081956",
            "4208312218017433",
            "4208316178021657",
            "4208316706262831",
            "4208318842645341",
        ],
    ),
    (
        "debit_master",
        "US",
        [
            "5581168067405507",
            "5581161719999118",
            "5581162926959622",
            "5581165965928960",
            "5581166638502158",
        ],
    ),
    (
        "prepaid_master",
        "MX",
        [
            "5241739156938129",
            "5241738495336110",
            "5241736984606092",
            "5241732108979242",
            "5241738955054229",
        ],
    ),
    (
        "master",
        "MX",
        [
            "5177136199824515",
            "5177134282349839",
            "5177132762165477",
            "5177137336291766",
            "5177131151610598",
        ],
    ),
    (
        "master",
        "US",
        [
            "5216509312757445",
            "5216505450131153",
            "5216506995049843",
            "5216502876379557",
            "5216507997638146",
        ],
    ),
];

#[test]
fn the_published_cards_do_what_is_published() {
    const OUTCOMES: [(&str, &str); 5] = [
        ("approved", "AP-PAI01"),
        ("rejected", "RE-ISS01"),
        ("rejected", "RE-ISS02"),
        ("rejected", "RE-ISS03"),
        ("rejected", "RE-ISS08"),
    ];
    let place = Place::sqlite();
    let server = Server::start(&place);
    for (method, country, numbers) in TABLE {
        for (number, (status, code)) in numbers.into_iter().zip(OUTCOMES) {
            if number.is_empty() {
                continue;
            }
            let paid = CAFE.pay(&server, number, "1");
            assert_eq!(paid["status"], status, "{number}");
            assert_eq!(paid["status_detail"]["code"], code, "{number}");
            assert_eq!(paid["payment_method"]["id"], method, "{number}");
            assert_eq!(paid["payment_method"]["card"]["country"], country, "{number}");
            assert_eq!(paid["payment_method"]["card"]["last_digits"], number[number.len() - 4..]);
        }
    }
    // The vault is shared: another dialect's card works here too.
    assert_eq!(CAFE.pay(&server, "4111111111111111", "1")["status"], "approved");
}

#[test]
fn bad_cards_are_refused_and_nothing_is_kept() {
    let place = Place::sqlite();
    let server = Server::start(&place);
    let before = server.traces();
    let missing: [&[&str]; 6] = [
        &["cardholder_name"],
        &["card_number"],
        &["card_exp_month"],
        &["card_exp_year"],
        &["cvv"],
        &["card_number", "cvv"],
    ];
    for names in missing {
        for absent in [Value::Null, json!("")] {
            let mut body = card(APPROVES);
            for name in names {
                body[name] = absent.clone();
            }
            let answer = CAFE.send(&server, Call::new("POST", "/card_tokens").json(&body));
            assert_refused(&answer, 400, "CL2200", &body.to_string());
            assert_eq!(answer.json()["detail"].as_array().unwrap().len(), names.len());
        }
    }
    let wrong = [
        ("card_number", json!("5177136199824516")),
        ("card_number", json!("4111")),
        ("card_number", json!("51771361998245155177")),
        ("card_number", json!("５１７７136199824515")),
        ("card_number", json!({ "number": APPROVES })),
        // Luhn is right, but nobody published it.
        ("card_number", json!("4242424242424242")),
        ("card_exp_month", json!("13")),
        ("card_exp_month", json!("00")),
        ("card_exp_month", json!("x")),
        ("card_exp_year", json!("20")),
        ("card_exp_year", json!("2020")),
        ("card_exp_year", json!("203")),
        ("cvv", json!("12")),
        ("cvv", json!("12345")),
        ("cvv", json!("abc")),
        ("cardholder_name", json!(APPROVES)),
        ("cardholder_name", json!("A".repeat(121))),
        ("cardholder_name", json!(["Ana"])),
    ];
    for (name, value) in wrong {
        let mut body = card(APPROVES);
        body[name] = value;
        let answer = CAFE.send(&server, Call::new("POST", "/card_tokens").json(&body));
        assert_refused(&answer, 400, "CL2290", &body.to_string());
        assert!(!answer.text().contains(APPROVES), "{}", answer.text());
    }
    for body in ["", " ", "[]", "{", "null", "{\"cvv\":1,\"cvv\":2}", "\u{feff}{}"] {
        let answer = CAFE.send(&server, Call::new("POST", "/card_tokens").body(body));
        assert_eq!(answer.status, 400, "{body:?}: {}", answer.text());
    }
    let answer = server.send(&Call::new("POST", "/card_tokens").json(&card(APPROVES)));
    assert_refused(&answer, 401, "CL1501", "no credential");
    assert_eq!(server.traces(), before);
}

crate::on_both!(a_token_is_good_for_one_payment_and_a_quarter_of_an_hour);
