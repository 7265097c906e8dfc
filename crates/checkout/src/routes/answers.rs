//! Answers: pages and redirects for people, JSON for scripts and tests.

use axum::Json;
use axum::response::{Html, IntoResponse, Response};
use cobro_domain::payment::{DeclineReason, PaymentState};
use cobro_engine::sessions::SessionView;
use cobro_surface::assets::NOT_SNIFFED;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, LOCATION, VARY, X_FRAME_OPTIONS,
};
use http::{HeaderValue, StatusCode};
use serde_json::{Value, json};

use super::Visit;
use crate::form::{Fault, Typed};
use crate::order::Order;
use crate::page::Said;
use crate::page::form::decline_key;
use crate::stand::Stand;

/// How a visit is answered.
pub(super) struct Answers<'a> {
    pub(super) visit: &'a Visit<'a>,
    pub(super) view: &'a SessionView,
    pub(super) json: bool,
    /// Whether a browser says that the page is in a frame.
    pub(super) framed: bool,
    pub(super) csrf: String,
}

impl Answers<'_> {
    pub(super) const fn is_json(&self) -> bool {
        self.json
    }

    pub(super) const fn is_framed(&self) -> bool {
        self.framed
    }

    /// The page as it is.
    pub(super) fn stand(&self, status: StatusCode, stand: &Stand) -> Response {
        self.said(status, stand, Said::default())
    }

    /// The page with something said on it.
    pub(super) fn said(&self, status: StatusCode, stand: &Stand, said: Said<'_>) -> Response {
        if self.json {
            let mut body = self.body(self.view, stand);
            if let Some(notice) = said.notice {
                body["outcome"] = json!("invalid");
                body["message"] = json!(self.visit.words().text(notice));
                if notice == "fault-otp" {
                    let message = self.visit.words().text(notice);
                    body["errors"] = json!([{"field": "otp", "message": message}]);
                }
            }
            return self.guarded((status, Json(body)));
        }
        let page = self.visit.page(self.view, &self.csrf);
        self.guarded((status, Html(page.render(stand, said))))
    }

    /// The form with what is wrong with it.
    pub(super) fn faults(&self, typed: &Typed, faults: &[Fault]) -> Response {
        let (status, stand) = (StatusCode::UNPROCESSABLE_ENTITY, self.visit.stand());
        if !self.json {
            let said = Said { faults, typed: Some(typed), notice: None };
            return self.said(status, &stand, said);
        }
        let page = self.visit.page(self.view, &self.csrf);
        let error =
            |fault: &Fault| json!({"field": fault.field(), "message": page.fault_text(*fault)});
        let mut body = self.body(self.view, &stand);
        body["outcome"] = json!("invalid");
        body["reason"] = json!("form");
        body["message"] = json!(self.visit.words().text("errors"));
        body["errors"] = faults.iter().map(error).collect();
        self.guarded((status, Json(body)))
    }

    /// After something happened, or could not: people are led to the page again, so that loading
    /// it anew repeats nothing.
    pub(super) fn moved(&self, status: StatusCode, stand: &Stand) -> Response {
        if self.json {
            return self.guarded((status, Json(self.body(self.view, stand))));
        }
        self.led(StatusCode::SEE_OTHER, &self.visit.own)
    }

    /// After a card was used: the result, or the shop at once where it wants no page with the
    /// result. A declined card stays on the page.
    pub(super) fn used(&self, view: &SessionView) -> Response {
        let stand = self.visit.stand_of(view);
        let order = &self.visit.order;
        let is_over = !matches!(stand, Stand::Open { .. } | Stand::Challenge(_));
        if is_over && order.skip_result && !order.return_url.is_empty() {
            return self.left(view, &order.return_url);
        }
        let (visit, json, framed) = (self.visit, self.json, self.framed);
        let answers = Answers { visit, view, json, framed, csrf: String::new() };
        answers.moved(StatusCode::OK, &stand)
    }

    /// The payer leaves for another site.
    pub(super) fn left(&self, view: &SessionView, address: &str) -> Response {
        if self.json {
            let mut body = self.body(view, &self.visit.stand_of(view));
            body["location"] = json!(address);
            return self.guarded((StatusCode::OK, Json(body)));
        }
        let address = if address.is_empty() { &self.visit.own } else { address };
        self.led(StatusCode::FOUND, address)
    }

    fn led(&self, status: StatusCode, address: &str) -> Response {
        match HeaderValue::try_from(address) {
            Ok(address) => self.guarded((status, [(LOCATION, address)])),
            // Not an address that a header can carry; the page has a link to it.
            Err(_) => self.stand(StatusCode::OK, &self.visit.stand()),
        }
    }

    /// The session as JSON. `location` is where a browser goes by itself.
    fn body(&self, view: &SessionView, stand: &Stand) -> Value {
        let session = &view.session;
        let declined = view.payments.first().and_then(|payment| match payment.state {
            PaymentState::Declined { reason } => Some(reason),
            _ => None,
        });
        let said = match stand {
            Stand::Open { declined } => declined.flatten(),
            Stand::Ended(_) => declined,
            _ => None,
        };
        let words = self.visit.words();
        json!({
            "outcome": stand.code(),
            "reason": said.map(DeclineReason::code),
            "message": said.map(|reason| words.with(&decline_key(reason), &[])),
            "attempts_left": session.attempts_max.saturating_sub(session.attempts).max(0),
            "left_minor": session.amount.map(|_| session.left_minor()),
            "currency": crate::form::currency(session).map(|currency| currency.code()),
            "expires_at": session.expires_at.to_string(),
            "now": self.visit.world.now().to_string(),
            "session": {"request_id": session.number, "status": session.state.code()},
            "return_url": self.visit.order.return_url,
            "skip_result": self.visit.order.skip_result,
            "location": null,
        })
    }

    fn guarded(&self, response: impl IntoResponse) -> Response {
        let visit = self.visit;
        guarded(response, &visit.order, visit.is_framed())
    }
}

/// An answer with the headers that all have: kept by no cache, in no frame, nothing loaded from
/// elsewhere, and no address told to other sites.
pub(super) fn guarded(response: impl IntoResponse, order: &Order, framed: bool) -> Response {
    let mut response = (NOT_SNIFFED, response).into_response();
    let headers = response.headers_mut();
    let mut set = |name: HeaderName, value: &'static str| {
        headers.insert(name, HeaderValue::from_static(value));
    };
    set(CACHE_CONTROL, "no-store");
    set(VARY, "Accept, Accept-Language");
    set(HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=()");
    if !framed {
        set(X_FRAME_OPTIONS, "DENY");
        set(HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    }
    if let Ok(policy) = HeaderValue::try_from(policy(order, framed)) {
        headers.insert(CONTENT_SECURITY_POLICY, policy);
    }
    response
}

/// What a page may do. Browsers hold a form to `form-action` also where its answer leads, so the
/// shop's sites are named there.
fn policy(order: &Order, framed: bool) -> String {
    let mut policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
        connect-src 'self'; base-uri 'none'; require-trusted-types-for 'script'; form-action 'self'"
        .to_owned();
    for origin in [&order.return_url, &order.cancel_url].into_iter().filter_map(|url| origin(url)) {
        policy.push(' ');
        policy.push_str(origin);
    }
    policy.push_str(if framed {
        "; frame-ancestors http: https:"
    } else {
        "; frame-ancestors 'none'"
    });
    policy
}

/// Scheme and authority of an address; nothing where the authority is not a plain host and port.
fn origin(address: &str) -> Option<&str> {
    let start = address.find("://")?.checked_add(3)?;
    let rest = address.get(start..)?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let host = rest.get(..end)?;
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte);
    (!host.is_empty() && host.bytes().all(is_plain)).then(|| address.get(..start + end)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_origins_get_into_the_policy() {
        for (address, expected) in [
            ("https://shop.example/back?a=b", Some("https://shop.example")),
            ("http://127.0.0.1:8080", Some("http://127.0.0.1:8080")),
            ("https://shop.example;script-src *", None),
            ("https://user@shop.example/", None),
            ("https:///x", None),
            ("shop.example", None),
        ] {
            assert_eq!(origin(address), expected, "{address}");
        }
        let order = Order { return_url: "https://shop.example/a".to_owned(), ..Order::default() };
        assert!(policy(&order, false).contains("form-action 'self' https://shop.example;"));
        assert!(policy(&order, false).ends_with("frame-ancestors 'none'"));
    }
}
