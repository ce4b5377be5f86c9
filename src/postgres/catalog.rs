//! The tables of a database with what moving their rows needs to know: columns, keys, sizes.
//!
//! Partitioned tables have no rows of their own; their leaves are listed. Members of extensions, foreign tables and
//! our own schema are not.

use std::collections::HashMap;

use crate::clients::postgres::Session;

use super::name::TableName;
use super::{Error, Result};

/// Which relations are the user's: a filter on `pg_class c` and `pg_namespace n`.
pub(super) const USER_RELATIONS: &str = "n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast', 'outgrow') \
    AND n.nspname NOT LIKE 'pg\\_temp\\_%' AND n.nspname NOT LIKE 'pg\\_toast\\_temp\\_%' \
    AND c.relpersistence <> 't' AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend x \
    WHERE x.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND x.objid = c.oid AND x.deptype = 'e')";

/// A column.
#[allow(clippy::struct_excessive_bools)] // the catalog's own independent flags
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Computed from others: never copied, always recomputed.
    pub generated: bool,
    /// `GENERATED ALWAYS AS IDENTITY`: needs `OVERRIDING SYSTEM VALUE`.
    pub identity_always: bool,
    /// The type's name below all domains.
    pub base: String,
    /// The type modifier below all domains; -1 without.
    pub modifier: i32,
    /// Type class of `pg_type.typtype` below all domains (`b`, `e`, `c`, …).
    pub class: char,
    /// Whether the base type comes with the server.
    pub builtin: bool,
    /// Whether it can be sent and received in binary form.
    pub binary: bool,
    /// Whether it may be null.
    pub nullable: bool,
}

/// A table that holds rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// Its identifier in this database.
    pub oid: u32,
    /// Its name.
    pub name: TableName,
    /// Bytes of its heap.
    pub bytes: i64,
    /// Pages of its heap.
    pub pages: i64,
    /// Rows as the server's statistics guess; negative when it never looked.
    pub estimated_rows: i64,
    /// Whether it is a plain heap, so that row addresses can be cut into ranges.
    pub heap: bool,
    /// Whether it has rules, which `INSERT` would run.
    pub rules: bool,
    /// Live columns in order.
    pub columns: Vec<Column>,
    /// The primary key's columns, or those of another unique key without nulls; empty where there is none.
    pub key: Vec<String>,
}

impl Table {
    /// Columns whose values travel.
    pub fn stored(&self) -> impl Iterator<Item = &Column> {
        self.columns.iter().filter(|column| !column.generated)
    }

    /// A column by name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }
}

const TABLES: &str = "SELECT c.oid, n.nspname::text, c.relname::text, pg_catalog.pg_relation_size(c.oid) AS bytes, \
    pg_catalog.pg_relation_size(c.oid) / pg_catalog.current_setting('block_size')::bigint AS pages, \
    c.reltuples::bigint AS estimated, coalesce(a.amname::text, 'heap') = 'heap' AS heap, c.relhasrules, \
    coalesce((SELECT array_agg(ka.attname::text ORDER BY k.place) FROM pg_catalog.pg_index i \
      CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS k(attnum, place) \
      JOIN pg_catalog.pg_attribute ka ON ka.attrelid = c.oid AND ka.attnum = k.attnum \
      WHERE k.place <= i.indnkeyatts AND i.indexrelid = (SELECT b.indexrelid FROM pg_catalog.pg_index b \
        WHERE b.indrelid = c.oid AND b.indisunique AND b.indisvalid AND b.indimmediate AND b.indpred IS NULL \
        AND b.indexprs IS NULL AND NOT EXISTS (SELECT 1 FROM unnest(b.indkey::int2[]) u \
          JOIN pg_catalog.pg_attribute ua ON ua.attrelid = c.oid AND ua.attnum = u WHERE NOT ua.attnotnull) \
        ORDER BY b.indisprimary DESC, b.indnatts, b.indexrelid LIMIT 1)), '{}') AS key \
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
    LEFT JOIN pg_catalog.pg_am a ON a.oid = c.relam WHERE c.relkind = 'r' AND ";

const COLUMNS: &str = "WITH RECURSIVE base(oid, below, modifier) AS ( \
      SELECT oid, oid, -1 FROM pg_catalog.pg_type WHERE typtype <> 'd' UNION ALL \
      SELECT d.oid, b.below, CASE WHEN b.modifier >= 0 THEN b.modifier ELSE d.typtypmod END \
      FROM pg_catalog.pg_type d JOIN base b ON b.oid = d.typbasetype WHERE d.typtype = 'd') \
    SELECT a.attrelid, a.attname::text, a.attgenerated <> '' AS generated, a.attidentity = 'a' AS identity_always, \
      t.typname::text, CASE WHEN a.atttypmod >= 0 THEN a.atttypmod ELSE b.modifier END AS modifier, \
      t.typtype::text, t.oid < 16384 AS builtin, t.typsend <> 0 AND t.typreceive <> 0 AS binary, \
      NOT a.attnotnull AS nullable \
    FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid \
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
    JOIN base b ON b.oid = a.atttypid JOIN pg_catalog.pg_type t ON t.oid = b.below \
    WHERE c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped AND ";

/// All tables that hold rows, biggest first.
pub async fn tables(session: &Session) -> Result<Vec<Table>> {
    let mut columns: HashMap<u32, Vec<Column>> = HashMap::new();
    for row in session.rows(&format!("{COLUMNS}{USER_RELATIONS} ORDER BY a.attrelid, a.attnum"), &[]).await? {
        let column = Column {
            name: row.get(1),
            generated: row.get(2),
            identity_always: row.get(3),
            base: row.get(4),
            modifier: row.get(5),
            class: row.get::<_, &str>(6).chars().next().unwrap_or('b'),
            builtin: row.get(7),
            binary: row.get(8),
            nullable: row.get(9),
        };
        columns.entry(row.get(0)).or_default().push(column);
    }
    let rows = session.rows(&format!("{TABLES}{USER_RELATIONS} ORDER BY bytes DESC, c.oid"), &[]).await?;
    let table = |row: &tokio_postgres::Row| {
        let oid = row.get(0);
        Table {
            oid,
            name: TableName::new(row.get::<_, String>(1), row.get::<_, String>(2)),
            bytes: row.get(3),
            pages: row.get(4),
            estimated_rows: row.get(5),
            heap: row.get(6),
            rules: row.get(7),
            columns: columns.remove(&oid).unwrap_or_default(),
            key: row.get(8),
        }
    };
    Ok(rows.iter().map(table).collect())
}

/// Pairs the tables of both sides by name; refuses where tables or columns are not the same.
pub fn pair(from: Vec<Table>, to: &[Table]) -> Result<Vec<Table>> {
    let mut others: HashMap<&TableName, &Table> = to.iter().map(|table| (&table.name, table)).collect();
    for table in &from {
        let Some(other) = others.remove(&table.name) else {
            return Err(Error::Schema { what: format!("table {} is missing on the receiving side", table.name) });
        };
        let names = |table: &Table| {
            let mut names: Vec<_> = table.columns.iter().map(|c| (c.name.clone(), c.generated)).collect();
            names.sort();
            names
        };
        if names(table) != names(other) {
            return Err(Error::Schema {
                what: format!("table {} has other columns on the receiving side", table.name),
            });
        }
    }
    match others.into_keys().next() {
        Some(name) => Err(Error::Schema { what: format!("table {name} exists on the receiving side only") }),
        None => Ok(from),
    }
}
