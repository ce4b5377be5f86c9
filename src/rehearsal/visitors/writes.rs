//! The write pause: how long, at worst, the application acknowledged no write while visitors were writing.

use std::time::{Duration, Instant};

/// Measures the gaps between acknowledgements.
///
/// A gap runs from one acknowledgement to the next, over all visitors, with nothing taken off: what the visitors' own
/// rate accounts for is in it, and is told beside it as the usual gap. While writing is switched off no gap runs. A gap
/// that is still open counts as far as it has come, once a write was attempted in it.
#[derive(Debug, Default)]
pub struct WriteMeter {
    resting: bool,
    last: Option<Instant>,
    attempted_since: bool,
    longest: Option<(Instant, Duration)>,
    gaps: Vec<u32>,
    latencies: Vec<u32>,
}

impl WriteMeter {
    /// A write is about to be sent.
    pub fn attempted(&mut self) {
        self.attempted_since = !self.resting;
    }

    /// A write was acknowledged at `now`, `took` after it was sent.
    pub fn acknowledged(&mut self, now: Instant, took: Duration) {
        self.latencies.push(micros(took));
        // the last walks before a rest still end: no gap may begin with them
        if self.resting {
            return;
        }
        if let Some(last) = self.last {
            let gap = now.saturating_duration_since(last);
            self.gaps.push(micros(gap));
            self.count(last, gap);
        }
        self.last = Some(now);
        self.attempted_since = false;
    }

    /// Writing is switched off from `now`.
    pub fn off(&mut self, now: Instant) {
        self.longest = self.longest(now);
        self.last = None;
        self.attempted_since = false;
        self.resting = true;
    }

    /// Writing is switched on again.
    pub fn on(&mut self) {
        self.resting = false;
    }

    /// The longest gap so far, when it began, and how long it was.
    pub fn longest(&self, now: Instant) -> Option<(Instant, Duration)> {
        let open = self.last.filter(|_| self.attempted_since).map(|last| (last, now.saturating_duration_since(last)));
        [self.longest, open].into_iter().flatten().max_by_key(|(_, gap)| *gap)
    }

    /// The median gap.
    pub fn usual(&self) -> Option<Duration> {
        median(&self.gaps)
    }

    /// The median time a write took to be acknowledged.
    pub fn latency(&self) -> Option<Duration> {
        median(&self.latencies)
    }

    fn count(&mut self, began: Instant, gap: Duration) {
        if self.longest.is_none_or(|(_, longest)| gap > longest) {
            self.longest = Some((began, gap));
        }
    }
}

/// Saturates at over an hour.
fn micros(duration: Duration) -> u32 {
    u32::try_from(duration.as_micros()).unwrap_or(u32::MAX)
}

fn median(micros: &[u32]) -> Option<Duration> {
    let mut micros = micros.to_vec();
    let middle = micros.len().checked_sub(1)? / 2;
    let (_, median, _) = micros.select_nth_unstable(middle);
    Some(Duration::from_micros((*median).into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_is_the_longest_gap_between_acknowledgements_while_writing_is_on() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let took = Duration::from_millis(3);
        let mut meter = WriteMeter::default();
        assert_eq!(meter.longest(at(900)), None, "nothing was acknowledged yet");
        for ms in [1000, 1010, 1020, 1400, 1410] {
            meter.attempted();
            meter.acknowledged(at(ms), took);
        }
        assert_eq!(meter.longest(at(9000)), Some((at(1020), Duration::from_millis(380))), "idle time is no gap");
        assert_eq!((meter.usual(), meter.latency()), (Some(Duration::from_millis(10)), Some(took)));
        meter.off(at(1500));
        meter.attempted();
        meter.acknowledged(at(1600), took);
        meter.on();
        meter.attempted();
        meter.acknowledged(at(5000), took);
        assert_eq!(meter.longest(at(5000)).unwrap().1, Duration::from_millis(380), "off time is no gap");
        meter.attempted();
        assert_eq!(meter.longest(at(7000)), Some((at(5000), Duration::from_secs(2))), "the open gap counts");
        meter.off(at(7500));
        assert_eq!(meter.longest(at(9999)).unwrap().1, Duration::from_millis(2500));
    }
}
