//! Devices: seed 003, section 4.1; reference, section 3.

use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use bytes::Bytes;
use cobro_domain::TerminalId;
use cobro_domain::terminal::OperatingMode;
use cobro_engine::terminals::ChangeTerminal;
use cobro_surface::body::json_response;
use cobro_surface::query::{self, Plus};
use serde_json::json;

use crate::auth::{self, Seller};
use crate::errors::ApiError;
use crate::routes::Surface;
use crate::{validate, wire};

/// The largest page, and the one that is given when none is asked for.
const PAGE_MAX: i64 = 50;

/// The seller of a request, and its body.
pub(crate) async fn open(
    surface: &Surface,
    request: Request,
) -> Result<(Seller, Option<String>, axum::http::HeaderMap, Bytes), ApiError> {
    let (parts, body) = request.into_parts();
    let query = parts.uri.query().map(str::to_owned);
    let slot = parts.extensions.get();
    let seller = auth::seller(&surface.worlds, &parts.headers, query.as_deref(), slot).await?;
    let body = axum::body::to_bytes(body, 1 << 20).await;
    let body = body.map_err(|_| ApiError::bad_request("Invalid JSON"))?;
    Ok((seller, query, parts.headers, body))
}

/// A device id of the form `TYPE__SERIAL`.
pub(crate) fn device_id(text: &str) -> Result<TerminalId, ApiError> {
    let well_formed =
        text.split_once("__").is_some_and(|(kind, serial)| !kind.is_empty() && !serial.is_empty())
            && text.len() <= 128
            && !text.contains('\0');
    if well_formed {
        Ok(TerminalId(text.to_owned()))
    } else {
        Err(ApiError::bad_request("Device id incorrect format"))
    }
}

struct Page {
    limit: i64,
    offset: i64,
    store_id: Option<String>,
    pos_id: Option<String>,
}

fn page(query: Option<&str>) -> Result<Page, ApiError> {
    let mut page = Page { limit: PAGE_MAX, offset: 0, store_id: None, pos_id: None };
    let wrong = || ApiError::bad_request("query param incorrect format");
    for (name, value) in pairs(query) {
        match name.as_str() {
            "limit" => {
                let limit: i64 =
                    value.parse().ok().filter(|limit| *limit >= 1).ok_or_else(wrong)?;
                page.limit = limit.min(PAGE_MAX);
            }
            "offset" => {
                page.offset = value.parse().ok().filter(|offset| *offset >= 0).ok_or_else(wrong)?;
            }
            "store_id" => page.store_id = Some(value),
            "pos_id" => {
                let _: i64 = value.parse().map_err(|_| wrong())?;
                page.pos_id = Some(value);
            }
            _ => {}
        }
    }
    Ok(page)
}

/// The decoded pairs of a query.
pub(crate) fn pairs(query: Option<&str>) -> Vec<(String, String)> {
    query::pairs(query, Plus::Blank)
}

/// `GET /point/integration-api/devices`
pub(crate) async fn list(
    State(surface): State<Surface>,
    request: Request,
) -> Result<Response, ApiError> {
    let (seller, query, _, _) = open(&surface, request).await?;
    let page = page(query.as_deref())?;
    let merchant = seller.caller.merchant;
    let filtered = page.store_id.is_some() || page.pos_id.is_some();
    let (terminals, total) = if filtered {
        seller.world.terminals_of(merchant, 0, i64::from(u16::MAX)).await?
    } else {
        seller.world.terminals_of(merchant, page.offset, page.limit).await?
    };
    let mut devices: Vec<serde_json::Value> = terminals.iter().map(wire::device).collect();
    let mut total = total;
    if filtered {
        devices.retain(|device| {
            let fits = |name: &str, wanted: &Option<String>| {
                wanted.as_ref().is_none_or(|wanted| {
                    let value = &device[name];
                    value.as_str().map_or_else(|| value.to_string(), str::to_owned) == *wanted
                })
            };
            fits("store_id", &page.store_id) && fits("pos_id", &page.pos_id)
        });
        total = i64::try_from(devices.len()).unwrap_or(0);
        let (offset, limit) = (page.offset, page.limit);
        devices = devices
            .into_iter()
            .skip(usize::try_from(offset).unwrap_or(0))
            .take(usize::try_from(limit).unwrap_or(0))
            .collect();
    }
    let body = json!({
        "devices": devices,
        "paging": { "limit": page.limit, "offset": page.offset, "total": total },
    });
    Ok(json_response(StatusCode::OK, &body))
}

/// `PATCH /point/integration-api/devices/{device_id}`
pub(crate) async fn change(
    State(surface): State<Surface>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, ApiError> {
    let (seller, _, _, body) = open(&surface, request).await?;
    let id = device_id(&id)?;
    let integrated = validate::operating_mode(&body)?;
    let mode = if integrated { OperatingMode::Integrated } else { OperatingMode::Standalone };
    let change = ChangeTerminal { mode: Some(mode), ..ChangeTerminal::default() };
    seller.world.change_terminal(seller.caller.merchant, id, change).await?;
    let body = json!({ "operating_mode": wire::operating_mode(integrated) });
    Ok(json_response(StatusCode::OK, &body))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn device_ids_and_queries() {
        for good in ["PAX_A910__SBX0000001", "INGENICO_MOVE2500__ING-ARG-14886780"] {
            assert!(device_id(good).is_ok(), "{good}");
        }
        for wrong in ["PAX_A910_SBX1", "", "__", "A__", "__B"] {
            assert!(device_id(wrong).is_err(), "{wrong}");
        }
        let query = pairs(Some("a=1&&b=x%20y+z&c"));
        let expected = [("a", "1"), ("b", "x y z"), ("c", "")];
        assert!(query.iter().map(|(n, v)| (n.as_str(), v.as_str())).eq(expected));
        assert!(pairs(Some("")).is_empty());
        assert!(page(Some("limit=0")).is_err());
        assert_eq!(page(Some("limit=1000")).unwrap().limit, PAGE_MAX);
        assert!(page(Some("offset=-1")).is_err());
        assert!(page(Some("pos_id=x")).is_err());
    }
}
