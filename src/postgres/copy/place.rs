//! Which entries of the schema belong to which table, so that each table's indexes and constraints can be built as soon
//! as its rows are in.

use std::collections::HashMap;

use super::script::Entry;
use crate::postgres::catalog::Table;
use crate::postgres::name::TableName;

/// What is built on a table once its rows are there.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct After {
    /// Primary keys, unique and exclusion constraints: one after the other, since each locks the table.
    pub keys: Vec<String>,
    /// Other indexes, at the same time.
    pub indexes: Vec<String>,
}

/// A foreign key between two tables that both hold rows.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Foreign {
    /// The statement.
    pub sql: String,
    /// The places of both tables.
    pub tables: [usize; 2],
}

/// The entries that come after the rows, sorted.
#[derive(Debug, Default)]
pub(super) struct Placed {
    /// By the tables' places.
    pub of_table: Vec<After>,
    /// Foreign keys.
    pub foreign: Vec<Foreign>,
    /// What needs more than one table's rows, or whose table was not recognised; in order.
    pub late: Vec<Entry>,
}

impl Placed {
    /// How many indexes and constraints are built while rows move.
    pub(super) fn count(&self) -> usize {
        self.of_table.iter().map(|after| after.keys.len() + after.indexes.len()).sum::<usize>() + self.foreign.len()
    }
}

/// Sorts the entries.
pub(super) fn place(entries: Vec<Entry>, tables: &[Table]) -> Placed {
    let known: HashMap<&TableName, usize> = tables.iter().enumerate().map(|(at, table)| (&table.name, at)).collect();
    let mut placed = Placed { of_table: tables.iter().map(|_| After::default()).collect(), ..Placed::default() };
    for entry in entries {
        let named = named(&entry);
        let at = |number: usize| named.get(number).and_then(|name| known.get(name)).copied();
        match (entry.kind.as_str(), at(0), at(1)) {
            ("CONSTRAINT", Some(table), _) => placed.of_table[table].keys.push(entry.sql),
            ("INDEX", Some(table), _) => placed.of_table[table].indexes.push(entry.sql),
            ("FK CONSTRAINT", Some(one), Some(other)) => {
                placed.foreign.push(Foreign { sql: entry.sql, tables: [one, other] });
            }
            _ => placed.late.push(entry),
        }
    }
    placed
}

/// The tables that an index or constraint stands on or refers to.
fn named(entry: &Entry) -> Vec<TableName> {
    let sql = entry.sql.as_str();
    let from = |at: Option<usize>| at.and_then(|at| table_at(&sql[at..]));
    match entry.kind.as_str() {
        "CONSTRAINT" => from(after(sql, &["ALTER", "TABLE"])).into_iter().collect(),
        "INDEX" => from(after(sql, &["ON"])).into_iter().collect(),
        "FK CONSTRAINT" => [from(after(sql, &["ALTER", "TABLE"])), from(after(sql, &["REFERENCES"]))]
            .into_iter()
            .map_while(|name| name)
            .collect(),
        _ => Vec::new(),
    }
}

/// The place behind these words in a row, outside of quotes.
fn after(sql: &str, words: &[&str]) -> Option<usize> {
    let (mut at, mut met) = (0, 0);
    while at < sql.len() {
        let (length, word) = token(&sql[at..]);
        at += length;
        if let Some(word) = word {
            met = if word == words[met] { met + 1 } else { usize::from(word == words[0]) };
            if met == words.len() {
                return Some(at);
            }
        }
    }
    None
}

/// The length of what stands first, and the word if it is an unquoted one.
fn token(sql: &str) -> (usize, Option<&str>) {
    let first = sql.chars().next().unwrap_or(' ');
    if first == '"' || first == '\'' {
        // A doubled quote closes and opens again, which comes to the same.
        let end = sql[1..].find(first).map_or(sql.len(), |end| end + 2);
        return (end, None);
    }
    let word = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
    if !word(first) {
        return (first.len_utf8(), None);
    }
    let end = sql.find(|c| !word(c)).unwrap_or(sql.len());
    (end, Some(&sql[..end]))
}

/// `[ONLY] schema.table` at the beginning of the text.
fn table_at(sql: &str) -> Option<TableName> {
    let sql = sql.trim_start();
    let sql = sql.strip_prefix("ONLY ").unwrap_or(sql);
    let (schema, rest) = identifier(sql)?;
    let (name, _) = identifier(rest.strip_prefix('.')?)?;
    Some(TableName::new(schema, name))
}

fn identifier(sql: &str) -> Option<(String, &str)> {
    let Some(quoted) = sql.strip_prefix('"') else {
        let (end, word) = token(sql);
        return word.map(|word| (word.to_owned(), &sql[end..]));
    };
    let mut name = String::new();
    let mut rest = quoted;
    loop {
        let end = rest.find('"')?;
        name.push_str(&rest[..end]);
        rest = &rest[end + 1..];
        let Some(more) = rest.strip_prefix('"') else { return Some((name, rest)) };
        name.push('"');
        rest = more;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(kind: &str, sql: &str) -> Entry {
        Entry { kind: kind.into(), name: "n".into(), schema: "s".into(), sql: sql.into(), owners: Vec::new() }
    }

    #[test]
    fn the_table_of_an_entry_is_found_whatever_its_name() {
        let of = |kind: &str, sql: &str| {
            named(&entry(kind, sql)).iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
        };
        let key = "ALTER TABLE ONLY public.\"Weird \"\"ON\"\" x\"\n    ADD CONSTRAINT k PRIMARY KEY (id);";
        assert_eq!(of("CONSTRAINT", key), "\"public\".\"Weird \"\"ON\"\" x\"");
        let index = "CREATE UNIQUE INDEX \"a ON b.c\" ON ONLY \"창고 Stock\".\"재고\" USING btree (lower(x));";
        assert_eq!(of("INDEX", index), "\"창고 Stock\".\"재고\"");
        let foreign = "SET x = 1;\nALTER TABLE ONLY a.b\n    ADD CONSTRAINT \"REFERENCES q.r\" FOREIGN KEY (x) REFERENCES c.d(id);";
        assert_eq!(of("FK CONSTRAINT", foreign), "\"a\".\"b\" \"c\".\"d\"");
        assert_eq!(of("TRIGGER", "CREATE TRIGGER t AFTER INSERT ON a.b"), "");
    }
}
