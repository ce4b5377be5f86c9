//! Copies a whole database into an empty one, from one moment of the source.
//!
//! Types and tables come first, then rows over several connections, the biggest table first, each table's keys, indexes
//! and statistics as soon as its rows are in and its foreign keys as soon as both tables are done, then what no snapshot
//! holds still. A copy that ended half-way leaves our mark; a repeat removes what it put there and starts afresh.

mod pace;
mod place;
mod post;
mod progress;
mod record;
mod roles;
mod rows;
mod schema;
mod script;
mod work;
mod worker;

pub(in crate::postgres) use rows::{column_list, column_list_of, copy_into, pipe, travels_in_binary};

use std::collections::HashSet;

use tokio::sync::{Notify, watch};

use crate::clients::postgres::{Endpoint, Session};

use super::pinned::Pinned;
use super::tools::{Section, Tools};
use super::{Result, catalog, marker, sequences, wipe};

use progress::Watch;
pub use progress::{Event, Phase, Progress, Report, Skipped};
pub use roles::CopiedRole;

/// How to copy.
#[derive(Clone, Debug)]
pub struct Options {
    /// The run whose mark the target carries.
    pub run: String,
    /// Connections to each side that move rows or build indexes.
    pub jobs: usize,
    /// Heap bytes from which a table is cut into pieces of that size.
    pub piece_bytes: i64,
    /// Bytes of rows a second, all connections together.
    pub max_rate: Option<u64>,
}

impl Options {
    /// The usual settings for a run.
    pub fn new(run: impl Into<String>) -> Self {
        Self { run: run.into(), jobs: 4, piece_bytes: 512 << 20, max_rate: None }
    }
}

/// Copies `source` into `target`, a database that exists and holds nothing but what an earlier try put there.
///
/// # Errors
/// A target with foreign objects or one that serves the application is refused before anything is changed. Dropping the
/// future cancels the statements under way on both sides.
pub async fn copy_database(
    source: &Endpoint,
    target: &Endpoint,
    tools: &dyn Tools,
    options: &Options,
    progress: &dyn Progress,
) -> Result<Report> {
    let pinned = Pinned::open(source).await?;
    let report = copy_on(&pinned, target, tools, options, progress).await?;
    pinned.close();
    Ok(report)
}

/// The same from a moment that the caller holds, such as that of a replication slot: what comes after it in the log is
/// then neither missed nor doubled. The moment is still held afterwards.
///
/// # Errors
/// As [`copy_database`].
pub async fn copy_on(
    pinned: &Pinned,
    target: &Endpoint,
    tools: &dyn Tools,
    options: &Options,
    progress: &dyn Progress,
) -> Result<Report> {
    let source = pinned.endpoint();
    let mut watch = Watch::new(progress);
    let claim = target.connect().await?;
    marker::claim(&claim).await?;
    watch.begin(Phase::Clearing);
    wipe::wipe_in(&claim).await?;
    marker::put(&claim, &options.run).await?;

    watch.begin(Phase::Schema);
    let newest = pinned.holder().version().max(claim.version());
    let (before, after, tables) = tokio::try_join!(
        tools.dump(source, Section::PreData, pinned.snapshot(), newest),
        tools.dump(source, Section::PostData, pinned.snapshot(), newest),
        catalog::tables(pinned.holder()),
    )?;
    let mut report = Report::default();
    let builder = target.connect().await?;
    builder.run(&worker::building(options.jobs)).await?;
    report.roles = roles::bring(pinned.holder(), &builder, &options.run, &mut report.skipped).await?;
    let mut schema = schema::Schema::new(&builder, &mut report.skipped);
    schema.build_all(&script::entries(&text(&before))).await?;
    schema.settle().await?;
    let tables = catalog::pair(tables, &catalog::tables(&builder).await?)?;
    record::begin(&builder, &record::statement(&(text(&before) + &text(&after))), pinned.snapshot()).await?;

    watch.begin(Phase::Rows);
    let mut placed = place::place(script::entries(&text(&after)), &tables);
    let bytes = tables.iter().map(|table| table.bytes).sum();
    progress.tell(Event::Total { tables: tables.len(), bytes, indexes: placed.count() });
    let pieces = (pinned.holder().version() >= 14).then_some(options.piece_bytes);
    let mut work = work::Work::new(&tables, &placed, &vec![true; tables.len()], pieces);
    let large: i64 = pinned.holder().value("SELECT pg_relation_size('pg_catalog.pg_largeobject')", &[]).await?;
    if large > 0 {
        work.add(large, work::Task::LargeObjects);
    }
    let (_hold, calm) = watch::channel(true);
    let (limits, moved) = (pace::Limits::new(options.max_rate, calm), Notify::new());
    let shop = worker::Shop {
        pinned,
        target,
        tables: &tables,
        placed: &placed,
        done: &HashSet::new(),
        jobs: options.jobs,
        limits: &limits,
        progress,
        moved: &moved,
    };
    let worked = {
        let mut working = std::pin::pin!(worker::work(&shop, work));
        tokio::select! {
            worked = &mut working => worked?,
            () = moved.notified() => {
                watch.begin(Phase::Indexes);
                working.await?
            }
        }
    };
    report.tables = tables.iter().map(|table| table.name.clone()).zip(worked.rows).collect();
    (report.bytes, report.large_objects) = (worked.bytes, worked.large_objects);
    post::build(target, &builder, std::mem::take(&mut placed.late), options.jobs, &mut report.skipped).await?;

    watch.begin(Phase::Finishing);
    report.sequences = sequences::set(&builder, &sequences::read(pinned.holder()).await?).await?;
    refresh_views(&builder).await?;
    post::analyze(target, &builder, options.jobs).await?;
    builder.close();
    // One durable commit: everything before it in the log is durable with it.
    marker::set(&claim, marker::State::Copied).await?;
    claim.close();
    report.phases = watch.finish();
    Ok(report)
}

fn text(dump: &[u8]) -> String {
    String::from_utf8_lossy(dump).into_owned()
}

/// Fills the materialized views, in the order in which they were made, which no view's sources can come after.
pub(super) async fn refresh_views(session: &Session) -> Result<usize> {
    let sql = format!(
        "SELECT format('REFRESH MATERIALIZED VIEW %I.%I', n.nspname, c.relname) FROM pg_catalog.pg_class c \
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'm' AND {} ORDER BY c.oid",
        catalog::USER_RELATIONS
    );
    let rows = session.rows(&sql, &[]).await?;
    for row in &rows {
        session.run(row.get(0)).await?;
    }
    Ok(rows.len())
}
