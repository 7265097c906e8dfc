//! `cobro tls` and the TLS listener: for clients that know nothing of proxies.
//!
//! What would change the system (its trust, its hosts file) is printed and never done: whoever
//! runs it sees what is done and how to undo it.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::Path;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use cobro_proxy::ca::DevelopmentCa;
use cobro_proxy::hosts;
use tokio::net::TcpListener;

use super::authority;
use crate::config::StoreArgs;

/// What marks our lines in a hosts file.
const MARK: &str = "# cobro";

/// The flags of `cobro tls`.
#[derive(Debug, Args)]
pub(crate) struct TlsArgs {
    #[command(subcommand)]
    command: TlsCommand,
}

#[derive(Debug, Subcommand)]
enum TlsCommand {
    /// Make the development CA, if there is none, and say where its certificate is
    Init(StoreArgs),
    /// Print the commands that make this system trust the CA, and those that undo it
    Trust(StoreArgs),
    /// Print the lines for the hosts file, and the command that takes them out again
    Hosts,
    /// Say what of all this is in place
    Status(StoreArgs),
}

/// What the subcommand prints.
pub(crate) fn run(args: TlsArgs) -> anyhow::Result<String> {
    match args.command {
        TlsCommand::Init(store) => init(&store.resolve()?.data),
        TlsCommand::Trust(store) => {
            let directory = store.resolve()?.data;
            init(&directory)?;
            let path = std::path::absolute(directory.join(authority::CERTIFICATE_FILE))?;
            Ok(trust(&path.display().to_string(), std::env::consts::OS))
        }
        TlsCommand::Hosts => Ok(hosts_lines(std::env::consts::OS)),
        TlsCommand::Status(store) => Ok(status(&store.resolve()?.data)),
    }
}

/// Opens the TLS listener. Port 443 belongs to the superuser on most systems, so the error says
/// what else can be done.
pub(crate) async fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    let bound = TcpListener::bind(address).await;
    bound.with_context(|| {
        format!(
            "cannot listen for TLS on {address}; where port 443 may not be opened, use --tls \
             127.0.0.1:8443 and lead 443 there (Linux: `iptables -t nat -A OUTPUT -o lo -p tcp \
             --dport 443 -j REDIRECT --to-port 8443`), or allow it to the program (`setcap \
             cap_net_bind_service=+ep cobro`)"
        )
    })
}

fn init(directory: &Path) -> anyhow::Result<String> {
    std::fs::create_dir_all(directory).with_context(|| directory.display().to_string())?;
    let ca = authority::open(directory)?;
    let path = directory.join(authority::CERTIFICATE_FILE);
    Ok(format!("{}\n{}", path.display(), describe(&ca)))
}

fn describe(ca: &DevelopmentCa) -> String {
    let until = jiff::Timestamp::from_second(ca.not_after()).map_or_else(
        |_| ca.not_after().to_string(),
        |until| until.strftime("%Y-%m-%d").to_string(),
    );
    format!("SHA-256 {}\ngood until {until}, for {} hosts\n", ca.fingerprint(), hosts::HOSTS.len())
}

/// The commands for a system, as `std::env::consts::OS` names it.
fn trust(path: &str, system: &str) -> String {
    let (so, undo) = match system {
        "macos" => (
            format!(
                "security add-trusted-cert -r trustRoot -k ~/Library/Keychains/login.keychain-db \
                 \"{path}\""
            ),
            format!("security remove-trusted-cert \"{path}\""),
        ),
        "windows" => (
            format!("certutil -user -addstore Root \"{path}\""),
            "certutil -user -delstore Root \"Cobro development\"".to_owned(),
        ),
        _ => (
            format!(
                "sudo cp '{path}' /usr/local/share/ca-certificates/cobro-dev.crt && sudo \
                 update-ca-certificates\n  # Fedora and its kin:\n  sudo cp '{path}' \
                 /etc/pki/ca-trust/source/anchors/cobro-dev.pem && sudo update-ca-trust"
            ),
            "sudo rm /usr/local/share/ca-certificates/cobro-dev.crt && sudo \
             update-ca-certificates --fresh\n  # Fedora and its kin:\n  sudo rm \
             /etc/pki/ca-trust/source/anchors/cobro-dev.pem && sudo update-ca-trust"
                .to_owned(),
        ),
    };
    format!(
        "To trust the development CA on this system (it can sign for the providers' hosts only):\n\
         \n  {so}\n\nTo undo:\n\n  {undo}\n"
    )
}

fn hosts_lines(system: &str) -> String {
    let (file, undo) = match system {
        "windows" => (
            r"C:\Windows\System32\drivers\etc\hosts",
            r#"(Get-Content $env:SystemRoot\System32\drivers\etc\hosts) -notmatch '# cobro$' | Set-Content $env:SystemRoot\System32\drivers\etc\hosts"#,
        ),
        "macos" => ("/etc/hosts", "sudo sed -i '' '/# cobro$/d' /etc/hosts"),
        _ => ("/etc/hosts", "sudo sed -i '/# cobro$/d' /etc/hosts"),
    };
    let mut text = format!("# Lines for {file}; to take them out again:\n#   {undo}\n");
    for host in hosts::HOSTS {
        let _ = writeln!(text, "127.0.0.1 {} {MARK}", host.name);
    }
    text
}

fn status(directory: &Path) -> String {
    let mut text = String::new();
    match authority::find(directory) {
        None => {
            let _ = writeln!(text, "CA: none that is good in {}", directory.display());
        }
        Some(ca) => {
            let path = directory.join(authority::CERTIFICATE_FILE);
            let _ = write!(text, "CA: {}\n{}", path.display(), describe(&ca));
            let trusted = if is_trusted(&ca) { "yes" } else { "no (`cobro tls trust`)" };
            let _ = writeln!(text, "trusted by this system: {trusted}");
        }
    }
    let led = led_hosts(&std::fs::read_to_string(hosts_file()).unwrap_or_default());
    let _ = match led.len() {
        0 => writeln!(text, "hosts file: leads no provider's host here (`cobro tls hosts`)"),
        count => writeln!(text, "hosts file: leads {count} of {} hosts here", hosts::HOSTS.len()),
    };
    text
}

/// Whether the system's store holds the CA.
pub(crate) fn is_trusted(ca: &DevelopmentCa) -> bool {
    let system = rustls_native_certs::load_native_certs().certs;
    system.iter().any(|certificate| certificate == ca.certificate_der())
}

pub(crate) fn hosts_file() -> &'static Path {
    let windows = r"C:\Windows\System32\drivers\etc\hosts";
    Path::new(if cfg!(windows) { windows } else { "/etc/hosts" })
}

/// The providers' hosts that a hosts file leads to this machine.
pub(crate) fn led_hosts(file: &str) -> Vec<&'static str> {
    let mut led = Vec::new();
    for line in file.lines() {
        let line = line.split('#').next().unwrap_or_default();
        let mut words = line.split_whitespace();
        let is_here = words
            .next()
            .and_then(|address| address.parse::<std::net::IpAddr>().ok())
            .is_some_and(|address| address.is_loopback());
        if is_here {
            led.extend(words.filter_map(hosts::find).map(|host| host.name));
        }
    }
    led
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_for_the_hosts_file_are_read_back() {
        for system in ["linux", "macos", "windows"] {
            assert_eq!(led_hosts(&hosts_lines(system)), hosts::names(), "{system}");
        }
        let file = "127.0.0.1 localhost\n10.0.0.1 api.payclip.com\n# 127.0.0.1 api.payclip.io\n\
                    ::1 x api.mercadopago.com # mine";
        assert_eq!(led_hosts(file), ["api.mercadopago.com"]);
    }

    #[test]
    fn every_system_is_told_how_to_undo() {
        for system in ["linux", "macos", "windows", "freebsd"] {
            let text = trust("/d/ca.pem", system);
            assert!(text.contains("/d/ca.pem") && text.contains("To undo:"), "{text}");
        }
    }
}
