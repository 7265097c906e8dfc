//! Who one is, and users to test with: seed 003, section 1; reference, section 11.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use cobro_domain::Entropy;
use cobro_domain::merchant::Merchant;
use cobro_engine::EngineError;
use cobro_engine::ports::NumberRange;
use cobro_engine::trials::NewTrial;
use cobro_surface::body::json_response;
use serde_json::{Value, json};

use crate::auth::Seller;
use crate::devices::open;
use crate::errors::ApiError;
use crate::notices::SIGNED_SLOT;
use crate::routes::Surface;
use crate::seed::{NewSeller, new_seller};
use crate::sites::Site;
use crate::{validate, wire};

/// How many test users one may have at a time.
const TEST_USERS_MAX: i64 = 10;

/// After how many seconds without activity a test user goes: 60 days.
const IDLE_SECONDS_MAX: i64 = 60 * 86_400;

/// The numbers of test users: ten digits, above those of seeded sellers.
const USER_NUMBERS: NumberRange =
    NumberRange { kind: "mp.user", from: 1_100_000_000, size: 900_000_000 };

/// What is told about a test user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TestUser {
    pub(crate) nickname: String,
    pub(crate) description: Option<String>,
}

impl TestUser {
    /// The test user that a seller is, if it is one.
    pub(crate) fn of(merchant: &Merchant) -> Option<Self> {
        // Every request asks, and most sellers are none.
        if !merchant.settings.contains("\"test_user\"") {
            return None;
        }
        let settings: Value = serde_json::from_str(&merchant.settings).ok()?;
        let user = settings.get("test_user")?;
        let text = |name: &str| user.get(name).and_then(Value::as_str).map(str::to_owned);
        Some(Self { nickname: text("nickname")?, description: text("description") })
    }

    fn settings(&self) -> Value {
        json!({ "test_user": { "nickname": self.nickname, "description": self.description } })
    }
}

/// A nickname and a password as test users have them. The password opens nothing here.
fn draw(entropy: &dyn Entropy) -> (String, String) {
    const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let seed = entropy.seed();
    let letter = |byte: &u8| char::from(LETTERS.get(usize::from(byte % 32)).copied().unwrap_or(0));
    let nickname: String = seed.iter().take(8).map(letter).collect();
    let number =
        seed.iter().skip(8).fold(0_u64, |sum, byte| sum.wrapping_mul(256) + u64::from(*byte));
    (format!("TEST{nickname}"), format!("qatest{:04}", number % 10_000))
}

/// Makes a test user, and says its password.
async fn make(
    mut seller: Seller,
    site: Site,
    description: Option<String>,
) -> Result<(Merchant, String), ApiError> {
    let (nickname, password) = draw(seller.world.entropy());
    let user = TestUser { nickname, description };
    loop {
        if TestUser::of(&seller.caller.account).is_some() {
            let message = "A test user cannot create test users";
            return Err(ApiError::new(StatusCode::FORBIDDEN, "forbidden", message));
        }
        let world = seller.world.clone();
        // Notifications of a test user are signed with the secret of the application.
        let (_, webhook_secret) = world.endpoint(seller.caller.merchant, SIGNED_SLOT).await?;
        let merchant = new_seller(
            &world,
            NewSeller {
                site,
                public_id: String::new(),
                name: "Test Test".to_owned(),
                settings: user.settings(),
                credentials: Vec::new(),
                terminals: Vec::new(),
                webhook_secret,
            },
        );
        let new = NewTrial {
            merchant,
            public_ids: USER_NUMBERS,
            places: TEST_USERS_MAX,
            idle_s: IDLE_SECONDS_MAX,
        };
        match world.add_trial(&seller.caller, new).await {
            Err(EngineError::StaleCaller) => seller.recognise_again().await?,
            other => {
                let full = || {
                    let message = "You have reached the limit of 10 test users";
                    ApiError::bad_request(message)
                };
                return Ok((other?.ok_or_else(full)?, password));
            }
        }
    }
}

/// `POST /users/test_user`
pub(crate) async fn make_test_user(
    State(surface): State<Surface>,
    request: Request,
) -> Result<Response, ApiError> {
    let (seller, _, _, body) = open(&surface, request).await?;
    let (site, _) = validate::test_user(&body, false)?;
    let (merchant, password) = make(seller, site, None).await?;
    let body = wire::test_user(&merchant, &password);
    Ok(json_response(StatusCode::CREATED, &body))
}

/// `POST /users/test`
pub(crate) async fn make_described_test_user(
    State(surface): State<Surface>,
    request: Request,
) -> Result<Response, ApiError> {
    let (seller, _, _, body) = open(&surface, request).await?;
    let (site, description) = validate::test_user(&body, true)?;
    let (merchant, password) = make(seller, site, description).await?;
    let body = wire::described_test_user(&merchant, &password);
    Ok(json_response(StatusCode::CREATED, &body))
}

/// `GET /users/me`
pub(crate) async fn me(
    State(surface): State<Surface>,
    request: Request,
) -> Result<Response, ApiError> {
    let (seller, _, _, _) = open(&surface, request).await?;
    Ok(json_response(StatusCode::OK, &wire::user(&seller.caller.account)))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Steps;

    impl Entropy for Steps {
        fn fill(&self, bytes: &mut [u8]) {
            for (byte, step) in bytes.iter_mut().zip((0_u8..=255).step_by(9)) {
                *byte = step;
            }
        }
    }

    #[test]
    fn nicknames_and_passwords_have_the_form_of_test_users() {
        let (nickname, password) = draw(&Steps);
        assert_eq!(nickname, "TESTAJS3ENW7");
        assert!(password.len() == 10 && password.starts_with("qatest"), "{password}");
        assert!(password[6..].bytes().all(|byte| byte.is_ascii_digit()), "{password}");
    }
}
