//! A budget of requests a second, shared by the whole process (law R8: Route 53 gives an account five).

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// A token bucket: `burst` requests at once, then one every `gap`.
pub(super) struct Pace {
    gap: Duration,
    burst: u32,
    /// When the bucket is full again.
    full_at: Mutex<Option<Instant>>,
}

impl Pace {
    pub(super) const fn new(gap: Duration, burst: u32) -> Self {
        Self { gap, burst, full_at: Mutex::new(None) }
    }

    /// Takes a token, waiting for it if the bucket is empty.
    pub(super) async fn take(&self) {
        tokio::time::sleep_until(self.reserve(Instant::now())).await;
    }

    fn reserve(&self, now: Instant) -> Instant {
        let mut slot = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        let full_at = slot.map_or(now, |at| at.max(now)) + self.gap;
        *slot = Some(full_at);
        full_at.checked_sub(self.gap * self.burst).unwrap_or(now).max(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_at_once_then_five_a_second() {
        let pace = Pace::new(Duration::from_millis(200), 5);
        let now = Instant::now();
        let waits: Vec<u128> = (0..8).map(|_| pace.reserve(now).duration_since(now).as_millis()).collect();
        assert_eq!(waits, [0, 0, 0, 0, 0, 200, 400, 600]);
        let later = now + Duration::from_mins(1);
        assert_eq!(pace.reserve(later), later, "a rested bucket is full again");
    }
}
