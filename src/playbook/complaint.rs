//! What is wrong with a file, where, and what would be right.

use std::fmt::Write as _;

use serde::Serialize;

use super::source::{Source, Spot};

/// One thing to say about a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Complaint {
    /// How grave it is.
    pub level: Level,
    /// Where; nothing if it is about the whole file.
    pub spot: Option<Spot>,
    /// What is wrong, as a lower-case fragment.
    pub what: String,
    /// What would be right.
    pub fix: String,
}

/// How grave a complaint is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// Good to know.
    Note,
    /// May bite.
    Warning,
    /// The file is refused.
    Error,
}

impl Level {
    /// As it is printed.
    pub fn word(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

impl Complaint {
    /// An error.
    pub fn error(spot: Option<Spot>, what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { level: Level::Error, spot, what: what.into(), fix: fix.into() }
    }

    /// A warning.
    pub fn warning(spot: Option<Spot>, what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { level: Level::Warning, ..Self::error(spot, what, fix) }
    }

    /// A note.
    pub fn note(spot: Option<Spot>, what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { level: Level::Note, ..Self::error(spot, what, fix) }
    }

    /// `file:line:column: what`, and the snippet below it, without the level before and the fix after it.
    pub fn headline(&self, source: &Source) -> String {
        match self.spot {
            Some(spot) => {
                let path = source.path();
                format!("{path}:{}:{}: {}\n{}", spot.line, spot.column, self.what, source.snippet(spot))
            }
            None => format!("{}: {}", source.path(), self.what),
        }
    }

    /// All of it: level, headline, snippet, fix.
    pub fn render(&self, source: &Source) -> String {
        let mut text = format!("{}: {}", self.level.word(), self.headline(source));
        if !self.fix.is_empty() {
            let _ = write!(text, "\ntry: {}", self.fix);
        }
        text
    }
}

/// A file that cannot be used: everything that is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadError {
    /// The file, as far as it could be read.
    pub source: Source,
    /// At least one error, and whatever else was seen on the way.
    pub complaints: Vec<Complaint>,
}

impl LoadError {
    /// A file with one thing wrong.
    pub fn one(source: Source, complaint: Complaint) -> Self {
        Self { source, complaints: vec![complaint] }
    }
}

impl std::fmt::Display for LoadError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let blocks: Vec<_> = self.complaints.iter().map(|c| c.render(&self.source)).collect();
        f.write_str(&blocks.join("\n\n"))
    }
}

impl std::error::Error for LoadError {}
