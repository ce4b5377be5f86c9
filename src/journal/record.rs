//! What can stand in a journal.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::event::{Judgement, Outcome};

/// One line of the journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// From 1, without gaps.
    pub seq: u64,
    /// When, by the run's clock.
    pub at: jiff::Timestamp,
    /// Which process wrote it: every opening of the journal counts one up.
    pub epoch: u64,
    /// What.
    pub fact: Fact,
}

/// What is recorded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fact {
    /// A run of the plan with this digest began.
    Begun {
        /// The run's id.
        run: String,
        /// The plan's digest.
        plan: String,
        /// The step ids, in order.
        steps: Vec<String>,
        /// Who began it: `user@host`.
        by: String,
    },
    /// The step is about to alter this. Durable before the first effect.
    Intent {
        /// The step.
        step: String,
        /// The change.
        change: Value,
    },
    /// There was nothing to alter.
    AlreadySo {
        /// The step.
        step: String,
    },
    /// `apply` came back.
    Applied {
        /// The step.
        step: String,
    },
    /// A call got no answer.
    InDoubt {
        /// The step.
        step: String,
        /// Why.
        why: String,
    },
    /// It is so, as was looked up.
    Verified {
        /// The step.
        step: String,
    },
    /// A stage was measured and judged; recorded when what is held of it changes, and when it is over.
    Judged {
        /// The step.
        step: String,
        /// How it stands.
        judgement: Box<Judgement>,
    },
    /// It failed.
    Failed {
        /// The step.
        step: String,
        /// Why.
        why: String,
    },
    /// From here on the run goes back, and never forward again.
    RollingBack {
        /// Why.
        why: String,
    },
    /// The step is about to be taken back.
    Undoing {
        /// The step.
        step: String,
    },
    /// The step was taken back.
    Undone {
        /// The step.
        step: String,
    },
    /// The step could not be taken back.
    UndoFailed {
        /// The step.
        step: String,
        /// Why.
        why: String,
    },
    /// The run stopped in a safe place and waits for a person.
    Held {
        /// Why.
        why: String,
        /// What to do next.
        next: String,
    },
    /// A process took the run up again, after a hold or a crash.
    Resumed {
        /// Who: `user@host`.
        by: String,
    },
    /// The run is over: done or rolled back.
    Ended {
        /// How.
        outcome: Outcome,
    },
}

impl Fact {
    /// The fact's name, as it stands in the journal.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Begun { .. } => "begun",
            Self::Intent { .. } => "intent",
            Self::AlreadySo { .. } => "already-so",
            Self::Applied { .. } => "applied",
            Self::InDoubt { .. } => "in-doubt",
            Self::Verified { .. } => "verified",
            Self::Judged { .. } => "judged",
            Self::Failed { .. } => "failed",
            Self::RollingBack { .. } => "rolling-back",
            Self::Undoing { .. } => "undoing",
            Self::Undone { .. } => "undone",
            Self::UndoFailed { .. } => "undo-failed",
            Self::Held { .. } => "held",
            Self::Resumed { .. } => "resumed",
            Self::Ended { .. } => "ended",
        }
    }
}
