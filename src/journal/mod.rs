//! The run's write-ahead record: JSON lines, numbered and checksummed, on disk before the effect they announce.
//!
//! [`record`] is the vocabulary, [`fold`] the one judge of transitions (asked on every write and on every replay),
//! [`line`] the form on disk, [`file`] the file with its `fsync`.

pub mod file;
pub mod fold;
pub mod line;
pub mod lock;
pub mod record;

#[cfg(test)]
mod tests;

use std::io;
use std::time::SystemTime;

pub use fold::{Direction, Illegal, Progress, State};
pub use line::Broken;
pub use record::{Fact, Record};

/// Where lines go. A line is durable when `append` returns.
pub trait Storage: Send {
    /// Appends a whole line, final line break included, and makes it durable.
    fn append(&mut self, line: &[u8]) -> io::Result<()>;
}

/// Why a fact could not be recorded. In either case the effect must not happen.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The fact does not follow from what is recorded: a defect in outgrow, caught before it does harm.
    #[error("the journal refuses this: {0}")]
    Illegal(#[from] Illegal),
    /// The line could not be made durable.
    #[error("the journal could not be written: {0}; free space or repair the disk, then `outgrow resume`")]
    Disk(#[from] io::Error),
}

/// A journal open for writing, with the state its records add up to.
pub struct Journal {
    state: State,
    storage: Box<dyn Storage>,
    chain: line::Chain,
    epoch: u64,
}

impl Journal {
    /// Goes on after the given records, under a new epoch.
    pub fn new(records: &[Record], storage: Box<dyn Storage>) -> Result<Self, Illegal> {
        let mut state = State::default();
        let mut chain = line::Chain::default();
        let mut epoch = 0;
        for record in records {
            state = state.next(record)?;
            chain.push(record);
            epoch = epoch.max(record.epoch);
        }
        Ok(Self { state, storage, chain, epoch: epoch + 1 })
    }

    /// What the records add up to.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// The epoch of this process's records.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Records a fact: judged first, durable when this returns.
    pub fn write(&mut self, at: SystemTime, fact: Fact) -> Result<(), JournalError> {
        let at = jiff::Timestamp::try_from(at).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        let record = Record { seq: self.chain.next_seq(), at, epoch: self.epoch, fact };
        let next = self.state.next(&record)?;
        let line = self.chain.push(&record);
        self.storage.append(line.as_bytes())?;
        self.state = next;
        Ok(())
    }
}
