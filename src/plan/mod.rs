//! The plan: playbook + site + what was observed, expanded to concrete steps with their changes, sealed by a digest.

pub mod draft;
pub mod expand;
pub mod moved;
pub mod render;
pub mod safety;
pub mod seal;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::site::Site;
use crate::step::{AnyStep, Draft, Finding, Severity, StepResult};

pub use seal::{SealError, Sealed};

/// What a run executes, exactly.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// Unique to this plan, so that a plan runs once: a short random text.
    pub id: String,
    /// When it was made.
    pub made_at: jiff::Timestamp,
    /// The playbook's name.
    pub playbook: String,
    /// Whether a failed step rolls the run back by itself; otherwise it holds.
    pub roll_back_on_failure: bool,
    /// The site.
    pub site: Site,
    /// The rehearsal's world this plan is for, if it is one: the directory with its `world.json`.
    pub rehearsal: Option<String>,
    /// The steps, in order.
    pub steps: Vec<PlannedStep>,
    /// What preflight found.
    pub findings: Vec<Finding>,
}

/// A concrete step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlannedStep {
    /// Unique in the plan.
    pub id: String,
    /// The kind.
    pub kind: String,
    /// What it does, in one short line.
    pub title: String,
    /// What it does and why, in a sentence or two.
    pub explain: String,
    /// The step itself.
    pub parameters: Value,
    /// What it alters; `None` where it is so already, or where that could not be found out.
    pub draft: Option<Draft>,
    /// It could not be found out what the step would alter; the findings say why.
    #[serde(default)]
    pub unknown: bool,
}

impl Plan {
    /// What keeps the plan from being run.
    pub fn blockers(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|f| f.severity == Severity::Blocker)
    }

    /// The steps brought to life, for the engine.
    pub fn items(&self) -> StepResult<Vec<(PlannedStep, Box<dyn AnyStep>)>> {
        self.steps.iter().map(|s| Ok((s.clone(), crate::steps::build(&s.kind, &s.parameters)?))).collect()
    }
}

impl PlannedStep {
    /// Writes down a step and what its `plan` found.
    pub fn new(step: &dyn AnyStep, draft: Option<Draft>) -> StepResult<Self> {
        Ok(Self {
            id: step.id(),
            kind: step.kind().to_owned(),
            title: step.title(),
            explain: step.explain(),
            parameters: step.parameters()?,
            draft,
            unknown: false,
        })
    }
}
