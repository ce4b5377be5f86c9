//! Sends what is to be sent, class after class: what pages load, then what names it, then pages, then the first one.

use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use super::compare::{Compared, HEAD};
use super::kept::{Filler, Known};
use super::spool::{Row, Spool};
use super::{Order, STEP, disk, listing, mark};
use crate::clients::objects::{Body, Crc64, Headers, ObjectsWrite};
use crate::event::{Event, Sink};
use crate::rewrite::leak::{Verdict, judge};
use crate::step::{Fault, StepResult};
use crate::steps::static_site::rewriting::headers;
use crate::steps::static_site::window::Window;

/// From so many bytes on a file is read in parts while it is sent, by itself.
const LARGE: u64 = 8 << 20;
/// Bytes that wait to be sent, or are being sent, in KiB.
const IN_MEMORY: u32 = 16 << 10;
/// Files that wait to be sent.
const AHEAD: usize = 64;
/// How often progress is told.
const OFTEN: Duration = Duration::from_millis(100);

/// A file that was read.
struct Ready {
    key: String,
    row: u64,
    content: Content,
    headers: (String, String),
}

enum Content {
    /// All of it, with its checksum, and its share of the memory.
    Whole(Bytes, u64, OwnedSemaphorePermit),
    /// Too large for that: so many bytes.
    Large(u64, PathBuf),
}

/// What every task needs.
struct Shared {
    objects: Arc<dyn ObjectsWrite>,
    bucket: String,
    prefix: String,
    filler: Filler,
}

/// Sends it all.
pub(super) async fn send(
    order: &Order,
    objects: &Arc<dyn ObjectsWrite>,
    all: &mut Compared,
    events: &Sink,
) -> StepResult<()> {
    let shared = Arc::new(Shared {
        objects: Arc::clone(objects),
        bucket: order.bucket.clone(),
        prefix: order.prefix.clone(),
        filler: all.kept.filler(),
    });
    let memory = Arc::new(Semaphore::new(IN_MEMORY as usize));
    let mut window = Window::new();
    let (total, mut told) = (all.report.bytes, Instant::now());
    let mut tell = |done: u64, last: bool| {
        if last || told.elapsed() >= OFTEN {
            told = Instant::now();
            events.send(Event::Progress { step: STEP.to_owned(), label: STEP.to_owned(), done, total, bytes: true });
        }
    };
    for sends in &mut all.sends {
        let sends = std::mem::replace(sends, Spool::new()?);
        let (sender, mut ready) = mpsc::channel(AHEAD);
        let (root, choices, memory) = (order.root.clone(), order.choices, Arc::clone(&memory));
        let reader = tokio::task::spawn_blocking(move || {
            for row in sends.read()? {
                let found = open(&root, row?, &memory, |path, head| judge(path, head, choices));
                let broken = found.is_err();
                if sender.blocking_send(found).is_err() || broken {
                    break;
                }
            }
            StepResult::Ok(())
        });
        while let Some(found) = ready.recv().await {
            let ready = match found? {
                Ok(ready) => ready,
                Err((path, why, size)) => {
                    all.report.sent -= 1;
                    all.report.bytes -= size;
                    all.report.leave(path, why);
                    continue;
                }
            };
            let shared = Arc::clone(&shared);
            match ready.content {
                Content::Whole(body, crc, memory) => {
                    let (key, row, headers) = (ready.key, ready.row, ready.headers);
                    let size = body.len() as u64;
                    let sent = async move {
                        shared.whole(&key, row, body, crc, headers).await?;
                        drop(memory);
                        Ok(())
                    };
                    window.add(size, sent).await?;
                }
                Content::Large(size, path) => {
                    begin(order, &ready.key)?;
                    shared.large(&ready.key, ready.row, size, &path, ready.headers).await?;
                    window.done += size;
                }
            }
            tell(window.done, false);
        }
        // What a later class names must be there before it.
        window.barrier().await?;
        reader.await.map_err(|e| Fault::failed(format!("the reading broke off: {e}")))??;
    }
    tell(window.done, true);
    ended(order)
}

/// Reads a file, or what it is judged by; `Err` inside for one that must not go out.
fn open(
    root: &Path,
    row: Row<2>,
    memory: &Arc<Semaphore>,
    judged: impl Fn(&str, &[u8]) -> Verdict,
) -> StepResult<Result<Ready, (String, &'static str, u64)>> {
    let Row { key, numbers: [size, row] } = row;
    let path = root.join(&key);
    let failed = |e: &std::io::Error| disk(&path, e);
    let file = File::open(&path).map_err(|e| failed(&e))?;
    let large = size >= LARGE;
    let mut content = Vec::new();
    let mut permit = None;
    if large {
        (&file).take(HEAD as u64).read_to_end(&mut content).map_err(|e| failed(&e))?;
    } else {
        let share = u32::try_from(size.div_ceil(1 << 10)).unwrap_or(u32::MAX).clamp(1, IN_MEMORY);
        permit = Some(reserved(memory, share)?);
        // One more than there should be, to see a file that has grown.
        content.reserve_exact(usize::try_from(size).unwrap_or_default() + 1);
        (&file).take(size + 1).read_to_end(&mut content).map_err(|e| failed(&e))?;
        if content.len() as u64 != size {
            return Err(Fault::failed_with(
                format!("{} changed while it was read", path.display()),
                "type it again once nobody writes there",
            ));
        }
    }
    let head = &content[..content.len().min(HEAD)];
    if let Verdict::Leave { why } = judged(&key, head) {
        return Ok(Err((key, why, size)));
    }
    let headers = headers(&key, head);
    let content = match permit {
        Some(permit) => {
            let crc = Crc64::number(&content);
            Content::Whole(content.into(), crc, permit)
        }
        None => Content::Large(size, path),
    };
    Ok(Ok(Ready { key, row, content, headers }))
}

/// A share of the memory, waiting for it where there is none just now.
fn reserved(memory: &Arc<Semaphore>, share: u32) -> StepResult<OwnedSemaphorePermit> {
    if let Ok(permit) = Arc::clone(memory).try_acquire_many_owned(share) {
        return Ok(permit);
    }
    let waited = futures::executor::block_on(Arc::clone(memory).acquire_many_owned(share));
    waited.map_err(|e| Fault::failed(format!("the upload broke off: {e}")))
}

fn stored_with((content_type, cache_control): (String, String)) -> Headers {
    Headers { content_type, cache_control, ..Headers::default() }
}

impl Shared {
    async fn whole(&self, key: &str, row: u64, body: Bytes, crc: u64, headers: (String, String)) -> StepResult<()> {
        let (size, mark) = (body.len() as u64, mark(&headers));
        let headers = stored_with(headers);
        let key = format!("{}{key}", self.prefix);
        let put = self.objects.put(&self.bucket, &key, Body::Bytes(body), &headers).await?;
        if put.crc64 != Crc64::written(crc) {
            return Err(Fault::failed(format!("{key} was stored with checksum {}, not its own", put.crc64)));
        }
        self.filler.fill(row, Known { size, crc, headers: mark, etag: listing::etag(&put.etag) })
    }

    async fn large(&self, key: &str, row: u64, size: u64, path: &Path, headers: (String, String)) -> StepResult<()> {
        let mark = mark(&headers);
        let headers = stored_with(headers);
        let key = format!("{}{key}", self.prefix);
        let file = File::open(path).map_err(|e| disk(path, &e))?;
        let put = self.objects.put(&self.bucket, &key, Body::File(size, Arc::new(file)), &headers).await?;
        let crc = Crc64::read(&put.crc64).ok_or_else(|| Fault::failed(format!("{key} has no checksum")))?;
        self.filler.fill(row, Known { size, crc, headers: mark, etag: listing::etag(&put.etag) })
    }
}

/// Where the keys of uploads in parts stand that were begun: killed, they leave parts that cost money and do nothing.
fn begun(order: &Order) -> PathBuf {
    order.state.join("begun")
}

fn begin(order: &Order, key: &str) -> StepResult<()> {
    let path = begun(order);
    let open = std::fs::OpenOptions::new().append(true).create(true).open(&path);
    let written = open.and_then(|mut file| writeln!(file, "{}{key}", order.prefix).and_then(|()| file.sync_data()));
    written.map_err(|e| disk(&path, &e))
}

fn ended(order: &Order) -> StepResult<()> {
    match std::fs::remove_file(begun(order)) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(disk(&begun(order), &error)),
        _ => Ok(()),
    }
}

/// Takes away the parts that a killed run left.
pub(super) async fn abort_what_was_left(order: &Order, objects: &dyn ObjectsWrite) -> StepResult<()> {
    let keys = match std::fs::read_to_string(begun(order)) {
        Ok(keys) => keys,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(disk(&begun(order), &error)),
    };
    for key in keys.lines() {
        objects.abort_uploads(&order.bucket, key).await?;
    }
    ended(order)
}
