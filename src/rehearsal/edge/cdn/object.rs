//! Where a distribution's objects come from: the world adapts the rehearsal's S3 storage to this.

use std::io;

use async_trait::async_trait;
use tokio::io::AsyncRead;

/// What S3 keeps beside an object's bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Meta {
    /// Bytes.
    pub size: u64,
    /// `Content-Type`.
    pub content_type: Option<String>,
    /// `Cache-Control`.
    pub cache_control: Option<String>,
    /// `Content-Encoding`.
    pub content_encoding: Option<String>,
    /// Entity tag, quotes included.
    pub etag: String,
}

/// An object's bytes, from the first on.
pub type Bytes = Box<dyn AsyncRead + Send + Unpin>;

/// Opens objects for reading. Who may read is the CDN's business, not the source's.
#[async_trait]
pub trait ObjectSource: Send + Sync + 'static {
    /// Opens the object at `key`; `None` where there is none.
    async fn open(&self, bucket: &str, key: &str) -> io::Result<Option<(Meta, Bytes)>>;
}
