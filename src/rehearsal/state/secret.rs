//! Secrets: what Secrets Manager keeps.

use std::collections::{BTreeMap, BTreeSet};
use std::time::SystemTime;

use secrecy::SecretString;

/// A secret; its region is in its ARN.
#[derive(Debug, Clone)]
pub struct Secret {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// When it was made.
    pub created: SystemTime,
    /// When a version last came.
    pub changed: SystemTime,
    /// When it was last read, if ever.
    pub accessed: Option<SystemTime>,
    /// When it goes, if it is to be deleted.
    pub deleted: Option<SystemTime>,
    /// Its versions by id; those without a stage are kept for a while, and shown to nobody who does not name them.
    pub versions: BTreeMap<String, SecretVersion>,
}

/// A version of a secret. Its value shows in no debug output.
#[derive(Debug, Clone)]
pub struct SecretVersion {
    /// The text, or the bytes in base64.
    pub value: SecretString,
    /// Whether it is bytes.
    pub binary: bool,
    /// Its staging labels, such as `AWSCURRENT`.
    pub stages: BTreeSet<String>,
    /// When it came.
    pub created: SystemTime,
}
