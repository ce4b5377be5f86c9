//! The one failure type at the edge: what happened, because of what, what to do, and the exit code.

use std::fmt::Write as _;
use std::process::ExitCode;

use serde::Serialize;

use crate::playbook::Level;
use crate::playbook::complaint::LoadError;
use crate::step::Fault;
use crate::ui::prompt::NoAnswer;

/// How it ends, for whoever called the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(into = "u8")]
pub enum Code {
    /// Two things were compared and are not the same, as `diff` and `cmp` have it.
    Differs,
    /// The input was bad; nothing was changed.
    BadInput,
    /// It failed, and everything was taken back.
    RolledBack,
    /// It failed, and a person is needed.
    NeedsAPerson,
    /// It stopped in a safe place and waits.
    OnHold,
}

impl From<Code> for u8 {
    fn from(code: Code) -> Self {
        match code {
            Code::Differs => 1,
            Code::BadInput => 2,
            Code::RolledBack => 3,
            Code::NeedsAPerson => 4,
            Code::OnHold => 5,
        }
    }
}

/// What a verb ends with when it does not end well.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// What happened, where; a lower-case fragment.
    pub message: String,
    /// Because of what, the nearest cause first.
    pub causes: Vec<String>,
    /// What to do next.
    pub hints: Vec<String>,
    /// The exit code.
    pub code: Code,
}

/// The result of a verb.
pub type Outcome = Result<ExitCode, Failure>;

impl Failure {
    /// A failure with nothing but its message.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { message: message.into(), causes: Vec::new(), hints: Vec::new(), code }
    }

    /// The input was bad; nothing was changed.
    pub fn bad_input(message: impl Into<String>) -> Self {
        Self::new(Code::BadInput, message)
    }

    /// A failure that has been told in full already: only the exit code is left.
    pub fn told(code: Code) -> Self {
        Self::new(code, "")
    }

    /// Whether there is still something to tell.
    pub fn is_told(&self) -> bool {
        self.message.is_empty()
    }

    /// An error with all its sources.
    pub fn of(code: Code, message: impl Into<String>, error: &dyn std::error::Error) -> Self {
        let mut failure = Self::new(code, message).because(error.to_string());
        let mut source = error.source();
        while let Some(error) = source {
            // Many errors repeat their source in their own text.
            if failure.causes.last().is_none_or(|last| !last.contains(&error.to_string())) {
                failure.causes.push(error.to_string());
            }
            source = error.source();
        }
        failure
    }

    /// Adds a cause.
    #[must_use]
    pub fn because(mut self, cause: impl Into<String>) -> Self {
        self.causes.push(cause.into());
        self
    }

    /// Adds what to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// As it is printed, without a final line break.
    pub fn render(&self) -> String {
        let mut text = format!("error: {}", self.message);
        for cause in &self.causes {
            let _ = write!(text, "\nbecause: {cause}");
        }
        for hint in &self.hints {
            let _ = write!(text, "\ntry: {hint}");
        }
        text
    }

    /// As it is printed with `--json`: one line.
    pub fn json(&self) -> String {
        serde_json::json!({
            "error": self.message, "because": self.causes, "try": self.hints, "code": u8::from(self.code)
        })
        .to_string()
    }
}

impl From<Failure> for ExitCode {
    fn from(failure: Failure) -> Self {
        Self::from(u8::from(failure.code))
    }
}

/// A file with several things wrong shows all of them, each with what would be right.
impl From<LoadError> for Failure {
    fn from(error: LoadError) -> Self {
        let (wrong, other): (Vec<_>, Vec<_>) = error.complaints.iter().partition(|c| c.level == Level::Error);
        let Some((first, rest)) = wrong.split_first() else {
            return Self::bad_input(format!("{} cannot be used", error.source.path()));
        };
        if rest.is_empty() && other.is_empty() {
            return Self::bad_input(first.headline(&error.source)).hint(&first.fix);
        }
        let mut message = first.headline(&error.source);
        let _ = write!(message, "\ntry: {}", first.fix);
        for complaint in rest.iter().chain(&other) {
            let _ = write!(message, "\n\n{}", complaint.render(&error.source));
        }
        Self::bad_input(message)
    }
}

/// A question that got no answer; what was agreed to before stays done.
impl From<NoAnswer> for Failure {
    fn from(error: NoAnswer) -> Self {
        Self::bad_input(error.to_string()).hint(error.hint())
    }
}

/// A fault outside a run, where nothing was changed.
impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        let failure = Self::bad_input(fault.to_string());
        match fault {
            Fault::Failed { hint: Some(hint), .. } => failure.hint(hint),
            Fault::NeedsConsent { how, .. } => failure.hint(how),
            Fault::InDoubt(_) => failure.hint("try again; nothing was changed"),
            _ => failure,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_says_what_why_and_what_next() {
        let failure = Failure::new(Code::OnHold, "the run shop-1 is held")
            .because("the record www.shop.test was changed by somebody else")
            .because("expected 300, found 60")
            .hint("look at it, then `outgrow resume shop-1` or `outgrow rollback shop-1`");
        insta::assert_snapshot!(format!("{}\n{}", failure.render(), failure.json()));
        assert_eq!(ExitCode::from(failure), ExitCode::from(5));
    }

    #[test]
    fn an_error_brings_its_sources_once() {
        let io = std::io::Error::other("disk full");
        let error = crate::site::secret::SecretError::NoFile { path: "/x".into(), source: io };
        let failure = Failure::of(Code::BadInput, "the site cannot be used", &error);
        assert_eq!(failure.causes, ["the secret in /x could not be read: disk full"]);
    }
}
