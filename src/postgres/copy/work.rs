//! What is to be done while rows move, and in which order: pure, so that it can be tested without a server.
//!
//! There is no barrier between rows and indexes. A table's keys follow its rows, its other indexes its keys, statistics
//! its indexes, and a foreign key both its tables. What belongs to the biggest table comes first, since that chain is
//! the longest.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::place::{After, Placed};
use crate::postgres::catalog::Table;

/// Tables up to this size are copied together, with all that is built on them, in one transaction and one round trip:
/// with many of them it is the statement and not the byte that costs.
const SMALL: i64 = 1 << 20;
/// How many bytes and tables go together at most.
const TOGETHER: (i64, usize) = (4 << 20, 32);

/// Pages of a heap, from and to (exclusive).
pub(super) type Pages = (i64, i64);

/// A piece of work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Task {
    /// Small tables: rows, indexes, statistics.
    Together(Vec<usize>),
    /// A table's rows, or some pages of them.
    Rows(usize, Option<Pages>),
    /// The key of a table with this number.
    Key(usize, usize),
    /// The index of a table with this number.
    Index(usize, usize),
    /// Statistics.
    Analyze(usize),
    /// The foreign key with this number.
    Foreign(usize),
    /// Large objects.
    LargeObjects,
}

/// How far a table is.
#[derive(Debug)]
struct State {
    bytes: i64,
    /// Pieces, keys or indexes that are not done.
    left: usize,
    keys: usize,
    indexes: usize,
    complete: bool,
}

/// The list of what can be done now, and what follows from it.
#[derive(Debug)]
pub(super) struct Work {
    ready: BTreeMap<(Reverse<i64>, usize), Task>,
    tables: Vec<State>,
    foreign: Vec<([usize; 2], bool)>,
    sequence: usize,
    running: usize,
    /// Tasks that move rows and are not done.
    moving: usize,
}

impl Work {
    /// Everything about these tables. `rows` says whether a table's rows are to be moved; `piece_bytes` from which size
    /// on a heap is cut, if it can be.
    pub(super) fn new(tables: &[Table], placed: &Placed, rows: &[bool], piece_bytes: Option<i64>) -> Self {
        let state = |(table, after): (&Table, &After)| State {
            bytes: table.bytes,
            left: 0,
            keys: after.keys.len(),
            indexes: after.indexes.len(),
            complete: false,
        };
        let foreign = placed.foreign.iter().map(|foreign| (foreign.tables, false)).collect();
        let tables_state = tables.iter().zip(&placed.of_table).map(state).collect();
        let mut work =
            Self { ready: BTreeMap::new(), tables: tables_state, foreign, sequence: 0, running: 0, moving: 0 };
        let mut together: (i64, Vec<usize>) = (0, Vec::new());
        for (at, table) in tables.iter().enumerate() {
            if !rows[at] {
                work.rows_done(at);
            } else if table.bytes > SMALL {
                let pieces = pieces(table, piece_bytes);
                work.tables[at].left = pieces.len();
                for pages in pieces {
                    work.add(table.bytes, Task::Rows(at, pages));
                }
            } else {
                together.0 += table.bytes;
                together.1.push(at);
                if together.0 >= TOGETHER.0 || together.1.len() >= TOGETHER.1 {
                    let (bytes, tables) = std::mem::take(&mut together);
                    work.add(bytes, Task::Together(tables));
                }
            }
        }
        if !together.1.is_empty() {
            work.add(together.0, Task::Together(together.1));
        }
        work
    }

    /// One more thing to do; the bigger, the sooner.
    pub(super) fn add(&mut self, bytes: i64, task: Task) {
        if matches!(task, Task::Together(_) | Task::Rows(..) | Task::LargeObjects) {
            self.moving += 1;
        }
        self.sequence += 1;
        self.ready.insert((Reverse(bytes), self.sequence), task);
    }

    /// The next thing to do, if there is one now.
    pub(super) fn next(&mut self) -> Option<Task> {
        let (_, task) = self.ready.pop_first()?;
        self.running += 1;
        Some(task)
    }

    /// Whether nothing is left, now or later.
    pub(super) fn is_over(&self) -> bool {
        self.ready.is_empty() && self.running == 0
    }

    /// Whether all rows are there.
    pub(super) fn all_moved(&self) -> bool {
        self.moving == 0
    }

    /// Whether the piece of this table that is not noted yet is its last one.
    pub(super) fn is_last(&self, table: usize) -> bool {
        self.tables[table].left == 1
    }

    /// How many workers have something to do at most.
    pub(super) fn width(&self) -> usize {
        self.ready.len().max(self.tables.iter().map(|state| state.indexes).max().unwrap_or(0))
    }

    /// Notes that a task is done; what it was waited for with becomes ready.
    pub(super) fn done(&mut self, task: &Task) {
        self.running -= 1;
        match task {
            Task::Together(tables) => {
                self.moving -= 1;
                for table in tables {
                    self.complete(*table);
                }
            }
            Task::Rows(table, _) => {
                self.moving -= 1;
                self.tables[*table].left -= 1;
                if self.tables[*table].left == 0 {
                    self.rows_done(*table);
                }
            }
            Task::Key(table, number) => self.next_key(*table, number + 1),
            Task::Index(table, _) => {
                self.tables[*table].left -= 1;
                if self.tables[*table].left == 0 {
                    self.add(self.tables[*table].bytes, Task::Analyze(*table));
                }
            }
            Task::Analyze(table) => self.complete(*table),
            Task::Foreign(_) => {}
            Task::LargeObjects => self.moving -= 1,
        }
    }

    fn rows_done(&mut self, table: usize) {
        self.next_key(table, 0);
    }

    fn next_key(&mut self, table: usize, number: usize) {
        let State { bytes, keys, indexes, .. } = self.tables[table];
        if number < keys {
            return self.add(bytes, Task::Key(table, number));
        }
        self.tables[table].left = indexes;
        for number in 0..indexes {
            self.add(bytes, Task::Index(table, number));
        }
        if indexes == 0 {
            self.add(bytes, Task::Analyze(table));
        }
    }

    fn complete(&mut self, table: usize) {
        self.tables[table].complete = true;
        for number in 0..self.foreign.len() {
            let ([one, other], begun) = self.foreign[number];
            if !begun && self.tables[one].complete && self.tables[other].complete {
                self.foreign[number].1 = true;
                self.add(self.tables[one].bytes, Task::Foreign(number));
            }
        }
    }
}

/// The whole heap, or ranges of its pages that cover it.
fn pieces(table: &Table, piece_bytes: Option<i64>) -> Vec<Option<Pages>> {
    let count = match piece_bytes {
        Some(bytes) if table.heap => table.bytes / bytes.max(1) + 1,
        _ => 1,
    };
    if count == 1 {
        return vec![None];
    }
    let step = table.pages / count + 1;
    // The last piece has no end: the heap may have grown behind the snapshot, which sees nothing of it.
    let end = |number: i64| if number == count - 1 { 0xFFFF_FFFE } else { (number + 1) * step };
    (0..count).map(|number| Some((number * step, end(number)))).collect()
}

#[cfg(test)]
#[path = "work_tests.rs"]
mod tests;
