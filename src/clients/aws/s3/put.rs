//! Uploads of one request, with the checksum computed here and confirmed by S3.

use aws_sdk_s3::primitives::ByteStream;
use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncReadExt};

use super::S3;
use crate::clients::aws::error::explain;
use crate::clients::objects::{Crc64, Headers};
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
    ) -> ClientResult<String> {
        let crc = Crc64::of(&body);
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
            .map_err(|e| explain(format!("put {key} into {bucket}"), "s3:PutObject", e))?;
        let confirmed = answer.checksum_crc64_nvme().map(str::to_owned);
        self.confirm(bucket, key, crc, confirmed).await
    }

    pub(super) async fn put_stream(
        &self,
        bucket: &str,
        key: &str,
        size: u64,
        reader: &mut (dyn AsyncRead + Send + Unpin),
        headers: &Headers,
    ) -> ClientResult<String> {
        if size > ONE_REQUEST {
            return self.put_parts(bucket, key, size, reader, headers).await;
        }
        let body = exactly(reader, usize::try_from(size).unwrap_or(usize::MAX)).await;
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
    ) -> ClientResult<String> {
        use crate::clients::objects::ObjectsRead;
        let kept = match answered {
            Some(kept) => Some(kept),
            None => self.head(bucket, key).await?.and_then(|stored| stored.crc64),
        };
        match kept {
            Some(kept) if kept == crc => Ok(crc),
            other => Err(ClientError::new(
                Kind::Conflict,
                format!("put {key} into {bucket}"),
                format!("sent with checksum {crc}, stored with {}", other.as_deref().unwrap_or("none")),
            )),
        }
    }
}

/// So many bytes of the reader, or why there are fewer.
pub(super) async fn exactly(reader: &mut (dyn AsyncRead + Send + Unpin), size: usize) -> Result<Bytes, String> {
    let mut buffer = vec![0; size];
    reader.read_exact(&mut buffer).await.map_err(|e| format!("its source broke off: {e}"))?;
    Ok(buffer.into())
}
