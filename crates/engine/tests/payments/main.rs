//! Payments without a terminal, in process: refunds that race, pages that are exact, holders who
//! are asked. On PostgreSQL a tenth of it is played.

#![cfg(test)]

#[path = "../shared/mod.rs"]
#[allow(dead_code, reason = "no test program needs all of it")]
mod shared;

mod listing;
mod recurring;
mod serials;

use std::sync::Arc;

use cobro_domain::payment::{DeclineReason, Payment, PaymentRefused, PaymentState};
use cobro_domain::session::{SessionEnd, SessionState};
use cobro_domain::{CardId, MerchantId, Timestamp};
use cobro_engine::payment_pages::TakenPayments;
use cobro_engine::{EngineError, World};
use cobro_store::ToCell;
use futures_util::future::join_all;
use shared::chance::{Chance, SeededEntropy};
use shared::process::Place;
use shared::settling::{APPROVES, DECLINES, merchant_id};
use shared::shop::{Charge, Life, START_US, caller, refund_of, store_card};

/// A process, and what its first merchant has.
struct Stage {
    life: Life,
    approves: CardId,
    declines: CardId,
}

impl Stage {
    fn new(place: &Place) -> Self {
        let life = Life::start(place, &Arc::new(SeededEntropy::new(1)));
        let (approves, declines) = life.run(async {
            let world = &life.world;
            (store_card(world, 0, APPROVES).await, store_card(world, 0, DECLINES).await)
        });
        Self { life, approves, declines }
    }

    fn run<T>(&self, work: impl Future<Output = T>) -> T {
        self.life.run(work)
    }

    fn world(&self) -> &World {
        &self.life.world
    }

    fn merchant(&self) -> MerchantId {
        self.run(merchant_id(self.world(), 0))
    }

    fn end(self) {
        self.life.die();
    }
}

#[test]
fn of_thirty_two_refunds_at_once_one_succeeds_on_sqlite() {
    race(&Place::sqlite(), 1_000);
}

#[test]
fn of_thirty_two_refunds_at_once_one_succeeds_on_postgres() {
    if let Some(place) = Place::postgres() {
        race(&place, 100);
    }
}

/// Refunds of sixty percent each: a second one would be more than was paid.
fn race(place: &Place, rounds: usize) {
    const CALLERS: usize = 32;
    let stage = Stage::new(place);
    let caller = stage.run(caller(stage.world(), 0));
    for round in 0..rounds {
        let paid = stage.run(Charge::of(0, stage.approves).make(stage.world()));
        let id = paid.payments[0].id;
        let all = (0..CALLERS).map(|_| stage.world().create_refund(&caller, refund_of(id, 6_000)));
        let answers = stage.run(join_all(all));
        let made = answers.iter().filter(|answer| answer.is_ok()).count();
        assert_eq!(made, 1, "round {round}");
        for answer in &answers {
            let refused = PaymentRefused::ExceedsRemainder { left_minor: 4_000 };
            let fits = answer.as_ref().err().is_none_or(|error| *error == refused.clone().into());
            assert!(fits, "round {round}: {answer:?}");
        }
        let found = stage.run(stage.world().payment(caller.merchant, id)).unwrap();
        assert_eq!((found.payment.refunded_minor, found.refunds.len()), (6_000, 1));
    }
    stage.run(stage.world().verify()).unwrap();
    stage.end();
}

#[test]
fn pages_are_those_of_a_patient_reader_on_sqlite() {
    pages(&Place::sqlite(), 60);
}

#[test]
fn pages_are_those_of_a_patient_reader_on_postgres() {
    if let Some(place) = Place::postgres() {
        pages(&place, 12);
    }
}

/// Payments of two merchants in bursts, many of them in one instant; then ranges whose ends lie on,
/// before and after such instants, page by page.
fn pages(place: &Place, bursts: usize) {
    let stage = Stage::new(place);
    let mut chance = Chance::new(7);
    let other = stage.run(store_card(stage.world(), 1, APPROVES));
    for _ in 0..bursts {
        let to = stage.world().now().plus_micros(chance.between(1, 50_000_000));
        stage.run(stage.world().advance_to(to)).unwrap();
        let count = chance.between(1, 40);
        let plans: Vec<(usize, CardId)> = (0..count)
            .map(|_| match chance.below(4) {
                0 => (1, other),
                1 => (0, stage.declines),
                _ => (0, stage.approves),
            })
            .collect();
        let world = stage.world();
        let all = plans.into_iter().map(|(merchant, card)| Charge::of(merchant, card).make(world));
        stage.run(join_all(all));
    }
    let merchant = stage.merchant();
    let params = [merchant.to_cell()];
    let all = stage.world().store().read(move |reader| {
        reader.select::<Payment>("WHERE merchant = $1 ORDER BY ordinal", &params)
    });
    let all = stage.run(all).unwrap();
    let instants = all.iter().map(|payment| payment.created_at).collect::<Vec<_>>();
    assert!(instants.windows(2).any(|pair| pair[0] == pair[1]), "no two in one instant");
    assert!(instants.is_sorted());
    let moment = |chance: &mut Chance| match chance.below(12) {
        0 => Timestamp::from_micros(START_US - 1),
        1 => Timestamp::from_micros(START_US + 900 * 86_400 * 1_000_000),
        _ => chance.pick(&instants).plus_micros(chance.between(-1, 1)),
    };
    for _ in 0..bursts * 4 {
        let (one, two) = (moment(&mut chance), moment(&mut chance));
        let (from, to) = (one.min(two), one.max(two));
        let inside: Vec<&Payment> =
            all.iter().rev().filter(|one| (from..=to).contains(&one.created_at)).collect();
        let (size, number) = (chance.between(1, 100), chance.between(1, 8));
        let page = stage.world().payments_between(merchant, from, to, size, number);
        let page = stage.run(page).unwrap();
        assert_eq!(page.total, i64::try_from(inside.len()).unwrap(), "{from} to {to}");
        let skipped = usize::try_from((number - 1) * size).unwrap();
        let wanted: Vec<&Payment> =
            inside.iter().copied().skip(skipped).take(usize::try_from(size).unwrap()).collect();
        let found: Vec<&Payment> = page.payments.iter().map(|found| &found.payment).collect();
        assert_eq!(found, wanted, "{from} to {to}, page {number} of {size}");
        through(&stage, merchant, (from, to), size, &inside);
    }
    stage.end();
}

/// The payments whose money was taken, from page to page.
fn through(
    stage: &Stage,
    merchant: MerchantId,
    (from, to): (Timestamp, Timestamp),
    limit: i64,
    inside: &[&Payment],
) {
    let (mut found, mut before) = (Vec::new(), None);
    loop {
        let wanted = TakenPayments { from, to, returned: None, last_digits: None, before, limit };
        let page = stage.run(stage.world().taken_payments(merchant, wanted)).unwrap();
        found.extend(page.payments.into_iter().map(|found| found.payment.id));
        before = page.next;
        if before.is_none() {
            break;
        }
    }
    let taken = inside.iter().filter(|payment| payment.captured_minor > 0);
    assert_eq!(found, taken.map(|payment| payment.id).collect::<Vec<_>>());
}

#[test]
fn a_holder_is_asked_once_on_sqlite() {
    asked(&Place::sqlite());
}

#[test]
fn a_holder_is_asked_once_on_postgres() {
    if let Some(place) = Place::postgres() {
        asked(&place);
    }
}

/// Answers that race, wrong ones, and none at all: each payment ends once, and the acquirer hears
/// only of those that were confirmed.
fn asked(place: &Place) {
    const LIFETIME_S: i64 = 900;
    let stage = Stage::new(place);
    let (world, merchant) = (stage.world(), stage.merchant());
    let make = |card| {
        let charge = Charge { challenge_s: Some(LIFETIME_S), ..Charge::of(0, card) };
        let view = stage.run(charge.make(world));
        assert_eq!(view.payments[0].state, PaymentState::Challenged);
        view.payments[0].id
    };
    let answer = |id, passed| world.answer_challenge(merchant, id, passed);
    let state = |id| stage.run(world.payment(merchant, id)).unwrap().payment.state;
    let rejected = PaymentState::Declined { reason: DeclineReason::Authentication };
    for _ in 0..20 {
        let id = make(stage.approves);
        let answers = stage.run(join_all((0..8).map(|n| answer(id, n % 2 == 0))));
        assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1, "{answers:?}");
        let refused = answers.iter().filter_map(|answer| answer.as_ref().err());
        for error in refused {
            assert!(matches!(error, EngineError::Payment(PaymentRefused::State { .. })));
        }
        assert!(matches!(state(id), PaymentState::Approved { .. }) || state(id) == rejected);
    }
    let (poor, wrong, late) = (make(stage.declines), make(stage.approves), make(stage.approves));
    stage.run(answer(poor, true)).unwrap();
    assert!(matches!(state(poor), PaymentState::Declined { .. }) && state(poor) != rejected);
    let view = stage.run(answer(wrong, false)).unwrap();
    assert_eq!(view.session.state, SessionState::Rejected { end: SessionEnd::Declined });
    stage.run(world.advance_to(world.now().plus_seconds(LIFETIME_S - 1))).unwrap();
    assert_eq!(state(late), PaymentState::Challenged);
    // A little later than that: the lane's time runs ahead by a microsecond for each batch.
    stage.run(world.advance_to(world.now().plus_seconds(2))).unwrap();
    assert_eq!((state(wrong), state(late)), (rejected.clone(), rejected));
    assert!(stage.run(answer(late, true)).is_err());
    stage.run(world.verify()).unwrap();
    stage.end();
}
