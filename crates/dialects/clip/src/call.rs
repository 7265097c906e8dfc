//! What every call has in common: body, query, caller, and the surface whose errors it gets.

use std::future::Future;
use std::sync::Arc;

use axum::extract::{RawPathParams, Request, State};
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, MethodRouter, on};
use bytes::Bytes;
use cobro_domain::Timestamp;
use cobro_domain::merchant::Merchant;
use cobro_engine::World;
use cobro_surface::body::json_response;
use cobro_surface::json::{Json, JsonError, Limits};
use cobro_surface::query::{self, Plus};
use serde::Serialize;

use crate::auth::{self, NotLetIn, Shop};
use crate::errors::Refusal;
use crate::routes::Surface;
use crate::settings::may_use;

/// The largest body, in bytes; the recorder refuses larger ones before.
const BODY_MAX: usize = 1 << 20;

/// How often a call is begun again because its merchant's settings changed under way.
const STALE_MAX: usize = 3;

/// The surfaces; each has an error form of its own (reference, section 0.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Api {
    /// Charges for terminals: `/paymentrequest`.
    Pos,
    /// Payments and card tokens.
    Payments,
    /// Refunds.
    Refunds,
    /// Deposits.
    Settlements,
    /// The receipts' view of payments.
    Transactions,
    /// Payment links.
    Checkout,
    /// The newer way to a terminal: `/f2f/pinpad/v1`.
    PinPad,
}

/// A call of a recognised merchant.
#[derive(Clone)]
pub(crate) struct Call {
    /// On which surface.
    pub(crate) api: Api,
    /// Whose.
    pub(crate) shop: Shop,
    /// Its headers.
    pub(crate) headers: HeaderMap,
    /// The decoded pairs of the query, trimmed (seed 001 has a blank at the end of one).
    pub(crate) query: Vec<(String, String)>,
    /// The path's parameter; empty where there is none.
    pub(crate) id: String,
    /// Its body.
    pub(crate) body: Bytes,
    /// The beginning of our own addresses, without a slash at the end.
    pub(crate) public_url: Arc<str>,
}

impl Call {
    /// Its world.
    pub(crate) fn world(&self) -> &World {
        &self.shop.world
    }

    /// Whose it is.
    pub(crate) fn merchant(&self) -> &Merchant {
        self.shop.merchant()
    }

    /// The world's time.
    pub(crate) fn now(&self) -> Timestamp {
        self.shop.world.now()
    }

    /// The first value of a query parameter, unless it is empty.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        let found = self.query.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// A header's text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim)
    }

    /// The body as JSON, whatever the content type says.
    pub(crate) fn json(&self) -> Result<Json, JsonError> {
        Json::parse(&self.body, &Limits::default())
    }

    /// An answer, under the vendor's media type when the caller asks for it (reference, 0.3).
    pub(crate) fn answer(&self, status: StatusCode, body: &impl Serialize) -> Response {
        let mut response = json_response(status, body);
        if let Some(kind) = vendor_type(&self.headers) {
            response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        }
        response
    }
}

/// The vendor's media type that `Accept` names.
fn vendor_type(headers: &HeaderMap) -> Option<&'static str> {
    const TYPES: [&str; 2] =
        ["application/vnd.com.payclip.v2+json", "application/vnd.com.payclip.v1+json"];
    let accept = headers.get(ACCEPT)?.to_str().ok()?.to_ascii_lowercase();
    TYPES.into_iter().find(|kind| accept.contains(kind))
}

/// Which surface a request is for, where its path alone does not say.
pub(crate) trait Chosen: Copy + Send + Sync + 'static {
    /// The surface.
    fn of(self, parts: &Parts) -> Api;
}

impl Chosen for Api {
    fn of(self, _parts: &Parts) -> Api {
        self
    }
}

impl<F: Fn(&Parts) -> Api + Copy + Send + Sync + 'static> Chosen for F {
    fn of(self, parts: &Parts) -> Api {
        self(parts)
    }
}

/// Serves one method of a path with a handler that gets a recognised merchant's call.
pub(crate) fn serve<C, F, Fut>(method: MethodFilter, api: C, handler: F) -> MethodRouter<Surface>
where
    C: Chosen,
    F: Fn(Call) -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output = Result<Response, Refusal>> + Send + 'static,
{
    let serving = async move |State(surface): State<Surface>, request: Request| {
        let (mut parts, body) = request.into_parts();
        let id = path_id(&mut parts).await;
        let api = api.of(&parts);
        let answer = async {
            let slot = parts.extensions.get();
            let shop = auth::shop(&surface.worlds, &parts.headers, slot).await;
            let shop = shop.map_err(|failure| Refusal::not_let_in(api, failure))?;
            if !may_use(shop.merchant(), api) {
                return Err(Refusal::forbidden(api));
            }
            let body = axum::body::to_bytes(body, BODY_MAX).await;
            let body = body.map_err(|_| Refusal::too_large(api))?;
            let query = pairs(parts.uri.query());
            let public_url = surface.public_url.clone();
            let headers = parts.headers;
            let mut call = Call { api, shop, headers, query, id, body, public_url };
            for _ in 0..STALE_MAX {
                match handler(call.clone()).await {
                    Err(refusal) if refusal.stale => {
                        let again = call.shop.recognise_again().await;
                        again.map_err(|failure| Refusal::not_let_in(api, failure))?;
                    }
                    other => return other,
                }
            }
            Err(Refusal::unavailable(api))
        };
        answer.await.unwrap_or_else(IntoResponse::into_response)
    };
    on(method, serving)
}

/// The first parameter of the path; what is not UTF-8 names nothing.
async fn path_id(parts: &mut Parts) -> String {
    use axum::extract::FromRequestParts as _;
    let found = RawPathParams::from_request_parts(parts, &()).await.ok();
    let first = found.as_ref().and_then(|params| params.iter().next());
    first.map(|(_, value)| value.to_owned()).unwrap_or_default()
}

/// The decoded pairs of a query, values trimmed. Clients send the offset of a time as it is.
fn pairs(query: Option<&str>) -> Vec<(String, String)> {
    let pairs = query::pairs(query, Plus::SignBeforeDigit).into_iter();
    pairs.map(|(name, value)| (name, value.trim().to_owned())).collect()
}

impl Refusal {
    /// The answer to somebody who is not let in.
    fn not_let_in(api: Api, failure: NotLetIn) -> Self {
        match failure {
            NotLetIn::Unknown => Self::unauthorized(api),
            NotLetIn::Forbidden => Self::forbidden(api),
            NotLetIn::Engine(error) => Self::of(api, error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_decoded_and_trimmed() {
        let table = [
            ("to=2024-02-28T00:00:00Z%20", ("to", "2024-02-28T00:00:00Z")),
            ("from=2024-02-22T00%3A00%3A00+00:00", ("from", "2024-02-22T00:00:00+00:00")),
            ("assigned_user=caja1%40tienda.example", ("assigned_user", "caja1@tienda.example")),
            ("a+b=c+d", ("a b", "c d")),
            ("page=Mg==", ("page", "Mg==")),
            ("x", ("x", "")),
            ("x=%zz%", ("x", "%zz%")),
        ];
        for (query, (name, value)) in table {
            assert_eq!(pairs(Some(query)), [(name.to_owned(), value.to_owned())], "{query}");
        }
        assert_eq!(pairs(Some("&&")), []);
        assert_eq!(pairs(None), []);
    }

    #[test]
    fn the_vendors_type_is_given_to_who_asks() {
        let asked = |accept: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT, accept.parse().unwrap());
            vendor_type(&headers)
        };
        assert_eq!(
            asked("application/vnd.com.payclip.v2+json; charset=utf-8"),
            Some("application/vnd.com.payclip.v2+json")
        );
        assert_eq!(
            asked("text/html, application/vnd.com.payclip.V1+json"),
            Some("application/vnd.com.payclip.v1+json")
        );
        assert_eq!(asked("application/json"), None);
        assert_eq!(asked("text/html"), None);
    }
}
