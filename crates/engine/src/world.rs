//! A world: one database with its own clock, acquirer and merchants.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use cobro_domain::event::{Delivery, Event};
use cobro_domain::merchant::{Merchant, MerchantState};
use cobro_domain::payment::Owner;
use cobro_domain::{
    Clock, Entropy, MerchantId, PaymentId, RefundId, SessionId, TerminalId, Timestamp,
};
use cobro_store::rows::DirectoryRow;
use cobro_store::{Store, Tx};
use futures_util::future::BoxFuture;
use tokio::sync::{Notify, broadcast};
use tokio_util::task::TaskTracker;

use crate::alarms::Alarms;
use crate::clock::WorldClock;
use crate::error::{EngineError, Subject, settled};
use crate::faults::Faults;
use crate::ports::{Acquirer, Dialect};
use crate::secrets::InstallationKey;
use crate::typed_cards::TypedCards;
use crate::vault::VaultKeys;

/// Something that just became durable; for live pages, waiting calls and the delivery loop.
#[derive(Clone, Debug)]
pub enum Change {
    /// A terminal, or the intent on it.
    Terminal(MerchantId, TerminalId),
    /// The charges that any of a merchant's terminals may take.
    Pool(MerchantId),
    /// A payment.
    Payment(MerchantId, PaymentId),
    /// A refund.
    Refund(MerchantId, RefundId),
    /// A session.
    Session(MerchantId, SessionId),
    /// Something to be told.
    Event(Arc<Event>),
    /// A delivery was made, tried or given up.
    Delivery(Arc<Delivery>),
    /// The clock was moved.
    Clock,
}

/// Sends what is due; the delivery loop of the server.
pub trait Deliverer: Send + Sync {
    /// Sends every delivery that is due and records what came of it.
    fn deliver_due<'a>(&'a self, world: &'a World) -> BoxFuture<'a, ()>;
}

/// Who is alive and who leads, where several processes serve one database.
pub trait Peers: Send + Sync {
    /// This process.
    fn owner(&self) -> Owner;
    /// Whether a process still lives.
    fn is_alive(&self, owner: Owner) -> BoxFuture<'_, bool>;
    /// Whether this process does the background work of a lane.
    fn leads(&self, lane: usize) -> BoxFuture<'_, bool>;
    /// Whether other processes may serve the same database.
    fn shared(&self) -> bool;
    /// Whether no other process serves the same database now.
    fn alone(&self) -> BoxFuture<'_, bool> {
        Box::pin(std::future::ready(!self.shared()))
    }
}

/// What a world is made of.
pub struct WorldParts {
    /// Its id: `demo` for the main one.
    pub id: String,
    /// Its name, for people.
    pub name: String,
    /// Its database.
    pub store: Store,
    /// Its clock; the same that the store has.
    pub clock: Arc<WorldClock>,
    /// Its acquirer.
    pub acquirer: Arc<dyn Acquirer>,
    /// The installation's key.
    pub key: Arc<InstallationKey>,
    /// The installation's entropy.
    pub entropy: Arc<dyn Entropy>,
    /// The dialects, by name.
    pub dialects: Arc<Vec<Arc<dyn Dialect>>>,
    /// The vault's keys; a world without stored cards needs none.
    pub vault: Option<Arc<VaultKeys>>,
    /// Who else serves the database.
    pub peers: Arc<dyn Peers>,
    /// Whether scenarios, faults and the test clock exist.
    pub sandbox: bool,
}

/// A world. Cheap to clone.
#[derive(Clone)]
pub struct World {
    inner: Arc<Inner>,
}

struct Inner {
    parts: WorldParts,
    callers: RwLock<HashMap<String, Caller>>,
    bus: broadcast::Sender<Change>,
    work: Notify,
    tasks: TaskTracker,
    /// Held shared by calls to the acquirer, alone by whoever moves the clock.
    pub(crate) gate: tokio::sync::RwLock<()>,
    /// Held by whoever moves the clock or does what is due.
    pub(crate) advancing: tokio::sync::Mutex<()>,
    faults: Mutex<Faults>,
    alarms: Alarms,
    typed_cards: TypedCards,
    deliverer: RwLock<Option<Arc<dyn Deliverer>>>,
}

/// An authenticated merchant; whoever has the value has the right. It carries the epoch of the
/// credentials, which every command checks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Who.
    pub merchant: MerchantId,
    /// Which credentials.
    pub epoch: i64,
    /// What the credential names besides the merchant.
    pub subject: String,
    /// The merchant, as it was when the caller was recognised. Every change of it starts a new
    /// epoch, so that a command never works with an old one.
    pub account: Arc<Merchant>,
}

/// How many recognised callers are remembered.
const CALLERS_MAX: usize = 65_536;
/// How many changes a slow live page may lag behind before it has to read everything anew.
const BUS_LENGTH: usize = 1024;

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("World").field("id", &self.inner.parts.id).finish_non_exhaustive()
    }
}

impl World {
    /// A world of these parts.
    pub fn new(parts: WorldParts) -> Self {
        let (bus, _) = broadcast::channel(BUS_LENGTH);
        let inner = Inner {
            parts,
            callers: RwLock::new(HashMap::new()),
            bus,
            work: Notify::new(),
            tasks: TaskTracker::new(),
            gate: tokio::sync::RwLock::new(()),
            advancing: tokio::sync::Mutex::new(()),
            faults: Mutex::new(Faults::default()),
            alarms: Alarms::default(),
            typed_cards: TypedCards::default(),
            deliverer: RwLock::new(None),
        };
        Self { inner: Arc::new(inner) }
    }

    /// Its id: `demo` for the main one.
    pub fn id(&self) -> &str {
        &self.inner.parts.id
    }

    /// Its name, for people.
    pub fn name(&self) -> &str {
        &self.inner.parts.name
    }

    /// Its database.
    pub fn store(&self) -> &Store {
        &self.inner.parts.store
    }

    /// Its clock.
    pub fn clock(&self) -> &WorldClock {
        &self.inner.parts.clock
    }

    /// Its present moment.
    pub fn now(&self) -> Timestamp {
        self.inner.parts.clock.now()
    }

    /// Its acquirer.
    pub fn acquirer(&self) -> &Arc<dyn Acquirer> {
        &self.inner.parts.acquirer
    }

    /// The installation's key.
    pub fn key(&self) -> &InstallationKey {
        &self.inner.parts.key
    }

    /// The vault's keys.
    ///
    /// # Errors
    /// When this installation has none.
    pub fn vault(&self) -> Result<&Arc<VaultKeys>, EngineError> {
        let vault = self.inner.parts.vault.as_ref();
        vault.ok_or(EngineError::Unsupported("this installation has no vault key"))
    }

    /// The installation's entropy.
    pub fn entropy(&self) -> &dyn Entropy {
        self.inner.parts.entropy.as_ref()
    }

    /// Who else serves the database.
    pub fn peers(&self) -> &Arc<dyn Peers> {
        &self.inner.parts.peers
    }

    /// Whether scenarios, faults and the test clock exist.
    pub fn is_sandbox(&self) -> bool {
        self.inner.parts.sandbox
    }

    /// The dialects.
    pub fn dialects(&self) -> &[Arc<dyn Dialect>] {
        &self.inner.parts.dialects
    }

    /// The dialect with this name.
    ///
    /// # Errors
    /// When there is none: a merchant's row names one that this program lacks.
    pub fn dialect(&self, name: &str) -> Result<&Arc<dyn Dialect>, EngineError> {
        let found = self.dialects().iter().find(|dialect| dialect.name() == name);
        found.ok_or_else(|| EngineError::Fault(format!("no dialect is called {name}")))
    }

    /// Changes as they become durable.
    pub fn changes(&self) -> broadcast::Receiver<Change> {
        self.inner.bus.subscribe()
    }

    /// Tells live pages and waiting calls of a change.
    pub fn announce(&self, change: Change) {
        // Nobody may be listening.
        let _ = self.inner.bus.send(change);
    }

    /// Wakes the background loop: something may be due.
    pub fn wake(&self) {
        self.inner.work.notify_one();
    }

    /// Waits until something may be due.
    #[crate::boxed]
    pub async fn woken(&self) {
        self.inner.work.notified().await;
    }

    /// Tasks that outlive the calls that started them.
    pub fn tasks(&self) -> &TaskTracker {
        &self.inner.tasks
    }

    pub(crate) fn gate(&self) -> &tokio::sync::RwLock<()> {
        &self.inner.gate
    }

    pub(crate) fn advancing(&self) -> &tokio::sync::Mutex<()> {
        &self.inner.advancing
    }

    pub(crate) fn faults(&self) -> &Mutex<Faults> {
        &self.inner.faults
    }

    pub(crate) fn alarms(&self) -> &Alarms {
        &self.inner.alarms
    }

    pub(crate) fn typed_cards(&self) -> &TypedCards {
        &self.inner.typed_cards
    }

    /// Who sends what is due, once the server has said so.
    pub fn deliverer(&self) -> Option<Arc<dyn Deliverer>> {
        self.inner.deliverer.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Sets who sends what is due.
    pub fn set_deliverer(&self, deliverer: Arc<dyn Deliverer>) {
        *self.inner.deliverer.write().unwrap_or_else(PoisonError::into_inner) = Some(deliverer);
    }

    /// Runs a command on a merchant's lane.
    ///
    /// # Errors
    /// The command's own refusal, or the store's.
    pub async fn write<T, F>(&self, merchant: MerchantId, command: F) -> Result<T, EngineError>
    where
        T: Send + 'static,
        F: FnMut(&mut Tx<'_>) -> Result<T, EngineError> + Send + 'static,
    {
        settled(self.store().write(merchant, command).await)
    }

    /// Who the holder of a credential is; `None` when nobody is. `kind` says what kind of
    /// credential it is.
    ///
    /// # Errors
    /// When the store has no answer.
    #[crate::boxed]
    pub async fn recognise(
        &self,
        kind: &'static str,
        credential: &str,
    ) -> Result<Option<Caller>, EngineError> {
        let hash = self.key().lookup_hash(credential);
        let known = {
            let callers = self.inner.callers.read().unwrap_or_else(PoisonError::into_inner);
            callers.get(&hash).cloned()
        };
        if known.is_some() {
            return Ok(known);
        }
        let value = hash.clone();
        let found = self.store().read(move |reader| {
            let Some(row) = reader.get::<DirectoryRow>(&(kind.to_owned(), value))? else {
                return Ok(None);
            };
            let merchant = reader.get::<Merchant>(&(row.merchant,))?;
            Ok(merchant.map(|merchant| Caller {
                merchant: merchant.id,
                epoch: merchant.epoch,
                subject: row.subject,
                account: Arc::new(merchant),
            }))
        });
        let found = found.await?;
        if let Some(caller) = &found {
            let mut callers = self.inner.callers.write().unwrap_or_else(PoisonError::into_inner);
            if callers.len() >= CALLERS_MAX {
                callers.clear();
            }
            callers.insert(hash, caller.clone());
        }
        Ok(found)
    }

    /// Forgets who callers are, so that each is recognised anew.
    pub fn forget_callers(&self) {
        self.inner.callers.write().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// The merchant of a caller, inside a command.
    pub(crate) fn merchant_of(tx: &mut Tx<'_>, caller: &Caller) -> Result<Merchant, EngineError> {
        let merchant = tx.get::<Merchant>(&(caller.merchant,))?;
        let merchant = merchant.ok_or(EngineError::NotFound(Subject::Merchant))?;
        if merchant.epoch != caller.epoch {
            return Err(EngineError::StaleCaller);
        }
        if merchant.state != MerchantState::Active {
            return Err(EngineError::MerchantState(merchant.state));
        }
        Ok(merchant)
    }

    /// Whether nothing would be lost or cut off if it were closed now: the caller and the delivery
    /// loop alone hold it, nobody listens to it but that loop, and nothing is kept in memory only.
    pub(crate) fn is_at_rest(&self) -> bool {
        Arc::strong_count(&self.inner) <= 2
            && self.inner.bus.receiver_count() <= 1
            && self.inner.tasks.is_empty()
            && !self.has_faults()
            && self.inner.alarms.next().is_none()
            && self.inner.typed_cards.is_empty()
    }

    /// Stops taking background tasks and waits for those that run.
    #[crate::boxed]
    pub async fn drain(&self) {
        self.inner.tasks.close();
        self.inner.tasks.wait().await;
    }
}
