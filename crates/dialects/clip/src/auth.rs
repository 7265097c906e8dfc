//! Who calls: one reader for every form in which clients send their credentials, on every surface
//! (reference, section 0.1).

use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, HeaderName};
use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use cobro_domain::merchant::{Merchant, MerchantState};
use cobro_engine::{Caller, EngineError, World, Worlds};
use cobro_surface::journal::WorldSlot;

use crate::seed::DEMO_KEY;

/// The kind under which API keys are looked up.
pub(crate) const KEY_KIND: &str = "clip.api_key";

/// The kind under which a key together with its secret is looked up, as `key:secret`.
pub(crate) const PAIR_KIND: &str = "clip.key_and_secret";

/// The header of the surfaces that have no `Authorization`.
const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// What a test credential begins with.
const TEST_PREFIX: &str = "test_";

/// The longest credential that is looked at, in bytes.
const CREDENTIAL_MAX: usize = 512;

/// How many values of both headers together are looked at.
const VALUES_MAX: usize = 4;

const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);

/// What a caller sends; deliberately without `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Credential {
    /// An API key alone.
    Key(String),
    /// A key and its secret.
    Pair {
        /// The key.
        key: String,
        /// The secret.
        secret: String,
    },
}

impl Credential {
    /// The credential of one header value; `None` when it holds none.
    fn read(value: &str) -> Option<Self> {
        let value = value.trim();
        if value.is_empty() || value.len() > CREDENTIAL_MAX {
            return None;
        }
        match value.split_once([' ', '\t']) {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("basic") => pair(rest.trim()),
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("bearer") => {
                let rest = rest.trim();
                pair(rest).or_else(|| key(rest))
            }
            Some(_) => None,
            None => pair(value).or_else(|| key(value)),
        }
    }

    fn key(&self) -> &str {
        match self {
            Self::Key(key) | Self::Pair { key, .. } => key,
        }
    }

    /// Under what it is looked up.
    fn lookup(&self) -> (&'static str, String) {
        match self {
            Self::Key(key) => (KEY_KIND, key.clone()),
            Self::Pair { key, secret } => (PAIR_KIND, format!("{key}:{secret}")),
        }
    }
}

fn key(text: &str) -> Option<Credential> {
    let text = text.strip_prefix(TEST_PREFIX).unwrap_or(text);
    // Headers of other schemes are no keys, and a scheme without a credential is none either.
    let named = |word: &str| text.eq_ignore_ascii_case(word);
    let is_key = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
    (is_key && !named("basic") && !named("bearer")).then(|| Credential::Key(text.to_owned()))
}

/// A key and its secret in base64, in either alphabet, with or without padding.
fn pair(text: &str) -> Option<Credential> {
    let bytes = STANDARD.decode(text).or_else(|_| URL_SAFE.decode(text)).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    let (key, secret) = text.split_once(':')?;
    let (key, secret) = (key.trim(), secret.trim());
    let key = key.strip_prefix(TEST_PREFIX).unwrap_or(key);
    (!key.is_empty()).then(|| Credential::Pair { key: key.to_owned(), secret: secret.to_owned() })
}

/// Why a caller is not let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NotLetIn {
    /// No credential, or one that nobody has.
    Unknown,
    /// The merchant is known and may not work.
    Forbidden,
    /// The store has no answer.
    Engine(EngineError),
}

impl From<EngineError> for NotLetIn {
    fn from(error: EngineError) -> Self {
        Self::Engine(error)
    }
}

/// A recognised merchant and its world.
#[derive(Clone)]
pub(crate) struct Shop {
    pub(crate) world: World,
    pub(crate) caller: Caller,
    credential: Credential,
}

impl Shop {
    pub(crate) fn merchant(&self) -> &Merchant {
        &self.caller.account
    }

    /// Recognises the merchant once more, after its credentials or settings changed.
    pub(crate) async fn recognise_again(&mut self) -> Result<(), NotLetIn> {
        self.world.forget_callers();
        let (kind, text) = self.credential.lookup();
        self.caller = self.world.recognise(kind, &text).await?.ok_or(NotLetIn::Unknown)?;
        may_work(self.merchant())
    }
}

fn may_work(merchant: &Merchant) -> Result<(), NotLetIn> {
    match merchant.state {
        MerchantState::Active => Ok(()),
        MerchantState::CredentialsExpired => Err(NotLetIn::Unknown),
        MerchantState::Inactive | MerchantState::Expired => Err(NotLetIn::Forbidden),
    }
}

/// The part of an API key in which a world's tag can stand.
pub(crate) fn tag(key: &str) -> &str {
    key.get(..8).unwrap_or_default()
}

/// The merchant of a request: some clients send both headers, and one that is valid is enough.
pub(crate) async fn shop(
    worlds: &Worlds,
    headers: &HeaderMap,
    slot: Option<&WorldSlot>,
) -> Result<Shop, NotLetIn> {
    let mut refusal = NotLetIn::Unknown;
    for credential in credentials(headers) {
        // The main world's own key looks as if it had a tag: no other world is looked for.
        let world = match credential.key() {
            DEMO_KEY => worlds.main().clone(),
            key => worlds.of_credential(tag(key)).await?,
        };
        let (kind, text) = credential.lookup();
        let Some(caller) = world.recognise(kind, &text).await? else { continue };
        if let Some(slot) = slot {
            slot.settle(world.id());
        }
        match may_work(&caller.account) {
            Ok(()) => return Ok(Shop { world, caller, credential }),
            Err(failure) => refusal = failure,
        }
    }
    Err(refusal)
}

fn credentials(headers: &HeaderMap) -> Vec<Credential> {
    let values = headers.get_all(AUTHORIZATION).iter().chain(headers.get_all(API_KEY));
    let texts = values.take(VALUES_MAX).filter_map(|value| value.to_str().ok());
    texts.filter_map(Credential::read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "c11b0000-0000-4000-8000-000000000001";
    const SECRET: &str = "5ec2e700-0000-4000-8000-000000000001";

    fn basic() -> String {
        STANDARD.encode(format!("{KEY}:{SECRET}"))
    }

    fn read(value: &str) -> Option<(String, Option<String>)> {
        Credential::read(value).map(|credential| match credential {
            Credential::Key(key) => (key, None),
            Credential::Pair { key, secret } => (key, Some(secret)),
        })
    }

    #[test]
    fn every_form_that_clients_send() {
        let (alone, both) =
            (Some((KEY.to_owned(), None)), Some((KEY.to_owned(), Some(SECRET.to_owned()))));
        let basic = basic();
        let unpadded = basic.trim_end_matches('=');
        let table = [
            (format!("Basic {basic}"), both.clone()),
            (format!("basic   {basic} "), both.clone()),
            (format!("BASIC {unpadded}"), both.clone()),
            (basic.clone(), both.clone()),
            (format!("Bearer {basic}"), both.clone()),
            (format!("Basic {}", STANDARD.encode(format!("test_{KEY}:{SECRET}"))), both),
            (format!("Bearer {KEY}"), alone.clone()),
            (format!("bearer test_{KEY}"), alone.clone()),
            (KEY.to_owned(), alone.clone()),
            (format!("test_{KEY}"), alone.clone()),
            (format!(" {KEY} "), alone),
        ];
        for (value, expected) in table {
            assert_eq!(read(&value), expected, "{value}");
        }
    }

    #[test]
    fn what_is_no_credential() {
        let long = "a".repeat(CREDENTIAL_MAX + 1);
        let no_colon = format!("Basic {}", STANDARD.encode("nocolon"));
        let no_key = format!("Basic {}", STANDARD.encode(":secret"));
        let not_utf8 = format!("Basic {}", STANDARD.encode([0xff, b':', 0xfe]));
        let table = [
            "",
            " ",
            "Basic",
            "Basic ",
            "bearer",
            "Bearer  ",
            "test_",
            "Basic %%%",
            "Digest abc",
            "Basic a b c",
            &long,
            &no_colon,
            &no_key,
            &not_utf8,
        ];
        for value in table {
            assert_eq!(read(value), None, "{value}");
        }
    }

    #[test]
    fn both_headers_are_looked_at() {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, "Bearer wrong".parse().unwrap());
        headers.insert(API_KEY, format!("Basic {}", basic()).parse().unwrap());
        let found: Vec<_> = credentials(&headers).iter().map(|one| one.key().to_owned()).collect();
        assert_eq!(found, ["wrong", KEY]);
        for _ in 0..9 {
            headers.append(AUTHORIZATION, "Bearer other".parse().unwrap());
        }
        assert_eq!(credentials(&headers).len(), VALUES_MAX);
    }
}
