//! A copy's progress, as the events that the displays know: per table, in all, indexes.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::event::{Event as Shown, Sink};
use crate::postgres::TableName;
use crate::postgres::copy::{Event, Phase, Progress};

const STEP: &str = "copy";

/// Adds up what is told and passes it on.
pub struct Show {
    sink: Sink,
    sums: Mutex<Sums>,
}

#[derive(Default)]
struct Sums {
    tables: HashMap<TableName, (u64, u64)>,
    done: u64,
    total: u64,
    rows: u64,
    indexes: (u64, u64),
    waiting: bool,
}

impl Show {
    /// Shows what is told.
    pub fn new(sink: Sink) -> Self {
        Self { sink, sums: Mutex::default() }
    }

    fn count(&self, label: String, done: u64, total: u64, bytes: bool) {
        self.sink.send(Shown::Progress { step: STEP.to_owned(), label, done, total, bytes });
    }

    fn note(&self, text: String) {
        self.sink.send(Shown::Note { step: Some(STEP.to_owned()), text });
    }
}

impl Progress for Show {
    fn tell(&self, event: Event) {
        let mut sums = self.sums.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::Phase(Phase::Indexes) => {
                for (table, (done, total)) in std::mem::take(&mut sums.tables) {
                    self.count(table.to_string(), done.max(total), total, true);
                }
                self.count("all rows".to_owned(), sums.done, sums.done, true);
                self.note(format!("all {} rows are there; the last indexes and constraints", sums.rows));
            }
            Event::Phase(Phase::Clearing | Phase::Rows) => {}
            Event::Phase(Phase::Schema) => self.note("roles, types, tables".to_owned()),
            Event::Phase(Phase::Finishing) => self.note("sequences, materialized views, statistics".to_owned()),
            Event::Total { tables, bytes, indexes } => {
                sums.total = u64::try_from(bytes).unwrap_or(0);
                sums.indexes.1 = indexes as u64;
                self.note(format!("{tables} tables, {} MB, {indexes} indexes and keys", bytes / 1_000_000));
            }
            Event::Moved { table, bytes, of } => {
                sums.waiting = false;
                sums.done += bytes;
                let entry = sums.tables.entry(table.clone()).or_default();
                entry.0 += bytes;
                entry.1 = u64::try_from(of).unwrap_or(0);
                // Bytes on the wire are not the heap's bytes, only near them.
                let (done, total) = (entry.0, entry.1.max(entry.0 + 1));
                self.count(table.to_string(), done, total, true);
                self.count("all rows".to_owned(), sums.done, sums.total.max(sums.done), true);
            }
            Event::Rows { table, rows, complete } => {
                sums.rows += rows;
                if let Some((done, _)) = complete.then(|| sums.tables.remove(&table)).flatten() {
                    self.count(table.to_string(), done, done, true);
                }
            }
            Event::Built { indexes, .. } => {
                sums.indexes.0 += indexes as u64;
                self.count("indexes and keys".to_owned(), sums.indexes.0, sums.indexes.1.max(sums.indexes.0), false);
            }
            Event::Resumed { kept, afresh, why } => {
                self.note(format!("{kept} tables are kept, {afresh} are copied afresh: {why}"));
            }
            Event::Waiting { why } => {
                if !std::mem::replace(&mut sums.waiting, true) {
                    self.sink.send(Shown::Waiting { step: STEP.to_owned(), why, seconds: 0 });
                }
            }
        }
    }
}
