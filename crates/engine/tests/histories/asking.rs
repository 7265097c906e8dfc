//! How calls are made: one after the other, at once, slowly, and cut off in the middle.

use std::collections::BTreeSet;
use std::future::poll_fn;
use std::sync::{Arc, mpsc};
use std::task::Poll;
use std::time::Duration;

use cobro_engine::World;
use cobro_engine::world::Change;
use cobro_store::{Store, TxError};
use futures_util::FutureExt;
use tokio::sync::watch;
use tokio::task::{JoinHandle, yield_now};

use crate::calls::{Call, Told, perform};
use crate::dialect::{CREDENTIAL, MERCHANTS, credential};
use crate::history::History;
use crate::wild::{Kind, Line, Point};

/// How often other tasks get their turn until every one has got as far as it can by itself.
const TURNS: usize = 64;

/// What never comes has not come within this time.
const NEVER: Duration = Duration::from_secs(60);

/// Refunds that are being sent under a wish's number.
const SENDING: &str = "SELECT id FROM refund WHERE luggage = $1 AND state = 'sending'";

async fn take_turns() {
    for _ in 0..TURNS {
        yield_now().await;
    }
}

/// Lets every call get to where it waits for a lane. The only reader keeps its order: once this
/// read is done, the calls' own are.
async fn get_to_the_lanes(world: &World) {
    for _ in 0..3 {
        take_turns().await;
        world.store().read(|_| Ok(())).await.unwrap();
    }
    take_turns().await;
}

/// Makes sure that callers are recognised without reading.
async fn know_callers(world: &World) {
    for merchant in 0..MERCHANTS {
        world.recognise(CREDENTIAL, &credential(merchant)).await.unwrap().unwrap();
    }
}

/// Calls that were made, and what has come back.
struct Asked {
    calls: Vec<(Call, Option<JoinHandle<Told>>, Option<Told>)>,
    line: Arc<Line>,
    silent: watch::Receiver<u64>,
    silent_before: u64,
    waiting: watch::Receiver<usize>,
}

impl Asked {
    fn new(line: &Arc<Line>) -> Self {
        let silent = line.silent_refunds.subscribe();
        let silent_before = *silent.borrow();
        let waiting = line.waiting.subscribe();
        Self { calls: Vec::new(), line: line.clone(), silent, silent_before, waiting }
    }

    fn ask(&mut self, world: &World, call: Call) {
        let task = tokio::spawn(perform(world.clone(), call.clone()));
        self.calls.push((call, Some(task), None));
    }

    /// Refunds under one number have one outcome; those of which one has come back.
    fn answered_ops(&self) -> BTreeSet<u64> {
        let answered = self.calls.iter().filter(|(_, _, told)| told.is_some());
        answered.filter_map(|(call, _, _)| call.refund_op()).collect()
    }

    /// How many outcomes are still to come, before a refund is sent again.
    fn missing(&self) -> usize {
        let ops: BTreeSet<u64> =
            self.calls.iter().filter_map(|(call, _, _)| call.refund_op()).collect();
        let others = self.calls.iter().filter(|(call, _, _)| call.refund_op().is_none());
        let silent = usize::try_from(*self.silent.borrow() - self.silent_before).unwrap();
        let refunds = ops.len().saturating_sub(self.answered_ops().len() + silent);
        others.filter(|(_, _, told)| told.is_none()).count() + refunds
    }

    /// Waits for one more answer.
    async fn hear(&mut self) {
        let calls = &mut self.calls;
        let any = poll_fn(|cx| {
            let mut heard = false;
            for (_, task, told) in calls.iter_mut() {
                let Some(waiting) = task else { continue };
                if let Poll::Ready(answer) = waiting.poll_unpin(cx) {
                    *told = Some(answer.unwrap());
                    *task = None;
                    heard = true;
                }
            }
            if heard { Poll::Ready(()) } else { Poll::Pending }
        });
        tokio::select! {
            biased;
            () = any => {}
            _ = self.silent.changed() => {}
            _ = self.waiting.changed() => {}
        }
    }

    /// Waits until all has come back that will.
    async fn hear_all(&mut self) {
        loop {
            let (missing, waiting) = (self.missing(), *self.waiting.borrow());
            if missing == 0 {
                break;
            }
            if missing == waiting {
                // All others have got as far as they can.
                self.line.next_turn();
            } else {
                self.hear().await;
            }
        }
        // What shares its number with an answered one is answered, too.
        let answered = self.answered_ops();
        for (call, task, told) in &mut self.calls {
            if call.refund_op().is_some_and(|op| answered.contains(&op))
                && let Some(task) = task.take()
            {
                *told = Some(task.await.unwrap());
            }
        }
    }
}

impl History {
    /// Asks and hears the answer.
    pub(crate) fn ask(&mut self, call: Call) -> Result<(), String> {
        if self.would_wait(&call) {
            return self.ask_and_go_on(call);
        }
        let life = self.life();
        let mut asked = Asked::new(&self.stage.line);
        life.run(async {
            asked.ask(&life.world, call);
            asked.hear_all().await;
        });
        self.hear_asked(asked)
    }

    fn hear_asked(&mut self, asked: Asked) -> Result<(), String> {
        for (call, task, told) in asked.calls {
            match (task, told) {
                (_, Some(told)) => {
                    self.write_down(format!("{call:?}\n      -> {told:?}"));
                    self.memory.note(&call, &told)?;
                }
                (Some(task), None) => {
                    self.write_down(format!("{call:?}\n      -> waits"));
                    self.dangling.push((call, task));
                }
                (None, None) => return Err("a call got lost".to_owned()),
            }
        }
        Ok(())
    }

    /// Whether a call repeats a refund that is being sent, so that it waits for that one's outcome.
    fn would_wait(&self, call: &Call) -> bool {
        let Call::Refund { command, .. } = call else { return false };
        let luggage = cobro_store::ToCell::to_cell(&command.luggage);
        let life = self.life();
        let read = life.world.store().read(move |reader| reader.rows(SENDING, &[luggage]));
        !life.run(read).unwrap().is_empty()
    }

    /// Asks, and does not wait for the answer.
    fn ask_and_go_on(&mut self, call: Call) -> Result<(), String> {
        self.write_down(format!("{call:?}\n      -> repeats one that is being sent"));
        let life = self.life();
        let begun = async {
            know_callers(&life.world).await;
            let task = tokio::spawn(perform(life.world.clone(), call.clone()));
            get_to_the_lanes(&life.world).await;
            // A lane keeps its order, so that its command is done when this one is.
            for lane in 0..life.world.store().lanes() {
                let nothing =
                    life.world.store().write(Store::key_of(lane), |_| Ok::<_, TxError>(()));
                nothing.await.unwrap().unwrap();
            }
            Some(task)
        };
        let task = life.run(begun).unwrap();
        self.dangling.push((call, task));
        Ok(())
    }

    /// Asks all at once: their commands meet in one batch, in the order of the calls.
    pub(crate) fn ask_at_once(&mut self, calls: Vec<Call>) -> Result<(), String> {
        self.write_down(format!("{} at once:", calls.len()));
        self.memory.count("at once", "done");
        let (repeats, calls): (Vec<Call>, Vec<Call>) =
            calls.into_iter().partition(|call| self.would_wait(call));
        let life = self.life();
        let mut asked = Asked::new(&self.stage.line);
        life.run(async {
            know_callers(&life.world).await;
            let gates = close_gates(life.world.store()).await;
            for call in calls {
                asked.ask(&life.world, call);
                get_to_the_lanes(&life.world).await;
            }
            assert_eq!(life.world.store().waiting(), asked.calls.len(), "calls on their way");
            self.stage.line.take_turns(true);
            drop(gates);
            asked.hear_all().await;
            self.stage.line.take_turns(false);
        });
        self.hear_asked(asked)?;
        repeats.into_iter().try_for_each(|call| self.ask(call))
    }

    /// Hears those waiting calls whose refunds have been answered by now.
    pub(crate) fn hear_dangling(&mut self) -> Result<(), String> {
        for (call, task) in std::mem::take(&mut self.dangling) {
            if self.would_wait(&call) {
                self.dangling.push((call, task));
            } else {
                self.hear_at_last(call, task)?;
            }
        }
        Ok(())
    }

    /// Hears all waiting calls: every refund has been answered by now.
    pub(crate) fn hear_all_dangling(&mut self) -> Result<(), String> {
        let dangling = std::mem::take(&mut self.dangling);
        dangling.into_iter().try_for_each(|(call, task)| self.hear_at_last(call, task))
    }

    fn hear_at_last(&mut self, call: Call, task: JoinHandle<Told>) -> Result<(), String> {
        let life = self.life();
        let told = life.run(async { tokio::time::timeout(NEVER, task).await });
        let Ok(told) = told else { return Err(format!("never answered: {call:?}")) };
        let told = told.unwrap();
        self.write_down(format!("{call:?}\n      -> at last {told:?}"));
        self.memory.note(&call, &told)
    }

    /// Presents a card whose message is held up; answers whether one is held up now.
    pub(crate) fn hold_card(&mut self, point: Point) -> Result<bool, String> {
        self.let_go()?;
        let Some(call) = self.waiting_for_card() else { return Ok(false) };
        self.hold(call, Kind::Authorise, point)
    }

    fn hold(&mut self, call: Call, kind: Kind, point: Point) -> Result<bool, String> {
        self.stage.line.arm(kind, point);
        let life = self.life();
        let line = self.stage.line.clone();
        let (mut task, told) = life.run(async {
            let mut task = tokio::spawn(perform(life.world.clone(), call.clone()));
            tokio::select! {
                told = &mut task => (None, Some(told.unwrap())),
                () = line.reached.notified() => (Some(task), None),
            }
        });
        self.stage.line.disarm();
        match (task.take(), told) {
            (Some(task), _) => {
                self.write_down(format!("{call:?}\n      -> held up {point:?}"));
                self.memory.count("slow", "done");
                self.held = Some((call, task));
                Ok(true)
            }
            (None, told) => {
                let told = told.unwrap_or(Told::Nothing);
                self.write_down(format!("{call:?}\n      -> {told:?}"));
                self.memory.note(&call, &told)?;
                Ok(false)
            }
        }
    }

    /// Lets the card that is held up go on, and hears its answer.
    pub(crate) fn let_go(&mut self) -> Result<(), String> {
        let Some((call, task)) = self.held.take() else { return Ok(()) };
        self.stage.line.release();
        let told = self.life().run(task).unwrap();
        self.write_down(format!("{call:?}\n      -> goes on: {told:?}"));
        self.memory.note(&call, &told)
    }

    /// The caller hangs up in the middle; what it asked for goes on.
    pub(crate) fn hang_up(&mut self) -> Result<(), String> {
        let point = self.any_point();
        if !self.hold_card(point)? {
            return Ok(());
        }
        let Some((call, task)) = self.held.take() else { return Ok(()) };
        let life = self.life();
        let line = self.stage.line.clone();
        life.run(async {
            let mut changes = life.world.changes();
            task.abort();
            take_turns().await;
            line.release();
            while !matches!(changes.recv().await.unwrap(), Change::Payment(..)) {}
        });
        self.write_down(format!("hung up: {call:?}"));
        self.memory.count("hang up", "done");
        self.memory.note(&call, &Told::Nothing)
    }

    /// The process dies between two steps of a call.
    pub(crate) fn crash_in_call(&mut self) -> Result<(), String> {
        self.let_go()?;
        let card = self.waiting_for_card();
        let call = match card {
            Some(card) if self.chance.one_in(2) => card,
            _ if self.chance.one_in(4) => self.any_call(),
            _ => self.next_call(),
        };
        let point = self.any_point();
        let held = match &call {
            Call::Card { .. } if !self.chance.one_in(4) => {
                self.hold(call.clone(), Kind::Authorise, point)?
            }
            Call::Refund { .. } if !self.would_wait(&call) && !self.chance.one_in(4) => {
                self.hold_refund(call.clone(), point)?
            }
            _ => {
                self.hand_over(&call);
                self.write_down(format!("{call:?}\n      -> no answer"));
                self.memory.note(&call, &Told::Nothing)?;
                true
            }
        };
        self.crash(if held { "in a call" } else { "after a call" })
    }

    /// A refund may be answered without a message, or wait for one that is not sent now.
    pub(crate) fn hold_refund(&mut self, call: Call, point: Point) -> Result<bool, String> {
        let made = call.refund_op().and_then(|op| self.memory.refunds.get(&op)).is_some();
        if made {
            self.ask(call)?;
            return Ok(false);
        }
        self.hold(call, Kind::Refund, point)
    }

    /// Makes a call as far as its command waits for a lane.
    fn hand_over(&self, call: &Call) {
        let life = self.life();
        life.run(async {
            know_callers(&life.world).await;
            let gates = close_gates(life.world.store()).await;
            tokio::spawn(perform(life.world.clone(), call.clone()));
            get_to_the_lanes(&life.world).await;
            assert_eq!(life.world.store().waiting(), 1, "{call:?}");
            drop(gates);
        });
    }

    pub(crate) fn advance(&mut self) -> Result<(), String> {
        let seconds = *self.chance.pick(&[1, 5, 31, 120, 700, 3600]);
        if self.held.is_some() && self.chance.one_in(2) {
            return self.advance_must_wait(seconds);
        }
        self.let_go()?;
        self.advance_by(seconds).map(drop)
    }

    /// Moves the clock; answers whether something was held up on the way, which goes no further.
    pub(crate) fn advance_by(&mut self, seconds: i64) -> Result<bool, String> {
        self.write_down(format!("advance by {seconds} s"));
        let life = self.life();
        let line = self.stage.line.clone();
        let to = life.world.now().plus_seconds(seconds);
        let world = life.world.clone();
        let moved = life.run(async {
            let mut task = tokio::spawn(async move { world.advance_to(to).await });
            tokio::select! {
                moved = &mut task => Some(moved.unwrap()),
                () = line.reached.notified() => None,
            }
        });
        match moved {
            Some(Ok(_)) => Ok(false),
            Some(Err(error)) => Err(format!("the clock cannot be moved: {error}")),
            None => Ok(true),
        }
    }

    /// Moving the clock waits for a call to the acquirer that is under way.
    fn advance_must_wait(&mut self, seconds: i64) -> Result<(), String> {
        self.write_down(format!("advance by {seconds} s while a card is held up"));
        let Some((call, card)) = self.held.take() else { return Ok(()) };
        let life = self.life();
        let line = self.stage.line.clone();
        let to = life.world.now().plus_seconds(seconds);
        let world = life.world.clone();
        let told = life.run(async {
            let before = world.now();
            let own = world.clone();
            let moving = tokio::spawn(async move { own.advance_to(to).await });
            get_to_the_lanes(&world).await;
            if world.now() != before {
                return Err("the clock was moved while the acquirer was asked".to_owned());
            }
            line.release();
            let told = card.await.unwrap();
            moving.await.unwrap().map_err(|error| error.to_string())?;
            Ok(told)
        })?;
        self.memory.note(&call, &told)
    }

    pub(crate) fn fire(&mut self) -> Result<(), String> {
        self.write_down("fire what is due".to_owned());
        let life = self.life();
        life.run(life.world.fire_due()).map(drop).map_err(|error| error.to_string())
    }
}

/// Stops every lane before its next batch; dropping the answer lets them go on.
async fn close_gates(store: &Store) -> Vec<mpsc::Sender<()>> {
    let mut gates = Vec::new();
    for lane in 0..store.lanes() {
        let (entered, is_closed) = mpsc::channel();
        let (gate, opened) = mpsc::channel::<()>();
        let own = store.clone();
        tokio::spawn(async move {
            let wait = own.write(Store::key_of(lane), move |_| {
                entered.send(()).unwrap();
                // Ends when the other side is dropped.
                let _ = opened.recv();
                Ok::<_, TxError>(())
            });
            wait.await
        });
        take_turns().await;
        is_closed.recv().unwrap();
        gates.push(gate);
    }
    gates
}
