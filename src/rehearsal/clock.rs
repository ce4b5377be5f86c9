//! The rehearsal's clock: real time plus what was skipped, so that an hour's TTL takes a second.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use tokio::sync::watch;

/// A clock that runs with real time and can be moved forward, never back. Cheap to clone; clones share the time.
#[derive(Clone, Debug)]
pub struct Clock {
    skipped_ms: Arc<AtomicU64>,
    moved: watch::Sender<()>,
}

impl Default for Clock {
    fn default() -> Self {
        Self { skipped_ms: Arc::default(), moved: watch::Sender::new(()) }
    }
}

impl Clock {
    /// The present moment of the rehearsal.
    pub fn now(&self) -> SystemTime {
        SystemTime::now() + self.skipped()
    }

    /// How far the clock is ahead of real time.
    pub fn skipped(&self) -> Duration {
        Duration::from_millis(self.skipped_ms.load(Ordering::SeqCst))
    }

    /// Moves the clock forward and wakes everyone who waits on it.
    pub fn advance(&self, by: Duration) {
        let ms = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
        self.skipped_ms.fetch_add(ms, Ordering::SeqCst);
        self.moved.send_replace(());
    }

    /// Waits until `moment` has come, by itself or because the clock was moved.
    pub async fn until(&self, moment: SystemTime) {
        let mut moved = self.moved.subscribe();
        while let Ok(left) = moment.duration_since(self.now()) {
            if left.is_zero() {
                return;
            }
            tokio::select! {
                () = tokio::time::sleep(left) => {}
                _ = moved.changed() => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_hour_passes_when_the_clock_is_moved() {
        let clock = Clock::default();
        let later = clock.now() + Duration::from_hours(1);
        let waiter = tokio::spawn({
            let clock = clock.clone();
            async move { clock.until(later).await }
        });
        clock.advance(Duration::from_hours(1));
        tokio::time::timeout(Duration::from_secs(5), waiter).await.unwrap().unwrap();
        assert!(clock.now() >= later);
    }
}
