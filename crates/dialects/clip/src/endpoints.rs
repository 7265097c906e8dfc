//! What the descriptions of the surfaces' endpoints have in common. Each surface describes its own
//! endpoints, beside their handlers.

use cobro_surface::endpoint::{Endpoint, Response, Security};

/// An answer with an example.
pub(crate) const fn answer(
    status: u16,
    description: &'static str,
    example: &'static str,
) -> Response {
    Response { status, description, example: Some(example) }
}

/// An endpoint of which only method, path, id and group are said yet.
pub(crate) const fn endpoint(
    method: &'static str,
    path: &'static str,
    id: &'static str,
    tag: &'static str,
) -> Endpoint {
    Endpoint {
        method,
        path,
        id,
        summary: "",
        tag,
        security: Security::Basic,
        parameters: &[],
        request: None,
        responses: &[],
    }
}

/// The 401 of the surfaces whose errors are a text alone.
pub(crate) const UNAUTHORIZED: Response =
    answer(401, "The credential is missing or unknown.", r#"{"message":"Unauthorized"}"#);

/// The 413 of the surfaces whose errors are a text alone.
pub(crate) const TOO_LARGE: Response =
    answer(413, "The body is larger than 1 MiB.", r#"{"message":"the body is too large"}"#);

/// The 401 of payments, card tokens and refunds.
pub(crate) const CODED_UNAUTHORIZED: Response = answer(
    401,
    "The credential is missing or unknown.",
    r#"{"error_code":"CL1501","message":"Unauthorized","detail":[]}"#,
);

/// The 413 of payments, card tokens and refunds.
pub(crate) const CODED_TOO_LARGE: Response = answer(
    413,
    "The body is larger than 1 MiB.",
    r#"{"error_code":"CL2290","message":"Bad Request","detail":["the body is too large"]}"#,
);
