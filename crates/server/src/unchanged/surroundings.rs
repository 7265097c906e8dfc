//! The environment in which an ordinary HTTP client goes through Cobro and trusts it: files in a
//! directory, and the variables that lead to them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use base64::Engine as _;
use cobro_proxy::{Chain, hosts};
use serde_json::{Value, json};

use super::client::Server;

/// What stays outside the proxy: this machine itself.
const LOCAL: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// The bundle of the system's CAs and ours, for programs that take one file in place of the
/// system's.
const BUNDLE_FILE: &str = "ca-bundle.pem";
/// Our certificate alone, for programs that add it to theirs.
const CA_FILE: &str = "cobro-ca.pem";
/// What Node programs load first.
const PRELOAD_FILE: &str = "cobro-preload.cjs";
/// PHP's settings, in a directory that PHP scans.
const PHP_DIRECTORY: &str = "php";

/// What the environment is made from.
pub(crate) struct Plan<'a> {
    /// Where the files go; it must exist.
    pub(crate) directory: &'a Path,
    /// The server that clients are led to.
    pub(crate) server: &'a Server,
    /// The certificate of the development CA.
    pub(crate) ca_pem: &'a str,
    /// The demo world, with its credentials.
    pub(crate) world: &'a Value,
    /// Whether other hosts are refused.
    pub(crate) offline: bool,
    /// Whether to make a trust store for Java, which takes a second.
    pub(crate) java: bool,
}

/// Variables to set, in the order in which they are shown, and what a person should know.
#[derive(Debug, Default)]
pub(crate) struct Surroundings {
    pub(crate) variables: Vec<(&'static str, String)>,
    pub(crate) remarks: Vec<String>,
}

/// Writes the files and answers the variables. `before` is the environment as it is: what stands
/// there is kept where both can be had.
pub(crate) fn prepare(
    plan: &Plan<'_>,
    before: &dyn Fn(&str) -> Option<String>,
) -> anyhow::Result<Surroundings> {
    let mut surroundings = Surroundings::default();
    let directory = std::path::absolute(plan.directory)?;
    let bundle = write_certificates(&directory, plan.ca_pem, before, &mut surroundings)?;
    let mut set = |name, value: &str| surroundings.variables.push((name, value.to_owned()));
    let url = &plan.server.url;
    set("COBRO_URL", url);
    set("COBRO_CONTROL_URL", &format!("{url}/_cobro/v1"));
    set("COBRO_CA_FILE", &shown(&directory.join(CA_FILE)));
    set("COBRO_WORLD", plan.world["id"].as_str().unwrap_or("demo"));
    set("COBRO_WORLD_JSON", &plan.world.to_string());
    let proxy = plan.server.proxy_url();
    for name in ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"] {
        set(name, &proxy);
    }
    let direct = no_proxy(before);
    set("NO_PROXY", &direct);
    set("no_proxy", &direct);
    let bundle = shown(&bundle);
    for name in ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"] {
        set(name, &bundle);
    }
    set("NODE_USE_ENV_PROXY", "1");
    set("NODE_OPTIONS", &node_options(&write_preload(&directory, plan)?, before));
    set("PHP_INI_SCAN_DIR", &php_directories(&write_php(&directory, &bundle)?, before));
    if plan.java {
        java(&directory, plan, before, &mut surroundings);
    }
    Ok(surroundings)
}

/// The names of every variable that [`prepare`] may set.
pub(crate) const NAMES: [&str; 19] = [
    "COBRO_URL",
    "COBRO_CONTROL_URL",
    "COBRO_CA_FILE",
    "COBRO_WORLD",
    "COBRO_WORLD_JSON",
    "HTTPS_PROXY",
    "https_proxy",
    "HTTP_PROXY",
    "http_proxy",
    "NO_PROXY",
    "no_proxy",
    "SSL_CERT_FILE",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "NODE_EXTRA_CA_CERTS",
    "NODE_USE_ENV_PROXY",
    "NODE_OPTIONS",
    "PHP_INI_SCAN_DIR",
    "JAVA_TOOL_OPTIONS",
];

/// The bundle: the system's CAs, those that the environment names already, and ours.
fn write_certificates(
    directory: &Path,
    ca_pem: &str,
    before: &dyn Fn(&str) -> Option<String>,
    surroundings: &mut Surroundings,
) -> anyhow::Result<PathBuf> {
    write(&directory.join(CA_FILE), ca_pem)?;
    // `SSL_CERT_FILE` stands in place of the system's CAs, as it does for OpenSSL.
    let system = rustls_native_certs::load_native_certs().certs;
    let unique: BTreeSet<Vec<u8>> = system.iter().map(|der| der.to_vec()).collect();
    if unique.is_empty() {
        surroundings.remarks.push(
            "this system has no CA certificates: hosts that are not the providers' will not be \
             trusted (on Debian: apt-get install ca-certificates)"
                .to_owned(),
        );
    }
    let mut bundle: String = unique.iter().map(|der| pem(der)).collect();
    for name in ["NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"] {
        let named = before(name).filter(|path| !path.ends_with(BUNDLE_FILE));
        if let Some(text) = named.and_then(|path| std::fs::read_to_string(path).ok()) {
            bundle.push_str(&text);
            bundle.push('\n');
        }
    }
    bundle.push_str(ca_pem);
    let path = directory.join(BUNDLE_FILE);
    write(&path, &bundle)?;
    if foreign_proxy(before).is_some_and(|url| Chain::parse(&url, "").is_none()) {
        surroundings.remarks.push(
            "HTTPS_PROXY was set already, and is no HTTP proxy: it is not used, other hosts are \
             reached directly"
                .to_owned(),
        );
    }
    Ok(path)
}

/// The proxy that the environment names, unless it is one of ours: that carries our name, or is
/// where `COBRO_URL` beside it leads.
pub(crate) fn foreign_proxy(before: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    let url = before("HTTPS_PROXY").or_else(|| before("https_proxy"))?;
    let place = |url: &str| url.trim_end_matches('/').to_ascii_lowercase();
    let is_ours = url.starts_with("http://cobro:")
        || before("COBRO_URL").is_some_and(|ours| place(&ours) == place(&url));
    (!is_ours).then_some(url)
}

fn pem(der: &[u8]) -> String {
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    let mut pem = String::from("-----BEGIN CERTIFICATE-----\n");
    for line in text.as_bytes().chunks(64) {
        pem.push_str(&String::from_utf8_lossy(line));
        pem.push('\n');
    }
    pem.push_str("-----END CERTIFICATE-----\n");
    pem
}

fn write_preload(directory: &Path, plan: &Plan<'_>) -> anyhow::Result<PathBuf> {
    let (host, port) = plan.server.authority.rsplit_once(':').context("the server's port")?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let port: u16 = port.parse().context("the server's port")?;
    let settings = json!({
        "hosts": hosts::names(), "address": host, "port": port, "offline": plan.offline,
    });
    let text = include_str!("preload.cjs").replacen("SETTINGS", &settings.to_string(), 1);
    let path = directory.join(PRELOAD_FILE);
    write(&path, &text)?;
    Ok(path)
}

fn write_php(directory: &Path, bundle: &str) -> anyhow::Result<PathBuf> {
    let path = directory.join(PHP_DIRECTORY);
    std::fs::create_dir_all(&path).with_context(|| shown(&path))?;
    let quoted = bundle.replace('"', "");
    let text = format!("curl.cainfo = \"{quoted}\"\nopenssl.cafile = \"{quoted}\"\n");
    write(&path.join("cobro.ini"), &text)?;
    Ok(path)
}

/// What was set before without what is for a provider's host, and this machine.
fn no_proxy(before: &dyn Fn(&str) -> Option<String>) -> String {
    let set = before("NO_PROXY").or_else(|| before("no_proxy")).unwrap_or_default();
    let hides = |entry: &str| {
        let suffix = entry.trim_start_matches("*.").trim_start_matches('.');
        entry == "*"
            || hosts::HOSTS.iter().any(|host| {
                let rest = host.name.strip_suffix(suffix);
                rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
            })
    };
    let kept = set.split(',').map(str::trim).filter(|entry| {
        !entry.is_empty() && !LOCAL.contains(entry) && !hides(&entry.to_ascii_lowercase())
    });
    kept.chain(LOCAL).collect::<Vec<_>>().join(",")
}

fn node_options(preload: &Path, before: &dyn Fn(&str) -> Option<String>) -> String {
    let path = shown(preload).replace('\\', "\\\\").replace('"', "\\\"");
    let ours = format!("--require \"{path}\"");
    let set = before("NODE_OPTIONS").unwrap_or_default();
    let others = without_ours(&set);
    if others.is_empty() { ours } else { format!("{others} {ours}") }
}

/// `NODE_OPTIONS` without a preload of ours from an earlier `cobro env`.
pub(crate) fn without_ours(options: &str) -> String {
    match options.find("--require \"") {
        Some(at) if options[at..].contains(PRELOAD_FILE) => {
            let end = options[at..].find(PRELOAD_FILE).map_or(options.len(), |found| {
                at.saturating_add(found).saturating_add(PRELOAD_FILE.len()).saturating_add(1)
            });
            let rest = options.get(end..).unwrap_or_default();
            format!("{}{}", options[..at].trim_end(), rest).trim().to_owned()
        }
        _ => options.trim().to_owned(),
    }
}

/// PHP scans the directory that it was built with where the list has an empty entry.
fn php_directories(ours: &Path, before: &dyn Fn(&str) -> Option<String>) -> String {
    let separator = if cfg!(windows) { ';' } else { ':' };
    let ours = shown(ours);
    let set = before("PHP_INI_SCAN_DIR").unwrap_or_default();
    let others: Vec<&str> = set.split(separator).filter(|entry| *entry != ours).collect();
    format!("{}{separator}{ours}", others.join(&separator.to_string()))
}

fn java(
    directory: &Path,
    plan: &Plan<'_>,
    before: &dyn Fn(&str) -> Option<String>,
    surroundings: &mut Surroundings,
) {
    let certificate = directory.join(CA_FILE);
    match super::java::options(&certificate, directory, &plan.server.authority) {
        Ok(options) => {
            let set = before("JAVA_TOOL_OPTIONS").unwrap_or_default();
            let others = set.split("-Djavax.net.ssl.trustStore=").next().unwrap_or_default();
            let value = format!("{} {options}", others.trim()).trim().to_owned();
            surroundings.variables.push(("JAVA_TOOL_OPTIONS", value));
        }
        Err(error) => surroundings.remarks.push(format!("Java is not led here: {error:#}")),
    }
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    std::fs::write(path, text).with_context(|| shown(path))
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(name: &'static str, value: &'static str) -> impl Fn(&str) -> Option<String> {
        move |asked| (asked == name).then(|| value.to_owned())
    }

    #[test]
    fn what_is_reached_without_the_proxy() {
        for (before, expected) in [
            ("", "localhost,127.0.0.1,::1"),
            ("localhost, db.example", "db.example,localhost,127.0.0.1,::1"),
            ("*", "localhost,127.0.0.1,::1"),
            (".mercadopago.com,payclip.com,*.placetopay.com", "localhost,127.0.0.1,::1"),
            ("API.payclip.com,clip.com", "clip.com,localhost,127.0.0.1,::1"),
        ] {
            assert_eq!(no_proxy(&with("NO_PROXY", before)), expected, "{before}");
        }
    }

    #[test]
    fn options_of_node_are_kept_and_ours_stand_once() {
        let preload = Path::new("/d/cobro-preload.cjs");
        let ours = "--require \"/d/cobro-preload.cjs\"";
        for (before, others) in [
            ("", ""),
            ("--max-old-space-size=512", "--max-old-space-size=512"),
            ("--require ./mine.js", "--require ./mine.js"),
            ("-r a --require \"/old dir/cobro-preload.cjs\" -r b", "-r a -r b"),
        ] {
            assert_eq!(without_ours(before), others);
            let expected = format!("{others} {ours}").trim().to_owned();
            assert_eq!(node_options(preload, &|_| Some(before.to_owned())), expected);
        }
    }

    #[cfg(unix)]
    #[test]
    fn php_keeps_the_directory_that_it_was_built_with() {
        let ours = Path::new("/d/php");
        for (before, expected) in
            [("", ":/d/php"), ("/etc/a", "/etc/a:/d/php"), (":/d/php", ":/d/php")]
        {
            assert_eq!(php_directories(ours, &|_| Some(before.to_owned())), expected);
        }
    }

    #[test]
    fn a_bundle_line_has_64_characters() {
        let text = pem(&[7; 100]);
        assert!(text.lines().all(|line| line.len() <= 64));
        assert!(text.starts_with("-----BEGIN CERTIFICATE-----\nBwcH"));
    }
}
