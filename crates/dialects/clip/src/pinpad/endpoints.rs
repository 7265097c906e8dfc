//! What this surface serves.

use cobro_surface::endpoint::{Endpoint, Parameter, Place, Response};

use crate::endpoints::{UNAUTHORIZED, answer, endpoint};

const TAG: &str = "PinPad";

const FORBIDDEN: Response =
    answer(403, "The merchant may not use this surface.", r#"{"message":"Forbidden"}"#);

const NOT_FOUND: Response = answer(
    404,
    "There is no such request or terminal.",
    r#"{"code":"NOT_FOUND","message":"Not Found"}"#,
);

const BAD: Response = answer(
    400,
    "The request breaks a rule.",
    r#"{"code":"ERROR_BODY_STRUCTURE","message":"amount must be a number"}"#,
);

const BUSY: Response = answer(
    400,
    "The terminal has a payment already.",
    r#"{"code":"PAYMENT_PENDING","message":"The terminal has a payment already","data":{"current_payment_on_transaction":"pinpad-0197a000-0000-4000-8000-000000000001","payment_enqueued":null}}"#,
);

const TOO_LARGE: Response = answer(
    413,
    "The body is larger than 1 MiB.",
    r#"{"code":"ERROR_BODY_STRUCTURE","message":"the body is too large"}"#,
);

const REQUEST: &str = r#"{"pinpad_request_id":"pinpad-0197a000-0000-4000-8000-000000000001","reference":"mesa-7","amount":"180.50","amount_paid":"0.00","tip_amount":"0.00","create_date":"2026-11-20T10:00:00","serial_number_pos":"P8220000001","status":"PENDING"}"#;

const DETAIL: Parameter = Parameter {
    name: "Pinpad-Include-Detail",
    place: Place::Header,
    required: false,
    description: "`true`: with the payment that the request led to.",
};

pub(super) static CREATE: Endpoint = Endpoint {
    summary: "Send a payment to a terminal",
    parameters: &[Parameter {
        name: "Pinpad-Wait-Response",
        place: Place::Header,
        required: false,
        description: "`true`: answer when the terminal has taken it, or after 55 seconds.",
    }],
    request: Some(
        r#"{"amount":"180.50","reference":"mesa-7","serial_number_pos":"P8220000001","tip_amount":0,"webhook_url":"https://pos.example/pinpad","preferences":{"is_tip_enabled":true,"tip_options":[10,15,20],"is_msi_enabled":true}}"#,
    ),
    responses: &[
        answer(
            200,
            "The request waits for the terminal.",
            r#"{"pinpad_request_id":"pinpad-0197a000-0000-4000-8000-000000000001","reference":"mesa-7","amount":"180.50","serial_number_pos":"P8220000001","current_payment_on_transaction":null}"#,
        ),
        Response::also(
            200,
            r#"[{"current_payment_on_transaction":"pinpad-0197a000-0000-4000-8000-000000000002"}]"#,
        ),
        BAD,
        BUSY,
        answer(
            400,
            "The terminal does not answer.",
            r#"{"code":"ERR10_04","message":"The terminal is not available","name":"STORING PAYMENT - DEVICE UNAVAILABLE"}"#,
        ),
        UNAUTHORIZED,
        FORBIDDEN,
        NOT_FOUND,
        TOO_LARGE,
    ],
    ..endpoint("POST", "/f2f/pinpad/v1/payment", "createPinPadPayment", TAG)
};

pub(super) static READ: Endpoint = Endpoint {
    summary: "Read a payment that was sent to a terminal",
    parameters: &[
        Parameter {
            name: "pinpadRequestId",
            place: Place::Query,
            required: true,
            description: "The request, as `pinpad_request_id` of its answer.",
        },
        DETAIL,
    ],
    responses: &[
        answer(200, "The request.", REQUEST),
        answer(
            400,
            "The request is not named.",
            r#"{"code":"ERROR_BODY_STRUCTURE","message":"pinpadRequestId is required"}"#,
        ),
        UNAUTHORIZED,
        FORBIDDEN,
        NOT_FOUND,
    ],
    ..endpoint("GET", "/f2f/pinpad/v1/payment", "readPinPadPayment", TAG)
};

pub(super) static CANCEL: Endpoint = Endpoint {
    summary: "Take a payment back that the terminal has not taken",
    responses: &[answer(200, "The request.", REQUEST), BUSY, UNAUTHORIZED, FORBIDDEN, NOT_FOUND],
    ..endpoint("DELETE", "/f2f/pinpad/v1/payment/{id}", "cancelPinPadPayment", TAG)
};

pub(super) static CANCEL_BY_SERIAL: Endpoint = Endpoint {
    summary: "Take back what waits for a terminal",
    responses: CANCEL.responses,
    ..endpoint(
        "DELETE",
        "/f2f/pinpad/v1/payment/serial-number/{serial}",
        "cancelPinPadPaymentBySerial",
        TAG,
    )
};

pub(super) static STATUS: Endpoint = Endpoint {
    summary: "Which terminals answer",
    responses: &[
        answer(
            200,
            "The terminals.",
            r#"[{"serial_number":"P8220000001","status":"active","expires_at":"2026-11-20T16:00:20Z","updated_at":"2026-11-20T16:00:00Z","version":"1.0.0"}]"#,
        ),
        UNAUTHORIZED,
        FORBIDDEN,
    ],
    ..endpoint("GET", "/f2f/pinpad/v1/devices/status", "readPinPadDevices", TAG)
};

pub(super) static DEVICES: Endpoint = Endpoint {
    summary: "Set how terminals work",
    request: Some(
        r#"{"devices":["P8220000001"],"preferences":{"is_kiosk_mode_enabled":true,"timeout_seg":60}}"#,
    ),
    responses: &[
        answer(
            200,
            "The terminals with their preferences.",
            r#"{"devices":[{"serial_number":"P8220000001","preferences":{"is_kiosk_mode_enabled":true,"timeout_seg":60}}]}"#,
        ),
        BAD,
        UNAUTHORIZED,
        FORBIDDEN,
        NOT_FOUND,
        TOO_LARGE,
    ],
    ..endpoint("POST", "/f2f/pinpad/v1/devices", "changePinPadDevices", TAG)
};
