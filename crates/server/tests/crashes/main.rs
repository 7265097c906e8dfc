//! The real binary, killed in the middle of every step: it is started again, and what it had
//! answered is there, what it had not answered comes to an end, and the terminal works. Charges
//! without a terminal are in `cards`.

#![cfg(test)]
#![cfg(debug_assertions)]

#[path = "../shared/mod.rs"]
#[allow(dead_code, reason = "no test program needs all of it")]
mod shared;

mod cards;
mod shop;

use std::collections::BTreeSet;

use shared::{http, receiver};

use receiver::Receiver;
use shared::place::Place;
use shared::server::verify;
use shop::{Died, Memory, REFUND, Server, Shop};

/// How a step that was cut off ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// The intent under way ends in this state.
    Intent(&'static str),
    /// The refund is made, or is not.
    Refund(bool),
    /// It was known before.
    Known,
    /// The first notification comes once more.
    ToldAgain,
}

use End::{Intent, Known, Refund, ToldAgain};

const INTENTS: &[(&str, End)] = &[
    ("intent.create.received", Known),
    ("intent.create.before_commit", Known),
    ("intent.create.committed", Known),
    ("intent.cancel.before_commit", Intent("ABANDONED")),
    ("intent.cancel.committed", Intent("CANCELED")),
    ("terminal.fetch.before_commit", Intent("ABANDONED")),
    ("terminal.fetch.committed", Intent("ABANDONED")),
    ("terminal.cancel.before_commit", Intent("ABANDONED")),
    ("terminal.cancel.committed", Intent("CANCELED")),
];

const CHARGES: &[(&str, End)] = &[
    ("charge.received", Intent("ABANDONED")),
    ("charge.begin.before_commit", Intent("ABANDONED")),
    ("charge.begin.committed", Intent("CONFIRMATION_REQUIRED")),
    ("charge.answered", Intent("CONFIRMATION_REQUIRED")),
    ("charge.store.before_commit", Intent("CONFIRMATION_REQUIRED")),
    ("charge.store.committed", Intent("FINISHED")),
    ("terminal.close.before_commit", Intent("FINISHED")),
    ("terminal.close.committed", Intent("FINISHED")),
];

const REFUNDS: &[(&str, End)] = &[
    ("refund.received", Refund(false)),
    ("refund.begin.before_commit", Refund(false)),
    ("refund.begin.committed", Refund(true)),
    ("refund.before_send", Refund(true)),
    ("refund.answered", Refund(true)),
    ("refund.store.before_commit", Refund(true)),
    ("refund.store.committed", Refund(true)),
    ("refund.before_reply", Refund(true)),
];

const ADVICES: &[(&str, End)] = &[
    ("reversal.before_send", Known),
    ("reversal.answered", Known),
    ("reversal.store.before_commit", Known),
    ("reversal.store.committed", Known),
    ("resolve.before_send", Known),
    ("resolve.answered", Known),
    ("resolve.store.before_commit", Known),
    ("resolve.store.committed", Known),
];

const BACKGROUND: &[(&str, End)] = &[
    ("timers.before_commit", Known),
    ("timers.committed", Known),
    ("clock.before_commit", Known),
    ("clock.committed", Known),
    ("clock.before_commit:3", Known),
    ("clock.committed:3", Known),
    ("delivery.before_send", Known),
    ("delivery.answered", ToldAgain),
    ("delivery.before_commit", ToldAgain),
    ("delivery.committed", Known),
];

/// These are met while a server starts that follows one that died while it waited for the acquirer.
const SWEEPS: &[(&str, End)] = &[
    ("sweep.before_commit", Intent("CONFIRMATION_REQUIRED")),
    ("sweep.committed", Intent("CONFIRMATION_REQUIRED")),
];

/// Runs a shop until its server dies at a point.
fn run_until(point: &str, place: &Place, receiver: &Receiver, memory: &mut Memory) {
    let server = Server::start(place, Some(point)).expect("the server starts");
    let worked = Shop { server: &server, receiver, memory }.work();
    assert!(worked.is_err(), "{point}: the server never got there");
    server.wait_for_death();
    verify(place);
}

/// What was answered before the server died is true after it was started again, and what was not
/// answered has come to its end.
fn check(shop: &mut Shop<'_>, point: &str, end: End) -> Result<(), Died> {
    // Past every deadline of the job.
    shop.advance(3600)?;
    shop.advance(3600)?;
    let mut ended = std::mem::take(&mut shop.memory.ended);
    match (end, shop.memory.current.take()) {
        (Intent(state), Some(id)) => ended.push((id, state)),
        (Intent(_), None) => panic!("{point}: no intent was under way"),
        (_, Some(id)) => {
            // Cut off from outside; it has ended in one way or another.
            let state = shop.intent(&id)?["state"].clone();
            assert!(!["OPEN", "ON_TERMINAL", "PROCESSING"].contains(&state.as_str().unwrap()));
        }
        (_, None) => {}
    }
    for (id, state) in &ended {
        let intent = shop.intent(id)?;
        assert_eq!(intent["state"], *state, "{point}: {intent}");
        shop.receiver.told(id, state);
        let payment = match &intent["payment"]["id"] {
            serde_json::Value::Null => continue,
            id => shop.payment(id.as_str().unwrap())?,
        };
        let expected = if *state == "FINISHED" { "approved" } else { "cancelled" };
        assert_eq!(payment["status"], expected, "{point}: {payment}");
    }
    check_refund(shop, point, end)?;
    if end == ToldAgain {
        let first = shop.receiver.notices().remove(0);
        let again = shop.receiver.notices().iter().filter(|one| one.body == first.body).count();
        assert!(again >= 2, "{point}: told {again} times: {first:?}");
    }
    // The terminal can be used.
    shop.subscribe()?;
    let payment = shop.pay("approved", "FINISHED")?;
    assert_eq!(shop.payment(&payment)?["status"], "approved");
    let (id, state) = shop.memory.ended.pop().unwrap();
    shop.receiver.told(&id, state);
    Ok(())
}

fn check_refund(shop: &Shop<'_>, point: &str, end: End) -> Result<(), Died> {
    let Some((payment, answered)) = &shop.memory.refunded else {
        assert!(!matches!(end, Refund(_)), "{point}: no refund was under way");
        return Ok(());
    };
    let payment = shop.payment(payment)?;
    let refunded = payment["transaction_amount_refunded"].to_string();
    let refunded = refunded.trim_end_matches(".0");
    let is_all = refunded == REFUND.to_string();
    assert!(is_all || refunded == "0", "{point}: {payment}");
    match end {
        _ if *answered => assert!(is_all, "{point}: {payment}"),
        Refund(made) => assert_eq!(is_all, made, "{point}: {payment}"),
        // Cut off from outside; it was made or it was not.
        _ => {}
    }
    Ok(())
}

fn recover(point: &str, end: End, place: &Place, receiver: &Receiver, memory: &mut Memory) {
    let server = Server::start(place, None).expect("the server starts again");
    check(&mut Shop { server: &server, receiver, memory }, point, end).expect("it lives");
    drop(server);
    verify(place);
}

fn crash_at_each(points: &[(&str, End)]) {
    for (point, end) in points {
        let (place, receiver) = (Place::sqlite(), Receiver::start(""));
        let mut memory = Memory::default();
        run_until(point, &place, &receiver, &mut memory);
        recover(point, *end, &place, &receiver, &mut memory);
    }
}

#[test]
fn crashes_while_an_intent_is_made_taken_or_given_up() {
    crash_at_each(INTENTS);
}

#[test]
fn crashes_while_a_card_is_charged() {
    crash_at_each(CHARGES);
}

#[test]
fn crashes_while_money_goes_back() {
    crash_at_each(REFUNDS);
}

#[test]
fn crashes_while_an_unknown_outcome_is_found_out_or_undone() {
    crash_at_each(ADVICES);
}

#[test]
fn crashes_in_the_background() {
    crash_at_each(BACKGROUND);
}

#[test]
fn crashes_while_it_recovers_from_a_crash() {
    for (point, end) in SWEEPS {
        let (place, receiver) = (Place::sqlite(), Receiver::start(""));
        let mut memory = Memory::default();
        run_until("charge.begin.committed", &place, &receiver, &mut memory);
        if let Ok(server) = Server::start(&place, Some(point)) {
            server.wait_for_death();
        }
        verify(&place);
        recover(point, *end, &place, &receiver, &mut memory);
    }
}

/// Points that are tried in other suites: those of `cobro vault` in that of Checkout.
const ELSEWHERE: &[&str] = &["vault.rotate.before_commit", "vault.rotate.committed"];

/// A point that is in the engine and not in these tables would never be tried.
#[test]
fn every_point_is_tried() {
    let sources = concat!(env!("CARGO_MANIFEST_DIR"), "/../engine/src");
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir(sources).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        let calls = text.split("crash::point(\"").skip(1);
        found.extend(calls.map(|call| call.split('"').next().unwrap().to_owned()));
    }
    let tables = [INTENTS, CHARGES, REFUNDS, ADVICES, BACKGROUND, SWEEPS];
    let tried = tables.iter().flat_map(|table| table.iter().map(|(point, _)| point));
    let tried = tried.chain(cards::points()).chain(ELSEWHERE);
    let tried: BTreeSet<String> =
        tried.map(|point| point.split(':').next().unwrap().to_owned()).collect();
    assert_eq!(found, tried);
}
