//! Which stream has to hear of a change. A world's changes are read once and passed on to the
//! streams that they concern, so that a stream of one terminal does no work for the others.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cobro_domain::event::Event;
use cobro_domain::{MerchantId, PaymentId, TerminalId};
use cobro_engine::{Change, World};
use futures_util::FutureExt as _;
use serde_json::Value;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{Notify, mpsc};

/// How many changes wait for a slow stream before it has to read everything anew.
const LENGTH: usize = 256;

/// The lines of all worlds.
#[derive(Default)]
pub(crate) struct Lines {
    /// How many lines there have been: no two have the same number, also in a world that ended and
    /// was opened again.
    count: AtomicU64,
    worlds: Mutex<HashMap<String, Board>>,
}

/// The lines of a world.
#[derive(Default)]
struct Board {
    ends: HashMap<u64, End>,
    of_terminals: HashMap<TerminalId, Vec<u64>>,
    of_merchants: HashMap<MerchantId, Vec<u64>>,
    of_payments: HashMap<PaymentId, Vec<u64>>,
    /// Told when the last line ends.
    left: Arc<Notify>,
}

/// Where a line begins.
struct End {
    merchant: MerchantId,
    terminal: TerminalId,
    sender: mpsc::Sender<Change>,
    state: Arc<State>,
}

/// What both ends of a line know.
#[derive(Default)]
struct State {
    /// Something could not be sent.
    missed: AtomicBool,
    /// A change of the terminal has been sent and not been taken yet: whoever takes it reads the
    /// terminal as it is then, so that no second one is needed.
    queued: AtomicBool,
}

/// What concerns one terminal; dropping it ends it.
pub(crate) struct Line {
    lines: Arc<Lines>,
    world: String,
    number: u64,
    receiver: mpsc::Receiver<Change>,
    state: Arc<State>,
}

impl Lines {
    /// A line to one terminal of a merchant: changes of the terminal and of its intents, of the
    /// merchant's deliveries, and of the clock. A change of the merchant's pool comes as one of the
    /// terminal, which may show another list now.
    pub(crate) fn listen(
        self: &Arc<Self>,
        world: &World,
        merchant: MerchantId,
        terminal: TerminalId,
    ) -> Line {
        let (sender, receiver) = mpsc::channel(LENGTH);
        let state = Arc::new(State::default());
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        let mut worlds = self.worlds();
        let board = worlds.entry(world.id().to_owned()).or_insert_with(|| {
            // It holds no world: a world that is removed can go, which ends it.
            let (lines, id) = (Arc::clone(self), world.id().to_owned());
            let board = Board::default();
            tokio::spawn(lines.pass_on(id, world.changes(), Arc::clone(&board.left)).boxed());
            board
        });
        board.of_terminals.entry(terminal.clone()).or_default().push(number);
        board.of_merchants.entry(merchant).or_default().push(number);
        board.ends.insert(number, End { merchant, terminal, sender, state: Arc::clone(&state) });
        drop(worlds);
        Line { lines: Arc::clone(self), world: world.id().to_owned(), number, receiver, state }
    }

    /// Passes on a world's changes until the world ends or nobody listens any more.
    async fn pass_on(
        self: Arc<Self>,
        world: String,
        mut changes: Receiver<Change>,
        left: Arc<Notify>,
    ) {
        loop {
            let change = tokio::select! {
                change = changes.recv() => Some(change),
                () = left.notified() => None,
            };
            let mut worlds = self.worlds();
            let Some(board) = worlds.get_mut(&world) else { return };
            match change {
                Some(Ok(change)) => board.pass_on(&change),
                Some(Err(RecvError::Lagged(_))) => {
                    for end in board.ends.values() {
                        end.miss();
                    }
                }
                Some(Err(RecvError::Closed)) => board.ends.clear(),
                None => {}
            }
            if board.ends.is_empty() {
                worlds.remove(&world);
                return;
            }
        }
    }

    fn worlds(&self) -> MutexGuard<'_, HashMap<String, Board>> {
        self.worlds.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Board {
    fn pass_on(&mut self, change: &Change) {
        let decided;
        let numbers = match change {
            Change::Terminal(_, terminal) => self.of_terminals.get(terminal),
            Change::Pool(merchant) => {
                let ends = self.of_merchants.get(merchant).into_iter().flatten();
                for end in ends.filter_map(|number| self.ends.get(number)) {
                    end.send(&Change::Terminal(*merchant, end.terminal.clone()));
                }
                None
            }
            Change::Delivery(delivery) => self.of_merchants.get(&delivery.merchant),
            Change::Payment(_, payment) => {
                decided = self.of_payments.remove(payment);
                decided.as_ref()
            }
            // Nobody listens to a terminal of this merchant: nothing is parsed.
            Change::Event(event) if self.of_merchants.contains_key(&event.merchant) => {
                terminal_of(event).and_then(|terminal| self.of_terminals.get(&terminal))
            }
            Change::Clock => {
                self.ends.values().for_each(|end| end.send(change));
                None
            }
            Change::Event(_) | Change::Refund(..) | Change::Session(..) => None,
        };
        let ends = numbers.into_iter().flatten().filter_map(|number| self.ends.get(number));
        ends.for_each(|end| end.send(change));
    }

    fn remove(&mut self, number: u64) {
        let Some(end) = self.ends.remove(&number) else { return };
        without(&mut self.of_terminals, &end.terminal, number);
        without(&mut self.of_merchants, &end.merchant, number);
        self.of_payments.retain(|_, numbers| {
            numbers.retain(|one| *one != number);
            !numbers.is_empty()
        });
    }
}

fn without<K: Eq + std::hash::Hash>(map: &mut HashMap<K, Vec<u64>>, key: &K, number: u64) {
    if let Some(numbers) = map.get_mut(key) {
        numbers.retain(|one| *one != number);
        if numbers.is_empty() {
            map.remove(key);
        }
    }
}

/// The terminal that an event tells of.
fn terminal_of(event: &Event) -> Option<TerminalId> {
    let data: Value = serde_json::from_str(&event.data).ok()?;
    Some(TerminalId(data.get("terminal")?.as_str()?.to_owned()))
}

impl End {
    fn send(&self, change: &Change) {
        let is_state = matches!(change, Change::Terminal(..));
        if is_state && self.state.queued.swap(true, Ordering::AcqRel) {
            return;
        }
        if self.sender.try_send(change.clone()).is_err() {
            self.miss();
        }
    }

    fn miss(&self) {
        self.state.missed.store(true, Ordering::Release);
        // Whoever waits is woken; a full line wakes by itself.
        let _ = self.sender.try_send(Change::Clock);
    }
}

impl Line {
    /// The next change.
    ///
    /// # Errors
    /// Changes were missed, or the world has ended.
    pub(crate) async fn next(&mut self) -> Result<Change, RecvError> {
        let change = self.receiver.recv().await;
        if self.state.missed.swap(false, Ordering::AcqRel) {
            let mut missed: u64 = 1;
            while self.receiver.try_recv().is_ok() {
                missed = missed.saturating_add(1);
            }
            self.state.queued.store(false, Ordering::Release);
            return Err(RecvError::Lagged(missed));
        }
        if matches!(change, Some(Change::Terminal(..))) {
            self.state.queued.swap(false, Ordering::AcqRel);
        }
        change.ok_or(RecvError::Closed)
    }

    /// Waits for the decision of a payment, too; false when it was waited for already.
    pub(crate) fn await_decision(&self, payment: PaymentId) -> bool {
        let mut worlds = self.lines.worlds();
        let Some(board) = worlds.get_mut(&self.world) else { return false };
        let numbers = board.of_payments.entry(payment).or_default();
        let is_new = !numbers.contains(&self.number);
        if is_new {
            numbers.push(self.number);
        }
        is_new
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if let Some(board) = self.lines.worlds().get_mut(&self.world) {
            board.remove(self.number);
            if board.ends.is_empty() {
                board.left.notify_one();
            }
        }
    }
}
