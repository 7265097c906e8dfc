//! The descriptions of the endpoints that shops call: payments, card tokens, refunds, transactions
//! and payment links.

use cobro_surface::endpoint::{Endpoint, Parameter, Place, Response};

use crate::endpoints::{CODED_TOO_LARGE, CODED_UNAUTHORIZED, answer, endpoint};

const PAYMENTS: &str = "Payments";
const REFUNDS: &str = "Refunds";
const LINKS: &str = "Payment links";
const TRANSACTIONS: &str = "Transactions";

const PAYMENT: &str = r##"{"id":"0197a000-0000-4000-8000-000000000010","amount":1200.0,"tip_amount":100.0,"amount_refunded":0.5,"installment_amount":433.33,"installments":3,"capture_method":"automatic","net_amount":1200.0,"paid_amount":1300.0,"captured_amount":1300.0,"binary_mode":false,"approved_at":"2026-11-20T17:24:12.591424000Z","country":"MX","currency":"MXN","description":"Orden 1042","external_reference":"orden-1042","customer":{"address":{"city":"Benito Juárez","colony":"Del Valle","country":"MX","number":"12","postal_code":"03100","state":"CDMX","street":"Amores"},"description":"","email":"ana@example.com","first_name":"Ana","identification":{"id":"LOPA900101","type":"CURP"},"last_name":"López","phone":"5512345678"},"payment_method":{"id":"master","type":"credit_card","card":{"bin":"517713","issuer":"SANTANDER MEXICO","name":"Ana López","country":"MX","last_digits":"4515","exp_year":"35","exp_month":"12"},"token":"0197a000-0000-4000-8000-000000000011"},"pending_action":{},"receipt_no":"IC3mzA8","refunds":[],"statement_descriptor":"","status":"approved","status_detail":{"code":"AP-PAI01","message":"paid"},"metadata":{},"return_url":"","webhook_url":"","created_at":"2026-11-20T17:24:11.200000000Z","version":1}"##;

const WAITING: &str = r##"{"id":"0197a000-0000-4000-8000-000000000010","amount":1200.0,"tip_amount":100.0,"amount_refunded":0.5,"installment_amount":433.33,"installments":3,"capture_method":"automatic","net_amount":1200.0,"paid_amount":1300.0,"captured_amount":0.5,"binary_mode":false,"approved_at":"2026-11-20T17:24:12.591424000Z","country":"MX","currency":"MXN","description":"Orden 1042","external_reference":"orden-1042","customer":{"address":{"city":"Benito Juárez","colony":"Del Valle","country":"MX","number":"12","postal_code":"03100","state":"CDMX","street":"Amores"},"description":"","email":"ana@example.com","first_name":"Ana","identification":{"id":"LOPA900101","type":"CURP"},"last_name":"López","phone":"5512345678"},"payment_method":{"id":"master","type":"credit_card","card":{"bin":"517713","issuer":"SANTANDER MEXICO","name":"Ana López","country":"MX","last_digits":"4515","exp_year":"35","exp_month":"12"},"token":"0197a000-0000-4000-8000-000000000011"},"pending_action":{"type":"open_modal","url":"http://127.0.0.1:7070/spa/session/1/0197a0000000400080000000000000aa"},"receipt_no":"IC3mzA8","refunds":[],"statement_descriptor":"","status":"pending","status_detail":{"code":"PE-3DS01","message":"Waiting 3ds"},"metadata":{},"return_url":"","webhook_url":"","created_at":"2026-11-20T17:24:11.200000000Z","version":1}"##;

const PAYMENT_REQUEST: &str = r##"{"amount":1200.5,"tip_amount":100.5,"currency":"MXN","description":"Orden 1042","external_reference":"orden-1042","installments":3,"capture_method":"automatic","binary_mode":false,"payment_method":{"token":"0197a000-0000-4000-8000-000000000011"},"customer":{"first_name":"Ana","last_name":"López","email":"ana@example.com","phone":"5512345678"},"prevention_data":{"request_3ds":false},"metadata":{},"webhook_url":"https://shop.example/clip","return_url":"https://shop.example/gracias"}"##;

const PAYMENT_LIST: &str = r##"{"pages":{"size":50,"number":1,"total":1,"total_results":1},"results":[{"id":"0197a000-0000-4000-8000-000000000010","amount":1200.0,"tip_amount":100.0,"amount_refunded":0.5,"installment_amount":433.33,"installments":3,"capture_method":"automatic","net_amount":1200.0,"paid_amount":1300.0,"captured_amount":1300.0,"binary_mode":false,"approved_at":"2026-11-20T17:24:12.591424000Z","country":"MX","currency":"MXN","description":"Orden 1042","external_reference":"orden-1042","customer":{"address":{"city":"Benito Juárez","colony":"Del Valle","country":"MX","number":"12","postal_code":"03100","state":"CDMX","street":"Amores"},"description":"","email":"ana@example.com","first_name":"Ana","identification":{"id":"LOPA900101","type":"CURP"},"last_name":"López","phone":"5512345678"},"payment_method":{"id":"master","type":"credit_card","card":{"bin":"517713","issuer":"SANTANDER MEXICO","name":"Ana López","country":"MX","last_digits":"4515","exp_year":"35","exp_month":"12"},"token":"0197a000-0000-4000-8000-000000000011"},"pending_action":{},"receipt_no":"IC3mzA8","refunds":[],"statement_descriptor":"","status":"approved","status_detail":{"code":"AP-PAI01","message":"paid"},"metadata":{},"return_url":"","webhook_url":"","created_at":"2026-11-20T17:24:11.200000000Z","version":1}]}"##;

const TRANSACTION_LIST: &str = r##"{"items":[{"receipt_no":"IC3mzA8","created_at":"2026-11-20T17:24:11Z","location":{"longitude":"0","latitude":"0"},"user_email":"caja1@cafecentral.example","status":"Paid","payment_method":"CREDIT","sub_type":"EMV_SIGNATURE","card":{"brand":"MC","issuer":"SANTANDER MEXICO","last4":"4515"},"currency":"MXN","terms":null,"amount":"150.00","tip":"0.00","total":"150.00","merchant_invoice":""}],"query":{"pagination_token":"","limit":"20","from":"2026-11-01T00:00:00Z","to":"2026-11-20T00:00:00Z"},"meta":{"pagination_token":"","limit":"20","from":"2026-11-01T00:00:00Z","to":"2026-11-20T00:00:00Z","item_type":"Payment"},"response_messages":[]}"##;

const RECEIPT: &str = r##"{"query":{"receipt_no":"IC3mzA8"},"meta":{"item_type":"payment"},"item":{"receipt_no":"IC3mzA8","created_at":"2026-11-20T17:24:11Z","location":{"longitude":0.5,"latitude":0.5},"user_email":"caja1@cafecentral.example","status":"Paid","payment_method":"CREDIT","sub_type":"EMV_SIGNATURE","card":{"brand":"MC","issuer":"SANTANDER MEXICO","last4":"4515"},"currency":"MXN","terms":null,"amount":150.0,"tip":0.5,"total":150.0,"merchant_invoice":""},"response_messages":[]}"##;

const REFUND: &str = r##"{"id":"0197a000-0000-4000-8000-000000000012","status":"approved","status_message":"Refunded. Merchant initiated.","amount":50.5,"receipt_no":"9vcLT53","created_at":"2026-11-21T18:09:13Z","currency":"MXN","reference":{"type":"payment","id":"0197a000-0000-4000-8000-000000000010"},"reason":"Producto dañado"}"##;

const LINK: &str = r##"{"payment_request_id":"0197a000-0000-4000-8000-000000000013","payment_request_url":"http://127.0.0.1:7070/spa/session/1/0197a0000000400080000000000000aa","object_type":"payment_link","status":"CHECKOUT_CREATED","amount":300.5,"currency":"MXN","purchase_description":"Orden 1042","receipt_no":null,"created_at":"2026-11-20T17:00:00Z","expires_at":"2026-11-23T17:00:00Z","metadata":{"me_reference_id":"orden-1042"}}"##;

/// The 400 of what is missing.
const MISSING: Response = answer(
    400,
    "Members are missing; each is named.",
    r#"{"error_code":"CL2200","message":"Unable to process the request. Required fields are missing.","detail":["payment_method.token is required"]}"#,
);

/// The 400 of what is wrong.
const WRONG: Response = answer(
    400,
    "Members break a rule; each is named.",
    r#"{"error_code":"CL2290","message":"Bad Request","detail":["amount must have at most 2 decimals"]}"#,
);

/// The 403 of payments, card tokens and refunds.
const FORBIDDEN: Response = answer(
    403,
    "The merchant may not do this.",
    r#"{"error_code":"CL1500","message":"Forbidden","detail":[]}"#,
);

/// The 404 of payments.
const UNKNOWN: Response = answer(
    404,
    "There is no such payment, or it is another merchant's.",
    r#"{"error_code":"BR1301","message":"Not found","detail":["payment not found"]}"#,
);

/// The 409 of what a payment's state does not allow.
const CONFLICT: Response = answer(
    409,
    "The payment's state does not allow it.",
    r#"{"error_code":"CL2290","message":"Conflict","detail":["a payment that is approved cannot take release"]}"#,
);

const fn query(name: &'static str, required: bool, description: &'static str) -> Parameter {
    Parameter { name, place: Place::Query, required, description }
}

pub(crate) static CREATE_PAYMENT: Endpoint = Endpoint {
    summary: "Charge a card token",
    request: Some(PAYMENT_REQUEST),
    responses: &[
        answer(201, "What became of it: approved, held or rejected.", PAYMENT),
        answer(201, "Its holder has to confirm it first.", WAITING),
        MISSING,
        WRONG,
        CODED_UNAUTHORIZED,
        FORBIDDEN,
        CODED_TOO_LARGE,
    ],
    ..endpoint("POST", "/payments", "createPayment", PAYMENTS)
};

pub(crate) static LIST_PAYMENTS: Endpoint = Endpoint {
    summary: "List payments by date; with the query of the transactions API, its list",
    parameters: &[
        query("from", true, "The first moment, in ISO 8601"),
        query("to", true, "The last moment, in ISO 8601"),
        query("size", false, "How many a page has: 50 unless told, 100 at most"),
        query("number", false, "Which page, from 1; `page` is read as well"),
        query("limit", false, "Transactions: how many a page has, 20 unless told"),
        query("status", false, "Transactions: `paid` or `cancelled`"),
        query("last4", false, "Transactions: the last digits of the card"),
        query("pagination_token", false, "Transactions: where the page begins"),
    ],
    responses: &[
        answer(200, "A page of payments, the newest first.", PAYMENT_LIST),
        answer(200, "A page of transactions, the newest first.", TRANSACTION_LIST),
        Response::also(200, r#"[{"items":[{"terms":"3"}]}]"#),
        MISSING,
        WRONG,
        answer(
            400,
            "Transactions: the question breaks a rule.",
            r##"{"items":[],"query":{"pagination_token":"","limit":"20","from":"2026-11-01T00:00:00Z","to":"2026-11-20T00:00:00Z"},"meta":{"pagination_token":"","limit":"20","from":"2026-11-01T00:00:00Z","to":"2026-11-20T00:00:00Z","item_type":"Payment"},"response_messages":[{"severity":"error","code":"payclip.bad.request","text":"bad request"}]}"##,
        ),
        CODED_UNAUTHORIZED,
        NO_TRANSACTIONS,
        FORBIDDEN,
        FORBIDDEN_TRANSACTIONS,
    ],
    ..endpoint("GET", "/payments", "listPayments", PAYMENTS)
};

pub(crate) static READ_PAYMENT: Endpoint = Endpoint {
    summary: "Read a payment",
    responses: &[answer(200, "The payment.", PAYMENT), CODED_UNAUTHORIZED, FORBIDDEN, UNKNOWN],
    ..endpoint("GET", "/payments/{id}", "readPayment", PAYMENTS)
};

pub(crate) static CAPTURE_PAYMENT: Endpoint = Endpoint {
    summary: "Take money that is held, all of it or less",
    request: Some(r#"{"amount":60.5}"#),
    responses: &[
        answer(200, "The payment.", PAYMENT),
        WRONG,
        CODED_UNAUTHORIZED,
        FORBIDDEN,
        UNKNOWN,
        CONFLICT,
        CODED_TOO_LARGE,
    ],
    ..endpoint("POST", "/payments/{id}/capture", "capturePayment", PAYMENTS)
};

pub(crate) static CANCEL_PAYMENT: Endpoint = Endpoint {
    summary: "Let money go that is held, or take back what waits for its holder",
    responses: &[
        answer(200, "The payment.", PAYMENT),
        CODED_UNAUTHORIZED,
        FORBIDDEN,
        UNKNOWN,
        CONFLICT,
        CODED_TOO_LARGE,
    ],
    ..endpoint("POST", "/payments/{id}/cancel", "cancelPayment", PAYMENTS)
};

pub(crate) static CREATE_PAYMENT_SINGULAR: Endpoint =
    with_path(&CREATE_PAYMENT, "/payment", "createPaymentSingular");

pub(crate) static LIST_PAYMENTS_SINGULAR: Endpoint =
    with_path(&LIST_PAYMENTS, "/payment", "listPaymentsSingular");

pub(crate) static READ_PAYMENT_SINGULAR: Endpoint =
    with_path(&READ_PAYMENT, "/payment/{id}", "readPaymentSingular");

/// The same under another path.
const fn with_path(endpoint: &Endpoint, path: &'static str, id: &'static str) -> Endpoint {
    Endpoint { path, id, ..*endpoint }
}

/// The 401 of transactions.
const NO_TRANSACTIONS: Response = answer(
    401,
    "Transactions: the credential is missing or unknown.",
    r#"{"response_messages":[{"severity":"error","code":"payclip.unauthorized","text":"Unauthorized"}]}"#,
);

/// The 403 of transactions.
const FORBIDDEN_TRANSACTIONS: Response = answer(
    403,
    "Transactions: the merchant may not do this.",
    r#"{"response_messages":[{"severity":"error","code":"payclip.forbidden","text":"Forbidden"}]}"#,
);

pub(crate) static READ_TRANSACTION: Endpoint = Endpoint {
    summary: "Read a payment by its receipt number",
    responses: &[
        answer(200, "The payment, as its receipt says.", RECEIPT),
        Response::also(200, r#"[{"item":{"terms":"3"}}]"#),
        NO_TRANSACTIONS,
        FORBIDDEN_TRANSACTIONS,
        answer(
            404,
            "There is no such receipt; `query` is there all the same.",
            r##"{"query":{"receipt_no":"5mUV5Dt"},"meta":null,"item":null,"response_messages":[{"severity":"Error","code":"payclip.not.found","text":"Could not find the receipt no."}]}"##,
        ),
    ],
    ..endpoint("GET", "/payments/receipt-no/{receipt_no}", "readTransaction", TRANSACTIONS)
};

pub(crate) static CREATE_CARD_TOKEN: Endpoint = Endpoint {
    summary: "Exchange a card for a token, good for one payment within 15 minutes",
    request: Some(
        r##"{"cardholder_name":"Ana López","card_number":"5177136199824515","card_exp_month":"12","card_exp_year":"35","cvv":"123"}"##,
    ),
    responses: &[
        answer(
            201,
            "The token, and what may be known of its card.",
            r##"{"id":"0197a000-0000-4000-8000-000000000011","card":{"bin":"517713","last_digits":"4515","exp_month":"12","exp_year":"35","name":"Ana López","country":"MX","issuer":"SANTANDER MEXICO"},"created_at":"2026-11-20T17:20:00Z","expires_at":"2026-11-20T17:35:00Z"}"##,
        ),
        MISSING,
        WRONG,
        CODED_UNAUTHORIZED,
        FORBIDDEN,
        CODED_TOO_LARGE,
    ],
    ..endpoint("POST", "/card_tokens", "createCardToken", "Card tokens")
};

pub(crate) static CREATE_REFUND: Endpoint = Endpoint {
    summary: "Give money back",
    parameters: &[Parameter {
        name: "idempotency-key",
        place: Place::Header,
        required: false,
        description: "The same key within a minute leads to the same refund",
    }],
    request: Some(
        r##"{"reference":{"type":"payment","id":"0197a000-0000-4000-8000-000000000010"},"amount":50.5,"reason":"Producto dañado"}"##,
    ),
    responses: &[
        answer(200, "The refund.", REFUND),
        MISSING,
        WRONG,
        CODED_UNAUTHORIZED,
        FORBIDDEN,
        answer(
            404,
            "There is no such payment (`AI1300`), or it was not approved (`AI1800`).",
            r#"{"error_code":"AI1300","message":"Not Found","detail":["Transaction ID not found."]}"#,
        ),
        answer(
            409,
            "It cannot be given back: `AI1801` to `AI1807` and `AI1400` say why.",
            r#"{"error_code":"AI1801","message":"Conflict","detail":["The refund amount is greater than the original."]}"#,
        ),
        CODED_TOO_LARGE,
    ],
    ..endpoint("POST", "/refunds", "createRefund", REFUNDS)
};

pub(crate) static CREATE_REFUND_SLASH: Endpoint =
    with_path(&CREATE_REFUND, "/refunds/", "createRefundSlash");

pub(crate) static READ_REFUND: Endpoint = Endpoint {
    summary: "Read a refund",
    responses: &[
        answer(200, "The refund.", REFUND),
        CODED_UNAUTHORIZED,
        FORBIDDEN,
        answer(
            404,
            "There is no such refund.",
            r#"{"error_code":"CL1301","message":"Not Found","detail":["Payment not found."]}"#,
        ),
    ],
    ..endpoint("GET", "/refunds/{id}", "readRefund", REFUNDS)
};

const NO_LINKS: Response = answer(
    401,
    "The credential is missing or unknown.",
    r#"{"message":"Unauthorized","code_message":"401","detail":[]}"#,
);

const FORBIDDEN_LINKS: Response = answer(
    403,
    "The merchant may not do this.",
    r#"{"message":"Forbidden","code_message":"403","detail":[]}"#,
);

const WRONG_LINK: Response = answer(
    400,
    "Members are missing or break a rule.",
    r#"{"message":"Bad Request","code_message":"002","detail":["amount is required"]}"#,
);

pub(crate) static CREATE_LINK: Endpoint = Endpoint {
    summary: "Make a payment link",
    request: Some(
        r##"{"amount":300.5,"currency":"MXN","purchase_description":"Orden 1042","redirection_url":{"success":"https://shop.example/gracias","error":"https://shop.example/error","default":"https://shop.example"},"metadata":{"me_reference_id":"orden-1042","customer_info":{"name":"Ana López","email":"ana@example.com","phone":"5512345678"}},"webhook_url":"https://shop.example/clip"}"##,
    ),
    responses: &[
        answer(200, "The link.", LINK),
        WRONG_LINK,
        NO_LINKS,
        FORBIDDEN_LINKS,
        answer(
            413,
            "The body is larger than 1 MiB.",
            r#"{"message":"Bad Request","code_message":"002","detail":["the body is too large"]}"#,
        ),
    ],
    ..endpoint("POST", "/v2/checkout", "createCheckout", LINKS)
};

pub(crate) static READ_LINK: Endpoint = Endpoint {
    summary: "Read a payment link",
    responses: &[
        answer(200, "The link.", LINK),
        Response::also(200, r#"[{"receipt_no":"IC3mzA8"}]"#),
        WRONG_LINK,
        NO_LINKS,
        FORBIDDEN_LINKS,
        answer(
            404,
            "There is no such link.",
            r#"{"message":"Not Found","code_message":"021","detail":[]}"#,
        ),
    ],
    ..endpoint("GET", "/v2/checkout/{payment_request_id}", "readCheckout", LINKS)
};

pub(crate) static CREATE_LINK_OLD: Endpoint =
    with_path(&CREATE_LINK, "/checkout", "createCheckoutOld");

pub(crate) static CREATE_LINK_OLD_SLASH: Endpoint =
    with_path(&CREATE_LINK, "/checkout/", "createCheckoutOldSlash");
