//! This dialect's part of a world: one application and three sellers.

use cobro_domain::merchant::Wants;
use cobro_domain::{Entropy, MerchantId};
use cobro_engine::accounts::{NewEndpoint, NewMerchant};
use cobro_engine::grants::Named;
use cobro_engine::ports::{SeedWorld, TerminalPlan};
use cobro_engine::{EngineError, World};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::{Value, json};

use crate::accounts::TestUser;
use crate::auth::TOKEN_KIND;
use crate::describe::{NAME, Point, plan};
use crate::notices::{CHALLENGE_SLOT, SIGNED_SLOT};
use crate::oauth::{CLIENT_KIND, client_secret, tagged};
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

/// The secret of the world's application: the demo world's is fixed, others carry their tag.
fn application_secret(world: &World) -> String {
    match world.tag() {
        None => CLIENT_SECRET.to_owned(),
        Some(tag) => {
            let mut random = [0; 16];
            world.entropy().fill(&mut random);
            tagged(Some(tag), &hex::encode(random))
        }
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
    let there = world.merchants().await?.into_iter().find(|merchant| merchant.channel == NAME);
    if let Some(owner) = there {
        return add_application(world, owner.id).await;
    }
    let tag = world.id().strip_prefix("w_").map(str::to_owned);
    for ((site, letter), place) in Site::ALL.into_iter().zip(['a', 'b', 'c']).zip(0..) {
        let credentials = match &tag {
            Some(tag) => made(tag, place, world.entropy()),
            None => demo(place, letter),
        };
        let id = world.add_merchant(seller(world, site, &credentials)).await?;
        if place == 0 {
            add_application(world, id).await?;
        }
    }
    Ok(())
}

/// Adds the application under which all sellers of a world are, unless it is there.
async fn add_application(world: &World, owner: MerchantId) -> Result<(), EngineError> {
    let name = CLIENT_ID.to_string();
    if world.find_name(CLIENT_KIND, &name).await?.is_some() {
        return Ok(());
    }
    let secret = application_secret(world);
    let sealed = world.key().seal(CLIENT_KIND, secret.as_bytes(), world.entropy());
    world.add_name(CLIENT_KIND, name, Named { merchant: owner, subject: hex::encode(sealed) }).await
}

fn seller(world: &World, site: Site, credentials: &Credentials) -> NewMerchant {
    let model = site.device_model();
    let name = match site {
        Site::Mla => "Kiosco Demo",
        Site::Mlb => "Loja Demo",
        Site::Mlm => "Tienda Demo",
    };
    let new = NewSeller {
        site,
        public_id: credentials.user_id.to_string(),
        name: name.to_owned(),
        // The control API shows the token again.
        settings: json!({ "token_sealed": sealed_token(world, credentials) }),
        credentials: vec![(TOKEN_KIND.to_owned(), credentials.token(), String::new())],
        terminals: vec![plan(model, &format!("{model}__{}", credentials.serial), 1)],
        webhook_secret: credentials.webhook_secret.clone(),
    };
    new_seller(world, new)
}

/// A seller to be made.
pub(crate) struct NewSeller {
    pub(crate) site: Site,
    pub(crate) public_id: String,
    pub(crate) name: String,
    pub(crate) settings: Value,
    pub(crate) credentials: Vec<(String, String, String)>,
    pub(crate) terminals: Vec<TerminalPlan>,
    pub(crate) webhook_secret: String,
}

/// A seller with both of its subscriptions.
pub(crate) fn new_seller(world: &World, new: NewSeller) -> NewMerchant {
    let site = new.site;
    NewMerchant {
        channel: NAME.to_owned(),
        public_id: new.public_id,
        name: new.name,
        country: site.code().to_owned(),
        currency: site.currency(),
        fees: site.fees(),
        settings: new.settings.to_string(),
        credentials: new.credentials,
        terminals: new.terminals,
        endpoints: vec![
            NewEndpoint {
                slot: CHALLENGE_SLOT,
                wants: Wants::All,
                secret: uuid_v4(world.entropy()),
            },
            NewEndpoint { slot: SIGNED_SLOT, wants: Wants::Final, secret: new.webhook_secret },
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
        if merchant.channel != NAME || TestUser::of(&merchant).is_some() {
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
    let client = world.find_name(CLIENT_KIND, &CLIENT_ID.to_string()).await?;
    let secret = client.map(|client| client_secret(world, &client)).unwrap_or_default();
    let application = json!({
        "client_id": CLIENT_ID,
        "client_secret": String::from_utf8_lossy(&secret),
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
