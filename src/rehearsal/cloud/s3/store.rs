//! Buckets and objects in files: `BUCKET/bucket.json`, the current version of an object in `BUCKET/meta/DIGEST.json`,
//! those before it in `BUCKET/versions/DIGEST/ID.json`, and the bytes in `BUCKET/data`.
//!
//! In memory are the keys only, for listing. An object is there once its meta file has been renamed into place, so a
//! process killed at any moment leaves either the old object or the new one.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use s3s::{S3Result, s3_error};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::super::super::state::Shared;
use super::broken;
use super::bucket::BucketConfig;
use super::hash::name_of;
use super::meta::ObjectMeta;
use super::only::Watchers;

/// The objects of all buckets; clones share them.
#[derive(Clone)]
pub struct Objects {
    inner: Arc<Inner>,
}

struct Inner {
    dir: PathBuf,
    shared: Shared,
    buckets: Mutex<BTreeMap<String, Held>>,
    watchers: Watchers,
}

/// A bucket in memory.
pub(super) struct Held {
    pub(super) config: Arc<BucketConfig>,
    /// Keys that are there.
    pub(super) keys: BTreeSet<String>,
    /// Keys whose current version is a delete marker.
    pub(super) hidden: BTreeSet<String>,
}

impl Held {
    /// Enters what is current at a key now.
    pub(super) fn enter(&mut self, key: &str, current: Option<&ObjectMeta>) {
        self.keys.remove(key);
        self.hidden.remove(key);
        match current {
            Some(meta) if meta.marker => drop(self.hidden.insert(key.to_owned())),
            Some(_) => drop(self.keys.insert(key.to_owned())),
            None => {}
        }
    }
}

impl Objects {
    /// Opens the store below `dir`: what an earlier process left there is found again, its unfinished writes cleared.
    pub(in super::super) fn open_dir(dir: PathBuf, shared: &Shared) -> io::Result<Self> {
        fs::create_dir_all(&dir)?;
        let mut buckets = BTreeMap::new();
        for entry in fs::read_dir(&dir)? {
            let path = entry?.path();
            if let Ok(config) = read_json::<BucketConfig>(&path.join("bucket.json")) {
                let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                shared.lock().buckets.insert(name.clone(), config.as_state());
                let mut held = Held { config: Arc::new(config), keys: BTreeSet::new(), hidden: BTreeSet::new() };
                recover(&path, &mut held)?;
                buckets.insert(name, held);
            }
        }
        let inner = Inner { dir, shared: shared.clone(), buckets: Mutex::new(buckets), watchers: Watchers::default() };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// An object and its open file, or nothing when there is no such bucket or key.
    pub async fn open(&self, bucket: &str, key: &str) -> Option<(ObjectMeta, tokio::fs::File)> {
        self.open_version(bucket, key, None).await.ok()
    }

    /// An object's version, or its current one, and its open file.
    pub(super) async fn open_version(
        &self,
        bucket: &str,
        key: &str,
        version: Option<&str>,
    ) -> S3Result<(ObjectMeta, tokio::fs::File)> {
        // An overwrite may take the bytes away between the two reads; the second look finds the new ones.
        for _ in 0..8 {
            let meta = self.need(bucket, key, version)?;
            if let Ok(file) = tokio::fs::File::open(self.dir_of(bucket).join("data").join(&meta.data)).await {
                return Ok((meta, file));
            }
        }
        Err(no_key())
    }

    pub(super) fn watchers(&self) -> &Watchers {
        &self.inner.watchers
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Held>> {
        self.inner.buckets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn dir_of(&self, bucket: &str) -> PathBuf {
        self.inner.dir.join(bucket)
    }

    /// A new file for bytes on their way in.
    pub(super) fn fresh_file(&self, bucket: &str) -> S3Result<PathBuf> {
        self.has(bucket)?;
        Ok(self.dir_of(bucket).join("tmp").join(super::super::fresh()))
    }

    /// Refuses what names no bucket.
    pub(super) fn has(&self, bucket: &str) -> S3Result<()> {
        if self.lock().contains_key(bucket) { Ok(()) } else { Err(no_bucket()) }
    }

    /// Makes a bucket's directories and enters it.
    pub(super) fn make_bucket(&self, name: &str, config: BucketConfig) -> S3Result<()> {
        let mut buckets = self.lock();
        if buckets.contains_key(name) {
            let message = "Your previous request to create the named bucket succeeded and you already own it.";
            return Err(s3_error!(BucketAlreadyOwnedByYou, "{}", message));
        }
        let dir = self.dir_of(name);
        for below in ["meta", "versions", "data", "tmp", "uploads"] {
            fs::create_dir_all(dir.join(below)).map_err(broken)?;
        }
        write_json(&dir.join("bucket.json"), &config).map_err(broken)?;
        self.mirror(name, Some(&config));
        let held = Held { config: Arc::new(config), keys: BTreeSet::new(), hidden: BTreeSet::new() };
        buckets.insert(name.to_owned(), held);
        Ok(())
    }

    /// Removes an empty bucket.
    pub(super) fn drop_bucket(&self, name: &str) -> S3Result<()> {
        let mut buckets = self.lock();
        let held = buckets.get(name).ok_or_else(no_bucket)?;
        if !held.keys.is_empty() || !held.hidden.is_empty() {
            let more =
                if held.config.versioning.is_some() { ". You must delete all versions in the bucket." } else { "" };
            return Err(s3_error!(BucketNotEmpty, "The bucket you tried to delete is not empty{}", more));
        }
        let dir = self.dir_of(name);
        fs::remove_file(dir.join("bucket.json")).map_err(broken)?;
        buckets.remove(name);
        self.mirror(name, None);
        fs::remove_dir_all(dir).map_err(broken)
    }

    /// Changes a bucket's configuration.
    pub(super) fn configure<T>(&self, name: &str, f: impl FnOnce(&mut BucketConfig) -> S3Result<T>) -> S3Result<T> {
        let mut buckets = self.lock();
        let held = buckets.get_mut(name).ok_or_else(no_bucket)?;
        let mut config = BucketConfig::clone(&held.config);
        let answer = f(&mut config)?;
        write_json(&self.dir_of(name).join("bucket.json"), &config).map_err(broken)?;
        self.mirror(name, Some(&config));
        held.config = Arc::new(config);
        Ok(answer)
    }

    /// Looks at a bucket's configuration.
    pub(super) fn config(&self, name: &str) -> S3Result<Arc<BucketConfig>> {
        self.lock().get(name).map(|held| held.config.clone()).ok_or_else(no_bucket)
    }

    fn mirror(&self, name: &str, config: Option<&BucketConfig>) {
        let mut state = self.inner.shared.lock();
        match config {
            Some(config) => drop(state.buckets.insert(name.to_owned(), config.as_state())),
            None => drop(state.buckets.remove(name)),
        }
        drop(state);
        self.inner.shared.changed();
    }
}

pub(super) fn no_bucket() -> s3s::S3Error {
    s3_error!(NoSuchBucket, "The specified bucket does not exist")
}

pub(super) fn no_key() -> s3s::S3Error {
    s3_error!(NoSuchKey, "The specified key does not exist.")
}

/// The file the current version of an object is described in.
pub(super) fn meta_file(bucket: &Path, key: &str) -> PathBuf {
    bucket.join("meta").join(format!("{}.json", name_of(key)))
}

/// The directory the versions before the current one are described in.
pub(super) fn versions_dir(bucket: &Path, key: &str) -> PathBuf {
    bucket.join("versions").join(name_of(key))
}

/// Finds a bucket's keys after a restart, and clears what was on its way in.
fn recover(bucket: &Path, held: &mut Held) -> io::Result<()> {
    // A bucket of an earlier release has no versions.
    fs::create_dir_all(bucket.join("versions"))?;
    let mut data = BTreeSet::new();
    for entry in fs::read_dir(bucket.join("meta"))? {
        let path = entry?.path();
        match read_json::<ObjectMeta>(&path) {
            Ok(meta) if path.extension() == Some(OsStr::new("json")) => {
                held.enter(&meta.key, Some(&meta));
                data.insert(meta.data);
            }
            // What has never been renamed into place nobody was told of.
            _ => fs::remove_file(path)?,
        }
    }
    for entry in fs::read_dir(bucket.join("versions"))? {
        for version in fs::read_dir(entry?.path())? {
            let path = version?.path();
            match read_json::<ObjectMeta>(&path) {
                Ok(meta) if path.extension() == Some(OsStr::new("json")) => drop(data.insert(meta.data)),
                _ => fs::remove_file(path)?,
            }
        }
    }
    for entry in fs::read_dir(bucket.join("data"))? {
        let entry = entry?;
        if !data.contains(entry.file_name().to_string_lossy().as_ref()) {
            fs::remove_file(entry.path())?;
        }
    }
    for entry in fs::read_dir(bucket.join("tmp"))? {
        fs::remove_file(entry?.path())?;
    }
    Ok(())
}

pub(super) fn read_json<T: DeserializeOwned>(path: &Path) -> io::Result<T> {
    Ok(serde_json::from_slice(&fs::read(path)?)?)
}

/// Writes beside and renames into place; on a full disk nothing is left.
pub(super) fn write_json(path: &Path, value: &impl Serialize) -> io::Result<()> {
    let beside = path.with_extension("new");
    let written = fs::write(&beside, serde_json::to_vec(value)?).and_then(|()| fs::rename(&beside, path));
    written.inspect_err(|_| drop(fs::remove_file(&beside)))
}
