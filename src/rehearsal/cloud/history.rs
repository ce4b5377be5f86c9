//! What the state was a while ago, kept only while a fault makes reads stale.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::super::state::State;

/// More changes than happen within a stale read's reach; past it the oldest are forgotten.
const KEPT: usize = 64;

/// States before their changes, oldest first.
#[derive(Default)]
pub(super) struct History {
    before: Mutex<VecDeque<(Instant, State)>>,
}

impl History {
    /// Keeps the state from before a change made now, and forgets those that no read looks back to.
    pub(super) fn push(&self, before: State, back: Duration) {
        let now = Instant::now();
        let mut kept = self.before.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|(at, _)| now.duration_since(*at) <= back);
        if kept.len() == KEPT {
            kept.pop_front();
        }
        kept.push_back((now, before));
    }

    /// The state as it was so long ago, if it was another than now.
    pub(super) fn as_of(&self, ago: Duration) -> Option<State> {
        let now = Instant::now();
        let kept = self.before.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter().find(|(at, _)| now.duration_since(*at) <= ago).map(|(_, state)| state.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_back_finds_the_state_before_the_changes_since() {
        let history = History::default();
        let with = |n: usize| State {
            tags: (0..n).map(|i| (i.to_string(), std::collections::BTreeMap::new())).collect(),
            ..State::default()
        };
        history.push(with(0), Duration::from_mins(1));
        history.push(with(1), Duration::from_mins(1));
        assert_eq!(history.as_of(Duration::from_mins(1)).unwrap().tags.len(), 0);
        assert!(history.as_of(Duration::ZERO).is_none(), "nothing has changed since now");
    }
}
