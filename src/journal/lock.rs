//! One run at a time on a site. The lock is an open file with an advisory lock on it, so it goes with its process;
//! what stands in it tells who holds it, or whose run was left unfinished.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::Path;

use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};

/// Who holds the lock, or held it when its process died.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Holder {
    /// The run.
    pub run: String,
    /// `user@host`.
    pub by: String,
    /// The process.
    pub pid: u32,
    /// Since when.
    pub since: jiff::Timestamp,
}

/// Why the lock was not to be had.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// A living process has it.
    #[error("run {0} by {1} (process {2}) is at work on this site since {3}; see `outgrow status {0}`")]
    Held(String, String, u32, jiff::Timestamp),
    /// A living process has it and has not said who it is yet.
    #[error("another outgrow is just starting on this site; try again in a moment")]
    Starting,
    /// Another run was left unfinished.
    #[error("run {0} by {1} was left unfinished since {2}: `outgrow resume {0}` or `outgrow rollback {0}` first")]
    Unfinished(String, String, jiff::Timestamp),
    /// The file could not be read or written.
    #[error("the lock {path} could not be used: {source}")]
    Disk {
        /// Which file.
        path: String,
        /// Why.
        source: io::Error,
    },
}

/// The lock, held until it is dropped. [`Lock::release`] also says that the run is over.
#[derive(Debug)]
pub struct Lock {
    file: File,
}

impl Lock {
    /// Takes the lock for a run. A lock that a dead process left on another run is not taken over: that run is to be
    /// ended first.
    pub fn take(path: &Path, holder: &Holder) -> Result<Self, LockError> {
        let disk = |source| LockError::Disk { path: path.display().to_string(), source };
        let mut file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path).map_err(disk)?;
        let free = match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => true,
            Err(rustix::io::Errno::WOULDBLOCK) => false,
            Err(error) => return Err(disk(error.into())),
        };
        let mut text = String::new();
        file.read_to_string(&mut text).map_err(disk)?;
        // A holder that cannot be read was torn by a crash at the very start: nothing had been done yet.
        let last: Option<Holder> = serde_json::from_str(&text).ok();
        match (free, last) {
            (false, Some(h)) => return Err(LockError::Held(h.run, h.by, h.pid, h.since)),
            (false, None) => return Err(LockError::Starting),
            (true, Some(h)) if h.run != holder.run => return Err(LockError::Unfinished(h.run, h.by, h.since)),
            (true, _) => {}
        }
        let mut lock = Self { file };
        let text = serde_json::to_string(holder).map_err(|e| disk(io::Error::other(e)))?;
        lock.write(&text).map_err(disk)?;
        Ok(lock)
    }

    /// Lets the lock go and says that the run is over, so that another may begin.
    pub fn release(mut self) -> io::Result<()> {
        self.write("")
    }

    fn write(&mut self, text: &str) -> io::Result<()> {
        self.file.set_len(0)?;
        self.file.rewind()?;
        self.file.write_all(text.as_bytes())?;
        self.file.sync_all()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holder(run: &str) -> Holder {
        Holder { run: run.into(), by: "me@here".into(), pid: 1, since: jiff::Timestamp::UNIX_EPOCH }
    }

    #[test]
    fn a_second_operator_is_refused_and_told_who_is_at_work() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("shop.lock");
        let lock = Lock::take(&path, &holder("r1")).unwrap();
        let error = Lock::take(&path, &holder("r2")).unwrap_err().to_string();
        assert!(error.contains("r1") && error.contains("me@here"), "{error}");
        lock.release().unwrap();
    }

    #[test]
    fn a_dead_run_keeps_others_out_until_it_is_ended() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("shop.lock");
        drop(Lock::take(&path, &holder("r1")).unwrap());
        assert!(matches!(Lock::take(&path, &holder("r2")), Err(LockError::Unfinished(..))));
        Lock::take(&path, &holder("r1")).unwrap().release().unwrap();
        Lock::take(&path, &holder("r2")).unwrap();
    }
}
