//! What the state was a while ago, kept only while a fault makes reads stale. A while of the rehearsal's clock: a wait that
//! was skipped is over for a stale read too.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use super::super::state::State;

/// More changes than happen within a stale read's reach; past it the oldest are forgotten.
const KEPT: usize = 64;

/// States before their changes, oldest first.
#[derive(Default)]
pub(super) struct History {
    before: Mutex<VecDeque<(SystemTime, State)>>,
}

impl History {
    /// Keeps the state from before a change made now, and forgets those that no read looks back to.
    pub(super) fn push(&self, before: State, now: SystemTime, back: Duration) {
        let mut kept = self.before.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|(at, _)| since(*at, now) <= back);
        if kept.len() == KEPT {
            kept.pop_front();
        }
        kept.push_back((now, before));
    }

    /// The state as it was so long ago, if it was another than now.
    pub(super) fn as_of(&self, now: SystemTime, ago: Duration) -> Option<State> {
        let kept = self.before.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter().find(|(at, _)| since(*at, now) <= ago).map(|(_, state)| state.clone())
    }
}

/// A clock that was set back has not moved.
fn since(at: SystemTime, now: SystemTime) -> Duration {
    now.duration_since(at).unwrap_or_default()
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
        let (now, minute) = (SystemTime::UNIX_EPOCH + Duration::from_hours(1), Duration::from_mins(1));
        history.push(with(0), now, minute);
        history.push(with(1), now, minute);
        let later = |seconds| now + Duration::from_secs(seconds);
        assert_eq!(history.as_of(later(2), minute).unwrap().tags.len(), 0);
        assert!(history.as_of(later(2), Duration::from_secs(1)).is_none(), "nothing has changed since");
        assert!(history.as_of(later(3600), minute).is_none(), "a wait that was skipped is over");
    }
}
