//! How many requests may be in flight: S3 says when it is too many, and it is fewer then, for a while.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

/// The most. Source: measured, at 30 ms an answer 128 are 2.5 times as fast as 32, and cost no more CPU.
const MOST: usize = 128;
/// The fewest.
const FEWEST: usize = 4;
/// Within this time one `SlowDown` counts as many: all were sent under the same width.
const CALM: Duration = Duration::from_millis(500);

/// A width that S3 narrows and success widens.
pub(super) struct Gate {
    state: Mutex<State>,
    room: Notify,
}

struct State {
    in_flight: usize,
    width: usize,
    /// Answers since the width last changed.
    good: usize,
    narrowed: Option<Instant>,
}

/// A place inside; dropped, it is free again.
pub(super) struct Pass<'g>(&'g Gate);

impl Default for Gate {
    fn default() -> Self {
        let state = State { in_flight: 0, width: MOST, good: 0, narrowed: None };
        Self { state: Mutex::new(state), room: Notify::new() }
    }
}

impl Gate {
    /// Waits for a place.
    pub(super) async fn enter(&self) -> Pass<'_> {
        loop {
            // Asked for before looking, so that a place that is freed in between wakes it.
            let room = self.room.notified();
            {
                let mut state = self.lock();
                if state.in_flight < state.width {
                    state.in_flight += 1;
                    return Pass(self);
                }
            }
            room.await;
        }
    }

    /// An answer came: one place more after as many answers as there are places.
    pub(super) fn good(&self) {
        let mut state = self.lock();
        state.good += 1;
        if state.width < MOST && state.good >= state.width {
            state.width += 1;
            state.good = 0;
            drop(state);
            self.room.notify_one();
        }
    }

    /// S3 asked for patience: half as many.
    pub(super) fn slow_down(&self) {
        self.narrow(Instant::now());
    }

    fn narrow(&self, now: Instant) {
        let mut state = self.lock();
        if state.narrowed.is_none_or(|at| now.duration_since(at) >= CALM) {
            state.width = (state.width / 2).max(FEWEST);
            state.good = 0;
            state.narrowed = Some(now);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        self.0.lock().in_flight -= 1;
        self.0.room.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_width_halves_once_for_a_burst_and_comes_back_slowly() {
        let gate = Gate::default();
        let begin = Instant::now();
        for _ in 0..10 {
            gate.narrow(begin);
        }
        assert_eq!(gate.lock().width, 64);
        for n in 1..9 {
            gate.narrow(begin + CALM * n);
        }
        assert_eq!(gate.lock().width, FEWEST);
        for _ in 0..9 {
            gate.good();
        }
        assert_eq!(gate.lock().width, 6);
        for _ in 0..100_000 {
            gate.good();
        }
        assert_eq!(gate.lock().width, MOST);
    }

    #[tokio::test]
    async fn no_more_than_the_width_are_inside_and_a_free_place_is_taken() {
        let gate = Gate::default();
        let begin = Instant::now();
        for n in 0..8 {
            gate.narrow(begin + CALM * n);
        }
        let mut inside = Vec::new();
        for _ in 0..FEWEST {
            inside.push(gate.enter().await);
        }
        let waiting = tokio::time::timeout(Duration::from_millis(50), gate.enter()).await;
        assert!(waiting.is_err());
        let next = gate.enter();
        inside.pop();
        drop(tokio::time::timeout(Duration::from_secs(1), next).await.unwrap());
    }
}
