//! One history, run on each database and in each mode: the same answers and the same rows.

use cobro_store::rows::WORLD;
use cobro_store::{Cell, LaneKey, Store, StoreError, Table, Tx, TxError};

use crate::raw::{VERBS, Verbs, sample};
use crate::{Place, START, Sent, run, together};

/// What one command does.
#[derive(Clone, Copy, Debug)]
enum Deed {
    /// Inserts or saves, as it finds the row.
    Put,
    /// Deletes the row if it is there.
    Remove,
    /// Inserts without looking.
    InsertBlindly,
    /// Puts, then is refused.
    Refuse,
    /// Puts with values that depend on a row of another table.
    Follow,
}

#[derive(Clone, Copy, Debug)]
struct Step {
    deed: Deed,
    table: usize,
    row: i64,
    version: i64,
}

#[derive(Debug, PartialEq, Eq)]
enum No {
    Refused,
    Tx(TxError),
}

impl From<TxError> for No {
    fn from(error: TxError) -> Self {
        Self::Tx(error)
    }
}

/// What a command answers: its time, its place, the row that it found.
type Answer = Result<Result<(i64, i64, Option<Vec<Cell>>), No>, StoreError>;

fn key_of(verbs: &Verbs, row: i64) -> Vec<Cell> {
    sample(verbs.table, row, 0).into_iter().take(verbs.table.key).collect()
}

impl Step {
    fn run(self, tx: &mut Tx<'_>) -> Result<(i64, i64, Option<Vec<Cell>>), No> {
        let verbs = &VERBS[self.table];
        if matches!(self.deed, Deed::InsertBlindly) {
            (verbs.insert)(tx, sample(verbs.table, self.row, self.version));
            return Ok((tx.now().micros(), tx.order().index, None));
        }
        let found = (verbs.get)(tx, key_of(verbs, self.row))?;
        let mut version = self.version;
        match self.deed {
            Deed::Remove => {
                if found.is_some() {
                    (verbs.delete)(tx, key_of(verbs, self.row));
                }
                return Ok((tx.now().micros(), tx.order().index, found));
            }
            Deed::Follow => {
                let other = &VERBS[(self.table + 1) % VERBS.len()];
                if (other.get)(tx, key_of(other, self.row))?.is_some() {
                    version += 500;
                }
            }
            Deed::Put | Deed::Refuse | Deed::InsertBlindly => {}
        }
        let put = if found.is_some() { verbs.save } else { verbs.insert };
        put(tx, sample(verbs.table, self.row, version));
        match self.deed {
            Deed::Refuse => Err(No::Refused),
            _ => Ok((tx.now().micros(), tx.order().index, found)),
        }
    }
}

/// A history of batches; the same for the same seed.
fn script(seed: u64, batches: usize) -> Vec<Vec<Step>> {
    let mut state = seed;
    let mut draw = |below: u64| {
        // Knuth's linear congruential generator; its high bits are the good ones.
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let mut history = Vec::with_capacity(batches);
    for version in 0..batches {
        let mut batch = Vec::new();
        for _ in 0..=draw(6) {
            let deed = match draw(10) {
                0..=3 => Deed::Put,
                4..=5 => Deed::Remove,
                6 => Deed::InsertBlindly,
                7 => Deed::Refuse,
                _ => Deed::Follow,
            };
            let table = usize::try_from(draw(VERBS.len() as u64)).unwrap();
            let row = i64::try_from(draw(6)).unwrap();
            batch.push(Step { deed, table, row, version: i64::try_from(version).unwrap() });
        }
        history.push(batch);
    }
    history
}

/// All rows of a store, by key.
async fn dump(store: &Store) -> Vec<(&'static str, Vec<Vec<Cell>>)> {
    const LANE: &Table = cobro_store::table!("lane", 1; id: Int, batch: Int, at: Int);
    let mut dump = Vec::new();
    for table in WORLD.tables.iter().copied().chain([LANE]) {
        let names = |columns: &[cobro_store::Column]| {
            columns.iter().map(|column| column.name).collect::<Vec<_>>().join(", ")
        };
        let (columns, key) = (names(table.columns), names(table.key_columns()));
        let text = format!("SELECT {columns} FROM {} ORDER BY {key}", table.name);
        let rows = store.read(move |reader| reader.rows(&text, &[])).await.unwrap();
        dump.push((table.name, rows));
    }
    dump
}

/// Everything that a history leaves behind.
#[derive(Debug, PartialEq, Eq)]
struct Trace {
    answers: Vec<Answer>,
    rows: Vec<(&'static str, Vec<Vec<Cell>>)>,
}

async fn play(place: &Place, history: &[Vec<Step>]) -> Trace {
    let store = place.open();
    let mut answers = Vec::new();
    for (number, batch) in (0..).zip(history) {
        place.clock.set(START + number * 10);
        let sent = batch.iter().map(|step| {
            let (store, step) = (store.clone(), *step);
            Box::pin(async move { store.write(LaneKey(0), move |tx| step.run(tx)).await })
                as Sent<Answer>
        });
        answers.extend(together(&store, sent.collect()).await);
    }
    Trace { answers, rows: dump(&store).await }
}

/// What the history does on a place, directly and with `Again` at every first read.
fn traces(make: impl Fn() -> Option<Place>, history: &[Vec<Step>]) -> Vec<Trace> {
    let mut traces = Vec::new();
    for prove_rerunnable in [false, true] {
        let Some(mut place) = make() else { continue };
        place.prove_rerunnable = prove_rerunnable;
        run(&place, async |place: &Place| traces.push(play(place, history).await));
    }
    traces
}

#[test]
fn one_history_has_one_meaning() {
    let history = script(20_261_120, 150);
    let sqlite = traces(|| Some(Place::sqlite()), &history);
    let [direct, again] = &sqlite[..] else { panic!("two modes") };
    // The history is one that says something.
    let count = |test: fn(&Answer) -> bool| direct.answers.iter().filter(|it| test(it)).count();
    assert!(count(|answer| matches!(answer, Ok(Ok(_)))) > 100);
    assert!(count(|answer| matches!(answer, Ok(Err(No::Refused)))) > 10);
    assert!(count(|answer| matches!(answer, Err(StoreError::Conflict(_)))) > 10);
    for (table, rows) in &direct.rows {
        assert!(!rows.is_empty(), "no row in {table}");
    }
    same(direct, again, "SQLite, re-run");
    for (trace, mode) in traces(Place::postgres, &history).iter().zip(["direct", "re-run"]) {
        same(direct, trace, &format!("PostgreSQL, {mode}"));
    }
}

fn same(one: &Trace, other: &Trace, what: &str) {
    for (place, (one, other)) in one.answers.iter().zip(&other.answers).enumerate() {
        assert_eq!(one, other, "{what}: answer {place}");
    }
    for (one, other) in one.rows.iter().zip(&other.rows) {
        assert_eq!(one, other, "{what}");
    }
    assert_eq!(one, other, "{what}");
}
