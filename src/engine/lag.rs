//! A look that came too early: what an API was told may not show yet in what it answers.

use std::time::{Duration, SystemTime};

use super::Engine;
use crate::step::SHOWS_WITHIN;

impl Engine {
    /// Notes that a step just told, or may have told, its API something.
    pub(super) fn told(&mut self, index: usize) {
        if self.items[index].step.reads_may_lag() {
            self.told_at = self.reach.clock.now();
        }
    }

    /// How long a drift that this step sees is not believed: what this process told an API last, or what one before it
    /// may have told, need not show yet.
    pub(super) fn drift_may_be_lag(&self, index: usize) -> Option<Duration> {
        self.items[index].step.reads_may_lag().then(|| self.left_since(self.told_at)).flatten()
    }

    /// How long an undo of this step that succeeded may only not have seen what there is to take back.
    pub(super) fn undo_may_have_missed(&self, index: usize) -> Option<Duration> {
        if !self.items[index].step.reads_may_lag() {
            return None;
        }
        // Without a time it was never said to be applied, and may have been told a moment ago.
        self.left_since(self.journal.state().steps[index].applied_at.unwrap_or(self.told_at))
    }

    fn left_since(&self, at: SystemTime) -> Option<Duration> {
        let gone = self.reach.clock.now().duration_since(at).unwrap_or_default();
        Some(SHOWS_WITHIN.saturating_sub(gone)).filter(|left| !left.is_zero())
    }
}
