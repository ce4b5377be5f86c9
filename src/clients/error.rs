//! What a client can fail with, told by what the caller must do about it.

/// The result of a client call.
pub type ClientResult<T> = Result<T, ClientError>;

/// A failed call: what was tried, why it failed, and what kind of failure it is.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{what}: {why}")]
pub struct ClientError {
    /// What was tried, as a lower-case fragment: `register 10.0.1.5:443 in target group shop-new`.
    pub what: String,
    /// What the service answered, or why there was no answer. Never holds a secret.
    pub why: String,
    /// What the caller must do about it.
    pub kind: Kind,
    /// What the operator can do, if it is known.
    pub hint: Option<String>,
}

/// What a failure means for the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The service said no; nothing was changed.
    Refused,
    /// The thing asked for is not there.
    NotFound,
    /// The thing is there already, or is not as it was expected (compare-and-swap lost).
    Conflict,
    /// The credentials do not allow it.
    Denied,
    /// The service asks for patience; nothing was changed.
    Throttled,
    /// No answer came: the call may have taken effect or not. The step is in doubt.
    Unanswered,
}

impl ClientError {
    /// A failure of `kind`.
    pub fn new(kind: Kind, what: impl Into<String>, why: impl Into<String>) -> Self {
        Self { what: what.into(), why: why.into(), kind, hint: None }
    }

    /// Adds what the operator can do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}
