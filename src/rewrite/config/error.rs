//! What can go wrong while a configuration file is changed. No message carries a value: it may be a password.

use thiserror::Error;

use super::Format;

/// Why a file was not changed. Whenever one of these comes back, the text stays as it was.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RewriteError {
    /// The file is of a format outgrow does not edit.
    #[error("cannot edit {file}: {format} is not a format outgrow rewrites; change it by hand")]
    Unsupported {
        /// The path as given.
        file: String,
        /// What it looks like.
        format: String,
    },
    /// The text is not of its format.
    #[error("not readable as {format} at line {line}, column {column}: {what}")]
    Syntax {
        /// The format that was tried.
        format: Format,
        /// From 1.
        line: usize,
        /// In characters, from 1.
        column: usize,
        /// What was expected or met.
        what: String,
    },
    /// The key is not in the file.
    #[error("no value stands under the key {key}; nothing was changed")]
    NoSuchKey {
        /// The dotted key.
        key: String,
    },
    /// The key is there more than once, so which one is meant has to be said.
    #[error("the key {key} stands at line {first} and again at line {second}; nothing was changed")]
    Ambiguous {
        /// The dotted key.
        key: String,
        /// Line of the first.
        first: usize,
        /// Line of the second.
        second: usize,
    },
    /// The new value cannot be written in the form in which the old one stands.
    #[error(
        "the new value of {key} (line {line}) cannot be written in the {format} form that stands there; change it by hand"
    )]
    CannotHold {
        /// The dotted key.
        key: String,
        /// From 1.
        line: usize,
        /// The file's format.
        format: Format,
    },
    /// The changed text, read again, does not say what was intended.
    #[error(
        "the changed text would not read back as intended near {key} (line {line}); nothing was changed, change it by hand"
    )]
    Damaged {
        /// The dotted key nearest to the difference.
        key: String,
        /// From 1, in the changed text.
        line: usize,
    },
    /// One of the above, in a file.
    #[error("{file}: {source}")]
    In {
        /// The path as given.
        file: String,
        /// What went wrong in it.
        source: Box<RewriteError>,
    },
}

impl RewriteError {
    /// The same error with the file's name in front.
    #[must_use]
    pub fn in_file(self, file: &str) -> Self {
        match self {
            Self::Unsupported { .. } | Self::In { .. } => self,
            other => Self::In { file: file.to_owned(), source: Box::new(other) },
        }
    }

    /// A syntax error at a byte offset of `text`.
    pub(super) fn syntax(format: Format, text: &str, at: usize, what: impl Into<String>) -> Self {
        let at = (0..=at.min(text.len())).rev().find(|i| text.is_char_boundary(*i)).unwrap_or(0);
        let head = &text[..at];
        let line_start = head.rfind('\n').map_or(0, |i| i + 1);
        Self::Syntax {
            format,
            line: head.matches('\n').count() + 1,
            column: head[line_start..].chars().count() + 1,
            what: what.into(),
        }
    }
}
