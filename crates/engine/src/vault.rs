//! The card vault: envelope encryption, tokens, fingerprints.
//!
//! Each card has a data key of its own, wrapped by a key-encryption key with an id; both layers
//! are bound to merchant, card and key id. Security codes never come here. Encryption happens
//! before the lane.

use std::sync::{Arc, PoisonError, RwLock};

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use cobro_domain::card::{StoredCard, luhn};
use cobro_domain::{CardId, Entropy, MerchantId};
use thiserror::Error;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::secrets::keyed_hash;

/// Length of a nonce of AES-GCM, in bytes.
const NONCE_LENGTH: usize = 12;

/// A card as its holder knows it. Has no `Debug` and is wiped when dropped.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct CardData {
    /// The number, digits only.
    pub number: String,
    /// Month of expiry, 1 to 12.
    pub expiration_month: i64,
    /// Year of expiry, four digits.
    pub expiration_year: i64,
    /// The holder's name.
    pub holder: String,
}

/// A key-encryption key.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
struct Key {
    id: i64,
    bytes: [u8; 32],
}

/// Where the text of a vault's keys comes from; `None` when it cannot be read now.
pub type KeySource = Box<dyn Fn() -> Option<String> + Send + Sync>;

/// The current key, and the others that still open.
struct Ring {
    current: Key,
    others: Vec<Key>,
}

/// The keys of a vault. They can be replaced while it is in use.
pub struct VaultKeys {
    ring: RwLock<Arc<Ring>>,
    source: Option<KeySource>,
    fingerprint: Zeroizing<[u8; 32]>,
}

impl std::fmt::Debug for VaultKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VaultKeys").field("current", &self.current_id()).finish_non_exhaustive()
    }
}

/// Why vault keys or a sealed card cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum VaultError {
    /// The keys are not lines of `id:64 hexadecimal digits`.
    #[error("vault keys are lines of an id, a colon and 64 hexadecimal digits")]
    Keys,
    /// No key with the card's key id.
    #[error("the key of a stored card is missing")]
    KeyMissing,
    /// The card was sealed otherwise, changed, or destroyed.
    #[error("a stored card cannot be opened")]
    CannotOpen,
}

/// An encrypted card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedCard {
    /// Which key wraps the data key.
    pub key_id: i64,
    /// The wrapped data key.
    pub wrapped_key: Vec<u8>,
    /// The encrypted card.
    pub sealed: Vec<u8>,
}

impl VaultKeys {
    /// Keys from text: one `id:hex` per line or separated by commas; the highest id is current.
    /// `fingerprint` is the key of the fingerprints; it does not change when keys rotate.
    ///
    /// # Errors
    /// [`VaultError::Keys`].
    pub fn parse(text: &str, fingerprint: [u8; 32]) -> Result<Self, VaultError> {
        let ring = RwLock::new(Arc::new(Ring::parse(text)?));
        Ok(Self { ring, source: None, fingerprint: Zeroizing::new(fingerprint) })
    }

    /// The same keys, read anew from `source` by [`VaultKeys::refresh`], and when a card is met
    /// whose key is not among them.
    #[must_use]
    pub fn with_source(self, source: KeySource) -> Self {
        Self { source: Some(source), ..self }
    }

    /// Reads the keys anew; answers whether another one is current now. Keys that cannot be read
    /// leave those that there are.
    pub fn refresh(&self) -> bool {
        let text = self.source.as_ref().and_then(|source| source()).map(Zeroizing::new);
        let Some(ring) = text.and_then(|text| Ring::parse(&text).ok()) else { return false };
        let mut own = self.ring.write().unwrap_or_else(PoisonError::into_inner);
        let is_new = ring.current.id != own.current.id;
        *own = Arc::new(ring);
        is_new
    }

    fn ring(&self) -> Arc<Ring> {
        self.ring.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The key with this id.
    fn key(&self, id: i64) -> Result<Key, VaultError> {
        let find = || {
            let ring = self.ring();
            std::iter::once(&ring.current).chain(&ring.others).find(|key| key.id == id).cloned()
        };
        if let Some(key) = find() {
            return Ok(key);
        }
        // Another process may have made it a moment ago.
        self.refresh();
        find().ok_or(VaultError::KeyMissing)
    }

    /// The ids of all keys, the current one last.
    pub fn ids(&self) -> Vec<i64> {
        let ring = self.ring();
        ring.others.iter().chain([&ring.current]).map(|key| key.id).collect()
    }

    /// The id of the key that new cards are sealed with.
    pub fn current_id(&self) -> i64 {
        self.ring().current.id
    }

    /// Encrypts a card.
    pub fn seal(
        &self,
        merchant: MerchantId,
        id: CardId,
        card: &CardData,
        entropy: &dyn Entropy,
    ) -> SealedCard {
        let mut data_key = Zeroizing::new([0; 32]);
        entropy.fill(data_key.as_mut_slice());
        let plain = Zeroizing::new(format!(
            "{}\n{}\n{}\n{}",
            card.number, card.expiration_month, card.expiration_year, card.holder
        ));
        let bound = bound_to(merchant, id, 0);
        let sealed = encrypt(&data_key, &bound, plain.as_bytes(), entropy);
        let ring = self.ring();
        let bound = bound_to(merchant, id, ring.current.id);
        let wrapped_key = encrypt(&ring.current.bytes, &bound, data_key.as_slice(), entropy);
        SealedCard { key_id: ring.current.id, wrapped_key, sealed }
    }

    /// Decrypts a stored card.
    ///
    /// # Errors
    /// When its key is missing, or it was destroyed or changed.
    pub fn open(&self, card: &StoredCard) -> Result<CardData, VaultError> {
        let data_key = self.unwrap(card)?;
        let bound = bound_to(card.merchant, card.id, 0);
        let plain = Zeroizing::new(decrypt(&data_key, &bound, &card.sealed)?);
        let text = std::str::from_utf8(&plain).map_err(|_| VaultError::CannotOpen)?;
        let mut lines = text.splitn(4, '\n');
        let mut next = || lines.next().ok_or(VaultError::CannotOpen);
        let number = next()?.to_owned();
        let mut whole = || next()?.parse::<i64>().map_err(|_| VaultError::CannotOpen);
        let (expiration_month, expiration_year) = (whole()?, whole()?);
        let holder = next()?.to_owned();
        Ok(CardData { number, expiration_month, expiration_year, holder })
    }

    /// The data key of a card, wrapped by the current key; what it encrypts stays as it is.
    ///
    /// # Errors
    /// As [`VaultKeys::open`].
    pub fn rewrap(
        &self,
        card: &StoredCard,
        entropy: &dyn Entropy,
    ) -> Result<(i64, Vec<u8>), VaultError> {
        let data_key = self.unwrap(card)?;
        let ring = self.ring();
        let bound = bound_to(card.merchant, card.id, ring.current.id);
        let wrapped = encrypt(&ring.current.bytes, &bound, data_key.as_slice(), entropy);
        Ok((ring.current.id, wrapped))
    }

    /// A keyed hash of a number, to recognise the same card again.
    pub fn fingerprint(&self, number: &str) -> String {
        hex::encode(keyed_hash(self.fingerprint.as_slice(), number.as_bytes()))
    }

    fn unwrap(&self, card: &StoredCard) -> Result<Zeroizing<[u8; 32]>, VaultError> {
        let key = self.key(card.key_id)?;
        let bound = bound_to(card.merchant, card.id, key.id);
        let plain = Zeroizing::new(decrypt(&key.bytes, &bound, &card.wrapped_key)?);
        let bytes: [u8; 32] = plain.as_slice().try_into().map_err(|_| VaultError::CannotOpen)?;
        Ok(Zeroizing::new(bytes))
    }
}

impl Ring {
    /// Reads keys; two with one id are no keys.
    fn parse(text: &str) -> Result<Self, VaultError> {
        let mut keys: Vec<Key> = Vec::new();
        for line in text.split([',', '\n']).map(str::trim).filter(|line| !line.is_empty()) {
            let (id, digits) = line.split_once(':').ok_or(VaultError::Keys)?;
            let id: i64 = id.parse().map_err(|_| VaultError::Keys)?;
            let mut bytes = [0; 32];
            hex::decode_to_slice(digits, &mut bytes).map_err(|_| VaultError::Keys)?;
            if id < 1 || keys.iter().any(|key| key.id == id) {
                return Err(VaultError::Keys);
            }
            keys.push(Key { id, bytes });
        }
        keys.sort_by_key(|key| key.id);
        let current = keys.pop().ok_or(VaultError::Keys)?;
        Ok(Self { current, others: keys })
    }
}

/// What a ciphertext is bound to: merchant, card and key (0 for the card's own data key).
fn bound_to(merchant: MerchantId, id: CardId, key_id: i64) -> Vec<u8> {
    let mut bound = merchant.0.as_bytes().to_vec();
    bound.extend(id.0.as_bytes());
    bound.extend(key_id.to_be_bytes());
    bound
}

fn encrypt(key: &[u8; 32], bound: &[u8], plain: &[u8], entropy: &dyn Entropy) -> Vec<u8> {
    let mut nonce = [0; NONCE_LENGTH];
    entropy.fill(&mut nonce);
    let payload = Payload { msg: plain, aad: bound };
    let mut sealed = nonce.to_vec();
    // Fails only for messages of many gigabytes.
    if let Ok(text) = Aes256Gcm::new(key.into()).encrypt(&Nonce::from(nonce), payload) {
        sealed.extend(text);
    }
    sealed
}

fn decrypt(key: &[u8; 32], bound: &[u8], sealed: &[u8]) -> Result<Vec<u8>, VaultError> {
    let (nonce, text) = sealed.split_first_chunk::<NONCE_LENGTH>().ok_or(VaultError::CannotOpen)?;
    let payload = Payload { msg: text, aad: bound };
    Aes256Gcm::new(key.into())
        .decrypt(&Nonce::from(*nonce), payload)
        .map_err(|_| VaultError::CannotOpen)
}

/// A random token of 64 hexadecimal digits.
pub fn token(entropy: &dyn Entropy) -> String {
    let mut bytes = [0; 32];
    entropy.fill(&mut bytes);
    hex::encode(bytes)
}

/// A token of sixteen digits that ends like the card, fails the Luhn test and lies in no card
/// range: no issuer has numbers that begin with 99.
pub fn subtoken(last_digits: &str, entropy: &dyn Entropy) -> String {
    let mut bytes = [0; 8];
    entropy.fill(&mut bytes);
    let middle = u64::from_be_bytes(bytes) % 10_000_000_000;
    let subtoken = format!("99{middle:010}{last_digits:0>4}");
    if !luhn(&subtoken) {
        return subtoken;
    }
    // One more in one digit of the middle makes a number that passes fail.
    format!("99{:010}{last_digits:0>4}", (middle / 10) * 10 + (middle + 1) % 10)
}

#[cfg(test)]
mod tests {
    use super::*;
    use cobro_domain::Timestamp;
    use cobro_domain::card::{CardFacts, CardKind, StoredCardState};
    use std::sync::atomic::{AtomicU8, Ordering};
    use uuid::Uuid;

    struct Counting(AtomicU8);

    impl Entropy for Counting {
        fn fill(&self, bytes: &mut [u8]) {
            for byte in bytes {
                *byte = self.0.fetch_add(7, Ordering::Relaxed);
            }
        }
    }

    fn keys(text: &str) -> VaultKeys {
        VaultKeys::parse(text, [9; 32]).unwrap()
    }

    fn stored(keys: &VaultKeys, merchant: u128) -> StoredCard {
        let card = CardData {
            number: "4111111111111111".into(),
            expiration_month: 12,
            expiration_year: 2030,
            holder: "Rosa\nLemus".into(),
        };
        let (merchant, id) = (MerchantId(Uuid::from_u128(merchant)), CardId(Uuid::from_u128(2)));
        let sealed = keys.seal(merchant, id, &card, &Counting(AtomicU8::new(1)));
        StoredCard {
            merchant,
            id,
            token: "t".into(),
            subtoken: None,
            key_id: sealed.key_id,
            wrapped_key: sealed.wrapped_key,
            sealed: sealed.sealed,
            fingerprint: keys.fingerprint(&card.number),
            facts: CardFacts {
                brand: "visa".into(),
                kind: CardKind::Credit,
                bin: "411111".into(),
                last_digits: "1111".into(),
                issuer: String::new(),
                expiration_month: 12,
                expiration_year: 2030,
            },
            state: StoredCardState::Active,
            single_use: false,
            expires_at: None,
            luggage: String::new(),
            created_at: Timestamp::default(),
            changed_at: Timestamp::default(),
        }
    }

    const ONE: &str = "1:0101010101010101010101010101010101010101010101010101010101010101";
    const TWO: &str = "2:0202020202020202020202020202020202020202020202020202020202020202";

    #[test]
    fn cards_open_only_where_they_belong() {
        let keys = keys(ONE);
        let card = stored(&keys, 1);
        let opened = keys.open(&card).unwrap();
        assert_eq!((opened.number.as_str(), opened.expiration_year), ("4111111111111111", 2030));
        assert_eq!(opened.holder, "Rosa\nLemus");
        assert!(!card.sealed.windows(4).any(|window| window == b"4111"));
        let elsewhere = StoredCard { merchant: MerchantId(Uuid::from_u128(3)), ..card.clone() };
        assert_eq!(keys.open(&elsewhere).err(), Some(VaultError::CannotOpen));
        let destroyed = StoredCard { wrapped_key: Vec::new(), sealed: Vec::new(), ..card };
        assert_eq!(keys.open(&destroyed).err(), Some(VaultError::CannotOpen));
    }

    #[test]
    fn keys_rotate_without_touching_the_card() {
        let old = keys(ONE);
        let card = stored(&old, 1);
        let both = keys(&format!("{ONE}\n{TWO}"));
        assert_eq!((old.current_id(), both.current_id()), (1, 2));
        assert!(both.open(&card).is_ok());
        let (key_id, wrapped_key) = both.rewrap(&card, &Counting(AtomicU8::new(3))).unwrap();
        let rotated = StoredCard { key_id, wrapped_key, ..card.clone() };
        let new = keys(TWO);
        assert!(new.open(&rotated).is_ok());
        assert_eq!(new.open(&card).err(), Some(VaultError::KeyMissing));
        assert_eq!(old.open(&rotated).err(), Some(VaultError::KeyMissing));
        assert_eq!(old.fingerprint("4111"), new.fingerprint("4111"));
    }

    #[test]
    fn a_key_that_is_missing_is_looked_for_again() {
        let text = Arc::new(std::sync::Mutex::new(ONE.to_owned()));
        let source = text.clone();
        let read = move || Some(source.lock().unwrap().clone());
        let watched = keys(ONE).with_source(Box::new(read));
        let card = stored(&keys(TWO), 1);
        assert_eq!(watched.open(&card).err(), Some(VaultError::KeyMissing));
        assert!(!watched.refresh());
        *text.lock().unwrap() = format!("{ONE}\n{TWO}");
        assert!(watched.open(&card).is_ok());
        assert_eq!(watched.ids(), [1, 2]);
        *text.lock().unwrap() = "broken".to_owned();
        assert!(!watched.refresh());
        assert_eq!(watched.current_id(), 2);
    }

    #[test]
    fn wrong_keys_are_refused() {
        let twice = format!("{ONE},{ONE}");
        let zero = ONE.replacen("1:", "0:", 1);
        for wrong in ["", "1", "x:00", "1:00", "1:zz", &twice, &zero] {
            assert_eq!(VaultKeys::parse(wrong, [0; 32]).err(), Some(VaultError::Keys), "{wrong}");
        }
    }

    #[test]
    fn subtokens_are_no_card_numbers() {
        for seed in 0..=255 {
            let made = subtoken("1111", &Counting(AtomicU8::new(seed)));
            assert_eq!(made.len(), 16);
            assert!(made.starts_with("99") && made.ends_with("1111") && !luhn(&made), "{made}");
        }
    }
}
