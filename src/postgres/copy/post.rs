//! Indexes, constraints and the rest that comes after the rows, over several connections.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use futures::future::try_join_all;

use super::Skipped;
use super::schema::Schema;
use super::script::Entry;
use crate::clients::postgres::{Endpoint, Session};
use crate::postgres::Result;
use crate::postgres::catalog::USER_RELATIONS;

/// How often a statement is tried again when two sessions' locks crossed.
const DEADLOCK_TRIES: u32 = 8;

/// Builds everything: keys of different tables at the same time, then all indexes, then the rest in order, foreign keys
/// last but triggers and policies.
pub(super) async fn build(
    target: &Endpoint,
    session: &Session,
    entries: Vec<Entry>,
    jobs: usize,
    skipped: &mut Vec<Skipped>,
) -> Result<()> {
    let (keys, rest): (Vec<_>, Vec<_>) = entries.into_iter().partition(|entry| entry.kind == "CONSTRAINT");
    let (indexes, rest): (Vec<_>, Vec<_>) = rest.into_iter().partition(|entry| entry.kind == "INDEX");
    let (foreign, rest): (Vec<_>, Vec<_>) = rest.into_iter().partition(|entry| entry.kind == "FK CONSTRAINT");
    let (attach, rest): (Vec<_>, Vec<_>) = rest.into_iter().partition(|entry| entry.kind == "INDEX ATTACH");
    in_parallel(target, statements(keys), jobs).await?;
    in_parallel(target, statements(indexes), jobs).await?;
    let mut schema = Schema::new(session, skipped);
    for entry in &attach {
        schema.build(entry).await?;
    }
    in_parallel(target, statements(foreign), jobs).await?;
    for entry in &rest {
        schema.build(entry).await?;
    }
    schema.settle().await
}

/// Statistics for every table and materialized view; a partitioned table's look at all its leaves.
pub(super) async fn analyze(target: &Endpoint, session: &Session, jobs: usize) -> Result<()> {
    let sql = format!(
        "SELECT format('ANALYZE %I.%I', n.nspname, c.relname) FROM pg_catalog.pg_class c \
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p', 'm') \
         AND NOT c.relispartition AND {USER_RELATIONS} ORDER BY pg_catalog.pg_table_size(c.oid) DESC"
    );
    let rows = session.rows(&sql, &[]).await?;
    in_parallel(target, rows.iter().map(|row| row.get(0)).collect(), jobs).await
}

fn statements(entries: Vec<Entry>) -> VecDeque<String> {
    entries.into_iter().map(|entry| entry.sql).collect()
}

async fn in_parallel(target: &Endpoint, statements: VecDeque<String>, jobs: usize) -> Result<()> {
    let jobs = jobs.min(statements.len());
    let queue = Arc::new(Mutex::new(statements));
    let workers = (0..jobs).map(|_| {
        let queue = Arc::clone(&queue);
        async move {
            let session = target.connect().await?;
            session.run("SET synchronous_commit = off; SET check_function_bodies = off").await?;
            loop {
                let next = queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
                let Some(sql) = next else { break };
                patiently(&session, &sql).await?;
            }
            session.close();
            Result::Ok(())
        }
    });
    try_join_all(workers).await?;
    Ok(())
}

/// Two statements on the same table may wait for each other; the server ends one of them, which then goes again.
async fn patiently(session: &Session, sql: &str) -> Result<()> {
    for _ in 1..DEADLOCK_TRIES {
        match session.run(sql).await {
            Err(error) if error.code() == Some("40P01") => {}
            other => return Ok(other?),
        }
    }
    Ok(session.run(sql).await?)
}
