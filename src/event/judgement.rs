//! What was measured of a stage, and what is held of it: the same in events, in the journal and in `status`.

use serde::{Deserialize, Serialize};

/// What is held of something measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Finding {
    /// It is well.
    Passed,
    /// It cannot be told yet: too little was measured, or it points neither way.
    Inconclusive,
    /// It could not be measured.
    Error,
    /// It is not well.
    Failed,
}

/// One gate, as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Gate {
    /// Its name: `health`, `errors`, `latency`, `balancer`, `probes`, `hook`.
    pub gate: String,
    /// How it stands.
    pub finding: Finding,
    /// With which figures.
    pub figures: String,
}

/// A stage, as it stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Judgement {
    /// The new side's share that is meant, in percent.
    pub weight: u8,
    /// The share that was measured, in percent; `None` where there were no requests to measure.
    pub measured_share: Option<f64>,
    /// The requests it rests on: the old side's and the new side's.
    pub samples: [u64; 2],
    /// The window they were counted in: how far back from its end it reaches, in seconds.
    pub window_seconds: u64,
    /// What is held of it as a whole.
    pub verdict: Finding,
    /// Why.
    pub reason: String,
    /// Whether the gates only report (`dry-run`).
    pub dry_run: bool,
    /// Each gate.
    pub gates: Vec<Gate>,
}

impl Judgement {
    /// Whether it says the same as another, figures aside: what a journal need not hold twice.
    pub fn says_the_same(&self, other: &Self) -> bool {
        let standing = |of: &Self| of.gates.iter().map(|g| (g.gate.clone(), g.finding)).collect::<Vec<_>>();
        self.weight == other.weight && self.verdict == other.verdict && standing(self) == standing(other)
    }
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Passed => "passed",
            Self::Inconclusive => "inconclusive",
            Self::Error => "error",
            Self::Failed => "failed",
        })
    }
}
