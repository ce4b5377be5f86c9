//! A refusal, in AWS's words.

use super::super::law::Law;

/// An error answer: AWS's code and message, the HTTP status, and the law behind it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct ApiError {
    /// AWS's error code as it stands on the wire.
    pub code: &'static str,
    /// AWS's message.
    pub message: String,
    /// HTTP status, 400 unless said otherwise.
    pub status: u16,
    /// The law that was broken, if it is one of ours.
    pub law: Option<Law>,
    /// Seconds the caller is asked to wait, if any.
    pub retry_after: Option<u32>,
}

/// An error with status 400.
pub fn refuse(code: &'static str, message: impl Into<String>) -> ApiError {
    ApiError { code, message: message.into(), status: 400, law: None, retry_after: None }
}

impl ApiError {
    /// Names the law that was broken.
    #[must_use]
    pub fn by(self, law: Law) -> Self {
        Self { law: Some(law), ..self }
    }

    /// Another HTTP status than 400.
    #[must_use]
    pub fn status(self, status: u16) -> Self {
        Self { status, ..self }
    }

    /// Asks the caller to wait so many seconds.
    #[must_use]
    pub fn retry_after(self, seconds: Option<u32>) -> Self {
        Self { retry_after: seconds, ..self }
    }

    /// The message as it goes out, with the law at its end.
    pub fn text(&self) -> String {
        match self.law {
            Some(law) => format!("{} [{law}]", self.message),
            None => self.message.clone(),
        }
    }
}
