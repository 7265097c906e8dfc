//! What a request led to, for who asks for it: objects that look like payments, with what is
//! particular to a terminal (reference, section 7).

use cobro_domain::card::CardEntry;
use cobro_engine::intents::IntentView;
use serde_json::{Value, json};

use crate::call::Call;
use crate::errors::Refusal;
use crate::payments;

/// `detail` of a request: its payment, where it has one.
pub(super) async fn of(call: &Call, view: &IntentView) -> Result<Value, Refusal> {
    let mut results = Vec::new();
    if let Some(payment) = &view.payment {
        let found = call.world().payment(call.merchant().id, payment.id).await;
        let found = found.map_err(|error| Refusal::of(call.api, error))?;
        let mut shown = payments::shown(call, &found).await?;
        if let Some(members) = shown.as_object_mut() {
            let of_terminal = json!({
                "transaction_id": payment.id.to_string(),
                "type": "pos",
                "entry_mode": entry_word(payment.entry),
                "merchant_id": call.merchant().id.to_string(),
                "device": device(view),
            });
            members.extend(of_terminal.as_object().cloned().unwrap_or_default());
        }
        results.push(shown);
    }
    let total = results.len();
    Ok(json!({
        "pages": { "size": 50, "number": 1, "total": total.min(1), "total_results": total },
        "results": results,
    }))
}

fn device(view: &IntentView) -> Value {
    let id = view.intent.terminal.as_ref().map_or("", |terminal| terminal.0.as_str());
    let (model, serial) = id.split_once("__").unwrap_or(("", id));
    json!({ "id": serial, "type": model, "manufacturer": "Cobro" })
}

const fn entry_word(entry: CardEntry) -> &'static str {
    match entry {
        CardEntry::Tap => "CONTACTLESS",
        CardEntry::Insert => "CHIP",
        CardEntry::Swipe => "MAGNETIC_STRIPE",
        CardEntry::Typed => "MANUAL",
    }
}
