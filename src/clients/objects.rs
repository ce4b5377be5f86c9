//! The port to the object store (S3).

use std::collections::BTreeMap;
use std::sync::Arc;

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
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct BucketState {
    /// All four Block Public Access switches are on.
    pub blocks_public: bool,
    /// The bucket policy, as JSON text.
    pub policy: Option<String>,
    /// Tags.
    pub tags: Vec<(String, String)>,
}

/// A CRC64NVME in the making, as S3 keeps one for every object.
#[derive(Default)]
pub struct Crc64(Option<crc_fast::Digest>);

impl Crc64 {
    /// The checksum of these bytes, in base64.
    pub fn of(bytes: &[u8]) -> String {
        encoded(crc_fast::checksum(crc_fast::CrcAlgorithm::Crc64Nvme, bytes))
    }

    /// The checksum of these bytes as a number.
    pub fn number(bytes: &[u8]) -> u64 {
        crc_fast::checksum(crc_fast::CrcAlgorithm::Crc64Nvme, bytes)
    }

    /// A checksum's number in base64, as S3 writes it.
    pub fn written(number: u64) -> String {
        encoded(number)
    }

    /// The checksum of two pieces, one behind the other, from those of each; `len` is the second one's.
    pub fn joined(first: u64, second: u64, len: u64) -> u64 {
        crc_fast::checksum_combine(crc_fast::CrcAlgorithm::Crc64Nvme, first, second, len)
    }

    /// Takes more bytes in.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.get_or_insert_with(|| crc_fast::Digest::new(crc_fast::CrcAlgorithm::Crc64Nvme)).update(bytes);
    }

    /// The checksum so far, in base64.
    pub fn base64(&self) -> String {
        encoded(self.value())
    }

    /// The checksum so far, as a number.
    pub fn value(&self) -> u64 {
        self.0.as_ref().map_or_else(|| Self::number(&[]), crc_fast::Digest::finalize)
    }

    /// The number of a checksum in base64.
    pub fn read(written: &str) -> Option<u64> {
        let bytes = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, written).ok()?;
        Some(u64::from_be_bytes(bytes.try_into().ok()?))
    }
}

fn encoded(crc: u64) -> String {
    base64::Engine::encode(&base64::engine::general_purpose::STANDARD, crc.to_be_bytes())
}

/// A body to be uploaded, with the checksum S3 must find.
pub enum Body<'a> {
    /// In memory; the CRC64NVME is computed beforehand.
    Bytes(Bytes),
    /// A stream of so many bytes, sent in parts of 8 MiB.
    Stream(u64, &'a mut (dyn AsyncRead + Send + Unpin)),
    /// A file of so many bytes, sent in parts of 8 MiB.
    File(u64, Arc<std::fs::File>),
}

/// What S3 confirmed of an object that was stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The CRC64NVME (base64), as computed here and confirmed by S3.
    pub crc64: String,
    /// The entity tag, without quotes.
    pub etag: String,
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

    /// Stores an object whose checksum S3 confirms.
    async fn put(&self, bucket: &str, key: &str, body: Body<'_>, headers: &Headers) -> ClientResult<Receipt>;

    /// Copies an object within the bucket, at most 5 GiB, with its own headers and metadata or with these instead.
    /// A source that is not there is [`super::Kind::NotFound`].
    async fn copy(&self, bucket: &str, from: &str, to: &str, headers: Option<&Headers>) -> ClientResult<()>;

    /// Deletes objects; those that are gone already are no error.
    async fn delete(&self, bucket: &str, keys: &[String]) -> ClientResult<()>;

    /// Aborts every multipart upload that was left unfinished below the prefix; returns how many.
    async fn abort_uploads(&self, bucket: &str, prefix: &str) -> ClientResult<usize>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_the_one_of_the_catalogue_whole_or_in_pieces() {
        // The check value of CRC-64/NVME for "123456789" is ae8b14860a799888.
        assert_eq!(Crc64::of(b"123456789"), encoded(0xae8b_1486_0a79_9888));
        let mut pieces = Crc64::default();
        assert_eq!(pieces.base64(), Crc64::of(b""));
        pieces.update(b"1234");
        pieces.update(b"56789");
        assert_eq!(pieces.base64(), Crc64::of(b"123456789"));
        let joined =
            Crc64::joined(Crc64::joined(Crc64::number(b""), Crc64::number(b"1234"), 4), Crc64::number(b"56789"), 5);
        assert_eq!(Crc64::written(joined), Crc64::of(b"123456789"));
        assert_eq!((Crc64::read(&Crc64::written(joined)), Crc64::read("x")), (Some(joined), None));
    }
}
