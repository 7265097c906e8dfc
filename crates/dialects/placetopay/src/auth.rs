//! Who calls: login, digest, nonce and seed in the body (reference, section 1).

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use cobro_domain::Timestamp;
use cobro_domain::merchant::Merchant;
use cobro_engine::secrets::same_secret;
use cobro_engine::{Caller, World, Worlds};
use cobro_surface::journal::WorldSlot;
use cobro_surface::json::Json;
use sha1::Sha1;
use sha2::{Digest, Sha256};

use crate::errors::{AuthFailure, Refusal};
use crate::settings::Settings;

/// The kind under which logins are looked up, and for which secret keys are sealed.
pub(crate) const LOGIN_KIND: &str = "placetopay.login";

/// How far a seed may lie from our clock, in microseconds, both ways.
const WINDOW_US: i64 = 300 * 1_000_000;

/// The longest nonce, decoded, in bytes (reliability reference, section 4.1).
const NONCE_MAX: usize = 256;

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// What a caller sends; deliberately without `Debug`.
#[derive(Clone, Copy)]
pub(crate) struct Credentials<'a> {
    pub(crate) login: &'a str,
    tran_key: &'a str,
    pub(crate) nonce: &'a str,
    seed: &'a str,
}

impl<'a> Credentials<'a> {
    /// The four members, each text that is not empty.
    pub(crate) fn of(body: &'a Json) -> Result<Self, AuthFailure> {
        let auth = body.get("auth");
        let member = |name: &str| {
            let text = auth.and_then(|auth| auth.get(name)).and_then(Json::as_str);
            text.filter(|text| !text.is_empty() && text.len() <= 512).ok_or(AuthFailure::Malformed)
        };
        Ok(Self {
            login: member("login")?,
            tran_key: member("tranKey")?,
            nonce: member("nonce")?,
            seed: member("seed")?,
        })
    }

    fn is_in_time(&self, real: Timestamp) -> bool {
        parse_seed(self.seed)
            .is_some_and(|seed| seed.abs_diff(real.micros()) <= WINDOW_US.unsigned_abs())
    }

    fn proves(&self, secret: &str, refuses_sha1: bool) -> bool {
        let (Ok(nonce), Ok(given)) = (BASE64.decode(self.nonce), BASE64.decode(self.tran_key))
        else {
            return false;
        };
        if nonce.is_empty() || nonce.len() > NONCE_MAX {
            return false;
        }
        let parts = [&nonce[..], self.seed.as_bytes(), secret.as_bytes()];
        match given.len() {
            32 => same_secret(&given, &hashed::<Sha256>(&parts)),
            20 if !refuses_sha1 => same_secret(&given, &hashed::<Sha1>(&parts)),
            _ => false,
        }
    }
}

fn hashed<D: Digest>(parts: &[&[u8]]) -> Vec<u8> {
    let mut hash = D::new();
    for part in parts {
        hash.update(part);
    }
    hash.finalize().to_vec()
}

/// A recognised site and its world.
#[derive(Clone, Debug)]
pub(crate) struct Site {
    pub(crate) world: World,
    pub(crate) caller: Caller,
}

impl Site {
    pub(crate) fn merchant(&self) -> &Merchant {
        &self.caller.account
    }
}

/// The part of a login in which a world's tag can stand.
pub(crate) fn tag(login: &str) -> &str {
    login.get(..8).unwrap_or_default()
}

/// The site with this login, whatever its state.
pub(crate) async fn site(
    worlds: &Worlds,
    login: &str,
    slot: Option<&WorldSlot>,
) -> Result<Option<Site>, Refusal> {
    let world = worlds.of_credential(tag(login)).await?;
    let Some(caller) = world.recognise(LOGIN_KIND, login).await? else { return Ok(None) };
    if let Some(slot) = slot {
        slot.settle(world.id());
    }
    Ok(Some(Site { world, caller }))
}

/// Whether the credentials are those of the site: state, then time, then digest.
pub(crate) fn check(site: &Site, credentials: &Credentials<'_>) -> Result<(), AuthFailure> {
    let merchant = site.merchant();
    if let Some(failure) = AuthFailure::of_state(merchant.state) {
        return Err(failure);
    }
    // Authentication keeps to real time, however far the world's clock was moved.
    if !credentials.is_in_time(site.world.clock().real()) {
        return Err(AuthFailure::WrongTime);
    }
    let secret = crate::seed::secret_key(&site.world, merchant);
    if secret.is_empty() || !credentials.proves(&secret, Settings::of(merchant).refuse_sha1) {
        return Err(AuthFailure::WrongKey);
    }
    Ok(())
}

/// A seed's moment in microseconds: a date, `T`, hours and minutes; seconds, their fraction and
/// the offset may be missing (reference, section 1.3).
pub(crate) fn parse_seed(text: &str) -> Option<i64> {
    let text = text.trim();
    let (day, rest) = text.split_at_checked(10)?;
    let rest = rest.strip_prefix(['T', 't', ' '])?;
    let day: jiff::civil::Date = day.parse().ok()?;
    let split = rest.find(['Z', 'z', '+', '-']).unwrap_or(rest.len());
    let (time, offset) = rest.split_at_checked(split)?;
    let mut parts = time.split(':');
    let two = |text: &str| -> Option<i8> {
        let fits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        fits.then(|| text.parse().ok()).flatten()
    };
    let (hour, minute) = (two(parts.next()?)?, two(parts.next()?)?);
    let (second, nanos) = match parts.next() {
        None => (0, 0),
        Some(seconds) => {
            let (second, fraction) = seconds.split_once('.').unwrap_or((seconds, "0"));
            let fits = (1..=9).contains(&fraction.len())
                && fraction.bytes().all(|byte| byte.is_ascii_digit());
            let nanos: i32 = fits.then(|| format!("{fraction:0<9}").parse().ok()).flatten()?;
            (two(second)?, nanos)
        }
    };
    if parts.next().is_some() {
        return None;
    }
    let time = jiff::civil::Time::new(hour, minute, second, nanos).ok()?;
    let moment = day.to_datetime(time).to_zoned(jiff::tz::TimeZone::UTC).ok()?;
    let moment = moment.timestamp().as_microsecond();
    Some(moment - offset_seconds(offset)? * 1_000_000)
}

fn offset_seconds(text: &str) -> Option<i64> {
    if text.is_empty() || text.eq_ignore_ascii_case("z") {
        return Some(0);
    }
    let (sign, rest) = text.split_at_checked(1)?;
    let sign = if sign == "-" { -1 } else { 1 };
    let digits: String = rest.chars().filter(|letter| *letter != ':').collect();
    if !matches!(digits.len(), 2 | 4) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let hours: i64 = digits.get(..2)?.parse().ok()?;
    let minutes: i64 = digits.get(2..4).map_or(Some(0), |minutes| minutes.parse().ok())?;
    Some(sign * (hours * 3600 + minutes * 60))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_of_every_library() {
        let at = |text: &str| Timestamp::parse_rfc3339(text).unwrap().micros();
        let table = [
            ("2026-11-20T09:15:10+00:00", Some(at("2026-11-20T09:15:10Z"))),
            ("2026-11-20T09:15:10-05:00", Some(at("2026-11-20T14:15:10Z"))),
            ("2026-11-20T09:15:11.335Z", Some(at("2026-11-20T09:15:11.335Z"))),
            ("2026-11-20T09:15:11.335123+00:00", Some(at("2026-11-20T09:15:11.335123Z"))),
            ("2026-11-20T09:15:11.335123456Z", Some(at("2026-11-20T09:15:11.335123Z"))),
            ("2026-11-20T09:15+0000", Some(at("2026-11-20T09:15:00Z"))),
            ("2026-11-20T09:15-0530", Some(at("2026-11-20T14:45:00Z"))),
            ("2026-11-20T09:15:10", Some(at("2026-11-20T09:15:10Z"))),
            ("2026-11-20 09:15:10", Some(at("2026-11-20T09:15:10Z"))),
            ("2026-11-20", None),
            ("2026-13-20T09:15:10Z", None),
            ("2026-11-20T25:15:10Z", None),
            ("2026-11-20T09:15:10+1", None),
            ("2026-11-20T09:15:10.Z", None),
            ("2026-11-20T09:15:10:11Z", None),
            ("hoy", None),
            ("éééééééééééé", None),
            ("", None),
        ];
        for (text, expected) in table {
            assert_eq!(parse_seed(text), expected, "{text}");
        }
    }

    #[test]
    fn the_vectors_of_the_reference() {
        let text = "2026-03-04T05:06:07-05:00";
        let binary = "2026-03-04T10:06:07.000Z";
        let table = [
            ("bm9uY2UtMDAwMQ==", text, "WW2UDml9+oY1oqT++fSFLWB8mPwJBH9R4qZboE3gZnc=", false),
            ("bm9uY2UtMDAwMQ==", text, "MoEmc1F8m+qubZ9xGewZ8DwS3Og=", true),
            (
                "8PHy8/T19vf4+fr7/P3+/w==",
                binary,
                "H2JEsD3UjGXbiB1UarHo30afI1+oQx8psWongiZJ9Vk=",
                false,
            ),
            ("8PHy8/T19vf4+fr7/P3+/w==", binary, "YikMEsUP3VmtXHyNtPWTlltgyAU=", true),
        ];
        for (nonce, seed, tran_key, is_sha1) in table {
            let credentials = Credentials { login: "x", tran_key, nonce, seed };
            assert!(credentials.proves("llave-secreta-01", false));
            assert_eq!(credentials.proves("llave-secreta-01", true), !is_sha1);
            assert!(!credentials.proves("llave-secreta-02", false));
            let other = Credentials { nonce: "AAAA", ..credentials };
            assert!(!other.proves("llave-secreta-01", false));
            for wrong in ["", "?", "AAAA"] {
                let broken = Credentials { tran_key: wrong, ..credentials };
                assert!(!broken.proves("llave-secreta-01", false));
            }
        }
    }

    #[test]
    fn the_window_is_five_minutes_both_ways() {
        let now = Timestamp::parse_rfc3339("2026-11-20T09:15:00Z").unwrap();
        for (seed, expected) in [
            ("2026-11-20T09:20:00Z", true),
            ("2026-11-20T09:10:00Z", true),
            ("2026-11-20T09:20:01Z", false),
            ("2026-11-20T09:09:59Z", false),
            ("ayer", false),
        ] {
            let credentials = Credentials { login: "x", tran_key: "x", nonce: "x", seed };
            assert_eq!(credentials.is_in_time(now), expected, "{seed}");
        }
    }

    #[test]
    fn what_is_missing_is_malformed() {
        for body in [
            "{}",
            r#"{"auth":null}"#,
            r#"{"auth":[]}"#,
            r#"{"auth":{"login":"a","tranKey":"b","nonce":"c"}}"#,
            r#"{"auth":{"login":"a","tranKey":"b","nonce":"c","seed":""}}"#,
            r#"{"auth":{"login":1,"tranKey":"b","nonce":"c","seed":"d"}}"#,
        ] {
            let json = Json::parse(body.as_bytes(), &Default::default()).unwrap();
            assert!(Credentials::of(&json).is_err(), "{body}");
        }
    }
}
