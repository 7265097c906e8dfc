//! The installation key: what secrets are encrypted with and looked up by.

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use cobro_domain::Entropy;
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use thiserror::Error;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// Length of a nonce of AES-GCM, in bytes.
const NONCE_LENGTH: usize = 12;

/// The key of an installation. Has no `Debug` and is wiped when dropped.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct InstallationKey {
    seal: [u8; 32],
    lookup: [u8; 32],
    numbers: [u8; 32],
    fingerprint: [u8; 32],
}

impl std::fmt::Debug for InstallationKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("InstallationKey")
    }
}

/// A sealed secret that cannot be opened: made with another key, or changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a sealed secret cannot be opened with this installation's key")]
pub struct CannotOpen;

impl InstallationKey {
    /// The key made of these bytes; separate keys for separate uses are derived from them.
    pub fn new(master: &[u8; 32]) -> Self {
        let derive = |purpose: &str| keyed_hash(master, purpose.as_bytes());
        Self {
            seal: derive("seal secrets"),
            lookup: derive("look credentials up"),
            numbers: derive("permute numbers"),
            fingerprint: derive("recognise cards"),
        }
    }

    /// A value that tells, without giving the key away, whether two keys are the same.
    pub fn check_value(&self) -> i64 {
        let [a, b, c, d, e, f, ..] = keyed_hash(&self.lookup, b"check value");
        i64::from_be_bytes([0, 0, a, b, c, d, e, f])
    }

    /// Encrypts a secret; `purpose` must be the same when it is opened.
    pub fn seal(&self, purpose: &str, secret: &[u8], entropy: &dyn Entropy) -> Vec<u8> {
        let mut nonce = [0; NONCE_LENGTH];
        entropy.fill(&mut nonce);
        let payload = Payload { msg: secret, aad: purpose.as_bytes() };
        let mut sealed = nonce.to_vec();
        // Fails only for messages of many gigabytes.
        if let Ok(text) = Aes256Gcm::new(&self.seal.into()).encrypt(&Nonce::from(nonce), payload) {
            sealed.extend(text);
        }
        sealed
    }

    /// Decrypts a secret.
    ///
    /// # Errors
    /// When it was sealed with another key or for another purpose, or was changed.
    pub fn open(&self, purpose: &str, sealed: &[u8]) -> Result<Vec<u8>, CannotOpen> {
        let (nonce, text) = sealed.split_first_chunk::<NONCE_LENGTH>().ok_or(CannotOpen)?;
        let payload = Payload { msg: text, aad: purpose.as_bytes() };
        Aes256Gcm::new(&self.seal.into())
            .decrypt(&Nonce::from(*nonce), payload)
            .map_err(|_| CannotOpen)
    }

    /// The keyed hash under which a credential is looked up, in hexadecimal.
    pub fn lookup_hash(&self, credential: &str) -> String {
        hex::encode(keyed_hash(&self.lookup, credential.as_bytes()))
    }

    /// The key of the fingerprints of cards; it does not change when vault keys rotate.
    pub const fn fingerprint_key(&self) -> [u8; 32] {
        self.fingerprint
    }

    /// A key for the permutation of the numbers of one kind.
    pub fn number_key(&self, kind: &str) -> u64 {
        let [a, b, c, d, e, f, g, h, ..] = keyed_hash(&self.numbers, kind.as_bytes());
        u64::from_be_bytes([a, b, c, d, e, f, g, h])
    }
}

/// HMAC-SHA-256.
pub fn keyed_hash(key: &[u8], message: &[u8]) -> [u8; 32] {
    match <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(key) {
        Ok(mut mac) => {
            mac.update(message);
            mac.finalize().into_bytes().into()
        }
        // HMAC takes keys of any length.
        Err(_) => [0; 32],
    }
}

/// SHA-256 of several parts, each preceded by its length.
pub fn digest(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

/// Whether two secrets are the same, in a time that does not tell where they differ.
pub fn same_secret(one: &[u8], other: &[u8]) -> bool {
    digest(&[one]).ct_eq(&digest(&[other])).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Counting;

    impl Entropy for Counting {
        fn fill(&self, bytes: &mut [u8]) {
            for (place, byte) in bytes.iter_mut().enumerate() {
                *byte = u8::try_from(place).unwrap_or(0);
            }
        }
    }

    #[test]
    fn secrets_open_only_with_key_and_purpose() {
        let key = InstallationKey::new(&[1; 32]);
        let sealed = key.seal("webhook", b"hush", &Counting);
        assert_eq!(key.open("webhook", &sealed), Ok(b"hush".to_vec()));
        assert!(!sealed.windows(4).any(|window| window == b"hush"));
        assert_eq!(key.open("other", &sealed), Err(CannotOpen));
        assert_eq!(InstallationKey::new(&[2; 32]).open("webhook", &sealed), Err(CannotOpen));
        for place in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[place] ^= 1;
            assert_eq!(key.open("webhook", &changed), Err(CannotOpen));
        }
        assert_eq!(key.open("webhook", b"short"), Err(CannotOpen));
    }

    #[test]
    fn hashes_depend_on_key_and_parts() {
        let (one, two) = (InstallationKey::new(&[1; 32]), InstallationKey::new(&[2; 32]));
        assert_ne!(one.lookup_hash("a"), two.lookup_hash("a"));
        assert_ne!(one.check_value(), two.check_value());
        assert_ne!(digest(&[b"ab", b"c"]), digest(&[b"a", b"bc"]));
        assert!(same_secret(b"a", b"a") && !same_secret(b"a", b"b"));
    }
}
