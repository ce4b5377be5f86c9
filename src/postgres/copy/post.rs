//! What comes after every table's rows and indexes: keys and indexes of partitioned tables, foreign keys between them,
//! then triggers, rules, policies, grants; statistics of what holds no rows of its own.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use futures::future::try_join_all;

use super::schema::Schema;
use super::script::Entry;
use super::{Skipped, worker};
use crate::clients::postgres::{Endpoint, Session};
use crate::postgres::Result;
use crate::postgres::catalog::USER_RELATIONS;

/// How often a statement is tried again when two sessions' locks crossed.
const DEADLOCK_TRIES: u32 = 8;

/// Builds everything that is left: what foreign keys may refer to in order, then foreign keys at the same time, then the
/// rest in order.
pub(super) async fn build(
    target: &Endpoint,
    session: &Session,
    entries: Vec<Entry>,
    jobs: usize,
    skipped: &mut Vec<Skipped>,
) -> Result<()> {
    let index = |entry: &Entry| ["CONSTRAINT", "INDEX", "INDEX ATTACH"].contains(&entry.kind.as_str());
    let (indexes, rest): (Vec<_>, Vec<_>) = entries.into_iter().partition(index);
    let (foreign, rest): (Vec<_>, Vec<_>) = rest.into_iter().partition(|entry| entry.kind == "FK CONSTRAINT");
    let mut schema = Schema::new(session, skipped);
    schema.build_all(&indexes).await?;
    in_parallel(target, foreign.into_iter().map(|entry| entry.sql).collect(), jobs).await?;
    schema.build_all(&rest).await?;
    schema.settle().await
}

/// Statistics for partitioned tables, which look at all their leaves, and materialized views.
pub(super) async fn analyze(target: &Endpoint, session: &Session, jobs: usize) -> Result<()> {
    let sql = format!(
        "SELECT format('ANALYZE %I.%I', n.nspname, c.relname) FROM pg_catalog.pg_class c \
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('p', 'm') \
         AND NOT c.relispartition AND {USER_RELATIONS} ORDER BY pg_catalog.pg_table_size(c.oid) DESC"
    );
    let rows = session.rows(&sql, &[]).await?;
    in_parallel(target, rows.iter().map(|row| row.get(0)).collect(), jobs).await
}

async fn in_parallel(target: &Endpoint, statements: VecDeque<String>, jobs: usize) -> Result<()> {
    let workers = jobs.min(statements.len());
    let queue = Arc::new(Mutex::new(statements));
    let workers = (0..workers).map(|_| {
        let queue = Arc::clone(&queue);
        async move {
            let session = target.connect().await?;
            session.run(&worker::building(jobs)).await?;
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
