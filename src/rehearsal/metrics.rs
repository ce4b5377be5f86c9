//! What the rehearsal cloud measures of itself, by minutes of the rehearsal's clock, as `CloudWatch` keeps it.
//!
//! Whoever measures holds a [`Series`] and writes to it without a lock ([`Metrics::of`]); whoever asks reads minutes
//! ([`Metrics::series`]) and never waits for a flush: what was counted a moment ago is there. A minute in which nothing
//! was measured has no entry: no data is not zero.

mod series;
mod stat;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

pub use series::Series;
pub use stat::Stat;

use super::clock::Clock;

/// The namespace of an Application Load Balancer's own metrics.
/// Source: ALB user guide, "`CloudWatch` metrics for your Application Load Balancer".
pub const APPLICATION_ELB: &str = "AWS/ApplicationELB";

/// A metric's full name: two that differ in any part are two metrics. Source: `CloudWatch` user guide, "Concepts".
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id {
    /// Such as `AWS/ApplicationELB`.
    pub namespace: String,
    /// Such as `RequestCount`.
    pub metric: String,
    /// Names and values; the order does not matter.
    pub dimensions: BTreeMap<String, String>,
}

impl Id {
    /// The metric of that name in that namespace with these dimensions.
    pub fn new<'a>(namespace: &str, metric: &str, dimensions: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let dimensions = dimensions.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Self { namespace: namespace.to_owned(), metric: metric.to_owned(), dimensions }
    }
}

/// What the values of a metric are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Every sample is 1, as of `RequestCount`: cheap to keep.
    Ones,
    /// Only the sum says anything, as of `RequestCountPerTarget`.
    Sums,
    /// Samples differ, as of `TargetResponseTime`: kept with the histogram that percentiles need.
    Values,
}

/// All metrics. Cheap to clone; clones share them.
#[derive(Clone, Debug)]
pub struct Metrics {
    clock: Clock,
    kept: Arc<RwLock<BTreeMap<Id, Arc<Series>>>>,
}

impl Metrics {
    /// No metrics yet, on `clock`.
    pub fn new(clock: Clock) -> Self {
        Self { clock, kept: Arc::default() }
    }

    /// The present minute of the rehearsal, counted from 1970: what [`Series`] are written with. Asked once for all
    /// that one event is counted in.
    pub fn minute(&self) -> u64 {
        minute_of(self.clock.now())
    }

    /// The series of `id`, made if there is none. To be held on to, not asked for with every event.
    pub fn of(&self, id: Id, kind: Kind) -> Arc<Series> {
        if let Some(series) = self.kept.read().unwrap_or_else(PoisonError::into_inner).get(&id) {
            return series.clone();
        }
        let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        kept.entry(id).or_insert_with(|| Arc::new(Series::new(kind))).clone()
    }

    /// What was measured from `from` (inclusive) to `to` (exclusive): the start of each minute that has data, oldest
    /// first, and its statistics. Empty where there is no such metric.
    pub fn series(
        &self,
        namespace: &str,
        metric: &str,
        dimensions: &BTreeMap<String, String>,
        from: SystemTime,
        to: SystemTime,
    ) -> Vec<(SystemTime, Stat)> {
        let id = Id { namespace: namespace.into(), metric: metric.into(), dimensions: dimensions.clone() };
        let series = self.kept.read().unwrap_or_else(PoisonError::into_inner).get(&id).cloned();
        let minutes = series.map(|series| series.read(first_from(from)..first_from(to))).unwrap_or_default();
        minutes.into_iter().map(|(minute, stat)| (start_of(minute), stat)).collect()
    }

    /// Every metric that has data, in order.
    pub fn list(&self) -> Vec<Id> {
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        kept.iter().filter(|(_, series)| !series.is_empty()).map(|(id, _)| id.clone()).collect()
    }

    /// Enters statistics that somebody else measured at `at`.
    pub fn put(&self, id: Id, at: SystemTime, stat: &Stat) {
        self.of(id, Kind::Values).put(minute_of(at), stat);
    }
}

fn minute_of(at: SystemTime) -> u64 {
    at.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs() / 60
}

fn start_of(minute: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(minute.saturating_mul(60))
}

/// The first minute that starts at or after `at`: a minute belongs to a period by its start.
fn first_from(at: SystemTime) -> u64 {
    let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos().div_ceil(60_000_000_000)).unwrap_or(u64::MAX)
}
