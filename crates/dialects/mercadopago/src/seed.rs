//! This dialect's part of a world: one application and three sellers.

use cobro_domain::Entropy;
use cobro_domain::merchant::Wants;
use cobro_engine::accounts::{NewEndpoint, NewMerchant};
use cobro_engine::ports::SeedWorld;
use cobro_engine::{EngineError, World};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::{Value, json};

use crate::auth::TOKEN_KIND;
use crate::describe::{NAME, Point, plan};
use crate::notices::{CHALLENGE_SLOT, SIGNED_SLOT};
use crate::sites::Site;

/// The demo application (contract, "Sandbox credentials").
pub(crate) const CLIENT_ID: i64 = 1_000_000_000_000_001;
const CLIENT_SECRET: &str = "secreto-de-la-aplicacion-demo-01";
const DEMO_WEBHOOK_SECRET: &str =
    "b1946ac92492d2347c6235b4d2611184b1946ac92492d2347c6235b4d2611184";

/// A seller's credentials.
struct Credentials {
    user_id: i64,
    random: String,
    serial: String,
    webhook_secret: String,
}

impl Credentials {
    fn token(&self) -> String {
        format!("TEST-{CLIENT_ID}-112000-{}-{}", self.random, self.user_id)
    }
}

/// The fixed credentials of the demo world.
fn demo(place: i64, letter: char) -> Credentials {
    Credentials {
        user_id: 100_000_001 + place,
        random: letter.to_string().repeat(32),
        serial: format!("SBX{:07}", 1 + place),
        webhook_secret: DEMO_WEBHOOK_SECRET.to_owned(),
    }
}

/// Credentials of another world: its tag stands in the random part of the token.
fn made(tag: &str, place: i64, entropy: &dyn Entropy) -> Credentials {
    let mut random = [0; 12];
    entropy.fill(&mut random);
    let mut secret = [0; 32];
    entropy.fill(&mut secret);
    let number = i64::from(u32::from_str_radix(tag, 16).unwrap_or_default());
    Credentials {
        user_id: 200_000_000 + (number % 200_000_000) * 4 + place,
        random: format!("{tag}{}", hex::encode(random)),
        serial: format!("SBX{:07}", (number % 3_000_000) * 3 + place + 10),
        webhook_secret: hex::encode(secret),
    }
}

fn uuid_v4(entropy: &dyn Entropy) -> String {
    let mut bytes = entropy.seed();
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let text = hex::encode(bytes);
    let part = |from: usize, to: usize| text.get(from..to).unwrap_or_default();
    [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-")
}

async fn seed(world: &World) -> Result<(), EngineError> {
    if world.merchants().await?.iter().any(|merchant| merchant.channel == NAME) {
        return Ok(());
    }
    let tag = world.id().strip_prefix("w_").map(str::to_owned);
    for ((site, letter), place) in Site::ALL.into_iter().zip(['a', 'b', 'c']).zip(0..) {
        let credentials = match &tag {
            Some(tag) => made(tag, place, world.entropy()),
            None => demo(place, letter),
        };
        world.add_merchant(seller(world, site, &credentials)).await?;
    }
    Ok(())
}

fn seller(world: &World, site: Site, credentials: &Credentials) -> NewMerchant {
    let model = site.device_model();
    let name = match site {
        Site::Mla => "Kiosco Demo",
        Site::Mlb => "Loja Demo",
        Site::Mlm => "Tienda Demo",
    };
    NewMerchant {
        channel: NAME.to_owned(),
        public_id: credentials.user_id.to_string(),
        name: name.to_owned(),
        country: site.code().to_owned(),
        currency: site.currency(),
        fees: site.fees(),
        // The control API shows the token again; it is kept with the subject of its hash.
        settings: json!({ "token_sealed": sealed_token(world, credentials) }).to_string(),
        credentials: vec![(TOKEN_KIND.to_owned(), credentials.token(), String::new())],
        terminals: vec![plan(model, &format!("{model}__{}", credentials.serial), 1)],
        endpoints: vec![
            NewEndpoint {
                slot: CHALLENGE_SLOT,
                wants: Wants::All,
                secret: uuid_v4(world.entropy()),
            },
            NewEndpoint {
                slot: SIGNED_SLOT,
                wants: Wants::Final,
                secret: credentials.webhook_secret.clone(),
            },
        ],
    }
}

fn sealed_token(world: &World, credentials: &Credentials) -> String {
    let token = credentials.token();
    hex::encode(world.key().seal(TOKEN_KIND, token.as_bytes(), world.entropy()))
}

async fn describe(world: &World) -> Result<(&'static str, Value), EngineError> {
    let mut sellers = Vec::new();
    let mut webhook_secret = String::new();
    for merchant in world.merchants().await? {
        if merchant.channel != NAME {
            continue;
        }
        let settings: Value = serde_json::from_str(&merchant.settings).unwrap_or_default();
        let sealed = settings.get("token_sealed").and_then(Value::as_str).unwrap_or_default();
        let sealed = hex::decode(sealed).unwrap_or_default();
        let token = world.key().open(TOKEN_KIND, &sealed).unwrap_or_default();
        let (_, integrator_token) = world.endpoint(merchant.id, CHALLENGE_SLOT).await?;
        let (_, secret) = world.endpoint(merchant.id, SIGNED_SLOT).await?;
        webhook_secret = secret;
        let terminals: Vec<String> =
            world.terminal_ids(merchant.id).await?.into_iter().map(|id| id.0).collect();
        sellers.push(json!({
            "site": merchant.country,
            "name": merchant.name,
            "user_id": merchant.public_id.parse::<i64>().unwrap_or_default(),
            "access_token": String::from_utf8_lossy(&token),
            "integrator_token": integrator_token,
            "terminals": terminals,
        }));
    }
    let application = json!({
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "webhook_secret": webhook_secret,
        "sellers": sellers,
    });
    Ok(("mercado_pago", application))
}

impl SeedWorld for Point {
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
