//! Sequences: their last value and whether it was handed out already. They obey no snapshot, so they are read last.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use crate::clients::postgres::Session;

use super::Result;
use super::catalog::USER_RELATIONS;
use super::name::{TableName, literal};

/// Where a sequence stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Sequence {
    /// Its name.
    pub name: TableName,
    /// The value last handed out, or the first to be.
    pub last_value: i64,
    /// Whether `last_value` was handed out.
    pub is_called: bool,
}

/// How many sequences one statement reads or sets.
const BATCH: usize = 200;

/// The names of all sequences, identity columns' too.
pub async fn names(session: &Session) -> Result<Vec<TableName>> {
    let sql = format!(
        "SELECT n.nspname::text, c.relname::text FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n \
         ON n.oid = c.relnamespace WHERE c.relkind = 'S' AND {USER_RELATIONS} ORDER BY 1, 2"
    );
    let rows = session.rows(&sql, &[]).await?;
    Ok(rows.iter().map(|row| TableName::new(row.get::<_, String>(0), row.get::<_, String>(1))).collect())
}

/// All sequences, identity columns' too, by name.
pub async fn read(session: &Session) -> Result<Vec<Sequence>> {
    read_these(session, &names(session).await?).await
}

/// Where these sequences stand.
pub async fn read_these(session: &Session, names: &[TableName]) -> Result<Vec<Sequence>> {
    let mut sequences = Vec::with_capacity(names.len());
    for batch in names.chunks(BATCH) {
        let mut sql = String::new();
        for (place, name) in batch.iter().enumerate() {
            let union = if place == 0 { "" } else { " UNION ALL " };
            let _ = write!(sql, "{union}SELECT {place}, last_value, is_called FROM {name}");
        }
        for row in session.rows(&sql, &[]).await? {
            let place = usize::try_from(row.get::<_, i32>(0)).unwrap_or_default();
            sequences.push(Sequence { name: batch[place].clone(), last_value: row.get(1), is_called: row.get(2) });
        }
    }
    sequences.sort();
    Ok(sequences)
}

/// Sets those that stand elsewhere; says how many.
pub async fn set(session: &Session, wanted: &[Sequence]) -> Result<usize> {
    let present = read(session).await?;
    let differing: Vec<_> = wanted.iter().filter(|sequence| !present.contains(sequence)).collect();
    for batch in differing.chunks(BATCH) {
        let mut sql = String::from("SELECT ");
        for (place, Sequence { name, last_value, is_called }) in batch.iter().enumerate() {
            let comma = if place == 0 { "" } else { ", " };
            let name = literal(&name.to_string());
            let _ = write!(sql, "{comma}pg_catalog.setval({name}::pg_catalog.regclass, {last_value}, {is_called})");
        }
        session.run(&sql).await?;
    }
    Ok(differing.len())
}

/// Sets each at least `gap` values further than it stood on the other side, in one statement a batch. One that is near its
/// end, goes round or was never used is set exactly.
pub async fn set_ahead(session: &Session, wanted: &[Sequence], gap: i64) -> Result<()> {
    for batch in wanted.chunks(BATCH) {
        let mut sql = String::from(
            "SELECT pg_catalog.setval(s.seqrelid::pg_catalog.regclass, CASE WHEN NOT w.called OR s.seqcycle \
             OR a.ahead > s.seqmax OR a.ahead < s.seqmin THEN w.last ELSE a.ahead::bigint END, w.called) FROM (VALUES ",
        );
        for (place, Sequence { name, last_value, is_called }) in batch.iter().enumerate() {
            let comma = if place == 0 { "" } else { ", " };
            let name = literal(&name.to_string());
            let _ = write!(sql, "{comma}({name}::pg_catalog.regclass, {last_value}::bigint, {is_called})");
        }
        let _ = write!(
            sql,
            ") w (oid, last, called) JOIN pg_catalog.pg_sequence s ON s.seqrelid = w.oid, \
             LATERAL (SELECT w.last::numeric + s.seqincrement::numeric * {gap} AS ahead) a"
        );
        session.run(&sql).await?;
    }
    Ok(())
}
