//! What a plan of configuration changes holds. Full texts are in it, passwords and all, because the step needs them;
//! `Debug` and the lines for people hold none.

use std::fmt;

/// All that changes in an application's configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Changed variables of the container.
    pub env: Vec<EnvChange>,
    /// Changed files.
    pub files: Vec<FileChange>,
    /// What was met and left alone, and why.
    pub notes: Vec<String>,
    /// Where was looked.
    pub searched: Vec<String>,
}

/// What the search came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The database's address was found (or was not asked for). The plan may still be empty: then all is so already.
    Planned(Plan),
    /// The database's address stands nowhere that was searched; the plan holds what else would change, the places that
    /// were searched and the notes.
    NoneFound(Plan),
}

/// A variable that changes.
#[derive(Clone, PartialEq, Eq)]
pub struct EnvChange {
    /// Its name.
    pub key: String,
    /// Its value now. May hold a password.
    pub old: String,
    /// Its value then. May hold a password.
    pub new: String,
    /// The change as people may see it.
    pub lines: Vec<String>,
}

/// A file that changes.
#[derive(Clone, PartialEq, Eq)]
pub struct FileChange {
    /// Its path as given.
    pub path: String,
    /// Its text now. May hold a password.
    pub old_text: String,
    /// Its text then. May hold a password.
    pub new_text: String,
    /// The change as people may see it.
    pub lines: Vec<String>,
}

impl fmt::Debug for EnvChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EnvChange").field("key", &self.key).field("lines", &self.lines).finish_non_exhaustive()
    }
}

impl fmt::Debug for FileChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileChange").field("path", &self.path).field("lines", &self.lines).finish_non_exhaustive()
    }
}
