//! An object store in memory.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use serde_json::{Value, json};
use tokio::io::AsyncReadExt;

use super::Fuse;
use crate::clients::objects::{Body, BucketState, Crc64, Headers, Listed, ObjectsRead, ObjectsWrite, Receipt, Stored};
use crate::clients::{ClientError, ClientResult, Kind};

/// Every bucket of the world.
#[derive(Clone)]
pub struct FakeObjects {
    fuse: Fuse,
    buckets: Arc<Mutex<BTreeMap<String, Bucket>>>,
}

#[derive(Default)]
struct Bucket {
    state: BucketState,
    objects: BTreeMap<String, (Bytes, Headers)>,
}

impl FakeObjects {
    /// Without any bucket.
    pub fn new(fuse: Fuse) -> Self {
        Self { fuse, buckets: Arc::default() }
    }

    /// What somebody else does: a private bucket, and an object in it.
    pub fn meddle(&self, bucket: &str, key: &str, body: &'static str, headers: Headers) {
        let mut buckets = self.lock();
        let bucket = buckets.entry(bucket.to_owned()).or_default();
        bucket.state.blocks_public = true;
        bucket.objects.insert(key.to_owned(), (Bytes::from_static(body.as_bytes()), headers));
    }

    /// Everything, comparable.
    pub fn snapshot(&self) -> Value {
        let buckets = self.lock();
        let each = buckets.iter().map(|(name, bucket)| {
            let objects = bucket.objects.iter();
            let objects = objects.map(|(key, (body, headers))| (key.clone(), json!([Crc64::of(body), headers])));
            (name.clone(), json!({ "state": bucket.state, "objects": objects.collect::<BTreeMap<_, _>>() }))
        });
        json!(each.collect::<BTreeMap<_, _>>())
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Bucket>> {
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn change<T>(
        &self,
        what: &str,
        bucket: &str,
        f: impl FnOnce(&mut Bucket) -> ClientResult<T>,
    ) -> ClientResult<T> {
        self.fuse
            .act(what, || match self.lock().get_mut(bucket) {
                Some(found) => f(found),
                None => Err(ClientError::new(Kind::NotFound, what, format!("there is no bucket {bucket}"))),
            })
            .await
    }
}

#[async_trait]
impl ObjectsRead for FakeObjects {
    async fn bucket(&self, bucket: &str) -> ClientResult<Option<BucketState>> {
        Ok(self.lock().get(bucket).map(|found| found.state.clone()))
    }

    async fn list(&self, bucket: &str, prefix: &str, each: &mut (dyn FnMut(Listed) + Send)) -> ClientResult<()> {
        let buckets = self.lock();
        let Some(found) = buckets.get(bucket) else {
            return Err(ClientError::new(Kind::NotFound, "list", format!("there is no bucket {bucket}")));
        };
        for (key, (body, _)) in found.objects.iter().filter(|(key, _)| key.starts_with(prefix)) {
            each(Listed { key: key.clone(), size: body.len() as u64, etag: Crc64::of(body) });
        }
        Ok(())
    }

    async fn head(&self, bucket: &str, key: &str) -> ClientResult<Option<Stored>> {
        let buckets = self.lock();
        let found = buckets.get(bucket).and_then(|bucket| bucket.objects.get(key));
        Ok(found.map(|(body, headers)| Stored {
            size: body.len() as u64,
            crc64: Some(Crc64::of(body)),
            headers: headers.clone(),
        }))
    }

    async fn get(&self, bucket: &str, key: &str) -> ClientResult<Option<Bytes>> {
        Ok(self.lock().get(bucket).and_then(|bucket| bucket.objects.get(key)).map(|(body, _)| body.clone()))
    }
}

#[async_trait]
impl ObjectsWrite for FakeObjects {
    async fn create_private_bucket(&self, bucket: &str, tags: &[(String, String)]) -> ClientResult<()> {
        self.fuse
            .act("create bucket", || {
                let mut buckets = self.lock();
                let made = buckets.entry(bucket.to_owned()).or_default();
                if !made.state.tags.is_empty() && made.state.tags != tags {
                    return Err(ClientError::new(Kind::Conflict, "create bucket", "it is there, with other tags"));
                }
                made.state = BucketState { blocks_public: true, policy: None, tags: tags.to_vec() };
                Ok(())
            })
            .await
    }

    async fn delete_bucket(&self, bucket: &str) -> ClientResult<()> {
        self.fuse
            .act("delete bucket", || {
                let mut buckets = self.lock();
                if buckets.get(bucket).is_some_and(|found| !found.objects.is_empty()) {
                    return Err(ClientError::new(Kind::Conflict, "delete bucket", "BucketNotEmpty"));
                }
                buckets.remove(bucket);
                Ok(())
            })
            .await
    }

    async fn set_policy(&self, bucket: &str, policy: Option<&str>) -> ClientResult<()> {
        self.change("set policy", bucket, |found| {
            found.state.policy = policy.map(str::to_owned);
            Ok(())
        })
        .await
    }

    async fn put(&self, bucket: &str, key: &str, body: Body<'_>, headers: &Headers) -> ClientResult<Receipt> {
        let bytes = match body {
            Body::Bytes(bytes) => bytes,
            Body::Stream(size, reader) => {
                let mut bytes = Vec::new();
                let read = reader.take(size).read_to_end(&mut bytes).await;
                if read.is_err() || bytes.len() as u64 != size {
                    return Err(ClientError::new(Kind::Refused, format!("put {key}"), "its source broke off"));
                }
                bytes.into()
            }
            Body::File(size, file) => {
                let mut bytes = vec![0; usize::try_from(size).unwrap_or_default()];
                let read = std::os::unix::fs::FileExt::read_exact_at(file.as_ref(), &mut bytes, 0);
                read.map_err(|error| ClientError::new(Kind::Refused, format!("put {key}"), error.to_string()))?;
                bytes.into()
            }
        };
        self.change("put", bucket, |found| {
            let crc64 = Crc64::of(&bytes);
            found.objects.insert(key.to_owned(), (bytes, headers.clone()));
            Ok(Receipt { etag: crc64.clone(), crc64 })
        })
        .await
    }

    async fn copy(&self, bucket: &str, from: &str, to: &str, headers: Option<&Headers>) -> ClientResult<()> {
        self.change("copy", bucket, |found| {
            let source = found.objects.get(from).cloned();
            let (body, own) = source.ok_or_else(|| ClientError::new(Kind::NotFound, format!("copy {from}"), "gone"))?;
            found.objects.insert(to.to_owned(), (body, headers.cloned().unwrap_or(own)));
            Ok(())
        })
        .await
    }

    async fn delete(&self, bucket: &str, keys: &[String]) -> ClientResult<()> {
        self.change("delete", bucket, |found| {
            found.objects.retain(|key, _| !keys.contains(key));
            Ok(())
        })
        .await
    }

    async fn abort_uploads(&self, _: &str, _: &str) -> ClientResult<usize> {
        // An upload in memory is whole or not there.
        Ok(0)
    }
}
