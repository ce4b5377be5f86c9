//! A stage judged as it stands: what was measured, how each gate stands, and what follows.

use std::time::{Duration, SystemTime};

use super::compare::{Held, Timed, errors, latency};
use super::seen::{self, Seen, Times, settled, since};
use super::traffic::{self, Traffic};
use super::{Gates, hook, probes, timing};
use crate::clients::metrics::{Count, Measured};
use crate::event::{Finding, Judgement};
use crate::step::{Look, Verdict};

/// Between two looks at a stage: the balancer measures no finer than by the minute, but hosts and probes tell sooner.
const EVERY: Duration = Duration::from_secs(30);
/// How often every probe has to be answered rightly where there are too few visitors to tell.
const ROUNDS_OF_A_QUIET_SITE: usize = 10;
/// The stage to judge.
pub struct Stage<'a> {
    /// The new side's share that is meant, in percent.
    pub weight: u8,
    /// Whose figures count.
    pub measured: &'a Measured,
    /// How long it is held.
    pub bake: Duration,
    /// Why the new hosts are not healthy, if they are not.
    pub sick: Option<String>,
    /// How long they may be so.
    pub healthy_within: Duration,
}

/// Looks at everything, and says what follows.
pub async fn judge(look: &Look, stage: &Stage<'_>, gates: &Gates) -> Verdict {
    let at = Times::of(look);
    let mut held = vec![health(look, stage)];
    let seen = match seen::patient(look, stage, gates, &at).await {
        Ok(seen) => {
            held.extend(compared(look, stage, gates, &seen).await);
            seen
        }
        Err(error) => {
            held.push(Held::unread("traffic", &error));
            Seen::nothing(&at)
        }
    };
    let settled = settled(&seen.traffic, &at, gates);
    let ends = settled.map(|since| since + stage.bake);
    let over = ends.is_some_and(|end| at.now >= end);
    // That the balancer itself answered next to nothing before says nothing of the visitors now.
    let thin = held.iter().any(|held| held.thin && held.gate.gate != "balancer");
    let more = ends.is_some_and(|ends| enough_will_come(gates, &at, &seen.traffic, ends));
    let rounds = if over && thin && !more { ROUNDS_OF_A_QUIET_SITE } else { 1 };
    let (probed, asked) = probes::ask(look, gates, rounds).await;
    let well = probed.gate.finding == Finding::Passed;
    held.push(probed);
    let mut judgement = Judgement {
        weight: stage.weight,
        measured_share: seen.traffic.share().map(|share| (share * 100.0).round() / 100.0),
        samples: seen.traffic.sides.map(|side| side.requests),
        window_seconds: since(seen.traffic.window.to, seen.traffic.window.from).as_secs(),
        verdict: Finding::Inconclusive,
        reason: String::new(),
        dry_run: gates.dry_run,
        gates: held.iter().map(|held| held.gate.clone()).collect(),
    };
    if let Some(command) = &gates.hook {
        held.push(hook::ask(look, command, &judgement).await);
        judgement.gates.extend(held.last().map(|held| held.gate.clone()));
    }
    let standing = Standing { held: &held, ends, thin, more, well, asked, seen: &seen };
    let (finding, verdict) = follows(look, stage, gates, &at, &standing);
    judgement.verdict = finding;
    judgement.reason = match &verdict {
        Verdict::Wait { why, .. } | Verdict::Broken(why) | Verdict::Undecided(why) => why.clone(),
        _ => passed(&standing, gates),
    };
    Verdict::Judged(Box::new(judgement), Box::new(verdict))
}

fn health(look: &Look, stage: &Stage<'_>) -> Held {
    match &stage.sick {
        None => Held::of("health", Finding::Passed, "every target of the new side is healthy".to_owned()),
        Some(why) => {
            let late = timing::left(look, stage.healthy_within).is_zero();
            Held::of("health", if late { Finding::Failed } else { Finding::Inconclusive }, why.clone())
        }
    }
}

/// Errors, response times and the balancer's own errors. The old side is asked in the same window; where it gets no
/// visitors any more, in the one before the shift.
async fn compared(look: &Look, stage: &Stage<'_>, gates: &Gates, seen: &Seen) -> Vec<Held> {
    let [old, new] = seen.traffic.sides;
    let window = seen.traffic.window;
    let same = (old, window, "of the old side in the same window");
    let (old, when, against) = match seen.before.window {
        Some(earlier) if stage.weight == 100 => (seen.before.old, earlier, "of the old side before this stage"),
        _ => same,
    };
    let timed = |side, window, count: Count| Timed { side, window, requests: count.requests };
    let slowness = latency(&*look.metrics, stage.measured, gates, timed(1, window, new), timed(0, when, old), against);
    let own = |errors, requests| Count { requests: requests + errors, errors };
    let now = own(seen.traffic.balancer_errors, seen.traffic.requests());
    let earlier = own(seen.before.balancer_errors, seen.before.all);
    vec![
        errors("errors", gates, new, old, against),
        slowness.await,
        errors("balancer", gates, now, earlier, "of the balancer itself before this stage"),
    ]
}

/// Everything that a verdict follows from.
struct Standing<'a> {
    held: &'a [Held],
    ends: Option<SystemTime>,
    /// Too few requests to tell.
    thin: bool,
    /// Enough will come if they are waited for.
    more: bool,
    well: bool,
    asked: usize,
    seen: &'a Seen,
}

impl Standing<'_> {
    /// What stands in the way of a pass, the gravest first.
    fn worst(&self) -> Option<&Held> {
        let carried = |held: &&Held| held.thin && self.well;
        let open = self.held.iter().filter(|held| held.gate.finding != Finding::Passed);
        open.filter(|held| !carried(held)).max_by_key(|held| held.gate.finding)
    }
}

fn follows(look: &Look, stage: &Stage<'_>, gates: &Gates, at: &Times, on: &Standing<'_>) -> (Finding, Verdict) {
    let worst = on.worst();
    if let Some(failed) = worst.filter(|held| held.gate.finding == Finding::Failed)
        && !gates.dry_run
    {
        return (Finding::Failed, Verdict::Broken(told(stage, failed)));
    }
    if gates.dry_run {
        let left = timing::left(look, stage.bake);
        let finding = worst.map_or(Finding::Passed, |held| held.gate.finding);
        let why = || format!("{} % go to the new side; the gates only report", stage.weight);
        return (finding, if left.is_zero() { Verdict::Holds } else { wait(why(), left) });
    }
    let Some(ends) = on.ends else { return unsettled(stage, gates, at, on, worst) };
    if at.now < ends {
        let left = since(ends, at.now);
        let why =
            format!("{} % go to the new side; this is held and watched, {} left", stage.weight, timing::words(left));
        let finding = worst.map_or(Finding::Inconclusive, |held| held.gate.finding.max(Finding::Inconclusive));
        return (finding, wait(why, left));
    }
    match worst {
        Some(held) => {
            let limit = if held.gate.finding == Finding::Error { gates.unreadable_for } else { gates.undecided_for };
            let late = since(at.now, ends.max(at.patience)) >= limit;
            let why = told(stage, held);
            (held.gate.finding, if late { Verdict::Undecided(why) } else { wait(why, EVERY) })
        }
        // Chance allows it, but with more requests it would come closer.
        None if !near(stage, gates, &on.seen.traffic) && since(at.now, ends.max(at.patience)) < gates.undecided_for => {
            let share = on.seen.traffic.share().unwrap_or_default();
            let why = format!("the bake is over; {share:.1} % were measured, and {} % are meant", stage.weight);
            (Finding::Inconclusive, wait(why, EVERY))
        }
        None if on.thin && on.more => {
            (Finding::Inconclusive, wait("the bake is over; more requests are waited for".to_owned(), EVERY))
        }
        None => (Finding::Passed, Verdict::Holds),
    }
}

fn unsettled(
    stage: &Stage<'_>,
    gates: &Gates,
    at: &Times,
    on: &Standing<'_>,
    worst: Option<&Held>,
) -> (Finding, Verdict) {
    let finding = worst.map_or(Finding::Inconclusive, |held| held.gate.finding.max(Finding::Inconclusive));
    let first = traffic::first_look(at.shift);
    if at.now < first {
        let why = format!("{} % go to the new side; the first whole minute is measured", stage.weight);
        return (finding, wait(why, since(first, at.now)));
    }
    let [_, new] = on.seen.traffic.sides;
    let share = on.seen.traffic.share();
    let why = match worst.filter(|held| held.gate.finding == Finding::Error) {
        Some(held) => told(stage, held),
        None => format!(
            "the new side gets {} of {} requests ({:.1} %), and {} % are meant",
            new.requests,
            on.seen.traffic.requests(),
            share.unwrap_or(0.0),
            stage.weight
        ),
    };
    let mut patience = gates.settle_within + traffic::LATE;
    if !on.seen.readable {
        // Hosts and probes are watched all the while: what cannot be read now may be read before the stage is over.
        patience += stage.bake + gates.unreadable_for;
    }
    let late = since(at.now, at.patience) >= patience;
    (finding, if late { Verdict::Undecided(why) } else { wait(why, EVERY) })
}

/// Whether the measured share is as near the meant one as is asked for, chance aside.
fn near(stage: &Stage<'_>, gates: &Gates, traffic: &Traffic) -> bool {
    traffic.share().is_none_or(|share| (share - f64::from(stage.weight)).abs() <= gates.share_within)
}

/// Whether as many requests as a comparison needs will have come by the end of all patience, at the present pace.
fn enough_will_come(gates: &Gates, at: &Times, traffic: &Traffic, ends: SystemTime) -> bool {
    let end = ends + gates.undecided_for;
    let Some(from) = traffic.settled.filter(|_| at.now < end) else { return false };
    let (gone, whole) = (since(traffic.window.to, from).as_secs().max(1), since(end, from).as_secs());
    traffic.sides[1].requests.saturating_mul(whole) / gone >= gates.min_samples
}

fn told(stage: &Stage<'_>, held: &Held) -> String {
    format!("at {} %, {} {}: {}", stage.weight, held.gate.gate, held.gate.finding, held.gate.figures)
}

fn passed(on: &Standing<'_>, gates: &Gates) -> String {
    let traffic = &on.seen.traffic;
    if gates.dry_run {
        let failed =
            on.worst().map(|held| format!("; {} {}: {}", held.gate.gate, held.gate.finding, held.gate.figures));
        return format!("the gates only report{}", failed.unwrap_or_default());
    }
    if !on.thin {
        return format!("every gate passed on {} requests to the new side", traffic.sides[1].requests);
    }
    format!(
        "a quiet site: {} requests to the new side, {} the least that say anything; {} probes of it carry this stage",
        traffic.sides[1].requests, gates.min_samples, on.asked
    )
}

fn wait(why: String, left: Duration) -> Verdict {
    Verdict::Wait { why, again_in: left.min(EVERY).max(Duration::from_secs(1)) }
}
