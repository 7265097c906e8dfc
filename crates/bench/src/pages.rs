//! A page of a merchant's payments and of a deposit, read in process: with few payments stored and
//! with very many.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use cobro_domain::{MerchantId, Timestamp};
use cobro_engine::World;
use cobro_engine::deposits::LinePlace;
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

pub(crate) const FEW_PAID: &str = "deposit page, 10,000 payments on one day";
pub(crate) const MANY_PAID: &str = "deposit page, 1,000,000 payments on one day";

/// How many payments each of them has.
const CASES: [(&str, &str, usize); 2] = [(FEW, FEW_PAID, 10_000), (MANY, MANY_PAID, 1_000_000)];

/// How many payments a page has.
const SIZE: i64 = 50;

/// A world with a merchant of many payments.
struct Shelf {
    names: [&'static str; 2],
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
    for (listed, paid, payments) in CASES {
        eprintln!("Storing {payments} payments of one merchant …");
        let data = scratch.copy_of(&template, &payments.to_string())?;
        shelves.push(Shelf::open(&runtime, &data, [listed, paid], payments)?);
    }
    let names = shelves.iter().flat_map(|shelf| shelf.names);
    let mut series: Vec<Series> = names.map(Series::new).collect();
    for round in 0..plan.rounds() {
        eprintln!("Pages, round {} of {}", round + 1, plan.rounds());
        for turn in 0..shelves.len() {
            let place = (turn + round) % shelves.len();
            let two = series.get_mut(2 * place..2 * place + 2);
            if let (Some(shelf), Some([listed, paid])) = (shelves.get(place), two) {
                let of_list = |number| shelf.list_page(number);
                listed.push(runtime.block_on(shelf.slice(round, plan.slice(), of_list))?);
                let of_deposit = |number| shelf.deposit_page(number);
                paid.push(runtime.block_on(shelf.slice(round, plan.slice(), of_deposit))?);
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
        names: [&'static str; 2],
        payments: usize,
    ) -> anyhow::Result<Self> {
        let merchant = fill::fill_one(data, payments)?;
        let merchant = MerchantId::from_slice(&merchant).context("no id of a merchant")?;
        let world = runtime.block_on(Place::sqlite(data).open(Some(Arc::new(Yes))))?;
        Ok(Self { names, payments: i64::try_from(payments)?, merchant, world })
    }

    /// A page of the list of payments.
    async fn list_page(&self, number: i64) -> anyhow::Result<usize> {
        let (from, to) = (Timestamp::from_micros(0), stock::now());
        let page = self.world.payments_between(self.merchant, from, to, SIZE, number).await?;
        anyhow::ensure!(page.total == self.payments, "{} payments", page.total);
        Ok(page.payments.len())
    }

    /// A page of the deposit that has all payments.
    async fn deposit_page(&self, number: i64) -> anyhow::Result<usize> {
        let after = LinePlace::Payment((number - 1) * SIZE);
        let size = usize::try_from(SIZE)?;
        let deposits = self.world.deposits();
        Ok(deposits.lines(self.merchant, fill::SETTLED_ON, Some(after), size).await?.len())
    }

    /// Any pages of all payments, one after another.
    async fn slice(
        &self,
        round: usize,
        time: Duration,
        read: impl AsyncFn(i64) -> anyhow::Result<usize>,
    ) -> anyhow::Result<Slice> {
        let pages = self.payments / SIZE;
        // Numbers that jump about, the same in every run.
        let mut state = u64::try_from(round)?;
        let watched = Watched { servers: Vec::new(), database: None };
        let (mark, began) = (Mark::new(&watched), Instant::now());
        let mut took = Vec::new();
        while began.elapsed() < time {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let number = i64::try_from(state >> 33)? % pages + 1;
            let one = Instant::now();
            let rows = read(number).await?;
            took.push(micros(one));
            anyhow::ensure!(rows == 50, "a page of {rows}");
        }
        let (elapsed, cpu) = (began.elapsed(), mark.elapsed());
        let operations = u64::try_from(took.len()).unwrap_or(0);
        Ok(Slice { cpu, ..Slice::new(operations, elapsed, took) })
    }
}
