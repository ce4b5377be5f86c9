//! Faults on demand: what a rehearsal or a test makes the control plane do wrong.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The caller is not allowed to.
    Refused,
    /// The caller is too fast.
    Throttled,
    /// An internal failure before anything happened.
    FailedBefore,
    /// The effect takes place, and the answer is lost: the connection closes.
    LostAnswer,
    /// The answer comes this much later (real time).
    Slow(Duration),
    /// The connection closes before anything happened.
    Reset,
}

/// Which of the calls that match are hit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// Only the n-th, counted from 1.
    Nth(u64),
    /// Every n-th.
    Every(u64),
}

#[derive(Debug)]
struct Rule {
    service: String,
    operation: String,
    when: When,
    kind: Kind,
    seen: u64,
}

/// The faults in force; clones share them.
#[derive(Debug, Clone, Default)]
pub struct Faults {
    rules: Arc<Mutex<Vec<Rule>>>,
}

impl Faults {
    /// Adds a fault. `service` is the signing name (`route53`, `elasticloadbalancing`, `rds`, `s3`, `sts`),
    /// `operation` the API's name; `*` matches all of either.
    pub fn add(&self, service: &str, operation: &str, when: When, kind: Kind) {
        self.lock().push(Rule { service: service.into(), operation: operation.into(), when, kind, seen: 0 });
    }

    /// Takes all faults away.
    pub fn clear(&self) {
        self.lock().clear();
    }

    /// Counts a call and says what goes wrong with it: the first rule that hits.
    pub(super) fn strike(&self, service: &str, operation: &str) -> Option<Kind> {
        let mut struck = None;
        for rule in self.lock().iter_mut() {
            let matches = |pattern: &str, name: &str| pattern == "*" || pattern == name;
            if matches(&rule.service, service) && matches(&rule.operation, operation) {
                rule.seen += 1;
                let hit = match rule.when {
                    When::Nth(n) => rule.seen == n,
                    When::Every(n) => rule.seen.is_multiple_of(n.max(1)),
                };
                if hit && struck.is_none() {
                    struck = Some(rule.kind);
                }
            }
        }
        struck
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Rule>> {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_named_call_is_hit() {
        let faults = Faults::default();
        faults.add("rds", "DescribeDBInstances", When::Nth(2), Kind::Reset);
        faults.add("s3", "*", When::Every(3), Kind::Throttled);
        assert_eq!(faults.strike("rds", "DescribeDBInstances"), None);
        assert_eq!(faults.strike("rds", "AddTagsToResource"), None);
        assert_eq!(faults.strike("rds", "DescribeDBInstances"), Some(Kind::Reset));
        assert_eq!(faults.strike("rds", "DescribeDBInstances"), None);
        let hits: Vec<_> = (0..6).map(|_| faults.strike("s3", "GetObject").is_some()).collect();
        assert_eq!(hits, [false, false, true, false, false, true]);
    }
}
