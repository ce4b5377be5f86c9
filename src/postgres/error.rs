//! What can go wrong with a database on the move.

use crate::clients::postgres;

/// A failed look, copy, comparison or fence.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A server refused or went away.
    #[error(transparent)]
    Server(#[from] postgres::Error),
    /// The receiving database holds something that outgrow did not put there.
    #[error("{server} is not empty: {found}; name an empty database, or drop these objects yourself")]
    NotEmpty {
        /// Which database.
        server: String,
        /// What was found, shortened.
        found: String,
    },
    /// The receiving database has been opened to the application: its rows are no longer ours to remove.
    #[error("{server} already serves the application (run {run}); it is not wiped or copied into")]
    Serving {
        /// Which database.
        server: String,
        /// The run that opened it.
        run: String,
    },
    /// Somebody else works on the receiving database.
    #[error("another outgrow works on {server}; wait for it or end it, then repeat")]
    Busy {
        /// Which database.
        server: String,
    },
    /// No `pg_dump` that is new enough.
    #[error("no pg_dump of version {needed} or newer was found ({found}); install postgresql-client-{needed}")]
    NoTools {
        /// The newer server's major version.
        needed: u32,
        /// What was found instead.
        found: String,
    },
    /// `pg_dump` failed.
    #[error("pg_dump of {server} failed: {why}")]
    Dump {
        /// Which database.
        server: String,
        /// Its last words.
        why: String,
    },
    /// After bringing the receiver up to date, both sides still differ; nothing was changed.
    #[error(
        "{table} still differs after its rows were brought over ({why}); everything was rolled back, nothing changed"
    )]
    Mismatch {
        /// The table, or other object.
        table: String,
        /// What differs.
        why: String,
    },
    /// Both sides differ at the moment of the handover.
    #[error("{table} differs: {why}; the stream cannot be trusted, copy anew")]
    Differs {
        /// The table.
        table: String,
        /// What differs.
        why: String,
    },
    /// Both sides do not have the same tables or columns.
    #[error("the schemas differ: {what}; a schema change since the copy must be copied again first")]
    Schema {
        /// What differs.
        what: String,
    },
    /// The fence could not be closed in time.
    #[error("the fence on {server} did not close: {why}")]
    Fence {
        /// Which server.
        server: String,
        /// Who is still there.
        why: String,
    },
    /// The stream between the two databases cannot be made, or does not do its work.
    #[error("{server}: {what}; {todo}")]
    Follow {
        /// Which server.
        server: String,
        /// What was found.
        what: String,
        /// What to do.
        todo: &'static str,
    },
    /// A part of the handover took too long.
    #[error("{part} did not end within {within:?}: {why}")]
    Late {
        /// Which part.
        part: &'static str,
        /// How long it had.
        within: std::time::Duration,
        /// What it waited for, and what to do.
        why: String,
    },
    /// The caller could not put on record what must stand there first.
    #[error("the handover's next part could not be put on record: {0}; nothing was opened")]
    NotOnRecord(String),
    /// A session's role may not do what is asked.
    #[error("{server}: {what}")]
    Privilege {
        /// Which server.
        server: String,
        /// What is missing and what to do.
        what: String,
    },
    /// A local file or process.
    #[error("{doing}: {source}")]
    Local {
        /// What was tried.
        doing: String,
        /// The system's answer.
        source: std::io::Error,
    },
}

/// A result of this room.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// The server's `SQLSTATE`, where there is one.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Server(error) => error.code(),
            _ => None,
        }
    }

    /// Whether a session was lost, so that a repeat may help.
    pub fn is_lost(&self) -> bool {
        matches!(self, Self::Server(error) if error.is_lost())
    }
}
