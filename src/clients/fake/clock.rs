//! A clock that stands still, and jumps where somebody sleeps.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;

use crate::step::Clock;

/// A clock of its own.
pub struct FakeClock(Mutex<SystemTime>);

impl Default for FakeClock {
    fn default() -> Self {
        Self(Mutex::new(SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000)))
    }
}

impl FakeClock {
    /// Moves it forward.
    pub fn advance(&self, by: Duration) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) += by;
    }
}

#[async_trait]
impl Clock for FakeClock {
    fn now(&self) -> SystemTime {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn sleep(&self, for_: Duration) {
        self.advance(for_);
    }
}
