//! Uploads of one request, with the checksum computed here and confirmed by S3.

use aws_sdk_s3::primitives::ByteStream;
use bytes::Bytes;

use super::S3;
use super::direct::Upload;
use super::source::Source;
use crate::clients::aws::error::explain;
use crate::clients::objects::{Crc64, Headers, Receipt};
use crate::clients::{ClientError, ClientResult, Kind};

/// Up to so many bytes a stream is buffered and sent in one request.
const ONE_REQUEST: u64 = 16 << 20;

impl S3 {
    pub(super) async fn put_bytes(
        &self,
        bucket: &str,
        key: &str,
        body: Bytes,
        headers: &Headers,
    ) -> ClientResult<Receipt> {
        let crc = Crc64::of(&body);
        let what = format!("put {key} into {bucket}");
        let upload = Upload {
            bucket,
            key,
            query: String::new(),
            headers: Some(headers),
            body: body.clone(),
            crc64: &crc,
            what: &what,
        };
        if let Some(stored) = self.direct.put(&self.client, &upload).await? {
            return self.confirm(bucket, key, crc, stored.crc64, stored.etag).await;
        }
        let answer = self
            .client
            .put_object()
            .bucket(bucket)
            .key(key)
            .body(ByteStream::from(body))
            .checksum_crc64_nvme(&crc)
            .content_type(&headers.content_type)
            .cache_control(&headers.cache_control)
            .set_metadata(Some(headers.metadata.clone().into_iter().collect()))
            .send()
            .await
            .map_err(|e| explain(what, "s3:PutObject", e))?;
        let (confirmed, etag) = (answer.checksum_crc64_nvme().map(str::to_owned), answer.e_tag().map(str::to_owned));
        self.confirm(bucket, key, crc, confirmed, etag).await
    }

    pub(super) async fn put_stream(
        &self,
        bucket: &str,
        key: &str,
        size: u64,
        mut source: Source<'_>,
        headers: &Headers,
    ) -> ClientResult<Receipt> {
        if size > ONE_REQUEST {
            return self.put_parts(bucket, key, size, source, headers).await;
        }
        let body = source.next(usize::try_from(size).unwrap_or(usize::MAX), Vec::new()).await;
        let body = body.map_err(|why| ClientError::new(Kind::Refused, format!("put {key} into {bucket}"), why))?;
        self.put_bytes(bucket, key, body, headers).await
    }

    /// Compares the checksum S3 answered with ours; where the answer has none, asks for the one it keeps.
    pub(super) async fn confirm(
        &self,
        bucket: &str,
        key: &str,
        crc: String,
        answered: Option<String>,
        etag: Option<String>,
    ) -> ClientResult<Receipt> {
        use crate::clients::objects::ObjectsRead;
        let kept = match answered {
            Some(kept) => Some(kept),
            None => self.head(bucket, key).await?.and_then(|stored| stored.crc64),
        };
        match kept {
            Some(kept) if kept == crc => {
                Ok(Receipt { crc64: crc, etag: etag.unwrap_or_default().trim_matches('"').to_owned() })
            }
            other => Err(ClientError::new(
                Kind::Conflict,
                format!("put {key} into {bucket}"),
                format!("sent with checksum {crc}, stored with {}", other.as_deref().unwrap_or("none")),
            )),
        }
    }
}
