//! `cobro doctor`: why does a client not arrive?

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use cobro_proxy::hosts;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::client::Server;
use super::tls;
use crate::config::StoreArgs;

/// How long one look may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// The host that the doctor tries.
const TRIED: &str = "api.mercadopago.com";

/// The flags of `cobro doctor`.
#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    /// The base URL of the server [default: the one whose address is in the data directory]
    #[arg(long, value_name = "URL", env = "COBRO_URL")]
    server: Option<String>,
    #[command(flatten)]
    store: StoreArgs,
}

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// For a reader.
    pub(crate) text: String,
    /// Whether nothing stands in the way.
    pub(crate) well: bool,
}

impl Report {
    fn good(&mut self, text: &str) {
        let _ = writeln!(self.text, "ok    {text}");
    }

    fn bad(&mut self, text: &str, remedy: &str) {
        self.well = false;
        let _ = writeln!(self.text, "fault {text}\n      {remedy}");
    }

    fn note(&mut self, text: &str) {
        let _ = writeln!(self.text, "note  {text}");
    }
}

/// Looks at the server, the certificate, this shell's environment, and what arrived.
pub(crate) async fn run(args: DoctorArgs) -> anyhow::Result<Report> {
    let mut report = Report { well: true, ..Report::default() };
    let config = args.store.resolve()?;
    let server = match &args.server {
        Some(url) => Server::at(url, config.control_token)?,
        None => match Server::of(&config.data, config.control_token) {
            Ok(server) => server,
            Err(error) => {
                report.bad(&format!("{error:#}"), "Start one, or name it with --server.");
                return Ok(report);
            }
        },
    };
    let ca_pem = match server.introduce().await {
        Ok((ca_pem, _)) => ca_pem,
        Err(error) => {
            report.bad(&format!("{error:#}"), "Is it running, and is it a sandbox?");
            return Ok(report);
        }
    };
    report.good(&format!("a server answers at {}", server.url));
    match tokio::time::timeout(PATIENCE, try_proxy(&server, &ca_pem)).await {
        Ok(Ok(())) => report.good(&format!("{TRIED} is reached through its proxy, with TLS")),
        Ok(Err(error)) => {
            report.bad(&format!("{TRIED} is not reached: {error:#}"), "See the server's log.");
        }
        Err(_) => report.bad(&format!("{TRIED} is not reached in time"), "See the server's log."),
    }
    look_at_environment(&mut report, &server, &ca_pem, &|name| std::env::var(name).ok());
    look_at_hosts_file(
        &mut report,
        &std::fs::read_to_string(tls::hosts_file()).unwrap_or_default(),
    );
    match server.fetch_json("/_cobro/v1/requests?limit=200").await {
        Ok(journal) => look_at_journal(&mut report, &journal),
        Err(error) => report.note(&format!("{error:#}")),
    }
    Ok(report)
}

/// Goes the way that a client goes.
async fn try_proxy(server: &Server, ca_pem: &str) -> anyhow::Result<()> {
    let mut stream = TcpStream::connect(&server.authority).await?;
    let mut head = format!("CONNECT {TRIED}:443 HTTP/1.1\r\nHost: {TRIED}:443\r\n");
    if let Some(authorization) = server.proxy_authorization() {
        let _ = write!(head, "Proxy-Authorization: {authorization}\r\n");
    }
    head.push_str("\r\n");
    stream.write_all(head.as_bytes()).await?;
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") && answer.len() < 4_096 {
        answer.push(stream.read_u8().await?);
    }
    let line = String::from_utf8_lossy(&answer).lines().next().unwrap_or_default().to_owned();
    anyhow::ensure!(line.contains(" 200 "), "the proxy answers {line:?}");
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(ca_pem.as_bytes())?)?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(TRIED)?;
    let mut stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await?;
    stream.shutdown().await?;
    Ok(())
}

fn look_at_environment(
    report: &mut Report,
    server: &Server,
    ca_pem: &str,
    variable: &dyn Fn(&str) -> Option<String>,
) {
    let set = |names: &[&str]| names.iter().find_map(|name| variable(name));
    let remedy = "Use `cobro run -- COMMAND`, or `eval \"$(cobro env)\"` in this shell.";
    match set(&["HTTPS_PROXY", "https_proxy"]) {
        None => return report.note(&format!("this shell leads no program here. {remedy}")),
        Some(url) if url.trim_end_matches('/').ends_with(&server.authority) => {
            report.good("HTTPS_PROXY leads to the server");
        }
        Some(_) => report.bad("HTTPS_PROXY leads elsewhere", remedy),
    }
    let direct = set(&["NO_PROXY", "no_proxy"]).unwrap_or_default().to_ascii_lowercase();
    let hides = |entry: &str| {
        let suffix = entry.trim_start_matches('*').trim_start_matches('.');
        entry == "*" || hosts::HOSTS.iter().any(|host| host.name.ends_with(suffix))
    };
    if let Some(entry) = direct.split(',').map(str::trim).find(|e| !e.is_empty() && hides(e)) {
        let text = format!("NO_PROXY has {entry:?}, so providers' hosts are reached directly");
        report.bad(&text, "Take it out, or run `eval \"$(cobro env)\"` again.");
    }
    let certificate: String = ca_pem.lines().skip_while(|l| !l.starts_with("-----")).collect();
    for name in ["SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"] {
        let held = variable(name).and_then(|path| std::fs::read_to_string(Path::new(&path)).ok());
        let held = held.map(|text| text.lines().collect::<String>());
        if held.is_some_and(|held| held.contains(&certificate)) {
            report.good(&format!("{name} holds the development CA"));
        } else {
            report.bad(&format!("{name} does not hold the development CA"), remedy);
        }
    }
}

fn look_at_hosts_file(report: &mut Report, file: &str) {
    let led = tls::led_hosts(file);
    if led.is_empty() {
        return;
    }
    let listens = std::net::TcpStream::connect(("127.0.0.1", 443)).is_ok();
    let text = format!("the hosts file leads {} providers' hosts to this machine", led.len());
    if listens {
        report.good(&format!("{text}, and something listens on port 443"));
    } else {
        let remedy = "Start the server with --tls, or take the lines out (`cobro tls hosts`).";
        report.bad(&format!("{text}, and nothing listens on port 443"), remedy);
    }
}

/// What the last requests tell.
fn look_at_journal(report: &mut Report, journal: &Value) {
    let requests = journal["requests"].as_array().map(Vec::as_slice).unwrap_or_default();
    // The doctor's own try is the newest.
    let own = requests.iter().position(|one| one["host"] == TRIED && one["method"] == "CONNECT");
    let others: Vec<&Value> = requests
        .iter()
        .enumerate()
        .filter(|(at, _)| Some(*at) != own)
        .map(|(_, one)| one)
        .collect();
    if others.is_empty() {
        report.note("no request has arrived yet: the client speaks to somebody else");
        return;
    }
    let mut told = std::collections::BTreeSet::new();
    for one in others {
        let text = |name: &str| one[name].as_str().unwrap_or_default().to_owned();
        let (host, decided) = (text("host"), &one["response"]["body"]);
        let decision = decided["decision"].as_str().unwrap_or_default();
        let reason = decided["reason"].as_str().unwrap_or_default();
        if !told.insert((host.clone(), decision.to_owned())) {
            continue;
        }
        match decision {
            "handshake_failed" => report.bad(
                &format!("{host}: {reason}"),
                "Give the client the certificate: see docs/clients for where it looks for it.",
            ),
            "tunnelled" if hosts::looks_like_a_provider(&host) => report.bad(
                &format!("{host} looks like a provider's host, but is not on the list"),
                "Its traffic went to the provider. Please tell us of the host.",
            ),
            "refused" | "failed" => report.note(&format!("{host}: {reason}")),
            "intercepted" => report.good(&format!("{host} was led here")),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn report(look: impl FnOnce(&mut Report)) -> Report {
        let mut report = Report { well: true, ..Report::default() };
        look(&mut report);
        report
    }

    #[test]
    fn what_the_journal_tells() {
        let seen = |host: &str, decision: &str, reason: &str| {
            json!({"method": "CONNECT", "host": host,
                   "response": {"body": {"decision": decision, "reason": reason}}})
        };
        let own = seen(TRIED, "intercepted", "");
        for (rest, well, text) in [
            (vec![], true, "no request has arrived"),
            (vec![seen("api.payclip.com", "intercepted", "")], true, "was led here"),
            (vec![seen("api.payclip.com", "handshake_failed", "no trust")], false, "no trust"),
            (vec![seen("x.payclip.com", "tunnelled", "")], false, "not on the list"),
            (vec![seen("example.com", "tunnelled", "")], true, ""),
            (vec![seen("example.com", "refused", "offline")], true, "example.com: offline"),
        ] {
            let all: Vec<Value> = std::iter::once(own.clone()).chain(rest).collect();
            let found = report(|report| look_at_journal(report, &json!({"requests": all})));
            assert_eq!(found.well, well, "{}", found.text);
            assert!(found.text.contains(text), "{}", found.text);
        }
    }

    #[test]
    fn what_the_environment_tells() {
        let server = Server::at("http://127.0.0.1:7070", None).unwrap();
        for (proxy, direct, well, text) in [
            (None, "", true, "leads no program here"),
            (Some("http://127.0.0.1:8080"), "", false, "leads elsewhere"),
            (Some("http://127.0.0.1:7070"), ".payclip.com", false, "NO_PROXY has"),
            (Some("http://127.0.0.1:7070"), "localhost", false, "SSL_CERT_FILE does not hold"),
        ] {
            let found = report(|report| {
                look_at_environment(report, &server, "-----\nAA\n", &|name| match name {
                    "HTTPS_PROXY" => proxy.map(str::to_owned),
                    "NO_PROXY" => Some(direct.to_owned()),
                    _ => None,
                });
            });
            assert_eq!(found.well, well, "{}", found.text);
            assert!(found.text.contains(text), "{}", found.text);
        }
    }
}
