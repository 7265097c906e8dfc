//! What the API reference is told of each surface: its name for people, and what its examples are
//! sent with. The credentials are those of the demo world.

use cobro_docs::{Credentials, SignedBody, Surface};
use cobro_surface::endpoint::Endpoint;

/// What is known of a surface beside its table.
struct Known {
    name: &'static str,
    title: &'static str,
    credentials: Credentials,
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
        samples: &[],
        own_values: &["token", "id"],
    },
    Known {
        name: "control",
        title: "Control API",
        credentials: NO_CREDENTIALS,
        samples: &[
            ("/_cobro/v1/terminals/{id}", "PAX_A910__SBX0000001"),
            ("/_cobro/v1/merchants/{credential}", "100000001"),
            ("/_cobro/v1/worlds/{id}", "demo"),
        ],
        own_values: &["intent_id", "ids"],
    },
];

/// The surfaces of these documents, in the order in which people look for them.
pub(crate) fn surfaces(documents: &[(&'static str, Vec<&'static Endpoint>)]) -> Vec<Surface> {
    let of = |known: &Known| {
        let (name, endpoints) = documents.iter().find(|(name, _)| *name == known.name)?;
        Some(Surface {
            name,
            title: known.title,
            endpoints: endpoints.clone(),
            credentials: known.credentials,
            samples: known.samples,
            own_values: known.own_values,
        })
    };
    KNOWN.iter().filter_map(of).collect()
}
