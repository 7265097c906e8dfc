//! The endpoint table: what the router serves and what the API document says.

use cobro_surface::endpoint::{Endpoint, Parameter, Place, Response, Security};

mod accounts;
mod payments;
mod refund_intents;

pub(crate) use accounts::{MAKE_DESCRIBED_TEST_USER, MAKE_TEST_USER, READ_ME, TOKEN};
pub(crate) use payments::{
    CREATE_REFUND, LIST_REFUNDS, READ_PAYMENT, READ_REFUND, SEARCH_PAYMENTS,
};
pub(crate) use refund_intents::{CANCEL_REFUND_INTENT, CREATE_REFUND_INTENT, READ_REFUND_INTENT};

const DEVICE_ID: Parameter = Parameter {
    name: "device_id",
    place: Place::Path,
    required: true,
    description: "The device, as the list of devices shows it: TYPE__SERIAL.",
};

const INTENT_ID: Parameter = Parameter {
    name: "payment_intent_id",
    place: Place::Path,
    required: true,
    description: "The payment intent.",
};

const IDEMPOTENCY_KEY: Parameter = Parameter {
    name: "X-Idempotency-Key",
    place: Place::Header,
    required: false,
    description: "The same key with the same path and body leads to the first answer.",
};

const fn answer(status: u16, description: &'static str, example: Option<&'static str>) -> Response {
    Response { status, description, example }
}

const UNAUTHORIZED: Response = answer(
    401,
    "The token is missing or not valid.",
    Some(
        r#"{"cause":[],"error":"unauthorized","message":"Unauthorized - Token is invalid","status":401}"#,
    ),
);

const DEVICE_OWNER: Response = answer(
    403,
    "The device does not exist or belongs to another account.",
    Some(
        r#"{"cause":[],"error":"104","message":"Forbidden Error checking device owner","status":403}"#,
    ),
);

const INTENT_NOT_FOUND: Response = answer(
    404,
    "The intent does not exist, has ended, or is another device's.",
    Some(
        r#"{"cause":[],"error":"not_found","message":"Not-found - Payment intent doesn't exist","status":404}"#,
    ),
);

const TOO_LARGE: Response = answer(
    413,
    "The body is larger than 1 MiB.",
    Some(r#"{"cause":[],"error":"bad_request","message":"Request entity too large","status":413}"#),
);

const UNAVAILABLE: Response = answer(
    503,
    "The server is too busy; nothing was done.",
    Some(
        r#"{"cause":[],"error":"service_unavailable","message":"Service unavailable, please try again later","status":503}"#,
    ),
);

const fn point(method: &'static str, path: &'static str, id: &'static str) -> Endpoint {
    Endpoint {
        method,
        path,
        id,
        summary: "",
        tag: "Point",
        security: Security::Bearer,
        parameters: &[],
        request: None,
        responses: &[],
    }
}

pub(crate) static LIST_DEVICES: Endpoint = Endpoint {
    summary: "The seller's terminals",
    parameters: &[
        Parameter {
            name: "store_id",
            place: Place::Query,
            required: false,
            description: "Only the devices of this store.",
        },
        Parameter {
            name: "pos_id",
            place: Place::Query,
            required: false,
            description: "Only the devices of this point of sale.",
        },
        Parameter {
            name: "limit",
            place: Place::Query,
            required: false,
            description: "How many; 50 unless told, and at most 50.",
        },
        Parameter {
            name: "offset",
            place: Place::Query,
            required: false,
            description: "How many to pass over; 0 unless told.",
        },
    ],
    responses: &[
        answer(
            200,
            "The devices.",
            Some(
                r#"{"devices":[{"external_pos_id":"SUC01POS01","id":"PAX_A910__SBX0000001","operating_mode":"PDV","pos_id":47792476,"store_id":"47792478"}],"paging":{"limit":50,"offset":0,"total":1}}"#,
            ),
        ),
        answer(
            400,
            "A query parameter cannot be read.",
            Some(
                r#"{"cause":[],"error":"bad_request","message":"query param incorrect format","status":400}"#,
            ),
        ),
        UNAUTHORIZED,
    ],
    ..point("GET", "/point/integration-api/devices", "listDevices")
};

pub(crate) static CHANGE_DEVICE: Endpoint = Endpoint {
    summary: "Change a terminal's operating mode",
    parameters: &[DEVICE_ID],
    request: Some(r#"{"operating_mode":"PDV"}"#),
    responses: &[
        answer(200, "The new mode.", Some(r#"{"operating_mode":"PDV"}"#)),
        answer(
            400,
            "The mode is missing or unknown.",
            Some(
                r#"{"cause":[],"error":"bad_request","message":"operating_mode is required","status":400}"#,
            ),
        ),
        UNAUTHORIZED,
        DEVICE_OWNER,
        TOO_LARGE,
        UNAVAILABLE,
    ],
    ..point("PATCH", "/point/integration-api/devices/{device_id}", "changeDevice")
};

pub(crate) static CREATE_INTENT: Endpoint = Endpoint {
    summary: "Queue a payment intent on a terminal",
    parameters: &[DEVICE_ID, IDEMPOTENCY_KEY],
    request: Some(
        r#"{"additional_info":{"external_reference":"4561ads-das4das4-das4754-das456","print_on_terminal":true,"ticket_number":"S0392JED"},"amount":1500}"#,
    ),
    responses: &[
        answer(
            201,
            "The intent is queued. Its amount has the two decimals inside. In Brazil it takes description and payment (type, installments, installments_cost, voucher_type) too, and no ticket_number comes back.",
            Some(
                r#"{"additional_info":{"external_reference":"4561ads-das4das4-das4754-das456","print_on_terminal":true,"ticket_number":"S0392JED"},"amount":1500,"device_id":"PAX_A910__SBX0000001","id":"7d8c70b6-2ac8-4c57-a441-c319088ca3ca"}"#,
            ),
        ),
        answer(
            400,
            "The body breaks a rule of the country.",
            Some(
                r#"{"cause":[],"error":"bad_request","message":"amount: Must be greater than or equal to 500","status":400}"#,
            ),
        ),
        UNAUTHORIZED,
        DEVICE_OWNER,
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
    ..point(
        "POST",
        "/point/integration-api/devices/{device_id}/payment-intents",
        "createPaymentIntent",
    )
};

pub(crate) static CANCEL_INTENT: Endpoint = Endpoint {
    summary: "Take back an intent that the terminal has not taken",
    parameters: &[DEVICE_ID, INTENT_ID],
    responses: &[
        answer(
            200,
            "The intent is cancelled.",
            Some(r#"{"id":"7d8c70b6-2ac8-4c57-a441-c319088ca3ca"}"#),
        ),
        UNAUTHORIZED,
        DEVICE_OWNER,
        INTENT_NOT_FOUND,
        answer(
            409,
            "The terminal has taken it; cancel it there.",
            Some(
                r#"{"cause":[],"error":"conflict","message":"The intent cannot be canceled. Verify if the intent is already being processed","status":409}"#,
            ),
        ),
        UNAVAILABLE,
    ],
    ..point(
        "DELETE",
        "/point/integration-api/devices/{device_id}/payment-intents/{payment_intent_id}",
        "cancelPaymentIntent",
    )
};

pub(crate) static READ_INTENT: Endpoint = Endpoint {
    summary: "A payment intent and its state",
    parameters: &[INTENT_ID],
    responses: &[
        answer(
            200,
            "The intent. Read the payment to know whether it was approved.",
            Some(
                r#"{"additional_info":{"ticket_number":"123456789123456789"},"amount":600,"device_id":"PAX_A910__SBX0000001","id":"0aa0519d-d985-4e83-b62d-dda123456789","payment":{"id":"11123456789"},"state":"FINISHED"}"#,
            ),
        ),
        UNAUTHORIZED,
        INTENT_NOT_FOUND,
    ],
    ..point(
        "GET",
        "/point/integration-api/payment-intents/{payment_intent_id}",
        "readPaymentIntent",
    )
};

pub(crate) static INTENT_EVENT: Endpoint = Endpoint {
    summary: "What happened to a payment intent last, and when",
    parameters: &[INTENT_ID],
    responses: &[
        answer(
            200,
            "The state, and when it began.",
            Some(r#"{"created_on":"2026-03-02T14:05:09Z","status":"FINISHED"}"#),
        ),
        UNAUTHORIZED,
        INTENT_NOT_FOUND,
    ],
    ..point(
        "GET",
        "/point/integration-api/payment-intents/{payment_intent_id}/events",
        "readPaymentIntentEvent",
    )
};

pub(crate) static INTENT_EVENTS: Endpoint = Endpoint {
    summary: "What happened last to each of the payment intents of some days",
    parameters: &[
        Parameter {
            name: "startDate",
            place: Place::Query,
            required: true,
            description: "The first day, YYYY-MM-DD, in UTC.",
        },
        Parameter {
            name: "endDate",
            place: Place::Query,
            required: true,
            description: "The last day; at most 30 days after the first.",
        },
    ],
    responses: &[
        answer(
            200,
            "The intents that were made on these days, the newest first, without pages.",
            Some(
                r#"{"events":[{"created_on":"2026-03-02T14:05:09Z","payment_intent_id":"5d0f6d1e-5f0a-4a0b-8f3e-0c2b8f1d4a11","status":"FINISHED"},{"created_on":"2026-03-02T11:20:41Z","payment_intent_id":"1c1b7a3e-8f2c-4b0d-9b55-2f1f2a9f7b02","status":"ABANDONED"}]}"#,
            ),
        ),
        answer(
            400,
            "A day is missing, cannot be read, or the days are too far apart.",
            Some(
                r#"{"cause":[],"error":"bad_request","message":"startDate and/or endDate are missing or incorrect","status":400}"#,
            ),
        ),
        UNAUTHORIZED,
    ],
    ..point("GET", "/point/integration-api/payment-intents/events", "listPaymentIntentEvents")
};

pub(crate) static READ_INTEGRATORS: Endpoint = Endpoint {
    summary: "The webhook and the token that proves it",
    tag: "Webhook",
    responses: &[
        answer(
            200,
            "The token is the key of the challenge.",
            Some(
                r#"{"is_valid_webhook":false,"token":"0230abf9-79e9-493b-b288-32d123456789","webhook":""}"#,
            ),
        ),
        UNAUTHORIZED,
    ],
    ..point("GET", "/point/integration-api/integrators", "readIntegrators")
};

pub(crate) static SET_WEBHOOK: Endpoint = Endpoint {
    summary: "Set the webhook",
    tag: "Webhook",
    request: Some(r#"{"webhook":"http://127.0.0.1:9000/webhook"}"#),
    responses: &[
        answer(204, "Set; it has to be checked before anything is sent.", None),
        answer(
            400,
            "Not an address that may be called.",
            Some(
                r#"{"cause":[],"error":"bad_request","message":"webhook: Does not match format 'uri'","status":400}"#,
            ),
        ),
        UNAUTHORIZED,
        TOO_LARGE,
        UNAVAILABLE,
    ],
    ..point("PATCH", "/point/integration-api/integrators", "setWebhook")
};

pub(crate) static CHECK_WEBHOOK: Endpoint = Endpoint {
    summary: "Have the webhook prove itself",
    tag: "Webhook",
    responses: &[
        answer(204, "The webhook answered the challenge; notifications are sent.", None),
        answer(
            400,
            "No webhook is set, or it did not answer the challenge.",
            Some(
                r#"{"cause":[],"error":"bad_request","message":"The webhook could not be validated","status":400}"#,
            ),
        ),
        UNAUTHORIZED,
        UNAVAILABLE,
    ],
    ..point("POST", "/point/integration-api/integrators/check", "checkWebhook")
};

pub(crate) static READ_INTEGRATOR: Endpoint = Endpoint {
    summary: "How events of devices are told",
    tag: "Webhook",
    responses: &[
        answer(
            200,
            "The integrator. Whether signed notifications have an address, and further channels.",
            Some(
                r#"{"created_at":"2026-01-05T12:00:00Z","event_channel_devices":["email"],"id":1928030819,"notification_url_enabled":true,"updated_at":"2026-02-01T09:30:00Z"}"#,
            ),
        ),
        UNAUTHORIZED,
    ],
    ..point("GET", "/point/integration-api/integrator", "readIntegrator")
};

pub(crate) static CHANGE_INTEGRATOR: Endpoint = Endpoint {
    summary: "Change how events of devices are told",
    tag: "Webhook",
    request: Some(r#"{"event_channel_devices":["email"]}"#),
    responses: &[
        answer(204, "Changed.", None),
        answer(
            400,
            "Not a channel that there is.",
            Some(
                r#"{"cause":[],"error":"bad_request","message":"Notification channel is not allowed","status":400}"#,
            ),
        ),
        UNAUTHORIZED,
        TOO_LARGE,
        UNAVAILABLE,
    ],
    ..point("PATCH", "/point/integration-api/integrator", "changeIntegrator")
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sound() {
        let all = [
            &LIST_DEVICES,
            &CHANGE_DEVICE,
            &CREATE_INTENT,
            &CANCEL_INTENT,
            &READ_INTENT,
            &INTENT_EVENT,
            &INTENT_EVENTS,
            &CREATE_REFUND_INTENT,
            &CANCEL_REFUND_INTENT,
            &READ_REFUND_INTENT,
            &READ_INTEGRATORS,
            &SET_WEBHOOK,
            &CHECK_WEBHOOK,
            &READ_INTEGRATOR,
            &CHANGE_INTEGRATOR,
            &SEARCH_PAYMENTS,
            &READ_PAYMENT,
            &CREATE_REFUND,
            &LIST_REFUNDS,
            &READ_REFUND,
            &MAKE_TEST_USER,
            &MAKE_DESCRIBED_TEST_USER,
            &READ_ME,
            &TOKEN,
        ];
        let faults = cobro_surface::endpoint::faults(&all);
        assert!(faults.is_empty(), "{faults:?}");
    }
}
