//! A rewritten file whose name carries its content's hash gets a new name, or browsers and edges would serve the old
//! content for a year. The new name goes into every text that names the file, which changes those files in turn, to a
//! fixpoint; `integrity` digests of changed files follow.
//!
//! Names are followed by their hash: whatever the spelling around it (a path, an escaped path, a webpack table that holds
//! the hash alone), the hash itself stands there between characters that are no letters or digits. Files that share a
//! hash are renamed together. Chunks that name each other in a circle get their hashes from the circle's content as a
//! whole, so a circle is no obstacle; only an `integrity` digest inside one is, for it can have no value.
//!
//! What lists files follows too (`precache`): Workbox's revisions, the hash table of Angular's service worker, a policy's
//! digests of inline scripts. So do packed twins (`twins`), and the folder that Next.js names by the build.

mod graph;
mod kin;
mod packed;
mod plan;
mod precache;
mod scan;
mod settle;
mod twins;

#[cfg(test)]
mod bundlers;
#[cfg(test)]
mod checker;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use bytes::Bytes;
use thiserror::Error;

pub use plan::rewrite_site;

use super::origin::{Hit, Leftover};

/// Where the site's files come from. Only text files and their packed twins are read, one at a time, each at most a few
/// times.
pub trait TextFiles {
    /// Every file's path below the document root, binaries too.
    fn names(&self) -> Vec<String>;
    /// The content of a file.
    ///
    /// # Errors
    /// Whatever keeps it from being read.
    fn read(&self, name: &str) -> Result<Bytes, ReadError>;
}

/// Why a file could not be read.
pub type ReadError = Box<dyn std::error::Error + Send + Sync>;

impl TextFiles for BTreeMap<String, Bytes> {
    fn names(&self) -> Vec<String> {
        self.keys().cloned().collect()
    }

    fn read(&self, name: &str) -> Result<Bytes, ReadError> {
        self.get(name).cloned().ok_or_else(|| format!("no file {name}").into())
    }
}

/// A site that could not be looked through.
#[derive(Debug, Error)]
pub enum SiteError {
    /// A file could not be read.
    #[error("cannot read {name} of the site")]
    Read {
        /// Its path under the document root.
        name: String,
        /// Why.
        source: ReadError,
    },
}

/// What becomes of the site's files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SitePlan {
    /// Old and new path of each file that is renamed. A renamed file without new content (it shares its hash with a
    /// changed one) is not in `rewritten`.
    pub renamed: Vec<(String, String)>,
    /// New content by new path.
    pub rewritten: BTreeMap<String, Bytes>,
    /// Where the base was rewritten, by old path.
    pub hits: BTreeMap<String, Vec<Hit>>,
    /// Mentions of the old host that stay, by old path.
    pub leftovers: BTreeMap<String, Vec<Leftover>>,
    /// Why the site must not go out like this; each names its file. Nothing may be sent unless this is empty.
    pub refusals: Vec<String>,
}
