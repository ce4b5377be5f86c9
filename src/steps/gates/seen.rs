//! What is known of a stage: the moments that count, and what was measured since it began and before.

use std::time::{Duration, SystemTime};

use super::Gates;
use super::judge::Stage;
use super::stats::Level;
use super::traffic::{self, Traffic};
use crate::clients::metrics::{Count, Minute, Window};
use crate::clients::{ClientResult, Kind};
use crate::step::{Look, Patience};

/// The longest stretch before a shift that it is compared with.
const BEFORE: Duration = Duration::from_mins(30);

/// The moments that count.
pub(super) struct Times {
    pub now: SystemTime,
    /// When the weights were set.
    pub shift: SystemTime,
    /// From when patience counts: the shift, or when a person sent the run on.
    pub patience: SystemTime,
}

impl Times {
    pub fn of(look: &Look) -> Self {
        let now = look.clock.now();
        let shift = look.applied_at.unwrap_or(now);
        Self { now, shift, patience: look.sent_on_at.unwrap_or(shift).max(shift) }
    }
}

/// What was read.
pub(super) struct Seen {
    /// Since the shift.
    pub traffic: Traffic,
    /// Before the shift.
    pub before: Before,
    /// Whether it could be read.
    pub readable: bool,
}

#[derive(Default)]
pub(super) struct Before {
    /// As long as the stage's own.
    pub window: Option<Window>,
    /// The old side's.
    pub old: Count,
    /// Requests to both sides.
    pub all: u64,
    /// What the balancer itself answered with 5xx.
    pub balancer_errors: u64,
}

impl Seen {
    pub fn nothing(at: &Times) -> Self {
        let traffic = Traffic {
            window: traffic::since(at.shift, at.shift),
            sides: [Count::default(); 2],
            balancer_errors: 0,
            settled: None,
        };
        Self { traffic, before: Before::default(), readable: false }
    }
}

/// Reads it; what gets no answer is asked for again, for some seconds.
pub(super) async fn patient(look: &Look, stage: &Stage<'_>, gates: &Gates, at: &Times) -> ClientResult<Seen> {
    let mut patience = Patience::default();
    loop {
        match read(look, stage, gates, at).await {
            Err(error) if matches!(error.kind, Kind::Unanswered | Kind::Throttled) => {
                if !patience.again(&*look.clock).await {
                    return Err(error);
                }
            }
            answered => return answered,
        }
    }
}

async fn read(look: &Look, stage: &Stage<'_>, gates: &Gates, at: &Times) -> ClientResult<Seen> {
    let window = traffic::since(at.shift, at.now);
    let level = Level::of_confidence(gates.confidence);
    let meant = f64::from(stage.weight) / 100.0;
    if window.from >= window.to {
        return Ok(Seen { readable: true, ..Seen::nothing(at) });
    }
    let minutes = look.metrics.traffic(stage.measured, window).await?;
    let traffic = traffic::measure(&minutes, window, meant, gates.share_within, level);
    let length = since(traffic.window.to, traffic.window.from).min(BEFORE);
    let earlier = traffic::before(at.shift, length);
    let before = look.metrics.traffic(stage.measured, earlier).await?;
    let sum = |of: fn(&Minute) -> u64| before.iter().map(of).sum::<u64>();
    let before = Before {
        window: Some(earlier),
        old: before.iter().fold(Count::default(), |sum, minute| sum + minute.sides[0]),
        all: sum(|minute| minute.sides.iter().map(|side| side.requests).sum()),
        balancer_errors: sum(|minute| minute.balancer_errors),
    };
    Ok(Seen { traffic, before, readable: true })
}

/// Since when the stage is settled: by what was measured, or on a site without any visitors by the weights alone, once
/// nothing came for as long as it may take.
pub(super) fn settled(traffic: &Traffic, at: &Times, gates: &Gates) -> Option<SystemTime> {
    let nobody = traffic.requests() == 0 && since(at.now, at.shift) >= gates.settle_within + traffic::LATE;
    traffic.settled.or(nobody.then_some(at.shift))
}

/// How much later.
pub(super) fn since(later: SystemTime, earlier: SystemTime) -> Duration {
    later.duration_since(earlier).unwrap_or_default()
}
