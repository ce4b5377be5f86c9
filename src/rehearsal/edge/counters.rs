//! What the balancer counts for each target group. Lock-free: every request writes here.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use serde::Serialize;

/// One bucket for every power of two of microseconds, up to about a minute.
const BUCKETS: usize = 27;

/// The running counters of one target group.
#[derive(Debug, Default)]
pub struct Counters {
    requests: AtomicU64,
    classes: [AtomicU64; 6],
    balancer_errors: AtomicU64,
    micros: AtomicU64,
    latencies: [AtomicU64; BUCKETS],
}

impl Counters {
    /// Counts a request the target answered with `status`, its head after `took`.
    pub fn answered(&self, status: u16, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.requests.fetch_add(1, Relaxed);
        self.classes[usize::from(status / 100).min(5)].fetch_add(1, Relaxed);
        self.micros.fetch_add(micros, Relaxed);
        self.latencies[bucket(micros)].fetch_add(1, Relaxed);
    }

    /// Counts a request no target answered (the client got 502, 503 or 504 from the balancer).
    pub fn unanswered(&self) {
        self.requests.fetch_add(1, Relaxed);
        self.balancer_errors.fetch_add(1, Relaxed);
    }

    /// The counts at this moment.
    pub fn read(&self) -> GroupCounts {
        let requests = self.requests.load(Relaxed);
        let class = |n: usize| self.classes[n].load(Relaxed);
        let latencies: [u64; BUCKETS] = std::array::from_fn(|i| self.latencies[i].load(Relaxed));
        let answered: u64 = latencies.iter().sum();
        GroupCounts {
            requests,
            status_2xx: class(2),
            status_3xx: class(3),
            status_4xx: class(4),
            status_5xx: class(5),
            balancer_errors: self.balancer_errors.load(Relaxed),
            mean_micros: self.micros.load(Relaxed).checked_div(answered).unwrap_or(0),
            p50_micros: quantile(&latencies, answered, 50),
            p99_micros: quantile(&latencies, answered, 99),
        }
    }
}

/// What a target group was sent since the edge started.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct GroupCounts {
    /// Requests routed to the group, answered or not.
    pub requests: u64,
    /// Answered with 2xx by a target.
    pub status_2xx: u64,
    /// Answered with 3xx by a target.
    pub status_3xx: u64,
    /// Answered with 4xx by a target.
    pub status_4xx: u64,
    /// Answered with 5xx by a target.
    pub status_5xx: u64,
    /// Answered with 502, 503 or 504 by the balancer itself.
    pub balancer_errors: u64,
    /// Mean time to the head of a target's answer, in microseconds.
    pub mean_micros: u64,
    /// Median of the same: the upper bound of its power-of-two bucket.
    pub p50_micros: u64,
    /// 99th percentile of the same: the upper bound of its power-of-two bucket.
    pub p99_micros: u64,
}

fn bucket(micros: u64) -> usize {
    ((64 - micros.leading_zeros()) as usize).min(BUCKETS - 1)
}

fn quantile(latencies: &[u64; BUCKETS], total: u64, percent: u64) -> u64 {
    let wanted = (total * percent).div_ceil(100).max(1);
    let mut seen = 0;
    for (i, count) in latencies.iter().enumerate() {
        seen += count;
        if seen >= wanted {
            return 1 << i;
        }
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_and_quantiles_are_those_of_what_was_counted() {
        let counters = Counters::default();
        for _ in 0..98 {
            counters.answered(200, Duration::from_micros(900));
        }
        counters.answered(404, Duration::from_millis(9));
        counters.answered(503, Duration::from_millis(9));
        counters.unanswered();
        let read = counters.read();
        assert_eq!((read.requests, read.status_2xx, read.status_4xx, read.status_5xx), (101, 98, 1, 1));
        assert_eq!(read.balancer_errors, 1);
        assert_eq!((read.p50_micros, read.p99_micros), (1024, 16384));
        assert_eq!(Counters::default().read(), GroupCounts::default());
    }
}
