//! What happens at a key: versions come, are hidden behind a delete marker, and go.
//!
//! Source: S3 guide, "How S3 Versioning works" and "Deleting object versions from a versioning-enabled bucket".

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use http::{HeaderMap, HeaderValue};
use s3s::{S3Error, S3ErrorCode, S3Result, s3_error};

use super::meta::{ObjectMeta, millis};
use super::only::Only;
use super::store::{meta_file, no_bucket, no_key, read_json, versions_dir, write_json};
use super::{Objects, broken};

/// What versions without an id are called.
pub(super) const NULL: &str = "null";

/// What a deletion came to.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Removed {
    /// A delete marker was made, or one was deleted.
    pub marker: bool,
    /// The id of the marker made or of the version deleted.
    pub version: Option<String>,
}

/// Orders the versions of a key; grows with time and never stands still.
fn serial() -> u64 {
    static LAST: AtomicU64 = AtomicU64::new(0);
    let now = millis(std::time::SystemTime::now()) << 10;
    let last = LAST.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |last| Some(now.max(last + 1)));
    now.max(last.unwrap_or_default() + 1)
}

impl ObjectMeta {
    /// The id of this version as it is told.
    pub(super) fn id(&self) -> &str {
        self.version.as_deref().unwrap_or(NULL)
    }
}

impl Objects {
    /// What is current at a key, be it a delete marker.
    pub(super) fn current(&self, bucket: &str, key: &str) -> Option<ObjectMeta> {
        read_json(&meta_file(&self.dir_of(bucket), key)).ok()
    }

    /// The meta of an object.
    pub(super) fn meta(&self, bucket: &str, key: &str) -> Option<ObjectMeta> {
        self.current(bucket, key).filter(|meta| !meta.marker)
    }

    /// Every version of a key, the newest first.
    pub(super) fn history(&self, bucket: &str, key: &str) -> Vec<ObjectMeta> {
        let current = self.current(bucket, key);
        let mut older = older(&versions_dir(&self.dir_of(bucket), key));
        // One that was just archived and not yet overwritten stands in both places.
        older.retain(|meta| current.as_ref().is_none_or(|c| c.version != meta.version));
        current.into_iter().chain(older).collect()
    }

    /// The meta of an object's version or of its current one, or why there is none.
    pub(super) fn need(&self, bucket: &str, key: &str, version: Option<&str>) -> S3Result<ObjectMeta> {
        self.has(bucket)?;
        self.find(bucket, key, version)
    }

    /// The same of a bucket that is known to be there.
    fn find(&self, bucket: &str, key: &str, version: Option<&str>) -> S3Result<ObjectMeta> {
        let Some(id) = version else {
            let current = self.current(bucket, key).ok_or_else(no_key)?;
            return if current.marker { Err(marked(no_key(), &current, false)) } else { Ok(current) };
        };
        well_formed(id)?;
        let found = self.history(bucket, key).into_iter().find(|meta| meta.id() == id);
        let found = found.ok_or_else(|| s3_error!(NoSuchVersion, "The specified version does not exist."))?;
        if found.marker {
            let error = s3_error!(MethodNotAllowed, "The specified method is not allowed against this resource.");
            return Err(marked(error, &found, true));
        }
        Ok(found)
    }

    /// Puts an object in place whose bytes lie in `file`; gives the id of the new version where there are versions.
    pub(super) fn commit(
        &self,
        bucket: &str,
        file: &Path,
        mut meta: ObjectMeta,
        only: &Only,
    ) -> S3Result<Option<String>> {
        let mut buckets = self.lock();
        let held = buckets.get_mut(bucket).ok_or_else(no_bucket)?;
        let dir = self.dir_of(bucket);
        only.allows(self.current(bucket, &meta.key).as_ref())?;
        meta.data = super::super::fresh();
        let data = dir.join("data").join(&meta.data);
        fs::rename(file, &data).map_err(broken)?;
        let told = Self::put_current(held.config.versioning.as_deref(), &dir, &mut meta);
        let told = told.inspect_err(|_| drop(fs::remove_file(&data))).map_err(broken)?;
        held.enter(&meta.key, Some(&meta));
        Ok(told)
    }

    /// Makes a version or delete marker the current one, as the bucket's versioning asks.
    fn put_current(versioning: Option<&str>, dir: &Path, meta: &mut ObjectMeta) -> io::Result<Option<String>> {
        let before: Option<ObjectMeta> = read_json(&meta_file(dir, &meta.key)).ok();
        let enabled = versioning == Some("Enabled");
        meta.version = enabled.then(|| format!("{}{}", super::super::fresh(), super::super::fresh()));
        meta.serial = serial();
        let archive = versions_dir(dir, &meta.key);
        let stays = before.as_ref().filter(|b| enabled || b.version.is_some());
        if let Some(before) = stays {
            fs::create_dir_all(&archive)?;
            write_json(&archive.join(format!("{}.json", before.id())), before)?;
        }
        write_json(&meta_file(dir, &meta.key), meta)?;
        if let Some(before) = before.as_ref().filter(|_| stays.is_none()) {
            remove_data(dir, before);
        }
        if versioning.is_some() && !enabled {
            // The new version is the null one: it takes the place of the one before, wherever that lay.
            let null = archive.join(format!("{NULL}.json"));
            if let Ok(replaced) = read_json::<ObjectMeta>(&null) {
                fs::remove_file(&null)?;
                remove_data(dir, &replaced);
            }
        }
        Ok(versioning.map(|_| meta.id().to_owned()))
    }

    /// Writes what is kept of an object beside its bytes anew; gives its version's id.
    pub(super) fn amend(
        &self,
        bucket: &str,
        key: &str,
        version: Option<&str>,
        f: impl FnOnce(&mut ObjectMeta),
    ) -> S3Result<Option<String>> {
        let buckets = self.lock();
        let held = buckets.get(bucket).ok_or_else(no_bucket)?;
        let told = held.config.versioning.is_some();
        let dir = self.dir_of(bucket);
        let mut meta = self.find(bucket, key, version)?;
        let is_current = self.current(bucket, key).is_some_and(|c| c.version == meta.version);
        f(&mut meta);
        let older = || versions_dir(&dir, key).join(format!("{}.json", meta.id()));
        let file = if is_current { meta_file(&dir, key) } else { older() };
        write_json(&file, &meta).map_err(broken)?;
        Ok(told.then(|| meta.id().to_owned()))
    }

    /// Takes an object away, hides it behind a delete marker, or takes one version away; none there is no error.
    pub(super) fn remove(
        &self,
        bucket: &str,
        key: &str,
        version: Option<&str>,
        only: &Only,
        now_ms: u64,
    ) -> S3Result<Removed> {
        let mut buckets = self.lock();
        let held = buckets.get_mut(bucket).ok_or_else(no_bucket)?;
        let dir = self.dir_of(bucket);
        let current = self.current(bucket, key);
        only.allows(current.as_ref())?;
        let versioning = held.config.versioning.clone();
        if let Some(id) = version {
            well_formed(id)?;
            let removed = Self::remove_version(&dir, key, current, id).map_err(broken)?;
            held.enter(key, self.current(bucket, key).as_ref());
            self.watchers().deleted(bucket, key);
            return Ok(removed);
        }
        let removed = if versioning.is_some() {
            let mut marker =
                ObjectMeta { key: key.to_owned(), marker: true, modified_ms: now_ms, ..ObjectMeta::default() };
            let version = Self::put_current(versioning.as_deref(), &dir, &mut marker).map_err(broken)?;
            held.enter(key, Some(&marker));
            Removed { marker: true, version }
        } else {
            if let Some(current) = current {
                fs::remove_file(meta_file(&dir, key)).map_err(broken)?;
                remove_data(&dir, &current);
            }
            held.enter(key, None);
            Removed::default()
        };
        self.watchers().deleted(bucket, key);
        Ok(removed)
    }

    /// Takes one version away; behind the current one the newest of the older ones comes forward.
    fn remove_version(dir: &Path, key: &str, current: Option<ObjectMeta>, id: &str) -> io::Result<Removed> {
        let archive = versions_dir(dir, key);
        let removed = |meta: &ObjectMeta| Removed { marker: meta.marker, version: Some(id.to_owned()) };
        if let Some(current) = current.filter(|meta| meta.id() == id) {
            let next = older(&archive).into_iter().find(|meta| meta.version != current.version);
            match next {
                Some(next) => fs::rename(archive.join(format!("{}.json", next.id())), meta_file(dir, key))?,
                None => fs::remove_file(meta_file(dir, key))?,
            }
            remove_data(dir, &current);
            let _ = fs::remove_dir(archive);
            return Ok(removed(&current));
        }
        let file = archive.join(format!("{id}.json"));
        let Ok(old) = read_json::<ObjectMeta>(&file) else {
            return Ok(Removed { marker: false, version: Some(id.to_owned()) });
        };
        fs::remove_file(file)?;
        remove_data(dir, &old);
        // Only an empty one goes.
        let _ = fs::remove_dir(archive);
        Ok(removed(&old))
    }
}

/// The versions that lie in this directory, the newest first.
fn older(archive: &Path) -> Vec<ObjectMeta> {
    let Ok(entries) = fs::read_dir(archive) else { return Vec::new() };
    let files = entries.flatten().map(|e| e.path()).filter(|p| p.extension() == Some(OsStr::new("json")));
    let mut older: Vec<ObjectMeta> = files.filter_map(|path| read_json(&path).ok()).collect();
    older.sort_by_key(|meta| std::cmp::Reverse(meta.serial));
    older
}

/// A delete marker has no bytes.
fn remove_data(dir: &Path, meta: &ObjectMeta) {
    if !meta.data.is_empty() {
        let _ = fs::remove_file(dir.join("data").join(&meta.data));
    }
}

/// Only ids that could be ours come near a path.
fn well_formed(id: &str) -> S3Result<()> {
    let ours = id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit());
    if ours || id == NULL { Ok(()) } else { Err(s3_error!(InvalidArgument, "Invalid version id specified")) }
}

/// An error that says that a delete marker stands there.
fn marked(mut error: S3Error, marker: &ObjectMeta, allow_delete: bool) -> S3Error {
    let mut headers = HeaderMap::new();
    headers.insert("x-amz-delete-marker", HeaderValue::from_static("true"));
    headers.insert(http::header::CONTENT_TYPE, HeaderValue::from_static("application/xml"));
    if let Ok(id) = HeaderValue::from_str(marker.id()) {
        headers.insert("x-amz-version-id", id);
    }
    if allow_delete {
        headers.insert(http::header::ALLOW, HeaderValue::from_static("DELETE"));
    }
    debug_assert!(matches!(error.code(), S3ErrorCode::NoSuchKey | S3ErrorCode::MethodNotAllowed));
    error.set_headers(headers);
    error
}
