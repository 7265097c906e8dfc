//! Charges that the clock makes, and an acquirer that is slow to answer them. Real time stands still
//! here: whoever waits for it waits longer than these tests do.

use std::time::Duration;

use cobro_domain::payment::{Payment, PaymentState};
use cobro_domain::recurrence::RecurrenceUnit;
use cobro_domain::session::SessionState;
use cobro_domain::time::Day;
use cobro_domain::{SessionId, Timestamp};
use cobro_engine::faults::{Fault, Pace};
use cobro_engine::listings::SessionsOf;
use cobro_engine::recurring::Series;
use cobro_engine::sessions::SessionView;
use jiff::tz::TimeZone;

use crate::Stage;
use crate::shared::process::Place;
use crate::shared::shop::Charge;

/// Less than the patience of any client.
const MOVED_WITHIN: Duration = Duration::from_secs(8);

/// Moves the clock; it must not wait for an acquirer.
fn advance(stage: &Stage, to: Timestamp) {
    let moved = async { tokio::time::timeout(MOVED_WITHIN, stage.world().advance_to(to)).await };
    // An error here: the clock waits for real time.
    stage.run(moved).unwrap().unwrap();
}

/// The newest charge.
fn newest(stage: &Stage) -> SessionView {
    let page =
        stage.world().sessions_before(SessionsOf::StoredCards, Some(stage.merchant()), None, 1);
    stage.run(page).unwrap().remove(0)
}

fn payment(view: &SessionView) -> &Payment {
    assert_eq!(view.payments.len(), 1);
    &view.payments[0]
}

/// A first charge, to be followed by one each second day, from the next on.
fn first(stage: &Stage) -> SessionId {
    let world = stage.world();
    let series = Series {
        unit: RecurrenceUnit::Day,
        every: 2,
        starts_on: Day::at(world.now(), &TimeZone::UTC).plus(1),
        zone: "UTC".to_owned(),
        charges_max: None,
        last_on: None,
        url: String::new(),
    };
    stage.run(Charge::of(0, stage.approves).make_first(world, series)).session.id
}

fn due(stage: &Stage, first: SessionId) -> Timestamp {
    stage.run(stage.world().recurs_at(stage.merchant(), first)).unwrap().unwrap()
}

fn set(stage: &Stage, pace: Pace) {
    let word = "slow".to_owned();
    stage.world().set_faults(vec![Fault { scenario: None, pace, word, terminal: None, times: 1 }]);
}

#[test]
fn the_clock_does_not_wait_for_a_slow_acquirer_on_sqlite() {
    slow(&Place::sqlite());
}

#[test]
fn the_clock_does_not_wait_for_a_slow_acquirer_on_postgres() {
    if let Some(place) = Place::postgres() {
        slow(&place);
    }
}

fn slow(place: &Place) {
    const DAY_S: i64 = 24 * 3600;
    let stage = Stage::new(place);
    let first = first(&stage);
    let second_at = due(&stage, first);
    set(&stage, Pace::Slow { delay_ms: 29_000 });
    // Its timer fires again meanwhile; the attempt is made once.
    for seconds in [0, 9, 12, 28] {
        advance(&stage, second_at.plus_seconds(seconds));
        let view = newest(&stage);
        assert_ne!(view.session.id, first, "after {seconds} s");
        assert!(matches!(view.session.state, SessionState::Processing { .. }));
        assert!(matches!(payment(&view).state, PaymentState::Sending { .. }));
        assert_eq!(payment(&view).ordinal, 2);
    }
    assert!(stage.world().faults_set().is_empty());
    advance(&stage, second_at.plus_seconds(30));
    let view = newest(&stage);
    assert_eq!(view.session.state, SessionState::Approved);
    let answered = payment(&view).changed_at.micros() - second_at.micros();
    assert!((29_000_000..30_000_000).contains(&answered), "answered after {answered} us");
    let third_at = due(&stage, first);
    assert_eq!(third_at, second_at.plus_seconds(2 * DAY_S));
    // No answer at all: it is undone, and tried again on the next day.
    set(&stage, Pace::Silent);
    advance(&stage, third_at.plus_seconds(25));
    assert!(matches!(payment(&newest(&stage)).state, PaymentState::Sending { .. }));
    advance(&stage, third_at.plus_seconds(120));
    let view = newest(&stage);
    assert!(matches!(payment(&view).state, PaymentState::Reversed { .. }), "{view:?}");
    assert_eq!(payment(&view).ordinal, 3);
    assert_eq!(due(&stage, first), third_at.plus_seconds(DAY_S));
    // Moved over it in one go.
    set(&stage, Pace::Slow { delay_ms: 20_000 });
    advance(&stage, third_at.plus_seconds(DAY_S + 3600));
    let view = newest(&stage);
    assert_eq!((payment(&view).ordinal, view.session.state), (4, SessionState::Approved));
    stage.run(stage.world().verify()).unwrap();
    stage.end();
}
