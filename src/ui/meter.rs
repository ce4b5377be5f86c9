//! How fast something goes, and how long it will take yet.

use std::time::Duration;

use indicatif::{HumanBytes, HumanCount, HumanDuration};

/// Watches one thing being counted.
#[derive(Debug, Clone)]
pub struct Meter {
    since: Duration,
    first: u64,
}

impl Meter {
    /// Begins to watch.
    pub fn new(now: Duration, done: u64) -> Self {
        Self { since: now, first: done }
    }

    /// For how long it has been watched.
    pub fn age(&self, now: Duration) -> Duration {
        now.saturating_sub(self.since)
    }

    /// `12 MiB of 200 MiB (6 %), 4 MiB/s, 47 seconds left`, as far as that is known.
    pub fn tell(&self, now: Duration, done: u64, total: u64, bytes: bool) -> String {
        let mut text = amount(done, bytes);
        if total > 0 {
            let percent = u128::from(done) * 100 / u128::from(total);
            text = format!("{text} of {} ({percent} %)", amount(total, bytes));
        }
        let millis = self.age(now).as_millis();
        let moved = u128::from(done.saturating_sub(self.first));
        let rate = u64::try_from(moved * 1000 / millis.max(1)).unwrap_or(u64::MAX);
        if millis >= 1000 && rate > 0 {
            text = format!("{text}, {}/s", amount(rate, bytes));
            if total > done {
                let left = Duration::from_secs((total - done) / rate);
                text = format!("{text}, {} left", HumanDuration(left));
            }
        }
        text
    }
}

fn amount(number: u64, bytes: bool) -> String {
    if bytes { HumanBytes(number).to_string() } else { HumanCount(number).to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rate_and_time_left_are_told_once_they_mean_something() {
        let meter = Meter::new(Duration::from_secs(10), 1 << 20);
        let told = |seconds, done, total, bytes| meter.tell(Duration::from_secs(seconds), done, total, bytes);
        assert_eq!(told(10, 1 << 20, 100 << 20, true), "1.00 MiB of 100.00 MiB (1 %)");
        assert_eq!(told(20, 11 << 20, 100 << 20, true), "11.00 MiB of 100.00 MiB (11 %), 1.00 MiB/s, 89 seconds left");
        assert_eq!(told(20, 100 << 20, 100 << 20, true), "100.00 MiB of 100.00 MiB (100 %), 9.90 MiB/s");
        assert_eq!(told(20, 2_000_000, 0, false), "2,000,000, 95,142/s");
        assert!(told(20, u64::MAX, u64::MAX, true).contains("100 %"));
    }
}
