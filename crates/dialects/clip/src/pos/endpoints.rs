//! What this surface serves.

use cobro_surface::endpoint::{Endpoint, Parameter, Place, Response, Security};

use crate::endpoints::{TOO_LARGE, UNAUTHORIZED, answer, endpoint};

const TAG: &str = "Charges at terminals";

const KEY: Security = Security::Header("x-api-key");

const FORBIDDEN: Response =
    answer(403, "The merchant may not use this surface.", r#"{"message":"Forbidden"}"#);

const NOT_FOUND: Response = answer(404, "There is no such charge.", r#"{"message":"Not Found"}"#);

const CHARGE: &str = r#"{"paymentRequestId":"0197a000-0000-4000-8000-000000000001","transactionId":null,"merchantId":"0197a000-0000-4000-8000-000000000002","merchantToken":"0197a000-0000-4000-8000-000000000003","paymentRequestCode":"pTf84Kd","amount":180.5,"currency":"MXN","merchantInvoiceId":"mesa-7-cuenta-112","statusCode":1,"statusMsg":"PENDING","expiresAt":{"epochSecond":1763895600,"nano":0},"assignedUserId":"caja1@cafecentral.example","message":"Mesa 7","consumerEmail":null,"createdByUserId":null,"closedAt":null,"createdAt":{"epochSecond":1763809200,"nano":0},"updatedAt":{"epochSecond":1763809200,"nano":0}}"#;

/// What is not known of a charge yet, or was not told, is null.
const CHARGE_FORMS: Response = Response::also(
    200,
    r#"[{"transactionId":"0197a000-0000-4000-8000-000000000005","assignedUserId":null,"createdByUserId":"0197a000-0000-4000-8000-000000000004","closedAt":{"epochSecond":1763809260,"nano":0}}]"#,
);

const ID: Parameter = Parameter {
    name: "id",
    place: Place::Path,
    required: true,
    description: "The charge's `paymentRequestId` or `paymentRequestCode`.",
};

pub(super) static REGISTER: Endpoint = Endpoint {
    summary: "Register a charge for the merchant's terminals",
    security: KEY,
    request: Some(
        r#"{"amount":180.5,"assigned_user":"caja1@cafecentral.example","reference":"mesa-7-cuenta-112","user_id":"0197a000-0000-4000-8000-000000000004","message":"Mesa 7"}"#,
    ),
    responses: &[
        answer(
            200,
            "The charge is on the list.",
            r#"{"code":100,"description":"Transaction Device Saved Success","message":"Transaction Device Saved Success","amount":"180.50","payment_request_code":"pTf84Kd","payment_request_status":"PENDING","payment_request_id":"0197a000-0000-4000-8000-000000000001"}"#,
        ),
        answer(
            200,
            "The reference is another charge's, which is the one that is told of.",
            r#"{"code":101,"description":"Reference Already Exists","message":"Reference Already Exists","amount":"180.50","payment_request_code":"pTf84Kd","payment_request_status":"PENDING","payment_request_id":"0197a000-0000-4000-8000-000000000001"}"#,
        ),
        answer(400, "The request breaks a rule.", r#"{"message":"amount is required"}"#),
        UNAUTHORIZED,
        FORBIDDEN,
        TOO_LARGE,
    ],
    ..endpoint("POST", "/paymentrequest", "registerCharge", TAG)
};

pub(super) static LIST: Endpoint = Endpoint {
    summary: "List charges, the newest first, a thousand at most",
    security: KEY,
    parameters: &[Parameter {
        name: "assigned_user",
        place: Place::Query,
        required: false,
        description: "Only those for this person.",
    }],
    responses: &[
        answer(
            200,
            "The charges.",
            r#"{"transactions":[{"paymentRequestId":"0197a000-0000-4000-8000-000000000001","transactionId":"0197a000-0000-4000-8000-000000000005","merchantId":"0197a000-0000-4000-8000-000000000002","merchantToken":"0197a000-0000-4000-8000-000000000003","paymentRequestCode":"pTf84Kd","amount":180.5,"currency":"MXN","merchantInvoiceId":"mesa-7-cuenta-112","statusCode":2,"statusMsg":"COMPLETED","expiresAt":{"epochSecond":1763895600,"nano":0},"assignedUserId":"caja1@cafecentral.example","message":"Mesa 7","consumerEmail":null,"createdByUserId":null,"closedAt":{"epochSecond":1763809260,"nano":0},"createdAt":{"epochSecond":1763809200,"nano":0},"updatedAt":{"epochSecond":1763809260,"nano":0}}]}"#,
        ),
        Response::also(
            200,
            r#"[{"transactions":[{"transactionId":null,"assignedUserId":null,"createdByUserId":"0197a000-0000-4000-8000-000000000004","closedAt":null}]}]"#,
        ),
        UNAUTHORIZED,
        FORBIDDEN,
    ],
    ..endpoint("GET", "/paymentrequest", "listCharges", TAG)
};

pub(super) static READ: Endpoint = Endpoint {
    summary: "Read a charge (an extension: the provider has no such call)",
    security: KEY,
    parameters: &[ID],
    responses: &[
        answer(200, "The charge.", CHARGE),
        CHARGE_FORMS,
        UNAUTHORIZED,
        FORBIDDEN,
        NOT_FOUND,
    ],
    ..endpoint("GET", "/paymentrequest/{id}", "readCharge", TAG)
};

pub(super) static CANCEL: Endpoint = Endpoint {
    summary: "Take a charge off the list (an extension: the provider has no such call)",
    security: KEY,
    parameters: &[ID],
    responses: &[
        answer(200, "The charge, cancelled.", CHARGE),
        CHARGE_FORMS,
        UNAUTHORIZED,
        FORBIDDEN,
        NOT_FOUND,
        answer(
            409,
            "A terminal has taken the charge, or it is closed.",
            r#"{"message":"the charge is on a terminal"}"#,
        ),
    ],
    ..endpoint("DELETE", "/paymentrequest/{id}", "cancelCharge", TAG)
};
