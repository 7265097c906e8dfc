//! Bad input: each is refused in the dialect's own words, and nothing changes.

use serde_json::{Value, json};

use crate::http::{Answer, Call};
use crate::place::Place;
use crate::point::Seller;
use crate::server::Server;

const API: &str = "/point/integration-api";

/// A server with something to damage: a payment, a queued intent, and another seller's.
struct Shop<'s> {
    server: &'s Server<'s>,
    seller: Seller<'s>,
    other: Seller<'s>,
    intent: String,
    payment: String,
    others_intent: String,
    others_payment: String,
}

impl<'s> Shop<'s> {
    fn open(server: &'s Server<'s>) -> Self {
        let (seller, other) = (Seller::demo(server, "MLA"), Seller::demo(server, "MLB"));
        let (_, payment) = seller.pay(150_000);
        let (_, others_payment) = other.pay(150_000);
        let others_intent = other.create(&json!({ "amount": 1500 }));
        let intent = seller.create(&json!({ "amount": 1500 }));
        seller.cancel(&intent).expect(200);
        Self { server, seller, other, intent, payment, others_intent, others_payment }
    }

    /// All that could have changed.
    fn state(&self) -> (impl PartialEq + std::fmt::Debug, [Value; 8]) {
        let payment = |seller: &Seller<'_>, id: &str| seller.payment(id);
        let shown = [
            self.seller.terminal(),
            self.other.terminal(),
            self.seller.intent(&self.intent),
            self.other.intent(&self.others_intent),
            payment(&self.seller, &self.payment),
            payment(&self.other, &self.others_payment),
            self.seller.get(&format!("{API}/integrators")),
            self.seller.get(&format!("{API}/devices")),
        ];
        (self.server.traces(), shown)
    }

    /// Sends something wrong: the status and the dialect's code are these, the message has this
    /// text in it, the envelope is whole, and nothing has changed.
    #[track_caller]
    fn refuses(&self, call: &Call, status: u16, code: &str, text: &str) -> Answer {
        let before = self.state();
        let answer = self.server.send(call);
        let what = format!("{} {}: {}", call.method, call.target, answer.text());
        assert_eq!(answer.status, status, "{what}");
        let body = answer.json();
        assert_eq!((&body["status"], &body["error"]), (&json!(status), &json!(code)), "{what}");
        assert!(body["message"].as_str().is_some_and(|message| message.contains(text)), "{what}");
        for cause in body["cause"].as_array().expect(&what) {
            assert!(cause["code"].is_i64() && cause["description"].is_string(), "{what}");
        }
        assert_eq!(body.as_object().unwrap().len(), 4, "{what}");
        assert_eq!(answer.header("content-type"), Some("application/json; charset=utf-8"));
        assert_eq!(self.state(), before, "{what}");
        answer
    }

    #[track_caller]
    fn refuses_intent(&self, body: impl Into<Vec<u8>>, text: &str) {
        let call = self.seller.call("POST", &self.seller.intents()).body(body);
        self.refuses(&call, 400, "bad_request", text);
    }
}

fn with_shop(test: impl FnOnce(&Shop<'_>)) {
    let place = Place::sqlite();
    let server = Server::start(&place);
    test(&Shop::open(&server));
}

#[test]
fn bodies_that_are_not_json() {
    with_shop(|shop| {
        let deep_list = format!("{}1{}", "[".repeat(200), "]".repeat(200));
        let deep_member = format!(r#"{{"amount":1500,"additional_info":{deep_list}}}"#);
        let deep_object = format!("{}1{}", r#"{"amount":"#.repeat(200), "}".repeat(200));
        let bodies: [&[u8]; 19] = [
            b"",
            b" ",
            b"nonsense",
            b"{",
            br#"{"amount":1500"#,
            br#"{"amount":1500}}"#,
            br#"{"amount":1500} {"amount":1500}"#,
            br#"{'amount':1500}"#,
            br#"{"amount":1500,}"#,
            br#"{"amount":01500}"#,
            br#"{"amount":NaN}"#,
            br#"{"amount":+1500}"#,
            br#"{"amount":1500,"amount":1500}"#,
            b"amount=1500",
            b"{\"amount\":1500,\"additional_info\":{\"external_reference\":\"a\xff\"}}",
            b"\xef\xbb\xbf{\"amount\":1500}\x00",
            deep_list.as_bytes(),
            deep_member.as_bytes(),
            deep_object.as_bytes(),
        ];
        for body in bodies {
            shop.refuses_intent(body, "Invalid JSON");
        }
        for (method, target) in [
            ("PATCH", format!("{API}/devices/{}", shop.seller.device)),
            ("PATCH", format!("{API}/integrators")),
            ("POST", format!("/v1/payments/{}/refunds", shop.payment)),
        ] {
            for body in ["nonsense", "{", deep_list.as_str()] {
                let call = shop.seller.call(method, &target).body(body);
                shop.refuses(&call, 400, "bad_request", "Invalid JSON");
            }
        }
    });
}

#[test]
fn zero_characters() {
    with_shop(|shop| {
        let texts = [
            "{\"amount\":1500,\"additional_info\":{\"external_reference\":\"a\\u0000b\"}}",
            "{\"amount\":1500,\"additional_info\":{\"external_reference\":\"a\0b\"}}",
            "{\"amount\":1500,\"a\\u0000\":1}",
            "{\"amount\":1500}\0",
        ];
        for text in texts {
            shop.refuses_intent(text, "Invalid JSON");
        }
        let webhook = r#"{"webhook":"http://127.0.0.1:9/\u0000"}"#;
        let call = shop.seller.call("PATCH", &format!("{API}/integrators")).body(webhook);
        shop.refuses(&call, 400, "bad_request", "Invalid JSON");
        // In the address it is a device that cannot be, and an intent that is not.
        let device = shop.seller.at("PAX_A910__SBX%00");
        let call = device.creation(&json!({ "amount": 1500 }));
        shop.refuses(&call, 400, "bad_request", "Device id incorrect format");
        let call = shop.seller.call("GET", &format!("{API}/payment-intents/%00"));
        shop.refuses(&call, 404, "not_found", "Payment intent doesn't exist");
        let call = shop.seller.call("GET", "/v1/payments/%00");
        shop.refuses(&call, 404, "not_found", "Payment not found");
    });
}

#[test]
fn types_and_members() {
    with_shop(|shop| {
        let long = "x".repeat(257);
        let table = [
            (json!([]), "(root): Invalid type. Expected: object, given: array"),
            (json!("x"), "(root): Invalid type. Expected: object, given: string"),
            (json!(null), "(root): Invalid type. Expected: object, given: null"),
            (json!(1500), "(root): Invalid type. Expected: object, given: integer"),
            (json!({}), "amount is required"),
            (json!({ "amount": "1500" }), "amount: Invalid type. Expected: integer, given: string"),
            (json!({ "amount": null }), "amount: Invalid type. Expected: integer, given: null"),
            (json!({ "amount": true }), "amount: Invalid type. Expected: integer, given: boolean"),
            (json!({ "amount": [1500] }), "amount: Invalid type. Expected: integer, given: array"),
            (json!({ "amount": {} }), "amount: Invalid type. Expected: integer, given: object"),
            (json!({ "amount": 1500, "x": 1 }), "Additional property x is not allowed"),
            (json!({ "amount": 1500, "Amount": 1 }), "Additional property Amount is not allowed"),
            (
                json!({ "amount": 1500, "external_reference": "x", "print_on_terminal": true }),
                "Additional property print_on_terminal is not allowed",
            ),
            (
                json!({ "amount": 1500, "additional_info": { "y": 1 } }),
                "Additional property y is not allowed",
            ),
            (json!({ "amount": 1500, "additional_info": [] }), "Expected: object, given: array"),
            (
                json!({ "amount": 1500, "additional_info": { "external_reference": 7 } }),
                "Expected: string, given: integer",
            ),
            (
                json!({ "amount": 1500, "additional_info": { "external_reference": long } }),
                "String length must be less than or equal to 256",
            ),
            (
                json!({ "amount": 1500, "additional_info": { "print_on_terminal": "true" } }),
                "Expected: boolean, given: string",
            ),
            (
                json!({ "amount": 1500, "additional_info": { "print_on_terminal": ["x"] } }),
                "Expected: boolean, given: array",
            ),
        ];
        for (body, text) in table {
            shop.refuses_intent(body.to_string(), text);
        }
    });
}

#[test]
fn numbers() {
    with_shop(|shop| {
        let (type_, under, over) = (
            "Expected: integer, given: number",
            "greater than or equal to 500",
            "less than or equal to 400000000",
        );
        let table = [
            ("1500.5", type_),
            ("0.1", type_),
            ("1.5e1e", "Invalid JSON"),
            ("0", under),
            ("-1", under),
            ("-1500", under),
            ("499", under),
            ("499.0", under),
            ("4.99e2", under),
            ("400000001", over),
            ("1e400", over),
            ("99999999999999999999999999", over),
            ("-99999999999999999999999999", under),
            ("9223372036854775808", over),
            ("18446744073709551616", over),
            ("1e-400", type_),
        ];
        for (amount, text) in table {
            shop.refuses_intent(format!(r#"{{"amount":{amount}}}"#), text);
        }
        let target = format!("/v1/payments/{}/refunds", shop.payment);
        for (amount, code) in [
            ("0", 4040),
            ("-1", 4040),
            ("0.001", 4041),
            ("5.255", 4041),
            ("\"5\"", 4041),
            ("true", 4041),
            ("[5]", 4041),
            ("1500.01", 2063),
            ("1e300", 2063),
            ("99999999999999999999999999", 2063),
        ] {
            let call = shop.seller.call("POST", &target).body(format!(r#"{{"amount":{amount}}}"#));
            let answer = shop.refuses(&call, 400, "bad_request", "");
            assert_eq!(answer.json()["cause"][0]["code"], code, "{amount}");
        }
    });
}

#[test]
fn what_is_unknown_or_somebody_elses() {
    with_shop(|shop| {
        let seller = &shop.seller;
        let body = json!({ "amount": 1500 });
        let owner = "Forbidden Error checking device owner";
        for device in ["PAX_A910__SBX9999999", &shop.other.device] {
            let device = seller.at(device);
            shop.refuses(&device.creation(&body), 403, "104", owner);
            shop.refuses(&device.cancellation(&shop.others_intent), 403, "104", owner);
            let target = format!("{API}/devices/{}", device.device);
            let call = seller.call("PATCH", &target).json(&json!({ "operating_mode": "PDV" }));
            shop.refuses(&call, 403, "104", owner);
        }
        let long = format!("A__{}", "x".repeat(200));
        for device in ["PAX_A910_SBX0000001", "x", "__x", "x__", &long] {
            let call = seller.at(device).creation(&body);
            shop.refuses(&call, 400, "bad_request", "Device id incorrect format");
        }
        let none = "Payment intent doesn't exist";
        let unknown = "0f6f3c52-0d0e-4b7e-9d3b-6a3f5a1c7e20";
        for intent in
            [unknown, "7", "'", &shop.others_intent, "0f6f3c52-0d0e-4b7e-9d3b-6a3f5a1c7e2g"]
        {
            let call = seller.call("GET", &format!("{API}/payment-intents/{intent}"));
            shop.refuses(&call, 404, "not_found", none);
            shop.refuses(&seller.cancellation(intent), 404, "not_found", none);
        }
        for payment in
            ["1", "99999999999", "x", "-1", "1e3", "99999999999999999999", &shop.others_payment]
        {
            let refunds = format!("/v1/payments/{payment}/refunds");
            for (method, target) in [
                ("GET", format!("/v1/payments/{payment}")),
                ("POST", refunds.clone()),
                ("GET", refunds.clone()),
                ("GET", format!("{refunds}/1000000000")),
            ] {
                let call = seller.call(method, &target);
                let answer = shop.refuses(&call, 404, "not_found", "Payment not found");
                assert_eq!(answer.json()["cause"][0]["code"], 2000);
            }
        }
        let call = seller.call("GET", &format!("/v1/payments/{}/refunds/1000000000", shop.payment));
        let answer = shop.refuses(&call, 404, "not_found", "Refund not found");
        assert_eq!(answer.json()["cause"][0]["code"], 2032);
        for query in ["limit=0", "limit=x", "offset=-1", "offset=x", "pos_id=x", "limit=1e9"] {
            let call = seller.call("GET", &format!("{API}/devices?{query}"));
            shop.refuses(&call, 400, "bad_request", "query param incorrect format");
        }
    });
}

#[test]
fn tokens() {
    with_shop(|shop| {
        let seller = &shop.seller;
        let targets = [
            ("GET", format!("{API}/devices")),
            ("PATCH", format!("{API}/devices/{}", seller.device)),
            ("POST", seller.intents()),
            ("DELETE", format!("{}/{}", seller.intents(), shop.intent)),
            ("GET", format!("{API}/payment-intents/{}", shop.intent)),
            ("GET", format!("{API}/integrators")),
            ("PATCH", format!("{API}/integrators")),
            ("POST", format!("{API}/integrators/check")),
            ("GET", format!("/v1/payments/{}", shop.payment)),
            ("POST", format!("/v1/payments/{}/refunds", shop.payment)),
            ("GET", format!("/v1/payments/{}/refunds", shop.payment)),
            ("GET", format!("/v1/payments/{}/refunds/1000000000", shop.payment)),
        ];
        let wrong = seller.token.replace('a', "e");
        let other_user = seller.token.replace("100000001", "100000002");
        let values = [
            None,
            Some("Bearer".to_owned()),
            Some("Bearer ".to_owned()),
            Some(format!("Bearer {wrong}")),
            Some(format!("Bearer {other_user}")),
            Some(format!("Bearer {}x", seller.token)),
            Some(format!("Basic {}", seller.token)),
            Some("Bearer x".to_owned()),
        ];
        for (method, target) in &targets {
            for value in &values {
                // A body that is wrong, too: who calls is looked at first.
                let call = Call::new(method, target).body("nonsense");
                let call = match value {
                    Some(value) => call.header("authorization", value),
                    None => call,
                };
                shop.refuses(&call, 401, "unauthorized", "");
            }
        }
        let none = shop.server.send(&Call::get("/v1/payments/1")).json();
        assert_eq!(none["message"], "Must provide your access_token to proceed");
        assert_eq!(none["cause"][0]["code"], 5);
    });
}

#[test]
fn large_bodies() {
    with_shop(|shop| {
        let padded = |length: usize| {
            let body = br#"{"amount":1500,"x":""#;
            let mut body = body.to_vec();
            body.resize(length - 2, b'x');
            body.extend(b"\"}");
            body
        };
        for target in [shop.seller.intents(), format!("/v1/payments/{}/refunds", shop.payment)] {
            for length in [(1 << 20) + 1, 8 << 20] {
                let call = shop.seller.call("POST", &target).body(padded(length));
                shop.refuses(&call, 413, "bad_request", "Request entity too large");
            }
        }
        shop.refuses_intent(padded(1 << 20), "Additional property x is not allowed");
        let wide = format!("{{{}\"amount\":1500}}", r#""x":1,"#.repeat(100_000));
        shop.refuses_intent(wide, "Invalid JSON");
    });
}

#[test]
fn modes_and_webhooks() {
    with_shop(|shop| {
        let device = format!("{API}/devices/{}", shop.seller.device);
        let one_of = "operating_mode must be one of the following: \"PDV\", \"STANDALONE\"";
        for (body, text) in [
            ("", "operating_mode is required"),
            ("{}", "operating_mode is required"),
            (r#"{"operating_mode":null}"#, "Expected: string, given: null"),
            (r#"{"operating_mode":"pdv"}"#, one_of),
            (r#"{"operating_mode":"SELF"}"#, one_of),
            (r#"{"operating_mode":1}"#, "Expected: string, given: integer"),
            (r#"{"operating_mode":"PDV","x":1}"#, "Additional property x is not allowed"),
            ("[]", "Expected: object, given: array"),
        ] {
            let call = shop.seller.call("PATCH", &device).body(body);
            shop.refuses(&call, 400, "bad_request", text);
        }
        let integrators = format!("{API}/integrators");
        let uri = "Does not match format 'uri'";
        for (webhook, text) in [
            (json!("localhost"), uri),
            (json!("/webhook"), uri),
            (json!("ftp://example.com/"), uri),
            (json!("http://"), uri),
            (json!("http://169.254.169.254/latest"), uri),
            (json!("file:///etc/passwd"), uri),
            (json!(7), "Expected: string, given: integer"),
            (json!(null), "Expected: string, given: null"),
            (json!("x".repeat(2049)), "String length"),
        ] {
            let call = shop.seller.call("PATCH", &integrators).json(&json!({ "webhook": webhook }));
            shop.refuses(&call, 400, "bad_request", text);
        }
        let call = shop.seller.call("PATCH", &integrators).json(&json!({}));
        shop.refuses(&call, 400, "bad_request", "webhook is required");
        let call = shop.seller.call("POST", &format!("{integrators}/check"));
        shop.refuses(&call, 400, "bad_request", "There is no webhook to validate");
    });
}

#[test]
fn methods_and_routes() {
    with_shop(|shop| {
        let targets = [
            ("POST", format!("{API}/devices")),
            ("GET", format!("{API}/devices/{}", shop.seller.device)),
            ("DELETE", format!("{API}/devices/{}", shop.seller.device)),
            ("GET", shop.seller.intents()),
            ("DELETE", shop.seller.intents()),
            ("GET", format!("{}/{}", shop.seller.intents(), shop.intent)),
            ("POST", format!("{API}/payment-intents/{}", shop.intent)),
            ("DELETE", format!("{API}/integrators")),
            ("GET", format!("{API}/integrators/check")),
            ("DELETE", format!("/v1/payments/{}", shop.payment)),
            ("PUT", format!("/v1/payments/{}/refunds", shop.payment)),
            ("BREW", format!("{API}/devices")),
            ("GET", format!("{API}/nothing")),
            ("GET", "/point/nothing".to_owned()),
            ("GET", "/v1/nothing".to_owned()),
            ("GET", "/mercadopago/nothing".to_owned()),
            ("GET", "/mercadopago/v1/nothing".to_owned()),
            ("POST", format!("/mercadopago{API}/devices")),
        ];
        for (method, target) in targets {
            let before = shop.state();
            let answer = shop.server.send(&shop.seller.call(method, &target));
            assert_eq!(answer.status, 404, "{method} {target}: {}", answer.text());
            let body = answer.json();
            assert_eq!(body["error"], "resource not found", "{method} {target}");
            assert!(body["message"].as_str().unwrap().starts_with("Si quieres conocer"));
            assert_eq!(shop.state(), before);
        }
    });
}
