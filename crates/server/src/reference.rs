//! What the API reference is told of each surface: its name for people, and what its examples are
//! sent with: in a sandbox the credentials of the demo world, else words that stand for the reader's
//! own.

use cobro_docs::{Audience, Credentials, SignedBody, Surface};
use cobro_surface::endpoint::Endpoint;

use crate::config::Mode;

/// What is known of a surface beside its table.
struct Known {
    name: &'static str,
    title: &'static str,
    credentials: Credentials,
    /// What the examples have in its place where calls move money.
    own: Credentials,
    samples: &'static [(&'static str, &'static str)],
    own_values: &'static [&'static str],
}

const NO_CREDENTIALS: Credentials =
    Credentials { bearer: None, basic: None, header: None, body: None };

const MERCADO_PAGO_TOKEN: &str =
    "TEST-1000000000000001-112000-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-100000001";

const CLIP_KEY: (&str, &str) =
    ("c11b0000-0000-4000-8000-000000000001", "5ec2e700-0000-4000-8000-000000000001");

/// The same as a point of sale sends it, in a header of its own.
const CLIP_HEADER: &str = "Basic YzExYjAwMDAtMDAwMC00MDAwLTgwMDAtMDAwMDAwMDAwMDAxOjVlYzJlNzAwLTAwMDAtNDAwMC04MDAwLTAwMDAwMDAwMDAwMQ==";

const KNOWN: [Known; 4] = [
    Known {
        name: "mercadopago",
        title: "Mercado Pago Point",
        credentials: Credentials { bearer: Some(MERCADO_PAGO_TOKEN), ..NO_CREDENTIALS },
        own: Credentials { bearer: Some("ACCESS_TOKEN"), ..NO_CREDENTIALS },
        samples: &[
            ("/point/integration-api/devices/{device_id}", "PAX_A910__SBX0000001"),
            ("?startDate", "2026-01-01"),
            ("?endDate", "2026-01-31"),
        ],
        own_values: &["payment_id", "code"],
    },
    Known {
        name: "placetopay",
        title: "Placetopay Checkout",
        credentials: Credentials {
            body: Some(SignedBody {
                login: "c0b70000000000000000000000000001",
                secret: "llave-secreta-01",
            }),
            ..NO_CREDENTIALS
        },
        own: Credentials {
            body: Some(SignedBody { login: "LOGIN", secret: "SECRET_KEY" }),
            ..NO_CREDENTIALS
        },
        samples: &[],
        own_values: &["token", "subtoken", "internalReference"],
    },
    Known {
        name: "clip",
        title: "Clip",
        credentials: Credentials {
            bearer: Some("test_c11b0000-0000-4000-8000-000000000001"),
            basic: Some(CLIP_KEY),
            header: Some(CLIP_HEADER),
            ..NO_CREDENTIALS
        },
        own: Credentials {
            bearer: Some("API_KEY"),
            basic: Some(("API_KEY", "SECRET")),
            header: Some("Basic BASE64_OF_API_KEY_AND_SECRET"),
            ..NO_CREDENTIALS
        },
        samples: &[],
        own_values: &["token", "id"],
    },
    Known {
        name: "control",
        title: "Control API",
        credentials: NO_CREDENTIALS,
        own: NO_CREDENTIALS,
        samples: &[
            ("/_cobro/v1/terminals/{id}", "PAX_A910__SBX0000001"),
            ("/_cobro/v1/merchants/{credential}", "100000001"),
            ("/_cobro/v1/worlds/{id}", "demo"),
        ],
        own_values: &["intent_id", "ids"],
    },
];

/// The credentials of the demo world that texts and examples show (contract, "Sandbox
/// credentials"), and what stands in their place where calls move money.
const HIDDEN: [(&str, &str); 10] = [
    (MERCADO_PAGO_TOKEN, "ACCESS_TOKEN"),
    ("TEST-1000000000000001-112000-bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb-100000002", "ACCESS_TOKEN"),
    ("TEST-1000000000000001-112000-cccccccccccccccccccccccccccccccc-100000003", "ACCESS_TOKEN"),
    ("secreto-de-la-aplicacion-demo-01", "CLIENT_SECRET"),
    ("c0b70000000000000000000000000001", "LOGIN"),
    ("c0b70000000000000000000000000002", "LOGIN"),
    ("llave-secreta-01", "SECRET_KEY"),
    ("llave-secreta-02", "SECRET_KEY"),
    (CLIP_KEY.0, "API_KEY"),
    (CLIP_KEY.1, "SECRET"),
];

/// Whose credentials the pages may show.
pub(crate) fn audience(mode: Mode) -> Audience {
    match mode {
        Mode::Sandbox => Audience::Sandbox,
        Mode::Live => Audience::Live { hidden: &HIDDEN },
    }
}

/// The surfaces of these documents, in the order in which people look for them.
pub(crate) fn surfaces(
    documents: &[(&'static str, Vec<&'static Endpoint>)],
    mode: Mode,
) -> Vec<Surface> {
    let of = |known: &Known| {
        let (name, endpoints) = documents.iter().find(|(name, _)| *name == known.name)?;
        Some(Surface {
            name,
            title: known.title,
            endpoints: endpoints.clone(),
            credentials: match mode {
                Mode::Sandbox => known.credentials,
                Mode::Live => known.own,
            },
            samples: known.samples,
            own_values: known.own_values,
        })
    };
    KNOWN.iter().filter_map(of).collect()
}
