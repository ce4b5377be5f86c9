//! What a step can fail with, told by what the engine does about it.

use crate::clients::{ClientError, Kind};

/// Why a step's act did not succeed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Fault {
    /// It failed, for sure: the run goes back.
    #[error("{what}")]
    Failed {
        /// What happened, where.
        what: String,
        /// What the operator can do.
        hint: Option<String>,
    },
    /// A call got no answer: the step looks again before anything is decided.
    #[error("no answer: {0}")]
    InDoubt(String),
    /// Somebody else changed what the step wants to change. The run holds and shows both.
    #[error("{what} was changed by somebody else: expected {expected}, found {found}")]
    Drifted {
        /// What.
        what: String,
        /// What it should have been.
        expected: String,
        /// What it is.
        found: String,
    },
    /// Going on would lose something a person has not agreed to lose. The run holds.
    #[error("{what}")]
    NeedsConsent {
        /// What would be lost.
        what: String,
        /// How to agree.
        how: String,
    },
}

impl Fault {
    /// A plain failure.
    pub fn failed(what: impl Into<String>) -> Self {
        Self::Failed { what: what.into(), hint: None }
    }

    /// A plain failure with advice.
    pub fn failed_with(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Failed { what: what.into(), hint: Some(hint.into()) }
    }

    /// Drift.
    pub fn drifted(what: impl Into<String>, expected: impl Into<String>, found: impl Into<String>) -> Self {
        Self::Drifted { what: what.into(), expected: expected.into(), found: found.into() }
    }
}

impl From<ClientError> for Fault {
    fn from(error: ClientError) -> Self {
        match error.kind {
            Kind::Unanswered | Kind::Throttled => Self::InDoubt(error.to_string()),
            Kind::Refused | Kind::NotFound | Kind::Conflict | Kind::Denied => {
                Self::Failed { what: error.to_string(), hint: error.hint }
            }
        }
    }
}
