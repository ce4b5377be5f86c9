//! Keeps the copy from doing harm: so many bytes a second, and nothing at all while the source has enough to do.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::{Event, Progress};
use crate::clients::postgres::Pace;
use crate::postgres::catalog::Table;

/// What all workers share.
pub(super) struct Limits {
    bucket: Option<Mutex<Bucket>>,
    calm: watch::Receiver<bool>,
}

impl Limits {
    /// `bytes_a_second` for all workers together; no rows are read while `calm` says no.
    pub(super) fn new(bytes_a_second: Option<u64>, calm: watch::Receiver<bool>) -> Self {
        Self { bucket: bytes_a_second.map(|rate| Mutex::new(Bucket::new(rate))), calm }
    }

    /// Waits until the source is calm.
    pub(super) async fn calm(&self) {
        if !*self.calm.borrow() {
            // Nobody watches any more: then nothing is known that speaks against going on.
            let _ = self.calm.clone().wait_for(|calm| *calm).await;
        }
    }

    async fn take(&self, bytes: u64) {
        self.calm().await;
        let Some(bucket) = &self.bucket else { return };
        let wait = bucket.lock().unwrap_or_else(PoisonError::into_inner).take(Instant::now(), bytes);
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
    }
}

/// A token bucket that holds a quarter of a second's bytes.
#[derive(Debug)]
struct Bucket {
    rate: f64,
    tokens: f64,
    at: Option<Instant>,
}

impl Bucket {
    #[allow(clippy::cast_precision_loss)] // a rate need not be exact
    fn new(bytes_a_second: u64) -> Self {
        let rate = bytes_a_second.max(1) as f64;
        Self { rate, tokens: rate / 4.0, at: None }
    }

    /// Takes so many tokens, which may make a debt; says how long to wait until it is paid.
    #[allow(clippy::cast_precision_loss)]
    fn take(&mut self, now: Instant, bytes: u64) -> Duration {
        let since = self.at.map_or(Duration::ZERO, |at| now.saturating_duration_since(at));
        self.at = Some(now);
        self.tokens = (self.tokens + since.as_secs_f64() * self.rate).min(self.rate / 4.0) - bytes as f64;
        if self.tokens >= 0.0 { Duration::ZERO } else { Duration::from_secs_f64(-self.tokens / self.rate) }
    }
}

/// One relay's pace: tells of its bytes and keeps the limits.
pub(super) struct Told<'a> {
    /// The tables of the relay's copies, in order.
    pub tables: &'a [&'a Table],
    pub limits: &'a Limits,
    pub progress: &'a dyn Progress,
}

impl Pace for Told<'_> {
    async fn moved(&mut self, copy: usize, bytes: u64) {
        if let Some(table) = self.tables.get(copy).or(self.tables.last()) {
            self.progress.tell(Event::Moved { table: table.name.clone(), bytes, of: table.bytes });
        }
        self.limits.take(bytes).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_lets_through_what_the_rate_says() {
        let (mut bucket, start) = (Bucket::new(1_000_000), Instant::now());
        assert_eq!(bucket.take(start, 200_000), Duration::ZERO);
        let mut now = start;
        for _ in 0..50 {
            now += bucket.take(now, 100_000);
        }
        let seconds = (now - start).as_secs_f64();
        assert!((4.9..=5.0).contains(&seconds), "{seconds}");
        // A long silence saves up no more than a moment's bytes.
        now += Duration::from_mins(1);
        assert_eq!(bucket.take(now, 250_000), Duration::ZERO);
        assert!(bucket.take(now, 100_000) > Duration::from_millis(99));
    }

    #[tokio::test]
    async fn nothing_moves_while_the_source_is_busy() {
        let (calm, heard) = watch::channel(false);
        let limits = Limits::new(None, heard);
        let mut moving = std::pin::pin!(limits.take(1));
        assert!(futures::poll!(moving.as_mut()).is_pending());
        calm.send(true).unwrap();
        moving.await;
        drop(calm);
        limits.take(1).await;
    }
}
