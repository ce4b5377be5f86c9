//! New side against old: errors, and how long an answer takes.

use std::time::Duration;

use super::Gates;
use super::stats::{self, Level};
use crate::clients::metrics::{Count, Measured, MetricsRead, Window};
use crate::clients::{ClientError, ClientResult};
use crate::event::{Finding, Gate};

/// The percentiles that are compared.
const PERCENTS: [f64; 2] = [50.0, 99.0];

/// A gate, and what it means that too little was measured for it.
#[derive(Debug, Clone, PartialEq)]
pub struct Held {
    /// How it stands.
    pub gate: Gate,
    /// Too few requests, and what there were gave no cause for doubt: own probes may carry it.
    pub thin: bool,
}

impl Held {
    /// A gate that rests on enough.
    pub fn of(gate: &str, finding: Finding, figures: String) -> Self {
        Self { gate: Gate { gate: gate.to_owned(), finding, figures }, thin: false }
    }

    fn thin(gate: &str, figures: String) -> Self {
        Self { thin: true, ..Self::of(gate, Finding::Inconclusive, figures) }
    }

    /// A gate that could not be looked at.
    pub fn unread(gate: &str, error: &ClientError) -> Self {
        let hint = error.hint.as_ref().map(|hint| format!(" ({hint})")).unwrap_or_default();
        Self::of(gate, Finding::Error, format!("{error}{hint}"))
    }
}

/// Whether one count of errors is worse than another by more than `errors-above`, and not by chance.
pub fn errors(gate: &str, gates: &Gates, new: Count, old: Count, against: &str) -> Held {
    let level = Level::of_confidence(gates.confidence);
    let chance = stats::chance_of_excess((new.errors, new.requests), (old.errors, old.requests));
    let excess = percent(new) - percent(old);
    let told = |count: Count| format!("{} of {} ({:.2} %)", count.errors, count.requests, percent(count));
    let figures = format!("{} against {} {against}", told(new), told(old));
    let doubtful = excess > gates.errors_above;
    if doubtful && chance < level.alpha {
        return Held::of(gate, Finding::Failed, format!("{figures}; by chance alone once in {:.0}", 1.0 / chance));
    }
    if new.requests.min(old.requests) < gates.min_samples {
        let figures = format!("{figures}; {} of each are the least", gates.min_samples);
        return Held { thin: !doubtful, ..Held::thin(gate, figures) };
    }
    if doubtful {
        let figures = format!("{figures}; more than {} points apart, not proven yet", gates.errors_above);
        return Held::of(gate, Finding::Inconclusive, figures);
    }
    Held::of(gate, Finding::Passed, figures)
}

/// Where the times of one side come from.
#[derive(Debug, Clone, Copy)]
pub struct Timed {
    /// Which side.
    pub side: usize,
    /// When.
    pub window: Window,
    /// How many requests there were.
    pub requests: u64,
}

/// Whether the new side answers more slowly than `slower-than` times the old side's time plus `slower-by`.
pub async fn latency(
    metrics: &dyn MetricsRead,
    of: &Measured,
    gates: &Gates,
    new: Timed,
    old: Timed,
    against: &str,
) -> Held {
    const GATE: &str = "latency";
    if new.requests.min(old.requests) < gates.min_samples {
        let figures = format!("{} against {} requests, {} the least", new.requests, old.requests, gates.min_samples);
        return Held::thin(GATE, figures);
    }
    let read = futures::future::try_join(times(metrics, of, gates, new), times(metrics, of, gates, old));
    let (new, old) = match read.await {
        Ok(read) => read,
        Err(error) => return Held::unread(GATE, &error),
    };
    let (Some(new), Some(old)) = (new, old) else {
        return Held::of(GATE, Finding::Inconclusive, "requests were counted, and no response times".to_owned());
    };
    let limit = |time: f64| time.mul_add(gates.slower_than, gates.slower_by.as_secs_f64());
    let mut finding = Finding::Passed;
    let mut figures = Vec::new();
    for ((percent, new), old) in PERCENTS.iter().zip(&new).zip(&old) {
        let one = if new.least > limit(old.most) {
            Finding::Failed
        } else if new.at > limit(old.at) {
            Finding::Inconclusive
        } else {
            Finding::Passed
        };
        finding = finding.max(one);
        figures.push(format!("p{percent} {} against {}", words(new.at), words(old.at)));
    }
    let most = format!("{} times and {} are the most", gates.slower_than, words(gates.slower_by.as_secs_f64()));
    let figures = match finding {
        Finding::Passed => format!("{} {against}", figures.join(", ")),
        Finding::Inconclusive => format!("{} {against}; {most}, not proven yet", figures.join(", ")),
        _ => format!("{} {against}; {most}", figures.join(", ")),
    };
    Held::of(GATE, finding, figures)
}

/// A percentile, and what it lies between for sure, in seconds.
#[derive(Debug, Clone, Copy)]
struct Time {
    at: f64,
    least: f64,
    most: f64,
}

/// The percentiles of one side; `None` where there is none.
async fn times(
    metrics: &dyn MetricsRead,
    of: &Measured,
    gates: &Gates,
    timed: Timed,
) -> ClientResult<Option<Vec<Time>>> {
    let level = Level::of_confidence(gates.confidence);
    let asked: Vec<f64> = PERCENTS
        .iter()
        .flat_map(|percent| {
            let around = stats::percentiles_around(*percent, timed.requests, level);
            [*percent, around.low, around.high]
        })
        .collect();
    let found = metrics.response_times(of, timed.side, timed.window, &asked).await?;
    let all: Option<Vec<(f64, f64)>> = found.into_iter().collect();
    Ok(all.map(|all| {
        all.chunks_exact(3).map(|c| Time { at: f64::midpoint(c[0].0, c[0].1), least: c[1].0, most: c[2].1 }).collect()
    }))
}

fn words(seconds: f64) -> String {
    let seconds = Duration::try_from_secs_f64(seconds).unwrap_or_default();
    if seconds < Duration::from_secs(10) {
        format!("{} ms", seconds.as_millis())
    } else {
        super::timing::words(seconds)
    }
}

#[allow(clippy::cast_precision_loss, reason = "counts of requests stay far below 2⁵³")]
fn percent(count: Count) -> f64 {
    if count.requests == 0 { 0.0 } else { count.errors.min(count.requests) as f64 * 100.0 / count.requests as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(new: (u64, u64), old: (u64, u64)) -> (Finding, bool) {
        let count = |(errors, requests)| Count { requests, errors };
        let held = errors("errors", &Gates::default(), count(new), count(old), "of the old side");
        (held.gate.finding, held.thin)
    }

    #[test]
    fn errors_are_compared_and_not_counted() {
        assert_eq!(held((0, 500), (0, 1500)), (Finding::Passed, false));
        assert_eq!(held((10, 500), (30, 1500)), (Finding::Passed, false), "as bad as the old side");
        assert_eq!(held((10, 500), (0, 1500)), (Finding::Failed, false));
        assert_eq!(held((2, 150), (0, 450)), (Finding::Inconclusive, false), "more, but it may be chance");
        assert_eq!(held((3, 1000), (0, 3000)), (Finding::Passed, false), "below what matters");
    }

    #[test]
    fn too_few_requests_never_pass_and_are_carried_only_without_a_doubt() {
        assert_eq!(held((0, 99), (0, 5000)), (Finding::Inconclusive, true));
        assert_eq!(held((1, 50), (0, 5000)), (Finding::Inconclusive, false));
        assert_eq!(held((8, 50), (0, 5000)), (Finding::Failed, false), "plain enough");
        assert_eq!(held((0, 0), (0, 0)), (Finding::Inconclusive, true));
    }
}
