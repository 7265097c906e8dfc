//! Payments and their refunds.

use cobro_surface::endpoint::{Endpoint, Parameter, Place, Response};

use super::{IDEMPOTENCY_KEY, TOO_LARGE, UNAUTHORIZED, UNAVAILABLE, answer, point};

const PAYMENT_ID: Parameter = Parameter {
    name: "payment_id",
    place: Place::Path,
    required: true,
    description: "The payment: the `payment.id` of an intent or of a notification.",
};

const PAYMENT_NOT_FOUND: Response = answer(
    404,
    "The payment does not exist or is another seller's.",
    Some(
        r#"{"cause":[{"code":2000,"data":null,"description":"Payment not found"}],"error":"not_found","message":"Payment not found","status":404}"#,
    ),
);

const fn query(name: &'static str, description: &'static str) -> Parameter {
    Parameter { name, place: Place::Query, required: false, description }
}

pub(crate) static SEARCH_PAYMENTS: Endpoint = Endpoint {
    summary: "Search the payments of the last twelve months",
    tag: "Payments",
    parameters: &[
        query(
            "sort",
            "date_created (unless told), date_approved, date_last_updated, id or money_release_date.",
        ),
        query("criteria", "asc, or desc unless told."),
        query("external_reference", "Only payments with this reference."),
        query(
            "range",
            "Which time begin_date and end_date mean: date_created unless told, date_last_updated, date_approved or money_release_date.",
        ),
        query("begin_date", "ISO 8601 with an offset, or relative: NOW-30DAYS."),
        query("end_date", "ISO 8601 with an offset, or relative: NOW."),
        query("offset", "How many to pass over, at most 10000; 0 unless told."),
        query("limit", "How many, at most 1000; 30 unless told."),
    ],
    responses: &[
        answer(
            200,
            "The page, and how many there are in all.",
            Some(include_str!("../../fixtures/search.json")),
        ),
        Response::also(
            200,
            r#"[{"results":[{"authorization_code":null,"date_approved":null,"description":null,"external_reference":null,"money_release_date":null}]}]"#,
        ),
        answer(
            400,
            "A parameter is wrong; the cause says which.",
            Some(
                r#"{"cause":[{"code":1003,"data":null,"description":"Invalid sort value"}],"error":"bad_request","message":"Invalid sort value","status":400}"#,
            ),
        ),
        UNAUTHORIZED,
    ],
    ..point("GET", "/v1/payments/search", "searchPayments")
};

pub(crate) static READ_PAYMENT: Endpoint = Endpoint {
    summary: "A payment",
    tag: "Payments",
    parameters: &[PAYMENT_ID],
    responses: &[
        answer(
            200,
            "The payment. Amounts are in units of the currency.",
            Some(include_str!("../../fixtures/payment.json")),
        ),
        Response::also(
            200,
            r#"[{"authorization_code":null,"date_approved":null,"description":null,"external_reference":null,"money_release_date":null}]"#,
        ),
        UNAUTHORIZED,
        PAYMENT_NOT_FOUND,
    ],
    ..point("GET", "/v1/payments/{payment_id}", "readPayment")
};

const REFUND_EXAMPLE: &str = include_str!("../../fixtures/refund.json");

pub(crate) static CREATE_REFUND: Endpoint = Endpoint {
    summary: "Refund a payment, in part or as a whole",
    tag: "Payments",
    parameters: &[PAYMENT_ID, IDEMPOTENCY_KEY],
    request: Some(r#"{"amount":5.5}"#),
    responses: &[
        answer(201, "The refund.", Some(REFUND_EXAMPLE)),
        answer(
            400,
            "The payment is not approved, or less than the amount is left.",
            Some(
                r#"{"cause":[{"code":2063,"data":null,"description":"The action requested is not valid for the current payment state"}],"error":"bad_request","message":"The action requested is not valid for the current payment state","status":400}"#,
            ),
        ),
        UNAUTHORIZED,
        PAYMENT_NOT_FOUND,
        TOO_LARGE,
        UNAVAILABLE,
    ],
    ..point("POST", "/v1/payments/{payment_id}/refunds", "createRefund")
};

pub(crate) static LIST_REFUNDS: Endpoint = Endpoint {
    summary: "The refunds of a payment",
    tag: "Payments",
    parameters: &[PAYMENT_ID],
    responses: &[
        answer(
            200,
            "The refunds, the oldest first.",
            Some(include_str!("../../fixtures/refunds.json")),
        ),
        UNAUTHORIZED,
        PAYMENT_NOT_FOUND,
    ],
    ..point("GET", "/v1/payments/{payment_id}/refunds", "listRefunds")
};

pub(crate) static READ_REFUND: Endpoint = Endpoint {
    summary: "A refund",
    tag: "Payments",
    parameters: &[
        PAYMENT_ID,
        Parameter {
            name: "refund_id",
            place: Place::Path,
            required: true,
            description: "The refund.",
        },
    ],
    responses: &[
        answer(200, "The refund.", Some(REFUND_EXAMPLE)),
        UNAUTHORIZED,
        answer(
            404,
            "The payment or the refund does not exist.",
            Some(
                r#"{"cause":[{"code":2032,"data":null,"description":"Refund not found"}],"error":"not_found","message":"Refund not found","status":404}"#,
            ),
        ),
    ],
    ..point("GET", "/v1/payments/{payment_id}/refunds/{refund_id}", "readRefund")
};
