//! Sessions of all merchants, the newest first.

use cobro_domain::session::{Session, SessionKind};
use cobro_engine::listings::SessionsOf;
use cobro_store::Cell;

use crate::Stage;
use crate::shared::chance::Chance;
use crate::shared::process::Place;
use crate::shared::settling::{APPROVES, MERCHANTS, merchant_id};
use crate::shared::shop::{Charge, caller, session, store_card};

#[test]
fn sessions_of_all_come_in_their_order_on_sqlite() {
    order(&Place::sqlite());
}

#[test]
fn sessions_of_all_come_in_their_order_on_postgres() {
    if let Some(place) = Place::postgres() {
        order(&place);
    }
}

/// Sessions of both kinds, of one merchant mostly, several in one instant; then all of them in pages
/// of every size.
fn order(place: &Place) {
    let stage = Stage::new(place);
    let (world, mut chance) = (stage.world(), Chance::new(11));
    let cards: Vec<_> =
        (0..MERCHANTS).map(|merchant| stage.run(store_card(world, merchant, APPROVES))).collect();
    for _ in 0..60 {
        let merchant =
            if chance.below(3) == 0 { usize::try_from(chance.below(3)).unwrap() } else { 1 };
        if chance.below(2) == 0 {
            stage.run(Charge::of(merchant, cards[merchant]).make(world));
        } else {
            let caller = stage.run(caller(world, merchant));
            let new = session(world, SessionKind::Payment);
            stage.run(world.create_session(&caller, new)).unwrap();
        }
        if chance.below(2) == 0 {
            let to = world.now().plus_micros(chance.between(1, 5_000_000));
            stage.run(world.advance_to(to)).unwrap();
        }
    }
    let all = world.store().read(|reader| reader.select::<Session>("ORDER BY id DESC", &[]));
    let all = stage.run(all).unwrap();
    assert_eq!(all.len(), 60);
    let (some, only) = (stage.run(merchant_id(world, 0)), stage.run(merchant_id(world, 1)));
    assert!(all.iter().filter(|one| one.merchant == some).count() > 2);
    let is_direct = |one: &Session| one.kind == SessionKind::Direct;
    for (of, merchant) in [
        (SessionsOf::Everybody, None),
        (SessionsOf::Pages, None),
        (SessionsOf::StoredCards, None),
        (SessionsOf::Everybody, Some(only)),
        (SessionsOf::Pages, Some(only)),
    ] {
        let fits = |one: &&Session| {
            let kind = match of {
                SessionsOf::Everybody => true,
                SessionsOf::Pages => !is_direct(one),
                SessionsOf::StoredCards => is_direct(one),
            };
            kind && merchant.is_none_or(|merchant| one.merchant == merchant)
        };
        let wanted: Vec<_> = all.iter().filter(fits).map(|one| one.id).collect();
        assert!(wanted.len() > 8, "{of:?} {merchant:?}");
        for size in [1, 2, 7, 59, 60, 61] {
            let (mut found, mut before) = (Vec::new(), None);
            loop {
                let page = stage.run(world.sessions_before(of, merchant, before, size)).unwrap();
                let Some(last) = page.last() else { break };
                assert!(page.len() <= usize::try_from(size).unwrap());
                before = Some(last.session.id);
                found.extend(page.iter().map(|view| view.session.id));
            }
            assert_eq!(found, wanted, "{of:?} {merchant:?} by {size}");
        }
    }
    assert!(
        stage.run(world.sessions_before(SessionsOf::Everybody, None, None, 0)).unwrap().is_empty()
    );
    stage.end();
}

/// A page costs the same however many sessions there are: each merchant's part is read from the
/// primary key, in its order.
#[test]
fn pages_are_read_from_the_primary_key() {
    let stage = Stage::new(&Place::sqlite());
    for of in [SessionsOf::Everybody, SessionsOf::Pages, SessionsOf::StoredCards] {
        let plan = stage.run(stage.world().store().read(move |reader| {
            let query =
                format!("EXPLAIN QUERY PLAN SELECT * FROM session {}", of.page_of_merchant());
            let id = || Cell::Bytes([1; 16].as_slice().into());
            reader.rows(&query, &[id(), id(), id(), Cell::Int(1)])
        }));
        let plan = format!("{:?}", plan.unwrap());
        let wanted = "USING PRIMARY KEY (merchant=? AND id>? AND id<?)";
        assert!(plan.contains(wanted) && !plan.contains("TEMP B-TREE"), "{plan}");
    }
    stage.end();
}
