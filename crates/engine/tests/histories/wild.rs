//! An acquirer as the line to it makes it: slow, silent, late, or never asked at all. Behind it
//! stands the simulated one, whose book is the oracle.
//!
//! What happens to a message follows from the history's seed, the message's number and how often
//! it was sent, so it does not depend on the order in which messages come.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard};

use cobro_acquirer_sim::SimulatedAcquirer;
use cobro_domain::Timestamp;
use cobro_domain::payment::Trace;
use cobro_engine::EngineError;
use cobro_engine::ports::{Acquirer, AdviceAnswer, Answer, Authorise, BookLine, RefundAsk};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::sync::{Notify, oneshot, watch};

use crate::shared::chance::mix;

/// What a message, or an attempt to deliver, is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    Authorise,
    Resolve,
    Reverse,
    Refund,
    Delivery,
}

/// Where a message is held up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Point {
    /// The acquirer has not seen it yet.
    BeforeBooking,
    /// The acquirer has written it down; its answer is on the way.
    AfterBooking,
}

/// What the line does to a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mood {
    Prompt,
    /// The acquirer never sees it.
    LostRequest,
    /// The acquirer sees it, and its answer is lost.
    LostAnswer,
    /// The acquirer sees it long after it was given up.
    LateRequest,
}

/// After so many silent tries of one message the line works.
const SILENT_MAX: u64 = 3;

/// What outlives the processes: the line, and what was said on it.
pub(crate) struct Line {
    seed: u64,
    /// In how many of 100 messages something goes wrong.
    storm: u64,
    inner: Mutex<Inner>,
    /// A message is being held up.
    pub(crate) reached: Notify,
    /// How many refunds were not answered.
    pub(crate) silent_refunds: watch::Sender<u64>,
    /// How many messages wait for their turn.
    pub(crate) waiting: watch::Sender<usize>,
}

#[derive(Default)]
struct Inner {
    tame: bool,
    tries: HashMap<(Kind, i64), u64>,
    armed: Option<(Kind, Point)>,
    held: Option<oneshot::Sender<()>>,
    /// Whether messages wait for their turn, and those that do.
    takes_turns: bool,
    turns: BTreeMap<Trace, oneshot::Sender<()>>,
    late: Vec<Authorise>,
    told: HashMap<Trace, Vec<Answer>>,
    refunds_told: HashMap<Trace, Vec<AdviceAnswer>>,
}

impl Line {
    pub(crate) fn new(seed: u64) -> Self {
        let storm = [0, 5, 15, 40][usize::try_from(mix(&[seed, 77]) % 4).unwrap()];
        Self {
            seed,
            storm,
            inner: Mutex::default(),
            reached: Notify::new(),
            silent_refunds: watch::Sender::new(0),
            waiting: watch::Sender::new(0),
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap()
    }

    /// From now on every message is answered.
    pub(crate) fn tame(&self) {
        self.inner().tame = true;
    }

    /// Holds the next message of this kind up.
    pub(crate) fn arm(&self, kind: Kind, point: Point) {
        self.inner().armed = Some((kind, point));
    }

    /// Nothing is held up any more; answers whether something was to be and did not come.
    pub(crate) fn disarm(&self) -> bool {
        self.inner().armed.take().is_some()
    }

    /// Lets the message that is held up go on.
    pub(crate) fn release(&self) {
        let held = self.inner().held.take();
        if let Some(held) = held {
            // The process that waited may be gone.
            let _ = held.send(());
        }
    }

    /// Waits here when this message is to be held up.
    pub(crate) async fn pass(&self, kind: Kind, point: Point) {
        let wait = {
            let mut inner = self.inner();
            if inner.armed != Some((kind, point)) {
                return;
            }
            inner.armed = None;
            let (release, wait) = oneshot::channel();
            inner.held = Some(release);
            wait
        };
        self.reached.notify_one();
        let _ = wait.await;
    }

    /// Whether new payments and refunds wait for their turn, so that those of calls that are made
    /// at once follow each other in one order.
    pub(crate) fn take_turns(&self, takes_turns: bool) {
        self.inner().takes_turns = takes_turns;
    }

    async fn await_turn(&self, trace: Trace) {
        let turn = {
            let mut inner = self.inner();
            if !inner.takes_turns {
                return;
            }
            let (next, turn) = oneshot::channel();
            inner.turns.insert(trace, next);
            turn
        };
        self.waiting.send_modify(|waiting| *waiting += 1);
        let _ = turn.await;
    }

    /// The message with the lowest number has its turn.
    pub(crate) fn next_turn(&self) {
        let next = self.inner().turns.pop_first();
        if let Some((_, next)) = next {
            self.waiting.send_modify(|waiting| *waiting -= 1);
            let _ = next.send(());
        }
    }

    fn mood(&self, kind: Kind, trace: Trace) -> Mood {
        let mut inner = self.inner();
        let tries = inner.tries.entry((kind, trace.0)).or_default();
        *tries += 1;
        let number = u64::try_from(trace.0).unwrap();
        let draw = mix(&[self.seed, kind as u64, number, *tries]);
        if inner.tame || tries_over(&inner, kind, trace) || draw % 100 >= self.storm {
            return Mood::Prompt;
        }
        match (kind, draw / 100 % 3) {
            (_, 0) => Mood::LostRequest,
            (Kind::Authorise, 1) => Mood::LateRequest,
            _ => Mood::LostAnswer,
        }
    }

    /// Whether this refund is one that the acquirer refuses, however often it is asked.
    fn refuses(&self, trace: Trace) -> bool {
        mix(&[self.seed, 99, u64::try_from(trace.0).unwrap()]) % 100 < 4 && !self.inner().tame
    }

    fn tell(&self, trace: Trace, answer: Answer) -> Answer {
        self.inner().told.entry(trace).or_default().push(answer.clone());
        answer
    }

    fn tell_refund(&self, trace: Trace, answer: AdviceAnswer) -> AdviceAnswer {
        self.inner().refunds_told.entry(trace).or_default().push(answer);
        if answer == AdviceAnswer::Silent {
            self.silent_refunds.send_modify(|count| *count += 1);
        }
        answer
    }

    /// What was said to a payment's messages, in order.
    pub(crate) fn told(&self, trace: Trace) -> Vec<Answer> {
        self.inner().told.get(&trace).cloned().unwrap_or_default()
    }

    /// What was said to a refund's messages, in order.
    pub(crate) fn refund_told(&self, trace: Trace) -> Vec<AdviceAnswer> {
        self.inner().refunds_told.get(&trace).cloned().unwrap_or_default()
    }
}

fn tries_over(inner: &Inner, kind: Kind, trace: Trace) -> bool {
    inner.tries.get(&(kind, trace.0)).is_some_and(|tries| *tries > SILENT_MAX)
}

/// One process's end of the line.
pub(crate) struct Wild {
    line: Arc<Line>,
    real: SimulatedAcquirer,
}

impl Wild {
    pub(crate) fn new(line: Arc<Line>, real: SimulatedAcquirer) -> Self {
        Self { line, real }
    }

    /// The messages that were given up long ago reach the acquirer now.
    pub(crate) async fn deliver_late(&self) -> usize {
        let late = std::mem::take(&mut self.line.inner().late);
        let count = late.len();
        for ask in late {
            // Nobody hears this answer.
            let _ = self.real.authorise(ask).await;
        }
        count
    }
}

impl Acquirer for Wild {
    fn authorise(&self, ask: Authorise) -> BoxFuture<'_, Answer> {
        async move {
            let trace = ask.trace;
            self.line.await_turn(trace).await;
            let mood = self.line.mood(Kind::Authorise, trace);
            self.line.pass(Kind::Authorise, Point::BeforeBooking).await;
            let answer = match mood {
                Mood::Prompt => self.real.authorise(ask).await,
                Mood::LostRequest => Answer::Silent,
                Mood::LateRequest => {
                    self.line.inner().late.push(ask);
                    Answer::Silent
                }
                Mood::LostAnswer => {
                    let _ = self.real.authorise(ask).await;
                    Answer::Silent
                }
            };
            self.line.pass(Kind::Authorise, Point::AfterBooking).await;
            self.line.tell(trace, answer)
        }
        .boxed()
    }

    fn resolve(&self, trace: Trace, at: Timestamp) -> BoxFuture<'_, Answer> {
        async move {
            let mood = self.line.mood(Kind::Resolve, trace);
            let answer = match mood {
                Mood::LostRequest | Mood::LateRequest => Answer::Silent,
                Mood::LostAnswer => {
                    let _ = self.real.resolve(trace, at).await;
                    Answer::Silent
                }
                Mood::Prompt => self.real.resolve(trace, at).await,
            };
            self.line.pass(Kind::Resolve, Point::AfterBooking).await;
            self.line.tell(trace, answer)
        }
        .boxed()
    }

    fn reverse(&self, original: Trace, at: Timestamp) -> BoxFuture<'_, AdviceAnswer> {
        async move {
            let mood = self.line.mood(Kind::Reverse, original);
            self.line.pass(Kind::Reverse, Point::BeforeBooking).await;
            let answer = match mood {
                Mood::LostRequest | Mood::LateRequest => AdviceAnswer::Silent,
                Mood::LostAnswer => {
                    let _ = self.real.reverse(original, at).await;
                    AdviceAnswer::Silent
                }
                Mood::Prompt => self.real.reverse(original, at).await,
            };
            self.line.pass(Kind::Reverse, Point::AfterBooking).await;
            answer
        }
        .boxed()
    }

    fn refund(&self, ask: RefundAsk) -> BoxFuture<'_, AdviceAnswer> {
        async move {
            let trace = ask.trace;
            self.line.await_turn(trace).await;
            let mood = self.line.mood(Kind::Refund, trace);
            self.line.pass(Kind::Refund, Point::BeforeBooking).await;
            let answer = match mood {
                Mood::LostRequest | Mood::LateRequest => AdviceAnswer::Silent,
                _ if self.line.refuses(trace) => AdviceAnswer::Refused,
                Mood::LostAnswer => {
                    let _ = self.real.refund(ask).await;
                    AdviceAnswer::Silent
                }
                Mood::Prompt => self.real.refund(ask).await,
            };
            self.line.pass(Kind::Refund, Point::AfterBooking).await;
            self.line.tell_refund(trace, answer)
        }
        .boxed()
    }

    fn book(&self, after: Trace, limit: i64) -> BoxFuture<'_, Result<Vec<BookLine>, EngineError>> {
        self.real.book(after, limit)
    }
}
