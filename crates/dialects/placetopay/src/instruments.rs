//! Tokens: seed 004, `POST /api/instrument/invalidate`; reference, section 6.

use serde_json::{Value, json};

use crate::calls::Call;
use crate::collect::Tokens;
use crate::errors::Refusal;
use crate::payment_request::plain_amount;
use crate::texts::Text;

/// `POST /api/instrument/invalidate`
pub(crate) async fn invalidate(call: &Call) -> Result<Value, Refusal> {
    let card = Tokens::read(&call.at())?.find(call).await?;
    let card = call.site.world.invalidate_card(&call.site.caller, card.id).await?;
    let word = call.settings().invalidate_status;
    Ok(json!({ "status": call.teller().status(&word, "00", Text::Approved, card.changed_at) }))
}

/// `POST /api/gateway/token`
pub(crate) async fn token(call: &Call) -> Result<Value, Refusal> {
    let card = Tokens::read(&call.at())?.find(call).await?;
    let teller = call.teller();
    Ok(json!({
        "status": teller.status("OK", "00", Text::Processed, call.now()),
        "data": teller.token(&card),
    }))
}

/// `POST /api/gateway/information`: what a card, or a token, needs. The members beyond `status`
/// are our choice: nothing documents them.
pub(crate) async fn information(call: &Call) -> Result<Value, Refusal> {
    let at = call.at();
    plain_amount(&at.member("payment").member("amount"))?;
    let number = at.member("instrument").member("card").member("number");
    let facts = match number.text(23)? {
        Some(number) => {
            let digits: String = number.chars().filter(char::is_ascii_digit).collect();
            crate::cards::find(&digits).ok_or_else(Refusal::token)?.facts
        }
        None => Tokens::read(&at)?.find(call).await?.facts,
    };
    let brand = crate::cards::Brand::named(&facts.brand);
    Ok(json!({
        "status": call.teller().status("OK", "00", Text::Processed, call.now()),
        "provider": "SANDBOX",
        "serviceCode": "0",
        "cardTypes": [match facts.kind {
            cobro_domain::card::CardKind::Credit => "C",
            _ => "D",
        }],
        "franchise": brand.method,
        "franchiseName": brand.name,
        "issuerName": facts.issuer,
        "requireOtp": false,
        "requireCvv2": true,
        "requirePin": false,
        "threeDS": "optional",
        "credits": [],
    }))
}
