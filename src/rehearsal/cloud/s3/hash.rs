//! Hashing bytes as they pass: MD5 for the `ETag`, and the checksums that were asked for.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use s3s::checksum::ChecksumHasher;
use s3s::crypto::{Checksum as _, Crc32, Crc32c, Crc64Nvme, Md5, Sha1, Sha256};

/// The algorithms S3 knows.
pub(super) const ALGORITHMS: &[&str] = &["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"];

/// Whether a checksum in base64 has the length of its algorithm's.
pub(super) fn well_formed(algorithm: &str, value: &str) -> bool {
    let length = match algorithm {
        "CRC32" | "CRC32C" => 4,
        "CRC64NVME" => 8,
        "SHA1" => 20,
        _ => 32,
    };
    STANDARD.decode(value).is_ok_and(|bytes| bytes.len() == length)
}

pub(super) struct Hasher {
    md5: Md5,
    sums: ChecksumHasher,
    size: u64,
}

/// What came of hashing.
pub(super) struct Hashed {
    pub md5: [u8; 16],
    pub size: u64,
    pub checksums: BTreeMap<String, String>,
}

impl Hasher {
    /// Hashes by these algorithms; with none of them by CRC64NVME, as S3 does.
    pub(super) fn new<'a>(algorithms: impl IntoIterator<Item = &'a str>) -> Self {
        let mut sums = ChecksumHasher::default();
        let mut any = false;
        for algorithm in algorithms {
            any = true;
            match algorithm {
                "CRC32" => sums.crc32 = Some(Crc32::new()),
                "CRC32C" => sums.crc32c = Some(Crc32c::new()),
                "CRC64NVME" => sums.crc64nvme = Some(Crc64Nvme::new()),
                "SHA1" => sums.sha1 = Some(Sha1::new()),
                "SHA256" => sums.sha256 = Some(Sha256::new()),
                _ => any = false,
            }
        }
        if !any {
            sums.crc64nvme = Some(Crc64Nvme::new());
        }
        Self { md5: Md5::new(), sums, size: 0 }
    }

    pub(super) fn update(&mut self, bytes: &[u8]) {
        self.md5.update(bytes);
        self.sums.update(bytes);
        self.size += bytes.len() as u64;
    }

    pub(super) fn finish(self) -> Hashed {
        let sums = self.sums.finalize();
        let md5 = self.md5.finalize();
        Hashed { md5, size: self.size, checksums: super::meta::given_checksums!(sums) }
    }
}

/// The digest of a key, as the name of its file.
pub(super) fn name_of(key: &str) -> String {
    hex::encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, key.as_bytes()))
}
