//! Charges that any of a merchant's terminals may take: a list of pending charges instead of a
//! terminal's own queue.

use cobro_domain::id::IdSource;
use cobro_domain::intent::{Intent, IntentAction, IntentPhase, IntentState};
use cobro_domain::merchant::Merchant;
use cobro_domain::money::Money;
use cobro_domain::terminal::Terminal;
use cobro_domain::{IntentId, MerchantId, TerminalId};
use cobro_store::rows::{AliasRow, TimerKind};
use cobro_store::{Reader, StoreError, ToCell, Tx};
use serde_json::Value;

use crate::emit::{emit_intent, require, set_timer, stop_timer};
use crate::error::{EngineError, Subject};
use crate::intents::{IntentView, read_intent_view};
use crate::terminals::merged;
use crate::world::{Caller, Change, World};

/// How many pending charges a terminal shows.
pub const POOL_MAX: i64 = 200;

/// A charge for the list.
#[derive(Clone, Debug)]
pub struct NewCharge {
    /// How much.
    pub amount: Money,
    /// Who shall see it, in lower case, or the id of the one terminal that shall; everybody when
    /// absent.
    pub assignee: Option<String>,
    /// Names of it that are unique for the merchant: kind and value. The first is the reference
    /// that makes a second charge of the same name a repetition.
    pub names: Vec<(&'static str, String)>,
    /// Whether a decline leaves it on the terminal for another try.
    pub retry_declined: bool,
    /// What the dialect gives back, as JSON text.
    pub luggage: String,
    /// After how many seconds it is abandoned.
    pub abandon_after_s: i64,
}

/// A charge that was made, or that was there under the same reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registered {
    /// The charge.
    pub intent: Intent,
    /// Whether this call made it.
    pub is_new: bool,
}

impl World {
    /// Puts a charge on the list. A reference that is taken leads to the charge that has it.
    ///
    /// # Errors
    /// A stale caller.
    #[crate::boxed]
    pub async fn register_charge(
        &self,
        caller: &Caller,
        new: NewCharge,
    ) -> Result<Registered, EngineError> {
        let (world, caller, seed) = (self.clone(), caller.clone(), self.entropy().seed());
        self.write(caller.merchant, move |tx| register(tx, &world, &caller, &new, seed)).await
    }

    /// Lets a charge wait for one terminal behind the intent that it has taken: one may.
    ///
    /// # Errors
    /// A stale caller, an unknown or foreign terminal, one that has taken nothing, or one for which
    /// another charge waits.
    #[crate::boxed]
    pub async fn enqueue_charge(
        &self,
        caller: &Caller,
        id: TerminalId,
        new: NewCharge,
    ) -> Result<Intent, EngineError> {
        let (world, caller, seed) = (self.clone(), caller.clone(), self.entropy().seed());
        let new = NewCharge { assignee: Some(id.0.clone()), ..new };
        self.write(caller.merchant, move |tx| enqueue(tx, &world, &caller, &id, &new, seed)).await
    }

    /// Takes a charge off the list, as long as no terminal has taken it.
    ///
    /// # Errors
    /// Unknown or foreign charge, or one whose state does not allow it.
    #[crate::boxed]
    pub async fn withdraw_charge(
        &self,
        caller: &Caller,
        id: IntentId,
    ) -> Result<Intent, EngineError> {
        let (world, caller, seed) = (self.clone(), caller.clone(), self.entropy().seed());
        self.write(caller.merchant, move |tx| {
            let merchant = Self::merchant_of(tx, &caller)?;
            let intent: Intent = require(tx, &(merchant.id, id), Subject::Intent)?;
            let intent = intent.after(IntentAction::Cancel, tx.now())?;
            tx.save(&intent);
            stop_timer(tx, merchant.id, TimerKind::AbandonIntent, &id.to_string())?;
            let mut ids = tx.ids(seed);
            emit_intent(tx, &world, &mut ids, &merchant, &intent, None)?;
            Ok(intent)
        })
        .await
    }

    /// The id of what a merchant calls by this name.
    ///
    /// # Errors
    /// When the store has no answer.
    #[crate::boxed]
    pub async fn by_alias(
        &self,
        merchant: MerchantId,
        kind: &'static str,
        value: &str,
    ) -> Result<Option<String>, EngineError> {
        let key = (merchant, kind.to_owned(), value.to_owned());
        let found = self.store().read(move |reader| reader.get::<AliasRow>(&key)).await?;
        Ok(found.map(|row| row.subject))
    }

    /// The pending charges of a merchant that a terminal shows to who is signed in, the oldest
    /// first.
    ///
    /// # Errors
    /// When the store has no answer.
    #[crate::boxed]
    pub async fn pending_for(&self, terminal: &Terminal) -> Result<Vec<Intent>, EngineError> {
        let terminal = terminal.clone();
        Ok(self.store().read(move |reader| pending(reader, &terminal)).await?)
    }

    /// Intents of a merchant with their payments, whatever became of them, the newest first: those
    /// for one person where one is named, and those made before `before` where a page is continued.
    ///
    /// # Errors
    /// When the store has no answer.
    #[crate::boxed]
    pub async fn charges_of(
        &self,
        merchant: MerchantId,
        assignee: Option<String>,
        before: Option<IntentId>,
        limit: i64,
    ) -> Result<Vec<IntentView>, EngineError> {
        let before = before.map_or_else(uuid::Uuid::max, |before| before.0);
        let found = self.store().read(move |reader| {
            let (merchant, before, limit) = (merchant.to_cell(), before.to_cell(), limit.to_cell());
            let (rest, params) = match &assignee {
                None => (
                    "WHERE merchant = $1 AND id < $2 ORDER BY merchant DESC, id DESC LIMIT $3",
                    vec![merchant, before, limit],
                ),
                Some(assignee) => (
                    "WHERE merchant = $1 AND assignee = $2 AND id < $3 \
                     ORDER BY merchant DESC, assignee DESC, id DESC LIMIT $4",
                    vec![merchant, assignee.to_cell(), before, limit],
                ),
            };
            let intents = reader.select::<Intent>(rest, &params)?;
            intents.into_iter().map(|intent| read_intent_view(reader, intent)).collect()
        });
        Ok(found.await?)
    }

    /// The intent of a merchant that a person names: by its id, or by one of the names that its
    /// dialect gives to intents.
    ///
    /// # Errors
    /// Unknown intent.
    #[crate::boxed]
    pub async fn find_intent(
        &self,
        merchant: &Merchant,
        name: &str,
    ) -> Result<IntentId, EngineError> {
        let dialect = self.dialect(&merchant.channel)?;
        if let Some(id) = dialect.intent_id(name) {
            return Ok(id);
        }
        for kind in dialect.intent_names() {
            let found = self.by_alias(merchant.id, kind, name).await?;
            if let Some(id) = found.as_deref().and_then(IntentId::parse) {
                return Ok(id);
            }
        }
        Err(EngineError::NotFound(Subject::Intent))
    }

    /// The charge that a terminal takes when none is named: the oldest that it shows, when its
    /// own queue is empty.
    pub(crate) async fn first_for(
        &self,
        merchant: MerchantId,
        id: &TerminalId,
    ) -> Result<Option<IntentId>, EngineError> {
        let key = (merchant, id.clone());
        let found = self.store().read(move |reader| reader.get::<Terminal>(&key)).await?;
        match found {
            Some(terminal) if terminal.current.is_none() => {
                Ok(self.pending_for(&terminal).await?.first().map(|intent| intent.id))
            }
            _ => Ok(None),
        }
    }
}

/// The charges that a terminal shows to who is signed in, the oldest first.
pub(crate) fn pending(
    reader: &mut Reader<'_>,
    terminal: &Terminal,
) -> Result<Vec<Intent>, StoreError> {
    let mut found = Vec::new();
    // What waits for this terminal alone comes first.
    if let Some(next) = next_of(terminal) {
        let waiting = reader.get::<Intent>(&(terminal.merchant, next))?;
        found.extend(waiting.filter(|intent| waits_for(intent, terminal)));
    }
    if shows_charges(terminal) {
        let cashier = cashier(terminal).unwrap_or_default();
        let params = [terminal.merchant.to_cell(), cashier.to_cell(), POOL_MAX.to_cell()];
        let rest = "WHERE merchant = $1 AND phase = 'open' AND terminal IS NULL \
                    AND (assignee IS NULL OR assignee = $2) ORDER BY merchant, id LIMIT $3";
        found.extend(reader.select::<Intent>(rest, &params)?);
    }
    Ok(found)
}

fn setting(terminal: &Terminal, name: &str) -> Option<Value> {
    let settings: Value = serde_json::from_str(&terminal.settings).ok()?;
    settings.get(name).cloned()
}

/// Whether a terminal shows charges that come from a point of sale at all.
fn shows_charges(terminal: &Terminal) -> bool {
    setting(terminal, "b2b_transactions").and_then(|value| value.as_bool()).unwrap_or(false)
}

/// The setting of a terminal that names the charge which waited for it last.
const NEXT: &str = "next";

/// The charge that waited for a terminal last; it may be over by now.
fn next_of(terminal: &Terminal) -> Option<IntentId> {
    IntentId::parse(setting(terminal, NEXT)?.as_str()?)
}

/// Whether a charge waits for this terminal alone.
fn waits_for(intent: &Intent, terminal: &Terminal) -> bool {
    let is_named = intent.assignee.as_deref() == Some(terminal.id.0.as_str());
    is_named && intent.terminal.is_none() && intent.phase() == IntentPhase::Open
}

/// Whether a charge is for who is signed in at a terminal.
fn is_for(intent: &Intent, terminal: &Terminal) -> bool {
    match &intent.assignee {
        None => true,
        Some(assignee) => cashier(terminal).is_some_and(|cashier| cashier == *assignee),
    }
}

/// Who is signed in at a terminal, in lower case.
fn cashier(terminal: &Terminal) -> Option<String> {
    let cashier = setting(terminal, "cashier")?;
    cashier.as_str().map(str::to_lowercase)
}

fn register(
    tx: &mut Tx<'_>,
    world: &World,
    caller: &Caller,
    new: &NewCharge,
    seed: [u8; 16],
) -> Result<Registered, EngineError> {
    let merchant: Merchant = World::merchant_of(tx, caller)?;
    let key = |kind: &str, value: &str| (merchant.id, kind.to_owned(), value.to_owned());
    if let Some((kind, value)) = new.names.first()
        && let Some(row) = tx.get::<AliasRow>(&key(kind, value))?
    {
        let id = IntentId::parse(&row.subject)
            .ok_or_else(|| EngineError::Fault("an alias names no intent".to_owned()))?;
        let intent: Intent = require(tx, &(merchant.id, id), Subject::Intent)?;
        return Ok(Registered { intent, is_new: false });
    }
    let mut ids = tx.ids(seed);
    let intent = Intent {
        merchant: merchant.id,
        id: IntentId(ids.next_uuid()),
        terminal: None,
        assignee: new.assignee.clone(),
        refund_of: None,
        amount: new.amount,
        card_kind: None,
        installments: 1,
        retry_declined: new.retry_declined,
        scenario: None,
        luggage: new.luggage.clone(),
        state: IntentState::Open,
        deadline: None,
        created_at: tx.now(),
        changed_at: tx.now(),
    };
    tx.insert(&intent);
    for (kind, value) in &new.names {
        if tx.get::<AliasRow>(&key(kind, value))?.is_some() {
            return Err(EngineError::Exists(Subject::Intent));
        }
        tx.insert(&AliasRow {
            merchant: merchant.id,
            kind: (*kind).to_owned(),
            value: value.clone(),
            subject: intent.id.to_string(),
        });
    }
    let due_at = tx.now().plus_seconds(new.abandon_after_s);
    let subject = intent.id.to_string();
    set_timer(tx, merchant.id, TimerKind::AbandonIntent, subject, due_at, 0)?;
    emit_intent(tx, world, &mut ids, &merchant, &intent, None)?;
    Ok(Registered { intent, is_new: true })
}

fn enqueue(
    tx: &mut Tx<'_>,
    world: &World,
    caller: &Caller,
    id: &TerminalId,
    new: &NewCharge,
    seed: [u8; 16],
) -> Result<Intent, EngineError> {
    let merchant = caller.merchant;
    let mut terminal: Terminal = require(tx, &(merchant, id.clone()), Subject::Terminal)?;
    let current = terminal.current.ok_or(EngineError::NothingTaken)?;
    let current: Intent = require(tx, &(merchant, current), Subject::Intent)?;
    let next = match next_of(&terminal) {
        Some(next) => tx.get::<Intent>(&(merchant, next))?,
        None => None,
    };
    let is_taken = next.is_some_and(|next| waits_for(&next, &terminal));
    if is_taken || current.phase() == IntentPhase::Open {
        return Err(EngineError::TerminalBusy);
    }
    let registered = register(tx, world, caller, new, seed)?;
    let intent = registered.intent;
    let change = [(NEXT.to_owned(), Value::from(intent.id.to_string()))];
    terminal.settings = merged(&terminal.settings, &change);
    tx.save(&terminal);
    Ok(intent)
}

/// A terminal takes a charge from the list: exactly one of those that try does.
pub(crate) fn take(
    tx: &mut Tx<'_>,
    world: &World,
    terminal: Terminal,
    merchant: MerchantId,
    id: IntentId,
) -> Result<(Terminal, Intent), EngineError> {
    let intent: Intent = require(tx, &(merchant, id), Subject::Intent)?;
    let free = intent.terminal.is_none() && intent.phase() == IntentPhase::Open;
    let is_shown = shows_charges(&terminal) && is_for(&intent, &terminal);
    if !free || !(is_shown || waits_for(&intent, &terminal)) {
        return Err(EngineError::NothingQueued);
    }
    stop_timer(tx, merchant, TimerKind::AbandonIntent, &id.to_string())?;
    let intent = Intent { terminal: Some(terminal.id.clone()), ..intent };
    let terminal = terminal.holding(id);
    tx.save(&terminal);
    // The other terminals show it no more.
    let world = world.clone();
    tx.after_commit(move || world.announce(Change::Pool(merchant)));
    Ok((terminal, intent))
}

/// What the clock does to a charge that no terminal has taken.
pub(crate) fn expire(
    tx: &mut Tx<'_>,
    world: &World,
    ids: &mut IdSource,
    merchant: MerchantId,
    id: IntentId,
) -> Result<(), EngineError> {
    stop_timer(tx, merchant, TimerKind::AbandonIntent, &id.to_string())?;
    let Some(intent) = tx.get::<Intent>(&(merchant, id))? else { return Ok(()) };
    let Some(merchant) = tx.get::<Merchant>(&(merchant,))? else { return Ok(()) };
    if intent.terminal.is_some() {
        return Ok(());
    }
    let Ok(intent) = intent.after(IntentAction::Expire, tx.now()) else { return Ok(()) };
    tx.save(&intent);
    emit_intent(tx, world, ids, &merchant, &intent, None)
}
