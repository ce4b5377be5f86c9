//! Copies a whole database into an empty one, from one moment of the source.
//!
//! Types and tables come first, then rows over several connections, the biggest table first, each table's keys, indexes
//! and statistics as soon as its rows are in and its foreign keys as soon as both tables are done, then what no snapshot
//! holds still. A copy that ended half-way leaves our mark; a repeat removes what it put there and starts afresh.

mod calm;
mod pace;
mod place;
mod post;
mod preflight;
mod progress;
mod record;
mod resume;
mod roles;
mod rows;
mod schema;
mod script;
mod work;
mod worker;

pub(in crate::postgres) use rows::{column_list, column_list_of, copy_into, pipe, travels_in_binary};

use std::pin::pin;

use tokio::sync::{Notify, watch};

use crate::clients::postgres::{Endpoint, Session};

use super::pinned::Pinned;
use super::tools::{Section, Tools};
use super::{Result, catalog, marker, sequences, wipe};

use catalog::Table;
use pace::Limits;
use place::Placed;
use progress::Watch;
use work::{Task, Work};
use worker::Shop;

pub use calm::Bounds;
pub use preflight::preflight;
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
    /// Connections to either side, all in all; at least three.
    pub max_connections: Option<usize>,
    /// When the source has enough to do.
    pub bounds: Bounds,
    /// Keep what an interrupted copy of the same run brought, where it is still true.
    pub resume: bool,
}

impl Options {
    /// The usual settings for a run.
    pub fn new(run: impl Into<String>) -> Self {
        let (max_rate, max_connections, bounds) = (None, None, Bounds::default());
        Self { run: run.into(), jobs: 4, piece_bytes: 2 << 30, max_rate, max_connections, bounds, resume: false }
    }

    /// Connections beside the workers': who holds the moment or claims the target, and `pg_dump` or whoever builds.
    const BESIDE: usize = 2;

    fn workers(&self) -> usize {
        self.max_connections.map_or(self.jobs, |most| self.jobs.min(most.saturating_sub(Self::BESIDE))).max(1)
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
    let mut watch = Watch::new(progress);
    let claim = target.connect().await?;
    marker::claim(&claim).await?;
    watch.begin(Phase::Schema);
    let plan = Plan::make(pinned, tools, claim.version()).await?;
    let going_on = options.resume && plan.can_go_on(&claim, options, progress).await?;
    if !going_on {
        watch.begin(Phase::Clearing);
        wipe::wipe_in(&claim).await?;
        marker::put(&claim, &options.run).await?;
        watch.begin(Phase::Schema);
    }
    let mut report = Report::default();
    let builder = target.connect().await?;
    builder.run(&worker::building(options.jobs)).await?;
    report.roles = roles::bring(pinned.holder(), &builder, &options.run, &mut report.skipped).await?;
    if !going_on {
        let mut schema = schema::Schema::new(&builder, &mut report.skipped);
        schema.build_all(&script::entries(&plan.before)).await?;
        schema.settle().await?;
        record::begin(&builder, &plan.key(), pinned.snapshot()).await?;
    }
    let tables = catalog::pair(plan.tables.clone(), &catalog::tables(&builder).await?)?;
    let left = if going_on {
        let left = resume::take_over(pinned, target, &claim, &tables, options.jobs).await?;
        let kept = left.rows.iter().flatten().count();
        let why = "their rows on the source are what they were, or were never all there".to_owned();
        progress.tell(Event::Resumed { kept, afresh: tables.len() - kept, why });
        report.kept = kept;
        left
    } else {
        resume::Left { rows: vec![None; tables.len()], ..resume::Left::default() }
    };

    watch.begin(Phase::Rows);
    let mut placed = place::place(script::entries(&plan.after), &tables);
    let worked = move_rows(pinned, target, &tables, &placed, &left, options, &mut watch).await?;
    let rows = worked.rows.iter().zip(&left.rows).map(|(moved, kept)| kept.unwrap_or(*moved));
    report.tables = tables.iter().map(|table| table.name.clone()).zip(rows).collect();
    (report.bytes, report.large_objects) = (worked.bytes, worked.large_objects);
    builder.run(&record::note(&[record::LATE.to_owned()])).await?;
    post::build(target, &builder, std::mem::take(&mut placed.late), options.jobs, &mut report.skipped).await?;

    watch.begin(Phase::Finishing);
    report.sequences = sequences::set(&builder, &sequences::read(pinned.holder()).await?).await?;
    refresh_views(pinned.holder(), &builder).await?;
    post::analyze(target, &builder, options.jobs).await?;
    builder.close();
    // One durable commit: everything before it in the log is durable with it.
    marker::set(&claim, marker::State::Copied).await?;
    claim.close();
    report.phases = watch.finish();
    Ok(report)
}

/// What is to be copied, as the moment shows it.
struct Plan {
    /// Definitions that come before the rows, as SQL.
    before: String,
    /// Those that come after.
    after: String,
    tables: Vec<Table>,
}

impl Plan {
    async fn make(pinned: &Pinned, tools: &dyn Tools, receiver: u32) -> Result<Self> {
        let newest = pinned.holder().version().max(receiver);
        let (before, after, tables) = tokio::try_join!(
            tools.dump(pinned.endpoint(), Section::PreData, pinned.snapshot(), newest),
            tools.dump(pinned.endpoint(), Section::PostData, pinned.snapshot(), newest),
            catalog::tables(pinned.holder()),
        )?;
        let text = |dump: Vec<u8>| String::from_utf8_lossy(&dump).into_owned();
        Ok(Self { before: text(before), after: text(after), tables })
    }

    /// Stands for the definitions; `pg_dump`'s own commands to psql have another secret each time.
    fn key(&self) -> String {
        let lines = self.before.lines().chain(self.after.lines()).filter(|line| !line.starts_with('\\'));
        record::statement(&lines.collect::<Vec<_>>().join("\n"))
    }

    async fn can_go_on(&self, claim: &Session, options: &Options, progress: &dyn Progress) -> Result<bool> {
        let why = match resume::possible(claim, &options.run, &self.key()).await? {
            Ok(()) => return Ok(true),
            Err(why) => why,
        };
        progress.tell(Event::Resumed { kept: 0, afresh: self.tables.len(), why });
        Ok(false)
    }
}

/// Moves all rows and builds what belongs to single tables, with an eye on the source.
async fn move_rows(
    pinned: &Pinned,
    target: &Endpoint,
    tables: &[Table],
    placed: &Placed,
    left: &resume::Left,
    options: &Options,
    phases: &mut Watch<'_>,
) -> Result<worker::Worked> {
    let progress = phases.progress;
    let missing: Vec<bool> = left.rows.iter().map(Option::is_none).collect();
    let bytes = tables.iter().zip(&missing).filter(|(_, missing)| **missing).map(|(table, _)| table.bytes).sum();
    let count = missing.iter().filter(|missing| **missing).count();
    progress.tell(Event::Total { tables: count, bytes, indexes: placed.count() });
    // Before PostgreSQL 14 a range of row addresses reads the whole table.
    let pieces = (pinned.holder().version() >= 14).then_some(options.piece_bytes);
    let mut work = Work::new(tables, placed, &missing, pieces);
    let large: i64 = pinned.holder().value("SELECT pg_relation_size('pg_catalog.pg_largeobject')", &[]).await?;
    let any: bool =
        pinned.holder().value("SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_largeobject_metadata)", &[]).await?;
    if any {
        work.add(large, Task::LargeObjects);
    }
    let (hold, calm) = watch::channel(true);
    let (limits, moved) = (Limits::new(options.max_rate, calm), Notify::new());
    let (done, jobs) = (&left.done, options.workers());
    let (limits, moved) = (&limits, &moved);
    let shop = Shop { pinned, target, tables, placed, done, jobs, limits, progress, moved };
    let mut working = pin!(worker::work(&shop, work));
    let mut watching = pin!(calm::watch(pinned.endpoint(), &options.bounds, &hold, progress));
    let (mut all_moved, mut watched) = (false, false);
    loop {
        tokio::select! {
            worked = &mut working => return worked,
            seen = &mut watching, if !watched => {
                seen?;
                watched = true;
            }
            () = moved.notified(), if !all_moved => {
                all_moved = true;
                watched = true;
                phases.begin(Phase::Indexes);
            }
        }
    }
}

/// Fills the materialized views that hold something on the source, in the order in which they were made, which no view's
/// sources can come after.
pub(super) async fn refresh_views(source: &Session, target: &Session) -> Result<usize> {
    let select = |more: &str| {
        format!(
            "SELECT format('%I.%I', n.nspname, c.relname) FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n \
             ON n.oid = c.relnamespace WHERE c.relkind = 'm' {more} AND {} ORDER BY c.oid",
            catalog::USER_RELATIONS
        )
    };
    let filled = source.rows(&select("AND c.relispopulated"), &[]).await?;
    let filled: Vec<String> = filled.iter().map(|row| row.get(0)).collect();
    let mut refreshed = 0;
    for row in target.rows(&select(""), &[]).await?.iter().filter(|row| filled.contains(&row.get(0))) {
        target.run(&format!("REFRESH MATERIALIZED VIEW {}", row.get::<_, &str>(0))).await?;
        refreshed += 1;
    }
    Ok(refreshed)
}
