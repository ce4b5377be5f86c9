//! Buckets put there and looked through by the rehearsal itself, not over the wire.

use std::io;

use super::bucket::{Block, BucketConfig};
use super::{ObjectMeta, Objects};

impl Objects {
    /// Makes a private bucket with this policy, as an operator had made it before.
    pub(in super::super) fn seed(
        &self,
        name: &str,
        region: &str,
        policy: Option<String>,
        now_ms: u64,
    ) -> io::Result<()> {
        let config = BucketConfig {
            region: region.to_owned(),
            created_ms: now_ms,
            block: Some(Block::ALL),
            policy,
            ownership: Some("BucketOwnerEnforced".to_owned()),
            ..BucketConfig::default()
        };
        self.make_bucket(name, config).map_err(|error| io::Error::other(error.to_string()))
    }

    /// Every object of a bucket, by key; none where there is no such bucket.
    pub fn all(&self, bucket: &str) -> Vec<ObjectMeta> {
        let keys = self.lock().get(bucket).map(|held| held.keys.clone()).unwrap_or_default();
        keys.iter().filter_map(|key| self.meta(bucket, key)).collect()
    }
}
