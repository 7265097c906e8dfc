//! Trial accounts: merchants that a merchant makes to try things out, a few at a time, that go
//! when nobody uses them.

use cobro_domain::MerchantId;
use cobro_domain::merchant::{Merchant, MerchantState};
use cobro_domain::terminal::OperatingMode;
use cobro_store::rows::{Timer, TimerKind, TrialRow};
use cobro_store::{ToCell, Tx};

use crate::accounts::{NewMerchant, insert, uuid_of};
use crate::emit::{next_number, require, set_timer, stop_timer};
use crate::error::{EngineError, Subject};
use crate::ports::NumberRange;
use crate::terminals::pair;
use crate::world::{Caller, World};

/// Uses that come faster than this count as one, in microseconds.
const USE_GRAIN_US: i64 = 60_000_000;

/// A trial account to be made.
#[derive(Clone, Debug)]
pub struct NewTrial {
    /// The merchant; its public id is drawn, and it gets a terminal of its own.
    pub merchant: NewMerchant,
    /// The numbers that public ids are drawn from.
    pub public_ids: NumberRange,
    /// How many its owner may have at a time.
    pub places: i64,
    /// After how many seconds without use it goes.
    pub idle_s: i64,
}

impl World {
    /// Makes a trial account; `None` when the owner has as many as it may have.
    ///
    /// # Errors
    /// A stale caller.
    #[crate::boxed]
    pub async fn add_trial(
        &self,
        caller: &Caller,
        new: NewTrial,
    ) -> Result<Option<Merchant>, EngineError> {
        let mut bytes = *uuid_of(self.entropy().seed()).as_bytes();
        // The owner's slot is the account's: both are written in one transaction.
        if let (Some(last), Some(slot)) = (bytes.last_mut(), caller.merchant.0.as_bytes().last()) {
            *last = *slot;
        }
        let id = MerchantId(uuid::Uuid::from_bytes(bytes));
        let sealed = self.seal_endpoints(id, &new.merchant.endpoints);
        let (world, caller) = (self.clone(), caller.clone());
        self.write(caller.merchant, move |tx| add(tx, &world, &caller, &new, id, &sealed)).await
    }

    /// Notes that a trial account is in use.
    ///
    /// # Errors
    /// When the store has no answer.
    #[crate::boxed]
    pub async fn trial_used(&self, account: MerchantId) -> Result<(), EngineError> {
        let found = self.store().read(move |reader| {
            reader.select::<TrialRow>("WHERE account = $1", &[account.to_cell()])
        });
        let now = self.now();
        let Some(row) = found.await?.into_iter().next() else { return Ok(()) };
        if now.micros() - row.used_at.micros() < USE_GRAIN_US {
            return Ok(());
        }
        let key = (row.owner, row.place);
        self.write(account, move |tx| {
            if let Some(row) = tx.get::<TrialRow>(&key)?.filter(|row| row.account == account) {
                tx.save(&TrialRow { used_at: tx.now(), ..row });
            }
            Ok(())
        })
        .await
    }
}

fn add(
    tx: &mut Tx<'_>,
    world: &World,
    caller: &Caller,
    new: &NewTrial,
    id: MerchantId,
    sealed: &[Vec<u8>],
) -> Result<Option<Merchant>, EngineError> {
    let owner = World::merchant_of(tx, caller)?.id;
    let mut free = None;
    for place in 0..new.places {
        if tx.get::<TrialRow>(&(owner, place))?.is_none() {
            free = Some(place);
            break;
        }
    }
    let Some(place) = free else { return Ok(None) };
    let public_id = next_number(tx, world, new.public_ids)?.to_string();
    let merchant = NewMerchant { public_id, ..new.merchant.clone() };
    insert(tx, world, id, &merchant, sealed)?;
    pair(tx, world, id, None, OperatingMode::Integrated, 1)?;
    let used_at = tx.now();
    tx.insert(&TrialRow { owner, place, account: id, idle_s: new.idle_s, used_at });
    let due_at = used_at.plus_seconds(new.idle_s);
    set_timer(tx, id, TimerKind::ExpireTrial, format!("{owner}/{place}"), due_at, 0)?;
    Ok(Some(require(tx, &(id,), Subject::Merchant)?))
}

/// Ends a trial account that has not been used for long enough; else looks again later.
pub(crate) fn expire(tx: &mut Tx<'_>, world: &World, timer: &Timer) -> Result<(), EngineError> {
    let account = timer.merchant;
    let key = timer
        .subject
        .split_once('/')
        .and_then(|(owner, place)| Some((MerchantId::parse(owner)?, place.parse::<i64>().ok()?)));
    let row = match key {
        Some(key) => tx.get::<TrialRow>(&key)?.filter(|row| row.account == account),
        None => None,
    };
    let Some(row) = row else { return stop_timer(tx, account, timer.kind, &timer.subject) };
    let due_at = row.used_at.plus_seconds(row.idle_s);
    if due_at > tx.now() {
        return set_timer(tx, account, timer.kind, timer.subject.clone(), due_at, 0);
    }
    stop_timer(tx, account, timer.kind, &timer.subject)?;
    tx.delete::<TrialRow>(&(row.owner, row.place));
    let merchant: Merchant = require(tx, &(account,), Subject::Merchant)?;
    let epoch = merchant.epoch + 1;
    tx.save(&Merchant { state: MerchantState::Expired, epoch, ..merchant });
    let world = world.clone();
    tx.after_commit(move || world.forget_callers());
    Ok(())
}
