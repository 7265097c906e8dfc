//! Card tokens: reference, section 2.9.

use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::MethodFilter;
use cobro_domain::card::luhn;
use cobro_engine::cards::StorePlan;
use cobro_engine::vault::CardData;
use cobro_engine::{EngineError, Subject};
use cobro_surface::endpoint::Routes;
use cobro_surface::json::JsonError;
use serde_json::json;
use zeroize::Zeroizing;

use crate::call::{Api, Call, serve};
use crate::cards;
use crate::dates::seconds;
use crate::errors::Refusal;
use crate::fields::{Fields, has_card_number, missing};
use crate::routes::Surface;
use crate::shop_endpoints::CREATE_CARD_TOKEN;

pub(crate) fn routes(routes: Routes<Surface>) -> Routes<Surface> {
    routes.at(&CREATE_CARD_TOKEN, serve(MethodFilter::POST, Api::Payments, create))
}

/// How a card is kept whose token is handed out.
pub(crate) fn store_plan() -> StorePlan {
    StorePlan {
        token: None,
        with_subtoken: false,
        single_use: true,
        lifetime_s: Some(15 * 60),
        luggage: String::new(),
    }
}

/// The longest name of a holder, in characters.
const NAME_MAX: usize = 120;

/// A card as it is sent; wiped when dropped. Its security code does its work here and goes nowhere.
struct Typed {
    card: CardData,
    code: Zeroizing<String>,
}

fn typed(call: &Call) -> Result<Typed, Refusal> {
    let body = call.json().map_err(|error| match error {
        JsonError::Empty => missing(call.api, vec!["the body is required".to_owned()]),
        error => Refusal::of_json(call.api, error),
    })?;
    let mut fields = Fields::of(&body);
    let holder = fields.required_text("cardholder_name", NAME_MAX).unwrap_or_default();
    let number = fields.required_text("card_number", 32).unwrap_or_default();
    let month = fields.required_text("card_exp_month", 2).unwrap_or_default();
    let year = fields.required_text("card_exp_year", 4).unwrap_or_default();
    let code = Zeroizing::new(fields.required_text("cvv", 8).unwrap_or_default());
    let number: String = number.chars().filter(|one| !" -".contains(*one)).collect();
    let all_digits =
        |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if has_card_number(&holder) {
        fields.reject("cardholder_name", "has characters that are not allowed");
    }
    if !all_digits(&number) || !(12..=19).contains(&number.len()) || !luhn(&number) {
        fields.reject("card_number", "is not the number of a card");
    }
    let digits = |text: &str| text.parse::<i64>().ok().filter(|_| all_digits(text));
    let month = digits(&month).filter(|month| (1..=12).contains(month)).unwrap_or_else(|| {
        fields.reject("card_exp_month", "must be from 01 to 12");
        0
    });
    let year = match digits(&year) {
        Some(short) if year.len() == 2 => short + 2000,
        Some(long) if year.len() == 4 => long,
        _ => {
            fields.reject("card_exp_year", "must have 2 or 4 digits");
            0
        }
    };
    if month > 0 && year > 0 && call.world().is_expired(month, year) {
        fields.reject("card_exp_year", "is in the past: the card has expired");
    }
    if !all_digits(&code) || !(3..=4).contains(&code.len()) {
        fields.reject("cvv", "must have 3 or 4 digits");
    }
    fields.done(call.api)?;
    let card = CardData { number, expiration_month: month, expiration_year: year, holder };
    Ok(Typed { card, code })
}

/// `POST /card_tokens`
async fn create(call: Call) -> Result<Response, Refusal> {
    let Typed { card, code } = typed(&call)?;
    let world = call.world();
    let ready = world.ready_card(&call.merchant().channel, &card, Some(&code), None);
    let ready = ready.map_err(|error| match error {
        EngineError::NotFound(Subject::Card) => {
            Refusal::bad(call.api, "card_number is not a published test card")
        }
        error => Refusal::of(call.api, error),
    })?;
    let token = uuid::Builder::from_random_bytes(world.entropy().seed()).into_uuid();
    let plan = StorePlan {
        token: Some(token.to_string()),
        luggage: json!({ "name": card.holder }).to_string(),
        ..store_plan()
    };
    let stored = world.store_card(&call.shop.caller, &card, ready.facts, plan).await;
    let stored = stored.map_err(|error| Refusal::of(call.api, error))?;
    let facts = &stored.facts;
    let expires_at = stored.expires_at.unwrap_or(stored.created_at);
    let body = json!({
        "id": stored.token,
        "card": {
            "bin": facts.bin,
            "last_digits": facts.last_digits,
            "exp_month": format!("{:02}", facts.expiration_month),
            "exp_year": format!("{:02}", facts.expiration_year.rem_euclid(100)),
            "name": card.holder,
            "country": cards::country(facts),
            "issuer": facts.issuer,
        },
        "created_at": seconds(stored.created_at),
        "expires_at": seconds(expires_at),
    });
    Ok(call.answer(StatusCode::CREATED, &body))
}
