//! The window a stage is judged in: from when its weights are really in effect, to what is measured by now.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::stats::{self, Level};
use crate::clients::metrics::{Count, Minute, Window};

/// What was measured of a minute is whole so long after its end: a balancer reports by the minute.
/// Source: ALB user guide, "`CloudWatch` metrics" (60-second intervals); the rest is for what comes late.
pub const LATE: Duration = Duration::from_mins(1);

const MINUTE: u64 = 60;

/// What a window holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Traffic {
    /// From the first minute with the meant share on; all since the shift until there is one.
    pub window: Window,
    /// The old side's, then the new side's.
    pub sides: [Count; 2],
    /// What the balancer itself answered with 5xx.
    pub balancer_errors: u64,
    /// Since when the meant share was measured.
    pub settled: Option<SystemTime>,
}

impl Traffic {
    /// Requests to both sides.
    pub fn requests(&self) -> u64 {
        self.sides.iter().map(|side| side.requests).sum()
    }

    /// The new side's share, in percent.
    #[allow(clippy::cast_precision_loss, reason = "counts of requests stay far below 2⁵³")]
    pub fn share(&self) -> Option<f64> {
        let all = self.requests();
        (all > 0).then(|| self.sides[1].requests as f64 * 100.0 / all as f64)
    }
}

/// The whole minutes between a shift and now, without those that are still being measured.
pub fn since(shift: SystemTime, now: SystemTime) -> Window {
    let from = moment(seconds(shift).div_ceil(MINUTE) * MINUTE);
    let to = moment(seconds(now.checked_sub(LATE).unwrap_or(UNIX_EPOCH)) / MINUTE * MINUTE);
    Window { from, to: to.max(from) }
}

/// When the first minute after the shift can be looked at.
pub fn first_look(shift: SystemTime) -> SystemTime {
    since(shift, shift).from + Duration::from_secs(MINUTE) + LATE
}

/// As long a window before the shift, at least one minute.
pub fn before(shift: SystemTime, length: Duration) -> Window {
    let to = moment(seconds(shift) / MINUTE * MINUTE);
    let length = Duration::from_secs(length.as_secs().div_ceil(MINUTE).max(1) * MINUTE);
    Window { from: to.checked_sub(length).unwrap_or(UNIX_EPOCH), to }
}

/// Adds a window up. The share (0 to 1) is settled from the first minute on that fits what is meant, `within` so many
/// percentage points and what chance allows, if all since, and the last minute by itself, fit it as well.
pub fn measure(minutes: &[Minute], window: Window, meant: f64, within: f64, level: Level) -> Traffic {
    let inside: Vec<&Minute> = minutes.iter().filter(|m| (window.from..window.to).contains(&m.at)).collect();
    let busy = |minute: &&&Minute| minute.sides.iter().any(|side| side.requests > 0);
    let alone = |minute: &Minute| fits(minute.sides, meant, within, level);
    let begins = inside.iter().position(|minute| busy(&minute) && alone(minute));
    let last = inside.iter().rev().find(busy).is_some_and(|minute| alone(minute));
    let counted = &inside[begins.unwrap_or(0)..];
    let mut traffic = Traffic { window, sides: [Count::default(); 2], balancer_errors: 0, settled: None };
    for minute in counted {
        traffic.sides = [traffic.sides[0] + minute.sides[0], traffic.sides[1] + minute.sides[1]];
        traffic.balancer_errors += minute.balancer_errors;
    }
    if let Some(first) = begins.and_then(|at| inside.get(at)) {
        traffic.window.from = first.at;
        traffic.settled = (last && fits(traffic.sides, meant, within, level)).then_some(first.at);
    }
    traffic
}

/// Whether the measured share may be the meant one.
fn fits(sides: [Count; 2], meant: f64, within: f64, level: Level) -> bool {
    let bounds = stats::share(sides[1].requests, sides[0].requests + sides[1].requests, level);
    (bounds.low - within / 100.0..=bounds.high + within / 100.0).contains(&meant)
}

fn seconds(at: SystemTime) -> u64 {
    at.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

fn moment(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LEVEL: f64 = 99.9;

    fn at(minute: u64) -> SystemTime {
        moment(1_700_000_040 + minute * 60)
    }

    fn minutes(counts: &[(u64, u64)]) -> Vec<Minute> {
        let one = |(n, (old, new)): (u64, &(u64, u64))| Minute {
            at: at(n),
            sides: [*old, *new].map(|requests| Count { requests, errors: 0 }),
            balancer_errors: 0,
        };
        (0..).zip(counts).map(one).collect()
    }

    fn measured(counts: &[(u64, u64)], meant: f64) -> Traffic {
        let window = Window { from: at(0), to: at(counts.len() as u64) };
        measure(&minutes(counts), window, meant, 2.0, Level::of_confidence(LEVEL))
    }

    #[test]
    fn the_window_begins_with_the_first_whole_minute_and_ends_before_what_is_still_measured() {
        let shift = at(0) + Duration::from_secs(10);
        assert_eq!(since(shift, at(5) + Duration::from_secs(59)), Window { from: at(1), to: at(4) });
        assert_eq!(since(shift, shift), Window { from: at(1), to: at(1) });
        assert_eq!(first_look(shift), at(3));
        assert_eq!(since(shift, first_look(shift)), Window { from: at(1), to: at(2) });
        assert_eq!(before(shift, Duration::from_secs(61)), Window { from: at(0) - Duration::from_mins(2), to: at(0) });
    }

    #[test]
    fn a_share_settles_with_the_first_minute_that_fits() {
        let late = measured(&[(600, 0), (590, 10), (450, 150), (455, 145)], 0.25);
        assert_eq!((late.settled, late.window.from), (Some(at(2)), at(2)));
        assert_eq!(late.sides[1].requests, 295);
        assert_eq!(late.share().map(f64::round), Some(25.0));
    }

    #[test]
    fn a_side_that_gets_nothing_never_settles_and_one_that_stops_is_seen() {
        assert_eq!(measured(&[(600, 0), (600, 0)], 0.25).settled, None);
        assert_eq!(measured(&[(450, 150), (450, 150), (600, 0)], 0.25).settled, None, "the last minute counts");
        assert_eq!(measured(&[(600, 0)], 1.0).settled, None);
        assert!(measured(&[(0, 600)], 1.0).settled.is_some());
        let quiet = measured(&[], 0.25);
        assert_eq!((quiet.settled, quiet.share(), quiet.requests()), (None, None, 0));
    }

    #[test]
    fn few_requests_say_little_against_a_share() {
        assert!(measured(&[(6, 0)], 0.01).settled.is_some());
        assert!(measured(&[(40, 0)], 0.01).settled.is_some());
    }

    proptest! {
        #[test]
        fn the_very_share_always_fits(percent in 1_u32..=100, hundreds in 1_u64..50) {
            let (share, percent) = (f64::from(percent) / 100.0, u64::from(percent));
            let traffic = measured(&[((100 - percent) * hundreds, percent * hundreds)], share);
            prop_assert!(traffic.settled.is_some());
        }
    }
}
