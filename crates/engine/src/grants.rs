//! Working for others: grants that can be handed in once, and the credentials they become.
//!
//! A merchant consents, which makes a grant; whoever hands it in gets a credential for the
//! merchant and, where the dialect has that, a grant for the next one. What is handed in is kept
//! as a keyed hash alone. What has run out is taken away by a timer.

use cobro_domain::merchant::{Merchant, MerchantState};
use cobro_domain::{MerchantId, Timestamp};
use cobro_store::Tx;
use cobro_store::rows::{DirectoryRow, GrantRow, Timer, TimerKind};
use serde_json::Value;

use crate::emit::{require, set_timer, stop_timer};
use crate::error::{EngineError, Subject};
use crate::terminals::merged;
use crate::world::{Caller, World};

/// A grant to be made.
#[derive(Clone)]
pub struct NewGrant {
    /// What kind it is.
    pub kind: &'static str,
    /// What will be handed in.
    pub secret: String,
    /// What its dialect needs to know then, as JSON text.
    pub detail: String,
    /// For how long it is good, in seconds of the world's clock.
    pub lifetime_s: i64,
}

/// A credential to be made.
#[derive(Clone)]
pub struct NewCredential {
    /// What kind it is.
    pub kind: &'static str,
    /// The credential itself.
    pub secret: String,
    /// What it names besides the merchant.
    pub subject: String,
    /// For how long it is good, in seconds of the world's clock.
    pub lifetime_s: i64,
}

/// A name that leads to a merchant: a client that may work for it, for instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// Whose name it is.
    pub merchant: MerchantId,
    /// What it says besides.
    pub subject: String,
}

impl World {
    /// The tag of a world beside the main one, which its credentials carry.
    pub fn tag(&self) -> Option<&str> {
        self.id().strip_prefix("w_")
    }

    /// Gives a merchant a name by which it is found. One that is there stays as it is.
    ///
    /// # Errors
    /// When the store has no answer.
    #[crate::boxed]
    pub async fn add_name(
        &self,
        kind: &'static str,
        name: String,
        named: Named,
    ) -> Result<(), EngineError> {
        self.write(named.merchant, move |tx| {
            if tx.get::<DirectoryRow>(&(kind.to_owned(), name.clone()))?.is_none() {
                tx.insert(&DirectoryRow {
                    kind: kind.to_owned(),
                    value: name.clone(),
                    merchant: named.merchant,
                    subject: named.subject.clone(),
                });
            }
            Ok(())
        })
        .await
    }

    /// What a name leads to.
    ///
    /// # Errors
    /// When the store has no answer.
    #[crate::boxed]
    pub async fn find_name(
        &self,
        kind: &'static str,
        name: &str,
    ) -> Result<Option<Named>, EngineError> {
        let key = (kind.to_owned(), name.to_owned());
        let row = self.store().read(move |reader| reader.get::<DirectoryRow>(&key)).await?;
        Ok(row.map(|row| Named { merchant: row.merchant, subject: row.subject }))
    }

    /// A merchant's consent, as a code in the words of its dialect; the first dialect that knows
    /// such codes and a merchant of this name gives it. `detail` is what the code is bound to, as
    /// JSON text for the dialect.
    ///
    /// # Errors
    /// Unknown merchant, or one whose dialect has no such codes.
    #[crate::boxed]
    pub async fn consent(&self, public_id: &str, detail: &str) -> Result<String, EngineError> {
        for dialect in self.dialects() {
            let Some(merchant) = self.find_merchant(dialect.name(), public_id).await? else {
                continue;
            };
            let mut secret = [0; 16];
            self.entropy().fill(&mut secret);
            let secret = hex::encode(secret);
            let active = merchant.state == MerchantState::Active;
            let consent = dialect.consent(&merchant, self.tag(), &secret).filter(|_| active);
            if let Some(consent) = consent {
                let grant = NewGrant {
                    kind: consent.kind,
                    secret: consent.code.clone(),
                    detail: detail.to_owned(),
                    lifetime_s: consent.lifetime_s,
                };
                self.add_grant(merchant.id, grant).await?;
                return Ok(consent.code);
            }
        }
        Err(EngineError::NotFound(Subject::Merchant))
    }

    /// Makes a grant.
    ///
    /// # Errors
    /// Unknown merchant, or one that may not work.
    #[crate::boxed]
    pub async fn add_grant(&self, merchant: MerchantId, new: NewGrant) -> Result<(), EngineError> {
        let digest = self.key().lookup_hash(&new.secret);
        self.write(merchant, move |tx| {
            active(tx, merchant)?;
            insert_grant(tx, merchant, &new, digest.clone())
        })
        .await
    }

    /// Makes a credential for a merchant.
    ///
    /// # Errors
    /// Unknown merchant, or one that may not work.
    #[crate::boxed]
    pub async fn add_credential(
        &self,
        merchant: MerchantId,
        new: NewCredential,
    ) -> Result<(), EngineError> {
        let hash = self.key().lookup_hash(&new.secret);
        self.write(merchant, move |tx| {
            active(tx, merchant)?;
            insert_credential(tx, merchant, &new, hash.clone())
        })
        .await
    }

    /// What a grant says that is still good; `None` when there is none.
    ///
    /// # Errors
    /// When the store has no answer.
    #[crate::boxed]
    pub async fn grant(
        &self,
        merchant: MerchantId,
        kind: &'static str,
        secret: &str,
    ) -> Result<Option<String>, EngineError> {
        let key = (merchant, self.key().lookup_hash(secret));
        let row = self.store().read(move |reader| {
            let row = reader.get::<GrantRow>(&key)?;
            Ok(row.filter(|row| is_good(row, kind, reader.now())))
        });
        Ok(row.await?.map(|row| row.detail))
    }

    /// Hands a grant in: it is gone, and the credential is there, and the next grant if there is
    /// to be one. Answers whether the grant was good; of two that hand it in at once, one wins.
    ///
    /// # Errors
    /// Unknown merchant, or one that may not work.
    #[crate::boxed]
    pub async fn hand_in(
        &self,
        merchant: MerchantId,
        kind: &'static str,
        secret: &str,
        credential: NewCredential,
        next: Option<NewGrant>,
    ) -> Result<bool, EngineError> {
        let digest = self.key().lookup_hash(secret);
        let hash = self.key().lookup_hash(&credential.secret);
        let next = next.map(|next| (self.key().lookup_hash(&next.secret), next));
        self.write(merchant, move |tx| {
            active(tx, merchant)?;
            let key = (merchant, digest.clone());
            let row = tx.get::<GrantRow>(&key)?;
            if !row.is_some_and(|row| is_good(&row, kind, tx.now())) {
                return Ok(false);
            }
            tx.delete::<GrantRow>(&key);
            stop_timer(tx, merchant, TimerKind::ForgetGrant, &digest)?;
            insert_credential(tx, merchant, &credential, hash.clone())?;
            if let Some((digest, next)) = &next {
                insert_grant(tx, merchant, next, digest.clone())?;
            }
            Ok(true)
        })
        .await
    }

    /// Changes members of the settings of a caller's merchant.
    ///
    /// # Errors
    /// A stale caller.
    #[crate::boxed]
    pub async fn change_own_settings(
        &self,
        caller: &Caller,
        change: Vec<(String, Value)>,
    ) -> Result<(), EngineError> {
        let (world, caller) = (self.clone(), caller.clone());
        self.write(caller.merchant, move |tx| {
            let mut merchant = Self::merchant_of(tx, &caller)?;
            merchant.settings = merged(&merchant.settings, &change);
            // Whoever was recognised before sees the old settings.
            merchant.epoch += 1;
            tx.save(&merchant);
            let world = world.clone();
            tx.after_commit(move || world.forget_callers());
            Ok(())
        })
        .await
    }
}

fn is_good(row: &GrantRow, kind: &str, now: Timestamp) -> bool {
    row.kind == kind && row.expires_at > now
}

fn active(tx: &mut Tx<'_>, merchant: MerchantId) -> Result<(), EngineError> {
    let merchant: Merchant = require(tx, &(merchant,), Subject::Merchant)?;
    match merchant.state {
        MerchantState::Active => Ok(()),
        state => Err(EngineError::MerchantState(state)),
    }
}

fn insert_grant(
    tx: &mut Tx<'_>,
    merchant: MerchantId,
    new: &NewGrant,
    digest: String,
) -> Result<(), EngineError> {
    let expires_at = tx.now().plus_seconds(new.lifetime_s);
    tx.insert(&GrantRow {
        merchant,
        digest: digest.clone(),
        kind: new.kind.to_owned(),
        detail: new.detail.clone(),
        expires_at,
    });
    set_timer(tx, merchant, TimerKind::ForgetGrant, digest, expires_at, 0)
}

fn insert_credential(
    tx: &mut Tx<'_>,
    merchant: MerchantId,
    new: &NewCredential,
    hash: String,
) -> Result<(), EngineError> {
    tx.insert(&DirectoryRow {
        kind: new.kind.to_owned(),
        value: hash.clone(),
        merchant,
        subject: new.subject.clone(),
    });
    let due_at = tx.now().plus_seconds(new.lifetime_s);
    let subject = format!("{}:{hash}", new.kind);
    set_timer(tx, merchant, TimerKind::ForgetCredential, subject, due_at, 0)
}

/// Takes away what has run out.
pub(crate) fn forget(tx: &mut Tx<'_>, timer: &Timer) -> Result<(), EngineError> {
    stop_timer(tx, timer.merchant, timer.kind, &timer.subject)?;
    if timer.kind == TimerKind::ForgetGrant {
        let key = (timer.merchant, timer.subject.clone());
        if tx.get::<GrantRow>(&key)?.is_some() {
            tx.delete::<GrantRow>(&key);
        }
    } else if let Some((kind, hash)) = timer.subject.rsplit_once(':') {
        let key = (kind.to_owned(), hash.to_owned());
        if tx.get::<DirectoryRow>(&key)?.is_some() {
            tx.delete::<DirectoryRow>(&key);
        }
    }
    Ok(())
}
