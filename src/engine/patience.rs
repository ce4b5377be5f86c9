//! How long and how often a call without an answer is asked again before the run decides.

use std::time::Duration;

use crate::step::Clock;

/// How many times in all a call is tried.
const TRIES: u32 = 5;

/// Counts tries and waits between them: 1, 2, 4, 8 seconds.
#[derive(Debug, Default)]
pub struct Patience {
    tried: u32,
}

impl Patience {
    /// Waits before the next try; `false` once patience is at its end.
    pub async fn again(&mut self, clock: &dyn Clock) -> bool {
        self.tried += 1;
        if self.tried >= TRIES {
            return false;
        }
        clock.sleep(Duration::from_secs(1 << (self.tried - 1))).await;
        true
    }
}
