//! Copies a whole database into an empty one, from one moment of the source.
//!
//! Types and tables come first, then rows in parallel, biggest table first, then indexes and constraints, then what no
//! snapshot holds still. A copy that ended half-way leaves our mark; a repeat removes what it put there and starts afresh.

mod post;
mod roles;
mod rows;
mod schema;
mod script;

pub(in crate::postgres) use rows::{column_list, column_list_of, copy_into, pipe, travels_in_binary};

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::clients::postgres::{Endpoint, Session};

use super::name::TableName;
use super::pinned::Pinned;
use super::tools::{Section, Tools};
use super::{Result, catalog, large_objects, marker, sequences, wipe};

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
}

impl Options {
    /// The usual settings for a run.
    pub fn new(run: impl Into<String>) -> Self {
        Self { run: run.into(), jobs: 4, piece_bytes: 512 << 20 }
    }
}

/// What the copy is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Removing what an earlier, half-done copy left.
    Clearing,
    /// Roles, types, tables.
    Schema,
    /// Rows.
    Rows,
    /// Indexes, constraints, triggers.
    Indexes,
    /// Large objects, sequences, materialized views, statistics.
    Finishing,
}

/// A piece of news from a running copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A phase begins.
    Phase(Phase),
    /// So much is to be moved: tables and heap bytes.
    Total {
        /// How many tables.
        tables: usize,
        /// Their heap's bytes, which the bytes on the wire come near.
        bytes: i64,
    },
    /// Bytes of a table went over.
    Moved {
        /// Which table.
        table: TableName,
        /// How many bytes since the last such event.
        bytes: u64,
    },
    /// A table (or a piece of it) is there.
    Rows {
        /// Which table.
        table: TableName,
        /// Rows of this piece.
        rows: u64,
    },
}

/// Somebody who wants to know how far it is.
pub trait Progress: Send + Sync {
    /// Told often; must be quick.
    fn tell(&self, event: Event);
}

/// Nobody.
impl Progress for () {
    fn tell(&self, _: Event) {}
}

/// Something that could not be brought over as it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skipped {
    /// What it is.
    pub what: String,
    /// Why not.
    pub why: String,
}

/// What a copy did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Rows of each table.
    pub tables: Vec<(TableName, u64)>,
    /// Bytes that travelled in rows.
    pub bytes: u64,
    /// Roles that the application logs in with or that own something.
    pub roles: Vec<CopiedRole>,
    /// Sequences set.
    pub sequences: usize,
    /// Large objects written.
    pub large_objects: usize,
    /// What the target does not allow.
    pub skipped: Vec<Skipped>,
    /// How long each phase took.
    pub phases: Vec<(Phase, Duration)>,
}

/// Notes when each phase ends.
struct Watch<'a> {
    progress: &'a dyn Progress,
    now: Option<(Phase, Instant)>,
    phases: Vec<(Phase, Duration)>,
}

impl Watch<'_> {
    fn begin(&mut self, phase: Phase) {
        self.end();
        self.progress.tell(Event::Phase(phase));
        self.now = Some((phase, Instant::now()));
    }

    fn end(&mut self) {
        if let Some((phase, since)) = self.now.take() {
            self.phases.push((phase, since.elapsed()));
        }
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
    let mut watch = Watch { progress, now: None, phases: Vec::new() };
    let claim = target.connect().await?;
    marker::claim(&claim).await?;
    watch.begin(Phase::Clearing);
    wipe::wipe_in(&claim).await?;
    marker::put(&claim, &options.run).await?;

    watch.begin(Phase::Schema);
    let newest = pinned.holder().version().max(claim.version());
    let (before, after) = tokio::try_join!(
        tools.dump(source, Section::PreData, pinned.snapshot(), newest),
        tools.dump(source, Section::PostData, pinned.snapshot(), newest),
    )?;
    let mut report = Report::default();
    let builder = target.connect().await?;
    builder.run("SET synchronous_commit = off; SET check_function_bodies = off").await?;
    report.roles = roles::bring(pinned.holder(), &builder, &options.run, &mut report.skipped).await?;
    let mut schema = schema::Schema::new(&builder, &mut report.skipped);
    for entry in script::entries(&text(&before)) {
        schema.build(&entry).await?;
    }
    schema.settle().await?;

    watch.begin(Phase::Rows);
    let tables = catalog::tables(pinned.holder()).await?;
    let tables = catalog::pair(tables, &catalog::tables(&builder).await?)?;
    progress.tell(Event::Total { tables: tables.len(), bytes: tables.iter().map(|table| table.bytes).sum() });
    (report.tables, report.bytes) = rows::copy(pinned, target, &tables, options, progress).await?;

    watch.begin(Phase::Indexes);
    post::build(target, &builder, script::entries(&text(&after)), options.jobs, &mut report.skipped).await?;

    watch.begin(Phase::Finishing);
    builder.run("BEGIN").await?;
    report.large_objects = large_objects::bring(pinned.holder(), &builder).await?.written;
    builder.run("COMMIT").await?;
    report.sequences = sequences::set(&builder, &sequences::read(pinned.holder()).await?).await?;
    refresh_views(&builder).await?;
    post::analyze(target, &builder, options.jobs).await?;
    builder.close();
    // One durable commit: everything before it in the log is durable with it.
    marker::set(&claim, marker::State::Copied).await?;
    claim.close();
    watch.end();
    report.phases = watch.phases;
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
