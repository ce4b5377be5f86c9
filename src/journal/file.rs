//! The journal's file: appended to, `fsync`ed line by line, its torn tail cut on opening.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use super::{Broken, Illegal, Journal, Record, Storage, line};

/// Why a journal could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file could not be read or written.
    #[error("the journal {path} could not be opened: {source}")]
    Disk {
        /// Which file.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// A line in its middle does not hold.
    #[error(transparent)]
    Broken(#[from] Broken),
    /// Its lines hold, but do not follow from each other.
    #[error(transparent)]
    Illegal(#[from] Illegal),
}

struct Appender(File);

impl Storage for Appender {
    fn append(&mut self, line: &[u8]) -> io::Result<()> {
        // A half-written line (full disk) is cut again, so that the next one does not stand behind rubbish.
        let before = self.0.stream_position()?;
        let written = self.0.write_all(line).and_then(|()| self.0.sync_data());
        if written.is_err() {
            let _ = self.0.set_len(before);
            let _ = self.0.seek(SeekFrom::Start(before));
        }
        written
    }
}

/// Opens the journal for writing, makes it if it is not there, and cuts a torn tail.
pub fn open(path: &Path) -> Result<Journal, OpenError> {
    let disk = |source| OpenError::Disk { path: path.display().to_string(), source };
    let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path).map_err(disk)?;
    let mut text = Vec::new();
    file.read_to_end(&mut text).map_err(disk)?;
    let read = line::read(&text)?;
    if read.good < text.len() {
        file.set_len(read.good as u64).and_then(|()| file.sync_all()).map_err(disk)?;
    }
    file.seek(SeekFrom::Start(read.good as u64)).map_err(disk)?;
    // The directory entry has to be durable too, or the whole file may be gone after a power cut.
    if let Some(parent) = path.parent() {
        File::open(parent).and_then(|dir| dir.sync_all()).map_err(disk)?;
    }
    Ok(Journal::new(&read.records, Box::new(Appender(file)))?)
}

/// Reads the records without touching the file, for `status` and `report`.
pub fn peek(path: &Path) -> Result<Vec<Record>, OpenError> {
    let text = std::fs::read(path).map_err(|source| OpenError::Disk { path: path.display().to_string(), source })?;
    Ok(line::read(&text)?.records)
}
