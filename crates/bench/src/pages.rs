//! A page of a merchant's payments, read in process: with few payments stored and with very many.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use cobro_domain::{MerchantId, Timestamp};
use cobro_engine::World;
use tokio::runtime::Runtime;

use crate::clock::{Mark, Slice, Watched};
use crate::fill;
use crate::inside::{Counter, Yes, micros};
use crate::plan::Plan;
use crate::process::Scratch;
use crate::report::Series;
use crate::stock::{self, Place};

/// What is measured, in the order in which it is reported.
pub(crate) const FEW: &str = "list page, 10,000 payments of one merchant";
pub(crate) const MANY: &str = "list page, 1,000,000 payments of one merchant";

/// How many payments each of them has.
const CASES: [(&str, usize); 2] = [(FEW, 10_000), (MANY, 1_000_000)];

/// How many payments a page has.
const SIZE: i64 = 50;

/// A world with a merchant of many payments.
struct Shelf {
    name: &'static str,
    payments: i64,
    merchant: MerchantId,
    world: World,
}

/// Measures; gives a series of slices per case.
pub(crate) fn measure(plan: &Plan) -> anyhow::Result<Vec<Series>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let scratch = Scratch::new(&plan.work, "pages")?;
    let template = scratch.path().join("template");
    let tills = stock::make_data(&runtime, &template)?;
    runtime.block_on(async {
        let world = Place::sqlite(&template).open(None).await?;
        Counter::new(&world, tills.one.get(..1).unwrap_or_default()).await?.sample().await?;
        world.drain().await;
        Ok::<_, anyhow::Error>(())
    })?;
    stock::settle(&template)?;
    let mut shelves = Vec::new();
    for (name, payments) in CASES {
        eprintln!("Storing {payments} payments of one merchant …");
        let data = scratch.copy_of(&template, &payments.to_string())?;
        shelves.push(Shelf::open(&runtime, &data, name, payments)?);
    }
    let mut series: Vec<Series> = shelves.iter().map(|shelf| Series::new(shelf.name)).collect();
    for round in 0..plan.rounds() {
        eprintln!("Pages, round {} of {}", round + 1, plan.rounds());
        for turn in 0..shelves.len() {
            let place = (turn + round) % shelves.len();
            if let (Some(shelf), Some(one)) = (shelves.get(place), series.get_mut(place)) {
                one.push(runtime.block_on(shelf.slice(round, plan.slice()))?);
            }
        }
    }
    for shelf in shelves {
        runtime.block_on(shelf.world.drain());
    }
    Ok(series)
}

impl Shelf {
    fn open(
        runtime: &Runtime,
        data: &Path,
        name: &'static str,
        payments: usize,
    ) -> anyhow::Result<Self> {
        let merchant = fill::fill_one(data, payments)?;
        let merchant = MerchantId::from_slice(&merchant).context("no id of a merchant")?;
        let world = runtime.block_on(Place::sqlite(data).open(Some(Arc::new(Yes))))?;
        Ok(Self { name, payments: i64::try_from(payments)?, merchant, world })
    }

    /// Any pages of all payments, one after another.
    async fn slice(&self, round: usize, time: Duration) -> anyhow::Result<Slice> {
        let pages = self.payments / SIZE;
        // Numbers that jump about, the same in every run.
        let mut state = u64::try_from(round)?;
        let (from, to) = (Timestamp::from_micros(0), stock::now());
        let watched = Watched { servers: Vec::new(), database: None };
        let (mark, began) = (Mark::new(&watched), Instant::now());
        let mut took = Vec::new();
        while began.elapsed() < time {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let number = i64::try_from(state >> 33)? % pages + 1;
            let one = Instant::now();
            let page = self.world.payments_between(self.merchant, from, to, SIZE, number).await?;
            took.push(micros(one));
            anyhow::ensure!(page.total == self.payments, "{} payments", page.total);
            anyhow::ensure!(page.payments.len() == 50, "a page of {}", page.payments.len());
        }
        let (elapsed, cpu) = (began.elapsed(), mark.elapsed());
        let operations = u64::try_from(took.len()).unwrap_or(0);
        Ok(Slice { cpu, ..Slice::new(operations, elapsed, took) })
    }
}
