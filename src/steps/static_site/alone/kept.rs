//! What is known of the bucket from former runs: for each file the checksum and headers it was stored with, and the entity
//! tag that S3 gave it. While the listing shows that tag, the object is still that one, and nothing has to be asked.
//!
//! It is the upload's journal too: a row is there before its file is sent and filled when S3 has confirmed it, so that a
//! run that was killed goes on where it was. A row that is wrong or missing costs a question, never a mistake.

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::disk;
use super::spool::{self, Row, Rows};
use crate::step::{Fault, StepResult};

/// The numbers of a row.
pub(super) const NUMBERS: usize = 4;

/// What is known of an object; all zero for nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Known {
    pub size: u64,
    pub crc: u64,
    /// See [`super::mark`].
    pub headers: u64,
    /// A hash of the entity tag.
    pub etag: u64,
}

impl Known {
    fn numbers(self) -> [u64; NUMBERS] {
        [self.size, self.crc, self.headers, self.etag]
    }

    /// From a row.
    pub(super) fn of(row: &Row<NUMBERS>) -> Self {
        let [size, crc, headers, etag] = row.numbers;
        Self { size, crc, headers, etag }
    }
}

/// The rows of this run.
pub(super) struct Kept {
    dir: PathBuf,
    file: Arc<File>,
    rows: Option<BufWriter<Arc<File>>>,
    end: u64,
}

impl Kept {
    /// What former runs left, in the order of keys.
    pub(super) fn former(dir: &Path) -> StepResult<Option<Rows<NUMBERS>>> {
        match File::open(dir.join("kept")) {
            Ok(file) => Ok(Some(Rows::of(file))),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(disk(&dir.join("kept"), &error)),
        }
    }

    /// An empty one beside that of former runs.
    pub(super) fn new(dir: &Path) -> StepResult<Self> {
        let path = dir.join("kept.new");
        let open = OpenOptions::new().read(true).write(true).create(true).truncate(true).mode(0o600).open(&path);
        let file = Arc::new(open.map_err(|e| disk(&path, &e))?);
        Ok(Self { dir: dir.to_path_buf(), rows: Some(BufWriter::new(Arc::clone(&file))), file, end: 0 })
    }

    /// Adds a row; its place, by which it is filled later.
    pub(super) fn add(&mut self, key: &str, known: Known) -> StepResult<u64> {
        let at = self.end;
        if let Some(rows) = &mut self.rows {
            spool::write(rows, key, &known.numbers()).map_err(|e| disk(&self.dir, &e))?;
            self.end += spool::length::<NUMBERS>(key);
        }
        Ok(at)
    }

    /// Brings all rows into the file, so that they can be filled.
    pub(super) fn flush(&mut self) -> StepResult<()> {
        match &mut self.rows {
            Some(rows) => rows.flush().map_err(|e| disk(&self.dir, &e)),
            None => Ok(()),
        }
    }

    /// All rows are there: from now on this is what a next run finds.
    pub(super) fn publish(&mut self) -> StepResult<()> {
        self.flush()?;
        self.rows = None;
        let failed = |e: &std::io::Error| disk(&self.dir, e);
        self.file.sync_data().map_err(|e| failed(&e))?;
        std::fs::rename(self.dir.join("kept.new"), self.dir.join("kept")).map_err(|e| failed(&e))
    }

    /// What fills rows, from anywhere.
    pub(super) fn filler(&self) -> Filler {
        Filler { file: Arc::clone(&self.file), dir: self.dir.clone() }
    }

    /// All rows.
    pub(super) fn rows(&self) -> StepResult<Rows<NUMBERS>> {
        Self::former(&self.dir)?.ok_or_else(|| disk(&self.dir, &std::io::ErrorKind::NotFound.into()))
    }
}

/// Makes the directory, and holds it for this process: it goes with the process.
pub(super) fn lock(dir: &Path) -> StepResult<File> {
    use std::os::unix::fs::DirBuilderExt as _;
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir);
    let path = dir.join("lock");
    let open = made.and_then(|()| OpenOptions::new().write(true).create(true).truncate(false).open(&path));
    let file = open.map_err(|e| disk(&path, &e))?;
    match rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(file),
        Err(rustix::io::Errno::WOULDBLOCK) => {
            Err(Fault::failed_with("another outgrow is uploading there just now", "wait for it to end"))
        }
        Err(error) => Err(disk(&path, &error.into())),
    }
}

/// Fills rows in.
#[derive(Clone)]
pub(super) struct Filler {
    file: Arc<File>,
    dir: PathBuf,
}

impl Filler {
    /// What is known now of the row at this place.
    pub(super) fn fill(&self, at: u64, known: Known) -> StepResult<()> {
        let bytes: Vec<u8> = known.numbers().into_iter().flat_map(u64::to_le_bytes).collect();
        self.file.write_all_at(&bytes, at + 2).map_err(|e| disk(&self.dir, &e))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_filled_in_their_places_and_found_by_the_next_run() {
        let dir = tempfile::tempdir().unwrap();
        assert!(Kept::former(dir.path()).unwrap().is_none());
        let mut kept = Kept::new(dir.path()).unwrap();
        kept.add("a", Known::default()).unwrap();
        let at = kept.add("b/한", Known { size: 3, ..Known::default() }).unwrap();
        kept.add("c", Known::default()).unwrap();
        assert!(Kept::former(dir.path()).unwrap().is_none(), "not before all rows are there");
        kept.publish().unwrap();
        let known = Known { size: 3, crc: 7, headers: 8, etag: u64::MAX };
        kept.filler().fill(at, known).unwrap();
        let rows: Vec<_> = Kept::former(dir.path()).unwrap().unwrap().collect::<StepResult<_>>().unwrap();
        assert_eq!(rows.iter().map(|row| row.key.as_str()).collect::<Vec<_>>(), ["a", "b/한", "c"]);
        assert_eq!(rows.iter().map(Known::of).collect::<Vec<_>>(), [Known::default(), known, Known::default()]);
    }
}
