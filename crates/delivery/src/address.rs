//! The address guard: where an outgoing webhook may go.
//!
//! Whoever registers a webhook makes the server open connections. The guard keeps those away from
//! the network that the server itself stands in (reliability reference, F35 to F39). It works in two
//! steps: [`Policy::check_url`] judges what is written, [`Policy::check_resolved`] what the name turned
//! out to mean. Only both together are safe.
//!
//! An address is of one of three classes:
//!
//! - **never**: link-local, metadata, "this network", multicast, reserved. Refused in every mode;
//!   no configuration opens it.
//! - **inside**: loopback, private and other networks that are not reachable from the internet.
//!   Allowed in the sandbox; in live mode only where the operator's own configuration says so.
//! - **public**: everything else.
//!
//! An IPv6 address that carries an IPv4 address (mapped, NAT64, 6to4, ISATAP …) is judged as both.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use url::{Host, Url};

/// The longest webhook URL, in bytes, as written and as normalised (reliability reference, F38).
pub const MAX_URL_BYTES: usize = 2_048;

/// Longest host name and longest label, in bytes (RFC 1035, section 2.3.4).
const MAX_NAME_BYTES: usize = 253;
const MAX_LABEL_BYTES: usize = 63;

/// Names under which clouds serve machine credentials. Refused in every mode, whatever they resolve to.
const METADATA_NAMES: [&str; 10] = [
    "metadata",
    "metadata.google.internal",
    "metadata.goog",
    "metadata.azure.internal",
    "metadata.tencentyun.com",
    "metadata.packet.net",
    "metadata.platformequinix.com",
    "instance-data",
    "instance-data.ec2.internal",
    "rancher-metadata",
];

/// Last labels that no public name has: special-use names (RFC 6761, 6762, 7686, 8375, 9476) and
/// those that private networks use by habit.
const INSIDE_SUFFIXES: [&str; 16] = [
    "alt",
    "arpa",
    "corp",
    "home",
    "internal",
    "intranet",
    "invalid",
    "lan",
    "local",
    "localdomain",
    "localhost",
    "mail",
    "onion",
    "private",
    "svc",
    "test",
];

/// Metadata services outside the link-local range: three IPv4 addresses, three IPv6 ranges.
const METADATA_V4: [Ipv4Addr; 3] = [
    Ipv4Addr::new(100, 100, 100, 200),
    Ipv4Addr::new(168, 63, 129, 16),
    Ipv4Addr::new(192, 0, 0, 192),
];
const METADATA_V6: [(Ipv6Addr, u8); 3] = [
    (Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254), 128),
    (Ipv6Addr::new(0xfd00, 0x42, 0, 0, 0, 0, 0, 0x42), 128),
];

/// IPv4 networks that are not reachable from the internet (IANA special-purpose registry).
const INSIDE_V4: [(Ipv4Addr, u8); 11] = [
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
];

/// Parts of 2000::/3 that are not reachable from the internet, and 6to4, which F35 names.
const INSIDE_V6: [(Ipv6Addr, u8); 4] = [
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
];

/// The part of IPv6 in which public addresses are given out (RFC 4291, section 2.4).
const GLOBAL_V6: (Ipv6Addr, u8) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

/// Tunnels whose IPv4 end cannot be told from the address alone: Teredo (RFC 4380) and NAT64 with a
/// prefix of the network's own choice (RFC 8215).
const OPAQUE_TUNNELS: [(Ipv6Addr, u8); 2] = [
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0x64, 0xff9b, 1, 0, 0, 0, 0, 0), 48),
];

/// Why an address is refused. The text names the rule and never the address, so that an answer
/// does not tell what an inside name resolves to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Refused {
    /// Longer than [`MAX_URL_BYTES`].
    #[error("the URL is longer than {MAX_URL_BYTES} bytes")]
    TooLong,
    /// Not an absolute URL, or one with blanks, control characters or backslashes, which programs
    /// read differently.
    #[error("not an absolute URL")]
    Malformed,
    /// Neither `https` nor, where allowed, `http`.
    #[error("the scheme is not allowed")]
    Scheme,
    /// Holds a user name or a password.
    #[error("the URL holds credentials")]
    Credentials,
    /// A host outside plain ASCII, with an empty or over-long label, or an IPv4 address in any
    /// spelling but four decimal numbers.
    #[error("the host is not spelled plainly")]
    Spelling,
    /// A port that is not open to webhooks in this mode; port 0 in every mode.
    #[error("the port is not allowed")]
    Port,
    /// An IP address instead of a name, in live mode.
    #[error("the host is an IP address")]
    Literal,
    /// A name or an address that is not public, in live mode.
    #[error("the host is not public")]
    Inside,
    /// A cloud's metadata service, by name or by address.
    #[error("the host is a metadata service")]
    Metadata,
    /// 169.254.0.0/16 or fe80::/10.
    #[error("the address is link-local")]
    LinkLocal,
    /// A multicast or broadcast address.
    #[error("the address is multicast or broadcast")]
    Multicast,
    /// 0.0.0.0/8, `::`, 240.0.0.0/4, or a tunnel that hides the address it leads to.
    #[error("the address is reserved")]
    Reserved,
}

/// An address block such as `10.20.0.0/16`, `fd12:3456::/32` or a single address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    base: IpAddr,
    prefix: u8,
}

/// A host that the operator has named, with or without a port: `erp.lan`, `erp.lan:8443`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowedHost {
    name: String,
    port: Option<u16>,
}

/// The operator's configuration holds something that is not what it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadAllowance {
    /// Not an address or `address/prefix`.
    #[error("not an address block")]
    Network,
    /// Not a host name or `host:port`.
    #[error("not a host name")]
    Host,
}

/// What the operator opens in live mode besides public `https` (reliability reference, F38 and F39).
/// It never opens link-local or metadata addresses.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Allowance {
    /// Inside networks that webhooks may reach, by literal address or by name.
    pub networks: Vec<Network>,
    /// Hosts that may be inside, may be spoken to by `http` and may use the port given with them.
    pub hosts: Vec<AllowedHost>,
    /// Ports open for every host besides the one usual for the scheme.
    pub ports: Vec<u16>,
}

/// Which addresses a webhook may have, by mode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Policy {
    /// `http` and `https`, IP addresses, any port, loopback and private networks.
    Sandbox,
    /// `https` to public names on port 443, and what the operator allows.
    Live(Allowance),
}

/// A webhook address that has passed [`Policy::check_url`].
#[derive(Clone, PartialEq, Eq)]
pub struct Target {
    url: Url,
}

impl Policy {
    /// The policy of a sandbox.
    #[must_use]
    pub const fn sandbox() -> Self {
        Self::Sandbox
    }

    /// The policy of a server that takes real payments, opened by `allowance`.
    #[must_use]
    pub const fn live(allowance: Allowance) -> Self {
        Self::Live(allowance)
    }

    /// Judges a webhook address as written. To be asked at registration and at each delivery: the
    /// operator's configuration may have changed in between. Names are not resolved here, so a
    /// passed URL still has to pass [`Policy::check_resolved`] before a connection is opened.
    ///
    /// # Errors
    /// The first rule that the address breaks.
    pub fn check_url(&self, text: &str) -> Result<Target, Refused> {
        if text.len() > MAX_URL_BYTES {
            return Err(Refused::TooLong);
        }
        let written_host = host_as_written(text)?;
        let url = Url::parse(text).map_err(|_| Refused::Malformed)?;
        // Escapes make a URL grow, and the grown one is what is sent.
        if url.as_str().len() > MAX_URL_BYTES {
            return Err(Refused::TooLong);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Refused::Credentials);
        }
        match url.host().ok_or(Refused::Malformed)? {
            Host::Domain(name) => self.check_name(name)?,
            // `127.1`, `2130706433` and `0x7f.0.0.1` name an address that a reader, another resolver
            // or a filter in between takes for another one.
            Host::Ipv4(address) if address.to_string() != written_host => {
                return Err(Refused::Spelling);
            }
            Host::Ipv4(address) => self.check_literal(&url, IpAddr::V4(address))?,
            Host::Ipv6(address) => self.check_literal(&url, IpAddr::V6(address))?,
        }
        self.check_scheme_and_port(&url)?;
        Ok(Target { url })
    }

    /// Judges one address, without regard to the name it came from.
    ///
    /// # Errors
    /// The rule that the address breaks.
    pub fn check_ip(&self, address: IpAddr) -> Result<(), Refused> {
        self.check_address(address, false)
    }

    /// Judges every address that `host` resolved to. One bad address refuses all: a name with a public
    /// and an inside answer is an attack or a mistake (reliability reference, F36).
    ///
    /// # Errors
    /// The rule that the first bad address breaks.
    pub fn check_resolved(&self, host: &str, addresses: &[IpAddr]) -> Result<(), Refused> {
        let host_is_open = self.allowed_host(host).next().is_some();
        addresses.iter().try_for_each(|address| self.check_address(*address, host_is_open))
    }

    /// An address and the one it carries must both pass: being let inside by its host does not excuse
    /// an address that leads on to a metadata service.
    fn check_address(&self, address: IpAddr, host_is_open: bool) -> Result<(), Refused> {
        let (class, carried) = classify(address);
        let carried = carried.map(|inner| (IpAddr::V4(inner), classify_v4(inner)));
        let judge = |(address, class): (IpAddr, Class)| match class {
            Class::Never(reason) => Err(reason),
            Class::Inside if !host_is_open && !self.opens(address) => Err(Refused::Inside),
            Class::Inside | Class::Public => Ok(()),
        };
        carried.into_iter().chain([(address, class)]).try_for_each(judge)
    }

    /// Whether this mode or the operator's configuration opens the inside network of `address`.
    fn opens(&self, address: IpAddr) -> bool {
        match self {
            Self::Sandbox => true,
            Self::Live(allowance) => allowance.networks.iter().any(|it| it.contains(address)),
        }
    }

    fn check_name(&self, name: &str) -> Result<(), Refused> {
        let name = without_final_dot(name);
        let label_is_sound = |label: &str| !label.is_empty() && label.len() <= MAX_LABEL_BYTES;
        if name.len() > MAX_NAME_BYTES || !name.split('.').all(label_is_sound) {
            return Err(Refused::Spelling);
        }
        if METADATA_NAMES.contains(&name) {
            return Err(Refused::Metadata);
        }
        if *self == Self::Sandbox || self.allowed_host(name).next().is_some() {
            return Ok(());
        }
        match name.rsplit_once('.') {
            Some((_, last)) if !INSIDE_SUFFIXES.contains(&last) => Ok(()),
            // A single label is completed by the machine's own search domain.
            _ => Err(Refused::Inside),
        }
    }

    fn check_literal(&self, url: &Url, address: IpAddr) -> Result<(), Refused> {
        let host = url.host_str().unwrap_or_default();
        self.check_resolved(host, &[address])?;
        if self.operator_names(url) { Ok(()) } else { Err(Refused::Literal) }
    }

    fn check_scheme_and_port(&self, url: &Url) -> Result<(), Refused> {
        let port = url.port_or_known_default().filter(|port| *port != 0).ok_or(Refused::Port)?;
        let Self::Live(allowance) = self else { return Ok(()) };
        if url.scheme() != "https" && !self.operator_names(url) {
            return Err(Refused::Scheme);
        }
        let with_host = self
            .allowed_host(url.host_str().unwrap_or_default())
            .any(|allowed| allowed.port == Some(port));
        // `Url` leaves out the port that is usual for the scheme.
        if url.port().is_none() || with_host || allowance.ports.contains(&port) {
            Ok(())
        } else {
            Err(Refused::Port)
        }
    }

    /// Whether the operator's configuration speaks of this host, by name or by network. In the
    /// sandbox every host counts as named.
    fn operator_names(&self, url: &Url) -> bool {
        let address = match url.host() {
            Some(Host::Ipv4(address)) => Some(IpAddr::V4(address)),
            Some(Host::Ipv6(address)) => Some(IpAddr::V6(address)),
            Some(Host::Domain(_)) | None => None,
        };
        *self == Self::Sandbox
            || address.is_some_and(|address| self.opens(address))
            || self.allowed_host(url.host_str().unwrap_or_default()).next().is_some()
    }

    fn allowed_host<'a>(&'a self, host: &'a str) -> impl Iterator<Item = &'a AllowedHost> {
        let hosts = match self {
            Self::Sandbox => &[],
            Self::Live(allowance) => allowance.hosts.as_slice(),
        };
        let host = without_final_dot(host);
        hosts.iter().filter(move |allowed| allowed.name.eq_ignore_ascii_case(host))
    }
}

impl Target {
    /// The normalised URL: what is sent.
    #[must_use]
    pub const fn url(&self) -> &Url {
        &self.url
    }

    /// Scheme, host and port, without path and query: a key for limits per endpoint, and the part of
    /// a webhook address that holds no secret.
    #[must_use]
    pub fn origin(&self) -> String {
        self.url.origin().ascii_serialization()
    }
}

/// Shows the origin only: paths and queries of webhooks often hold tokens.
impl std::fmt::Debug for Target {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Target({})", self.origin())
    }
}

impl Network {
    /// Whether `address` lies in this block. An IPv4-mapped IPv6 address counts as the IPv4 address.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.base, address.to_canonical()) {
            (IpAddr::V4(base), IpAddr::V4(address)) => v4_in(address, (base, self.prefix)),
            (IpAddr::V6(base), IpAddr::V6(address)) => v6_in(address, (base, self.prefix)),
            _ => false,
        }
    }
}

impl FromStr for Network {
    type Err = BadAllowance;

    fn from_str(text: &str) -> Result<Self, BadAllowance> {
        let (base, prefix) = match text.split_once('/') {
            Some((base, prefix)) => (base, Some(prefix)),
            None => (text, None),
        };
        let base: IpAddr = base.parse().map_err(|_| BadAllowance::Network)?;
        let widest = if base.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            Some(digits) => digits.parse().map_err(|_| BadAllowance::Network)?,
            None => widest,
        };
        if prefix > widest {
            return Err(BadAllowance::Network);
        }
        Ok(Self { base, prefix })
    }
}

impl FromStr for AllowedHost {
    type Err = BadAllowance;

    fn from_str(text: &str) -> Result<Self, BadAllowance> {
        // Read as the authority of a URL, so that it is normalised just as webhook addresses are.
        let written = format!("http://{text}");
        let written_host = host_as_written(&written).map_err(|_| BadAllowance::Host)?;
        let url = Url::parse(&written).map_err(|_| BadAllowance::Host)?;
        let bare =
            text.strip_prefix(written_host).is_some_and(|rest| !rest.contains(['/', '?', '#']));
        let host = url.host_str().filter(|_| bare).ok_or(BadAllowance::Host)?;
        Ok(Self { name: without_final_dot(host).to_owned(), port: url.port() })
    }
}

/// The host as the URL spells it. Only what every reader of URLs takes apart in the same way gets
/// through: `scheme://host[:port]`, then a path, a query, a fragment or the end.
fn host_as_written(text: &str) -> Result<&str, Refused> {
    if text.chars().any(|c| c.is_whitespace() || c.is_control() || c == '\\') {
        return Err(Refused::Malformed);
    }
    let (scheme, rest) = text.split_once(':').ok_or(Refused::Malformed)?;
    if !["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known)) {
        return Err(Refused::Scheme);
    }
    let rest = rest.strip_prefix("//").ok_or(Refused::Malformed)?;
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.is_empty() {
        return Err(Refused::Malformed);
    }
    if authority.contains('@') {
        return Err(Refused::Credentials);
    }
    let plain =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '[' | ']');
    if !authority.chars().all(plain) {
        return Err(Refused::Spelling);
    }
    // The brackets of an IPv6 address hold colons of their own.
    let after_brackets = authority.rfind(']').map_or(0, |end| end.saturating_add(1));
    let port_at = authority.get(after_brackets..).and_then(|tail| tail.find(':'));
    let end = port_at.map_or(authority.len(), |at| after_brackets.saturating_add(at));
    authority.get(..end).ok_or(Refused::Malformed)
}

/// `name.` and `name` are the same host.
fn without_final_dot(name: &str) -> &str {
    name.strip_suffix('.').unwrap_or(name)
}

/// What an address is, before any mode is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Public,
    Inside,
    Never(Refused),
}

/// The class of an address, and the IPv4 address that it carries, if it does.
fn classify(address: IpAddr) -> (Class, Option<Ipv4Addr>) {
    match address.to_canonical() {
        IpAddr::V4(address) => (classify_v4(address), None),
        IpAddr::V6(address) => (classify_v6(address), carried_v4(address)),
    }
}

fn classify_v4(address: Ipv4Addr) -> Class {
    let [first, ..] = address.octets();
    if address.is_link_local() {
        Class::Never(Refused::LinkLocal)
    } else if METADATA_V4.contains(&address) {
        Class::Never(Refused::Metadata)
    } else if address.is_multicast() || address.is_broadcast() {
        Class::Never(Refused::Multicast)
    } else if first == 0 || first >= 240 {
        // A connection to 0.0.0.0 reaches the machine itself; 240/4 is not in use anywhere.
        Class::Never(Refused::Reserved)
    } else if INSIDE_V4.iter().any(|block| v4_in(address, *block)) {
        Class::Inside
    } else {
        Class::Public
    }
}

fn classify_v6(address: Ipv6Addr) -> Class {
    let lies_in = |blocks: &[(Ipv6Addr, u8)]| blocks.iter().any(|block| v6_in(address, *block));
    if address.is_unicast_link_local() {
        Class::Never(Refused::LinkLocal)
    } else if lies_in(&METADATA_V6) {
        Class::Never(Refused::Metadata)
    } else if address.is_multicast() {
        Class::Never(Refused::Multicast)
    } else if address.is_unspecified() || lies_in(&OPAQUE_TUNNELS) {
        Class::Never(Refused::Reserved)
    } else if lies_in(&[GLOBAL_V6]) && !lies_in(&INSIDE_V6) {
        Class::Public
    } else {
        Class::Inside
    }
}

/// The IPv4 address to which a translator or tunnel would take packets for `address`.
fn carried_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let [a, b, c, d, e, f, high, low] = address.segments();
    let join = |high: u16, low: u16| Some(Ipv4Addr::from((u32::from(high) << 16) | u32::from(low)));
    match [a, b, c, d, e, f] {
        // ::1 itself is no IPv4 address; the rest of ::/96 is "IPv4-compatible" (RFC 4291).
        [0, 0, 0, 0, 0, 0] if address.is_loopback() => None,
        // IPv4-compatible, IPv4-translated (RFC 2765), NAT64 (RFC 6052).
        [0, 0, 0, 0, 0, 0] | [0, 0, 0, 0, 0xffff, 0] | [0x64, 0xff9b, 0, 0, 0, 0] => {
            join(high, low)
        }
        // 6to4 (RFC 3056).
        [0x2002, high, low, ..] => join(high, low),
        // ISATAP (RFC 5214), under any prefix.
        [_, _, _, _, 0 | 0x200, 0x5efe] => join(high, low),
        _ => None,
    }
}

fn v4_in(address: Ipv4Addr, (base, prefix): (Ipv4Addr, u8)) -> bool {
    let differing = address.to_bits() ^ base.to_bits();
    differing.leading_zeros() >= u32::from(prefix)
}

fn v6_in(address: Ipv6Addr, (base, prefix): (Ipv6Addr, u8)) -> bool {
    let differing = address.to_bits() ^ base.to_bits();
    differing.leading_zeros() >= u32::from(prefix)
}
