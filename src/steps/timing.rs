//! Waits that count from the moment a change was applied, so that a crash does not begin them anew.

use std::time::Duration;

use crate::step::{Look, SHOWS_WITHIN, Verdict};

/// The least between two looks while a step waits.
const LOOK_AGAIN: Duration = Duration::from_secs(30);

/// What is left of a wait that began when the change was applied; all of it if that is not known.
pub fn left(look: &Look, whole: Duration) -> Duration {
    let Some(applied) = look.applied_at else { return whole };
    whole.saturating_sub(look.clock.now().duration_since(applied).unwrap_or_default())
}

/// Waits until so long after the change was applied: about `times` looks meanwhile, and one an hour at the least.
pub fn until_seldom(look: &Look, whole: Duration, times: u32, why: &str) -> Verdict {
    wait(left(look, whole), (whole / times.max(1)).clamp(LOOK_AGAIN, Duration::from_hours(1)), why)
}

fn wait(left: Duration, every: Duration, why: &str) -> Verdict {
    if left.is_zero() {
        return Verdict::Holds;
    }
    Verdict::Wait { why: format!("{why}, {} left", words(left)), again_in: left.min(every) }
}

/// Something is not so yet: waits for it up to a limit, then it is broken.
pub fn grace(look: &Look, limit: Duration, why: String) -> Verdict {
    if left(look, limit).is_zero() {
        return Verdict::Broken(format!("{why}, and it should have been so within {}", words(limit)));
    }
    Verdict::Wait { why, again_in: Duration::from_secs(2) }
}

/// What looks as if the change had not been made: waits for it to show, then it is `wrong`.
pub fn may_not_show_yet(look: &Look, wrong: Verdict) -> Verdict {
    let (Verdict::Broken(why) | Verdict::Drifted(why)) = &wrong else { return wrong };
    if look.applied_at.is_none() || left(look, SHOWS_WITHIN).is_zero() {
        return wrong;
    }
    Verdict::Wait { why: format!("{why}; it may not show yet"), again_in: Duration::from_secs(1) }
}

/// A duration as people say it: `90 s`, `10 min`, `7 d`.
pub fn words(duration: Duration) -> String {
    match duration.as_secs() {
        s if s >= 172_800 && s % 86_400 == 0 => format!("{} d", s / 86_400),
        s if s >= 7_200 && s % 3_600 == 0 => format!("{} h", s / 3_600),
        s if s >= 120 && s % 60 == 0 => format!("{} min", s / 60),
        s => format!("{s} s"),
    }
}
