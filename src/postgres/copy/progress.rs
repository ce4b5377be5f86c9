//! What a copy tells while it runs, and what it did in the end.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::CopiedRole;
use crate::postgres::name::TableName;

/// What the copy is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Removing what an earlier, half-done copy left.
    Clearing,
    /// Roles, types, tables.
    Schema,
    /// Rows, and the indexes and constraints of the tables that have theirs.
    Rows,
    /// All rows are there: the last indexes, constraints, triggers.
    Indexes,
    /// Sequences, materialized views, statistics.
    Finishing,
}

/// A piece of news from a running copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A phase begins.
    Phase(Phase),
    /// So much is to be done.
    Total {
        /// How many tables are to be moved.
        tables: usize,
        /// Their heap's bytes, which the bytes on the wire come near.
        bytes: i64,
        /// How many indexes and constraints are to be built.
        indexes: usize,
    },
    /// Bytes of a table went over.
    Moved {
        /// Which table.
        table: TableName,
        /// How many bytes since the last such event.
        bytes: u64,
        /// The heap's bytes, which those on the wire come near.
        of: i64,
    },
    /// A table (or a piece of it) is there.
    Rows {
        /// Which table.
        table: TableName,
        /// Rows of this piece.
        rows: u64,
        /// Whether it was the last one.
        complete: bool,
    },
    /// Indexes or constraints of a table are there.
    Built {
        /// Which table.
        table: TableName,
        /// How many.
        indexes: usize,
    },
    /// What an interrupted copy left is used again, or is not.
    Resumed {
        /// Tables whose rows are kept.
        kept: usize,
        /// Tables that are copied afresh.
        afresh: usize,
        /// Why, in words.
        why: String,
    },
    /// No rows are moved for now.
    Waiting {
        /// Why.
        why: String,
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
    /// Tables whose rows an interrupted copy had brought already.
    pub kept: usize,
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
pub(super) struct Watch<'a> {
    pub progress: &'a dyn Progress,
    now: Option<(Phase, Instant)>,
    phases: Vec<(Phase, Duration)>,
}

impl<'a> Watch<'a> {
    pub(super) fn new(progress: &'a dyn Progress) -> Self {
        Self { progress, now: None, phases: Vec::new() }
    }

    pub(super) fn begin(&mut self, phase: Phase) {
        self.end();
        self.progress.tell(Event::Phase(phase));
        self.now = Some((phase, Instant::now()));
    }

    fn end(&mut self) {
        if let Some((phase, since)) = self.now.take() {
            self.phases.push((phase, since.elapsed()));
        }
    }

    /// Ends the present phase; how long each took.
    pub(super) fn finish(mut self) -> Vec<(Phase, Duration)> {
        self.end();
        self.phases
    }
}
