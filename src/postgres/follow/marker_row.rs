//! The marker row: written on one side, seen on the other once everything before it has arrived.

use std::time::Duration;

use tokio::time::Instant;

use super::{Result, word};
use crate::clients::postgres::Session;
use crate::world::Side;

/// How long to wait before looking again.
const AGAIN_IN: Duration = Duration::from_micros(500);

/// What outgrow keeps in a database that gives or receives a stream. Each side writes and publishes its own marker, in a
/// table of its own: in a common one, two streams would send each other's rows back for ever. `epoch` says since which
/// handover the application writes here, or no more.
const TABLES: &str = "CREATE SCHEMA IF NOT EXISTS outgrow; \
    COMMENT ON SCHEMA outgrow IS 'kept by outgrow while it moves this database'; \
    CREATE TABLE IF NOT EXISTS outgrow.marker_old (id int PRIMARY KEY, beat bigint NOT NULL); \
    CREATE TABLE IF NOT EXISTS outgrow.marker_new (id int PRIMARY KEY, beat bigint NOT NULL); \
    INSERT INTO outgrow.marker_old VALUES (1, 0) ON CONFLICT DO NOTHING; \
    INSERT INTO outgrow.marker_new VALUES (1, 0) ON CONFLICT DO NOTHING; \
    CREATE TABLE IF NOT EXISTS outgrow.epoch (number bigint NOT NULL, state text NOT NULL, \
      since timestamptz NOT NULL DEFAULT now()); \
    CREATE TABLE IF NOT EXISTS outgrow.followed (place int NOT NULL, schema text NOT NULL, name text NOT NULL, \
      treatment text NOT NULL, identity_before text NOT NULL, shape text NOT NULL)";

/// Makes our tables; those that are there stay as they are.
pub async fn make_tables(session: &Session) -> Result<()> {
    // Two statements at once may both find the schema missing: one alone makes it.
    session.run("BEGIN; SELECT pg_catalog.pg_advisory_xact_lock(7031968, 2)").await?;
    session.run(TABLES).await?;
    Ok(session.run("COMMIT").await?)
}

/// Writes the next marker of this side, durably, and says which.
pub async fn mark(session: &Session, side: Side) -> Result<i64> {
    let sql =
        format!("SET synchronous_commit = on; UPDATE outgrow.marker_{} SET beat = beat + 1 RETURNING beat", word(side));
    let beat = session.texts(&sql).await?.first().and_then(|row| row.get("beat")?.parse().ok());
    let server = session.server();
    beat.ok_or_else(|| super::cannot(server, "outgrow's marker row is missing", "begin the follow anew"))
}

/// Waits until the marker of `side` has arrived here. It is looked for again and again: the server has no event for it.
/// Says whether it came in time.
pub async fn wait_for_mark(session: &Session, side: Side, beat: i64, within: Duration) -> Result<bool> {
    let deadline = Instant::now() + within;
    let sql = format!("SELECT beat FROM outgrow.marker_{}", word(side));
    loop {
        let seen: Option<i64> = session.texts(&sql).await?.first().and_then(|row| row.get("beat")?.parse().ok());
        if seen.is_some_and(|seen| seen >= beat) {
            return Ok(true);
        }
        if Instant::now() >= deadline {
            return Ok(false);
        }
        tokio::time::sleep(AGAIN_IN).await;
    }
}
