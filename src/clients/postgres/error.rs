//! What can go wrong with a server, told with its place and the next step.

use std::error::Error as _;
use std::fmt::Write as _;

use tokio_postgres::error::SqlState;

/// A failed connection or statement.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No session could be opened.
    #[error("cannot connect to {server}: {why}; {hint}")]
    Connect {
        /// Which server.
        server: String,
        /// The reason as the server or the network gave it.
        why: String,
        /// What to check next.
        hint: &'static str,
        /// The server's `SQLSTATE`, where the server itself answered.
        code: Option<String>,
    },
    /// The session ended under us.
    #[error(
        "the connection to {server} was lost while asking \"{doing}\": {why}; check that the server is up, then repeat"
    )]
    Lost {
        /// Which server.
        server: String,
        /// The statement's beginning, or what it was for.
        doing: String,
        /// The last that was heard.
        why: String,
    },
    /// The server said no.
    #[error("{server} refused \"{doing}\": {why}{}", advice(code))]
    Refused {
        /// Which server.
        server: String,
        /// The statement's beginning, or what it was for.
        doing: String,
        /// Message, detail and hint of the server.
        why: String,
        /// `SQLSTATE`.
        code: String,
    },
    /// An answer that does not fit the question.
    #[error("{server} answered \"{doing}\" in an unexpected way: {why}")]
    Answer {
        /// Which server.
        server: String,
        /// The statement's beginning, or what it was for.
        doing: String,
        /// What did not fit.
        why: String,
    },
}

impl Error {
    /// The server's `SQLSTATE`, where there is one.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Connect { code, .. } => code.as_deref(),
            Self::Refused { code, .. } => Some(code),
            Self::Lost { .. } | Self::Answer { .. } => None,
        }
    }

    /// Whether the session is gone, so that only a new one can help.
    pub fn is_lost(&self) -> bool {
        matches!(self, Self::Lost { .. } | Self::Connect { .. })
    }

    pub(super) fn connect(server: String, error: &tokio_postgres::Error) -> Self {
        let code = error.code().map(|code| code.code().to_owned());
        let hint = match error.code() {
            Some(&SqlState::INVALID_PASSWORD) => "check the password reference in the site file",
            Some(&SqlState::INVALID_AUTHORIZATION_SPECIFICATION) => {
                "check that the role exists and may log in, and pg_hba.conf"
            }
            Some(&SqlState::INVALID_CATALOG_NAME) => "check the database's name",
            Some(&SqlState::TOO_MANY_CONNECTIONS) => "close some sessions or lower the number of jobs",
            _ => "check host, port, security groups, and that the server is up",
        };
        Self::Connect { server, why: explain(error), hint, code }
    }
}

/// What to do about a refusal that is the machine's, not the statement's (PostgreSQL, appendix A, class 53).
fn advice(code: &str) -> &'static str {
    match code {
        "53100" => "; its disk is full: give it more room (RDS: allocated storage), then repeat",
        "53200" => "; it is out of memory: lower the number of jobs or give it more, then repeat",
        "53300" => "; close some sessions or lower the number of jobs, then repeat",
        _ => "",
    }
}

/// The whole story of a driver error: message, detail, hint, and the causes below it.
pub fn explain(error: &tokio_postgres::Error) -> String {
    if let Some(db) = error.as_db_error() {
        let mut text = db.message().to_owned();
        for (label, more) in [("detail", db.detail()), ("hint", db.hint()), ("where", db.where_())] {
            if let Some(more) = more {
                let _ = write!(text, " ({label}: {more})");
            }
        }
        return text;
    }
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(below) = cause {
        let below_text = below.to_string();
        if !text.contains(&below_text) {
            text.push_str(": ");
            text.push_str(&below_text);
        }
        cause = below.source();
    }
    text
}
