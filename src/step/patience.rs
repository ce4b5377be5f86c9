//! How long and how often a call without an answer is asked again before anything is decided.

use std::future::Future;
use std::time::Duration;

use super::{Clock, Fault, StepResult};

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

    /// Asks until there is an answer, or patience is at its end. For questions, which may be repeated as they are.
    pub async fn ask<T, F>(clock: &dyn Clock, question: impl Fn() -> F) -> StepResult<T>
    where
        F: Future<Output = StepResult<T>>,
    {
        let mut patience = Self::default();
        loop {
            match question().await {
                Err(Fault::InDoubt(_)) if patience.again(clock).await => {}
                answered => return answered,
            }
        }
    }
}
