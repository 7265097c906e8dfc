//! Opening a store: migrations, refusals, who may be there already.

use cobro_store::rows::WORLD;
use cobro_store::schema::{Migration, Schema};
use cobro_store::store::DirectoryLock;
use cobro_store::{Cell, Location, Store, StoreError};

use crate::database::{Database, Directory};
use crate::{Place, bump, last, on_both};

on_both!(
    opening_again_changes_nothing,
    a_newer_database_is_refused_and_left_alone,
    a_later_version_adds,
    several_may_open_a_new_store_at_once,
    two_schemas_live_side_by_side,
);

/// A world of a later version.
static LATER: Schema = Schema {
    name: "cobro",
    tables: WORLD.tables,
    migrations: &[
        Migration { number: 1, sql: "" },
        Migration {
            number: 1_000_001,
            sql: "CREATE TABLE IF NOT EXISTS later (id {int} NOT NULL PRIMARY KEY) {table}; \
                  CREATE INDEX IF NOT EXISTS later_by_id ON later (id)",
        },
    ],
};

static BOOK: Schema = Schema {
    name: "cobro_acquirer",
    tables: &[],
    migrations: &[Migration {
        number: 1,
        sql: "CREATE TABLE IF NOT EXISTS book (id {int} NOT NULL PRIMARY KEY) {table}",
    }],
};

async fn rows(store: &Store, text: &'static str) -> Vec<Vec<Cell>> {
    store.read(move |reader| reader.rows(text, &[])).await.unwrap()
}

const APPLIED: &str = "SELECT number FROM migration ORDER BY number";

async fn opening_again_changes_nothing(place: &Place) {
    let store = place.open();
    assert_eq!(bump(&store, "a").await, Ok(1));
    let before = rows(&store, "SELECT number, applied_at FROM migration ORDER BY number").await;
    drop(store);
    place.clock.set(crate::START + 1_000_000);
    let mut options = place.options();
    // The number of lanes is the store's.
    options.lanes = 5;
    let store = Store::open(&WORLD, &options).unwrap();
    assert_eq!(store.lanes(), 1);
    assert_eq!(last(&store, "a").await, Some(1));
    let after = rows(&store, "SELECT number, applied_at FROM migration ORDER BY number").await;
    assert_eq!(before, after);
}

async fn a_newer_database_is_refused_and_left_alone(place: &Place) {
    drop(place.open());
    drop(Store::open(&LATER, &place.options()).unwrap());
    let refused = Store::open(&WORLD, &place.options()).unwrap_err();
    let StoreError::Database(text) = refused else { panic!("{refused:?}") };
    assert!(text.contains("version 1000001, newer than this program"), "{text}");
    // The refusal holds nothing: the newer program opens it again.
    let store = Store::open(&LATER, &place.options()).unwrap();
    assert_eq!(rows(&store, APPLIED).await.last(), Some(&vec![Cell::Int(1_000_001)]));
}

async fn a_later_version_adds(place: &Place) {
    let store = place.open();
    assert_eq!(bump(&store, "a").await, Ok(1));
    let later = Store::open(&LATER, &place.options()).unwrap();
    assert_eq!(rows(&later, "SELECT COUNT(*) FROM later").await, [[Cell::Int(0)]]);
    assert_eq!(bump(&later, "a").await, Ok(2));
}

async fn several_may_open_a_new_store_at_once(place: &Place) {
    if matches!(place.location, Location::Sqlite { .. }) {
        // One process at a time: the directory's lock sees to it.
        return;
    }
    let opened: Vec<_> = (0..4)
        .map(|_| {
            let options = place.options();
            std::thread::spawn(move || Store::open(&WORLD, &options))
        })
        .collect();
    for store in opened {
        let store = store.join().unwrap().unwrap();
        assert_eq!(rows(&store, "SELECT COUNT(*) FROM lane").await, [[Cell::Int(1)]]);
    }
}

async fn two_schemas_live_side_by_side(place: &Place) {
    // On SQLite they are two files, so there is nothing to mix up.
    let Some(database) = &place.postgres else { return };
    let world = place.open();
    let book = Store::open(&BOOK, &place.options()).unwrap();
    assert_eq!(bump(&world, "a").await, Ok(1));
    assert_eq!(rows(&book, "SELECT COUNT(*) FROM book").await, [[Cell::Int(0)]]);
    assert_eq!(rows(&book, "SELECT batch FROM lane").await, [[Cell::Int(0)]]);
    assert_eq!(rows(&world, "SELECT batch FROM lane").await, [[Cell::Int(1)]]);
    let schemas = database.query(
        "SELECT table_schema FROM information_schema.tables WHERE table_name = 'lane' ORDER BY 1",
    );
    assert_eq!(schemas, [["cobro"], ["cobro_acquirer"]]);
}

#[test]
fn a_directory_has_one_server() {
    let directory = Directory::new();
    let lock = DirectoryLock::take(directory.path()).unwrap();
    let refused = DirectoryLock::take(directory.path()).unwrap_err();
    let StoreError::Database(text) = refused else { panic!("{refused:?}") };
    assert!(text.contains("another server is running on"), "{text}");
    drop(lock);
    DirectoryLock::take(directory.path()).unwrap();
}

fn refusal(url: String) -> String {
    let mut options = Place::sqlite().options();
    options.location = Location::Postgres { url };
    match Store::open(&WORLD, &options) {
        Err(StoreError::Database(text)) => text,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_url_that_cannot_be_used_is_refused() {
    let table = [
        ("postgres://u:secret@127.0.0.1:1/d", "error connecting to server"),
        ("postgres://u:secret@127.0.0.1:port/d", "the PostgreSQL URL: invalid connection string"),
        ("postgres://u:secret@127.0.0.1/d?sslmode=maybe", "the PostgreSQL URL"),
    ];
    for (url, expected) in table {
        let text = refusal(url.to_owned());
        assert!(text.contains(expected), "{url}: {text}");
        assert!(!text.contains("secret"), "{text}");
    }
    let location = Location::Postgres { url: "postgres://u:secret@h/d".to_owned() };
    assert_eq!(format!("{location:?}"), "Postgres");
}

#[test]
fn tls_that_was_asked_for_is_not_done_without() {
    let Some(database) = Database::new() else { return };
    if database.query("SHOW ssl") != [["off"]] {
        println!("skipped: this server speaks TLS");
        return;
    }
    let url = database.url();
    let mark = if url.contains('?') { '&' } else { '?' };
    let text = refusal(format!("{url}{mark}sslmode=require"));
    assert!(text.contains("TLS"), "{text}");
}

#[test]
fn a_database_in_another_encoding_is_refused() {
    let options = "ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'";
    let Some(database) = Database::with(options) else { return };
    let text = refusal(database.url());
    assert!(text.contains("the database is in LATIN1"), "{text}");
}
