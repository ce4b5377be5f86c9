//! Which tables are followed, and how the receiver finds the row that an `UPDATE` or `DELETE` meant: the table's replica
//! identity. What is altered is recorded in the database itself and put back by [`super::tidy`].

use serde::{Deserialize, Serialize};

use super::Result;
use crate::clients::postgres::Session;
use crate::postgres::catalog::USER_RELATIONS;
use crate::postgres::name::{TableName, ident};

/// How a table gets to the other side.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Treatment {
    /// It has an identity: streamed as it is.
    AsIs,
    /// Streamed; this unique index of columns without nulls becomes its identity.
    Index(String),
    /// Streamed; the whole row becomes its identity, which makes its updates slower on the other side.
    WholeRow,
    /// Not streamed: compared and brought over under the fence.
    UnderFence,
    /// Nothing fits: the follow must not begin.
    Refused(String),
}

/// A table, and how it gets to the other side.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Followed {
    /// Its name.
    pub name: TableName,
    /// Bytes with its out-of-line values.
    pub bytes: i64,
    /// How.
    pub treatment: Treatment,
    /// The `REPLICA IDENTITY` clause that it had.
    pub identity_before: String,
}

impl Followed {
    /// Whether the stream carries it.
    pub fn is_streamed(&self) -> bool {
        matches!(self.treatment, Treatment::AsIs | Treatment::Index(_) | Treatment::WholeRow)
    }

    /// The clause that it needs.
    fn clause(&self) -> Option<String> {
        match &self.treatment {
            Treatment::Index(index) => Some(format!("USING INDEX {}", ident(index))),
            Treatment::WholeRow => Some("FULL".to_owned()),
            Treatment::AsIs | Treatment::UnderFence | Treatment::Refused(_) => None,
        }
    }
}

/// A column whose type has no equality that the apply worker knows: whole rows with it are never found.
const NOT_COMPARABLE: &str = "EXISTS (WITH RECURSIVE base(oid) AS ( \
      SELECT a.atttypid FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 \
        AND NOT a.attisdropped AND a.attgenerated = '' UNION \
      SELECT CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.typelem END FROM base b \
        JOIN pg_catalog.pg_type t ON t.oid = b.oid WHERE t.typtype = 'd' OR (t.typlen = -1 AND t.typelem <> 0)) \
    SELECT 1 FROM base b JOIN pg_catalog.pg_type t ON t.oid = b.oid WHERE t.typtype = 'b' \
      AND NOT (t.typlen = -1 AND t.typelem <> 0) AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_opclass o \
        JOIN pg_catalog.pg_am m ON m.oid = o.opcmethod WHERE o.opcdefault AND m.amname IN ('btree', 'hash') \
        AND (o.opcintype = t.oid OR EXISTS (SELECT 1 FROM pg_catalog.pg_cast x WHERE x.castsource = t.oid \
          AND x.casttarget = o.opcintype AND x.castmethod = 'b'))))";

/// The unique index that could be the identity, the primary key's first; deferrable ones cannot.
const INDEX: &str = "(SELECT k.relname::text FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class k ON k.oid = i.indexrelid \
    WHERE i.indrelid = c.oid AND i.indisunique AND i.indisvalid AND i.indimmediate AND i.indpred IS NULL \
      AND i.indexprs IS NULL AND NOT EXISTS (SELECT 1 FROM unnest(i.indkey::int2[]) u \
        JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = u WHERE NOT a.attnotnull) \
    ORDER BY i.indisprimary DESC, i.indnatts, i.indexrelid LIMIT 1)";

/// The index that is the identity now.
const PRESENT: &str = "(SELECT k.relname::text FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class k ON k.oid = i.indexrelid \
    WHERE i.indrelid = c.oid AND i.indisvalid AND i.indimmediate \
      AND CASE c.relreplident WHEN 'd' THEN i.indisprimary WHEN 'i' THEN i.indisreplident ELSE false END)";

/// Every table that holds rows, and how it gets to the other side. `whole_row` says whether that is a choice for tables
/// that need it; up to `under_fence` bytes others are brought over under the fence. Changes nothing.
pub async fn followed(session: &Session, whole_row: bool, under_fence: i64) -> Result<Vec<Followed>> {
    let sql = format!(
        "SELECT n.nspname::text, c.relname::text, pg_catalog.pg_table_size(c.oid), c.relreplident::text, {PRESENT}, {INDEX}, \
           c.relpersistence = 'u', {NOT_COMPARABLE} \
         FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
         WHERE c.relkind = 'r' AND {USER_RELATIONS} ORDER BY 1, 2"
    );
    let rows = session.rows(&sql, &[]).await?;
    let table = |row: &tokio_postgres::Row| {
        let (bytes, kind): (i64, String) = (row.get(2), row.get(3));
        let (present, index): (Option<String>, Option<String>) = (row.get(4), row.get(5));
        let (unlogged, not_comparable): (bool, bool) = (row.get(6), row.get(7));
        let identity_before = match (kind.as_str(), &present) {
            ("f", _) => "FULL".to_owned(),
            ("n", _) => "NOTHING".to_owned(),
            ("i", Some(index)) => format!("USING INDEX {}", ident(index)),
            _ => "DEFAULT".to_owned(),
        };
        let other = |why: &str| {
            if bytes <= under_fence { Treatment::UnderFence } else { Treatment::Refused(why.to_owned()) }
        };
        let treatment = if unlogged {
            other("unlogged, so that no stream can carry it, and too big to be brought over under the fence")
        } else if present.is_some() || (kind == "f" && !not_comparable) {
            Treatment::AsIs
        } else if let Some(index) = index {
            Treatment::Index(index)
        } else if whole_row && !not_comparable {
            Treatment::WholeRow
        } else if not_comparable {
            other(
                "without a key, with a column whose type knows no equality, and too big to be brought over under the fence",
            )
        } else {
            other("without a key, and too big to be brought over under the fence")
        };
        let name = TableName::new(row.get::<_, String>(0), row.get::<_, String>(1));
        Followed { name, bytes, treatment, identity_before }
    };
    Ok(rows.iter().map(table).collect())
}

/// Gives the tables their identities. An `UPDATE` of a published table without one fails: this comes first.
pub async fn set(session: &Session, tables: &[Followed]) -> Result<()> {
    for table in tables {
        if let Some(clause) = table.clause() {
            session.run(&format!("ALTER TABLE ONLY {} REPLICA IDENTITY {clause}", table.name)).await?;
        }
    }
    Ok(())
}

/// Gives the tables back what they had; one that is gone meanwhile is passed over.
pub async fn put_back(session: &Session, tables: &[Followed]) -> Result<()> {
    for table in tables.iter().filter(|table| table.clause().is_some()) {
        let sql = format!("ALTER TABLE IF EXISTS ONLY {} REPLICA IDENTITY {}", table.name, table.identity_before);
        match session.run(&sql).await {
            Err(error) if matches!(error.code(), Some("42704" | "3F000")) => {}
            other => other?,
        }
    }
    Ok(())
}
