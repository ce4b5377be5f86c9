//! The rehearsal's S3 as the CDN reads it.

use std::io;

use async_trait::async_trait;

use crate::rehearsal::cloud::Objects;
use crate::rehearsal::edge::{Meta, ObjectBytes, ObjectSource};

/// The objects of all buckets.
pub struct Origin(pub Objects);

#[async_trait]
impl ObjectSource for Origin {
    async fn open(&self, bucket: &str, key: &str) -> io::Result<Option<(Meta, ObjectBytes)>> {
        let Some((object, file)) = self.0.open(bucket, key).await else { return Ok(None) };
        let modified = object.modified();
        let meta = Meta {
            size: object.size,
            content_type: object.headers.content_type,
            cache_control: object.headers.cache_control,
            content_encoding: object.headers.content_encoding,
            content_disposition: object.headers.content_disposition,
            content_language: object.headers.content_language,
            modified: Some(modified),
            etag: format!("\"{}\"", object.etag),
        };
        Ok(Some((meta, Box::new(file))))
    }
}
