//! What is done already, on record in the receiving database itself: each entry is written in the transaction of what it
//! tells of, so that it is true after any crash.

use std::collections::HashSet;

use crate::clients::postgres::Session;
use crate::postgres::Result;
use crate::postgres::catalog::Table;
use crate::postgres::name::literal;

/// Makes the record, empty. `schema` stands for the definitions that were copied, `snapshot` for the moment.
pub(super) async fn begin(session: &Session, schema: &str, snapshot: &str) -> Result<()> {
    let (schema, snapshot) = (literal(schema), literal(snapshot));
    let sql = format!(
        "BEGIN; DROP TABLE IF EXISTS outgrow.done; CREATE TABLE outgrow.done (what text PRIMARY KEY); \
         ALTER TABLE outgrow.run ADD COLUMN IF NOT EXISTS schema text, ADD COLUMN IF NOT EXISTS snapshot text; \
         UPDATE outgrow.run SET schema = {schema}, snapshot = {snapshot}; INSERT INTO outgrow.done VALUES ('{TABLES}'); COMMIT"
    );
    Ok(session.run(&sql).await?)
}

/// The statement that records it.
pub(super) fn note(what: &[String]) -> String {
    let values: Vec<_> = what.iter().map(|what| format!("({})", literal(what))).collect();
    format!("INSERT INTO outgrow.done VALUES {} ON CONFLICT DO NOTHING", values.join(", "))
}

/// The record's entry for a table's rows.
pub(super) fn rows_of(table: &Table) -> String {
    format!("rows {}", table.name)
}

/// The record's entry for a key or an index.
pub(super) fn statement(sql: &str) -> String {
    format!("statement {}", digest(sql))
}

/// The record's entry for a foreign key.
pub(super) fn foreign(sql: &str) -> String {
    format!("foreign {}", digest(sql))
}

fn digest(sql: &str) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, sql.as_bytes());
    hex::encode(&digest.as_ref()[..16])
}

/// The tables were all made.
pub(super) const TABLES: &str = "tables";
/// Triggers, rules and the like are being made: rows can no longer be replaced without setting them off.
pub(super) const LATE: &str = "late";
/// Large objects are there.
pub(super) const LARGE_OBJECTS: &str = "large objects";

/// What is on record; nothing where there is none.
pub(super) async fn read(session: &Session) -> Result<HashSet<String>> {
    if !session.value::<bool>("SELECT to_regclass('outgrow.done') IS NOT NULL", &[]).await? {
        return Ok(HashSet::new());
    }
    Ok(session.rows("SELECT what FROM outgrow.done", &[]).await?.iter().map(|row| row.get(0)).collect())
}

/// The definitions and the moment that the interrupted copy had.
pub(super) async fn origin(session: &Session) -> Result<(String, String)> {
    let row = session.one("SELECT coalesce(schema, ''), coalesce(snapshot, '') FROM outgrow.run", &[]).await?;
    Ok((row.get(0), row.get(1)))
}
