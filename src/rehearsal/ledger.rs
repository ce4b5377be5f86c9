//! The ledger: every write the visitors attempted, and what became of it. It says at the end what was lost.
//!
//! Append-only JSON lines, written by a thread of its own that makes many entries durable with one `fsync`. A write
//! without an answer, or with an error for an answer, is *unacknowledged*: it may or may not have landed, and is never
//! counted lost; it is counted doubled only if it is there twice.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// How long entries may wait for the `fsync` they share.
const BATCH: Duration = Duration::from_millis(200);

/// Why the ledger could not be opened, or can no longer be trusted on disk.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The file could not be opened, read or written.
    #[error("the ledger {path} could not be used: {source}; free some space or choose another directory")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A line in the middle is not an entry.
    #[error("the ledger {path} is damaged at line {line}; it proves nothing any more, start a new one")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
    },
}

/// One line of the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The write's own id, as the application stores it.
    pub id: String,
    /// When, by the machine's clock.
    pub at: Timestamp,
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
}

/// What happens to a write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// It is about to be sent.
    Attempted,
    /// The application said it is stored.
    Acknowledged,
    /// No answer, or one that is no acknowledgement.
    Unacknowledged {
        /// What came instead.
        reason: String,
    },
}

/// What the rows of the database say about the writes of the ledger.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct LedgerReport {
    /// Writes attempted.
    pub attempted: u64,
    /// Writes acknowledged.
    pub acknowledged: u64,
    /// Acknowledged and not there.
    pub lost: Vec<String>,
    /// There more than once, acknowledged or not.
    pub doubled: Vec<String>,
    /// Never acknowledged and there: allowed.
    pub unacknowledged_landed: u64,
    /// Never acknowledged and not there: allowed.
    pub unacknowledged_absent: u64,
    /// Rows of no write of this ledger, such as those from before the run.
    pub foreign: u64,
}

/// An open ledger. Cheap to clone; the file is flushed and closed with the last clone.
#[derive(Clone)]
pub struct Ledger {
    inner: Arc<Inner>,
}

struct Inner {
    path: PathBuf,
    /// Whether each write was acknowledged.
    writes: Mutex<BTreeMap<String, bool>>,
    sender: Mutex<Option<Sender<Message>>>,
    writer: Mutex<Option<JoinHandle<()>>>,
    failed: Arc<Mutex<Option<io::Error>>>,
}

enum Message {
    Line(Vec<u8>),
    Flush(tokio::sync::oneshot::Sender<()>),
}

impl Ledger {
    /// Opens the ledger at `path`, going on where it ended; a torn last line is cut off.
    pub fn open(path: &Path) -> Result<Self, LedgerError> {
        let failed = |source| LedgerError::File { path: path.to_owned(), source };
        let mut file = OpenOptions::new().read(true).append(true).create(true).open(path).map_err(failed)?;
        // a device could be read for ever
        if !file.metadata().map_err(failed)?.is_file() {
            return Err(failed(io::Error::other("it is not a regular file")));
        }
        let (entries, whole) = read(&file, path)?;
        file.set_len(whole).and_then(|()| file.seek(SeekFrom::End(0)).map(drop)).map_err(failed)?;
        let mut writes = BTreeMap::new();
        for entry in entries {
            note(&mut writes, entry.id, &entry.event);
        }
        let (sender, receiver) = channel();
        let failed = Arc::new(Mutex::new(None));
        let thread = std::thread::Builder::new()
            .name("ledger".into())
            .spawn({
                let failed = failed.clone();
                move || {
                    if let Err(error) = write(file, &receiver) {
                        *lock(&failed) = Some(error);
                    }
                }
            })
            .map_err(|source| LedgerError::File { path: path.to_owned(), source })?;
        let inner = Inner {
            path: path.to_owned(),
            writes: Mutex::new(writes),
            sender: Mutex::new(Some(sender)),
            writer: Mutex::new(Some(thread)),
            failed,
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Notes that the write `id` is about to be sent.
    pub fn attempted(&self, id: &str) {
        self.append(id, Event::Attempted);
    }

    /// Notes that the write `id` was acknowledged.
    pub fn acknowledged(&self, id: &str) {
        self.append(id, Event::Acknowledged);
    }

    /// Notes that the write `id` was not acknowledged, and what came instead.
    pub fn unacknowledged(&self, id: &str, reason: &str) {
        self.append(id, Event::Unacknowledged { reason: reason.to_owned() });
    }

    /// Waits until everything noted so far is on disk; an error if the file could not be written at some time.
    pub async fn flush(&self) -> Result<(), LedgerError> {
        let (done, flushed) = tokio::sync::oneshot::channel();
        if let Some(sender) = lock(&self.inner.sender).as_ref() {
            // a writer that ended has left its error behind
            let _ = sender.send(Message::Flush(done));
        }
        let _ = flushed.await;
        match lock(&self.inner.failed).as_ref() {
            Some(error) => Err(LedgerError::File {
                path: self.inner.path.clone(),
                source: io::Error::new(error.kind(), error.to_string()),
            }),
            None => Ok(()),
        }
    }

    /// Compares the writes with the rows of the database: each an id and how often it is there. An id may come more
    /// than once; the counts are added up.
    pub fn check<S: AsRef<str>>(&self, rows: impl Iterator<Item = (S, u64)>) -> LedgerReport {
        compare(&lock(&self.inner.writes), rows)
    }

    fn append(&self, id: &str, event: Event) {
        let id = id.to_ascii_lowercase();
        note(&mut lock(&self.inner.writes), id.clone(), &event);
        let entry = Entry { id, at: Timestamp::now(), event };
        let mut line = serde_json::to_vec(&entry).expect("text and enums always become JSON");
        line.push(b'\n');
        if let Some(sender) = lock(&self.inner.sender).as_ref() {
            let _ = sender.send(Message::Line(line));
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        lock(&self.sender).take();
        if let Some(writer) = lock(&self.writer).take() {
            let _ = writer.join();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn note(writes: &mut BTreeMap<String, bool>, id: String, event: &Event) {
    *writes.entry(id).or_default() |= *event == Event::Acknowledged;
}

/// The judgement itself.
fn compare<S: AsRef<str>>(writes: &BTreeMap<String, bool>, rows: impl Iterator<Item = (S, u64)>) -> LedgerReport {
    let mut there: BTreeMap<String, u64> = BTreeMap::new();
    let mut report = LedgerReport::default();
    for (id, count) in rows {
        let id = id.as_ref().to_ascii_lowercase();
        if writes.contains_key(&id) {
            *there.entry(id).or_default() += count;
        } else {
            report.foreign += count;
        }
    }
    for (id, acknowledged) in writes {
        let count = there.get(id).copied().unwrap_or(0);
        report.attempted += 1;
        report.acknowledged += u64::from(*acknowledged);
        match (acknowledged, count) {
            (true, 0) => report.lost.push(id.clone()),
            (false, 0) => report.unacknowledged_absent += 1,
            (false, _) => report.unacknowledged_landed += 1,
            (true, _) => {}
        }
        if count > 1 {
            report.doubled.push(id.clone());
        }
    }
    report
}

/// The entries of the file, and the length of its whole lines.
fn read(file: &File, path: &Path) -> Result<(Vec<Entry>, u64), LedgerError> {
    let (mut entries, mut whole) = (Vec::new(), 0);
    let mut reader = BufReader::new(file);
    let mut line = Vec::new();
    loop {
        line.clear();
        let length = reader
            .read_until(b'\n', &mut line)
            .map_err(|source| LedgerError::File { path: path.to_owned(), source })?;
        // nothing more, or a last line that was torn by a crash
        if length == 0 || line.last() != Some(&b'\n') {
            return Ok((entries, whole));
        }
        let damaged = |_| LedgerError::Damaged { path: path.to_owned(), line: entries.len() + 1 };
        let entry = serde_json::from_slice(&line).map_err(damaged)?;
        entries.push(entry);
        whole += length as u64;
    }
}

/// Writes what comes; syncs when asked to, when all is still, and at least every [`BATCH`].
fn write(mut file: File, messages: &Receiver<Message>) -> io::Result<()> {
    let mut dirty_since: Option<Instant> = None;
    loop {
        let message = match dirty_since {
            None => messages.recv().ok(),
            Some(since) => match messages.recv_timeout(BATCH.saturating_sub(since.elapsed())) {
                Ok(message) => Some(message),
                Err(std::sync::mpsc::RecvTimeoutError::Timeout) => {
                    file.sync_data()?;
                    dirty_since = None;
                    continue;
                }
                Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => None,
            },
        };
        match message {
            Some(Message::Line(line)) => {
                file.write_all(&line)?;
                dirty_since.get_or_insert_with(Instant::now);
            }
            Some(Message::Flush(done)) => {
                file.sync_data()?;
                dirty_since = None;
                let _ = done.send(());
            }
            None => return file.sync_data(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: u32) -> String {
        format!("00000000-0000-4000-8000-{n:012}")
    }

    #[tokio::test]
    async fn what_was_acknowledged_and_is_not_there_is_lost() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ledger.jsonl");
        let ledger = Ledger::open(&path).unwrap();
        for n in 1..=6 {
            ledger.attempted(&id(n));
        }
        for n in 1..=3 {
            ledger.acknowledged(&id(n));
        }
        ledger.unacknowledged(&id(4), "no answer");
        let rows = [(id(1), 1), (id(3).to_uppercase(), 1), (id(3), 1), (id(4), 1), (id(5), 2), (id(9), 7)];
        let expected = LedgerReport {
            attempted: 6,
            acknowledged: 3,
            lost: vec![id(2)],
            doubled: vec![id(3), id(5)],
            unacknowledged_landed: 2,
            unacknowledged_absent: 1,
            foreign: 7,
        };
        assert_eq!(ledger.check(rows.iter().map(|(id, n)| (id, *n))), expected);
        ledger.flush().await.unwrap();
        drop(ledger);
        assert_eq!(Ledger::open(&path).unwrap().check(rows.iter().map(|(id, n)| (id, *n))), expected, "read back");
    }

    #[tokio::test]
    async fn a_torn_last_line_is_cut_and_a_broken_middle_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ledger.jsonl");
        let ledger = Ledger::open(&path).unwrap();
        ledger.attempted(&id(1));
        ledger.acknowledged(&id(1));
        drop(ledger);
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, [&whole[..], br#"{"id":"000"#].concat()).unwrap();
        let ledger = Ledger::open(&path).unwrap();
        ledger.attempted(&id(2));
        ledger.flush().await.unwrap();
        let report = ledger.check(std::iter::empty::<(&str, u64)>());
        assert_eq!((report.attempted, report.lost), (2, vec![id(1)]));
        drop(ledger);
        assert_eq!(std::fs::read_to_string(&path).unwrap().lines().count(), 3);
        std::fs::write(&path, [b"rubbish\n", &whole[..]].concat()).unwrap();
        assert!(matches!(Ledger::open(&path), Err(LedgerError::Damaged { line: 1, .. })));
    }

    #[tokio::test]
    async fn a_full_disk_is_told_and_does_not_hang() {
        let (sender, receiver) = channel();
        sender.send(Message::Line(b"entry".to_vec())).unwrap();
        let full = OpenOptions::new().append(true).open("/dev/full").unwrap();
        assert_eq!(write(full, &receiver).unwrap_err().kind(), io::ErrorKind::StorageFull);

        let dir = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(&dir.path().join("ledger.jsonl")).unwrap();
        *lock(&ledger.inner.failed) = Some(io::ErrorKind::StorageFull.into());
        ledger.attempted(&id(1));
        assert!(matches!(ledger.flush().await, Err(LedgerError::File { .. })));
        assert_eq!(ledger.check(std::iter::empty::<(&str, u64)>()).attempted, 1, "the judgement needs no disk");
    }

    #[test]
    fn what_is_no_file_is_refused() {
        assert!(matches!(Ledger::open(Path::new("/dev/full")), Err(LedgerError::File { .. })));
    }
}
