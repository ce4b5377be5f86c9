//! The gates of a stage: what has to be measured before the next share of visitors moves.
//!
//! First the stage has to settle (the measured share is the meant one), then its bake time counts, and at its end every
//! gate has to have passed. A gate that failed takes the stage back at once; one that says nothing is waited for, and
//! in the end holds the run: no data is never a pass. What too few requests leave open, own probes carry.

mod compare;
mod hook;
mod judge;
pub mod probes;
mod seen;
mod stats;
#[cfg(test)]
mod tests;
mod traffic;

use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use judge::{Stage, judge};
pub use probes::Journey;

use super::timing;
use crate::clients::Kind;
use crate::clients::metrics::{Measured, Window};
use crate::step::{Finding, Look, Severity, StepResult};

/// Preflight: whether what the balancer measures may be read.
pub async fn may_measure(look: &Look) -> StepResult<Vec<Finding>> {
    let to = look.clock.now();
    let window = Window { from: to.checked_sub(Duration::from_mins(1)).unwrap_or(to), to };
    let nobody = Measured { balancer: look.site.aws.balancer.clone(), groups: ["none".into(), "none".into()] };
    match look.metrics.traffic(&nobody, window).await {
        Err(error) if error.kind == Kind::Denied => Ok(vec![Finding::new(
            Severity::Blocker,
            format!("what the balancer measures cannot be read: {error}"),
            error.hint.unwrap_or_else(|| "allow cloudwatch:GetMetricData to whoever runs outgrow".to_owned()),
        )]),
        // What is not denied is tried again where it matters.
        _ => Ok(Vec::new()),
    }
}

/// The gates' limits. [`Gates::default`] has those of a playbook that says nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Gates {
    /// Fewer requests of either side say nothing by themselves.
    pub min_samples: u64,
    /// How sure a comparison has to be before it counts as failed, in percent.
    pub confidence: f64,
    /// So many percentage points more errors than the old side has are put up with.
    pub errors_above: f64,
    /// So many times the old side's response time is put up with …
    pub slower_than: f64,
    /// … and so much on top, for what is quick anyhow.
    pub slower_by: Duration,
    /// So many percentage points the measured share may be off, beside what chance allows.
    pub share_within: f64,
    /// How long a stage may take to settle.
    pub settle_within: Duration,
    /// How long after the bake a gate may stay inconclusive.
    pub undecided_for: Duration,
    /// How long after the bake a gate may be impossible to look at.
    pub unreadable_for: Duration,
    /// How often in a row a probe has to be answered wrongly.
    pub probe_tries: u32,
    /// The operator's own probes.
    pub probes: Vec<Journey>,
    /// A command with a veto.
    pub hook: Option<String>,
    /// Only report: a failed gate takes nothing back, and nothing is waited for but the bake.
    pub dry_run: bool,
}

impl Default for Gates {
    fn default() -> Self {
        Self {
            min_samples: 100,
            confidence: 99.9,
            errors_above: 0.5,
            slower_than: 2.0,
            slower_by: Duration::from_millis(50),
            share_within: 2.0,
            settle_within: Duration::from_mins(5),
            undecided_for: Duration::from_mins(10),
            unreadable_for: Duration::from_mins(5),
            probe_tries: 3,
            probes: Vec::new(),
            hook: None,
            dry_run: false,
        }
    }
}
