//! A PostgreSQL server that goes and comes back.

use cobro_store::{Store, StoreError, TxError};

use crate::database::Database;
use crate::{Place, bump, last, merchant, on_postgres, tail};

fn server(place: &Place) -> &Database {
    place.postgres.as_ref().unwrap()
}

#[test]
fn a_connection_that_was_cut_between_batches_is_made_anew() {
    on_postgres(async |place| {
        let store = place.open();
        assert_eq!(bump(&store, "a").await, Ok(1));
        server(place).cut(true);
        // Nothing had begun, so nobody notices.
        assert_eq!(bump(&store, "a").await, Ok(2));
        server(place).cut(true);
        let read = store.read(|reader| reader.rows("SELECT last FROM tail", &[])).await;
        assert_eq!(read, Ok(vec![vec![cobro_store::Cell::Int(2)]]));
    });
}

#[test]
fn while_the_server_is_gone_commands_are_answered_and_nothing_is_done() {
    on_postgres(async |place| {
        let store = place.open();
        assert_eq!(bump(&store, "a").await, Ok(1));
        server(place).cut(false);
        for _ in 0..3 {
            let failed = bump(&store, "a").await;
            assert!(matches!(failed, Err(StoreError::Database(_))), "{failed:?}");
            let failed = store.read(|reader| reader.rows("SELECT 1", &[])).await;
            assert!(matches!(failed, Err(StoreError::Database(_))), "{failed:?}");
        }
        assert!(!store.is_stopped());
        server(place).cut(true);
        assert_eq!(bump(&store, "a").await, Ok(2));
        assert!(store.read(|reader| reader.rows("SELECT 1", &[])).await.is_ok());
    });
}

/// Inserts a row after `meanwhile` has happened.
async fn insert_after(
    store: &Store,
    mut meanwhile: impl FnMut() + Send + 'static,
) -> Result<Result<(), TxError>, StoreError> {
    let inserted = store.write(merchant(), move |tx| {
        meanwhile();
        tx.insert(&tail("b", 1));
        Ok::<_, TxError>(())
    });
    inserted.await
}

#[test]
fn a_connection_that_is_cut_within_a_batch_fails_the_batch() {
    on_postgres(async |place| {
        let store = place.open();
        std::thread::scope(|scope| {
            let (cut, cutting) = std::sync::mpsc::channel::<()>();
            let (done, waiting) = std::sync::mpsc::channel();
            scope.spawn(move || {
                cutting.recv().unwrap();
                server(place).cut(true);
                done.send(()).unwrap();
            });
            let runtime = tokio::runtime::Handle::current();
            let store = store.clone();
            scope.spawn(move || {
                let failed = runtime.block_on(insert_after(&store, move || {
                    cut.send(()).unwrap();
                    waiting.recv().unwrap();
                }));
                assert!(matches!(failed, Err(StoreError::Database(_))), "{failed:?}");
            });
        });
        assert_eq!(last(&store, "b").await, None);
        assert_eq!(insert_after(&store, || ()).await, Ok(Ok(())));
    });
}

#[test]
fn a_commit_that_is_not_answered_is_unknown() {
    on_postgres(async |place| {
        let store = place.open();
        // The server ends the connection while it commits.
        server(place).query(
            "CREATE FUNCTION cobro.die() RETURNS trigger LANGUAGE plpgsql AS \
             'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END'; \
             CREATE CONSTRAINT TRIGGER die AFTER INSERT ON cobro.tail \
             DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION cobro.die()",
        );
        let unknown = insert_after(&store, || ()).await;
        assert!(matches!(unknown, Err(StoreError::Unknown(_))), "{unknown:?}");
        assert!(!store.is_stopped());
        server(place).query("DROP TRIGGER die ON cobro.tail");
        // Whoever asks again by key finds out.
        assert_eq!(last(&store, "b").await, None);
        assert_eq!(insert_after(&store, || ()).await, Ok(Ok(())));
    });
}
