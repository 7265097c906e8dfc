//! Lists of what merchants have without terminals: sessions, and stored cards without their tokens.

use axum::extract::FromRequestParts;
use axum::routing::get;
use cobro_domain::card::StoredCard;
use cobro_domain::merchant::Merchant;
use cobro_domain::payment::PaymentState;
use cobro_domain::{CardId, MerchantId, SessionId, Timestamp};
use cobro_engine::listings::SessionsOf;
use cobro_engine::sessions::SessionView;
use cobro_engine::{EngineError, World};
use cobro_surface::endpoint::{Endpoint, Parameter, Place, Routes};
use http::request::Parts;
use serde_json::{Value, json};

use crate::Shared;
use crate::answers::{CURSOR, LIMIT, WORLD, answer, call, list_responses};
use crate::input::{Paging, Selected, parameter};
use crate::refusal::{Answer, Refusal};
use crate::view;

/// Narrows a list down to one merchant.
pub(crate) const MERCHANT: Parameter = Parameter {
    name: "merchant",
    place: Place::Query,
    required: false,
    description: "Only those of this merchant, by Clip api key, Mercado Pago user id or Placetopay \
                  login",
};

/// What a list takes that can be narrowed down to a merchant.
pub(crate) const LIST_OF: &[Parameter] = &[WORLD, CURSOR, LIMIT, MERCHANT];

/// Which sessions are wanted.
const KIND: Parameter = Parameter {
    name: "kind",
    place: Place::Query,
    required: false,
    description: "`page` for those that a person works off on a page, `direct` for charges of stored \
                  cards",
};

static SESSIONS: Endpoint = Endpoint {
    summary: "Lists sessions of hosted pages and charges of stored cards, the newest first",
    parameters: &[WORLD, CURSOR, LIMIT, MERCHANT, KIND],
    responses: list_responses![answer(
        200,
        "The sessions",
        r#"{"sessions":[{"request_id":1234567,"at":"2026-11-20T10:00:00Z","changed_at":"2026-11-20T10:00:03Z","expires_at":"2026-11-20T10:30:00Z","dialect":"placetopay","merchant":"c0b70000000000000000000000000001","kind":"direct","status":"APPROVED","reference":"ORD-1","amount_minor":4590000,"paid_minor":4590000,"currency":"COP","currency_exponent":2,"card":{"brand":"visa","last_digits":"1111"},"payments":[{"id":"1073741","outcome":"approved","reason":null,"amount_minor":4590000,"refunded_minor":0,"authorization_code":"418207","at":"2026-11-20T10:00:01Z"}]}],"next":null}"#,
    )],
    ..call("GET", "/_cobro/v1/sessions", "listSessions")
};

static CARDS: Endpoint = Endpoint {
    summary: "Lists stored cards, the newest first; of a token its last four characters are shown",
    parameters: LIST_OF,
    responses: list_responses![answer(
        200,
        "The stored cards",
        r#"{"cards":[{"id":"0197a000-0000-4000-8000-000000000001","at":"2026-11-20T10:00:00Z","dialect":"placetopay","merchant":"c0b70000000000000000000000000001","token":"****9f3c","subtoken":"****1111","brand":"visa","type":"credit","last_digits":"1111","issuer":"JPMORGAN CHASE BANK, N.A.","expiration":"12/35","state":"active","single_use":false,"expires_at":null,"key":1}],"next":null}"#,
    )],
    ..call("GET", "/_cobro/v1/cards", "listCards")
};

pub(crate) fn routes(routes: Routes<Shared>) -> Routes<Shared> {
    routes.at(&SESSIONS, get(sessions)).at(&CARDS, get(cards))
}

/// The merchant that a list is narrowed down to.
pub(crate) struct Narrowed(Option<String>);

impl FromRequestParts<Shared> for Narrowed {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &Shared) -> Result<Self, Refusal> {
        parameter(parts, "merchant").map(Self)
    }
}

impl Narrowed {
    /// The merchant.
    ///
    /// # Errors
    /// Unknown merchant.
    pub(crate) async fn find(&self, world: &World) -> Result<Option<Merchant>, EngineError> {
        match self.0.as_deref().filter(|name| !name.is_empty()) {
            Some(name) => crate::merchants::find_merchant(world, name).await.map(Some),
            None => Ok(None),
        }
    }
}

/// Which sessions are wanted.
struct Kind(SessionsOf);

impl FromRequestParts<Shared> for Kind {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &Shared) -> Result<Self, Refusal> {
        match parameter(parts, "kind")?.as_deref() {
            None => Ok(Self(SessionsOf::Everybody)),
            Some("page") => Ok(Self(SessionsOf::Pages)),
            Some("direct") => Ok(Self(SessionsOf::StoredCards)),
            Some(_) => Err(Refusal::bad("kind must be page or direct")),
        }
    }
}

async fn sessions(
    Selected(world): Selected,
    narrowed: Narrowed,
    Kind(of): Kind,
    paging: Paging,
) -> Answer {
    let before = paging.cursor(SessionId::parse)?;
    let only = narrowed.find(&world).await?.map(|merchant| merchant.id);
    let rows = world.sessions_before(of, only, before, paging.rows()).await?;
    let (page, next) = paging.cut(rows, |view| view.session.id.to_string());
    let merchants = world.merchants().await?;
    let shown = page.iter().filter_map(|view| {
        let merchant = owner(&merchants, view.session.merchant)?;
        Some(session(&world, merchant, view))
    });
    let shown: Result<Vec<Value>, EngineError> = shown.collect();
    Ok(view::list("sessions", shown?, next))
}

fn owner(merchants: &[Merchant], id: MerchantId) -> Option<&Merchant> {
    merchants.iter().find(|merchant| merchant.id == id)
}

fn session(world: &World, merchant: &Merchant, view: &SessionView) -> Result<Value, EngineError> {
    let (session, dialect) = (&view.session, world.dialect(&merchant.channel)?);
    let facts = view.payments.first().map(|payment| &payment.card);
    let facts = facts.or(view.card.as_ref().map(|card| &card.facts));
    let payments = view.payments.iter().map(|payment| {
        let (authorization, reason) = match &payment.state {
            PaymentState::Approved { authorization, .. }
            | PaymentState::Authorized { authorization, .. } => (Some(authorization), None),
            PaymentState::Declined { reason } => (None, Some(reason.code())),
            _ => (None, None),
        };
        json!({
            "id": dialect.payment_id(payment),
            "outcome": crate::sessions::payment_word(payment),
            "reason": reason,
            "amount_minor": payment.amount.minor,
            "refunded_minor": payment.refunded_minor,
            "authorization_code": authorization,
            "at": payment.created_at.to_string(),
        })
    });
    Ok(json!({
        "request_id": session.number,
        "at": session.created_at.to_string(),
        "changed_at": session.changed_at.to_string(),
        "expires_at": session.expires_at.to_string(),
        "dialect": merchant.channel,
        "merchant": merchant.public_id,
        "kind": session.kind.code(),
        "status": dialect.session_state(session),
        "reference": dialect.reference(&session.luggage),
        "amount_minor": session.amount.map(|amount| amount.minor),
        "paid_minor": session.paid_minor,
        "currency": session.amount.map(|amount| amount.currency.code()),
        "currency_exponent": session.amount.map(|amount| amount.currency.exponent()),
        "card": facts.map(|facts| {
            json!({ "brand": facts.brand, "last_digits": facts.last_digits })
        }),
        "payments": payments.collect::<Vec<Value>>(),
    }))
}

async fn cards(Selected(world): Selected, narrowed: Narrowed, paging: Paging) -> Answer {
    let before = paging.cursor(|text| {
        let (at, id) = text.split_once(':')?;
        Some((Timestamp::from_micros(at.parse().ok()?), CardId::parse(id)?))
    })?;
    let only = narrowed.find(&world).await?.map(|merchant| merchant.id);
    let rows = world.cards_before(only, before, paging.rows()).await?;
    let place = |card: &StoredCard| format!("{}:{}", card.created_at.micros(), card.id);
    let (page, next) = paging.cut(rows, place);
    let merchants = world.merchants().await?;
    let shown =
        page.iter().filter_map(|card| Some(stored(owner(&merchants, card.merchant)?, card)));
    Ok(view::list("cards", shown.collect(), next))
}

/// A stored card. Whoever has a token can charge the card, so that none is shown whole.
fn stored(merchant: &Merchant, card: &StoredCard) -> Value {
    let facts = &card.facts;
    json!({
        "id": card.id.to_string(),
        "at": card.created_at.to_string(),
        "dialect": merchant.channel,
        "merchant": merchant.public_id,
        "token": masked(&card.token),
        "subtoken": card.subtoken.as_deref().map(masked),
        "brand": facts.brand,
        "type": facts.kind.code(),
        "last_digits": facts.last_digits,
        "issuer": facts.issuer,
        "expiration": format!("{:02}/{:02}", facts.expiration_month, facts.expiration_year % 100),
        "state": card.state.code(),
        "single_use": card.single_use,
        "expires_at": card.expires_at.map(|at| at.to_string()),
        "key": card.key_id,
    })
}

fn masked(token: &str) -> String {
    let cut = token.len().saturating_sub(4);
    format!("****{}", token.get(cut..).filter(|_| cut >= 8).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_masked() {
        for (token, shown) in [("9900000000001111", "****1111"), ("abcdefgh", "****"), ("", "****")]
        {
            assert_eq!(masked(token), shown, "{token}");
        }
    }
}
