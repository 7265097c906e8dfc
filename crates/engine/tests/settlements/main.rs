//! Sixty days of payments, tips, instalments, held money and refunds of three merchants, with days
//! cut at midnight in Mexico City: each entry is in exactly one settlement, headers are the sums of
//! their lines, everything that was settled was paid out, and processes that die while days are
//! closed change no report.
//!
//! A debug build plays a tenth of what a release build plays; `PAYMENTS=n` plays `n`, `SEED=n`
//! another course of events.

#![cfg(test)]

#[path = "../shared/mod.rs"]
#[allow(dead_code, reason = "no test program needs all of it")]
mod shared;

mod ours;

use std::collections::BTreeMap;
use std::sync::Arc;

use cobro_domain::fee::Fee;
use cobro_domain::ledger::Account;
use cobro_domain::payment::PaymentState;
use cobro_domain::refund::RefundState;
use cobro_domain::settlement::{Settlement, SettlementState};
use cobro_domain::time::Day;
use cobro_domain::{CardId, PaymentId, Timestamp};
use cobro_engine::deposits::{OF_DAY, SettlementLine, SettlementsBefore, settlement_id};
use cobro_engine::verify::Offence;
use cobro_engine::{EngineError, World};
use cobro_store::{Cell, Tx};
use ours::{DAY_US, Sale, Sheet};
use shared::chance::{Chance, SeededEntropy};
use shared::process::Place;
use shared::settling::{APPROVES, DECLINES, MERCHANTS, merchant_id};
use shared::shop::{Charge, Life, START_US, caller, refund_of, store_card};

const DAYS: i64 = 60;

/// The same on PostgreSQL, where each commit waits for a disk.
const DAYS_ON_POSTGRES: i64 = 14;

/// How many times of a day there are payments: its first and its last microsecond among them.
const TIMES: i64 = 4;

/// Every how many days the process dies while the clock is moved.
const DIES_EVERY: i64 = 3;

fn variable(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().unwrap())
}

/// How many times fewer payments there are on PostgreSQL.
const FEWER_ON_POSTGRES: u64 = 10;

fn payments() -> u64 {
    variable("PAYMENTS", if cfg!(debug_assertions) { 10_000 } else { 100_000 })
}

#[test]
fn each_entry_is_in_one_settlement_on_sqlite() {
    play(Place::sqlite(), DAYS, payments());
}

#[test]
fn each_entry_is_in_one_settlement_on_postgres() {
    if let Some(place) = Place::postgres() {
        play(place, DAYS_ON_POSTGRES, payments() / FEWER_ON_POSTGRES);
    }
}

fn play(place: Place, days: i64, payments: u64) {
    let mut course = Course::new(place, variable("SEED", 1));
    let mut reports = Reports::default();
    let count = payments.div_ceil(u64::try_from(days * TIMES).unwrap());
    for day in 0..days {
        for time in 0..TIMES {
            let at_us = course.moment(day, time);
            if time == 0 && day % DIES_EVERY == 0 {
                course.die_while_moving_to(at_us);
                reports.note(&course);
            }
            course.move_to(at_us);
            course.sell(count);
            course.take_held();
            course.give_back(count);
        }
    }
    // Everything that was sold is paid out by then.
    course.move_to(START_US + (days + 5) * DAY_US);
    reports.note(&course);
    let sheets = ours::sheets(&course.sales);
    course.check(&sheets);
    course.check_books();
    // Closed once more, and by another process.
    course.run_again();
    course.restart();
    course.run_again();
    reports.note(&course);
    course.check(&sheets);
    course.check_variety();
    course.life.take().unwrap().die();
}

/// The reports that were seen closed; none changes ever after.
#[derive(Default)]
struct Reports(BTreeMap<(usize, i64), Settlement>);

impl Reports {
    fn note(&mut self, course: &Course) {
        for (place, settlement) in course.closed() {
            let before = self.0.insert(place, settlement.clone());
            assert!(before.is_none_or(|before| before == settlement), "a report has changed");
        }
    }
}

/// What happens, and what a shopkeeper notes of it.
struct Course {
    place: Place,
    entropy: Arc<SeededEntropy>,
    chance: Chance,
    life: Option<Life>,
    cards: Vec<Cards>,
    sales: Vec<Sale>,
    /// Money that is held, not taken: whose, which payment, how much, at which price.
    held: Vec<(usize, PaymentId, i64, i64)>,
    declined: u64,
    run_again: bool,
}

/// A merchant's two stored cards.
#[derive(Clone, Copy)]
struct Cards {
    approves: CardId,
    declines: CardId,
}

impl Course {
    fn new(place: Place, seed: u64) -> Self {
        let entropy = Arc::new(SeededEntropy::new(seed));
        let life = Life::start(&place, &entropy);
        let cards = life.run(async {
            let mut cards = Vec::new();
            for merchant in 0..MERCHANTS {
                let approves = store_card(&life.world, merchant, APPROVES).await;
                let declines = store_card(&life.world, merchant, DECLINES).await;
                cards.push(Cards { approves, declines });
            }
            cards
        });
        Self {
            place,
            entropy,
            chance: Chance::new(seed),
            life: Some(life),
            cards,
            sales: Vec::new(),
            held: Vec::new(),
            declined: 0,
            run_again: false,
        }
    }

    fn life(&self) -> &Life {
        self.life.as_ref().unwrap()
    }

    /// A time of a day: its first moment, its last, or one between them, in order.
    fn moment(&mut self, day: i64, time: i64) -> i64 {
        let midnight = START_US + day * DAY_US;
        match time {
            0 => midnight,
            1 => midnight + self.chance.between(1, DAY_US / 2),
            2 => midnight + self.chance.between(DAY_US / 2, DAY_US - 2),
            _ => midnight + DAY_US - 1,
        }
    }

    fn move_to(&self, at_us: i64) {
        let life = self.life();
        life.run(life.world.advance_to(Timestamp::from_micros(at_us))).unwrap();
    }

    /// The clock is moved and the process dies before, while or after days are closed.
    fn die_while_moving_to(&mut self, at_us: i64) {
        let turns = self.chance.below(400);
        let life = self.life.take().unwrap();
        life.run(async {
            tokio::select! {
                biased;
                moved = life.world.advance_to(Timestamp::from_micros(at_us)) => { moved.unwrap(); }
                () = async { for _ in 0..turns { tokio::task::yield_now().await; } } => {}
            }
        });
        life.die();
        self.life = Some(Life::start(&self.place, &self.entropy));
    }

    fn restart(&mut self) {
        self.life.take().unwrap().die();
        self.life = Some(Life::start(&self.place, &self.entropy));
    }

    fn sell(&mut self, count: u64) {
        let mut charges = Vec::new();
        for _ in 0..count {
            let merchant = usize::try_from(self.chance.below(MERCHANTS as u64)).unwrap();
            // Small amounts are where rounding shows.
            let most = *self.chance.pick(&[30, 5_000, 2_000_000]);
            let amount = self.chance.between(1, most);
            let tip = if self.chance.one_in(4) { self.chance.between(0, amount / 2) } else { 0 };
            let installments = *self.chance.pick(&[1, 1, 1, 3, 12]);
            let declines = self.chance.one_in(20);
            let capture = !self.chance.one_in(12);
            let cards = self.cards[merchant];
            let card = if declines { cards.declines } else { cards.approves };
            charges.push(Charge {
                amount_minor: amount + tip,
                tip_minor: tip,
                installments,
                capture,
                ..Charge::of(merchant, card)
            });
        }
        let life = self.life.as_ref().unwrap();
        let made = charges.iter().map(|charge| charge.make(&life.world));
        let views = life.run(futures_util::future::join_all(made));
        for (charge, view) in charges.into_iter().zip(views) {
            let payment = view.payments.into_iter().next().unwrap();
            let bears = charge.merchant + 1 == MERCHANTS && charge.installments > 1;
            let fee_bps = if bears { 810 } else { 360 };
            match payment.state {
                PaymentState::Approved { at, .. } => {
                    assert!(charge.capture && payment.captured_minor == charge.amount_minor);
                    assert_eq!(payment.tip_minor, charge.tip_minor);
                    self.sold(charge.merchant, payment.id, at, charge.amount_minor, fee_bps);
                }
                PaymentState::Authorized { .. } => {
                    assert_eq!(payment.settles_on, None, "held money is not paid out");
                    self.held.push((charge.merchant, payment.id, charge.amount_minor, fee_bps));
                }
                _ => self.declined += 1,
            }
        }
    }

    fn sold(&mut self, merchant: usize, id: PaymentId, at: Timestamp, taken: i64, fee_bps: i64) {
        let at_us = at.micros();
        self.sales.push(Sale { merchant, id, at_us, taken, fee_bps, back: Vec::new() });
    }

    /// Some of the held money is taken, as a whole or in part.
    fn take_held(&mut self) {
        let mut taken = Vec::new();
        let (now, later) = std::mem::take(&mut self.held)
            .into_iter()
            .partition::<Vec<_>, _>(|_| self.chance.one_in(3));
        self.held = later;
        for held in now {
            let part = if self.chance.one_in(2) { held.2 } else { self.chance.between(1, held.2) };
            taken.push((held, part));
        }
        let life = self.life.as_ref().unwrap();
        let captures = taken.iter().map(|((merchant, id, ..), part)| async {
            let caller = caller(&life.world, *merchant).await;
            life.world.capture_payment(&caller, *id, Some(*part)).await.unwrap()
        });
        let captured = life.run(futures_util::future::join_all(captures));
        for (((merchant, id, _, fee_bps), part), payment) in taken.into_iter().zip(captured) {
            let PaymentState::Approved { at, .. } = payment.state else { unreachable!() };
            self.sold(merchant, id, at, part, fee_bps);
        }
    }

    /// Some payments go back, early ones too; as a whole, or in parts.
    fn give_back(&mut self, sold: u64) {
        let mut wanted = BTreeMap::new();
        let tries = if self.sales.is_empty() { 0 } else { 8.max(sold / 5) };
        for _ in 0..tries {
            // Mostly what was sold just now: that is netted before it is paid out.
            let count = self.sales.len() as u64;
            let recent = if self.chance.one_in(2) { count.min(sold.max(50)) } else { count };
            let place = usize::try_from(count - 1 - self.chance.below(recent)).unwrap();
            let left = self.sales[place].left();
            if left > 0 {
                let whole = self.chance.one_in(2);
                let amount = if whole { left } else { self.chance.between(1, left) };
                wanted.insert(place, amount);
            }
        }
        let life = self.life.as_ref().unwrap();
        let refunds = wanted.iter().map(|(place, amount)| {
            let sale = &self.sales[*place];
            refund(&life.world, sale.merchant, sale.id, *amount)
        });
        let at = life.run(futures_util::future::join_all(refunds));
        for ((place, amount), at) in wanted.into_iter().zip(at) {
            self.sales[place].back.push((at.micros(), amount));
        }
    }

    /// All closed settlements.
    fn closed(&self) -> BTreeMap<(usize, i64), Settlement> {
        let life = self.life();
        life.run(async {
            let mut found = BTreeMap::new();
            for merchant in 0..MERCHANTS {
                let id = merchant_id(&life.world, merchant).await;
                let all = life.world.deposits().closed(id, Day(0), Day(100_000)).await.unwrap();
                assert!(all.iter().all(|settlement| !settlement.is_open()));
                let with_place =
                    |settlement: Settlement| ((merchant, settlement.day.0), settlement);
                found.extend(all.into_iter().map(with_place));
            }
            found
        })
    }

    fn check(&self, sheets: &BTreeMap<(usize, i64), Sheet>) {
        let life = self.life();
        let closed = self.closed();
        let days = |found: Vec<&(usize, i64)>| found.into_iter().copied().collect::<Vec<_>>();
        assert_eq!(days(closed.keys().collect()), days(sheets.keys().collect()));
        for (place, settlement) in &closed {
            let lines = life.run(read(&life.world, settlement));
            let mut sheet = Sheet::default();
            let mut total = (0, 0, 0);
            for line in &lines {
                let row = (line.gross_minor, line.fee.fee_minor, line.fee.tax_minor);
                total = (total.0 + row.0, total.1 + row.1, total.2 + row.2);
                match &line.refund {
                    None => assert!(sheet.payments.insert(line.payment.id, row).is_none()),
                    Some(_) => sheet.refunds.push((line.payment.id, row)),
                }
            }
            sheet.refunds.sort();
            assert_eq!(&sheet, &sheets[place], "{place:?}");
            let Settlement { gross_minor, fee, rows, .. } = settlement;
            assert_eq!(total, (*gross_minor, fee.fee_minor, fee.tax_minor), "{place:?}");
            assert_eq!(settlement.net_minor(), total.0 - total.1 - total.2);
            assert_eq!(usize::try_from(*rows).unwrap(), lines.len());
        }
    }

    /// The ledger adds up to nothing; what was settled left the bank; nothing is owed any more.
    fn check_books(&self) {
        let life = self.life();
        let balances = life.run(life.world.balances()).unwrap();
        assert_eq!(balances.iter().map(|balance| balance.balance_minor).sum::<i64>(), 0);
        let of = |account| {
            let found = balances.iter().find(|balance| balance.account == account);
            found.map_or(0, |balance| balance.balance_minor)
        };
        let closed = self.closed();
        let net: i64 = closed.values().map(Settlement::net_minor).sum();
        assert_eq!(of(Account::Bank), -net);
        assert_eq!(of(Account::MerchantPayable), 0);
        let fees: i64 = closed.values().map(|one| one.fee.fee_minor).sum();
        assert_eq!(of(Account::FeeIncome), -fees);
        life.run(life.world.verify()).unwrap();
    }

    /// Closing again reports what nobody has asked for yet, and then nothing.
    fn run_again(&mut self) {
        let life = self.life.as_ref().unwrap();
        let closed = self.closed().len();
        let run = || life.run(life.world.run_settlements()).unwrap();
        assert_eq!(run().len(), if self.run_again { 0 } else { closed });
        assert_eq!(run(), []);
        assert_eq!(self.closed().len(), closed);
        self.run_again = true;
    }

    /// A course in which nothing of interest happens proves nothing.
    fn check_variety(&self) {
        let netted = |sale: &Sale, late: bool| {
            let closes = ours::begins(ours::pays_out(sale.at_us));
            sale.back.iter().any(|(at_us, _)| (*at_us >= closes) == late)
        };
        let count = |fits: &dyn Fn(&Sale) -> bool| self.sales.iter().filter(|s| fits(s)).count();
        assert!(count(&|sale| netted(sale, false) && sale.left() == 0) > 10);
        assert!(count(&|sale| netted(sale, false) && netted(sale, true)) > 10);
        assert!(count(&|sale| netted(sale, true) && sale.back.len() > 1) > 10);
        assert!(count(&|sale| sale.fee_bps == 810) > 10 && self.declined > 10);
    }
}

/// `cobro verify` names a settlement that is not the sum of its payments and refunds, and one that
/// was not paid out as it says.
#[test]
fn what_does_not_add_up_is_found() {
    let mut course = Course::new(Place::sqlite(), 1);
    course.sell(20);
    course.give_back(20);
    course.move_to(START_US + 2 * DAY_US);
    let life = course.life();
    let verify = || life.run(life.world.verify());
    verify().unwrap();
    let settlement = course.closed().into_values().next().unwrap();
    let fee = |fee_minor| Fee { fee_minor, ..settlement.fee };
    let state = SettlementState::Open;
    let table = [
        Settlement { gross_minor: settlement.gross_minor + 1, ..settlement.clone() },
        Settlement { fee: fee(settlement.fee.fee_minor - 1), ..settlement.clone() },
        Settlement { rows: settlement.rows + 1, ..settlement.clone() },
        Settlement { day: settlement.day.plus(9), ..settlement.clone() },
        // Paid out without having been closed.
        Settlement { state, ..settlement.clone() },
    ];
    for wrong in table {
        let place = (wrong.merchant, wrong.day);
        let save = |row: Settlement| {
            let put = move |tx: &mut Tx<'_>| -> Result<(), EngineError> {
                match tx.get::<Settlement>(&(row.merchant, row.day))? {
                    Some(_) => tx.save(&row),
                    None => tx.insert(&row),
                }
                Ok(())
            };
            life.run(life.world.write(place.0, put)).unwrap();
        };
        save(wrong.clone());
        let found = verify();
        assert!(matches!(found, Err(Offence::Broken { rule: "I12", .. })), "{wrong:?}: {found:?}");
        save(settlement.clone());
        if place.1 != settlement.day {
            let take = move |tx: &mut Tx<'_>| -> Result<(), EngineError> {
                tx.delete::<Settlement>(&place);
                Ok(())
            };
            life.run(life.world.write(place.0, take)).unwrap();
        }
        verify().unwrap();
    }
    course.life.take().unwrap().die();
}

/// A page of a day with many payments costs what a page of a day with few does: it is read from the
/// index of the day, in its order.
#[test]
fn pages_are_read_from_the_index_of_their_day() {
    let place = Place::sqlite();
    let life = Life::start(&place, &Arc::new(SeededEntropy::new(1)));
    for (table, index) in [("payment", "payment_by_settlement"), ("refund", "refund_by_settlement")]
    {
        let plan = life.run(life.world.store().read(move |reader| {
            let query = format!("EXPLAIN QUERY PLAN SELECT * FROM {table} {OF_DAY}");
            let parameters =
                [Cell::Bytes([1; 16].as_slice().into()), Cell::Int(1), Cell::Int(1), Cell::Int(1)];
            reader.rows(&query, &parameters)
        }));
        let plan = format!("{:?}", plan.unwrap());
        let wanted = format!("USING INDEX {index} (merchant=? AND settles_on=? AND ordinal>?)");
        assert!(plan.contains(&wanted) && !plan.contains("TEMP B-TREE"), "{plan}");
    }
    life.die();
}

/// Gives money back; answers when it went.
async fn refund(world: &World, merchant: usize, payment: PaymentId, amount: i64) -> Timestamp {
    let caller = caller(world, merchant).await;
    let view = world.create_refund(&caller, refund_of(payment, amount)).await.unwrap();
    assert_eq!(view.refund.state, RefundState::Approved);
    view.refund.changed_at
}

/// All lines of a settlement, in pages of a size that differs from one to the next. The settlement
/// is found by its report, by its id and in the list; not by another merchant.
async fn read(world: &World, settlement: &Settlement) -> Vec<SettlementLine> {
    let Settlement { merchant, day, .. } = *settlement;
    let SettlementState::Closed { report, .. } = &settlement.state else { unreachable!() };
    assert_eq!(&world.deposits().by_report(merchant, report).await.unwrap(), settlement);
    let id = settlement_id(merchant, day);
    assert_eq!(&world.deposits().by_id(merchant, id).await.unwrap(), settlement);
    let before =
        SettlementsBefore { merchant: Some(merchant), before: Some((day.plus(1), merchant)) };
    assert_eq!(&world.deposits().before(before, 1).await.unwrap()[0], settlement);
    let before = SettlementsBefore { merchant: None, before: Some((day.plus(1), merchant)) };
    let of_day = world.deposits().before(before, 8).await.unwrap();
    assert!(of_day.contains(settlement));
    for name in [report.clone(), id.to_string()] {
        let (found, of) = world.deposits().find(&name).await.unwrap();
        assert_eq!((&found, of.id), (settlement, merchant));
    }
    for stranger in 0..MERCHANTS {
        let stranger = merchant_id(world, stranger).await;
        if stranger != merchant {
            let by_report = world.deposits().by_report(stranger, report).await;
            assert!(matches!(by_report, Err(EngineError::NotFound(_))));
            assert!(world.deposits().by_id(stranger, id).await.is_err());
        }
    }
    let (mut lines, mut sizes) = (Vec::<SettlementLine>::new(), [1, 7, 100].into_iter().cycle());
    loop {
        let size = sizes.next().unwrap();
        let after = lines.last().map(SettlementLine::place);
        let page = world.deposits().lines(merchant, day, after, size).await.unwrap();
        assert!(page.len() <= size);
        let is_last = page.len() < size;
        lines.extend(page);
        if is_last {
            return lines;
        }
    }
}
