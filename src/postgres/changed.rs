//! Brings a database up to date with another, carrying only what differs: run under the fence, in either direction, so
//! that a rollback after the first write takes the new rows home.
//!
//! Every table is digested by bucket on both sides in parallel; the rows of differing buckets travel into staging tables
//! and are merged in one transaction on the receiving side. That transaction digests what it wrote again before it
//! commits, and rolls back if anything still differs. User triggers and rules do not run: what they wrote elsewhere
//! arrives by its own comparison.

mod apply;
mod guards;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::clients::postgres::{Endpoint, Session};

use super::catalog::{self, Table};
use super::copy::refresh_views;
use super::digest::{self, Buckets, Digest, Way};
use super::name::TableName;
use super::pinned::Pinned;
use super::verify::on_tables;
use super::{Error, Result, large_objects, marker, sequences};

/// A table whose rows were brought over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangedTable {
    /// Which.
    pub table: TableName,
    /// Rows that travelled: those of the differing buckets.
    pub travelled: u64,
    /// Rows removed on the receiving side, also to be replaced.
    pub removed: u64,
    /// Rows written there.
    pub written: u64,
}

/// What was brought over, and how long each part took.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Tables that differed.
    pub tables: Vec<ChangedTable>,
    /// Tables compared.
    pub compared: usize,
    /// Sequences set.
    pub sequences: usize,
    /// Large objects written or removed.
    pub large_objects: usize,
    /// Materialized views refreshed.
    pub views: usize,
    /// Time for the digests of both sides.
    pub digesting: Duration,
    /// Time to bring rows over, check them and commit.
    pub applying: Duration,
}

/// A table that differs, and where.
struct Differing {
    table: Table,
    buckets: Buckets,
    numbers: Vec<i64>,
    wanted: BTreeMap<i64, Digest>,
}

/// Makes `to` hold what `from` holds. Nobody may write on either side meanwhile. `jobs` sessions read on each side.
///
/// # Errors
/// [`Error::Schema`] if the tables are not the same on both sides, [`Error::Mismatch`] if they still differ at the end;
/// in every case the receiving side is as it was (sequences excepted, which only ever follow `from`).
pub async fn bring_up_to_date(from: &Endpoint, to: &Endpoint, jobs: usize) -> Result<Report> {
    let begun = Instant::now();
    let (source, target) = tokio::try_join!(Pinned::open(from), Pinned::open(to))?;
    let (ours, theirs) = tokio::try_join!(catalog::tables(source.holder()), catalog::tables(target.holder()))?;
    let tables = catalog::pair(ours, &theirs)?;
    let way = Way::common(source.holder(), target.holder());
    let differing = differing(&source, &target, &tables, way, jobs).await?;
    // The receiving side's readers hold locks that a dropped constraint would wait for.
    target.close();
    let mut report = Report { compared: tables.len(), digesting: begun.elapsed(), ..Report::default() };
    let begun = Instant::now();
    let (reader, writer) = tokio::try_join!(source.session(), async { Ok(to.connect().await?) })?;
    writer.run("BEGIN; SET LOCAL synchronous_commit = on").await?;
    marker::hold(&writer).await?;
    if !differing.is_empty() {
        report.tables = apply::apply(&reader, &writer, &differing, way).await?;
        report.views = refresh_views(&reader, &writer).await?;
    }
    let brought = large_objects::bring(&reader, &writer).await?;
    report.large_objects = brought.written + brought.removed;
    let wanted = sequences::read(&reader).await?;
    report.sequences = sequences::set(&writer, &wanted).await?;
    marker::caught_up(&writer).await?;
    writer.run("COMMIT").await?;
    reader.close();
    writer.close();
    source.close();
    report.applying = begun.elapsed();
    Ok(report)
}

/// Makes these tables of `to` hold what `from` holds, in one transaction of its own; the rest is not looked at. Nobody
/// may write to them on either side meanwhile.
pub(super) async fn bring_tables(
    from: &Endpoint,
    to: &Endpoint,
    tables: &[Table],
    jobs: usize,
) -> Result<Vec<ChangedTable>> {
    let (source, target) = tokio::try_join!(Pinned::open(from), Pinned::open(to))?;
    let way = Way::common(source.holder(), target.holder());
    let differing = differing(&source, &target, tables, way, jobs).await?;
    target.close();
    let mut changed = Vec::new();
    if !differing.is_empty() {
        let (reader, writer) = tokio::try_join!(source.session(), async { Ok(to.connect().await?) })?;
        writer.run("BEGIN; SET LOCAL synchronous_commit = on").await?;
        changed = apply::apply(&reader, &writer, &differing, way).await?;
        writer.run("COMMIT").await?;
        reader.close();
        writer.close();
    }
    source.close();
    Ok(changed)
}

async fn differing(
    source: &Pinned,
    target: &Pinned,
    tables: &[Table],
    way: Way,
    jobs: usize,
) -> Result<Vec<Differing>> {
    let buckets = on_tables(source, tables, jobs, |session, table| Box::pin(Buckets::choose(session, table))).await?;
    let place = |table: &Table| tables.iter().position(|other| other.oid == table.oid).unwrap_or_default();
    let digest = |table: &Table| buckets[place(table)].clone();
    let (ours, theirs) = tokio::try_join!(
        on_tables(source, tables, jobs, |session, table| Box::pin(of_buckets(session, table, way, digest(table)))),
        on_tables(target, tables, jobs, |session, table| Box::pin(of_buckets(session, table, way, digest(table))))
    )?;
    let mut found = Vec::new();
    for ((table, buckets), (wanted, present)) in tables.iter().zip(&buckets).zip(ours.into_iter().zip(&theirs)) {
        let numbers = digest::differing(&wanted, present);
        if !numbers.is_empty() {
            found.push(Differing { table: table.clone(), buckets: buckets.clone(), numbers, wanted });
        }
    }
    Ok(found)
}

async fn of_buckets(session: &Session, table: &Table, way: Way, buckets: Buckets) -> Result<BTreeMap<i64, Digest>> {
    digest::by_bucket(session, table, way, &buckets, None).await
}

/// Digests what was written again, inside the transaction that wrote it.
async fn check(writer: &Session, differing: &Differing, way: Way, whole: bool) -> Result<()> {
    let numbers = (!whole).then_some(differing.numbers.as_slice());
    let present = digest::by_bucket(writer, &differing.table, way, &differing.buckets, numbers).await?;
    let mut left = digest::differing(&differing.wanted, &present);
    if !whole {
        left.retain(|number| differing.numbers.binary_search(number).is_ok());
    }
    if left.is_empty() {
        return Ok(());
    }
    let why = format!("{} of {} parts", left.len(), differing.wanted.len());
    Err(Error::Mismatch { table: differing.table.name.to_string(), why })
}
