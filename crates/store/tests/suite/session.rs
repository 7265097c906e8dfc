//! Owners and leaders.

use std::time::Duration;

use cobro_domain::payment::Owner;
use cobro_store::{Location, Session, Store};

use crate::{Place, on_both, on_postgres};

on_both!(an_owner_is_used_once, a_process_alone_is_alive_and_leads);

const AT_ONCE: Duration = Duration::ZERO;
const NEVER: Duration = Duration::from_secs(3600);

async fn open(place: &Place, store: &Store, grace: Duration) -> Session {
    Session::open(&place.location, store, grace).await.unwrap()
}

async fn an_owner_is_used_once(place: &Place) {
    for number in 1..=3 {
        let store = place.open();
        assert_eq!(open(place, &store, AT_ONCE).await.owner(), Owner(number));
    }
}

async fn a_process_alone_is_alive_and_leads(place: &Place) {
    let store = place.open();
    drop(open(place, &store, AT_ONCE).await);
    let session = open(place, &store, AT_ONCE).await;
    assert!(session.alone_async().await);
    for (owner, alive) in [(1, false), (2, true), (3, false), (i64::MAX, false)] {
        assert_eq!(session.is_alive_async(Owner(owner)).await, alive, "{owner}");
        assert_eq!(session.is_alive(Owner(owner)), alive, "{owner}");
    }
    for lane in [0, 1, 0] {
        assert!(session.leads(lane));
        assert!(session.leads_async(lane).await);
    }
}

#[test]
fn one_process_leads_and_another_takes_over() {
    on_postgres(async |place| {
        let store = place.open();
        let one = open(place, &store, AT_ONCE).await;
        let two = open(place, &store, AT_ONCE).await;
        assert!(one.leads_async(0).await);
        assert!(two.leads_async(1).await);
        assert!(!one.alone_async().await && !two.alone_async().await);
        for _ in 0..2 {
            assert_eq!((one.leads(0), one.leads(1)), (true, false));
            assert_eq!((two.leads(0), two.leads(1)), (false, true));
        }
        assert!(one.is_alive_async(two.owner()).await);
        assert!(two.is_alive_async(one.owner()).await);
        let gone = one.owner();
        drop(one);
        assert!(!two.is_alive_async(gone).await);
        assert!(two.alone_async().await);
        assert!(two.leads_async(0).await);
    });
}

/// Cuts the connection that holds an owner's lock.
fn cut(place: &Place, owner: Owner) {
    let server = place.postgres.as_ref().unwrap();
    let cut = server.query(&format!(
        "SELECT pg_terminate_backend(pid, 10000) FROM pg_locks \
         WHERE locktype = 'advisory' AND objid = {} AND classid = {}",
        owner.0, 0x636f_6202
    ));
    assert_eq!(cut, [["t"]]);
}

#[test]
fn a_lost_connection_loses_the_lead_and_keeps_the_owner() {
    on_postgres(async |place| {
        let store = place.open();
        let one = open(place, &store, AT_ONCE).await;
        let two = open(place, &store, AT_ONCE).await;
        assert!(one.leads_async(0).await);
        cut(place, one.owner());
        assert!(two.leads_async(0).await);
        // It asks on a new connection, and is the same owner as before.
        for _ in 0..2 {
            assert!(!one.leads_async(0).await);
        }
        assert!(two.is_alive_async(one.owner()).await);
        assert_eq!(one.owner(), Owner(1));
        drop(two);
        assert!(one.leads_async(0).await);
    });
}

#[test]
fn an_owner_is_given_time_to_come_back() {
    on_postgres(async |place| {
        let store = place.open();
        let gone = open(place, &store, NEVER).await.owner();
        let patient = open(place, &store, NEVER).await;
        let impatient = open(place, &store, AT_ONCE).await;
        assert!(patient.is_alive_async(gone).await);
        assert!(!impatient.is_alive_async(gone).await);
    });
}

#[test]
fn while_the_server_is_gone_others_may_live_and_nobody_leads() {
    on_postgres(async |place| {
        let store = place.open();
        let one = open(place, &store, AT_ONCE).await;
        let gone = open(place, &store, AT_ONCE).await.owner();
        assert!(one.leads_async(0).await);
        place.postgres.as_ref().unwrap().cut(false);
        assert!(!one.leads_async(0).await);
        assert!(one.is_alive_async(gone).await);
        assert!(one.is_alive_async(one.owner()).await);
        place.postgres.as_ref().unwrap().cut(true);
        assert!(one.leads_async(0).await);
        assert!(!one.is_alive_async(gone).await);
    });
}

#[test]
fn a_session_needs_its_server() {
    on_postgres(async |place| {
        let store = place.open();
        let location = Location::Postgres { url: "postgres://u@127.0.0.1:1/d".to_owned() };
        assert!(Session::open(&location, &store, AT_ONCE).await.is_err());
    });
}
