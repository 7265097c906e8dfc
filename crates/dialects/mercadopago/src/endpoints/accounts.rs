//! Users and tokens.

use cobro_surface::endpoint::{Endpoint, Response, Security};

use super::{TOO_LARGE, UNAUTHORIZED, UNAVAILABLE, answer, point};

const LIMIT: Response = answer(
    400,
    "There are ten already.",
    Some(
        r#"{"cause":[],"error":"bad_request","message":"You have reached the limit of 10 test users","status":400}"#,
    ),
);

const NOT_ALLOWED: Response = answer(
    403,
    "The caller is a test user itself.",
    Some(
        r#"{"cause":[],"error":"forbidden","message":"A test user cannot create test users","status":403}"#,
    ),
);

pub(crate) static MAKE_TEST_USER: Endpoint = Endpoint {
    summary: "Make a test user, a seller with a virtual terminal; ten at a time",
    tag: "Accounts",
    request: Some(r#"{"site_id":"MLA"}"#),
    responses: &[
        answer(
            201,
            "The user. It goes after 60 days without activity.",
            Some(
                r#"{"email":"test_user_1100000017@testuser.com","id":1100000017,"nickname":"TEST45I5GYIH","password":"qatest6730","site_status":"active"}"#,
            ),
        ),
        answer(
            400,
            "The site is missing or unknown.",
            Some(
                r#"{"cause":[],"error":"bad_request","message":"site_id is required","status":400}"#,
            ),
        ),
        LIMIT,
        UNAUTHORIZED,
        NOT_ALLOWED,
        TOO_LARGE,
        UNAVAILABLE,
    ],
    ..point("POST", "/users/test_user", "makeTestUser")
};

pub(crate) static MAKE_DESCRIBED_TEST_USER: Endpoint = Endpoint {
    summary: "Make a test user with a description",
    tag: "Accounts",
    request: Some(r#"{"description":"Caja de prueba","site_id":"MLA"}"#),
    responses: &[
        answer(
            201,
            "The user. It goes after 60 days without activity.",
            Some(
                r#"{"date_created":"2026-02-01T12:00:00.000-04:00","date_last_updated":"2026-02-01T12:00:00.000-04:00","description":"Caja de prueba","email":"test_user_1100000017@testuser.com","id":1100000017,"nickname":"TEST45I5GYIH","password":"qatest6730","site_id":"MLA","site_status":"active"}"#,
            ),
        ),
        answer(
            400,
            "The site or the description is missing.",
            Some(
                r#"{"cause":[],"error":"bad_request","message":"description is required","status":400}"#,
            ),
        ),
        LIMIT,
        UNAUTHORIZED,
        NOT_ALLOWED,
        TOO_LARGE,
        UNAVAILABLE,
    ],
    ..point("POST", "/users/test", "makeDescribedTestUser")
};

pub(crate) static READ_ME: Endpoint = Endpoint {
    summary: "The user to whom the token belongs",
    tag: "Accounts",
    responses: &[
        answer(200, "The user.", Some(include_str!("../../fixtures/user.json"))),
        UNAUTHORIZED,
    ],
    ..point("GET", "/users/me", "readMe")
};

const fn refused(description: &'static str, example: &'static str) -> Response {
    answer(400, description, Some(example))
}

pub(crate) static TOKEN: Endpoint = Endpoint {
    summary: "Get a token for a seller: with a code, a refresh token, or the application's own",
    tag: "Accounts",
    security: Security::Body,
    request: Some(
        r#"{"client_id":"1000000000000001","client_secret":"secreto-de-la-aplicacion-demo-01","code":"TG-0123456789abcdef0123456789abcdef-100000001","grant_type":"authorization_code","redirect_uri":"https://tienda.example/vuelta"}"#,
    ),
    responses: &[
        answer(
            200,
            "The token; without refresh_token for client_credentials. The body may be a form too.",
            Some(
                r#"{"access_token":"APP_USR-1000000000000001-030214-0123456789abcdef0123456789abcdef-100000001","expires_in":15552000,"live_mode":true,"public_key":"APP_USR-0197a000-0000-4000-8000-000000000001","refresh_token":"TG-fedcba9876543210fedcba9876543210-100000001","scope":"offline_access read write","token_type":"bearer","user_id":100000001}"#,
            ),
        ),
        refused(
            "The application does not exist or its secret is wrong.",
            r#"{"cause":[],"error":"invalid_client","message":"Invalid client_id or client_secret provided","status":400}"#,
        ),
        refused(
            "What was handed in is wrong, was used before, or is too old.",
            r#"{"cause":[],"error":"invalid_grant","message":"The code or refresh token is wrong, has been used, or has expired","status":400}"#,
        ),
        refused(
            "A field is missing, or the body cannot be read.",
            r#"{"cause":[],"error":"invalid_request","message":"grant_type is required","status":400}"#,
        ),
        refused(
            "There is no such way to a token.",
            r#"{"cause":[],"error":"unsupported_grant_type","message":"The grant_type is not supported","status":400}"#,
        ),
        TOO_LARGE,
        UNAVAILABLE,
    ],
    ..point("POST", "/oauth/token", "makeToken")
};
