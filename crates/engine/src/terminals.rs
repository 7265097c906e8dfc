//! What a terminal says to the engine, and what the engine knows of it. The virtual terminal is
//! the first client of these calls; a real one will be another.

use cobro_domain::IntentId;
use cobro_domain::MerchantId;
use cobro_domain::TerminalId;
use cobro_domain::intent::{Intent, IntentAction, IntentPhase};
use cobro_domain::merchant::Merchant;
use cobro_domain::payment::Payment;
use cobro_domain::terminal::{OperatingMode, Terminal};
use cobro_store::rows::DirectoryRow;
use cobro_store::{Reader, StoreError, ToCell, Tx};

use crate::crash;
use crate::emit::{emit_intent, next_ordinal, require};
use crate::error::{EngineError, Subject};
use crate::intents::{IntentView, hold_until, read_intent_view, release};
use crate::world::{Change, World};

/// The kind of a directory row that leads from a terminal's id to its merchant.
pub(crate) const TERMINAL_KIND: &str = "terminal";

/// How many terminals one call may pair (contract, "Control API").
pub const PAIR_MAX: i64 = 10_000;

/// How many terminals one command pairs.
const PAIR_PER_COMMAND: i64 = 200;

/// How often a terminal that is told no charge looks for the first of its list.
const FETCH_TRIES: usize = 32;

/// A terminal with what it shows.
#[derive(Clone, Debug)]
pub struct TerminalView {
    /// The terminal.
    pub terminal: Terminal,
    /// Whose it is.
    pub merchant: Merchant,
    /// The intent that it has, with its payment.
    pub current: Option<IntentView>,
    /// The intent that it had last, with its payment.
    pub last: Option<IntentView>,
    /// The charges of its merchant's list that it shows, the oldest first.
    pub pending: Vec<Intent>,
}

/// What may be changed of a terminal; absent members stay.
#[derive(Clone, Debug, Default)]
pub struct ChangeTerminal {
    /// How it works.
    pub mode: Option<OperatingMode>,
    /// Whether it answers.
    pub online: Option<bool>,
    /// Members of its settings.
    pub settings: Vec<(String, serde_json::Value)>,
}

impl World {
    /// The terminals of a merchant, in the order of pairing, and how many there are in all.
    ///
    /// # Errors
    /// When the store has no answer.
    #[crate::boxed]
    pub async fn terminals_of(
        &self,
        merchant: MerchantId,
        offset: i64,
        limit: i64,
    ) -> Result<(Vec<Terminal>, i64), EngineError> {
        let found = self.store().read(move |reader| {
            let count = reader.rows(COUNT_TERMINALS, &[merchant.to_cell()])?;
            let total = match count.first().and_then(|row| row.first()) {
                Some(cobro_store::Cell::Int(total)) => *total,
                _ => 0,
            };
            // Pairing counts up and removing leaves gaps, so the offset counts rows.
            let params = [merchant.to_cell(), limit.to_cell(), offset.to_cell()];
            Ok((reader.list::<Terminal>(TERMINALS_OF, &params)?, total))
        });
        Ok(found.await?)
    }

    /// Terminals of all merchants, by id, from the one after `after`.
    ///
    /// # Errors
    /// When the store has no answer.
    #[crate::boxed]
    pub async fn terminals(
        &self,
        after: String,
        limit: i64,
    ) -> Result<Vec<TerminalView>, EngineError> {
        let found = self.store().read(move |reader| {
            let params = [TERMINAL_KIND.to_cell(), after.to_cell(), limit.to_cell()];
            let rows = reader.list::<DirectoryRow>(DIRECTORY_AFTER, &params)?;
            let mut views = Vec::with_capacity(rows.len());
            for row in rows {
                views.extend(read_view(reader, row.merchant, TerminalId(row.value))?);
            }
            Ok(views)
        });
        Ok(found.await?)
    }

    /// A terminal with what it shows, whoever's it is.
    ///
    /// # Errors
    /// Unknown terminal.
    #[crate::boxed]
    pub async fn terminal(&self, id: &str) -> Result<TerminalView, EngineError> {
        let id = id.to_owned();
        let found = self.store().read(move |reader| {
            let key = (TERMINAL_KIND.to_owned(), id.clone());
            match reader.get::<DirectoryRow>(&key)? {
                Some(row) => read_view(reader, row.merchant, TerminalId(id)),
                None => Ok(None),
            }
        });
        found.await?.ok_or(EngineError::NotFound(Subject::Terminal))
    }

    /// Whose a terminal is: less to read than [`World::terminal`].
    ///
    /// # Errors
    /// Unknown terminal.
    #[crate::boxed]
    pub async fn merchant_at(&self, id: &str) -> Result<Merchant, EngineError> {
        let key = (TERMINAL_KIND.to_owned(), id.to_owned());
        let found = self.store().read(move |reader| match reader.get::<DirectoryRow>(&key)? {
            Some(row) => reader.get::<Merchant>(&(row.merchant,)),
            None => Ok(None),
        });
        found.await?.ok_or(EngineError::NotFound(Subject::Terminal))
    }

    /// Pairs terminals with a merchant.
    ///
    /// # Errors
    /// Unknown merchant, or a count that is not from 1 to [`PAIR_MAX`].
    #[crate::boxed]
    pub async fn pair_terminals(
        &self,
        merchant: MerchantId,
        model: Option<String>,
        mode: OperatingMode,
        count: i64,
    ) -> Result<Vec<TerminalId>, EngineError> {
        if !(1..=PAIR_MAX).contains(&count) {
            return Err(EngineError::Unsupported("count must be from 1 to 10000"));
        }
        let mut paired = Vec::new();
        let mut left = count;
        while left > 0 {
            let part = left.min(PAIR_PER_COMMAND);
            let (world, model) = (self.clone(), model.clone());
            let command =
                move |tx: &mut Tx<'_>| pair(tx, &world, merchant, model.as_deref(), mode, part);
            paired.extend(self.write(merchant, command).await?);
            left -= part;
        }
        Ok(paired)
    }

    /// Takes a terminal away from its merchant.
    ///
    /// # Errors
    /// Unknown terminal, or one that has an intent.
    #[crate::boxed]
    pub async fn unpair_terminal(&self, id: &str) -> Result<(), EngineError> {
        let view = self.terminal(id).await?;
        let (merchant, id) = (view.merchant.id, view.terminal.id);
        self.write(merchant, move |tx| {
            let terminal: Terminal = require(tx, &(merchant, id.clone()), Subject::Terminal)?;
            if terminal.current.is_some() {
                return Err(EngineError::TerminalBusy);
            }
            tx.delete::<Terminal>(&(merchant, id.clone()));
            tx.delete::<DirectoryRow>(&(TERMINAL_KIND.to_owned(), id.0.clone()));
            Ok(())
        })
        .await
    }

    /// Changes a terminal of a merchant.
    ///
    /// # Errors
    /// Unknown or foreign terminal.
    #[crate::boxed]
    pub async fn change_terminal(
        &self,
        merchant: MerchantId,
        id: TerminalId,
        change: ChangeTerminal,
    ) -> Result<Terminal, EngineError> {
        let world = self.clone();
        self.write(merchant, move |tx| {
            let mut terminal: Terminal = require(tx, &(merchant, id.clone()), Subject::Terminal)?;
            terminal.mode = change.mode.unwrap_or(terminal.mode);
            terminal.online = change.online.unwrap_or(terminal.online);
            if !change.settings.is_empty() {
                terminal.settings = merged(&terminal.settings, &change.settings);
            }
            tx.save(&terminal);
            let (world, id) = (world.clone(), id.clone());
            tx.after_commit(move || world.announce(Change::Terminal(merchant, id)));
            Ok(terminal)
        })
        .await
    }

    /// The green key: the terminal takes its queued intent, or the one that is named.
    ///
    /// # Errors
    /// Nothing queued, another intent on the terminal, or a terminal that is offline.
    #[crate::boxed]
    pub async fn fetch_intent(
        &self,
        merchant: MerchantId,
        id: TerminalId,
        intent: Option<IntentId>,
    ) -> Result<Intent, EngineError> {
        for _ in 1..FETCH_TRIES {
            let chosen = match intent {
                Some(intent) => Some(intent),
                None => self.first_for(merchant, &id).await?,
            };
            match self.fetch(merchant, id.clone(), chosen).await {
                // Another terminal was quicker with the first of the list: take the next.
                Err(EngineError::NothingQueued) if intent.is_none() && chosen.is_some() => {}
                other => return other,
            }
        }
        self.fetch(merchant, id, intent).await
    }

    async fn fetch(
        &self,
        merchant: MerchantId,
        id: TerminalId,
        intent: Option<IntentId>,
    ) -> Result<Intent, EngineError> {
        let (world, seed) = (self.clone(), self.entropy().seed());
        let done = self
            .write(merchant, move |tx| {
                step(tx, &world, merchant, &id, intent, IntentAction::Fetch, seed)
            })
            .await;
        done.inspect(|_| crash::point("terminal.fetch.committed"))
    }

    /// The red key: the person at the terminal gives its intent up.
    ///
    /// # Errors
    /// Nothing taken, or an intent whose state does not allow it.
    #[crate::boxed]
    pub async fn cancel_on_terminal(
        &self,
        merchant: MerchantId,
        id: TerminalId,
    ) -> Result<Intent, EngineError> {
        let (world, seed) = (self.clone(), self.entropy().seed());
        let done = self
            .write(merchant, move |tx| {
                step(tx, &world, merchant, &id, None, IntentAction::CancelOnTerminal, seed)
            })
            .await;
        done.inspect(|_| crash::point("terminal.cancel.committed"))
    }

    /// The terminal has shown the result.
    ///
    /// # Errors
    /// No result on the terminal.
    #[crate::boxed]
    pub async fn close_result(
        &self,
        merchant: MerchantId,
        id: TerminalId,
    ) -> Result<Intent, EngineError> {
        let (world, seed) = (self.clone(), self.entropy().seed());
        let done = self
            .write(merchant, move |tx| {
                step(tx, &world, merchant, &id, None, IntentAction::Close, seed)
            })
            .await;
        done.inspect(|_| crash::point("terminal.close.committed"))
    }
}

const COUNT_TERMINALS: &str = "SELECT COUNT(*) FROM terminal WHERE merchant = $1";

const TERMINALS_OF: &str = "SELECT merchant, id, model, mode, online, ordinal, current_intent, \
     last_intent, settings, created_at FROM terminal WHERE merchant = $1 \
     ORDER BY ordinal LIMIT $2 OFFSET $3";

const DIRECTORY_AFTER: &str = "SELECT kind, value, merchant, subject FROM directory \
     WHERE kind = $1 AND value > $2 ORDER BY kind, value LIMIT $3";

fn read_view(
    reader: &mut Reader<'_>,
    merchant: MerchantId,
    id: TerminalId,
) -> Result<Option<TerminalView>, StoreError> {
    let Some(terminal) = reader.get::<Terminal>(&(merchant, id))? else { return Ok(None) };
    let Some(merchant) = reader.get::<Merchant>(&(merchant,))? else { return Ok(None) };
    let mut view = |id: Option<IntentId>| -> Result<Option<IntentView>, StoreError> {
        let Some(id) = id else { return Ok(None) };
        let Some(intent) = reader.get::<Intent>(&(merchant.id, id))? else { return Ok(None) };
        read_intent_view(reader, intent).map(Some)
    };
    let (current, last) = (view(terminal.current)?, view(terminal.last)?);
    let pending = crate::pool::pending(reader, &terminal)?;
    Ok(Some(TerminalView { terminal, merchant, current, last, pending }))
}

/// Pairs terminals with a merchant, inside a command.
pub(crate) fn pair(
    tx: &mut Tx<'_>,
    world: &World,
    merchant: MerchantId,
    model: Option<&str>,
    mode: OperatingMode,
    count: i64,
) -> Result<Vec<TerminalId>, EngineError> {
    let merchant: Merchant = require(tx, &(merchant,), Subject::Merchant)?;
    let dialect = world.dialect(&merchant.channel)?;
    let mut paired = Vec::new();
    for _ in 0..count {
        let ordinal = next_ordinal(tx, merchant.id, TERMINAL_KIND)?;
        let serial = crate::emit::next_serial(tx, world)?;
        let plan = dialect.plan_terminal(&merchant, ordinal, model, serial);
        paired.push(add_terminal(tx, world, &merchant, plan, mode, ordinal)?);
    }
    Ok(paired)
}

/// Adds a terminal and the way to find it.
pub(crate) fn add_terminal(
    tx: &mut Tx<'_>,
    world: &World,
    merchant: &Merchant,
    plan: crate::ports::TerminalPlan,
    mode: OperatingMode,
    ordinal: i64,
) -> Result<TerminalId, EngineError> {
    let id = TerminalId(plan.id);
    let taken = tx.get::<DirectoryRow>(&(TERMINAL_KIND.to_owned(), id.0.clone()))?;
    if taken.is_some() {
        return Err(EngineError::Exists(Subject::Terminal));
    }
    tx.insert(&Terminal {
        merchant: merchant.id,
        id: id.clone(),
        model: plan.model,
        mode,
        online: true,
        ordinal,
        current: None,
        last: None,
        settings: plan.settings,
        created_at: tx.now(),
    });
    tx.insert(&DirectoryRow {
        kind: TERMINAL_KIND.to_owned(),
        value: id.0.clone(),
        merchant: merchant.id,
        subject: String::new(),
    });
    let (world, merchant, announced) = (world.clone(), merchant.id, id.clone());
    tx.after_commit(move || world.announce(Change::Terminal(merchant, announced)));
    Ok(id)
}

/// One step that the terminal takes with its intent.
fn step(
    tx: &mut Tx<'_>,
    world: &World,
    merchant: MerchantId,
    id: &TerminalId,
    named: Option<IntentId>,
    action: IntentAction,
    seed: [u8; 16],
) -> Result<Intent, EngineError> {
    let terminal: Terminal = require(tx, &(merchant, id.clone()), Subject::Terminal)?;
    let merchant: Merchant = require(tx, &(merchant,), Subject::Merchant)?;
    if !terminal.online {
        return Err(EngineError::TerminalOffline);
    }
    let missing = match action {
        IntentAction::Fetch => EngineError::NothingQueued,
        _ => EngineError::NothingTaken,
    };
    let (terminal, intent) = match (terminal.current, named) {
        (Some(current), named) if named.is_none_or(|named| named == current) => {
            let intent: Intent = require(tx, &(merchant.id, current), Subject::Intent)?;
            (terminal, intent)
        }
        (Some(_), _) => return Err(EngineError::NotFound(Subject::Intent)),
        (None, Some(named)) if action == IntentAction::Fetch => {
            crate::pool::take(tx, world, terminal, merchant.id, named)?
        }
        (None, _) => return Err(missing),
    };
    if action == IntentAction::CancelOnTerminal && intent.phase() == IntentPhase::Open {
        return Err(missing);
    }
    let payment = match intent.state.payment() {
        Some(payment) => tx.get::<Payment>(&(merchant.id, payment))?,
        None => None,
    };
    let mut ids = tx.ids(seed);
    let mut intent = intent.after(action, tx.now())?;
    if intent.phase().is_final() {
        release(tx, terminal, &intent);
    } else if action == IntentAction::Fetch {
        let after_s = world.dialect(&merchant.channel)?.abandon_after_s(&merchant);
        intent = hold_until(tx, intent, tx.now().plus_seconds(after_s))?;
    }
    tx.save(&intent);
    emit_intent(tx, world, &mut ids, &merchant, &intent, payment.as_ref())?;
    match action {
        IntentAction::Fetch => crash::point("terminal.fetch.before_commit"),
        IntentAction::Close => crash::point("terminal.close.before_commit"),
        _ => crash::point("terminal.cancel.before_commit"),
    }
    Ok(intent)
}

/// JSON text of an object with some members replaced.
pub(crate) fn merged(settings: &str, change: &[(String, serde_json::Value)]) -> String {
    let mut members: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(settings).unwrap_or_default();
    for (name, value) in change {
        members.insert(name.clone(), value.clone());
    }
    serde_json::Value::Object(members).to_string()
}
