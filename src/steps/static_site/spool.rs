//! The site's texts in one nameless temporary file: they are needed several times and in another order than the archive
//! has them, and are too many for memory.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{FileExt, OpenOptionsExt};

use bytes::Bytes;

use crate::rewrite::hashed::{ReadError, TextFiles};
use crate::step::{Fault, StepResult};

/// Texts by path.
pub(super) struct Spool {
    file: File,
    end: u64,
    /// Where each text stands: begin and length.
    places: BTreeMap<String, (u64, usize)>,
    /// Every file of the site, texts or not, for whoever looks for names.
    names: Vec<String>,
}

impl Spool {
    /// Makes the file, readable by this user alone, and takes its name away at once: it is gone with the process.
    pub fn new() -> StepResult<Self> {
        let path = std::env::temp_dir().join(format!("outgrow-{:016x}", rand::random::<u64>()));
        let open = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path);
        let file = open.and_then(|file| std::fs::remove_file(&path).map(|()| file));
        let file = file.map_err(|e| full(&e))?;
        Ok(Self { file, end: 0, places: BTreeMap::new(), names: Vec::new() })
    }

    /// Adds a text.
    pub fn add(&mut self, path: &str, text: &[u8]) -> StepResult<()> {
        self.file.write_all(text).map_err(|e| full(&e))?;
        self.places.insert(path.to_owned(), (self.end, text.len()));
        self.end += text.len() as u64;
        Ok(())
    }

    /// Lets a second path mean the same text.
    pub fn alias(&mut self, path: &str, of: &str) {
        if let Some(place) = self.places.get(of).copied() {
            self.places.insert(path.to_owned(), place);
        }
    }

    /// Says which files the site has.
    pub fn set_names(&mut self, names: Vec<String>) {
        self.names = names;
    }

    /// Whether the path's text is here.
    pub fn holds(&self, path: &str) -> bool {
        self.places.contains_key(path)
    }

    /// A text.
    pub fn get(&self, path: &str) -> StepResult<Option<Bytes>> {
        let Some((at, len)) = self.places.get(path) else { return Ok(None) };
        let mut text = vec![0; *len];
        self.file
            .read_exact_at(&mut text, *at)
            .map_err(|e| Fault::failed(format!("the temporary file could not be read: {e}")))?;
        Ok(Some(text.into()))
    }
}

fn full(error: &std::io::Error) -> Fault {
    Fault::failed_with(
        format!("the site's texts could not be kept in a temporary file: {error}"),
        "make room in the temporary directory, or name another one in TMPDIR",
    )
}

impl TextFiles for Spool {
    fn names(&self) -> Vec<String> {
        self.names.clone()
    }

    fn read(&self, name: &str) -> Result<Bytes, ReadError> {
        // What is not here was looked through on its way, as it is too large to be rewritten.
        Ok(self.get(name).map_err(|e| e.to_string())?.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_come_back_under_all_their_names() {
        let mut spool = Spool::new().unwrap();
        spool.add("a", b"first").unwrap();
        spool.add("b", "둘째".as_bytes()).unwrap();
        spool.alias("c", "b");
        assert_eq!(spool.get("a").unwrap().unwrap(), "first");
        assert_eq!(spool.get("c").unwrap().unwrap(), "둘째");
        assert!(spool.get("d").unwrap().is_none() && !spool.holds("d"));
    }
}
