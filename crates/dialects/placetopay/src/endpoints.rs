//! The endpoint table: what the router serves and what the API document says.

use cobro_surface::endpoint::{Endpoint, Parameter, Place, Response, Security};

/// What the samples have in common; each is a part of a text for `concat!`.
macro_rules! auth {
    () => {
        r#""auth":{"login":"c0b70000000000000000000000000001","tranKey":"WW2UDml9+oY1oqT++fSFLWB8mPwJBH9R4qZboE3gZnc=","nonce":"bm9uY2UtMDAwMQ==","seed":"2026-03-04T05:06:07-05:00"}"#
    };
}

macro_rules! status {
    ($status:literal, $reason:literal, $message:literal) => {
        concat!(
            r#""status":{"status":""#,
            $status,
            r#"","reason":""#,
            $reason,
            r#"","message":""#,
            $message,
            r#"","date":"2026-03-04T05:06:09-05:00"}"#
        )
    };
}

/// The body of a refusal.
macro_rules! failed {
    ($reason:literal, $message:literal) => {
        concat!("{", status!("FAILED", $reason, $message), "}")
    };
}

/// What a session was asked for.
macro_rules! request {
    () => {
        r#""request":{"locale":"es_CO","payer":{"document":"1040099001","documentType":"CC","name":"Rosa","surname":"Lemus","email":"rosa@example.org"},"payment":{"reference":"CUOTA-0007","description":"Cuota 7","amount":{"currency":"COP","total":45900},"allowPartial":false,"subscribe":false},"returnUrl":"https://shop.example.org/back","ipAddress":"203.0.113.9","userAgent":"Tienda/1.0","expiration":"2026-03-04T05:36:08-05:00"}"#
    };
}

macro_rules! transaction {
    ($number:literal) => {
        concat!(
            "{",
            status!("APPROVED", "00", "Aprobada"),
            r#","internalReference":"#,
            $number,
            r#","paymentMethod":"visa","paymentMethodName":"Visa","issuerName":"JPMORGAN CHASE BANK, N.A.","amount":{"from":{"currency":"COP","total":45900},"to":{"currency":"COP","total":45900},"factor":1},"authorization":"418207","reference":"CUOTA-0007","receipt":"606305061201","franchise":"CR_VS","refunded":false,"processorFields":[{"keyword":"lastDigits","value":"1111","displayOn":"none"}]}"#
        )
    };
}

/// The answers of a call: its own, and those that every call may be given.
macro_rules! responses {
    ($($own:expr),+ $(,)?) => {
        &[$($own,)+ UNAUTHORIZED, TOO_LARGE, UNAVAILABLE]
    };
}

const REQUEST_ID: Parameter = Parameter {
    name: "request_id",
    place: Place::Path,
    required: true,
    description: "The session, as `requestId` of its answer.",
};

const fn answer(status: u16, description: &'static str, example: &'static str) -> Response {
    Response { status, description, example: Some(example) }
}

const UNAUTHORIZED: Response = answer(
    401,
    "The authentication failed; the last word of the message says why.",
    r#"{"status":{"status":"FAILED","reason":401,"message":"Autenticación fallida 102","date":"2026-03-04T05:06:09-05:00"}}"#,
);

const NO_SESSION: Response = answer(
    404,
    "The session does not exist or is another site's.",
    failed!("request_not_valid", "No existe la sesión que busca"),
);

const TOO_LARGE: Response = answer(
    413,
    "The body is larger than 1 MiB.",
    failed!("request_not_valid", "La petición es demasiado grande"),
);

const UNAVAILABLE: Response = answer(
    503,
    "The server is too busy, or the acquirer does not answer.",
    failed!("XH", "El servicio no está disponible, intente de nuevo"),
);

const SESSION_FORMS: Response = Response::also(
    200,
    r#"[{"payment":null,"subscription":null},{"subscription":{"instrument":[{"value":null}]}},{"payment":[{"authorization":null,"receipt":null,"issuerName":null,"franchise":null,"processorFields":[{"value":1},{"value":null}]}]}]"#,
);

const TRANSACTION_FORMS: Response = Response::also(
    200,
    r#"[{"payment":null},{"payment":{"authorization":null,"receipt":null,"issuerName":null,"franchise":null,"processorFields":[{"value":1},{"value":null}]}}]"#,
);

const fn checkout(path: &'static str, id: &'static str) -> Endpoint {
    Endpoint {
        method: "POST",
        path,
        id,
        summary: "",
        tag: "Sessions",
        security: Security::Body,
        parameters: &[],
        request: None,
        responses: &[],
    }
}

pub(crate) static CREATE_SESSION: Endpoint = Endpoint {
    summary: "Make a session, and the address of its page",
    tag: "Sessions",
    request: Some(concat!(
        r#"{"locale":"es_CO","#,
        auth!(),
        r#","payment":{"reference":"CUOTA-0007","description":"Cuota 7","amount":{"currency":"COP","total":45900}},"returnUrl":"https://shop.example.org/back","ipAddress":"203.0.113.9","userAgent":"Mozilla/5.0"}"#
    )),
    responses: responses![
        answer(
            200,
            "The session.",
            concat!(
                "{",
                status!("OK", "PC", "La petición se ha procesado correctamente"),
                r#","requestId":9001,"processUrl":"http://127.0.0.1:7070/spa/session/9001/5d0f3c0c6fd44a61b6f2a6ff6f6a0c11"}"#
            ),
        ),
        answer(
            400,
            "The request breaks a rule.",
            failed!("request_not_valid", "El campo payment.reference es obligatorio."),
        )
    ],
    ..checkout("/api/session", "createSession")
};

pub(crate) static QUERY_SESSION: Endpoint = Endpoint {
    summary: "What became of a session, or of a collect",
    tag: "Sessions",
    parameters: &[REQUEST_ID],
    request: Some(concat!("{", auth!(), "}")),
    responses: responses![
        answer(
            200,
            "The session. Its transactions are listed with the newest first.",
            concat!(
                r#"{"requestId":9001,"#,
                status!("APPROVED", "00", "La petición ha sido aprobada exitosamente"),
                ",",
                request!(),
                r#","payment":["#,
                transaction!(550071),
                r#"],"subscription":{"type":"token","#,
                status!("OK", "00", "La petición se ha procesado correctamente"),
                r#","instrument":[{"keyword":"token","value":"73b830ab65384d87b04380fd93568dd4d5b272430fb730a1b9a3c82c6b71042f","displayOn":"none"},{"keyword":"subtoken","value":"9912046190371111","displayOn":"none"}]}}"#
            ),
        ),
        SESSION_FORMS,
        NO_SESSION
    ],
    ..checkout("/api/session/{request_id}", "querySession")
};

pub(crate) static CANCEL_SESSION: Endpoint = Endpoint {
    summary: "Take a pending session back",
    tag: "Sessions",
    parameters: &[REQUEST_ID],
    request: Some(concat!("{", auth!(), "}")),
    responses: responses![
        answer(
            200,
            "The session is cancelled.",
            concat!(
                "{",
                status!("OK", "PC", "La petición se ha procesado correctamente"),
                r#","session":{"requestId":9001,"#,
                status!("APPROVED", "00", "La petición ha sido aprobada exitosamente"),
                ",",
                request!(),
                r#","payment":null,"subscription":null}}"#
            ),
        ),
        Response::also(200, r#"[{"session":{"payment":[],"subscription":{}}}]"#),
        answer(
            400,
            "The session is not pending.",
            failed!(
                "action_not_allowed",
                "No se pueden cancelar sesiones que no están pendientes."
            ),
        ),
        NO_SESSION
    ],
    ..checkout("/api/session/{request_id}/cancel", "cancelSession")
};

pub(crate) static COLLECT: Endpoint = Endpoint {
    summary: "Charge a stored card without its holder",
    tag: "Tokens",
    request: Some(concat!(
        r#"{"locale":"es_CO","#,
        auth!(),
        r#","payer":{"document":"1040099001","documentType":"CC","name":"Rosa","surname":"Lemus","email":"rosa@example.org"},"payment":{"reference":"CUOTA-0007","description":"Cuota 7","amount":{"currency":"COP","total":45900}},"instrument":{"token":{"token":"73b830ab65384d87b04380fd93568dd4d5b272430fb730a1b9a3c82c6b71042f","installments":1}},"ipAddress":"203.0.113.9","userAgent":"Tienda/1.0"}"#
    )),
    responses: responses![
        answer(
            200,
            "The charge: approved, rejected or pending.",
            concat!(
                r#"{"requestId":9001,"#,
                status!("APPROVED", "00", "La petición ha sido aprobada exitosamente"),
                ",",
                request!(),
                r#","payment":["#,
                transaction!(550071),
                r#"],"subscription":null}"#
            ),
        ),
        SESSION_FORMS,
        answer(
            400,
            "The request breaks a rule, or the token cannot be used.",
            failed!("XN", "El token usado es inválido"),
        )
    ],
    ..checkout("/api/collect", "collect")
};

pub(crate) static INVALIDATE: Endpoint = Endpoint {
    summary: "Make a token unusable",
    tag: "Tokens",
    request: Some(concat!(
        r#"{"locale":"es_CO","#,
        auth!(),
        r#","instrument":{"token":{"token":"73b830ab65384d87b04380fd93568dd4d5b272430fb730a1b9a3c82c6b71042f"}}}"#
    )),
    responses: responses![
        answer(
            200,
            "Token and subtoken stopped working.",
            concat!(
                "{",
                status!("APPROVED", "00", "La petición ha sido aprobada exitosamente"),
                "}"
            ),
        ),
        answer(
            400,
            "The token is unknown, or was invalidated before.",
            failed!("XN", "El token usado es inválido"),
        )
    ],
    ..checkout("/api/instrument/invalidate", "invalidateInstrument")
};

pub(crate) static REVERSE: Endpoint = Endpoint {
    summary: "Give money back, as a whole or in part",
    tag: "Transactions",
    request: Some(concat!(
        "{",
        auth!(),
        r#","internalReference":"550071","amount":{"currency":"COP","total":45900}}"#
    )),
    responses: responses![
        answer(
            200,
            "The refund, a transaction of its own.",
            concat!(
                "{",
                status!("APPROVED", "00", "Aprobada"),
                r#","payment":"#,
                transaction!(1173741824),
                "}"
            ),
        ),
        TRANSACTION_FORMS,
        answer(
            400,
            "The transaction cannot be given back.",
            failed!("BR", "La transacción ya ha sido reembolsada"),
        )
    ],
    ..checkout("/api/reverse", "reverse")
};

pub(crate) static TRANSACTION: Endpoint = Endpoint {
    summary: "Capture, change, reverse, confirm or drop a transaction",
    tag: "Transactions",
    request: Some(concat!(
        "{",
        auth!(),
        r#","action":"checkout","internalReference":550071,"amount":{"currency":"COP","total":45900}}"#
    )),
    responses: responses![
        answer(
            200,
            "The transaction.",
            concat!(
                "{",
                status!("APPROVED", "00", "Aprobada"),
                r#","payment":"#,
                transaction!(550071),
                "}"
            ),
        ),
        TRANSACTION_FORMS,
        answer(
            400,
            "The action is not possible.",
            failed!(
                "request_not_valid",
                "La acción [checkout] no está soportada para esta transacción"
            ),
        )
    ],
    ..checkout("/api/transaction", "actOnTransaction")
};

pub(crate) static GATEWAY_TOKEN: Endpoint = Endpoint {
    summary: "Look a token or subtoken up",
    tag: "Tokens",
    request: Some(concat!(
        "{",
        auth!(),
        r#","instrument":{"token":{"subtoken":"9912046190371111"}}}"#
    )),
    responses: responses![
        answer(
            200,
            "The token.",
            concat!(
                "{",
                status!("OK", "PC", "La petición se ha procesado correctamente"),
                r#","data":{"id":120461903,"type":"card","token":"73b830ab65384d87b04380fd93568dd4d5b272430fb730a1b9a3c82c6b71042f","subtoken":"9912046190371111","franchise":"visa","franchiseName":"Visa","issuerName":"JPMORGAN CHASE BANK, N.A.","lastDigits":"1111","validUntil":"12/29","owner":"ROSA LEMUS","bin":"411111","accountType":null}}"#
            ),
        ),
        Response::also(
            200,
            r#"[{"data":{"accountType":"CR","issuerName":null,"franchise":null,"franchiseName":null}}]"#,
        ),
        answer(400, "The token is unknown.", failed!("XN", "El token usado es inválido"),)
    ],
    ..checkout("/api/gateway/token", "lookUpToken")
};

pub(crate) static GATEWAY_INFORMATION: Endpoint = Endpoint {
    summary: "What a card or a token needs",
    tag: "Tokens",
    request: Some(concat!(
        "{",
        auth!(),
        r#","instrument":{"token":{"token":"73b830ab65384d87b04380fd93568dd4d5b272430fb730a1b9a3c82c6b71042f","installments":1}},"payment":{"reference":"CUOTA-0007","description":"Cuota 7","amount":{"currency":"COP","total":45900}}}"#
    )),
    responses: responses![
        answer(
            200,
            "What it needs.",
            concat!(
                "{",
                status!("OK", "PC", "La petición se ha procesado correctamente"),
                r#","provider":"SANDBOX","franchise":"visa","requireOtp":false,"requireCvv2":true,"credits":[]}"#
            ),
        ),
        answer(400, "The card or token is unknown.", failed!("XN", "El token usado es inválido"),)
    ],
    ..checkout("/api/gateway/information", "readInformation")
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sound() {
        let all = [
            &CREATE_SESSION,
            &QUERY_SESSION,
            &CANCEL_SESSION,
            &COLLECT,
            &INVALIDATE,
            &REVERSE,
            &TRANSACTION,
            &GATEWAY_TOKEN,
            &GATEWAY_INFORMATION,
        ];
        let faults = cobro_surface::endpoint::faults(&all);
        assert!(faults.is_empty(), "{faults:?}");
    }
}
