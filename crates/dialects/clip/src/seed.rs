//! This dialect's part of a world: one merchant with one terminal and one cashier.

use cobro_domain::Entropy;
use cobro_domain::fee::FeeSchedule;
use cobro_domain::merchant::{Merchant, Wants};
use cobro_domain::money::Currency;
use cobro_engine::accounts::{NewEndpoint, NewMerchant};
use cobro_engine::ports::SeedWorld;
use cobro_engine::{EngineError, World};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::{Value, json};

use crate::auth::{KEY_KIND, PAIR_KIND};
use crate::describe::{Clip, MODEL, NAME, plan};
use crate::notices::{POSTBACK_SLOT, WEBHOOK_SLOT};
use crate::settings;

/// What the merchant pays: 3.6 percent, and value-added tax of 16 percent on it (reference, 4.3).
const FEES: FeeSchedule = FeeSchedule { fee_bps: 360, tax_bps: 1600 };

/// The key of the main world's merchant (contract, "Sandbox credentials").
pub(crate) const DEMO_KEY: &str = "c11b0000-0000-4000-8000-000000000001";

/// The cashier who is signed in at the first terminal (contract, "Sandbox credentials").
const CASHIER: &str = "caja1@cafecentral.example";

/// How many terminals are looked at for who is signed in; a world's JSON lists as many.
const TERMINALS_SHOWN: i64 = 1000;

/// The member of the settings in which the secret is kept, sealed.
const SECRET: &str = "secret_sealed";

/// The member of the settings that `merchantToken` comes from.
pub(crate) const MERCHANT_TOKEN: &str = "merchant_token";

/// A merchant's credentials and the serial number of its terminal.
struct Credentials {
    api_key: String,
    secret: String,
    serial: String,
}

/// The fixed credentials of the demo world.
fn demo() -> Credentials {
    Credentials {
        api_key: DEMO_KEY.to_owned(),
        secret: "5ec2e700-0000-4000-8000-000000000001".to_owned(),
        serial: "P8220000001".to_owned(),
    }
}

/// Credentials of another world: its tag stands at the beginning of the key.
fn made(tag: &str, entropy: &dyn Entropy) -> Credentials {
    let key = uuid_v4(entropy);
    let number = u32::from_str_radix(tag, 16).unwrap_or_default();
    Credentials {
        api_key: format!("{tag}{}", key.get(8..).unwrap_or_default()),
        secret: uuid_v4(entropy),
        serial: format!("P8{:09}", number % 1_000_000_000),
    }
}

fn uuid_v4(entropy: &dyn Entropy) -> String {
    uuid::Builder::from_random_bytes(entropy.seed()).into_uuid().to_string()
}

async fn seed(world: &World) -> Result<(), EngineError> {
    if world.merchants().await?.iter().any(|merchant| merchant.channel == NAME) {
        return Ok(());
    }
    let credentials = match world.tag() {
        Some(tag) => made(tag, world.entropy()),
        None => demo(),
    };
    world.add_merchant(merchant(world, &credentials)).await?;
    Ok(())
}

fn merchant(world: &World, credentials: &Credentials) -> NewMerchant {
    let Credentials { api_key, secret, serial } = credentials;
    let sealed = world.key().seal(PAIR_KIND, secret.as_bytes(), world.entropy());
    let endpoint = |slot| NewEndpoint { slot, wants: Wants::All, secret: String::new() };
    NewMerchant {
        channel: NAME.to_owned(),
        public_id: api_key.clone(),
        name: "Café Central".to_owned(),
        country: "MX".to_owned(),
        currency: Currency::MXN,
        fees: FEES,
        settings: json!({
            "cashiers": [CASHIER],
            MERCHANT_TOKEN: uuid_v4(world.entropy()),
            // The control API shows the secret again.
            SECRET: hex::encode(sealed),
        })
        .to_string(),
        credentials: vec![
            (KEY_KIND.to_owned(), api_key.clone(), String::new()),
            (PAIR_KIND.to_owned(), format!("{api_key}:{secret}"), String::new()),
        ],
        terminals: vec![plan(MODEL, serial, Some(CASHIER))],
        endpoints: vec![endpoint(POSTBACK_SLOT), endpoint(WEBHOOK_SLOT)],
    }
}

/// The secret of a merchant; empty when it cannot be opened.
fn secret(world: &World, merchant: &Merchant) -> String {
    let sealed = hex::decode(settings::text(merchant, SECRET)).unwrap_or_default();
    let secret = world.key().open(PAIR_KIND, &sealed).unwrap_or_default();
    String::from_utf8(secret.to_vec()).unwrap_or_default()
}

async fn describe(world: &World) -> Result<(&'static str, Value), EngineError> {
    let merchants = world.merchants().await?;
    let Some(merchant) = merchants.iter().find(|merchant| merchant.channel == NAME) else {
        return Ok((NAME, Value::Null));
    };
    let terminals: Vec<String> =
        world.terminal_ids(merchant.id).await?.into_iter().map(|id| id.0).collect();
    let cashiers = all_cashiers(world, merchant).await?;
    let described = json!({
        "merchant_id": merchant.id.to_string(),
        "name": merchant.name,
        "api_key": merchant.public_id,
        "secret": secret(world, merchant),
        "cashiers": cashiers,
        "terminals": terminals,
    });
    Ok((NAME, described))
}

/// The merchant's cashiers, and whoever else is signed in at one of its terminals (contract).
async fn all_cashiers(world: &World, merchant: &Merchant) -> Result<Vec<String>, EngineError> {
    let mut cashiers = settings::cashiers(merchant);
    let (terminals, _) = world.terminals_of(merchant.id, 0, TERMINALS_SHOWN).await?;
    for terminal in terminals {
        let settings: Value = serde_json::from_str(&terminal.settings).unwrap_or_default();
        let signed_in = settings.get("cashier").and_then(Value::as_str).unwrap_or_default();
        if !signed_in.is_empty() && !cashiers.iter().any(|known| known == signed_in) {
            cashiers.push(signed_in.to_owned());
        }
    }
    Ok(cashiers)
}

impl SeedWorld for Clip {
    fn seed<'a>(&'a self, world: &'a World) -> BoxFuture<'a, Result<(), EngineError>> {
        seed(world).boxed()
    }

    fn describe<'a>(
        &'a self,
        world: &'a World,
    ) -> BoxFuture<'a, Result<(&'static str, Value), EngineError>> {
        describe(world).boxed()
    }
}
