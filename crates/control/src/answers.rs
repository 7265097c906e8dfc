//! What the descriptions of the calls share: examples, parameters and refusals.

use cobro_surface::endpoint::{Endpoint, Parameter, Place, Response, Security};

/// The group of calls in the reference.
pub(crate) const TAG: &str = "control";

/// Selects the world.
pub(crate) const WORLD: Parameter = Parameter {
    name: "Cobro-World",
    place: Place::Header,
    required: false,
    description: "The id of the world; the demo world without it",
};

/// Where a page begins.
pub(crate) const CURSOR: Parameter = Parameter {
    name: "cursor",
    place: Place::Query,
    required: false,
    description: "The member next of the page before",
};

/// How long a page is.
pub(crate) const LIMIT: Parameter = Parameter {
    name: "limit",
    place: Place::Query,
    required: false,
    description: "How many rows, 1 to 1000; 50 unless told",
};

/// What a list takes.
pub(crate) const LIST: &[Parameter] = &[WORLD, CURSOR, LIMIT];

/// What most calls take.
pub(crate) const ONE: &[Parameter] = &[WORLD];

/// A call without a body about one world.
pub(crate) const fn call(method: &'static str, path: &'static str, id: &'static str) -> Endpoint {
    Endpoint {
        method,
        path,
        id,
        summary: "",
        tag: TAG,
        security: Security::None,
        parameters: ONE,
        request: None,
        responses: &[],
    }
}

/// What a call answers that reads, by status: its own, and what every such call may be answered.
macro_rules! read_responses {
    ($($own:expr),+ $(,)?) => {{
        use $crate::answers::{FAULT, REFUSED, UNAVAILABLE, UNKNOWN, by_status};
        &by_status([$($own,)+ REFUSED, UNKNOWN, FAULT, UNAVAILABLE])
    }};
}

/// The same of one whose query may be wrong.
macro_rules! list_responses {
    ($($own:expr),+ $(,)?) => {
        $crate::answers::read_responses![$($own,)+ $crate::answers::BAD]
    };
}

/// The same of one whose body may be wrong or too large.
macro_rules! write_responses {
    ($($own:expr),+ $(,)?) => {
        $crate::answers::list_responses![$($own,)+ $crate::answers::TOO_LARGE]
    };
}
pub(crate) use {list_responses, read_responses, write_responses};

/// Those of one status keep their order.
pub(crate) const fn by_status<const N: usize>(mut responses: [Response; N]) -> [Response; N] {
    let mut sorted = 1;
    while sorted < N {
        let mut place = sorted;
        while place > 0 && responses[place - 1].status > responses[place].status {
            responses.swap(place - 1, place);
            place -= 1;
        }
        sorted += 1;
    }
    responses
}

/// An answer with an example.
pub(crate) const fn answer(
    status: u16,
    description: &'static str,
    example: &'static str,
) -> Response {
    Response { status, description, example: Some(example) }
}

/// An answer without a body.
pub(crate) const GONE: Response = Response { status: 204, description: "Done", example: None };

/// What was sent is wrong.
pub(crate) const BAD: Response = answer(
    400,
    "The query or the body does not say what it should",
    r#"{"type":"about:blank","title":"Bad Request","status":400,"detail":"limit must be a number from 1 to 1000"}"#,
);

/// The caller may not call.
pub(crate) const REFUSED: Response = answer(
    403,
    "On a loopback address: a foreign Host, or a page of another site; elsewhere: no or a wrong token",
    r#"{"type":"about:blank","title":"Forbidden","status":403,"detail":"the request comes from a page of another origin"}"#,
);

/// Something that the call names is not there.
pub(crate) const UNKNOWN: Response = answer(
    404,
    "There is no such world, or not what the path or the body names",
    r#"{"type":"about:blank","title":"Not Found","status":404,"detail":"there is no such world","code":"not_found"}"#,
);

/// Its state does not allow it.
pub(crate) const CONFLICT: Response = answer(
    409,
    "The state of the terminal, the intent or the installation does not allow it",
    r#"{"type":"about:blank","title":"Conflict","status":409,"detail":"the terminal has not taken an intent","code":"nothing_taken"}"#,
);

/// The body is longer than is read.
pub(crate) const TOO_LARGE: Response = answer(
    413,
    "The body is longer than 1 MiB",
    r#"{"type":"about:blank","title":"Payload Too Large","status":413,"detail":"the body is too large"}"#,
);

/// It is clear and cannot be done.
pub(crate) const UNFIT: Response = answer(
    422,
    "What is asked for is clear and not possible",
    r#"{"type":"about:blank","title":"Unprocessable Entity","status":422,"detail":"the number is not that of a published test card"}"#,
);

/// Something inside is broken.
pub(crate) const FAULT: Response = answer(
    500,
    "Something inside is broken; the server's log says what",
    r#"{"type":"about:blank","title":"Internal Server Error","status":500,"detail":"the call could not be done; the server's log says why","code":"fault"}"#,
);

/// The store does not answer.
pub(crate) const UNAVAILABLE: Response = answer(
    503,
    "The store has no answer",
    r#"{"type":"about:blank","title":"Service Unavailable","status":503,"detail":"the call could not be done; the server's log says why","code":"store"}"#,
);

/// The acquirer's answer is not known yet.
pub(crate) const UNANSWERED: Response = answer(
    504,
    "The try was cut off; the terminal tells later what became of it",
    r#"{"type":"about:blank","title":"Gateway Timeout","status":504,"detail":"the outcome is not known yet","code":"unanswered"}"#,
);

/// A terminal as an example.
pub(crate) const TERMINAL: &str = r#"{"id":"PAX_A910__SBX0000001","dialect":"mercadopago","merchant":"100000001","merchant_name":"Tienda Demo","model":"PAX_A910","operating_mode":"PDV","online":true,"cashier":null,"b2b_transactions":null,"autopilot":null,"paper":true,"currency":"ARS","currency_exponent":2,"intent":{"id":"0197a000-0000-4000-8000-000000000001","state":"OPEN","phase":"open","amount_minor":1500,"currency":"ARS"},"pending":[{"id":"0197a000-0000-4000-8000-000000000001","state":"OPEN","phase":"open","amount_minor":1500,"currency":"ARS"}],"last":{"intent":{"id":"0197a000-0000-4000-8000-000000000000","state":"FINISHED","phase":"finished","amount_minor":900,"currency":"ARS"},"outcome":"approved","reason":null,"payment":{"id":"11234567890","authorization_code":"301299","card":{"brand":"visa","last_digits":"0001","type":"credit","entry":"tap"}},"print":true,"ticket":"S0392JED","at":"2026-11-20T10:00:00Z"}}"#;

/// What may be missing from a terminal.
pub(crate) const TERMINAL_FORMS: Response = Response::also(
    200,
    r#"[{"intent":null,"last":null,"cashier":"caja1@tienda.example","b2b_transactions":true,"autopilot":{"enabled":true,"delay_ms":1500,"card":"5031433215406351"}},{"autopilot":{"card":null}},{"last":{"payment":null,"reason":"cc_rejected_other_reason"}},{"last":{"payment":{"authorization_code":null}}},{"last":{"ticket":null}}]"#,
);

/// What may be missing from an outcome.
pub(crate) const OUTCOME_FORMS: Response = Response::also(
    200,
    r#"[{"intent":null,"payment":null,"reason":"cc_rejected_other_reason","session":{"request_id":9001,"status":"APPROVED"}}]"#,
);

/// An outcome as an example.
pub(crate) const OUTCOME: &str = r#"{"outcome":"approved","reason":null,"intent":{"id":"0197a000-0000-4000-8000-000000000001","state":"FINISHED"},"session":null,"payment":{"id":"11234567890"}}"#;
