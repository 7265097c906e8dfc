//! The providers' hosts: whose traffic ends at Cobro, and for whom the development CA may sign.
//!
//! The one place where they are listed. A host is listed when programs send API calls to it, live,
//! test or regional; hosts that only people visit are not, but for the sign-in of sellers, which
//! belongs to the API's OAuth.

/// A provider's host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProviderHost {
    /// The name, in lower case.
    pub name: &'static str,
    /// The dialect, in the word of the control API.
    pub dialect: &'static str,
    /// What the provider has before every path on this host; empty on most.
    pub prefix: &'static str,
}

const fn host(dialect: &'static str, name: &'static str) -> ProviderHost {
    ProviderHost { name, dialect, prefix: "" }
}

const fn redirection(name: &'static str) -> ProviderHost {
    ProviderHost { name, dialect: "placetopay", prefix: "/redirection" }
}

/// Every host that ends at Cobro. Clip: reference, section 0. Placetopay: reference, section 0,
/// with the older base that has a path. Mercado Pago: one API host for all countries, the
/// sellers' consent per country, and where old SDKs send statistics of their calls, which would
/// otherwise leave the machine.
pub const HOSTS: &[ProviderHost] = &[
    host("mercadopago", "api.mercadopago.com"),
    host("mercadopago", "auth.mercadopago.com"),
    host("mercadopago", "auth.mercadopago.com.ar"),
    host("mercadopago", "auth.mercadopago.com.br"),
    host("mercadopago", "auth.mercadopago.com.mx"),
    host("mercadopago", "events.mercadopago.com"),
    host("clip", "api.payclip.com"),
    host("clip", "api-gw.payclip.com"),
    host("clip", "api-secure.payclip.com"),
    host("clip", "testapi-gw.payclip.com"),
    host("clip", "sandbox.payclip.com"),
    host("clip", "api.payclip.io"),
    host("placetopay", "checkout.placetopay.com"),
    host("placetopay", "checkout-test.placetopay.com"),
    host("placetopay", "checkout.placetopay.ec"),
    host("placetopay", "checkout-test.placetopay.ec"),
    host("placetopay", "checkout.getnet.cl"),
    host("placetopay", "checkout.test.getnet.cl"),
    redirection("test.placetopay.com"),
    redirection("dev.placetopay.com"),
];

/// Words by which a host looks like a provider's, listed or not.
const LOOKALIKES: [&str; 5] = ["mercadopago", "mercadolibre", "payclip", "placetopay", "getnet.cl"];

/// The listed host of this name. Case and a dot at the end do not matter; a port must be off.
#[must_use]
pub fn find(name: &str) -> Option<&'static ProviderHost> {
    let name = name.strip_suffix('.').unwrap_or(name);
    HOSTS.iter().find(|host| host.name.eq_ignore_ascii_case(name))
}

/// The listed host of an authority, `name` or `name:port`.
#[must_use]
pub fn find_authority(authority: &str) -> Option<&'static ProviderHost> {
    match authority.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => find(name),
        Some(_) => None,
        None => find(authority),
    }
}

/// Whether an unlisted host looks as if it belonged to a provider: a hint for a diagnosis.
#[must_use]
pub fn looks_like_a_provider(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    find(&name).is_none() && LOOKALIKES.iter().any(|word| name.contains(word))
}

/// All names, for the CA's constraints and for hosts files.
#[must_use]
pub fn names() -> Vec<&'static str> {
    HOSTS.iter().map(|host| host.name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_host_is_listed_once_and_found() {
        for host in HOSTS {
            assert_eq!(find(host.name), Some(host), "{}", host.name);
            assert_eq!(HOSTS.iter().filter(|other| other.name == host.name).count(), 1);
            assert_eq!(host.name, host.name.to_ascii_lowercase());
        }
    }

    #[test]
    fn spellings() {
        for (authority, found) in [
            ("api.mercadopago.com", true),
            ("API.MercadoPago.com", true),
            ("api.mercadopago.com.", true),
            ("api.mercadopago.com:443", true),
            ("api.mercadopago.com:", true),
            ("api.mercadopago.com:x", false),
            ("x.api.mercadopago.com", false),
            ("mercadopago.com", false),
            ("api.mercadopago.com.evil.example", false),
            ("", false),
            (":443", false),
        ] {
            assert_eq!(find_authority(authority).is_some(), found, "{authority}");
        }
    }

    #[test]
    fn lookalikes() {
        for (name, looks) in [
            ("api.mercadopago.com", false),
            ("api2.mercadopago.com", true),
            ("Secure.PlacetoPay.com", true),
            ("example.com", false),
        ] {
            assert_eq!(looks_like_a_provider(name), looks, "{name}");
        }
    }
}
