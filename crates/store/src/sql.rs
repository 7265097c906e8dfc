//! The texts of the hot path, built per database from one description of each table.

use crate::driver::WriteKind;
use crate::table::{Column, Kind, Table};

fn names(columns: &[Column]) -> String {
    columns.iter().map(|column| column.name).collect::<Vec<_>>().join(", ")
}

fn conditions(columns: &[Column], first: usize) -> String {
    let parts: Vec<String> = columns
        .iter()
        .enumerate()
        .map(|(place, column)| format!("{} = ${}", column.name, first + place))
        .collect();
    parts.join(" AND ")
}

/// All columns of a table, to be followed by a condition.
pub(crate) fn select_all(table: &Table) -> String {
    format!("SELECT {} FROM {}", names(table.columns), table.name)
}

/// The row with a key; the same text on both databases.
pub(crate) fn select(table: &Table) -> String {
    format!("{} WHERE {}", select_all(table), conditions(table.key_columns(), 1))
}

/// One row at a time, for SQLite. Parameters of an update: other columns, then the key.
pub(crate) fn write_one(kind: WriteKind, table: &Table) -> String {
    let name = table.name;
    match kind {
        WriteKind::Insert => {
            let holes: Vec<String> =
                (1..=table.columns.len()).map(|place| format!("${place}")).collect();
            let (columns, holes) = (names(table.columns), holes.join(", "));
            format!("INSERT INTO {name} ({columns}) VALUES ({holes}) ON CONFLICT DO NOTHING")
        }
        WriteKind::Update => {
            let others = table.other_columns();
            let set: Vec<String> = others
                .iter()
                .enumerate()
                .map(|(place, column)| format!("{} = ${}", column.name, place + 1))
                .collect();
            let key = conditions(table.key_columns(), others.len() + 1);
            format!("UPDATE {name} SET {} WHERE {key}", set.join(", "))
        }
        WriteKind::Delete => {
            format!("DELETE FROM {name} WHERE {}", conditions(table.key_columns(), 1))
        }
    }
}

/// Many rows at once, for PostgreSQL: one array per column, in the order of the columns.
pub(crate) fn write_set(kind: WriteKind, table: &Table) -> String {
    let name = table.name;
    let columns = match kind {
        WriteKind::Delete => table.key_columns(),
        WriteKind::Insert | WriteKind::Update => table.columns,
    };
    let arrays: Vec<String> = columns
        .iter()
        .enumerate()
        .map(|(place, column)| {
            let kind = match column.kind {
                Kind::Int => "bigint",
                Kind::Text => "text",
                Kind::Bytes => "bytea",
            };
            format!("${}::{kind}[]", place + 1)
        })
        .collect();
    let (list, arrays) = (names(columns), arrays.join(", "));
    let key: Vec<String> =
        table.key_columns().iter().map(|column| format!("t.{0} = u.{0}", column.name)).collect();
    let key = key.join(" AND ");
    match kind {
        WriteKind::Insert => format!(
            "INSERT INTO {name} ({list}) SELECT {list} FROM unnest({arrays}) AS u({list}) \
             ON CONFLICT DO NOTHING"
        ),
        WriteKind::Update => {
            let set: Vec<String> = table
                .other_columns()
                .iter()
                .map(|column| format!("{0} = u.{0}", column.name))
                .collect();
            let set = set.join(", ");
            format!("UPDATE {name} AS t SET {set} FROM unnest({arrays}) AS u({list}) WHERE {key}")
        }
        WriteKind::Delete => {
            format!("DELETE FROM {name} AS t USING unnest({arrays}) AS u({list}) WHERE {key}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &Table = crate::table!("t", 2; a: Bytes, b: Bytes, c: Int, d: Text);

    #[test]
    fn texts_number_their_parameters_by_first_appearance() {
        assert_eq!(select(TABLE), "SELECT a, b, c, d FROM t WHERE a = $1 AND b = $2");
        let update = write_one(WriteKind::Update, TABLE);
        assert_eq!(update, "UPDATE t SET c = $1, d = $2 WHERE a = $3 AND b = $4");
        let delete = write_one(WriteKind::Delete, TABLE);
        assert_eq!(delete, "DELETE FROM t WHERE a = $1 AND b = $2");
        let update = write_set(WriteKind::Update, TABLE);
        assert_eq!(
            update,
            "UPDATE t AS t SET c = u.c, d = u.d FROM unnest($1::bytea[], $2::bytea[], \
             $3::bigint[], $4::text[]) AS u(a, b, c, d) WHERE t.a = u.a AND t.b = u.b"
        );
    }
}
