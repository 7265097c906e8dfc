//! Load in process: the use cases without HTTP.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use cobro_domain::card::CardEntry;
use cobro_domain::payment::Trace;
use cobro_domain::{IntentId, Money, TerminalId, Timestamp};
use cobro_engine::charges::PresentCard;
use cobro_engine::intents::{CreateIntent, Repeatable};
use cobro_engine::ports::{Acquirer, AdviceAnswer, Answer, Authorise, BookLine, RefundAsk};
use cobro_engine::secrets::digest;
use cobro_engine::{Caller, EngineError, World};
use futures_util::future::{BoxFuture, FutureExt as _, ready, try_join_all};

use crate::clock::{Mark, Slice, Watched};
use crate::stock::{Till, entropy};

/// What a surface keeps of a request to give it back: the sample of the reference.
const LUGGAGE: &str = r#"{"additional_info":{"external_reference":"4561ads-das4das4-das4754-das456","print_on_terminal":true,"ticket_number":"S0392JED"}}"#;

/// An acquirer that says yes at once and keeps no book: what is measured is Cobro's own work.
pub(crate) struct Yes;

impl Acquirer for Yes {
    fn authorise(&self, _: Authorise) -> BoxFuture<'_, Answer> {
        ready(Answer::Approved { authorization: "301299".to_owned() }).boxed()
    }
    fn resolve(&self, _: Trace, _: Timestamp) -> BoxFuture<'_, Answer> {
        ready(Answer::Silent).boxed()
    }
    fn reverse(&self, _: Trace, _: Timestamp) -> BoxFuture<'_, AdviceAnswer> {
        ready(AdviceAnswer::Accepted).boxed()
    }
    fn refund(&self, _: RefundAsk) -> BoxFuture<'_, AdviceAnswer> {
        ready(AdviceAnswer::Accepted).boxed()
    }
    fn book(&self, _: Trace, _: i64) -> BoxFuture<'_, Result<Vec<BookLine>, EngineError>> {
        ready(Ok(Vec::new())).boxed()
    }
}

/// A terminal and its recognised seller.
struct Desk {
    caller: Caller,
    terminal: TerminalId,
}

/// Terminals of a world, at which callers work.
#[derive(Clone)]
pub(crate) struct Counter {
    world: World,
    desks: Arc<Vec<Desk>>,
    tag: [u8; 16],
    count: Arc<AtomicU64>,
}

impl Counter {
    /// The terminals of a world, their sellers recognised.
    pub(crate) async fn new(world: &World, tills: &[Till]) -> anyhow::Result<Self> {
        let mut desks = Vec::with_capacity(tills.len());
        for till in tills {
            let caller = world.recognise("mp.access_token", &till.token).await?;
            let caller = caller.context("a token is not known")?;
            desks.push(Desk { caller, terminal: TerminalId(till.device.clone()) });
        }
        let (desks, tag) = (Arc::new(desks), entropy().seed());
        Ok(Self { world: world.clone(), desks, tag, count: Arc::new(AtomicU64::new(0)) })
    }

    async fn create(&self, desk: &Desk) -> anyhow::Result<IntentId> {
        let number = self.count.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        let command = CreateIntent {
            terminal: desk.terminal.clone(),
            amount: Money::new(1500, desk.caller.account.currency),
            card_kind: None,
            installments: 1,
            retry_declined: false,
            scenario: None,
            luggage: LUGGAGE.to_owned(),
            abandon_after_s: 600,
            repeatable: Some(Repeatable {
                digest: digest(&[&self.tag, &number]),
                lifetime_s: 24 * 3600,
            }),
        };
        Ok(self.world.create_intent(&desk.caller, command).await?.id)
    }

    /// Creates an intent on each of the first `count` terminals; they are cancelled afterwards,
    /// which is not measured.
    pub(crate) async fn creates(
        self,
        callers: usize,
        count: usize,
        watched: &Watched,
    ) -> anyhow::Result<Slice> {
        let own = Arc::new(self);
        let next = Arc::new(AtomicUsize::new(0));
        let limit = count.min(own.desks.len());
        let (mark, began) = (Mark::new(watched), Instant::now());
        let all = (0..callers).map(|_| {
            let (own, next) = (own.clone(), next.clone());
            tokio::spawn(async move {
                let (mut made, mut took) = (Vec::new(), Vec::new());
                loop {
                    let place = next.fetch_add(1, Ordering::Relaxed);
                    let Some(desk) = own.desks.get(place).filter(|_| place < limit) else {
                        return Ok::<_, anyhow::Error>((made, took));
                    };
                    let one = Instant::now();
                    made.push((place, own.create(desk).await?));
                    took.push(micros(one));
                }
            })
        });
        let done = try_join_all(all).await?;
        let (elapsed, cpu) = (began.elapsed(), mark.elapsed());
        let (mut made, mut took) = (Vec::new(), Vec::new());
        for one in done {
            let (some, latencies) = one?;
            made.extend(some);
            took.extend(latencies);
        }
        for some in made.chunks(64) {
            let cancel = some.iter().filter_map(|(place, id)| {
                let desk = own.desks.get(*place)?;
                Some(own.world.cancel_intent(&desk.caller, desk.terminal.clone(), *id))
            });
            try_join_all(cancel).await?;
        }
        let operations = u64::try_from(made.len()).unwrap_or(0);
        Ok(Slice { cpu, ..Slice::new(operations, elapsed, took) })
    }

    /// Payments for as long as asked: create, green key, card, result put away. Gives the slice
    /// with payments as its operations.
    pub(crate) async fn payments(
        self,
        callers: usize,
        time: Duration,
        watched: &Watched,
    ) -> anyhow::Result<Slice> {
        anyhow::ensure!(self.desks.len() >= 2 * callers, "there are too few terminals");
        let own = Arc::new(self);
        let next = Arc::new(AtomicUsize::new(0));
        let (mark, began) = (Mark::new(watched), Instant::now());
        let all = (0..callers).map(|_| {
            let (own, next) = (own.clone(), next.clone());
            tokio::spawn(async move {
                let mut took = Vec::new();
                while began.elapsed() < time {
                    let place = next.fetch_add(1, Ordering::Relaxed) % own.desks.len();
                    let Some(desk) = own.desks.get(place) else { break };
                    let one = Instant::now();
                    own.pay(desk).await?;
                    took.push(micros(one));
                }
                Ok::<_, anyhow::Error>(took)
            })
        });
        let done = try_join_all(all).await?;
        let (elapsed, cpu) = (began.elapsed(), mark.elapsed());
        let mut took = Vec::new();
        for one in done {
            took.extend(one?);
        }
        let operations = u64::try_from(took.len()).unwrap_or(0);
        Ok(Slice { cpu, ..Slice::new(operations, elapsed, took) })
    }

    async fn pay(&self, desk: &Desk) -> anyhow::Result<()> {
        let (world, merchant) = (&self.world, desk.caller.merchant);
        self.create(desk).await?;
        world.fetch_intent(merchant, desk.terminal.clone(), None).await?;
        let card =
            PresentCard { card: None, entry: CardEntry::Tap, tip_minor: 0, installments: None };
        world.present_card(merchant, desk.terminal.clone(), card).await?;
        world.close_result(merchant, desk.terminal.clone()).await?;
        Ok(())
    }

    /// One payment at the first terminal, for others to be copied from.
    pub(crate) async fn sample(&self) -> anyhow::Result<()> {
        let desk = self.desks.first().context("there is no terminal")?;
        self.pay(desk).await
    }
}

/// The microseconds since then.
pub(crate) fn micros(since: Instant) -> u32 {
    u32::try_from(since.elapsed().as_micros()).unwrap_or(u32::MAX)
}
