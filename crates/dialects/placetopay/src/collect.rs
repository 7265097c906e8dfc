//! Charging a stored card without its holder: seed 004, `POST /api/collect`; reference, section 4.

use cobro_domain::Money;
use cobro_domain::card::StoredCard;
use cobro_domain::session::SessionKind;
use cobro_engine::card_charges::ChargeCard;
use cobro_engine::intents::Repeatable;
use cobro_engine::secrets::digest;
use cobro_engine::sessions::NewSession;
use cobro_surface::json::Json;
use serde_json::{Map, Value};

use crate::calls::Call;
use crate::errors::Refusal;
use crate::fields::Fields;
use crate::luggage::{Luggage, card_person};
use crate::payment_request::{PaymentRequest, Rules};
use crate::persons::{Role, person};
use crate::sessions::{LIFETIME_S, is_checkin, metadata, series};
use crate::sites::date;
use crate::validate::{At, put};

/// For how long the same reference and amount are one charge, in seconds (reference, section 4.4).
const DUPLICATE_S: i64 = 24 * 3600;

/// The tokens of an instrument: `token` decides, and `subtoken` must agree.
pub(crate) struct Tokens {
    token: Option<String>,
    subtoken: Option<String>,
}

impl Tokens {
    /// Reads `instrument.token`, an object or the token itself, or both members beside it.
    pub(crate) fn read(body: &At<'_>) -> Result<Self, Refusal> {
        let instrument = body.member("instrument");
        let instrument = instrument.object()?.ok_or_else(|| instrument.required())?;
        let place = instrument.member("token");
        let (token, subtoken) = match place.json() {
            Some(Json::Object(_)) => (place.member("token"), place.member("subtoken")),
            _ => (place.clone(), instrument.member("subtoken")),
        };
        if matches!(place.json(), Some(Json::Array(elements)) if elements.is_empty()) {
            return Err(place.required());
        }
        let found = Self { token: token.text(64)?, subtoken: subtoken.text(64)? };
        if found.token.is_none() && found.subtoken.is_none() {
            return Err(place.required());
        }
        Ok(found)
    }

    /// The stored card; unknown, foreign, used and invalidated ones are told apart nowhere.
    pub(crate) async fn find(&self, call: &Call) -> Result<StoredCard, Refusal> {
        use cobro_domain::card::StoredCardState;
        let wanted = self.token.as_ref().or(self.subtoken.as_ref()).ok_or_else(Refusal::token)?;
        let merchant = call.site.caller.merchant;
        let card = call.site.world.card_by_token(merchant, wanted).await?;
        let agrees =
            self.token.is_none() || self.subtoken.is_none() || self.subtoken == card.subtoken;
        if card.state != StoredCardState::Active || !agrees {
            return Err(Refusal::token());
        }
        Ok(card)
    }
}

/// What a collect says of its instrument besides the token. Has no `Debug`: a code is in it.
struct Instrument {
    installments: i64,
    code: Option<String>,
    kept: Map<String, Value>,
}

fn instrument(body: &At<'_>) -> Result<Instrument, Refusal> {
    let at = body.member("instrument");
    if !at.member("card").is_absent() {
        return Err(Refusal::not_allowed(at.member("card").path()));
    }
    let token = at.member("token");
    let installments = token.member("installments").integer(0, 999)?.unwrap_or(0);
    let code_at = token.member("cvv");
    let code = code_at.text(4)?;
    let fits = |code: &String| code.len() >= 3 && code.bytes().all(|byte| byte.is_ascii_digit());
    if !code.as_ref().is_none_or(fits) {
        return Err(code_at.invalid());
    }
    let mut kept = Map::new();
    if installments > 0 {
        put(&mut kept, "installments", Some(installments));
    }
    let pocket = at.member("pocket");
    let number = pocket.text(4)?;
    if number.as_deref().is_some_and(|number| !["10", "20", "80", "90"].contains(&number)) {
        return Err(pocket.invalid());
    }
    put(&mut kept, "pocket", number);
    if let Some(credit) = at.member("credit").object()? {
        for name in ["code", "type", "groupCode"] {
            credit.member(name).text(20)?;
        }
        credit.member("installment").integer(0, 999)?;
        credit.member("installments").integer(0, 999)?;
        put(&mut kept, "credit", credit.json().map(Json::to_value));
    }
    Ok(Instrument { installments, code, kept })
}

/// The request as it is kept, with what is filled in where it says nothing (section 4.1).
fn kept(
    call: &Call,
    payment: &PaymentRequest,
    card: &StoredCard,
) -> Result<Map<String, Value>, Refusal> {
    let at = call.at();
    let strict = call.settings().strict_collect;
    let mut kept = Map::new();
    put(&mut kept, "locale", Some(call.locale.clone()));
    let payer = person(&at.member("payer"), Role::Payer)?;
    if strict && payer.is_none() {
        return Err(at.member("payer").required());
    }
    // Without a payer it is the person of the token.
    put(&mut kept, "payer", payer.or_else(|| card_person(&card.luggage)));
    put(&mut kept, "buyer", person(&at.member("buyer"), Role::Buyer)?);
    put(&mut kept, "payment", Some(payment.kept.clone()));
    put(&mut kept, "fields", Fields::default().read(&at.member("fields"))?);
    let home = || format!("{}/home", call.base);
    put(&mut kept, "returnUrl", Some(at.member("returnUrl").uri()?.unwrap_or_else(home)));
    put(&mut kept, "cancelUrl", at.member("cancelUrl").uri()?);
    for (name, max) in [("ipAddress", 46), ("userAgent", 255)] {
        let member = at.member(name);
        let given = member.text(max)?;
        if strict && given.is_none() {
            return Err(member.required());
        }
        let filled = || match name {
            "userAgent" => call.user_agent(),
            _ => "127.0.0.1".to_owned(),
        };
        put(&mut kept, name, Some(given.unwrap_or_else(filled)));
    }
    put(&mut kept, "type", at.member("type").text(20)?);
    put(&mut kept, "metadata", metadata(&at.member("metadata"))?);
    if let Some(Json::String(_) | Json::Number(_)) = at.member("provider").json() {
        put(&mut kept, "provider", at.member("provider").cut_text(64)?);
    }
    // Echoed, not checked (contract).
    let filled = || date(call.now().plus_seconds(LIFETIME_S), &call.zone);
    let expiration = at.member("expiration").text(64)?;
    put(&mut kept, "expiration", Some(expiration.unwrap_or_else(filled)));
    Ok(kept)
}

/// What makes another collect the same charge: reference and amount (the token is not part of it).
fn duplicate(call: &Call, reference: &str, amount: Money) -> Repeatable {
    let digest = digest(&[
        b"placetopay collect",
        call.site.merchant().public_id.as_bytes(),
        reference.as_bytes(),
        amount.currency.code().as_bytes(),
        &amount.minor.to_be_bytes(),
    ]);
    Repeatable { digest, lifetime_s: DUPLICATE_S }
}

/// `POST /api/collect`
pub(crate) async fn collect(call: &Call) -> Result<Value, Refusal> {
    let at = call.at();
    let settings = call.settings();
    let is_checkin = is_checkin(&at)?;
    let rules = Rules {
        dispersion_max: settings.dispersion_max,
        is_checkin,
        is_collect: true,
        strict: settings.strict_collect,
        today: call.today(),
    };
    let payment = PaymentRequest::read(&at.member("payment"), rules, &mut Fields::default())?;
    let tokens = Tokens::read(&at)?;
    let instrument = instrument(&at)?;
    let card = tokens.find(call).await?;
    let mut request = kept(call, &payment, &card)?;
    if !instrument.kept.is_empty() {
        put(&mut request, "instrument", Some(instrument.kept.clone()));
    }
    let world = &call.site.world;
    let new = NewSession {
        kind: SessionKind::Direct,
        amount: Some(payment.amount),
        allow_partial: false,
        capture: !is_checkin,
        offers_storing: false,
        attempts_max: 1,
        page_hash: String::new(),
        luggage: Luggage::new(world, request, None).text(),
        expires_at: call.now().plus_seconds(LIFETIME_S),
        repeatable: None,
        duplicate: Some(duplicate(call, &payment.reference, payment.amount)),
        recurrence: payment.recurring.map(|plan| series(call, plan)),
    };
    let new = NewSession { repeatable: Some(charge_once(call)), ..new };
    let charge = ChargeCard {
        amount_minor: None,
        installments: instrument.installments,
        tip_minor: 0,
        store: None,
        luggage: None,
        challenge_s: None,
    };
    let code = instrument.code.as_deref();
    let view = world.charge_stored_card(&call.site.caller, card.id, code, new, charge).await?;
    Ok(call.teller().session(&view))
}

/// The request itself, whatever became of its charge: its answer is kept under another key.
fn charge_once(call: &Call) -> Repeatable {
    let nonce = call.repeatable();
    Repeatable { digest: digest(&[b"charge", &nonce.digest]), ..nonce }
}
