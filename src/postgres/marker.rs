//! Our mark in a receiving database: the table `outgrow.run`. It says that what is in there was put there by a run, and
//! until when a repeat may remove it.

use std::fmt::Write as _;

use crate::clients::postgres::Session;

use super::catalog::USER_RELATIONS;
use super::{Error, Result};

/// How far the run that marked a database has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Rows are being copied; a repeat starts afresh.
    Copying,
    /// The copy is whole; the application has not written yet.
    Copied,
    /// The old database stood still and everything it held is here; the application has not written yet.
    CaughtUp,
    /// The application writes here; nothing is ever removed.
    Serving,
}

impl State {
    fn word(self) -> &'static str {
        match self {
            Self::Copying => "copying",
            Self::Copied => "copied",
            Self::CaughtUp => "caught-up",
            Self::Serving => "serving",
        }
    }
}

/// The mark of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marker {
    /// The run's id.
    pub run: String,
    /// How far it came.
    pub state: State,
    /// Extensions that were there before.
    pub extensions_before: Vec<String>,
}

/// The comment on what a run made beside the database's own content: the database itself, roles.
pub fn made_by(run: &str) -> String {
    format!("made by outgrow, run {run}")
}

/// Whether a comment is one of [`made_by`], whichever run's.
pub fn is_ours(comment: &str) -> bool {
    comment.starts_with(&made_by(""))
}

/// Reads the mark.
pub async fn read(session: &Session) -> Result<Option<Marker>> {
    let there = session.value::<bool>("SELECT to_regclass('outgrow.run') IS NOT NULL", &[]).await?;
    if !there {
        return Ok(None);
    }
    let rows = session.rows("SELECT id, state, extensions_before FROM outgrow.run LIMIT 1", &[]).await?;
    Ok(rows.first().map(|row| {
        let state = match row.get::<_, &str>(1) {
            "copying" => State::Copying,
            "copied" => State::Copied,
            "caught-up" => State::CaughtUp,
            _ => State::Serving,
        };
        Marker { run: row.get(0), state, extensions_before: row.get(2) }
    }))
}

/// Puts the mark into an empty database.
pub async fn put(session: &Session, run: &str) -> Result<()> {
    session
        .run(
            "BEGIN; CREATE SCHEMA IF NOT EXISTS outgrow; CREATE TABLE IF NOT EXISTS outgrow.run (id text NOT NULL, \
             state text NOT NULL, extensions_before text[] NOT NULL, since timestamptz NOT NULL DEFAULT now()); \
             COMMENT ON SCHEMA outgrow IS 'kept by outgrow while it moves this database'; DELETE FROM outgrow.run",
        )
        .await?;
    let sql = "INSERT INTO outgrow.run (id, state, extensions_before) \
               SELECT $1, 'copying', coalesce(array_agg(extname::text), '{}') FROM pg_catalog.pg_extension";
    session.execute(sql, &[&run]).await?;
    session.run("COMMIT").await?;
    Ok(())
}

/// Records how far the run came, durably.
pub async fn set(session: &Session, state: State) -> Result<()> {
    session.run("SET synchronous_commit = on").await?;
    one(session, session.execute("UPDATE outgrow.run SET state = $1, since = now()", &[&state.word()]).await?)
}

/// Says that the application writes here from now on: [`super::wipe`] and [`super::copy`] refuse ever after.
pub async fn serving(session: &Session) -> Result<()> {
    set(session, State::Serving).await
}

/// Says, inside the transaction that caught up, that nothing is missing here any more. A database without our mark (the
/// old one, when it is the receiver) is left without.
pub async fn caught_up(session: &Session) -> Result<()> {
    if session.value::<bool>("SELECT to_regclass('outgrow.run') IS NOT NULL", &[]).await? {
        let sql = "UPDATE outgrow.run SET state = 'caught-up', since = now() WHERE state IN ('copied', 'caught-up')";
        one(session, session.execute(sql, &[]).await?)?;
    }
    Ok(())
}

/// Takes that back. Waits for a catch-up that may still be committing: its transaction holds the mark's lock.
pub async fn forget_catch_up(session: &Session) -> Result<()> {
    let sql = "UPDATE outgrow.run SET state = 'copied', since = now() WHERE state IN ('copied', 'caught-up')";
    session.run("SET synchronous_commit = on").await?;
    one(session, session.execute(sql, &[]).await?)
}

/// A mark that is not as it was expected is never passed over: what a rollback does hangs on it.
fn one(session: &Session, rows: u64) -> Result<()> {
    if rows == 1 {
        return Ok(());
    }
    let why = "outgrow's mark is not there, or the database was opened since".to_owned();
    Err(Error::Mismatch { table: format!("outgrow.run on {}", session.server()), why })
}

/// Locks the mark, if there is one, until the transaction ends.
pub async fn hold(session: &Session) -> Result<()> {
    if session.value::<bool>("SELECT to_regclass('outgrow.run') IS NOT NULL", &[]).await? {
        session.rows("SELECT id FROM outgrow.run FOR UPDATE", &[]).await?;
    }
    Ok(())
}

/// Takes the application's claim back after a rollback that carried its writes home.
pub async fn no_longer_serving(session: &Session) -> Result<()> {
    if read(session).await?.is_some_and(|marker| matches!(marker.state, State::Serving | State::CaughtUp)) {
        set(session, State::Copied).await?;
    }
    Ok(())
}

/// Removes the mark (finalize); the rest stays.
pub async fn remove(session: &Session) -> Result<()> {
    Ok(session.run("DROP SCHEMA IF EXISTS outgrow CASCADE").await?)
}

/// Names what the user has in this database, shortened; `None` if it is empty.
pub async fn user_objects(session: &Session) -> Result<Option<String>> {
    let sql = format!(
        "SELECT pg_catalog.format('%s %I.%I', CASE c.relkind WHEN 'v' THEN 'view' WHEN 'S' THEN 'sequence' \
           WHEN 'm' THEN 'materialized view' ELSE 'table' END, n.nspname, c.relname) \
         FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
         WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f') AND {USER_RELATIONS} \
         UNION ALL SELECT pg_catalog.format('schema %I', nspname) FROM pg_catalog.pg_namespace n \
         WHERE nspname NOT IN ('public', 'outgrow', 'information_schema') AND nspname NOT LIKE 'pg\\_%' \
           AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend x WHERE x.objid = n.oid AND x.deptype = 'e' \
           AND x.classid = 'pg_catalog.pg_namespace'::pg_catalog.regclass) \
         UNION ALL SELECT pg_catalog.format('function %s', p.oid::pg_catalog.regprocedure) FROM pg_catalog.pg_proc p \
         JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = 'public' \
           AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend x WHERE x.objid = p.oid AND x.deptype = 'e' \
           AND x.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass) \
         UNION ALL SELECT pg_catalog.format('type %s', t.oid::pg_catalog.regtype) FROM pg_catalog.pg_type t \
         JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace WHERE n.nspname = 'public' \
           AND t.typtype IN ('e', 'd', 'r') AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend x \
           WHERE x.objid = t.oid AND x.deptype = 'e' AND x.classid = 'pg_catalog.pg_type'::pg_catalog.regclass) \
         UNION ALL SELECT pg_catalog.format('large object %s', oid) FROM pg_catalog.pg_largeobject_metadata LIMIT 5"
    );
    let rows = session.rows(&sql, &[]).await?;
    if rows.is_empty() {
        return Ok(None);
    }
    let mut found = String::new();
    for (place, row) in rows.iter().take(4).enumerate() {
        let _ = write!(found, "{}{}", if place == 0 { "" } else { ", " }, row.get::<_, &str>(0));
    }
    if rows.len() > 4 {
        found.push_str(", …");
    }
    Ok(Some(found))
}

/// Makes sure that nobody else works on this database while `session` lives.
pub async fn claim(session: &Session) -> Result<()> {
    // The backends of a run that was killed a moment ago may still be on their way out: the server tells us when.
    session.run("SET lock_timeout = '10s'").await?;
    let locked = session.run("SELECT pg_catalog.pg_advisory_lock(7031968, 1)").await;
    session.run("SET lock_timeout = 0").await?;
    match locked {
        Err(error) if error.code() == Some("55P03") => Err(Error::Busy { server: session.server().to_owned() }),
        other => Ok(other?),
    }
}
