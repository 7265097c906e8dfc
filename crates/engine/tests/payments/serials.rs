//! Serial numbers of terminals.

use std::collections::HashSet;

use cobro_domain::terminal::OperatingMode;
use cobro_engine::ports::SERIALS;

use crate::Stage;
use crate::shared::process::Place;
use crate::shared::settling::{MERCHANTS, merchant_id};
use crate::shared::shop::caller;

#[test]
fn no_two_terminals_have_a_number_on_sqlite() {
    numbers(&Place::sqlite());
}

#[test]
fn no_two_terminals_have_a_number_on_postgres() {
    if let Some(place) = Place::postgres() {
        numbers(&place);
    }
}

/// Terminals of several merchants, in turns, some of them taken away.
fn numbers(place: &Place) {
    const ROUNDS: i64 = 12;
    let stage = Stage::new(place);
    let (world, mut seen) = (stage.world(), HashSet::new());
    for round in 1..=ROUNDS {
        for merchant in 0..MERCHANTS {
            let id = stage.run(merchant_id(world, merchant));
            let pairing = world.pair_terminals(id, None, OperatingMode::Integrated, round * 25);
            for terminal in stage.run(pairing).unwrap() {
                let serial: u64 = terminal.0.strip_prefix("T-").unwrap().parse().unwrap();
                assert!(serial < SERIALS, "{serial}");
                assert!(seen.insert(serial), "{serial} comes again");
                if serial.is_multiple_of(5) {
                    stage.run(world.unpair_terminal(&terminal.0)).unwrap();
                }
            }
        }
    }
    let paired = i64::try_from(seen.len()).unwrap();
    assert_eq!(paired, 25 * ROUNDS * (ROUNDS + 1) / 2 * i64::try_from(MERCHANTS).unwrap());
    // They do not tell how many there are.
    assert!(seen.iter().any(|serial| *serial > SERIALS / 2));
    let caller = stage.run(caller(world, 0));
    let (_, total) = stage.run(world.terminals_of(caller.merchant, 0, 1)).unwrap();
    assert!(total > 0);
    stage.end();
}
