//! What is kept of an object beside its bytes.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use s3s::dto::{ETag, Metadata, StorageClass, Timestamp, TimestampFormat};
use s3s::{S3Result, s3_error};
use serde::{Deserialize, Serialize};

use super::acl::Acl;

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
    /// The version's id; none is the null version.
    #[serde(default)]
    pub(super) version: Option<String>,
    /// It is a delete marker: there is no object.
    #[serde(default)]
    pub(super) marker: bool,
    /// Orders the versions of a key.
    #[serde(default)]
    pub(super) serial: u64,
    /// The parts it was uploaded in, if it was.
    #[serde(default)]
    pub(super) parts: Vec<PartMeta>,
    /// Its ACL; none is the owner's.
    #[serde(default)]
    pub(super) acl: Option<Acl>,
    /// Where the website endpoint sends who asks for it.
    #[serde(default)]
    pub(super) redirect: Option<String>,
    /// The storage class, unless it is STANDARD.
    #[serde(default)]
    pub(super) class: Option<String>,
}

/// A part of an object that was uploaded in parts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct PartMeta {
    pub number: i32,
    pub size: u64,
    pub checksums: BTreeMap<String, String>,
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
    /// `Expires`.
    #[serde(default)]
    pub(super) expires: Option<Timestamp>,
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

    /// When it was last written, in whole seconds since 1970, as HTTP dates count.
    pub(super) fn seconds(&self) -> i64 {
        i64::try_from(self.modified_ms / 1000).unwrap_or(i64::MAX)
    }

    pub(super) fn storage_class(&self) -> Option<StorageClass> {
        self.class.clone().map(StorageClass::from)
    }

    pub(super) fn user_metadata(&self) -> Metadata {
        self.metadata.clone().into_iter().collect()
    }
}

/// Milliseconds since 1970.
pub(super) fn millis(at: SystemTime) -> u64 {
    u64::try_from(at.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis()).unwrap_or(u64::MAX)
}

/// Seconds since 1970.
pub(super) fn seconds_of(at: &Timestamp) -> i64 {
    let mut text = Vec::new();
    let _ = at.format(TimestampFormat::EpochSeconds, &mut text);
    let text = String::from_utf8_lossy(&text);
    text.split('.').next().and_then(|whole| whole.parse().ok()).unwrap_or_default()
}

/// Metadata as it is kept: at most 2 KB. Source: S3 guide, "Working with object metadata".
pub(super) fn metadata_in(given: Option<Metadata>) -> S3Result<BTreeMap<String, String>> {
    let metadata: BTreeMap<String, String> = given.unwrap_or_default().into_iter().collect();
    if metadata.iter().map(|(k, v)| k.len() + v.len()).sum::<usize>() > 2 << 10 {
        return Err(s3_error!(MetadataTooLarge, "Your metadata headers exceed the maximum allowed metadata size"));
    }
    Ok(metadata)
}

/// A storage class that S3 knows; STANDARD is none.
pub(super) fn class_in(given: Option<&StorageClass>) -> S3Result<Option<String>> {
    const KNOWN: &[&str] = &["STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER_IR", "REDUCED_REDUNDANCY"];
    match given.map(StorageClass::as_str) {
        None | Some("STANDARD") => Ok(None),
        Some(name) if KNOWN.contains(&name) => Ok(Some(name.to_owned())),
        Some("GLACIER" | "DEEP_ARCHIVE") => {
            Err(s3_error!(NotImplemented, "the rehearsal cloud keeps no objects in an archive"))
        }
        Some(_) => Err(s3_error!(InvalidStorageClass, "The storage class you specified is not valid")),
    }
}

/// What an object is encrypted with: SSE-S3. Keys of the customer's or of KMS are refused.
pub(super) fn encryption_in(
    given: Option<&s3s::dto::ServerSideEncryption>,
    customer: Option<&str>,
) -> S3Result<s3s::dto::ServerSideEncryption> {
    match given.map(s3s::dto::ServerSideEncryption::as_str) {
        _ if customer.is_some() => {
            Err(s3_error!(NotImplemented, "the rehearsal cloud takes no keys of the customer's (SSE-C)"))
        }
        None | Some("AES256") => Ok(sse()),
        Some("aws:kms" | "aws:kms:dsse") => {
            Err(s3_error!(NotImplemented, "the rehearsal cloud has no KMS: encrypt with AES256 (SSE-S3)"))
        }
        Some(_) => {
            Err(s3_error!(InvalidEncryptionAlgorithmError, "The encryption request you specified is not valid."))
        }
    }
}

/// SSE-S3, which every object is encrypted with since January 2023.
pub(super) fn sse() -> s3s::dto::ServerSideEncryption {
    s3s::dto::ServerSideEncryption::from_static(s3s::dto::ServerSideEncryption::AES256)
}

/// Takes the six headers out of a request's input.
macro_rules! headers_of {
    ($input:expr) => {
        $crate::rehearsal::cloud::s3::meta::Headers {
            content_type: $input.content_type.take(),
            cache_control: $input.cache_control.take(),
            content_encoding: $input.content_encoding.take(),
            content_disposition: $input.content_disposition.take(),
            content_language: $input.content_language.take(),
            expires: $input.expires.take(),
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
