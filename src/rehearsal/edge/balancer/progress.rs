//! When something last moved on a connection, so that an idle timeout counts from there, and who was to move next.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// What moves on a connection.
#[derive(Debug)]
pub struct Progress {
    start: Instant,
    last_ms: AtomicU64,
    bytes: AtomicU64,
    /// The client has sent all it will.
    complete: AtomicBool,
    /// The client went away before that.
    broken: AtomicBool,
}

impl Default for Progress {
    fn default() -> Self {
        Self {
            start: Instant::now(),
            last_ms: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            complete: AtomicBool::new(false),
            broken: AtomicBool::new(false),
        }
    }
}

impl Progress {
    /// So many bytes have moved.
    pub fn moved(&self, bytes: usize) {
        let ms = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last_ms.store(ms, Relaxed);
        self.bytes.fetch_add(u64::try_from(bytes).unwrap_or(0), Relaxed);
    }

    /// The client has sent its whole request.
    pub fn completed(&self) {
        self.complete.store(true, Relaxed);
    }

    /// The client's connection failed while it sent.
    pub fn broke(&self) {
        self.broken.store(true, Relaxed);
    }

    /// Whether the client has sent its whole request.
    pub fn is_complete(&self) -> bool {
        self.complete.load(Relaxed)
    }

    /// Whether the client's connection failed while it sent.
    pub fn is_broken(&self) -> bool {
        self.broken.load(Relaxed)
    }

    /// How many bytes have moved.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Relaxed)
    }

    /// Waits until nothing has moved for `idle`.
    pub async fn standstill(&self, idle: Duration) {
        loop {
            let deadline = self.start + Duration::from_millis(self.last_ms.load(Relaxed)) + idle;
            if deadline <= Instant::now() {
                return;
            }
            tokio::time::sleep_until(deadline.into()).await;
        }
    }
}
