//! Rows that wait in a nameless temporary file, in the order they came.

use std::fs::{File, OpenOptions};
use std::io::{BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;

use crate::step::{Fault, StepResult};

/// A row: a key with a few numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row<const N: usize> {
    pub key: String,
    pub numbers: [u64; N],
}

/// Rows to be written, then read once.
pub(super) struct Spool<const N: usize> {
    file: BufWriter<File>,
    pub rows: u64,
}

impl<const N: usize> Spool<N> {
    /// An empty one, readable by this user alone, that goes with the process.
    pub(super) fn new() -> StepResult<Self> {
        let path = std::env::temp_dir().join(format!("outgrow-{:016x}", rand::random::<u64>()));
        let open = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path);
        let file = open.and_then(|file| std::fs::remove_file(&path).map(|()| file)).map_err(|e| full(&e))?;
        Ok(Self { file: BufWriter::new(file), rows: 0 })
    }

    /// Adds a row.
    pub(super) fn add(&mut self, key: &str, numbers: [u64; N]) -> StepResult<()> {
        write(&mut self.file, key, &numbers).map_err(|e| full(&e))?;
        self.rows += 1;
        Ok(())
    }

    /// All rows from the first one on.
    pub(super) fn read(self) -> StepResult<Rows<N>> {
        let mut file = self.file.into_inner().map_err(|e| full(e.error()))?;
        file.seek(SeekFrom::Start(0)).map_err(|e| full(&e))?;
        Ok(Rows { file: BufReader::new(file), at: 0 })
    }
}

/// Rows in the order they were written.
pub(super) struct Rows<const N: usize> {
    file: BufReader<File>,
    /// Where the next one begins.
    pub at: u64,
}

impl<const N: usize> Rows<N> {
    /// The rows of a file that has a name.
    pub(super) fn of(file: File) -> Self {
        Self { file: BufReader::new(file), at: 0 }
    }

    fn step(&mut self) -> std::io::Result<Option<Row<N>>> {
        let mut len = [0; 2];
        match self.file.read_exact(&mut len) {
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => return Ok(None),
            other => other?,
        }
        let mut numbers = [0; N];
        for number in &mut numbers {
            let mut bytes = [0; 8];
            self.file.read_exact(&mut bytes)?;
            *number = u64::from_le_bytes(bytes);
        }
        let mut key = vec![0; usize::from(u16::from_le_bytes(len))];
        self.file.read_exact(&mut key)?;
        let key = String::from_utf8(key).map_err(std::io::Error::other)?;
        self.at += length::<N>(&key);
        Ok(Some(Row { key, numbers }))
    }
}

impl<const N: usize> Iterator for Rows<N> {
    type Item = StepResult<Row<N>>;

    fn next(&mut self) -> Option<Self::Item> {
        self.step().map_err(|e| full(&e)).transpose()
    }
}

/// Writes a row: the key's length, the numbers, the key.
pub(super) fn write<const N: usize>(file: &mut impl Write, key: &str, numbers: &[u64; N]) -> std::io::Result<()> {
    let len = u16::try_from(key.len()).map_err(std::io::Error::other)?;
    file.write_all(&len.to_le_bytes())?;
    for number in numbers {
        file.write_all(&number.to_le_bytes())?;
    }
    file.write_all(key.as_bytes())
}

/// The bytes of a row.
pub(super) fn length<const N: usize>(key: &str) -> u64 {
    2 + 8 * N as u64 + key.len() as u64
}

pub(super) fn full(error: &std::io::Error) -> Fault {
    Fault::failed_with(
        format!("a temporary file could not be used: {error}"),
        "make room in the temporary directory, or name another one in TMPDIR",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_back_as_they_went_in() {
        let mut spool = Spool::<2>::new().unwrap();
        let rows = [("", [0, u64::MAX]), ("한글 a+b", [7, 8])];
        for (key, numbers) in rows {
            spool.add(key, numbers).unwrap();
        }
        assert_eq!(spool.rows, 2);
        let back: Vec<Row<2>> = spool.read().unwrap().collect::<StepResult<_>>().unwrap();
        assert_eq!(back, rows.map(|(key, numbers)| Row { key: key.to_owned(), numbers }));
    }
}
