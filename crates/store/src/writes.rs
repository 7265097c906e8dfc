//! The write set: what commands have written and the database has not seen yet.

use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use foldhash::HashMap;

use crate::cell::Cell;
use crate::driver::{SetWrite, WriteKind};
use crate::table::Table;

/// The cells of a row or of a key, shared between the write set, the database's driver and the
/// lane's memory.
pub(crate) type Values = Arc<[Cell]>;

/// Which row of which table.
#[derive(Clone, Debug)]
pub(crate) struct RowKey {
    pub(crate) table: &'static Table,
    pub(crate) key: Values,
}

impl PartialEq for RowKey {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key && self.table.name == other.table.name
    }
}

impl Eq for RowKey {}

impl Hash for RowKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.table.name.hash(state);
        self.key.hash(state);
    }
}

/// What becomes of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// It is new.
    Insert(Values),
    /// It has new values.
    Update(Values),
    /// It goes.
    Delete,
    /// It came and went before the database saw it.
    Nothing,
}

impl Change {
    /// The row as it will be; `None` when it will not be there.
    pub(crate) fn row(&self) -> Option<&Values> {
        match self {
            Self::Insert(cells) | Self::Update(cells) => Some(cells),
            Self::Delete | Self::Nothing => None,
        }
    }

    /// This change, then `later`.
    fn then(&self, later: Self) -> Self {
        match (self, later) {
            (Self::Insert(_), Self::Update(cells)) => Self::Insert(cells),
            (Self::Insert(_) | Self::Nothing, Self::Delete) => Self::Nothing,
            (Self::Delete, Self::Insert(cells)) => Self::Update(cells),
            (Self::Nothing, Self::Insert(cells)) => Self::Insert(cells),
            (_, later) => later,
        }
    }
}

/// Changes by row.
#[derive(Debug, Default)]
pub(crate) struct WriteSet {
    changes: HashMap<RowKey, Change>,
}

impl WriteSet {
    pub(crate) fn find(&self, key: &RowKey) -> Option<&Change> {
        self.changes.get(key)
    }

    pub(crate) fn put(&mut self, key: RowKey, change: Change) {
        let merged = match self.changes.get(&key) {
            Some(before) => before.then(change),
            None => change,
        };
        self.changes.insert(key, merged);
    }

    pub(crate) fn clear(&mut self) {
        self.changes.clear();
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Adds what a command wrote to what its batch wrote.
    pub(crate) fn absorb(&mut self, command: &mut Self) {
        for (key, change) in command.changes.drain() {
            self.put(key, change);
        }
    }

    /// Every change; the set is empty afterwards.
    pub(crate) fn drain(&mut self) -> impl Iterator<Item = (RowKey, Change)> + '_ {
        self.changes.drain()
    }

    /// The changes as sets: updates, deletions, inserts; each sorted by key.
    pub(crate) fn sets(&self) -> Vec<SetWrite> {
        let mut sets: BTreeMap<(WriteKind, &'static str), SetWrite> = BTreeMap::new();
        for (row, change) in &self.changes {
            let (kind, cells) = match change {
                Change::Insert(cells) => (WriteKind::Insert, cells),
                Change::Update(cells) => (WriteKind::Update, cells),
                Change::Delete => (WriteKind::Delete, &row.key),
                Change::Nothing => continue,
            };
            let table = row.table;
            sets.entry((kind, table.name))
                .or_insert_with(|| SetWrite { kind, table, rows: Vec::new() })
                .rows
                .push(cells.clone());
        }
        let mut sets: Vec<SetWrite> = sets.into_values().collect();
        for set in &mut sets {
            // The key's columns come first, so sorting whole rows sorts by key.
            set.rows.sort_unstable();
        }
        sets
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &Table = crate::table!("t", 1; id: Int, value: Int);

    fn key(id: i64) -> RowKey {
        RowKey { table: TABLE, key: [Cell::Int(id)].into() }
    }

    fn row(id: i64, value: i64) -> Values {
        [Cell::Int(id), Cell::Int(value)].into()
    }

    #[test]
    fn changes_of_one_row_become_one() {
        use Change::{Delete, Insert, Nothing, Update};
        let table = [
            (Insert(row(1, 1)), Update(row(1, 2)), Insert(row(1, 2))),
            (Insert(row(1, 1)), Delete, Nothing),
            (Update(row(1, 1)), Update(row(1, 2)), Update(row(1, 2))),
            (Update(row(1, 1)), Delete, Delete),
            (Delete, Insert(row(1, 3)), Update(row(1, 3))),
            (Nothing, Insert(row(1, 3)), Insert(row(1, 3))),
        ];
        for (first, then, expected) in table {
            let mut writes = WriteSet::default();
            writes.put(key(1), first.clone());
            writes.put(key(1), then.clone());
            assert_eq!(writes.find(&key(1)), Some(&expected), "{first:?} {then:?}");
        }
    }

    #[test]
    fn sets_are_sorted_and_updates_come_first() {
        let mut writes = WriteSet::default();
        for id in [3, 1, 2] {
            writes.put(key(id), Change::Insert(row(id, 0)));
        }
        writes.put(key(9), Change::Update(row(9, 0)));
        writes.put(key(8), Change::Delete);
        let sets = writes.sets();
        let kinds: Vec<WriteKind> = sets.iter().map(|set| set.kind).collect();
        assert_eq!(kinds, [WriteKind::Update, WriteKind::Delete, WriteKind::Insert]);
        assert_eq!(sets[2].rows, [row(1, 0), row(2, 0), row(3, 0)]);
        assert_eq!(sets[1].rows, [Values::from([Cell::Int(8)])]);
    }
}
