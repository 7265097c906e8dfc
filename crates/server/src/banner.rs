//! What the server prints when it is ready: what to do next.

/// The text for a server at `url`.
pub(crate) fn text(url: &str, data: &str) -> String {
    format!(
        "Cobro {version} is ready (sandbox)

  Console            {url}/
  Virtual terminals  {url}/console/terminals
  Control API        {url}/_cobro/v1/worlds/demo
  Data               {data}

Take a first payment (Mercado Pago Point, Argentina):

  curl -s {url}/point/integration-api/devices/PAX_A910__SBX0000001/payment-intents \\
    -H 'Authorization: Bearer {token}' \\
    -H 'Content-Type: application/json' -d '{{\"amount\": 1500}}'

then open {url}/console/terminals/PAX_A910__SBX0000001
and press the green key.
",
        version = env!("CARGO_PKG_VERSION"),
        token = "TEST-1000000000000001-112000-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-100000001",
    )
}
