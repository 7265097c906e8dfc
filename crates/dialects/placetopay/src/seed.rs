//! This dialect's part of a world: two sites.

use cobro_domain::fee::FeeSchedule;
use cobro_domain::merchant::{Merchant, Wants};
use cobro_engine::accounts::{NewEndpoint, NewMerchant};
use cobro_engine::ports::SeedWorld;
use cobro_engine::{EngineError, World};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::{Value, json};

use crate::auth::LOGIN_KIND;
use crate::describe::{Checkout, NAME};
use crate::luggage::sealed_key;
use crate::notices::{RECURRING_SLOT, SITE_SLOT};
use crate::sites::Country;

/// What a site pays: three percent, and the country's value-added tax of nineteen on it.
const FEES: FeeSchedule = FeeSchedule { fee_bps: 300, tax_bps: 1900 };

/// The secret key of a site; empty when it cannot be opened.
pub(crate) fn secret_key(world: &World, merchant: &Merchant) -> String {
    let settings: Value = serde_json::from_str(&merchant.settings).unwrap_or_default();
    let sealed = settings.get("key_sealed").and_then(Value::as_str).unwrap_or_default();
    let secret = world.key().open(LOGIN_KIND, &hex::decode(sealed).unwrap_or_default());
    String::from_utf8(secret.unwrap_or_default()).unwrap_or_default()
}

async fn seed(world: &World) -> Result<(), EngineError> {
    if world.merchants().await?.iter().any(|merchant| merchant.channel == NAME) {
        return Ok(());
    }
    let tag = world.id().strip_prefix("w_").map(str::to_owned);
    for (country, place) in Country::ALL.into_iter().zip(1..) {
        let (login, secret) = match &tag {
            // The world's tag stands at the beginning of the login.
            Some(tag) => {
                let random = hex::encode(world.entropy().seed());
                let login = format!("{tag}{}", random.get(8..).unwrap_or_default());
                (login, hex::encode(world.entropy().seed()))
            }
            // Fixed in the demo world (contract, "Sandbox credentials").
            None => (format!("c0b7{place:028}"), format!("llave-secreta-{place:02}")),
        };
        world.add_merchant(site(world, country, login, &secret)).await?;
    }
    Ok(())
}

fn site(world: &World, country: Country, login: String, secret: &str) -> NewMerchant {
    let name = match country {
        Country::Co => "Tienda Demo",
        Country::Cl => "Tienda Demo Chile",
    };
    let endpoint = |slot| NewEndpoint { slot, wants: Wants::Final, secret: secret.to_owned() };
    NewMerchant {
        channel: NAME.to_owned(),
        public_id: login.clone(),
        name: name.to_owned(),
        country: country.code().to_owned(),
        currency: country.currency(),
        fees: FEES,
        settings: json!({ "key_sealed": sealed_key(world, secret) }).to_string(),
        credentials: vec![(LOGIN_KIND.to_owned(), login, String::new())],
        terminals: Vec::new(),
        endpoints: vec![endpoint(SITE_SLOT), endpoint(RECURRING_SLOT)],
    }
}

async fn describe(world: &World) -> Result<(&'static str, Value), EngineError> {
    let sites: Vec<Value> = world
        .merchants()
        .await?
        .iter()
        .filter(|merchant| merchant.channel == NAME)
        .map(|merchant| {
            json!({
                "login": merchant.public_id,
                "secret_key": secret_key(world, merchant),
                "name": merchant.name,
                "country": merchant.country,
                "currencies": Country::of(&merchant.country).currencies(),
            })
        })
        .collect();
    Ok(("placetopay", json!({ "sites": sites })))
}

impl SeedWorld for Checkout {
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
