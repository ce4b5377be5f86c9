//! Faults on demand: what a rehearsal or a test makes the control plane do wrong.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The caller is not allowed to.
    Refused,
    /// The caller is too fast; it may be told how many seconds to wait.
    Throttled(Option<u32>),
    /// An internal failure before anything happened.
    FailedBefore,
    /// The effect takes place, and the answer is lost: the connection closes.
    LostAnswer,
    /// The effect takes place, and the answer is held for so long (real time), or until [`Faults::release`].
    Held(Duration),
    /// The call is taken up this much later (real time).
    Slow(Duration),
    /// The connection closes before anything happened.
    Reset,
    /// A read answers as things were this long ago (real time): eventual consistency. Calls that change are not hit,
    /// nor is S3, which reads its own writes (S3 guide: Amazon S3 data consistency model).
    Stale(Duration),
}

/// Which of the calls that match are hit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum When {
    /// Only the n-th, counted from 1.
    Nth(u64),
    /// Every n-th.
    Every(u64),
    /// So many in a thousand, drawn from a seed.
    Rate {
        /// Of a thousand calls.
        per_mille: u16,
        /// The same seed draws the same calls.
        seed: u64,
    },
}

#[derive(Debug)]
struct Rule {
    service: String,
    operation: String,
    when: When,
    kind: Kind,
    seen: u64,
    draw: StdRng,
}

impl Rule {
    fn hits(&mut self) -> bool {
        self.seen += 1;
        match self.when {
            When::Nth(n) => self.seen == n,
            When::Every(n) => self.seen.is_multiple_of(n.max(1)),
            When::Rate { per_mille, .. } => self.draw.random_range(0..1000) < per_mille,
        }
    }
}

/// A call that was hit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Struck {
    /// The service's signing name.
    pub service: String,
    /// The API's name.
    pub operation: String,
    /// What went wrong.
    pub kind: Kind,
}

/// As many hits as are remembered; past it the oldest are forgotten.
const REMEMBERED: usize = 1000;

/// The faults in force, and what they hit; clones share them.
#[derive(Debug, Clone)]
pub struct Faults {
    rules: Arc<Mutex<Vec<Rule>>>,
    struck: Arc<Mutex<VecDeque<Struck>>>,
    released: watch::Sender<u64>,
}

impl Default for Faults {
    fn default() -> Self {
        Self { rules: Arc::default(), struck: Arc::default(), released: watch::Sender::new(0) }
    }
}

impl Faults {
    /// Adds a fault. `service` is the signing name (`route53`, `elasticloadbalancing`, `rds`, `s3`, `sts`, …),
    /// `operation` the API's name; `*` matches all of either.
    pub fn add(&self, service: &str, operation: &str, when: When, kind: Kind) {
        let seed = if let When::Rate { seed, .. } = when { seed } else { 0 };
        let draw = StdRng::seed_from_u64(seed);
        self.lock().push(Rule { service: service.into(), operation: operation.into(), when, kind, seen: 0, draw });
    }

    /// Takes all faults away; answers that are held go out.
    pub fn clear(&self) {
        self.lock().clear();
        self.release();
    }

    /// Lets every answer go that is held now.
    pub fn release(&self) {
        self.released.send_modify(|n| *n += 1);
    }

    /// What was hit so far.
    pub fn struck(&self) -> Vec<Struck> {
        self.struck.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    /// A wait for so long, or for the next [`Faults::release`] from now on.
    pub(super) fn held(&self, at_most: Duration) -> Held {
        let mut released = self.released.subscribe();
        released.mark_unchanged();
        Held { at_most, released }
    }

    /// How far back the oldest stale read may have to look, if any read may be stale.
    pub(super) fn history(&self) -> Option<Duration> {
        let back = |rule: &Rule| if let Kind::Stale(by) = rule.kind { Some(by) } else { None };
        self.lock().iter().filter_map(back).max()
    }

    /// Counts a call and says what goes wrong with it: the first rule that hits. `reads` is whether the call only looks.
    pub(super) fn strike(&self, service: &str, operation: &str, reads: bool) -> Option<Kind> {
        let mut struck = None;
        for rule in self.lock().iter_mut() {
            let matches = |pattern: &str, name: &str| pattern == "*" || pattern == name;
            let possible = reads || !matches!(rule.kind, Kind::Stale(_));
            if possible && matches(&rule.service, service) && matches(&rule.operation, operation) {
                let hit = rule.hits();
                if hit && struck.is_none() {
                    struck = Some(rule.kind);
                }
            }
        }
        if let Some(kind) = struck {
            let mut all = self.struck.lock().unwrap_or_else(PoisonError::into_inner);
            if all.len() == REMEMBERED {
                all.pop_front();
            }
            all.push_back(Struck { service: service.into(), operation: operation.into(), kind });
        }
        struck
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Rule>> {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An answer that is held.
#[derive(Debug, Clone)]
pub(super) struct Held {
    at_most: Duration,
    released: watch::Receiver<u64>,
}

impl Held {
    /// Waits until it may go.
    pub(super) async fn over(mut self) {
        // late, released, or the cloud is gone: it goes
        let _ = tokio::time::timeout(self.at_most, self.released.changed()).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_named_call_is_hit() {
        let faults = Faults::default();
        faults.add("rds", "DescribeDBInstances", When::Nth(2), Kind::Reset);
        faults.add("s3", "*", When::Every(3), Kind::Throttled(None));
        assert_eq!(faults.strike("rds", "DescribeDBInstances", true), None);
        assert_eq!(faults.strike("rds", "AddTagsToResource", false), None);
        assert_eq!(faults.strike("rds", "DescribeDBInstances", true), Some(Kind::Reset));
        assert_eq!(faults.strike("rds", "DescribeDBInstances", true), None);
        let hits: Vec<_> = (0..6).map(|_| faults.strike("s3", "GetObject", true).is_some()).collect();
        assert_eq!(hits, [false, false, true, false, false, true]);
    }

    #[test]
    fn a_rate_is_kept_and_drawn_the_same_from_the_same_seed() {
        let drawn = |seed| {
            let faults = Faults::default();
            faults.add("rds", "*", When::Rate { per_mille: 100, seed }, Kind::Reset);
            (0..2000).map(|_| faults.strike("rds", "X", false).is_some()).collect::<Vec<_>>()
        };
        let hits = drawn(7).into_iter().filter(|hit| *hit).count();
        assert!((140..260).contains(&hits), "{hits} of 2000");
        assert_eq!(drawn(7), drawn(7));
        assert_ne!(drawn(7), drawn(8));
    }

    #[test]
    fn only_reads_are_stale() {
        let faults = Faults::default();
        faults.add("*", "*", When::Every(1), Kind::Stale(Duration::from_secs(2)));
        assert_eq!(faults.strike("rds", "DeleteDBInstance", false), None);
        assert_eq!(faults.strike("rds", "DescribeDBInstances", true), Some(Kind::Stale(Duration::from_secs(2))));
        assert_eq!(faults.history(), Some(Duration::from_secs(2)));
    }
}
