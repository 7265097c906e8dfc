//! What every call has in common: body, caller, repetition, language of the answer.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{CONTENT_TYPE, USER_AGENT};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use cobro_domain::{Clock as _, Timestamp};
use cobro_engine::intents::Repeatable;
use cobro_engine::secrets::digest;
use cobro_surface::body::{JSON, json_response};
use cobro_surface::json::{Json, Limits};
use jiff::tz::TimeZone;
use serde_json::Value;

use crate::auth::{self, Credentials, LOGIN_KIND, Site};
use crate::errors::{AuthFailure, Refusal};
use crate::routes::Surface;
use crate::settings::Settings;
use crate::sites::Country;
use crate::texts::Language;
use crate::validate::{At, locale};
use crate::wire::Teller;
use crate::{collect, instruments, sessions, transactions};

/// For how long a repeated nonce leads to the stored answer, in seconds of the world's clock.
const NONCE_LIFETIME_S: i64 = 24 * 3600;

/// The largest body; the recorder refuses larger ones before.
const BODY_MAX: usize = 1 << 20;

/// What is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    CreateSession,
    QuerySession,
    CancelSession,
    Collect,
    Invalidate,
    Reverse,
    Transaction,
    GatewayToken,
    GatewayInformation,
}

impl Operation {
    const fn code(self) -> &'static str {
        match self {
            Self::CreateSession => "session",
            Self::QuerySession => "query",
            Self::CancelSession => "cancel",
            Self::Collect => "collect",
            Self::Invalidate => "invalidate",
            Self::Reverse => "reverse",
            Self::Transaction => "transaction",
            Self::GatewayToken => "gateway/token",
            Self::GatewayInformation => "gateway/information",
        }
    }

    /// Whether its answer is kept for a repetition. That of a new session follows from the
    /// session, so that the address of its page is stored nowhere.
    const fn keeps_answer(self) -> bool {
        match self {
            Self::CancelSession
            | Self::Collect
            | Self::Invalidate
            | Self::Reverse
            | Self::Transaction => true,
            Self::CreateSession
            | Self::QuerySession
            | Self::GatewayToken
            | Self::GatewayInformation => false,
        }
    }
}

/// A call of a recognised site.
pub(crate) struct Call {
    pub(crate) site: Site,
    pub(crate) country: Country,
    pub(crate) zone: TimeZone,
    /// The locale of the request, else the site's.
    pub(crate) locale: String,
    pub(crate) language: Language,
    pub(crate) body: Json,
    /// The session in the path, where there is one.
    pub(crate) request_id: Option<String>,
    /// Of login, nonce, call and body.
    pub(crate) nonce: [u8; 32],
    pub(crate) headers: HeaderMap,
    pub(crate) base: Arc<str>,
}

impl Call {
    pub(crate) fn settings(&self) -> Settings {
        Settings::of(self.site.merchant())
    }

    pub(crate) fn at(&self) -> At<'_> {
        At::body(&self.body)
    }

    pub(crate) fn teller(&self) -> Teller<'_> {
        let (world, zone) = (&self.site.world, &self.zone);
        Teller { world, base: &self.base, zone, language: self.language }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.site.world.clock().now()
    }

    /// The site's today.
    pub(crate) fn today(&self) -> jiff::civil::Date {
        self.now().calendar().to_zoned(self.zone.clone()).date()
    }

    /// That the same request again leads to what this one leads to.
    pub(crate) const fn repeatable(&self) -> Repeatable {
        Repeatable { digest: self.nonce, lifetime_s: NONCE_LIFETIME_S }
    }

    /// What the browser, or the caller's program, says that it is.
    pub(crate) fn user_agent(&self) -> String {
        let value = self.headers.get(USER_AGENT).and_then(|value| value.to_str().ok());
        value.unwrap_or_default().chars().take(255).collect()
    }

    async fn recognise_again(&mut self) -> Result<(), Refusal> {
        let world = &self.site.world;
        world.forget_callers();
        let login = self.site.merchant().public_id.clone();
        let caller = world.recognise(LOGIN_KIND, &login).await?;
        self.site.caller = caller.ok_or(AuthFailure::UnknownSite)?;
        match AuthFailure::of_state(self.site.merchant().state) {
            Some(failure) => Err(failure.into()),
            None => Ok(()),
        }
    }
}

/// In what words a call is answered when it is refused before it is understood.
struct Words {
    language: Language,
    zone: TimeZone,
    now: Timestamp,
}

/// Answers a call.
pub(crate) async fn answer(
    surface: Surface,
    operation: Operation,
    request_id: Option<String>,
    request: Request,
) -> Response {
    let main = surface.worlds.main();
    let mut words = Words { language: Language::Es, zone: Country::Co.zone(), now: main.now() };
    match open(&surface, operation, request_id, request, &mut words).await {
        Ok(call) => perform(call, operation).await,
        Err(refusal) => refusal.response(words.language, words.now, &words.zone),
    }
}

/// Reads the body and recognises the caller; nothing else is looked at before.
async fn open(
    surface: &Surface,
    operation: Operation,
    request_id: Option<String>,
    request: Request,
    words: &mut Words,
) -> Result<Call, Refusal> {
    let (parts, body) = request.into_parts();
    let bytes = axum::body::to_bytes(body, BODY_MAX).await.map_err(|_| Refusal::too_large())?;
    let body = Json::parse(&bytes, &Limits::default()).map_err(|_| AuthFailure::Malformed)?;
    let asked = locale(&body).map(str::to_owned);
    words.language = Language::of(asked.as_deref().unwrap_or_default());
    let credentials = Credentials::of(&body)?;
    let found = auth::site(&surface.worlds, credentials.login, parts.extensions.get()).await?;
    let site = found.ok_or(AuthFailure::UnknownSite)?;
    let country = Country::of(&site.merchant().country);
    let locale = asked.unwrap_or_else(|| country.locale().to_owned());
    words.language = Language::of(&locale);
    words.zone = country.zone();
    words.now = site.world.now();
    auth::check(&site, &credentials)?;
    let path = request_id.as_deref().unwrap_or_default();
    let nonce = digest(&[
        b"placetopay nonce",
        credentials.login.as_bytes(),
        credentials.nonce.as_bytes(),
        operation.code().as_bytes(),
        path.as_bytes(),
        &bytes,
    ]);
    Ok(Call {
        site,
        country,
        zone: words.zone.clone(),
        language: words.language,
        locale,
        body,
        request_id,
        nonce,
        headers: parts.headers,
        base: Arc::clone(&surface.public_url),
    })
}

async fn perform(mut call: Call, operation: Operation) -> Response {
    let result = kept_or_done(&mut call, operation).await;
    match result {
        Ok(Done::Now(body)) => json_response(StatusCode::OK, &body),
        Ok(Done::Kept(text)) => {
            let mut response = Response::new(Body::from(text));
            response.headers_mut().insert(CONTENT_TYPE, JSON);
            response
        }
        Err(refusal) => refusal.response(call.language, call.now(), &call.zone),
    }
}

enum Done {
    Now(Value),
    Kept(String),
}

async fn kept_or_done(call: &mut Call, operation: Operation) -> Result<Done, Refusal> {
    let keeps = operation.keeps_answer();
    let world = call.site.world.clone();
    let merchant = call.site.caller.merchant;
    if keeps && let Some(text) = world.recall_answer(merchant, call.nonce).await? {
        return Ok(Done::Kept(text));
    }
    let body = loop {
        match run(call, operation).await {
            Err(refusal) if refusal.stale => call.recognise_again().await?,
            // Another request with the same nonce and body may have done it in the meantime.
            Err(refusal) if keeps => {
                return match world.recall_answer(merchant, call.nonce).await? {
                    Some(text) => Ok(Done::Kept(text)),
                    None => Err(refusal),
                };
            }
            other => break other?,
        }
    };
    if !keeps {
        return Ok(Done::Now(body));
    }
    let text = body.to_string();
    let kept = world.remember_answer(merchant, answer_key(call), text).await?;
    Ok(Done::Kept(kept))
}

const fn answer_key(call: &Call) -> Repeatable {
    call.repeatable()
}

async fn run(call: &Call, operation: Operation) -> Result<Value, Refusal> {
    match operation {
        Operation::CreateSession => sessions::create(call).await,
        Operation::QuerySession => sessions::query(call).await,
        Operation::CancelSession => sessions::cancel(call).await,
        Operation::Collect => collect::collect(call).await,
        Operation::Invalidate => instruments::invalidate(call).await,
        Operation::Reverse => transactions::reverse(call).await,
        Operation::Transaction => transactions::act(call).await,
        Operation::GatewayToken => instruments::token(call).await,
        Operation::GatewayInformation => instruments::information(call).await,
    }
}
