//! The port to the object store (S3).

use std::collections::BTreeMap;

use async_trait::async_trait;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tokio::io::AsyncRead;

use super::ClientResult;

/// An object as a listing shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    /// The key.
    pub key: String,
    /// Bytes.
    pub size: u64,
    /// The entity tag, without quotes.
    pub etag: String,
}

/// What an object is stored with.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Headers {
    /// Content-Type.
    pub content_type: String,
    /// Cache-Control.
    pub cache_control: String,
    /// User metadata (`x-amz-meta-…`), names in lower case, values in ASCII.
    pub metadata: BTreeMap<String, String>,
}

/// An object as a HEAD shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stored {
    /// Bytes.
    pub size: u64,
    /// The full-object CRC64NVME, base64, as S3 keeps it for every object.
    pub crc64: Option<String>,
    /// What it is stored with.
    pub headers: Headers,
}

/// The state of a bucket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BucketState {
    /// All four Block Public Access switches are on.
    pub blocks_public: bool,
    /// The bucket policy, as JSON text.
    pub policy: Option<String>,
    /// Tags.
    pub tags: Vec<(String, String)>,
}

/// A body to be uploaded, with the checksum S3 must find.
pub enum Body<'a> {
    /// In memory; the CRC64NVME is computed beforehand.
    Bytes(Bytes),
    /// A stream of so many bytes, sent in parts of 8 MiB.
    Stream(u64, &'a mut (dyn AsyncRead + Send + Unpin)),
}

/// What can be looked up.
#[async_trait]
pub trait ObjectsRead: Send + Sync {
    /// The bucket's state; `None` if there is no such bucket. Somebody else's is [`super::Kind::Denied`].
    async fn bucket(&self, bucket: &str) -> ClientResult<Option<BucketState>>;

    /// Every object below the prefix, in key order, page after page given to `each`.
    async fn list(&self, bucket: &str, prefix: &str, each: &mut (dyn FnMut(Listed) + Send)) -> ClientResult<()>;

    /// One object's headers and checksum.
    async fn head(&self, bucket: &str, key: &str) -> ClientResult<Option<Stored>>;

    /// A small object whole (at most 64 MiB).
    async fn get(&self, bucket: &str, key: &str) -> ClientResult<Option<Bytes>>;
}

/// What can be changed.
#[async_trait]
pub trait ObjectsWrite: ObjectsRead {
    /// Makes a private bucket: Block Public Access on, ACLs off, tagged.
    async fn create_private_bucket(&self, bucket: &str, tags: &[(String, String)]) -> ClientResult<()>;

    /// Deletes an empty bucket. One that is gone already is no error; one with objects is [`super::Kind::Conflict`].
    async fn delete_bucket(&self, bucket: &str) -> ClientResult<()>;

    /// Sets or (with `None`) removes the bucket policy.
    async fn set_policy(&self, bucket: &str, policy: Option<&str>) -> ClientResult<()>;

    /// Stores an object and returns its CRC64NVME (base64) as computed here and confirmed by S3.
    async fn put(&self, bucket: &str, key: &str, body: Body<'_>, headers: &Headers) -> ClientResult<String>;

    /// Deletes objects; those that are gone already are no error.
    async fn delete(&self, bucket: &str, keys: &[String]) -> ClientResult<()>;

    /// Aborts every multipart upload that was left unfinished below the prefix; returns how many.
    async fn abort_uploads(&self, bucket: &str, prefix: &str) -> ClientResult<usize>;
}
