//! Goes on with a copy that ended half-way: what its tables hold is kept where it is still true.
//!
//! The interrupted copy's moment is gone with the process that held it, unless somebody else held it. A table is kept
//! only if the record says that its rows were all there and its digest is that of the source's table now; any other is
//! emptied. A schema that changed since, or a copy that had come to the triggers, starts afresh.

use std::collections::HashSet;

use super::record;
use crate::clients::postgres::{Endpoint, Session};
use crate::postgres::catalog::Table;
use crate::postgres::digest::{self, Way};
use crate::postgres::pinned::Pinned;
use crate::postgres::{Result, marker, verify};

/// What an interrupted copy left that is still of use.
#[derive(Debug, Default)]
pub(super) struct Left {
    /// What is on record.
    pub done: HashSet<String>,
    /// Whether each table's rows are there, in the tables' order, and how many.
    pub rows: Vec<Option<u64>>,
}

/// Whether there is anything to go on with: `Err` says why not.
pub(super) async fn possible(claim: &Session, run: &str, schema: &str) -> Result<std::result::Result<(), String>> {
    let no = |why: &str| Ok(Err(why.to_owned()));
    match marker::read(claim).await? {
        None => return no("there is no interrupted copy"),
        Some(mark) if mark.run != run => return no("what is there was copied by another run"),
        Some(mark) if mark.state != marker::State::Copying => return no("the copy that is there was finished"),
        Some(_) => {}
    }
    let done = record::read(claim).await?;
    if !done.contains(record::TABLES) {
        return no("the interrupted copy had not made its tables yet");
    }
    if done.contains(record::LATE) {
        return no("the interrupted copy had come to triggers, which new rows would set off");
    }
    if record::origin(claim).await?.0 != schema {
        return no("the schema has changed since");
    }
    Ok(Ok(()))
}

/// Compares what is there, drops foreign keys (they come again at the end, and would keep tables from being emptied), and
/// empties the tables that are to be copied afresh.
pub(super) async fn take_over(
    pinned: &Pinned,
    target: &Endpoint,
    claim: &Session,
    tables: &[Table],
    jobs: usize,
) -> Result<Left> {
    let mut done = record::read(claim).await?;
    let same_moment = record::origin(claim).await?.1 == pinned.snapshot();
    let candidates: Vec<Table> =
        tables.iter().filter(|table| done.contains(&record::rows_of(table))).cloned().collect();
    let theirs = Pinned::open(target).await?;
    let way = Way::common(pinned.holder(), theirs.holder());
    let on_target =
        verify::on_tables(&theirs, &candidates, jobs, |session, table| Box::pin(digest::whole(session, table, way)))
            .await?;
    theirs.close();
    let mut kept = std::collections::HashMap::new();
    if same_moment {
        kept.extend(candidates.iter().zip(&on_target).map(|(table, digest)| (table.oid, digest.rows)));
    } else {
        let on_source =
            verify::on_tables(pinned, &candidates, jobs, |session, table| Box::pin(digest::whole(session, table, way)))
                .await?;
        let equal = candidates.iter().zip(on_source.iter().zip(&on_target)).filter(|(_, (one, other))| one == other);
        kept.extend(equal.map(|(table, (digest, _))| (table.oid, digest.rows)));
    }
    drop_foreign_keys(claim, &mut done).await?;
    let empty: Vec<_> = tables
        .iter()
        .filter(|table| !kept.contains_key(&table.oid))
        .map(|table| format!("ONLY {}", table.name))
        .collect();
    for names in empty.chunks(64) {
        claim.run(&format!("TRUNCATE {}", names.join(", "))).await?;
    }
    let rows = tables.iter().map(|table| kept.get(&table.oid).map(|rows| u64::try_from(*rows).unwrap_or(0))).collect();
    Ok(Left { done, rows })
}

async fn drop_foreign_keys(claim: &Session, done: &mut HashSet<String>) -> Result<()> {
    let sql = "SELECT format('ALTER TABLE %s DROP CONSTRAINT IF EXISTS %I', c.conrelid::pg_catalog.regclass, c.conname) \
        FROM pg_catalog.pg_constraint c WHERE c.contype = 'f' AND c.conparentid = 0 AND c.conrelid <> 0";
    for row in claim.rows(sql, &[]).await? {
        claim.run(row.get(0)).await?;
    }
    claim.run("DELETE FROM outgrow.done WHERE what LIKE 'foreign %'").await?;
    done.retain(|what| !what.starts_with("foreign "));
    Ok(())
}
