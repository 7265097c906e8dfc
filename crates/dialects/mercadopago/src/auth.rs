//! Who calls: the access token of the seller (reference, section 1.1).

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use cobro_domain::Timestamp;
use cobro_domain::merchant::MerchantState;
use cobro_engine::{Caller, World, Worlds};
use cobro_surface::journal::WorldSlot;

use crate::accounts::TestUser;
use crate::errors::ApiError;

/// The kind under which access tokens are looked up.
pub(crate) const TOKEN_KIND: &str = "mp.access_token";

/// A recognised seller and its world.
#[derive(Clone, Debug)]
pub(crate) struct Seller {
    pub(crate) world: World,
    pub(crate) caller: Caller,
    pub(crate) token: String,
}

impl Seller {
    /// Recognises the seller once more, after its credentials or settings changed.
    pub(crate) async fn recognise_again(&mut self) -> Result<(), ApiError> {
        self.world.forget_callers();
        let caller = self.world.recognise(TOKEN_KIND, &self.token).await?;
        self.caller = caller.ok_or_else(ApiError::unauthorized)?;
        if self.caller.account.state != MerchantState::Active {
            return Err(ApiError::unauthorized());
        }
        Ok(())
    }
}

/// The bearer token of a request, or that of its query, which older clients of the Payments API
/// send.
fn token<'a>(headers: &'a HeaderMap, query: Option<&'a str>) -> Option<&'a str> {
    let header = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let from_header = header.map(str::trim).and_then(|value| {
        let (scheme, token) = value.split_once(' ').unwrap_or(("bearer", value));
        scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
    });
    let from_query = || {
        let mut pairs = query.unwrap_or_default().split('&');
        pairs.find_map(|pair| pair.strip_prefix("access_token="))
    };
    let named = |token: &&str| !token.is_empty() && !token.eq_ignore_ascii_case("bearer");
    from_header.or_else(from_query).filter(named)
}

/// The part of a token in which a world's tag can stand: the beginning of its random part, in
/// `TEST-<client>-<date>-<random>-<user>`.
pub(crate) fn tag(token: &str) -> &str {
    token.split('-').nth(3).and_then(|random| random.get(..8)).unwrap_or_default()
}

/// What a token names besides its seller: the application that it was given to, and until when.
pub(crate) fn credential_subject(client: &str, expires_at: Timestamp) -> String {
    format!("{client} {}", expires_at.micros())
}

/// Whether a token's time is over; those that were not asked for have no end.
fn has_expired(subject: &str, now: Timestamp) -> bool {
    let expires_us = subject.split_once(' ').and_then(|(_, text)| text.parse::<i64>().ok());
    expires_us.is_some_and(|expires_us| expires_us <= now.micros())
}

/// The seller of a request.
pub(crate) async fn seller(
    worlds: &Worlds,
    headers: &HeaderMap,
    query: Option<&str>,
    slot: Option<&WorldSlot>,
) -> Result<Seller, ApiError> {
    let Some(token) = token(headers, query) else { return Err(ApiError::token_missing()) };
    let world = worlds.of_credential(tag(token)).await?;
    let caller = world.recognise(TOKEN_KIND, token).await?;
    let caller = caller.ok_or_else(ApiError::unauthorized)?;
    if let Some(slot) = slot {
        slot.settle(world.id());
    }
    if caller.account.state != MerchantState::Active || has_expired(&caller.subject, world.now()) {
        return Err(ApiError::unauthorized());
    }
    if TestUser::of(&caller.account).is_some() {
        world.trial_used(caller.merchant).await?;
    }
    Ok(Seller { world, caller, token: token.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_found_where_clients_put_them() {
        let table = [
            (Some("Bearer abc"), None, Some("abc")),
            (Some("bearer  abc "), None, Some("abc")),
            (Some("abc"), None, Some("abc")),
            (Some("Basic abc"), None, None),
            (Some("Bearer "), None, None),
            (None, Some("x=1&access_token=abc"), Some("abc")),
            (None, Some("access_token="), None),
            (None, None, None),
        ];
        for (header, query, expected) in table {
            let mut headers = HeaderMap::new();
            if let Some(header) = header {
                headers.insert(AUTHORIZATION, header.parse().unwrap());
            }
            assert_eq!(token(&headers, query), expected, "{header:?} {query:?}");
        }
    }

    #[test]
    fn tokens_that_were_asked_for_expire() {
        let at = Timestamp::from_micros(5_000_000);
        let subject = credential_subject("7", at);
        assert!(!has_expired(&subject, at.plus_micros(-1)));
        assert!(has_expired(&subject, at));
        assert!(!has_expired("", at));
    }

    #[test]
    fn the_tag_is_in_the_random_part() {
        let token = "TEST-1000000000000001-112000-0123abcdffffffffffffffffffffffff-100000001";
        assert_eq!(tag(token), "0123abcd");
        assert_eq!(tag("nonsense"), "");
        assert_eq!(tag("a-b-c-d"), "");
    }
}
