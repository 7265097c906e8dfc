//! The same light request on one kept connection, over plain HTTP and through the proxy: there with
//! TLS, ended by the server with a certificate of its own authority.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};

use crate::clock::{Slice, Watched};
use crate::load::{Way, drive};
use crate::stock::Till;
use crate::traffic::{Caller, expect};

/// The provider's host, which ends at the server.
const HOST: &str = "api.mercadopago.com";

/// A seller who lists its terminals, again and again.
pub(crate) struct Asker {
    address: SocketAddr,
    tls: Arc<ClientConfig>,
    request: Vec<u8>,
    device: String,
}

impl Asker {
    /// The seller of this terminal, who trusts the authority of the server at this address.
    pub(crate) fn new(address: SocketAddr, till: &Till) -> anyhow::Result<Self> {
        let request = format!(
            "GET /point/integration-api/devices HTTP/1.1\r\nHost: {HOST}\r\n\
             Authorization: Bearer {}\r\n\r\n",
            till.token
        );
        let (tls, device) = (trusting(&authority(address)?)?, till.device.clone());
        Ok(Self { address, tls, request: request.into_bytes(), device })
    }

    /// Asks for as long as told, through the proxy or not.
    pub(crate) fn slice(
        &self,
        is_proxied: bool,
        time: Duration,
        watched: &Watched,
    ) -> anyhow::Result<Slice> {
        let way = match is_proxied {
            true => Way::through(self.address, HOST, Arc::clone(&self.tls)),
            false => self.address.into(),
        };
        let until = Instant::now() + time;
        let (slice, _) = drive(way, 1, watched, async |wire| {
            if Instant::now() >= until {
                return Ok(None);
            }
            let body = expect(wire, &self.request, 200).await?;
            let device = self.device.as_bytes();
            let is_listed = body.windows(device.len()).any(|text| text == device);
            anyhow::ensure!(is_listed, "no terminal: {}", String::from_utf8_lossy(body));
            Ok(Some(()))
        })?;
        Ok(slice)
    }
}

/// The certificate of the server's authority, as PEM text.
fn authority(address: SocketAddr) -> anyhow::Result<Vec<u8>> {
    let mut request = Vec::new();
    Caller::new(address).write(&mut request, "GET", "/_cobro/ca.pem", "", "");
    let is_asked = AtomicBool::new(false);
    let (_, pems) = drive(address, 1, &Watched::default(), async |wire| {
        if is_asked.swap(true, Ordering::Relaxed) {
            return Ok(None);
        }
        Ok(Some(expect(wire, &request, 200).await?.to_vec()))
    })?;
    pems.into_iter().next().context("the server has no authority")
}

fn trusting(pem: &[u8]) -> anyhow::Result<Arc<ClientConfig>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(pem)?)?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(Arc::new(config.with_root_certificates(roots).with_no_client_auth()))
}
