//! `integrator`, singular: reference, section 6.4.

use serde_json::{Value, json};

use crate::ask;
use crate::place::Place;
use crate::point::Seller;
use crate::server::Server;

const TARGET: &str = "/point/integration-api/integrator";

fn channels_of_device_events(place: &Place) {
    let server = Server::start(place);
    let seller = Seller::demo(&server, "MLA");
    let read = || seller.get(TARGET);
    let before = read();
    assert_eq!(before["event_channel_devices"], json!([]));
    assert_eq!(before["notification_url_enabled"], false);
    assert_eq!(before["created_at"], before["updated_at"]);
    seller.advance(10);
    let email = json!({ "event_channel_devices": ["email"] });
    ask(&server, &seller.token, ("PATCH", TARGET), &email, 204);
    let webhook = json!({ "webhook": { "url": "http://127.0.0.1:9/" } });
    server.control("PATCH", "/merchants/100000001", &webhook, 200);
    let after = read();
    assert_eq!(after["event_channel_devices"], json!(["email"]));
    assert_eq!(after["notification_url_enabled"], true);
    assert_eq!(after["id"], before["id"]);
    assert!(after["updated_at"].as_str() > before["updated_at"].as_str(), "{after}");
    for (body, message) in [
        (json!({ "event_channel_devices": ["sms"] }), "Notification channel is not allowed"),
        (json!({}), "event_channel_devices is required"),
        (json!({ "x": 1 }), "Additional property x is not allowed"),
    ] {
        let error = ask(&server, &seller.token, ("PATCH", TARGET), &body, 400);
        assert!(error["message"].as_str().unwrap().contains(message), "{error}");
    }
    assert_eq!(read()["event_channel_devices"], json!(["email"]));
    // The older call is another thing.
    assert_eq!(seller.get("/point/integration-api/integrators")["webhook"], Value::from(""));
}

crate::on_both!(channels_of_device_events);
