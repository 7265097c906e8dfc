//! The routes: who is asking, for which session, and what the answer is.

mod answers;

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{DefaultBodyLimit, Form, FromRequest, Path, RawQuery, Request, State};
use axum::response::{Html, Response};
use axum::routing::get;
use axum::{Json, Router};
use cobro_domain::PaymentId;
use cobro_domain::merchant::Merchant;
use cobro_engine::secrets::same_secret;
use cobro_engine::sessions::{PageAddress, SessionView};
use cobro_engine::{EngineError, World, Worlds};
use cobro_surface::assets;
use cobro_surface::texts::{Language, Texts};
use http::header::{ACCEPT, ACCEPT_LANGUAGE, CONTENT_TYPE};
use http::{HeaderMap, StatusCode};
use serde_json::Value;

use crate::Checkout;
use cobro_engine::typed_cards::PASSING_CODE;

use crate::desk::{self, Step, challenge_of, challenged, is_open};
use crate::form::{Fault, Rules, Typed};
use crate::merchandise::Merchandise;
use crate::money::Style;
use crate::order::Order;
use crate::page::{Page, Said, Words, plain};
use crate::stand::Stand;
use answers::Answers;

/// How large a form may be, in bytes.
const FORM_MAX: usize = 16 * 1024;

struct Shop {
    worlds: Arc<Worlds>,
    merchandise: Vec<Arc<dyn Merchandise>>,
    texts: Texts,
}

pub(crate) fn router(checkout: Checkout) -> Router {
    let Checkout { worlds, merchandise } = checkout;
    let shop = Arc::new(Shop { worlds, merchandise, texts: crate::texts() });
    Router::new()
        .route("/spa/session/{number}/{secret}", get(show).post(receive))
        // Cut off: the page of an unknown session.
        .route("/spa/session/{number}", get(show).post(receive))
        .route("/spa/assets/{file}", get(asset))
        .layer(DefaultBodyLimit::max(FORM_MAX))
        .with_state(shop)
}

async fn asset(Path(file): Path<String>, headers: HeaderMap) -> Response {
    assets::answer(crate::ASSETS, &file, &headers)
}

/// Number and secret of a page's address, as far as they are there and can be read.
type Address = Result<Path<(String, String)>, PathRejection>;

/// Someone before a session's page.
struct Visit<'a> {
    shop: &'a Shop,
    world: World,
    view: SessionView,
    merchant: Arc<Merchant>,
    merchandise: Arc<dyn Merchandise>,
    order: Order,
    language: Language,
    /// The page's own address, with the language that was chosen on it.
    own: String,
}

async fn show(
    State(shop): State<Arc<Shop>>,
    address: Address,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let query = query.unwrap_or_default();
    let visit = match shop.visit(&address, &query, &headers).await {
        Ok(visit) => visit,
        Err(error) => return shop.nothing(&error, &query, &headers),
    };
    let answers = visit.answers(wants_json(&headers));
    answers.stand(StatusCode::OK, &visit.stand())
}

async fn receive(
    State(shop): State<Arc<Shop>>,
    address: Address,
    RawQuery(query): RawQuery,
    request: Request,
) -> Response {
    let (query, headers) = (query.unwrap_or_default(), request.headers().clone());
    let visit = match shop.visit(&address, &query, &headers).await {
        Ok(visit) => visit,
        Err(error) => return shop.nothing(&error, &query, &headers),
    };
    let is_json = has_type(&headers, "application/json");
    let framed = headers.get("sec-fetch-dest").is_some_and(|value| value == "iframe");
    let answers = Answers { framed, ..visit.answers(is_json || wants_json(&headers)) };
    let typed = match read(request, is_json).await {
        Ok(typed) => typed,
        Err(status) => return answers.said(status, &visit.stand(), Said::default()),
    };
    // A page elsewhere cannot send JSON without being allowed to (Fetch, CORS preflight); a form it
    // could, so a form shows that it comes from the page.
    let is_ours = is_json || same_secret(typed.csrf.as_bytes(), visit.csrf().as_bytes());
    if !is_ours || is_cross_site(&headers) {
        let said = Said { typed: Some(&typed), notice: Some("forged"), ..Said::default() };
        return answers.said(StatusCode::FORBIDDEN, &visit.stand(), said);
    }
    match visit.act(&typed, &answers).await {
        Ok(response) => response,
        // Another tab, or the clock, was faster: the page shows where the session stands.
        Err(EngineError::Session(_)) => match shop.visit(&address, &query, &headers).await {
            Ok(visit) => {
                visit.answers(answers.is_json()).moved(StatusCode::CONFLICT, &visit.stand())
            }
            Err(error) => shop.nothing(&error, &query, &headers),
        },
        Err(error) => shop.nothing(&error, &query, &headers),
    }
}

impl Shop {
    /// The session behind an address, with all that its page needs.
    async fn visit(
        &self,
        address: &Address,
        query: &str,
        headers: &HeaderMap,
    ) -> Result<Visit<'_>, EngineError> {
        let unknown = EngineError::NotFound(cobro_engine::Subject::Session);
        let Ok(Path((number, secret))) = address else { return Err(unknown) };
        let is_secret = secret.len() == 32 && secret.bytes().all(|b| b.is_ascii_hexdigit());
        let (true, Ok(number)) = (is_secret, number.parse::<i64>()) else { return Err(unknown) };
        let world = self.worlds.of_credential(secret.get(..8).unwrap_or("")).await?;
        let page_hash = world.key().lookup_hash(secret);
        let (view, merchant) = world.session_of_page(PageAddress { number, page_hash }).await?;
        let mut all = self.merchandise.iter();
        let found = all.find(|one| one.channel() == merchant.channel);
        let merchandise = found.ok_or(unknown)?.clone();
        let order = merchandise.order(&merchant, &view.session);
        let chosen = chosen_language(query);
        let language = chosen
            .or_else(|| Language::from_tag(&order.locale))
            .unwrap_or_else(|| accepted_language(headers));
        let mut own = format!("/spa/session/{number}/{secret}");
        if let Some(language) = chosen {
            own.push_str("?lang=");
            own.push_str(language.tag());
        }
        Ok(Visit { shop: self, world, view, merchant, merchandise, order, language, own })
    }

    /// The answer where there is no session to show, or no way to know.
    fn nothing(&self, error: &EngineError, query: &str, headers: &HeaderMap) -> Response {
        let (status, title, lead) = match error {
            EngineError::NotFound(_) => (StatusCode::NOT_FOUND, "unknown", "unknown-lead"),
            error => {
                tracing::error!(%error, "a card page has no answer");
                let busy = error.is_unavailable();
                let status = if busy {
                    StatusCode::SERVICE_UNAVAILABLE
                } else {
                    StatusCode::INTERNAL_SERVER_ERROR
                };
                (status, "fault-inside", "fault-inside-lead")
            }
        };
        let language = chosen_language(query).unwrap_or_else(|| accepted_language(headers));
        let words = Words { texts: &self.texts, language };
        if wants_json(headers) || has_type(headers, "application/json") {
            let outcome = if status == StatusCode::NOT_FOUND { "unknown" } else { "error" };
            let body = serde_json::json!({"outcome": outcome, "message": words.text(title)});
            return answers::guarded((status, Json(body)), &Order::default(), false);
        }
        answers::guarded((status, Html(plain(words, title, lead))), &Order::default(), false)
    }
}

impl Visit<'_> {
    fn stand(&self) -> Stand {
        self.stand_of(&self.view)
    }

    fn is_framed(&self) -> bool {
        self.merchandise.may_be_framed(&self.merchant, &self.view.session)
    }

    fn stand_of(&self, view: &SessionView) -> Stand {
        let challenge = self.world.challenged_card(view.session.id);
        let challenge = challenge.or_else(|| challenged(view).map(challenge_of));
        Stand::of(view, challenge, self.world.now())
    }

    /// What proves that a form comes from the page: nobody can reckon it who has not read the page.
    fn csrf(&self) -> String {
        let session = &self.view.session;
        self.world.key().lookup_hash(&format!("card page {} {}", session.id, session.page_hash))
    }

    fn style(&self) -> Style {
        let country = self.order.locale.split_once('_').map(|(_, country)| country);
        Style::new(self.language, country.unwrap_or(&self.merchant.country))
    }

    fn words(&self) -> Words<'_> {
        Words { texts: &self.shop.texts, language: self.language }
    }

    fn answers(&self, json: bool) -> Answers<'_> {
        Answers { visit: self, view: &self.view, json, framed: false, csrf: self.csrf() }
    }

    /// Does what the form asks for.
    async fn act(&self, typed: &Typed, answers: &Answers<'_>) -> Result<Response, EngineError> {
        let id = self.view.session.id;
        if let Some(payment) = challenged(&self.view) {
            return self.act_for_holder(payment.id, typed, answers).await;
        }
        if !is_open(&self.view, self.world.now()) {
            return Ok(answers.moved(StatusCode::CONFLICT, &self.stand()));
        }
        match typed.action.as_str() {
            "" | "pay" => self.pay(typed, answers).await,
            "otp" => self.confirm(&typed.otp, answers).await,
            "back" => {
                self.world.forget_challenge(id);
                Ok(answers.moved(StatusCode::OK, &self.stand()))
            }
            "cancel" => {
                let view = self.world.abandon_session(self.view.session.merchant, id).await?;
                self.world.forget_challenge(id);
                Ok(answers.left(&view, self.order.way_out()))
            }
            _ => Ok(answers.said(StatusCode::BAD_REQUEST, &self.stand(), Said::default())),
        }
    }

    /// The holder of a payment that was made without a page confirms it, or does not.
    async fn act_for_holder(
        &self,
        payment: PaymentId,
        typed: &Typed,
        answers: &Answers<'_>,
    ) -> Result<Response, EngineError> {
        let passed = match typed.action.as_str() {
            "" | "otp" if typed.otp.is_empty() => {
                let said = Said { notice: Some("fault-otp"), ..Said::default() };
                return Ok(answers.said(StatusCode::UNPROCESSABLE_ENTITY, &self.stand(), said));
            }
            "" | "otp" => typed.otp == PASSING_CODE,
            "cancel" => false,
            _ => return Ok(answers.said(StatusCode::BAD_REQUEST, &self.stand(), Said::default())),
        };
        let merchant = self.view.session.merchant;
        match self.world.answer_challenge(merchant, payment, passed).await {
            // Whoever has the page in a frame is told by a message and reads on by itself.
            Ok(view) if !answers.is_framed() && !self.order.return_url.is_empty() => {
                Ok(answers.left(&view, &self.order.return_url))
            }
            Ok(view) => Ok(answers.used(&view)),
            // Another tab, or the clock, was faster.
            Err(EngineError::Payment(_)) => {
                let view = self.world.session(merchant, self.view.session.id).await?;
                Ok(answers.moved(StatusCode::CONFLICT, &self.stand_of(&view)))
            }
            Err(error) => Err(error),
        }
    }

    async fn pay(&self, typed: &Typed, answers: &Answers<'_>) -> Result<Response, EngineError> {
        let rules = Rules {
            world: &self.world,
            merchant: &self.merchant,
            session: &self.view.session,
            order: &self.order,
            merchandise: self.merchandise.as_ref(),
            style: self.style(),
        };
        let checked = match rules.check(typed) {
            Ok(checked) => checked,
            Err(faults) => return Ok(answers.faults(typed, &faults)),
        };
        let merchandise = self.merchandise.as_ref();
        match desk::pay(&self.world, &self.view, merchandise, checked).await {
            Ok(Step::Challenge) if !typed.otp.is_empty() => self.confirm(&typed.otp, answers).await,
            Ok(Step::Challenge) => Ok(answers.moved(StatusCode::OK, &self.stand())),
            Ok(Step::Used(view)) => Ok(answers.used(&view)),
            // A part was paid meanwhile, so that less is left than was asked for.
            Err(EngineError::Payment(_)) => Ok(answers.faults(typed, &[Fault::AmountTooMuch])),
            Err(error) => Err(error),
        }
    }

    async fn confirm(&self, code: &str, answers: &Answers<'_>) -> Result<Response, EngineError> {
        let unanswered = |notice| Said { notice: Some(notice), ..Said::default() };
        let stand = self.stand();
        if code.is_empty() && matches!(stand, Stand::Challenge(_)) {
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            return Ok(answers.said(status, &stand, unanswered("fault-otp")));
        }
        match self.world.answer_typed_card(&self.view, code).await? {
            Some(view) => Ok(answers.used(&view)),
            None => {
                let said = unanswered("challenge-late");
                Ok(answers.said(StatusCode::CONFLICT, &self.stand(), said))
            }
        }
    }

    fn page<'a>(&'a self, view: &'a SessionView, csrf: &'a str) -> Page<'a> {
        Page {
            words: self.words(),
            style: self.style(),
            world: &self.world,
            merchant: &self.merchant,
            view,
            order: &self.order,
            merchandise: self.merchandise.as_ref(),
            csrf,
        }
    }
}

/// The form's fields, sent as a form or as a JSON object. In JSON, consent is given unless it is
/// refused (contract, `/pay`).
async fn read(request: Request, is_json: bool) -> Result<Typed, StatusCode> {
    if !is_json {
        let form = Form::<Vec<(String, String)>>::from_request(request, &()).await;
        return form.map(|Form(pairs)| Typed::of_pairs(pairs)).map_err(|error| error.status());
    }
    let body = Json::<Value>::from_request(request, &()).await;
    let Json(body) = body.map_err(|error| error.status())?;
    let Value::Object(members) = body else { return Err(StatusCode::BAD_REQUEST) };
    let silent = !members.contains_key("save");
    let consent = silent.then(|| ("save".to_owned(), "true".to_owned()));
    let pairs = members.into_iter().filter_map(|(name, value)| match value {
        Value::String(text) => Some((name, text)),
        Value::Number(number) => Some((name, number.to_string())),
        Value::Bool(value) => Some((name, value.to_string())),
        _ => None,
    });
    Ok(Typed::of_pairs(pairs.chain(consent)))
}

fn values<'a>(headers: &'a HeaderMap, name: &http::HeaderName) -> impl Iterator<Item = &'a str> {
    headers.get_all(name).iter().filter_map(|value| value.to_str().ok())
}

fn has_type(headers: &HeaderMap, media_type: &str) -> bool {
    values(headers, &CONTENT_TYPE).any(|value| {
        value.split(';').next().is_some_and(|one| one.trim().eq_ignore_ascii_case(media_type))
    })
}

fn wants_json(headers: &HeaderMap) -> bool {
    values(headers, &ACCEPT)
        .any(|value| value.contains("application/json") && !value.contains("text/html"))
}

/// Whether a browser says that a page of another site sends this (Fetch Metadata).
fn is_cross_site(headers: &HeaderMap) -> bool {
    let site = headers.get("sec-fetch-site").and_then(|value| value.to_str().ok());
    matches!(site, Some("cross-site" | "same-site"))
}

fn chosen_language(query: &str) -> Option<Language> {
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.find(|(name, _)| *name == "lang").and_then(|(_, tag)| Language::from_tag(tag))
}

fn accepted_language(headers: &HeaderMap) -> Language {
    values(headers, &ACCEPT_LANGUAGE).find_map(Language::accepted).unwrap_or(Language::Es)
}
