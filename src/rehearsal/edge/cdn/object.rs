//! Where a distribution's objects come from: the world adapts the rehearsal's S3 storage to this.

use std::io;
use std::time::SystemTime;

use async_trait::async_trait;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use tokio::io::AsyncRead;

use super::dates;

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
    /// `Content-Disposition`.
    pub content_disposition: Option<String>,
    /// `Content-Language`.
    pub content_language: Option<String>,
    /// When it was last written.
    pub modified: Option<SystemTime>,
    /// Entity tag, quotes included.
    pub etag: String,
}

impl Meta {
    /// The headers S3 answers with. A value that cannot stand in a header is left out.
    pub fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let mut put = |name: HeaderName, value: Option<&str>| {
            if let Some(Ok(value)) = value.map(HeaderValue::try_from) {
                headers.insert(name, value);
            }
        };
        put(header::ETAG, Some(&self.etag));
        put(header::CONTENT_TYPE, Some(self.content_type.as_deref().unwrap_or("binary/octet-stream")));
        put(header::CACHE_CONTROL, self.cache_control.as_deref());
        put(header::CONTENT_ENCODING, self.content_encoding.as_deref());
        put(header::CONTENT_DISPOSITION, self.content_disposition.as_deref());
        put(header::CONTENT_LANGUAGE, self.content_language.as_deref());
        put(header::LAST_MODIFIED, self.modified.map(dates::write).as_deref());
        put(header::ACCEPT_RANGES, Some("bytes"));
        put(header::SERVER, Some("AmazonS3"));
        headers
    }
}

/// An object's bytes, from the first on.
pub type Bytes = Box<dyn AsyncRead + Send + Unpin>;

/// Opens objects for reading. Who may read is the CDN's business, not the source's.
#[async_trait]
pub trait ObjectSource: Send + Sync + 'static {
    /// Opens the object at `key`; `None` where there is none.
    async fn open(&self, bucket: &str, key: &str) -> io::Result<Option<(Meta, Bytes)>>;
}
