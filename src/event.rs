//! What happens in a run, as one type that feeds every output: bars, plain lines, JSON, the report.

mod judgement;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use judgement::{Finding, Gate, Judgement};

/// Something that happened. Progress may be dropped by a slow display, everything else may not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub enum Event {
    /// A run began, or goes on.
    RunStarted {
        /// The run's id.
        run: String,
        /// How many steps the plan has.
        steps: usize,
        /// Whether it goes on after a stop or a crash.
        resumed: bool,
    },
    /// A step began.
    StepStarted {
        /// The step's id.
        step: String,
        /// What it does, in a sentence.
        title: String,
        /// Its place, from 1.
        number: usize,
        /// How many there are.
        of: usize,
    },
    /// Something worth knowing.
    Note {
        /// The step, if any.
        step: Option<String>,
        /// What.
        text: String,
    },
    /// How far a step is.
    Progress {
        /// The step's id.
        step: String,
        /// What is being counted: `upload`, `copy orders`.
        label: String,
        /// How much is done.
        done: u64,
        /// How much there is; 0 if not known.
        total: u64,
        /// Whether bytes are counted.
        bytes: bool,
    },
    /// A step waits.
    Waiting {
        /// The step's id.
        step: String,
        /// Why.
        why: String,
        /// For about how long yet, in seconds.
        seconds: u64,
    },
    /// A stage was measured and judged.
    Judged {
        /// The step's id.
        step: String,
        /// How it stands.
        judgement: Judgement,
    },
    /// A step is done.
    StepDone {
        /// The step's id.
        step: String,
        /// `applied` or `already-so`.
        state: String,
        /// How long it took, in seconds.
        seconds: f64,
    },
    /// A step failed.
    StepFailed {
        /// The step's id.
        step: String,
        /// Why.
        why: String,
    },
    /// A call got no answer; the step looks again before it decides.
    InDoubt {
        /// The step's id.
        step: String,
        /// Why.
        why: String,
    },
    /// The run goes back.
    RollingBack {
        /// Why.
        why: String,
    },
    /// A step was taken back.
    StepUndone {
        /// The step's id.
        step: String,
        /// How long it took, in seconds.
        seconds: f64,
    },
    /// The run stopped in a safe place and waits for a person.
    Held {
        /// Why.
        why: String,
        /// What to do next.
        next: String,
    },
    /// The run is over.
    Ended {
        /// How.
        outcome: Outcome,
        /// What to do next.
        next: String,
    },
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Every step is done.
    Done,
    /// Everything was taken back.
    RolledBack,
    /// It could not be taken back whole: a person is needed.
    NeedsAPerson,
    /// It stopped in a safe place.
    OnHold,
}

impl Outcome {
    /// The program's exit code. Bad input is 2 and never gets this far.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::RolledBack => 3,
            Self::NeedsAPerson => 4,
            Self::OnHold => 5,
        }
    }
}

/// Where events go. Cheap to clone; sending never blocks.
#[derive(Clone)]
pub struct Sink(Arc<dyn Fn(Event) + Send + Sync>);

impl Sink {
    /// A sink that gives each event to `take`, which must not block.
    pub fn new(take: impl Fn(Event) + Send + Sync + 'static) -> Self {
        Self(Arc::new(take))
    }

    /// A sink that forgets.
    pub fn nowhere() -> Self {
        Self::new(|_| ())
    }

    /// Sends an event.
    pub fn send(&self, event: Event) {
        (self.0)(event);
    }
}

impl std::fmt::Debug for Sink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sink")
    }
}
