//! Buckets and objects in files: `BUCKET/bucket.json`, `BUCKET/meta/DIGEST.json` and the bytes in `BUCKET/data`.
//!
//! In memory are the keys only, for listing. An object is there once its meta file has been renamed into place, so a
//! process killed at any moment leaves either the old object or the new one.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use s3s::dto::ETagCondition;
use s3s::{S3ErrorCode, S3Result, s3_error};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::super::super::state::Shared;
use super::super::law::Law;
use super::bucket::BucketConfig;
use super::hash::name_of;
use super::meta::ObjectMeta;
use super::{broken, by};

/// The objects of all buckets; clones share them.
#[derive(Clone)]
pub struct Objects {
    inner: Arc<Inner>,
}

struct Inner {
    dir: PathBuf,
    shared: Shared,
    buckets: Mutex<BTreeMap<String, Held>>,
}

/// A bucket in memory.
pub(super) struct Held {
    pub(super) config: BucketConfig,
    pub(super) keys: BTreeSet<String>,
}

/// Under which condition a write may take place.
#[derive(Default)]
pub(super) struct Only {
    pub if_match: Option<ETagCondition>,
    pub if_none_match: Option<ETagCondition>,
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
                let keys = recover(&path)?;
                shared.lock().buckets.insert(name.clone(), config.as_state());
                buckets.insert(name, Held { config, keys });
            }
        }
        let inner = Inner { dir, shared: shared.clone(), buckets: Mutex::new(buckets) };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// An object and its open file, or nothing when there is no such bucket or key.
    pub async fn open(&self, bucket: &str, key: &str) -> Option<(ObjectMeta, tokio::fs::File)> {
        // An overwrite may take the bytes away between the two reads; the second look finds the new ones.
        for _ in 0..8 {
            let meta = self.meta(bucket, key)?;
            if let Ok(file) = tokio::fs::File::open(self.dir_of(bucket).join("data").join(&meta.data)).await {
                return Some((meta, file));
            }
        }
        None
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

    /// The meta of an object.
    pub(super) fn meta(&self, bucket: &str, key: &str) -> Option<ObjectMeta> {
        read_json(&meta_file(&self.dir_of(bucket), key)).ok()
    }

    /// The meta of an object, or `NoSuchBucket` or `NoSuchKey`.
    pub(super) fn need(&self, bucket: &str, key: &str) -> S3Result<ObjectMeta> {
        self.has(bucket)?;
        self.meta(bucket, key).ok_or_else(|| s3_error!(NoSuchKey, "The specified key does not exist."))
    }

    /// Puts an object in place whose bytes lie in `file`.
    pub(super) fn commit(&self, bucket: &str, file: &Path, mut meta: ObjectMeta, only: &Only) -> S3Result<()> {
        let mut buckets = self.lock();
        let held = buckets.get_mut(bucket).ok_or_else(no_bucket)?;
        let dir = self.dir_of(bucket);
        let before = self.meta(bucket, &meta.key);
        allowed(before.as_ref(), only)?;
        meta.data = super::super::fresh();
        fs::rename(file, dir.join("data").join(&meta.data)).map_err(broken)?;
        write_json(&meta_file(&dir, &meta.key), &meta).map_err(broken)?;
        held.keys.insert(meta.key);
        if let Some(before) = before {
            let _ = fs::remove_file(dir.join("data").join(before.data));
        }
        Ok(())
    }

    /// Writes what is kept of an object beside its bytes anew.
    pub(super) fn amend(&self, bucket: &str, key: &str, f: impl FnOnce(&mut ObjectMeta)) -> S3Result<()> {
        let buckets = self.lock();
        if !buckets.contains_key(bucket) {
            return Err(no_bucket());
        }
        let meta = self.meta(bucket, key);
        let mut meta = meta.ok_or_else(|| s3_error!(NoSuchKey, "The specified key does not exist."))?;
        f(&mut meta);
        write_json(&meta_file(&self.dir_of(bucket), key), &meta).map_err(broken)
    }

    /// Takes an object away; none there is no error.
    pub(super) fn remove(&self, bucket: &str, key: &str, only: &Only) -> S3Result<()> {
        let mut buckets = self.lock();
        let held = buckets.get_mut(bucket).ok_or_else(no_bucket)?;
        let dir = self.dir_of(bucket);
        let before = self.meta(bucket, key);
        allowed(before.as_ref(), only)?;
        if let Some(before) = before {
            fs::remove_file(meta_file(&dir, key)).map_err(broken)?;
            let _ = fs::remove_file(dir.join("data").join(before.data));
        }
        held.keys.remove(key);
        Ok(())
    }

    /// Makes a bucket's directories and enters it.
    pub(super) fn make_bucket(&self, name: &str, config: BucketConfig) -> S3Result<()> {
        let mut buckets = self.lock();
        if buckets.contains_key(name) {
            let message = "Your previous request to create the named bucket succeeded and you already own it.";
            return Err(s3s::S3Error::with_message(S3ErrorCode::BucketAlreadyOwnedByYou, message));
        }
        let dir = self.dir_of(name);
        for below in ["meta", "data", "tmp", "uploads"] {
            fs::create_dir_all(dir.join(below)).map_err(broken)?;
        }
        write_json(&dir.join("bucket.json"), &config).map_err(broken)?;
        self.mirror(name, Some(&config));
        buckets.insert(name.to_owned(), Held { config, keys: BTreeSet::new() });
        Ok(())
    }

    /// Removes an empty bucket.
    pub(super) fn drop_bucket(&self, name: &str) -> S3Result<()> {
        let mut buckets = self.lock();
        if !buckets.get(name).ok_or_else(no_bucket)?.keys.is_empty() {
            return Err(s3_error!(BucketNotEmpty, "The bucket you tried to delete is not empty"));
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
        let mut config = held.config.clone();
        let answer = f(&mut config)?;
        write_json(&self.dir_of(name).join("bucket.json"), &config).map_err(broken)?;
        self.mirror(name, Some(&config));
        held.config = config;
        Ok(answer)
    }

    /// Looks at a bucket's configuration.
    pub(super) fn config(&self, name: &str) -> S3Result<BucketConfig> {
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

/// The file an object's meta lies in.
fn meta_file(bucket: &Path, key: &str) -> PathBuf {
    bucket.join("meta").join(format!("{}.json", name_of(key)))
}

/// Holds a write to its conditions (law C7).
fn allowed(before: Option<&ObjectMeta>, only: &Only) -> S3Result<()> {
    let failed = || {
        let message = "At least one of the pre-conditions you specified did not hold";
        Err(by(Law::C7, S3ErrorCode::PreconditionFailed, message))
    };
    let same = |condition: &ETagCondition, meta: &ObjectMeta| match condition {
        ETagCondition::Any => true,
        ETagCondition::ETag(tag) => tag.value() == meta.etag,
    };
    match (&only.if_none_match, before) {
        (Some(condition), Some(meta)) if same(condition, meta) => return failed(),
        _ => {}
    }
    match (&only.if_match, before) {
        (Some(_), None) => Err(s3_error!(NoSuchKey, "The specified key does not exist.")),
        (Some(condition), Some(meta)) if !same(condition, meta) => failed(),
        _ => Ok(()),
    }
}

/// Finds a bucket's keys after a restart, and clears what was on its way in.
fn recover(bucket: &Path) -> io::Result<BTreeSet<String>> {
    let (mut keys, mut data) = (BTreeSet::new(), BTreeSet::new());
    for entry in fs::read_dir(bucket.join("meta"))? {
        let path = entry?.path();
        if let Ok(meta) = read_json::<ObjectMeta>(&path) {
            data.insert(meta.data);
            keys.insert(meta.key);
        } else {
            // Half a meta file has never been renamed into place: nobody was told of it.
            fs::remove_file(path)?;
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
    Ok(keys)
}

pub(super) fn read_json<T: DeserializeOwned>(path: &Path) -> io::Result<T> {
    Ok(serde_json::from_slice(&fs::read(path)?)?)
}

/// Writes beside and renames into place.
pub(super) fn write_json(path: &Path, value: &impl Serialize) -> io::Result<()> {
    let beside = path.with_extension("new");
    fs::write(&beside, serde_json::to_vec(value)?)?;
    fs::rename(beside, path)
}
