//! Why a world could not be made, or could not answer.

use std::io;
use std::path::{Path, PathBuf};

use crate::clients::ClientError;
use crate::rehearsal::edge::{EdgeError, TlsError};
use crate::rehearsal::ledger::LedgerError;
use crate::rehearsal::visitors::VisitorsError;

/// What can go wrong.
#[derive(Debug, thiserror::Error)]
pub enum WorldError {
    /// The specification makes no sense.
    #[error("the rehearsal's specification cannot be used: {0}")]
    Spec(String),
    /// The box is not as the site file says, or cannot be copied.
    #[error("the box cannot be copied: {0}")]
    Box(String),
    /// An engine said no.
    #[error(transparent)]
    Engine(#[from] ClientError),
    /// A database said no.
    #[error(transparent)]
    Database(#[from] crate::clients::postgres::Error),
    /// A certificate could not be made.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The data plane could not start.
    #[error(transparent)]
    Edge(#[from] EdgeError),
    /// The visitors could not start.
    #[error(transparent)]
    Visitors(#[from] VisitorsError),
    /// The ledger could not be used.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// A secret could not be had.
    #[error(transparent)]
    Secret(#[from] crate::site::secret::SecretError),
    /// A file could not be used.
    #[error("could not {doing} {path}: {source}")]
    File {
        /// What was tried.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Something did not come up in time.
    #[error("{what} within {seconds} s: {why}")]
    Late {
        /// What was waited for, as `X did not answer`.
        what: String,
        /// How long.
        seconds: u64,
        /// What was seen last.
        why: String,
    },
}

/// The result of anything the world does.
pub type Result<T> = std::result::Result<T, WorldError>;

impl WorldError {
    /// For `map_err` on what concerns a file.
    pub fn file(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |source| Self::File { doing, path, source }
    }

    /// What the operator can do, if it is known.
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Engine(error) => error.hint.as_deref(),
            _ => None,
        }
    }
}
