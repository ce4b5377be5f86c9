//! What is kept of an object beside its bytes.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use s3s::dto::{ETag, Metadata, Timestamp};
use serde::{Deserialize, Serialize};

/// An object without its bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectMeta {
    /// The key.
    pub key: String,
    /// The file its bytes lie in, below the bucket's `data`.
    pub(super) data: String,
    /// Bytes.
    pub size: u64,
    /// Without the quotes.
    pub etag: String,
    /// Milliseconds since 1970, on the rehearsal's clock.
    pub modified_ms: u64,
    /// The headers it was put with.
    #[serde(flatten)]
    pub headers: Headers,
    /// `x-amz-meta-*`, without the prefix.
    pub metadata: BTreeMap<String, String>,
    /// Checksums in base64 by algorithm (`CRC64NVME`, `SHA256`, …).
    pub checksums: BTreeMap<String, String>,
    /// The checksums are of the parts' checksums and not of the whole.
    pub composite: bool,
    /// Tags.
    pub tags: BTreeMap<String, String>,
}

/// The headers an object is served with.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Headers {
    /// `Content-Type`; `binary/octet-stream` if none was given.
    pub content_type: Option<String>,
    /// `Cache-Control`.
    pub cache_control: Option<String>,
    /// `Content-Encoding`.
    pub content_encoding: Option<String>,
    /// `Content-Disposition`.
    pub content_disposition: Option<String>,
    /// `Content-Language`.
    pub content_language: Option<String>,
}

impl ObjectMeta {
    /// When it was last written.
    pub fn modified(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_millis(self.modified_ms)
    }

    pub(super) fn timestamp(&self) -> Timestamp {
        Timestamp::from(self.modified())
    }

    pub(super) fn tag(&self) -> ETag {
        ETag::Strong(self.etag.clone())
    }

    pub(super) fn user_metadata(&self) -> Metadata {
        self.metadata.clone().into_iter().collect()
    }
}

/// Milliseconds since 1970.
pub(super) fn millis(at: SystemTime) -> u64 {
    u64::try_from(at.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis()).unwrap_or(u64::MAX)
}

/// Takes the five headers out of a request's input.
macro_rules! headers_of {
    ($input:expr) => {
        $crate::rehearsal::cloud::s3::meta::Headers {
            content_type: $input.content_type.take(),
            cache_control: $input.cache_control.take(),
            content_encoding: $input.content_encoding.take(),
            content_disposition: $input.content_disposition.take(),
            content_language: $input.content_language.take(),
        }
    };
}
pub(super) use headers_of;

/// Puts checksums by algorithm into the five fields that every answer with checksums has.
macro_rules! put_checksums {
    ($output:expr, $checksums:expr) => {{
        let of = |name: &str| $checksums.get(name).cloned();
        $output.checksum_crc32 = of("CRC32");
        $output.checksum_crc32c = of("CRC32C");
        $output.checksum_crc64nvme = of("CRC64NVME");
        $output.checksum_sha1 = of("SHA1");
        $output.checksum_sha256 = of("SHA256");
    }};
}
pub(super) use put_checksums;

/// The checksums a request's input carries, by algorithm.
macro_rules! given_checksums {
    ($input:expr) => {
        [
            ("CRC32", &$input.checksum_crc32),
            ("CRC32C", &$input.checksum_crc32c),
            ("CRC64NVME", &$input.checksum_crc64nvme),
            ("SHA1", &$input.checksum_sha1),
            ("SHA256", &$input.checksum_sha256),
        ]
        .into_iter()
        .filter_map(|(name, value)| value.clone().map(|v| (name.to_owned(), v)))
        .collect::<std::collections::BTreeMap<String, String>>()
    };
}
pub(super) use given_checksums;
