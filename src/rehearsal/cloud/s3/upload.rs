//! What is kept of a multipart upload: `uploads/ID/upload.json`, and each part's bytes and digest beside it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use s3s::{S3Result, s3_error};
use serde::{Deserialize, Serialize};

use super::acl::Acl;
use super::meta::Headers;
use super::store::read_json;
use super::{Objects, broken};

/// An upload that has begun.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Upload {
    pub key: String,
    pub begun_ms: u64,
    pub headers: Headers,
    pub metadata: BTreeMap<String, String>,
    pub tags: BTreeMap<String, String>,
    pub algorithm: String,
    /// Whoever began it chose the algorithm.
    #[serde(default)]
    pub said: bool,
    pub composite: bool,
    #[serde(default)]
    pub acl: Option<Acl>,
    #[serde(default)]
    pub class: Option<String>,
    #[serde(default)]
    pub redirect: Option<String>,
}

/// A part that has come in.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Part {
    pub number: i32,
    pub size: u64,
    pub md5: [u8; 16],
    pub modified_ms: u64,
    pub checksums: BTreeMap<String, String>,
}

impl Part {
    pub(super) fn etag(&self) -> String {
        hex::encode(self.md5)
    }
}

impl Objects {
    /// The directory of an upload; the id is one of ours, so no path hides in it.
    pub(super) fn upload_dir(&self, bucket: &str, id: &str) -> S3Result<PathBuf> {
        self.has(bucket)?;
        let dir = self.dir_of(bucket).join("uploads").join(id);
        let ours = id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit());
        if ours && dir.join("upload.json").is_file() { Ok(dir) } else { Err(no_upload()) }
    }

    /// An upload to this key.
    pub(super) fn upload(&self, bucket: &str, key: &str, id: &str) -> S3Result<(PathBuf, Upload)> {
        let dir = self.upload_dir(bucket, id)?;
        let upload: Upload = read_json(&dir.join("upload.json")).map_err(broken)?;
        if upload.key == key { Ok((dir, upload)) } else { Err(no_upload()) }
    }

    /// The parts of an upload that have come in, by number.
    pub(super) fn parts(dir: &std::path::Path) -> S3Result<BTreeMap<i32, Part>> {
        let mut parts = BTreeMap::new();
        for entry in std::fs::read_dir(dir).map_err(broken)? {
            let path = entry.map_err(broken)?.path();
            let is_part = path.extension().is_some_and(|e| e == "json") && !path.ends_with("upload.json");
            if is_part {
                let part: Part = read_json(&path).map_err(broken)?;
                parts.insert(part.number, part);
            }
        }
        Ok(parts)
    }
}

pub(super) fn no_upload() -> s3s::S3Error {
    s3_error!(
        NoSuchUpload,
        "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed."
    )
}
