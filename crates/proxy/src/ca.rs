//! The development CA: signs certificates for the providers' hosts and can sign for nothing else.
//!
//! Whoever trusts it trusts the program on this machine for the listed hosts, and for no other
//! site: the certificate carries name constraints (RFC 5280, section 4.2.1.10), which clients
//! check. IP addresses and mail addresses are excluded, because a constraint on DNS names alone
//! leaves other kinds of names free.

use std::sync::Arc;
use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DnType, ExtendedKeyUsagePurpose,
    GeneralSubtree, IsCa, Issuer, KeyPair, KeyUsagePurpose, NameConstraints, SerialNumber,
};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::CertifiedKey;
use sha2::{Digest as _, Sha256};

const DAY: i64 = 24 * 60 * 60;

/// How long the CA is good for, in seconds, and when a new certificate is made instead.
const CA_LIFETIME: i64 = 1_825 * DAY;
const CA_LEFT_MIN: i64 = 90 * DAY;

/// How long a leaf is good for, in seconds: less than Apple's systems allow at most.
const LEAF_LIFETIME: i64 = 60 * DAY;

/// How far a client's clock may be behind ours, in seconds.
const CLOCK_SKEW: i64 = DAY;

/// What went wrong with the CA or a leaf.
#[derive(Debug, thiserror::Error)]
pub enum CaError {
    /// A key or a certificate could not be made.
    #[error("a certificate could not be made: {0}")]
    Made(#[from] rcgen::Error),
    /// The stored key is not a P-256 key in PKCS#8 PEM.
    #[error("the key of the development CA cannot be read: {0}")]
    Key(rcgen::Error),
    /// A key is not one that TLS can use.
    #[error("a key cannot be used for TLS: {0}")]
    Tls(#[from] rustls::Error),
    /// The files cannot be read or written.
    #[error("the development CA cannot be kept: {0}")]
    Kept(String),
}

/// A CA whose certificate is constrained to a list of hosts. Deliberately without `Debug`: it
/// holds the key.
pub struct DevelopmentCa {
    certificate_pem: String,
    certificate_der: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
    not_after: i64,
}

/// A certificate with its key, as TLS wants it.
pub struct Leaf {
    /// For rustls.
    pub certified: Arc<CertifiedKey>,
    /// Until when it is good, in seconds since 1970.
    pub not_after: i64,
    /// The certificate.
    pub certificate_pem: String,
}

/// A new key for a CA, as PKCS#8 in PEM: ECDSA on P-256.
///
/// # Errors
/// When the system has no random numbers.
pub fn generate_key() -> Result<String, CaError> {
    Ok(KeyPair::generate()?.serialize_pem())
}

impl DevelopmentCa {
    /// A new certificate for a key, constrained to `hosts`, from `now` (seconds since 1970).
    ///
    /// # Errors
    /// When the key cannot be read or a host is no DNS name.
    pub fn create(key_pem: &str, hosts: &[&str], now: i64) -> Result<Self, CaError> {
        let key = KeyPair::from_pem(key_pem).map_err(CaError::Key)?;
        let params = ca_params(&key, hosts, now);
        let not_after = now.saturating_add(CA_LIFETIME);
        let certificate = params.self_signed(&key)?;
        let certificate_der = certificate.der().clone();
        let header = header(&fingerprint(&key), hosts, not_after, &certificate_der);
        let certificate_pem = format!("{header}{}", certificate.pem());
        let issuer = Issuer::new(params, key);
        Ok(Self { certificate_pem, certificate_der, issuer, not_after })
    }

    /// The CA of a stored key and certificate; `None` when the certificate is for another key or
    /// other hosts, is damaged, or will soon expire: then a new one is to be made.
    ///
    /// # Errors
    /// When the key cannot be read.
    pub fn load(
        key_pem: &str,
        certificate_pem: &str,
        hosts: &[&str],
        now: i64,
    ) -> Result<Option<Self>, CaError> {
        let key = KeyPair::from_pem(key_pem).map_err(CaError::Key)?;
        let Some(not_after) = not_after_of(certificate_pem) else { return Ok(None) };
        let left = not_after.saturating_sub(now);
        let Ok(certificate_der) = CertificateDer::from_pem_slice(certificate_pem.as_bytes()) else {
            return Ok(None);
        };
        let expected = header(&fingerprint(&key), hosts, not_after, &certificate_der);
        if !certificate_pem.starts_with(&expected) || !(CA_LEFT_MIN..=CA_LIFETIME).contains(&left) {
            return Ok(None);
        }
        let params = ca_params(&key, hosts, not_after.saturating_sub(CA_LIFETIME));
        let certificate_pem = certificate_pem.to_owned();
        let issuer = Issuer::new(params, key);
        Ok(Some(Self { certificate_pem, certificate_der, issuer, not_after }))
    }

    /// The certificate in PEM, with a few lines before it that say what it is.
    #[must_use]
    pub fn certificate_pem(&self) -> &str {
        &self.certificate_pem
    }

    /// The certificate.
    #[must_use]
    pub fn certificate_der(&self) -> &CertificateDer<'static> {
        &self.certificate_der
    }

    /// SHA-256 of the certificate, in hexadecimal digits.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        hex::encode(Sha256::digest(&self.certificate_der))
    }

    /// Until when the CA is good, in seconds since 1970.
    #[must_use]
    pub fn not_after(&self) -> i64 {
        self.not_after
    }

    /// A certificate for `names` with a key of its own. Names outside the CA's constraints can be
    /// signed too: it is the client that refuses them.
    ///
    /// # Errors
    /// When a name is neither a DNS name nor an IP address.
    pub fn leaf(&self, names: &[&str], now: i64) -> Result<Leaf, CaError> {
        let key = KeyPair::generate()?;
        let list: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(list)?;
        let not_after = now.saturating_add(LEAF_LIFETIME);
        good_for(&mut params, now, LEAF_LIFETIME);
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::OrganizationName, "Cobro development");
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let certificate = params.signed_by(&key, &self.issuer)?;
        let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let signing = rustls::crypto::ring::sign::any_supported_type(&private)?;
        let certified = CertifiedKey::new(vec![certificate.der().clone()], signing);
        Ok(Leaf { certified: Arc::new(certified), not_after, certificate_pem: certificate.pem() })
    }
}

fn ca_params(key: &KeyPair, hosts: &[&str], now: i64) -> CertificateParams {
    let mut params = CertificateParams::default();
    good_for(&mut params, now, CA_LIFETIME);
    // Browsers refuse two certificates of one issuer with one number.
    params.serial_number = Some(SerialNumber::from(now.unsigned_abs()));
    let short: String = fingerprint(key).chars().take(8).collect();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::OrganizationName, "Cobro development");
    params.distinguished_name.push(DnType::CommonName, format!("Cobro development CA {short}"));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let permitted = hosts.iter().map(|host| GeneralSubtree::DnsName((*host).to_owned()));
    params.name_constraints = Some(NameConstraints {
        permitted_subtrees: permitted.collect(),
        excluded_subtrees: vec![
            GeneralSubtree::IpAddress(CidrSubnet::from_v4_prefix([0; 4], 0)),
            GeneralSubtree::IpAddress(CidrSubnet::from_v6_prefix([0; 16], 0)),
        ],
    });
    params
}

fn fingerprint(key: &KeyPair) -> String {
    hex::encode(Sha256::digest(key.public_key_raw()))
}

/// The lines before the certificate. They tell a reader what it is and us what it was made for.
fn header(key: &str, hosts: &[&str], not_after: i64, certificate: &[u8]) -> String {
    format!(
        "Cobro development CA: certificates for the hosts below, and for no others.\n\
         key: {key}\ncertificate: {}\nnot-after: {not_after}\nhosts: {}\n",
        hex::encode(Sha256::digest(certificate)),
        hosts.join(" ")
    )
}

fn not_after_of(certificate_pem: &str) -> Option<i64> {
    certificate_pem.lines().find_map(|line| line.strip_prefix("not-after: "))?.parse().ok()
}

/// Sets the time for which a certificate is good, both in seconds; before 1970 is 1970.
fn good_for(params: &mut CertificateParams, now: i64, lifetime: i64) {
    let date = |seconds: i64| {
        let since = Duration::from_secs(u64::try_from(seconds).unwrap_or(0));
        rcgen::date_time_ymd(1970, 1, 1) + since
    };
    params.not_before = date(now.saturating_sub(CLOCK_SKEW));
    params.not_after = date(now.saturating_add(lifetime));
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000;
    const HOSTS: [&str; 2] = ["api.one.example", "api.two.example"];

    #[test]
    fn a_stored_ca_is_the_same_until_something_changes() {
        let key = generate_key().unwrap();
        let made = DevelopmentCa::create(&key, &HOSTS, NOW).unwrap();
        let load = |key: &str, pem: &str, hosts: &[&str], now: i64| {
            DevelopmentCa::load(key, pem, hosts, now).unwrap()
        };
        let pem = made.certificate_pem();
        let again = load(&key, pem, &HOSTS, NOW + DAY).unwrap();
        assert_eq!(again.fingerprint(), made.fingerprint());
        assert_eq!(again.not_after(), NOW + CA_LIFETIME);
        let other_key = generate_key().unwrap();
        let damaged = pem.replace("MII", "MIJ");
        let for_other_key = pem.replace(&pem[80..150], "");
        for (case, key, pem, hosts, now) in [
            ("another key", &*other_key, pem, &HOSTS[..], NOW),
            ("other hosts", &key, pem, &HOSTS[..1], NOW),
            ("about to expire", &key, pem, &HOSTS[..], NOW + CA_LIFETIME - CA_LEFT_MIN + 1),
            ("from the future", &key, pem, &HOSTS[..], NOW - DAY),
            ("damaged", &key, &damaged, &HOSTS[..], NOW),
            ("cut header", &key, &for_other_key, &HOSTS[..], NOW),
            ("empty", &key, "", &HOSTS[..], NOW),
        ] {
            assert!(load(key, pem, hosts, now).is_none(), "{case}");
        }
        assert!(matches!(DevelopmentCa::load("nothing", pem, &HOSTS, NOW), Err(CaError::Key(_))));
    }

    #[test]
    fn a_leaf_of_a_loaded_ca_names_the_same_issuer() {
        let key = generate_key().unwrap();
        let made = DevelopmentCa::create(&key, &HOSTS, NOW).unwrap();
        let again =
            DevelopmentCa::load(&key, made.certificate_pem(), &HOSTS, NOW).unwrap().unwrap();
        let subject = format!(
            "Cobro development CA {}",
            &fingerprint(&KeyPair::from_pem(&key).unwrap())[..8]
        );
        let leaf = again.leaf(&HOSTS[..1], NOW).unwrap();
        let der = CertificateDer::from_pem_slice(leaf.certificate_pem.as_bytes()).unwrap();
        for held in [made.certificate_der(), &der] {
            assert!(held.windows(subject.len()).any(|window| window == subject.as_bytes()));
        }
        assert!(made.leaf(&["not a name \u{e9}"], NOW).is_err());
    }
}
