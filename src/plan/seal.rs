//! A plan on disk: sealed by a digest, so that a run executes exactly what was read and agreed to.

use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::Plan;

/// A plan with the digest of its text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sealed {
    /// The form of the file.
    pub format: u32,
    /// SHA-256 of the plan's JSON, in hex.
    pub digest: String,
    /// The plan.
    pub plan: Plan,
}

/// Why a sealed plan could not be had.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The file could not be read or written.
    #[error("the plan {path}: {source}")]
    Disk {
        /// Which file.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// It is not a plan.
    #[error("{path} is no plan of this version of outgrow ({why}); make it anew with `outgrow plan --out {path}`")]
    NotAPlan {
        /// Which file.
        path: String,
        /// Why not.
        why: String,
    },
    /// It was changed after it was sealed.
    #[error(
        "{path} was changed after it was made (its digest does not agree); make it anew with `outgrow plan --out {path}`"
    )]
    Tampered {
        /// Which file.
        path: String,
    },
}

const FORMAT: u32 = 1;

impl Sealed {
    /// Seals a plan.
    pub fn new(plan: Plan) -> Self {
        Self { format: FORMAT, digest: digest(&plan), plan }
    }

    /// Writes it whole or not at all, readable by its owner alone.
    pub fn save(&self, path: &Path) -> Result<(), SealError> {
        let disk = |source| SealError::Disk { path: path.display().to_string(), source };
        let text = serde_json::to_vec_pretty(self).map_err(|e| disk(io::Error::other(e)))?;
        write_whole(path, &text).map_err(disk)
    }

    /// Reads it and holds it against its digest.
    pub fn load(path: &Path) -> Result<Self, SealError> {
        let shown = path.display().to_string();
        let text = std::fs::read(path).map_err(|source| SealError::Disk { path: shown.clone(), source })?;
        let sealed: Self = serde_json::from_slice(&text)
            .map_err(|e| SealError::NotAPlan { path: shown.clone(), why: e.to_string() })?;
        if sealed.format != FORMAT {
            return Err(SealError::NotAPlan { path: shown, why: format!("format {}", sealed.format) });
        }
        if digest(&sealed.plan) != sealed.digest {
            return Err(SealError::Tampered { path: shown });
        }
        Ok(sealed)
    }
}

/// Writes a file whole or not at all: beside it, made durable, then renamed over it. Mode 0600.
pub fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let beside = path.with_extension(format!("new-{}", std::process::id()));
    let mut file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all()).and_then(|()| std::fs::rename(&beside, path));
    if written.is_err() {
        let _ = std::fs::remove_file(&beside);
    }
    written
}

fn digest(plan: &Plan) -> String {
    // Maps keep their order (`preserve_order`), so the same plan always gives the same text.
    let text = serde_json::to_vec(plan).unwrap_or_default();
    hex::encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &text))
}
