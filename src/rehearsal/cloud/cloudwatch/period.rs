//! A stretch of time cut into periods, and a metric's minutes gathered into them.
//!
//! Source: CloudWatch API, `GetMetricData` and `GetMetricStatistics`: how `StartTime` is rounded, what Period may be. The
//! periods begin at the rounded `StartTime`.

use std::time::{Duration, SystemTime};

use super::super::super::metrics::{Id, Metrics, Stat};

const DAY: u64 = 86_400;

/// From when until when, in periods of so many seconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Span {
    /// Seconds since 1970, rounded down.
    from: u64,
    /// Seconds since 1970, exclusive.
    until: u64,
    /// Seconds.
    period: u64,
}

impl Span {
    /// A stretch of time, or what is wrong with its period. `now` is the rehearsal's.
    pub(super) fn new(from: SystemTime, until: SystemTime, period: u64, now: SystemTime) -> Result<Self, String> {
        let (from, until, now) = (seconds(from), seconds_up(until), seconds(now));
        let age = now.saturating_sub(from);
        // Old data is kept in coarser pieces.
        let (step, when) = match age {
            _ if age > 63 * DAY => (3600, " for start times more than 63 days ago"),
            _ if age > 15 * DAY => (300, " for start times between 15 and 63 days ago"),
            _ => (60, ""),
        };
        let fine = matches!(period, 1 | 5 | 10 | 20 | 30) && age <= DAY / 8;
        if period == 0 || !(fine || period.is_multiple_of(step)) {
            return Err(format!("must be a multiple of {step}{when}"));
        }
        let rounding = if fine { period } else { step };
        Ok(Self { from: from - from % rounding, until, period })
    }

    /// How many periods there are.
    pub(super) fn len(&self) -> u64 {
        self.until.saturating_sub(self.from).div_ceil(self.period.max(1))
    }

    /// The starts of the periods, in seconds since 1970.
    pub(super) fn starts(&self) -> impl Iterator<Item = u64> + use<> {
        let Self { from, period, .. } = *self;
        (0..self.len()).map(move |n| from + n * period)
    }

    /// A metric's statistics by the start of each period that has data.
    pub(super) fn gather(&self, metrics: &Metrics, id: &Id) -> Vec<(u64, Stat)> {
        let (from, until) = (moment(self.from), moment(self.until));
        let minutes = metrics.series(&id.namespace, &id.metric, &id.dimensions, from, until);
        let mut gathered: Vec<(u64, Stat)> = Vec::new();
        for (minute, stat) in minutes {
            let start = self.from + (seconds(minute) - self.from) / self.period * self.period;
            match gathered.last_mut() {
                Some((last, kept)) if *last == start => kept.merge(&stat),
                _ => gathered.push((start, stat)),
            }
        }
        gathered
    }
}

/// A moment of so many seconds since 1970.
pub(super) fn moment(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

fn seconds(at: SystemTime) -> u64 {
    at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs()
}

fn seconds_up(at: SystemTime) -> u64 {
    let since = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    since.as_secs() + u64::from(since.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests {
    use super::super::super::super::clock::Clock;
    use super::*;

    #[test]
    fn minutes_are_gathered_from_the_rounded_start_on() {
        let metrics = Metrics::new(Clock::default());
        let id = Id::new("Shop", "Orders", []);
        let base = 1_800_000_000 / 60 * 60;
        for minute in [0, 1, 4, 5, 9, 10] {
            metrics.put(id.clone(), moment(base + minute * 60), &Stat::of(1.0));
        }
        // from 00:01:30, rounded to 00:01, until 00:10 and a half
        let span = Span::new(moment(base + 90), moment(base + 630), 300, moment(base + 700)).unwrap();
        let sums: Vec<_> = span.gather(&metrics, &id).iter().map(|(at, s)| (at - base, s.samples)).collect();
        assert_eq!(sums, [(60, 3), (360, 2)]);
        assert_eq!(span.starts().map(|at| at - base).collect::<Vec<_>>(), [60, 360]);
    }

    #[test]
    fn old_data_has_coarser_periods() {
        let now = 1_800_000_000;
        let span = |days: u64, period| Span::new(moment(now - days * DAY), moment(now), period, moment(now));
        assert!(span(0, 10).is_ok() && span(14, 60).is_ok() && span(20, 300).is_ok() && span(70, 3600).is_ok());
        for (days, period) in [(0, 0), (0, 45), (0, 90), (1, 10), (20, 60), (70, 300)] {
            assert!(span(days, period).unwrap_err().starts_with("must be a multiple of"), "{days} {period}");
        }
    }
}
