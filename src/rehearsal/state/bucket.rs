//! Buckets: what of S3 the data plane looks at; the objects lie in files.

use std::collections::BTreeMap;

/// A bucket, without its objects.
#[derive(Debug, Clone, Default)]
pub struct Bucket {
    /// All four Block Public Access switches are on.
    pub block_public: bool,
    /// The bucket policy, if any.
    pub policy: Option<String>,
    /// Versioning is enabled.
    pub versioned: bool,
    /// Tags.
    pub tags: BTreeMap<String, String>,
}
