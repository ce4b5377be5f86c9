//! One metric, written without a lock: the minute under way in atomics, those before it in a list.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Kind;
use super::stat::{BUCKETS, Stat, bucket, units};

/// How many minutes that have data are kept of one metric: half a day's traffic, however far the clock was skipped
/// between them.
const KEPT: usize = 720;

/// The samples of one metric. A sample that comes while its minute is being closed may be counted to the next one; none
/// is lost.
#[derive(Debug)]
pub struct Series {
    kind: Kind,
    /// The minute under way, from 1970.
    minute: AtomicU64,
    samples: AtomicU64,
    /// Millionths, as all values here.
    sum: AtomicU64,
    min: AtomicU64,
    max: AtomicU64,
    /// Only where samples differ.
    buckets: Option<Box<[AtomicU64]>>,
    done: Mutex<VecDeque<(u64, Stat)>>,
}

impl Series {
    pub(super) fn new(kind: Kind) -> Self {
        let buckets = (kind == Kind::Values).then(|| (0..BUCKETS).map(|_| AtomicU64::new(0)).collect());
        Self {
            kind,
            minute: AtomicU64::new(0),
            samples: AtomicU64::new(0),
            sum: AtomicU64::new(0),
            min: AtomicU64::new(u64::MAX),
            max: AtomicU64::new(0),
            buckets,
            done: Mutex::default(),
        }
    }

    /// Counts one sample of 1 in `minute` ([`super::Metrics::minute`]). For a series of [`Kind::Ones`].
    pub fn count(&self, minute: u64) {
        self.turn(minute);
        self.samples.fetch_add(1, Relaxed);
    }

    /// Adds a sample to `minute`, in millionths of the metric's unit (microseconds, for seconds). For a series of
    /// [`Kind::Values`] or [`Kind::Sums`].
    pub fn observe(&self, minute: u64, millionths: u64) {
        self.turn(minute);
        self.sum.fetch_add(millionths, Relaxed);
        self.min.fetch_min(millionths, Relaxed);
        self.max.fetch_max(millionths, Relaxed);
        if let Some(buckets) = &self.buckets {
            buckets[bucket(millionths)].fetch_add(1, Relaxed);
        }
        self.samples.fetch_add(1, Relaxed);
    }

    /// The statistics of those of `minutes` that have data, the oldest first.
    pub(super) fn read(&self, minutes: Range<u64>) -> Vec<(u64, Stat)> {
        let done = self.folded();
        done.iter().filter(|(minute, _)| minutes.contains(minute)).cloned().collect()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.folded().is_empty()
    }

    pub(super) fn put(&self, minute: u64, stat: &Stat) {
        enter(&mut self.folded(), minute, stat);
    }

    /// Closes the minute under way if `minute` is a later one.
    fn turn(&self, minute: u64) {
        if self.minute.load(Relaxed) >= minute {
            return;
        }
        let mut done = self.done();
        let before = self.minute.load(Relaxed);
        if before < minute {
            enter(&mut done, before, &self.take());
            self.minute.store(minute, Relaxed);
        }
    }

    /// All minutes, what was counted of the one under way included.
    fn folded(&self) -> MutexGuard<'_, VecDeque<(u64, Stat)>> {
        let mut done = self.done();
        enter(&mut done, self.minute.load(Relaxed), &self.take());
        done
    }

    /// Takes out what was counted since the last time.
    fn take(&self) -> Stat {
        let samples = self.samples.swap(0, Relaxed);
        if samples == 0 {
            return Stat::default();
        }
        if self.kind == Kind::Ones {
            return Stat::of_set(samples, units(samples.saturating_mul(1_000_000)), 1.0, 1.0);
        }
        // A sample that is being written just now may have its share in one of these and not yet in another.
        let (sum, min, max) = (self.sum.swap(0, Relaxed), self.min.swap(u64::MAX, Relaxed), self.max.swap(0, Relaxed));
        let counted = self.buckets.iter().flatten().map(|bucket| bucket.swap(0, Relaxed));
        let histogram = (0..).zip(counted).filter(|(_, count)| *count > 0).collect();
        Stat { histogram, ..Stat::of_set(samples, units(sum), units(min.min(max)), units(max)) }
    }

    fn done(&self) -> MutexGuard<'_, VecDeque<(u64, Stat)>> {
        self.done.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Puts statistics to their minute; the oldest minute makes room.
fn enter(done: &mut VecDeque<(u64, Stat)>, minute: u64, stat: &Stat) {
    if stat.samples == 0 {
        return;
    }
    match done.binary_search_by_key(&minute, |(minute, _)| *minute) {
        Ok(at) => done[at].1.merge(stat),
        Err(at) => done.insert(at, (minute, stat.clone())),
    }
    if done.len() > KEPT {
        done.pop_front();
    }
}
