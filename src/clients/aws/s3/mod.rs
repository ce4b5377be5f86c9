//! S3. Reading and buckets here, `put` and `multipart` for uploads, which go the short way of `direct` where they can.

mod bucket;
mod direct;
mod multipart;
mod put;
mod source;

use async_trait::async_trait;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_s3::Client;
use aws_sdk_s3::types::{ChecksumMode, Delete, EncodingType, MetadataDirective, ObjectIdentifier};
use bytes::Bytes;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use self::direct::Direct;
use self::source::Source;
use super::error::{explain, unless_missing};
use crate::clients::objects::{Body, BucketState, Headers, Listed, ObjectsRead, ObjectsWrite, Receipt, Stored};
use crate::clients::{ClientError, ClientResult, Kind};

/// The most [`ObjectsRead::get`] takes into memory.
const GET_LIMIT: u64 = 64 << 20;

/// The most `CopyObject` takes. Source: S3 API reference, `CopyObject`.
const COPY_LIMIT: u64 = 5 << 30;

/// What a copy source keeps unescaped.
const SOURCE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// The object store.
pub(super) struct S3 {
    client: Client,
    region: String,
    direct: Direct,
}

impl S3 {
    pub(super) fn new(client: Client, region: &str, credentials: Option<SharedCredentialsProvider>) -> Self {
        Self { client, region: region.to_owned(), direct: Direct::new(credentials) }
    }
}

#[async_trait]
impl ObjectsRead for S3 {
    async fn bucket(&self, bucket: &str) -> ClientResult<Option<BucketState>> {
        self.bucket_state(bucket).await
    }

    async fn list(&self, bucket: &str, prefix: &str, each: &mut (dyn FnMut(Listed) + Send)) -> ClientResult<()> {
        let request = self.client.list_objects_v2().bucket(bucket).prefix(prefix).encoding_type(EncodingType::Url);
        let mut pages = request.into_paginator().send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|e| explain(format!("list the objects of {bucket}"), "s3:ListBucket", e))?;
            let encoded = page.encoding_type() == Some(&EncodingType::Url);
            for object in page.contents() {
                let key = object.key().unwrap_or_default();
                each(Listed {
                    key: if encoded { decoded(key) } else { key.to_owned() },
                    size: size(object.size()),
                    etag: object.e_tag().unwrap_or_default().trim_matches('"').to_owned(),
                });
            }
        }
        Ok(())
    }

    async fn head(&self, bucket: &str, key: &str) -> ClientResult<Option<Stored>> {
        let sent = self.client.head_object().bucket(bucket).key(key).checksum_mode(ChecksumMode::Enabled).send().await;
        let sent = sent.map_err(|e| explain(format!("look at {key} in {bucket}"), "s3:GetObject", e));
        Ok(unless_missing(sent)?.map(|answer| Stored {
            size: size(answer.content_length()),
            crc64: answer.checksum_crc64_nvme().map(str::to_owned),
            headers: Headers {
                content_type: answer.content_type().unwrap_or_default().to_owned(),
                cache_control: answer.cache_control().unwrap_or_default().to_owned(),
                metadata: answer.metadata().cloned().unwrap_or_default().into_iter().collect(),
            },
        }))
    }

    async fn get(&self, bucket: &str, key: &str) -> ClientResult<Option<Bytes>> {
        let what = || format!("read {key} from {bucket}");
        let sent = self.client.get_object().bucket(bucket).key(key).checksum_mode(ChecksumMode::Enabled).send().await;
        let Some(answer) = unless_missing(sent.map_err(|e| explain(what(), "s3:GetObject", e)))? else {
            return Ok(None);
        };
        if size(answer.content_length()) > GET_LIMIT {
            return Err(ClientError::new(Kind::Refused, what(), "it is larger than 64 MiB"));
        }
        let body = answer.body.collect().await;
        let body =
            body.map_err(|e| ClientError::new(Kind::Unanswered, what(), format!("the answer broke off: {e}")))?;
        Ok(Some(body.into_bytes()))
    }
}

#[async_trait]
impl ObjectsWrite for S3 {
    async fn create_private_bucket(&self, bucket: &str, tags: &[(String, String)]) -> ClientResult<()> {
        self.create_private(bucket, tags).await
    }

    async fn delete_bucket(&self, bucket: &str) -> ClientResult<()> {
        let sent = self.client.delete_bucket().bucket(bucket).send().await;
        unless_missing(sent.map_err(|e| explain(format!("delete the bucket {bucket}"), "s3:DeleteBucket", e)))?;
        Ok(())
    }

    async fn set_policy(&self, bucket: &str, policy: Option<&str>) -> ClientResult<()> {
        let what = || format!("set the policy of {bucket}");
        if let Some(policy) = policy {
            let sent = self.client.put_bucket_policy().bucket(bucket).policy(policy).send().await;
            sent.map_err(|e| explain(what(), "s3:PutBucketPolicy", e))?;
        } else {
            let sent = self.client.delete_bucket_policy().bucket(bucket).send().await;
            unless_missing(sent.map_err(|e| explain(what(), "s3:DeleteBucketPolicy", e)))?;
        }
        Ok(())
    }

    async fn put(&self, bucket: &str, key: &str, body: Body<'_>, headers: &Headers) -> ClientResult<Receipt> {
        match body {
            Body::Bytes(bytes) => self.put_bytes(bucket, key, bytes, headers).await,
            Body::Stream(size, reader) => self.put_stream(bucket, key, size, Source::Stream(reader), headers).await,
            Body::File(size, file) => self.put_stream(bucket, key, size, Source::File(file, 0), headers).await,
        }
    }

    async fn copy(&self, bucket: &str, from: &str, to: &str, headers: Option<&Headers>) -> ClientResult<()> {
        let what = || format!("copy {from} to {to} in {bucket}");
        let source = format!("{bucket}/{}", utf8_percent_encode(from, SOURCE));
        let mut request = self.client.copy_object().bucket(bucket).key(to).copy_source(source);
        if let Some(headers) = headers {
            request = request
                .metadata_directive(MetadataDirective::Replace)
                .content_type(&headers.content_type)
                .cache_control(&headers.cache_control)
                .set_metadata(Some(headers.metadata.clone().into_iter().collect()));
        }
        match request.send().await {
            Ok(_) => Ok(()),
            Err(e) => {
                let error = explain(what(), "s3:GetObject and s3:PutObject", e);
                let too_large = self.head(bucket, from).await?.is_some_and(|stored| stored.size > COPY_LIMIT);
                Err(if too_large {
                    error.hint("S3 copies at most 5 GiB at once: move this object by hand")
                } else {
                    error
                })
            }
        }
    }

    async fn delete(&self, bucket: &str, keys: &[String]) -> ClientResult<()> {
        let what = || format!("delete objects of {bucket}");
        for some in keys.chunks(1000) {
            let ids = some.iter().map(|key| ObjectIdentifier::builder().key(key).build());
            let list = ids
                .collect::<Result<Vec<_>, _>>()
                .and_then(|ids| Delete::builder().set_objects(Some(ids)).quiet(true).build())
                .map_err(|e| ClientError::new(Kind::Refused, what(), e.to_string()))?;
            let answer = self.client.delete_objects().bucket(bucket).delete(list).send().await;
            let answer = answer.map_err(|e| explain(what(), "s3:DeleteObject", e))?;
            if let Some(error) = answer.errors().iter().find(|error| error.code() != Some("NoSuchKey")) {
                let why = format!(
                    "{}: {}: {}",
                    error.key().unwrap_or_default(),
                    error.code().unwrap_or_default(),
                    error.message().unwrap_or_default()
                );
                let kind = match error.code() {
                    Some("AccessDenied") => Kind::Denied,
                    Some("SlowDown" | "InternalError" | "ServiceUnavailable") => Kind::Throttled,
                    _ => Kind::Refused,
                };
                return Err(ClientError::new(kind, what(), why));
            }
        }
        Ok(())
    }

    async fn abort_uploads(&self, bucket: &str, prefix: &str) -> ClientResult<usize> {
        self.abort_unfinished(bucket, prefix).await
    }
}

/// A key as S3's listing encodes it: a form's encoding, in which a space is a plus.
fn decoded(key: &str) -> String {
    percent_decode_str(&key.replace('+', " ")).decode_utf8_lossy().into_owned()
}

fn size(value: Option<i64>) -> u64 {
    value.and_then(|size| u64::try_from(size).ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_decoded_as_s3_encodes_them() {
        assert_eq!(decoded("%ED%95%9C%EA%B8%80+a%2Bb%25.html"), "한글 a+b%.html");
    }

    #[test]
    fn a_copy_source_escapes_all_but_slashes() {
        assert_eq!(utf8_percent_encode("a b/한+%.js", SOURCE).to_string(), "a%20b/%ED%95%9C%2B%25.js");
    }
}
