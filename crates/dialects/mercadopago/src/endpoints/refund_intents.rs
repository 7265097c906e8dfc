//! Refunds on the terminal.

use cobro_surface::endpoint::{Endpoint, Parameter, Place, Response};

use super::{
    DEVICE_ID, DEVICE_OWNER, IDEMPOTENCY_KEY, TOO_LARGE, UNAUTHORIZED, UNAVAILABLE, answer, point,
};

const REFUND_INTENT_ID: Parameter = Parameter {
    name: "refund_intent_id",
    place: Place::Path,
    required: true,
    description: "The refund intent.",
};

const NOT_FOUND: Response = answer(
    404,
    "The refund intent does not exist, has ended, or is another device's.",
    Some(
        r#"{"cause":[],"error":"not_found","message":"Not-found - Refund intent doesn't exist","status":404}"#,
    ),
);

pub(crate) static CREATE_REFUND_INTENT: Endpoint = Endpoint {
    summary: "Queue the refund of a payment on the terminal that took it",
    parameters: &[DEVICE_ID, IDEMPOTENCY_KEY],
    request: Some(
        r#"{"additional_info":{"print_on_terminal":["SELLER_TICKET","BUYER_TICKET"]},"payment_id":"57031040004"}"#,
    ),
    responses: &[
        answer(
            201,
            "The refund is queued: all that is left of the payment.",
            Some(
                r#"{"additional_info":{"print_on_terminal":["SELLER_TICKET","BUYER_TICKET"]},"device_id":"PAX_A910__SBX0000001","id":"a0d9f0c4-7f3b-4c39-8f55-0d2a4a6c9e77","payment_id":"57031040004"}"#,
            ),
        ),
        answer(
            400,
            "The body is wrong, or nothing of the payment is left to give back.",
            Some(
                r#"{"cause":[],"error":"bad_request","message":"payment_id is required","status":400}"#,
            ),
        ),
        UNAUTHORIZED,
        DEVICE_OWNER,
        answer(
            404,
            "The payment does not exist, is another seller's, or another device took it.",
            Some(
                r#"{"cause":[{"code":2000,"data":null,"description":"Device or Payment not found"}],"error":"not_found","message":"Device or Payment not found","status":404}"#,
            ),
        ),
        answer(
            409,
            "The terminal has an intent already.",
            Some(
                r#"{"cause":[],"error":"2205","message":"There is already a queued intent for the device","status":409}"#,
            ),
        ),
        TOO_LARGE,
        UNAVAILABLE,
    ],
    ..point("POST", "/point/integration-api/devices/{device_id}/refund", "createRefundIntent")
};

pub(crate) static CANCEL_REFUND_INTENT: Endpoint = Endpoint {
    summary: "Take back a refund intent",
    parameters: &[DEVICE_ID, REFUND_INTENT_ID],
    responses: &[
        answer(
            200,
            "The refund intent is cancelled.",
            Some(r#"{"id":"a0d9f0c4-7f3b-4c39-8f55-0d2a4a6c9e77"}"#),
        ),
        UNAUTHORIZED,
        DEVICE_OWNER,
        NOT_FOUND,
        answer(
            409,
            "The terminal has taken it, and the card was not contactless.",
            Some(
                r#"{"cause":[],"error":"conflict","message":"The intent cannot be canceled. Verify if the intent is already being processed","status":409}"#,
            ),
        ),
        UNAVAILABLE,
    ],
    ..point(
        "DELETE",
        "/point/integration-api/devices/{device_id}/refund/{refund_intent_id}",
        "cancelRefundIntent",
    )
};

pub(crate) static READ_REFUND_INTENT: Endpoint = Endpoint {
    summary: "A refund intent and its state",
    parameters: &[REFUND_INTENT_ID],
    responses: &[
        answer(
            200,
            "The refund intent.",
            Some(
                r#"{"additional_info":{"print_on_terminal":["SELLER_TICKET"]},"device_id":"PAX_A910__SBX0000001","id":"a0d9f0c4-7f3b-4c39-8f55-0d2a4a6c9e77","payment_id":"57031040004","state":"FINISHED"}"#,
            ),
        ),
        UNAUTHORIZED,
        NOT_FOUND,
    ],
    ..point("GET", "/point/integration-api/refund/{refund_intent_id}", "readRefundIntent")
};
