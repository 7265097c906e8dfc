//! Deposits: seed 002; reference, section 4.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::MethodFilter;
use base64::Engine as _;
use base64::alphabet;
use base64::engine::general_purpose::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use cobro_domain::fee::FeeSchedule;
use cobro_domain::merchant::Merchant;
use cobro_domain::settlement::{Settlement, SettlementState};
use cobro_domain::time::Day;
use cobro_engine::deposits::{LinePlace, SettlementLine};
use cobro_engine::{EngineError, Subject};
use cobro_surface::endpoint::{Endpoint, Parameter, Place, Routes};
use cobro_surface::json::decimal_units;
use jiff::civil::Date;
use serde::Serialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::calendar;
use crate::call::{Api, Call, serve};
use crate::deposits::{DepositRow, DepositRows};
use crate::endpoints::{UNAUTHORIZED, answer, endpoint};
use crate::errors::Refusal;
use crate::routes::Surface;
use crate::settings::Settings;

/// How many days before today a list may begin. Documented are 90, of which today is one; a client
/// library of the provider lets 91 days ago pass (reference, section 4.1).
const DAYS_BACK_MAX: i64 = 91;

/// How many payments a page has at most, and has unless told (reference, section 4.2).
const PAGE_MAX: usize = 100;

/// How many letters and digits a report's number has (seed 002).
const REPORT_LENGTH: usize = 9;

/// The longest page token that is looked at, in bytes.
const TOKEN_MAX: usize = 64;

/// Reads tokens whose padding a client has lost.
const UNPADDED: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What instalments cost beside the base commission, in basis points, where the merchant bears it
/// (reference, section 4.3). No rate is published for other numbers of months.
const SURCHARGES_BPS: [(i64, i64); 4] = [(3, 450), (6, 750), (9, 990), (12, 1195)];

static LIST: Endpoint = Endpoint {
    summary: "Lists the deposits of a range of days, of the last 90 at most",
    parameters: &[
        Parameter {
            name: "from",
            place: Place::Query,
            required: true,
            description: "the first day, YYYY-MM-DD, at most 90 days ago",
        },
        Parameter {
            name: "to",
            place: Place::Query,
            required: true,
            description: "the last day, YYYY-MM-DD",
        },
    ],
    responses: &[
        answer(
            200,
            "The deposits, the oldest first; none is an empty list.",
            r#"{"settlements":[{"disbursement_date":"2020-01-13","settlement_report_id":"W472RZQKV","gross_amount":100.0,"total_fee":3.6,"total_tax":0.58,"total_retention":4.18,"disbursed_net_amount":95.82,"total_transactions":1,"links":{"self":{"href":"/settlements/W472RZQKV","method":"GET"}}}]}"#,
        ),
        answer(
            400,
            "A day is missing, no day, too long ago, or after the other.",
            r#"{"message":"from must not be more than 90 days ago"}"#,
        ),
        UNAUTHORIZED,
        FORBIDDEN,
    ],
    ..endpoint("GET", "/settlements", "listSettlements", "Settlements")
};

static READ: Endpoint = Endpoint {
    summary: "Reads a deposit with its payments, page by page",
    parameters: &[
        Parameter {
            name: "id",
            place: Place::Path,
            required: true,
            description: "the report's number, nine letters and digits, or the deposit's UUID",
        },
        Parameter {
            name: "page_size",
            place: Place::Query,
            required: false,
            description: "payments per page, 1 to 100; 100 unless told",
        },
        Parameter {
            name: "page",
            place: Place::Query,
            required: false,
            description: "the token of the page before",
        },
        Parameter {
            name: "paging",
            place: Place::Query,
            required: false,
            description: "another name of page",
        },
    ],
    responses: &[
        answer(
            200,
            "A page of the deposit, grouped by the day of the payments.",
            r#"{"settlement":{"settlement_report_id":"W472RZQKV","merchant_name":"Café Central","disbursement_date":"2020-01-13","gross_amount":200.0,"disbursed_net_amount":191.64,"total_transactions":2,"details":[{"date":"2020-01-10","payments":[{"receipt_no":"liNzWOR","payment_date":"2020-01-10","amount":100.0,"terms":null,"charges":{"charge":{"fee":3.6,"tax":0.58},"surcharge":null},"tip":0.0,"total_retention":4.18,"settled_amount":95.82,"payment_method":"Credit","card":{"brand":"Mastercard","last4":4352,"issuer":"BANAMEX"},"merchant_invoice":null,"user_email":"caja1@cafecentral.example"}]}]},"links":{"next":{"href":"/settlements/W472RZQKV?page_size=1&page=VzQ3MlJaUUtWOnA6MQ==","method":"GET"}}}"#,
        ),
        // Of sales in months, with a reference and without a terminal; and of the last page.
        cobro_surface::endpoint::Response::also(
            200,
            r#"[{"settlement":{"details":[{"payments":[{"terms":"3","merchant_invoice":"orden-1042","user_email":null}]}]},"links":{"next":null}}]"#,
        ),
        answer(
            400,
            "The id has neither form, or a parameter is wrong.",
            r#"{"message":"settlement_id Invalid pattern"}"#,
        ),
        UNAUTHORIZED,
        FORBIDDEN,
        answer(404, "There is no such deposit.", r#"{"message":"Not Found"}"#),
    ],
    ..endpoint("GET", "/settlements/{id}", "readSettlement", "Settlements")
};

const FORBIDDEN: cobro_surface::endpoint::Response =
    answer(403, "The merchant may not use this API.", r#"{"message":"Forbidden"}"#);

pub(crate) fn routes(routes: Routes<Surface>) -> Routes<Surface> {
    routes
        .at(&LIST, serve(MethodFilter::GET, Api::Settlements, list))
        .at(&READ, serve(MethodFilter::GET, Api::Settlements, read))
}

/// What a payment in so many instalments costs its merchant.
pub(crate) fn fees(merchant: &Merchant, installments: i64) -> FeeSchedule {
    let bears = Settings::of(merchant).installment_surcharge;
    let found = SURCHARGES_BPS.iter().find(|(months, _)| bears && *months == installments);
    let surcharge_bps = found.map_or(0, |(_, bps)| *bps);
    FeeSchedule { fee_bps: merchant.fees.fee_bps.saturating_add(surcharge_bps), ..merchant.fees }
}

type Amount = Box<RawValue>;

#[derive(Serialize)]
struct ListBody {
    settlements: Vec<ListedBody>,
}

#[derive(Serialize)]
struct ListedBody {
    disbursement_date: String,
    settlement_report_id: String,
    gross_amount: Amount,
    total_fee: Amount,
    total_tax: Amount,
    total_retention: Amount,
    disbursed_net_amount: Amount,
    total_transactions: i64,
    links: SelfLink,
}

#[derive(Serialize)]
struct SelfLink {
    #[serde(rename = "self")]
    itself: Link,
}

#[derive(Serialize)]
struct Link {
    href: String,
    method: &'static str,
}

#[derive(Serialize)]
struct PageBody {
    settlement: SettlementBody,
    links: NextLink,
}

#[derive(Serialize)]
struct NextLink {
    next: Option<Link>,
}

#[derive(Serialize)]
struct SettlementBody {
    settlement_report_id: String,
    merchant_name: String,
    disbursement_date: String,
    gross_amount: Amount,
    disbursed_net_amount: Amount,
    total_transactions: i64,
    details: Vec<DayBody>,
}

#[derive(Serialize)]
struct DayBody {
    date: String,
    payments: Vec<PaymentBody>,
}

#[derive(Serialize)]
struct PaymentBody {
    receipt_no: String,
    payment_date: String,
    amount: Amount,
    terms: Option<String>,
    charges: ChargesBody,
    tip: Amount,
    total_retention: Amount,
    settled_amount: Amount,
    payment_method: &'static str,
    card: CardBody,
    merchant_invoice: Option<String>,
    user_email: Option<String>,
}

#[derive(Serialize)]
struct ChargesBody {
    charge: ChargeBody,
    /// Announced and not given (seed 002).
    surcharge: Option<()>,
}

#[derive(Serialize)]
struct ChargeBody {
    fee: Amount,
    tax: Amount,
}

#[derive(Serialize)]
struct CardBody {
    brand: String,
    /// A number, as the seed's example has it; leading zeros vanish (reference, section 4.2).
    last4: u64,
    issuer: String,
}

async fn list(call: Call) -> Result<Response, Refusal> {
    let bad = |text: &str| Refusal::bad(Api::Settlements, text);
    let from = date(&call, "from")?;
    let to = date(&call, "to")?;
    if from > to {
        return Err(bad("to must not be before from"));
    }
    if from < calendar::day(call.now()).plus(-DAYS_BACK_MAX) {
        return Err(bad("from must not be more than 90 days ago"));
    }
    let found = call.world().deposits().closed(call.merchant().id, from, to).await;
    let found = found.map_err(|error| Refusal::of(Api::Settlements, error))?;
    let settlements = found.iter().map(listed).collect();
    Ok(call.answer(StatusCode::OK, &ListBody { settlements }))
}

/// A day of the query, in the one form that there is.
fn date(call: &Call, name: &str) -> Result<Day, Refusal> {
    let bad = |text: &str| Refusal::bad(Api::Settlements, &format!("{name} {text}"));
    let text = call.parameter(name).ok_or_else(|| bad("is required"))?;
    day(text).ok_or_else(|| bad("must be a date, YYYY-MM-DD"))
}

fn day(text: &str) -> Option<Day> {
    let is_form = text.len() == 10
        && text.bytes().enumerate().all(|(place, byte)| match place {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    if !is_form {
        return None;
    }
    let year = text.get(..4)?.parse().ok()?;
    let (month, day) = (text.get(5..7)?.parse().ok()?, text.get(8..)?.parse().ok()?);
    Date::new(year, month, day).ok().map(Day::of)
}

fn listed(settlement: &Settlement) -> ListedBody {
    let amount = |minor| decimal_units(minor, settlement.currency.exponent());
    let report = report(settlement);
    ListedBody {
        disbursement_date: settlement.day.to_string(),
        gross_amount: amount(settlement.gross_minor),
        total_fee: amount(settlement.fee.fee_minor),
        total_tax: amount(settlement.fee.tax_minor),
        total_retention: amount(settlement.fee.total_minor()),
        disbursed_net_amount: amount(settlement.net_minor()),
        total_transactions: settlement.rows,
        links: SelfLink { itself: Link { href: format!("/settlements/{report}"), method: "GET" } },
        settlement_report_id: report,
    }
}

/// The number of a settlement's report; only closed ones have one, and only these are shown.
fn report(settlement: &Settlement) -> String {
    match &settlement.state {
        SettlementState::Closed { report, .. } => report.clone(),
        SettlementState::Open => String::new(),
    }
}

async fn read(call: Call) -> Result<Response, Refusal> {
    let settlement = named(&call).await?;
    let report = report(&settlement);
    let size = page_size(&call)?;
    let after = match call.parameter("page").or_else(|| call.parameter("paging")) {
        Some(token) => Some(place_of(token, &report).ok_or_else(|| {
            Refusal::bad(Api::Settlements, "page is not a token of this settlement")
        })?),
        None => None,
    };
    let merchant = call.merchant();
    // One more than the page shows tells whether another follows.
    let lines = call.world().deposits().lines(merchant.id, settlement.day, after, size + 1).await;
    let mut lines = lines.map_err(|error| Refusal::of(Api::Settlements, error))?;
    let has_next = lines.len() > size;
    lines.truncate(size);
    let next = lines.last().filter(|_| has_next).map(|last| {
        let token = token(&report, last.place());
        Link { href: format!("/settlements/{report}?page_size={size}&page={token}"), method: "GET" }
    });
    let amount = |minor| decimal_units(minor, settlement.currency.exponent());
    let body = PageBody {
        settlement: SettlementBody {
            settlement_report_id: report,
            merchant_name: merchant.name.clone(),
            disbursement_date: settlement.day.to_string(),
            gross_amount: amount(settlement.gross_minor),
            disbursed_net_amount: amount(settlement.net_minor()),
            total_transactions: settlement.rows,
            details: details(&lines, merchant),
        },
        links: NextLink { next },
    };
    Ok(call.answer(StatusCode::OK, &body))
}

/// The closed settlement that the path names, in either form.
async fn named(call: &Call) -> Result<Settlement, Refusal> {
    let (id, merchant) = (call.id.as_str(), call.merchant().id);
    let is_letter = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
    let deposits = call.world().deposits();
    let found = if id.len() == REPORT_LENGTH && id.bytes().all(is_letter) {
        deposits.by_report(merchant, id).await
    } else if id.len() == 36
        && let Ok(id) = Uuid::try_parse(id)
    {
        deposits.by_id(merchant, id).await
    } else {
        return Err(Refusal::bad(Api::Settlements, "settlement_id Invalid pattern"));
    };
    found
        .and_then(|found| match found.state {
            SettlementState::Closed { .. } => Ok(found),
            SettlementState::Open => Err(EngineError::NotFound(Subject::Settlement)),
        })
        .map_err(|error| Refusal::of(Api::Settlements, error))
}

fn page_size(call: &Call) -> Result<usize, Refusal> {
    let Some(text) = call.parameter("page_size") else { return Ok(PAGE_MAX) };
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    let size = text.parse().ok().filter(|size| is_number && (1..=PAGE_MAX).contains(size));
    size.ok_or_else(|| Refusal::bad(Api::Settlements, "page_size must be between 1 and 100"))
}

/// What a page ends with, as a token. Its text is such that it has no letter that a query would
/// have to escape, the padding aside.
fn token(report: &str, place: LinePlace) -> String {
    let (kind, ordinal) = match place {
        LinePlace::Payment(ordinal) => ('p', ordinal),
        LinePlace::Refund(ordinal) => ('r', ordinal),
    };
    STANDARD.encode(format!("{report}:{kind}:{ordinal}"))
}

/// The place that a token of this report names.
fn place_of(token: &str, report: &str) -> Option<LinePlace> {
    if token.len() > TOKEN_MAX {
        return None;
    }
    let text = String::from_utf8(UNPADDED.decode(token).ok()?).ok()?;
    let (kind, ordinal) = text.strip_prefix(report)?.strip_prefix(':')?.split_once(':')?;
    let ordinal = ordinal.parse().ok().filter(|ordinal| *ordinal > 0)?;
    match kind {
        "p" => Some(LinePlace::Payment(ordinal)),
        "r" => Some(LinePlace::Refund(ordinal)),
        _ => None,
    }
}

/// A page's payments by their day; a day on two pages is on both with its own part.
fn details(lines: &[SettlementLine], merchant: &Merchant) -> Vec<DayBody> {
    let (rows, mut days) = (DepositRows::of(merchant), BTreeMap::<Day, Vec<PaymentBody>>::new());
    for line in lines {
        let exponent = line.payment.amount.currency.exponent();
        let row = rows.row(line);
        days.entry(row.day).or_default().push(payment(row, exponent));
    }
    days.into_iter().map(|(day, payments)| DayBody { date: day.to_string(), payments }).collect()
}

fn payment(row: DepositRow, exponent: u32) -> PaymentBody {
    let amount = |minor| decimal_units(minor, exponent);
    PaymentBody {
        payment_date: row.day.to_string(),
        amount: amount(row.amount_minor),
        terms: row.terms.map(|months| months.to_string()),
        charges: ChargesBody {
            charge: ChargeBody { fee: amount(row.fee_minor), tax: amount(row.tax_minor) },
            surcharge: None,
        },
        tip: amount(row.tip_minor),
        total_retention: amount(row.retention_minor()),
        settled_amount: amount(row.settled_minor()),
        payment_method: row.method,
        card: CardBody {
            last4: row.last_digits.parse().unwrap_or(0),
            brand: row.brand,
            issuer: row.issuer,
        },
        receipt_no: row.receipt_no,
        merchant_invoice: row.invoice,
        user_email: row.user,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_have_one_form() {
        assert_eq!(day("2026-11-20").map(|day| day.to_string()).as_deref(), Some("2026-11-20"));
        for wrong in [
            "",
            "2026-11-31",
            "2026-02-29",
            "2026-13-01",
            "2026-00-10",
            "2026-1-2",
            "26-11-20",
            "20261120",
            "2026/11/20",
            "20-11-2026",
            "2026-11-20T00:00:00Z",
            "+026-11-20",
            "2026-11- 1",
            "٢٠٢٦-11-20",
            "hoy",
        ] {
            assert_eq!(day(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn tokens_lead_back_and_need_no_escape() {
        for place in [LinePlace::Payment(1), LinePlace::Refund(i64::MAX)] {
            let made = token("W472RZQKV", place);
            assert!(made.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'='), "{made}");
            assert_eq!(place_of(&made, "W472RZQKV"), Some(place));
            assert_eq!(place_of(made.trim_end_matches('='), "W472RZQKV"), Some(place));
            assert_eq!(place_of(&made, "W472RZQKW"), None);
        }
        for wrong in ["Mg==", "%%", "", "W472RZQKV:p:1"] {
            assert_eq!(place_of(wrong, "W472RZQKV"), None, "{wrong}");
        }
        for text in ["W472RZQKV:p:0", "W472RZQKV:p:-1", "W472RZQKV:x:1", "W472RZQKV:p"] {
            assert_eq!(place_of(&STANDARD.encode(text), "W472RZQKV"), None, "{text}");
        }
    }
}
