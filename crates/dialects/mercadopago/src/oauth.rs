//! Tokens: reference, section 11; RFC 6749.
//!
//! A code or a refresh token names its seller, so that it is looked for in one place, and carries
//! the tag of its world in its random part; a client secret does the latter too.

use std::collections::BTreeMap;

use axum::extract::{Request, State};
use axum::http::header::CACHE_CONTROL;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64_URL;
use bytes::Bytes;
use cobro_domain::merchant::{Merchant, MerchantState};
use cobro_engine::World;
use cobro_engine::grants::{Named, NewCredential, NewGrant};
use cobro_engine::secrets::same_secret;
use cobro_surface::body::json_response;
use cobro_surface::journal::WorldSlot;
use cobro_surface::json::{Json, Limits};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::auth::{TOKEN_KIND, credential_subject};
use crate::describe::NAME;
use crate::devices::pairs;
use crate::errors::ApiError;
use crate::routes::Surface;

/// The kind under which applications are looked up.
pub(crate) const CLIENT_KIND: &str = "mp.client";

/// The kind of grant that an authorization code is.
pub(crate) const CODE_KIND: &str = "mp.code";

/// For how long an authorization code is good, in seconds.
pub(crate) const CODE_LIFETIME_S: i64 = 600;

const REFRESH_KIND: &str = "mp.refresh_token";

/// For how long tokens are good: those of a seller's consent, and an application's own; the
/// latter is our choice.
const TOKEN_LIFETIME_S: i64 = 15_552_000;
const OWN_TOKEN_LIFETIME_S: i64 = 21_600;

/// Something that is handed in: `TG-<random>-<user>`.
pub(crate) fn grant_text(tag: Option<&str>, secret: &str, user: &str) -> String {
    format!("TG-{}-{user}", tagged(tag, secret))
}

/// Random text of the same length, with a world's tag at its beginning.
pub(crate) fn tagged(tag: Option<&str>, secret: &str) -> String {
    let tag = tag.unwrap_or_default();
    format!("{tag}{}", secret.get(tag.len()..).unwrap_or_default())
}

/// The application of a world as its directory has it: its secret is sealed.
pub(crate) fn client_secret(world: &World, client: &Named) -> Vec<u8> {
    let sealed = hex::decode(&client.subject).unwrap_or_default();
    world.key().open(CLIENT_KIND, &sealed).unwrap_or_default()
}

/// An error of this endpoint; all of them are 400 (reference, section 11).
fn refused(code: &str, message: &str) -> ApiError {
    ApiError::new(StatusCode::BAD_REQUEST, code, message)
}

fn invalid_grant() -> ApiError {
    let message = "The code or refresh token is wrong, has been used, or has expired";
    refused("invalid_grant", message)
}

fn invalid_client() -> ApiError {
    refused("invalid_client", "Invalid client_id or client_secret provided")
}

/// The fields of a request.
struct Fields(BTreeMap<String, String>);

impl Fields {
    /// Reads JSON, or a form where it is none.
    fn read(body: &[u8]) -> Result<Self, ApiError> {
        let malformed = || refused("invalid_request", "The body cannot be read");
        if body.trim_ascii_start().first() != Some(&b'{') {
            let text = std::str::from_utf8(body.trim_ascii()).map_err(|_| malformed())?;
            return Ok(Self(pairs(Some(text)).into_iter().collect()));
        }
        let json = Json::parse(body, &Limits::default()).map_err(|_| malformed())?;
        let members = json.as_object().unwrap_or_default();
        let text = |value: &Json| match value {
            Json::String(text) => Some(text.clone()),
            Json::Bool(value) => Some(value.to_string()),
            Json::Number(number) => Some(match number.integer() {
                Some(integer) => integer.to_string(),
                None => number.as_str().to_owned(),
            }),
            Json::Null | Json::Array(_) | Json::Object(_) => None,
        };
        let fields = members.iter().filter_map(|(name, value)| Some((name.clone(), text(value)?)));
        Ok(Self(fields.collect()))
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|text| !text.is_empty())
    }

    fn require(&self, name: &str) -> Result<&str, ApiError> {
        let message = || refused("invalid_request", &format!("{name} is required"));
        self.get(name).ok_or_else(message)
    }
}

/// The kinds of requests.
#[derive(Clone, Copy, PartialEq)]
enum GrantType {
    Code,
    Refresh,
    Client,
}

impl GrantType {
    fn read(fields: &Fields) -> Result<Self, ApiError> {
        match fields.require("grant_type")? {
            "authorization_code" => Ok(Self::Code),
            "refresh_token" => Ok(Self::Refresh),
            "client_credentials" => Ok(Self::Client),
            _ => Err(refused("unsupported_grant_type", "The grant_type is not supported")),
        }
    }

    /// The kind under which what is handed in is kept, and what is handed in.
    fn handed_in(self, fields: &Fields) -> Result<Option<(&'static str, &str)>, ApiError> {
        Ok(match self {
            Self::Code => Some((CODE_KIND, fields.require("code")?)),
            Self::Refresh => Some((REFRESH_KIND, fields.require("refresh_token")?)),
            Self::Client => None,
        })
    }
}

/// The random part and the seller of something that is handed in.
fn parts(grant: &str) -> Option<(&str, &str)> {
    let (random, user) = grant.strip_prefix("TG-")?.split_once('-')?;
    Some((random, user))
}

/// `POST /oauth/token`
pub(crate) async fn token(
    State(surface): State<Surface>,
    request: Request,
) -> Result<Response, ApiError> {
    let (parts, body) = request.into_parts();
    let body: Bytes = axum::body::to_bytes(body, 1 << 20)
        .await
        .map_err(|_| refused("invalid_request", "The body cannot be read"))?;
    let slot: Option<&WorldSlot> = parts.extensions.get();
    let answer = issue(&surface, &Fields::read(&body)?, slot).await?;
    let mut response = json_response(StatusCode::OK, &answer);
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

async fn issue(
    surface: &Surface,
    fields: &Fields,
    slot: Option<&WorldSlot>,
) -> Result<Value, ApiError> {
    let kind = GrantType::read(fields)?;
    let (client_id, secret) = (fields.require("client_id")?, fields.require("client_secret")?);
    let handed_in = kind.handed_in(fields)?;
    let random = match handed_in {
        Some((_, grant)) => parts(grant).map(|(random, _)| random).unwrap_or_default(),
        None => secret,
    };
    let tag = random.get(..8).unwrap_or_default();
    let world = surface.worlds.of_credential(tag).await?;
    let client = world.find_name(CLIENT_KIND, client_id).await?.ok_or_else(invalid_client)?;
    if !same_secret(&client_secret(&world, &client), secret.as_bytes()) {
        return Err(invalid_client());
    }
    if let Some(slot) = slot {
        slot.settle(world.id());
    }
    let is_test = fields.get("test_token") == Some("true");
    let Some((grant_kind, grant)) = handed_in else {
        let owner = world.merchant(client.merchant).await?;
        let made = Made::new(&world, client_id, &owner, is_test, OWN_TOKEN_LIFETIME_S);
        world.add_credential(owner.id, made.credential()).await?;
        return Ok(made.body(None));
    };
    let (_, user) = parts(grant).ok_or_else(invalid_grant)?;
    let seller = world.find_merchant(NAME, user).await?.ok_or_else(invalid_grant)?;
    if seller.state != MerchantState::Active {
        return Err(invalid_grant());
    }
    let detail = world.grant(seller.id, grant_kind, grant).await?.ok_or_else(invalid_grant)?;
    let detail: Value = serde_json::from_str(&detail).unwrap_or_default();
    // A refresh token belongs to the application that it was given to.
    let given_to = detail.get("client").and_then(Value::as_str);
    if given_to.is_some_and(|given_to| given_to != client_id) {
        return Err(invalid_grant());
    }
    if kind == GrantType::Code && !meets(&detail, fields) {
        return Err(invalid_grant());
    }
    let made = Made::new(&world, client_id, &seller, is_test, TOKEN_LIFETIME_S);
    let refresh = grant_text(world.tag(), &random_hex(&world), user);
    let next = NewGrant {
        kind: REFRESH_KIND,
        secret: refresh.clone(),
        detail: json!({ "client": client_id }).to_string(),
        lifetime_s: TOKEN_LIFETIME_S,
    };
    let taken = world.hand_in(seller.id, grant_kind, grant, made.credential(), Some(next)).await?;
    if taken { Ok(made.body(Some(refresh))) } else { Err(invalid_grant()) }
}

/// Whether a code is handed in as it was asked for: with the same address (RFC 6749, section
/// 4.1.3), and with the verifier of its challenge (RFC 7636, section 4.6). What it was asked for
/// without is not looked at.
fn meets(detail: &Value, fields: &Fields) -> bool {
    let bound = |name: &str| detail.get(name).and_then(Value::as_str);
    if bound("redirect_uri").is_some_and(|address| fields.get("redirect_uri") != Some(address)) {
        return false;
    }
    let Some(challenge) = bound("code_challenge") else { return true };
    let verifier = fields.get("code_verifier").unwrap_or_default();
    let met = match bound("code_challenge_method") {
        Some("S256") => BASE64_URL.encode(Sha256::digest(verifier)),
        _ => verifier.to_owned(),
    };
    !verifier.is_empty() && same_secret(met.as_bytes(), challenge.as_bytes())
}

fn random_hex(world: &World) -> String {
    let mut bytes = [0; 16];
    world.entropy().fill(&mut bytes);
    hex::encode(bytes)
}

/// A seller's public key: it stays the same, says nothing, and opens nothing here.
fn public_key(world: &World, seller: &Merchant) -> uuid::Uuid {
    let hash = world.key().lookup_hash(&format!("public key {}", seller.public_id));
    let half = hash.get(..32).and_then(|half| u128::from_str_radix(half, 16).ok());
    uuid::Builder::from_random_bytes(half.unwrap_or_default().to_be_bytes()).into_uuid()
}

/// A token that is being given.
struct Made {
    access_token: String,
    public_key: String,
    user: String,
    is_test: bool,
    lifetime_s: i64,
    subject: String,
}

impl Made {
    fn new(world: &World, client: &str, seller: &Merchant, is_test: bool, lifetime_s: i64) -> Self {
        let now = world.now();
        let prefix = if is_test { "TEST" } else { "APP_USR" };
        let date = now.calendar().strftime("%m%d%H").to_string();
        let random = tagged(world.tag(), &random_hex(world));
        let user = seller.public_id.clone();
        Self {
            access_token: format!("{prefix}-{client}-{date}-{random}-{user}"),
            public_key: format!("{prefix}-{}", public_key(world, seller)),
            user,
            is_test,
            lifetime_s,
            subject: credential_subject(client, now.plus_seconds(lifetime_s)),
        }
    }

    fn credential(&self) -> NewCredential {
        NewCredential {
            kind: TOKEN_KIND,
            secret: self.access_token.clone(),
            subject: self.subject.clone(),
            lifetime_s: self.lifetime_s,
        }
    }

    fn body(&self, refresh_token: Option<String>) -> Value {
        let mut body = json!({
            "access_token": self.access_token,
            "expires_in": self.lifetime_s,
            "live_mode": !self.is_test,
            "public_key": self.public_key,
            "scope": "offline_access read write",
            "token_type": "bearer",
            "user_id": self.user.parse::<i64>().unwrap_or_default(),
        });
        if let (Some(token), Some(members)) = (refresh_token, body.as_object_mut()) {
            members.insert("refresh_token".to_owned(), token.into());
        }
        body
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_json_or_forms() {
        let forms: [&[u8]; 4] = [
            br#"{"client_id":"7","code":"TG-a-1","test_token":"true","x":null,"y":[1]}"#,
            br#" {"client_id":7,"code":"TG-a-1","test_token":true}"#,
            br#"{"client_id":7.0,"code":"TG-a-1","test_token":true,"redirect_uri":""}"#,
            b"client_id=7&code=TG%2Da%2D1&test_token=true\n",
        ];
        for body in forms {
            let fields = Fields::read(body).unwrap();
            let get = |name| fields.get(name);
            assert_eq!(
                (get("client_id"), get("code"), get("test_token"), get("redirect_uri")),
                (Some("7"), Some("TG-a-1"), Some("true"), None)
            );
        }
        for wrong in [b"{".as_slice(), b"{\"a\":1,\"a\":2}", b"\xff=1"] {
            let error = Fields::read(wrong).err().unwrap();
            assert_eq!(error.code, "invalid_request");
        }
        let empty = Fields::read(b"").unwrap();
        assert_eq!(empty.require("client_id").unwrap_err().message, "client_id is required");
    }

    #[test]
    fn grant_types() {
        let read = |word: &str| {
            let fields = Fields([("grant_type".to_owned(), word.to_owned())].into());
            GrantType::read(&fields).map_err(|error| error.code).map(|kind| kind as u8)
        };
        assert_eq!(read("authorization_code"), Ok(0));
        assert_eq!(read("refresh_token"), Ok(1));
        assert_eq!(read("client_credentials"), Ok(2));
        assert_eq!(read("password"), Err("unsupported_grant_type".to_owned()));
        assert_eq!(read(""), Err("invalid_request".to_owned()));
    }

    #[test]
    fn codes_are_handed_in_as_they_were_asked_for() {
        // The pair of RFC 7636, appendix B.
        const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
        let hashed = json!({"code_challenge": CHALLENGE, "code_challenge_method": "S256"});
        let plain = json!({"code_challenge": VERIFIER, "code_challenge_method": "plain"});
        let address = json!({"redirect_uri": "https://a.example/"});
        type Sent = &'static [(&'static str, &'static str)];
        let table: [(&Value, Sent, bool); 12] = [
            (&json!({}), &[], true),
            (&json!({}), &[("redirect_uri", "https://b.example/"), ("code_verifier", "x")], true),
            (&address, &[("redirect_uri", "https://a.example/")], true),
            (&address, &[("redirect_uri", "https://a.example")], false),
            (&address, &[], false),
            (&hashed, &[("code_verifier", VERIFIER)], true),
            (&hashed, &[("code_verifier", CHALLENGE)], false),
            (&hashed, &[("code_verifier", "")], false),
            (&hashed, &[], false),
            (&plain, &[("code_verifier", VERIFIER)], true),
            (&plain, &[("code_verifier", "x")], false),
            (&plain, &[], false),
        ];
        for (detail, sent, expected) in table {
            let pairs = sent.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            assert_eq!(meets(detail, &Fields(pairs.collect())), expected, "{detail} {sent:?}");
        }
    }

    #[test]
    fn grants_say_whose_they_are_and_in_which_world() {
        let secret = "f".repeat(32);
        let grant = grant_text(Some("0123abcd"), &secret, "100000001");
        let (random, user) = parts(&grant).unwrap();
        assert_eq!((random.len(), &random[..8], user), (32, "0123abcd", "100000001"));
        assert_eq!(grant_text(None, &secret, "7"), format!("TG-{secret}-7"));
        for wrong in ["", "TG-", "TG-abc", "TX-abc-7"] {
            assert_eq!(parts(wrong), None, "{wrong}");
        }
    }
}
