//! The requests that load is made of.

use std::io::Write as _;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

use crate::clock::{Slice, Watched};
use crate::load::{Wire, drive};
use crate::stock::{Till, entropy};

/// How many connections there are.
pub(crate) const CONNECTIONS: usize = 64;

/// The body of every request that makes an intent, to Cobro and to the bare server: the sample of
/// the reference, with an amount above the limits of the country.
const INTENT: &str = r#"{"additional_info":{"external_reference":"4561ads-das4das4-das4754-das456","print_on_terminal":true,"ticket_number":"S0392JED"},"amount":1500}"#;

/// Makes requests to one server. Every intent gets an idempotency key of its own, as the SDKs do.
pub(crate) struct Caller {
    address: SocketAddr,
    /// Tells this caller's keys from those of all others.
    tag: String,
    count: AtomicU64,
}

/// An intent that was made, and the place of its terminal.
type Made = (usize, String);

impl Caller {
    /// A caller of the server at this address.
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self { address, tag: hex::encode(entropy().seed()), count: AtomicU64::new(0) }
    }

    fn create(&self, till: &Till, out: &mut Vec<u8>) {
        let (tag, number) = (&self.tag, self.count.fetch_add(1, Ordering::Relaxed));
        let path = format!("/point/integration-api/devices/{}/payment-intents", till.device);
        let own = format!(
            "Authorization: Bearer {}\r\nX-Idempotency-Key: {tag}{number:x}\r\n",
            till.token
        );
        self.write(out, "POST", &path, &own, INTENT);
    }

    fn at_terminal(&self, till: &Till, what: &str, out: &mut Vec<u8>) {
        let path = format!("/_cobro/v1/terminals/{}/{what}", till.device);
        self.write(out, "POST", &path, "", "{}");
    }

    /// What a terminal asks: what it is to show.
    pub(crate) fn look(&self, till: &Till, out: &mut Vec<u8>) {
        self.write(out, "GET", &format!("/_cobro/v1/terminals/{}", till.device), "", "");
    }

    /// Where the requests go.
    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// One request, in the place of what was there.
    pub(crate) fn write(
        &self,
        out: &mut Vec<u8>,
        method: &str,
        path: &str,
        headers: &str,
        body: &str,
    ) {
        out.clear();
        // Writing to a vector does not fail.
        let _ = write!(
            out,
            "{method} {path} HTTP/1.1\r\nHost: {}\r\n{headers}Content-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{body}",
            self.address,
            body.len()
        );
    }

    /// As many requests to the bare server as asked for.
    pub(crate) fn bare(&self, requests: usize, watched: &Watched) -> anyhow::Result<Slice> {
        let till = Till { token: "x".repeat(72), device: "PAX_A910__SBX00000100001".to_owned() };
        let next = AtomicUsize::new(0);
        let (slice, _) = drive(self.address, CONNECTIONS, watched, async |wire| {
            if next.fetch_add(1, Ordering::Relaxed) >= requests {
                return Ok(None);
            }
            let mut request = Vec::with_capacity(1024);
            self.create(&till, &mut request);
            expect(wire, &request, 201).await?;
            Ok(Some(()))
        })?;
        Ok(slice)
    }

    /// An intent on each of the terminals, as often as it takes to make `count`; after each turn
    /// they are cancelled, which is not measured.
    pub(crate) fn creates(
        &self,
        tills: &[Till],
        count: usize,
        watched: &Watched,
    ) -> anyhow::Result<Slice> {
        let turns = (count / tills.len().max(1)).max(1);
        let slices: anyhow::Result<Vec<Slice>> =
            (0..turns).map(|_| self.creates_once(tills, watched)).collect();
        Ok(Slice::joined(&slices?))
    }

    fn creates_once(&self, tills: &[Till], watched: &Watched) -> anyhow::Result<Slice> {
        let next = AtomicUsize::new(0);
        let (slice, made) = drive(self.address, CONNECTIONS, watched, async |wire| {
            let place = next.fetch_add(1, Ordering::Relaxed);
            let Some(till) = tills.get(place) else { return Ok(None) };
            let mut request = Vec::with_capacity(1024);
            self.create(till, &mut request);
            let body = expect(wire, &request, 201).await?;
            Ok(Some((place, id_of(body)?)))
        })?;
        self.cancel(tills, &made)?;
        Ok(slice)
    }

    fn cancel(&self, tills: &[Till], made: &[Made]) -> anyhow::Result<()> {
        let next = AtomicUsize::new(0);
        drive(self.address, CONNECTIONS, &Watched::default(), async |wire| {
            let place = next.fetch_add(1, Ordering::Relaxed);
            let Some((till, id)) = made.get(place) else { return Ok(None) };
            let Some(till) = tills.get(*till) else { return Ok(None) };
            let path =
                format!("/point/integration-api/devices/{}/payment-intents/{id}", till.device);
            let own = format!("Authorization: Bearer {}\r\n", till.token);
            let mut request = Vec::with_capacity(512);
            self.write(&mut request, "DELETE", &path, &own, "");
            expect(wire, &request, 200).await?;
            Ok(Some(()))
        })?;
        Ok(())
    }

    /// Payments for as long as asked: create, green key, card. Each connection works at terminals
    /// of its own, which a payment leaves free.
    pub(crate) fn payments(
        &self,
        tills: &[Till],
        time: Duration,
        watched: &Watched,
    ) -> anyhow::Result<Slice> {
        anyhow::ensure!(tills.len() >= 2 * CONNECTIONS, "there are too few terminals");
        let next = AtomicUsize::new(0);
        let until = Instant::now() + time;
        let (slice, _) = drive(self.address, CONNECTIONS, watched, async |wire| {
            if Instant::now() >= until {
                return Ok(None);
            }
            // Whoever had this terminal before has long been done: there are many more terminals
            // than payments under way.
            let place = next.fetch_add(1, Ordering::Relaxed) % tills.len();
            let Some(till) = tills.get(place) else { return Ok(None) };
            let mut request = Vec::with_capacity(1024);
            self.create(till, &mut request);
            expect(wire, &request, 201).await?;
            self.at_terminal(till, "fetch", &mut request);
            expect(wire, &request, 200).await?;
            self.at_terminal(till, "card", &mut request);
            let body = expect(wire, &request, 200).await?;
            anyhow::ensure!(
                body.windows(10).any(|text| text == b"\"approved\""),
                "a payment was not approved: {}",
                String::from_utf8_lossy(body)
            );
            Ok(Some(()))
        })?;
        Ok(slice)
    }
}

/// Sends a request; the answer must have this status.
pub(crate) async fn expect<'a>(
    wire: &'a mut Wire,
    request: &[u8],
    status: u16,
) -> anyhow::Result<&'a [u8]> {
    let (found, body) = wire.exchange(request).await?;
    if found != status {
        let request = String::from_utf8_lossy(request);
        bail!("status {found}, not {status}: {}\n{request}", String::from_utf8_lossy(body));
    }
    Ok(body)
}

/// The member `id` of an intent.
fn id_of(body: &[u8]) -> anyhow::Result<String> {
    const MEMBER: &[u8] = b"\"id\":\"";
    let at = body.windows(MEMBER.len()).position(|text| text == MEMBER).context("no id")?;
    let rest = body.get(at + MEMBER.len()..).unwrap_or_default();
    let id = rest.split(|byte| *byte == b'"').next().unwrap_or_default();
    Ok(std::str::from_utf8(id)?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_found() {
        let body = br#"{"amount":1500,"device_id":"PAX_A910__1","id":"7d8c70b6"}"#;
        assert_eq!(id_of(body).unwrap(), "7d8c70b6");
        assert!(id_of(b"{}").is_err());
    }
}
