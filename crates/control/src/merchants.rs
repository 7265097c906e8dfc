//! Merchants' settings. What the switches are called and what they may be is the dialect's to say.

use axum::extract::State;
use axum::routing::{get, patch};
use cobro_domain::merchant::{Merchant, MerchantState};
use cobro_engine::ports::{Dialect, SettingsChange};
use cobro_engine::{EngineError, Subject, World};
use cobro_surface::endpoint::{Endpoint, Response, Routes};
use cobro_surface::json::Json;
use serde_json::{Map, Value, json};

use crate::Shared;
use crate::answers::{CONFLICT, UNFIT, answer, call, read_responses, write_responses};
use crate::input::{Input, Named, Selected};
use crate::refusal::{Answer, Refusal};
use crate::view::ok;

const MERCHANT: &str = r#"{"merchant":"100000001","dialect":"mercadopago","name":"Tienda Demo","country":"MLA","currency":"ARS","state":"active","webhook":{"url":"http://localhost:3000/webhook","test_url":null,"events":"final"},"payment_id_as_number":true}"#;

const MERCHANT_FORMS: Response = Response::also(
    200,
    r#"[{"webhook":null},{"webhook":{"url":null,"test_url":"http://localhost:3000/test"}}]"#,
);

static SHOW: Endpoint = Endpoint {
    summary: "Shows a merchant's settings",
    responses: read_responses![answer(200, "The merchant", MERCHANT), MERCHANT_FORMS],
    ..call("GET", "/_cobro/v1/merchants/{credential}", "showMerchant")
};

static CHANGE: Endpoint = Endpoint {
    summary: "Changes any of a merchant's settings",
    request: Some(
        r#"{"state":"active","webhook":{"url":"http://localhost:3000/webhook","events":"all"}}"#,
    ),
    responses: write_responses![
        answer(200, "The merchant", MERCHANT),
        MERCHANT_FORMS,
        CONFLICT,
        UNFIT
    ],
    ..call("PATCH", "/_cobro/v1/merchants/{credential}", "changeMerchant")
};

pub(crate) fn routes(routes: Routes<Shared>) -> Routes<Shared> {
    routes.at(&SHOW, get(show)).at(&CHANGE, patch(change))
}

/// The merchant with this public id, in whichever dialect.
///
/// # Errors
/// Unknown merchant.
pub(crate) async fn find_merchant(world: &World, id: &str) -> Result<Merchant, EngineError> {
    for dialect in world.dialects() {
        if let Some(merchant) = world.find_merchant(dialect.name(), id).await? {
            return Ok(merchant);
        }
    }
    Err(EngineError::NotFound(Subject::Merchant))
}

async fn show(Selected(world): Selected, Named(credential): Named) -> Answer {
    let merchant = find_merchant(&world, &credential).await?;
    Ok(ok(&described(&world, &merchant).await?))
}

async fn change(
    State(shared): State<Shared>,
    Selected(world): Selected,
    Named(credential): Named,
    input: Input,
) -> Answer {
    let (state, rest) = split(input.json())?;
    let _one = shared.settings.lock().await;
    let merchant = find_merchant(&world, &credential).await?;
    let mut change = SettingsChange::default();
    if !rest.is_empty() {
        let dialect = world.dialect(&merchant.channel)?;
        change =
            dialect.change_settings(&merchant, &Value::Object(rest)).map_err(Refusal::unfit)?;
    }
    let is_allowed = |url: &str| url.is_empty() || (shared.control.url_policy)(url);
    if !change.endpoints.iter().all(|(_, url, _)| is_allowed(url)) {
        return Err(Refusal::unfit("the webhook address is not allowed"));
    }
    let merchant = world.change_merchant(merchant.id, state, change).await?;
    Ok(ok(&described(&world, &merchant).await?))
}

/// The state, and what is left for the dialect.
fn split(body: &Json) -> Result<(Option<MerchantState>, Map<String, Value>), Refusal> {
    let mut rest = match body.to_value() {
        Value::Object(members) => members,
        _ => Map::new(),
    };
    let state = match rest.remove("state") {
        None | Some(Value::Null) => None,
        Some(word) => Some(word.as_str().and_then(MerchantState::from_code).ok_or_else(|| {
            Refusal::bad("state must be active, inactive, expired or credentials_expired")
        })?),
    };
    Ok((state, rest))
}

async fn described(world: &World, merchant: &Merchant) -> Result<Value, EngineError> {
    let dialect = world.dialect(&merchant.channel)?;
    let mut members = match dialect.settings(merchant) {
        Value::Object(members) => members,
        _ => Map::new(),
    };
    let webhook = webhook(world, dialect.as_ref(), merchant).await?;
    let told = members.remove("webhook");
    members.insert("webhook".to_owned(), merged(webhook, told));
    let own = [
        ("merchant", merchant.public_id.as_str()),
        ("dialect", merchant.channel.as_str()),
        ("name", merchant.name.as_str()),
        ("country", merchant.country.as_str()),
        ("currency", merchant.currency.code()),
        ("state", merchant.state.code()),
    ];
    members.extend(own.map(|(name, value)| (name.to_owned(), json!(value))));
    Ok(Value::Object(members))
}

/// What the endpoints say, with what the dialect says of its own.
fn merged(webhook: Value, told: Option<Value>) -> Value {
    match (webhook, told) {
        (Value::Object(mut members), Some(Value::Object(told))) => {
            members.extend(told);
            Value::Object(members)
        }
        (webhook, None | Some(Value::Null)) => webhook,
        (_, Some(told)) => told,
    }
}

/// The merchant's webhook as its endpoints have it; `null` where the dialect has none.
async fn webhook(
    world: &World,
    dialect: &dyn Dialect,
    merchant: &Merchant,
) -> Result<Value, EngineError> {
    let Some(slots) = webhook_slots(dialect, merchant) else { return Ok(Value::Null) };
    let (endpoint, _) = world.endpoint(merchant.id, slots.url).await?;
    let url = |url: String| (!url.is_empty()).then_some(url);
    let mut shown = json!({"url": url(endpoint.url), "events": endpoint.wants.code()});
    if let (Some(slot), Some(members)) = (slots.test_url, shown.as_object_mut()) {
        let (endpoint, _) = world.endpoint(merchant.id, slot).await?;
        members.insert("test_url".to_owned(), json!(url(endpoint.url)));
    }
    Ok(shown)
}

#[derive(Debug, PartialEq, Eq)]
struct WebhookSlots {
    url: i64,
    test_url: Option<i64>,
}

/// In which of its endpoints a dialect keeps the setting `webhook`: those that a change of the
/// setting would write. So what a change writes is what is shown afterwards.
fn webhook_slots(dialect: &dyn Dialect, merchant: &Merchant) -> Option<WebhookSlots> {
    const URL: &str = "https://webhook.example/url";
    const TEST_URL: &str = "https://webhook.example/test-url";
    let written = |webhook: Value| {
        let change = dialect.change_settings(merchant, &json!({"webhook": webhook}));
        change.map(|change| change.endpoints).unwrap_or_default()
    };
    let slot = |endpoints: &[(i64, String, bool)], url: &str| {
        endpoints.iter().find(|(_, written, _)| written == url).map(|(slot, _, _)| *slot)
    };
    let both = written(json!({"url": URL, "test_url": TEST_URL}));
    let url = slot(&both, URL).or_else(|| slot(&written(json!({"url": URL})), URL))?;
    Some(WebhookSlots { url, test_url: slot(&both, TEST_URL) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_is_ours_and_the_rest_the_dialects() {
        let table = [
            (r#"{"state":"inactive","a":1}"#, Some((Some(MerchantState::Inactive), 1))),
            (
                r#"{"state":"credentials_expired"}"#,
                Some((Some(MerchantState::CredentialsExpired), 0)),
            ),
            (r#"{"a":1,"b":null}"#, Some((None, 2))),
            ("{}", Some((None, 0))),
            (r#"{"state":"gone"}"#, None),
            (r#"{"state":1}"#, None),
        ];
        for (body, expected) in table {
            let json = Json::parse(body.as_bytes(), &Default::default()).unwrap();
            let found = split(&json).ok().map(|(state, rest)| (state, rest.len()));
            assert_eq!(found, expected, "{body}");
        }
    }

    #[test]
    fn what_the_dialect_says_of_its_webhook_stands_beside() {
        let endpoint = json!({"url": "u", "events": "all"});
        let table = [
            (endpoint.clone(), None, endpoint.clone()),
            (
                endpoint.clone(),
                Some(json!({"signature": "sha1"})),
                json!({"url": "u", "events": "all", "signature": "sha1"}),
            ),
            (Value::Null, Some(json!({"url": "x"})), json!({"url": "x"})),
            (Value::Null, None, Value::Null),
            (endpoint.clone(), Some(Value::Null), endpoint),
        ];
        for (webhook, told, expected) in table {
            assert_eq!(merged(webhook, told), expected);
        }
    }
}
