//! What must have happened before a call can succeed.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::cafe;
use crate::http::Call;
use crate::point::Seller;
use crate::receiver::Receiver;
use crate::server::Server;
use crate::shop::{COLOMBIA, collect, keyword, payment};

/// A server on which a call has what it needs, and what has to live as long as the call.
pub(crate) struct Stage<'s> {
    server: &'s Server<'s>,
    seller: Seller<'s>,
    receivers: Vec<Receiver>,
}

impl<'s> Stage<'s> {
    pub(crate) fn new(server: &'s Server<'s>) -> Self {
        Self { server, seller: Seller::demo(server, "MLA"), receivers: Vec::new() }
    }

    /// Does what goes before the call, and answers the values of the variables that it names.
    pub(crate) fn prepare(&mut self, call: &str, variables: &[String]) -> BTreeMap<String, String> {
        let seller = self.seller.clone();
        match call {
            "presentCard" | "cancelOnTerminal" => self.fetch(),
            "closeResult" => {
                self.fetch();
                seller.at_terminal("card", &json!({ "hold": true })).expect(200);
            }
            "checkWebhook" => {
                let receiver = Receiver::start(&seller.integrator_token());
                let body = json!({ "webhook": receiver.url("/webhook") });
                let target = "/point/integration-api/integrators";
                self.server.send(&seller.call("PATCH", target).json(&body)).expect(204);
                self.receivers.push(receiver);
            }
            _ => {}
        }
        let mut values = BTreeMap::new();
        for name in variables {
            let value = self.value(call, name, &values);
            values.insert(name.clone(), value);
        }
        values
    }

    fn fetch(&self) {
        self.seller.create(&json!({ "amount": 1500 }));
        self.seller.at_terminal("fetch", &json!({})).expect(200);
    }

    /// A value of a variable, from a call of its own.
    fn value(&mut self, call: &str, name: &str, before: &BTreeMap<String, String>) -> String {
        let (server, seller) = (self.server, self.seller.clone());
        match name {
            "PAYMENT_INTENT_ID" | "INTENT_ID" => seller.create(&json!({ "amount": 1500 })),
            "PAYMENT_ID" => seller.pay(150_000).1,
            "REFUND_ID" => {
                let refund = seller.refund(&before["PAYMENT_ID"], &json!({})).expect(201).json();
                refund["id"].to_string()
            }
            "REFUND_INTENT_ID" => {
                let target = format!("/point/integration-api/devices/{}/refund", seller.device);
                let body = json!({ "payment_id": seller.pay(150_000).1 });
                let made = server.send(&seller.call("POST", &target).json(&body)).expect(201);
                text(&made.json()["id"])
            }
            "CODE" => {
                let address = "https://tienda.example/vuelta";
                let body = json!({ "user_id": seller.user_id, "redirect_uri": address });
                text(&server.control("POST", "/oauth/codes", &body, 201)["code"])
            }
            "WORLD_ID" => text(&server.control("POST", "/worlds", &json!({}), 201)["id"]),
            "TERMINAL_ID" => {
                let body = json!({ "merchant": "100000001" });
                text(&server.control("POST", "/terminals", &body, 201)["terminals"][0]["id"])
            }
            "SETTLEMENT_ID" => cafe::settlement(server),
            "DELIVERY_ID" | "IDS" => self.delivery(),
            "REQUEST_ID" | "SESSION_ID" => {
                let made =
                    COLOMBIA.call(server, "/api/session", payment("CUOTA-1", "COP", 45_900), 200);
                made["requestId"].to_string()
            }
            "TOKEN" => COLOMBIA.token(server, "4111111111111111"),
            "SUBTOKEN" => {
                let done = COLOMBIA.subscribe(server, "4111111111111111");
                keyword(&done["subscription"]["instrument"], "subtoken")
            }
            "INTERNAL_REFERENCE" => {
                let token = COLOMBIA.token(server, "4111111111111111");
                let mut body = collect("CUOTA-2", 45_900, &token);
                if call == "actOnTransaction" {
                    // A checkout takes money that is held.
                    body["type"] = json!("checkin");
                }
                let charged = COLOMBIA.call(server, "/api/collect", body, 200);
                charged["payment"][0]["internalReference"].to_string()
            }
            _ => panic!("nothing here makes a {name} for {call}"),
        }
    }

    /// A notification that was delivered.
    fn delivery(&mut self) -> String {
        self.receivers.push(self.seller.subscribe());
        let mut live = self.server.live("");
        let intent = self.seller.create(&json!({ "amount": 1500 }));
        self.seller.cancel(&intent).expect(200);
        text(&live.wait(|name, row| name == "delivery" && row["state"] == "delivered")["id"])
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}

/// The page of a surface's reference.
pub(crate) fn page(server: &Server<'_>, surface: &str) -> String {
    server.send(&Call::get(&format!("/docs/api/{surface}"))).expect(200).text()
}
