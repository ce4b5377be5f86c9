//! Uploads in parts, a few at a time, with one checksum over the whole object.

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumType, CompletedMultipartUpload, CompletedPart};
use bytes::Bytes;
use futures::stream::{FuturesUnordered, StreamExt};

use super::S3;
use super::direct::{Upload as Sent, part_query};
use super::source::Source;
use crate::clients::aws::error::{explain, unless_missing};
use crate::clients::objects::{Crc64, Headers, Receipt};
use crate::clients::{ClientError, ClientResult, Kind};

/// A part's size, unless the object needs more than 10,000 of them.
const PART: u64 = 8 << 20;
/// The most parts S3 takes. Source: S3 user guide, multipart upload limits.
const PARTS: u64 = 10_000;
/// Parts in flight; each is held in memory.
const WINDOW: usize = 4;

/// An upload under way.
struct Upload<'a> {
    bucket: &'a str,
    key: &'a str,
    id: String,
}

impl S3 {
    pub(super) async fn put_parts(
        &self,
        bucket: &str,
        key: &str,
        size: u64,
        source: Source<'_>,
        headers: &Headers,
    ) -> ClientResult<Receipt> {
        let answer = self
            .client
            .create_multipart_upload()
            .bucket(bucket)
            .key(key)
            .checksum_algorithm(ChecksumAlgorithm::Crc64Nvme)
            .checksum_type(ChecksumType::FullObject)
            .content_type(&headers.content_type)
            .cache_control(&headers.cache_control)
            .set_metadata(Some(headers.metadata.clone().into_iter().collect()))
            .send()
            .await
            .map_err(|e| explain(format!("begin the upload of {key} into {bucket}"), "s3:PutObject", e))?;
        let upload = Upload { bucket, key, id: answer.upload_id().unwrap_or_default().to_owned() };
        match self.fill(&upload, size, source).await {
            Ok((crc, confirmed, etag)) => self.confirm(bucket, key, crc, confirmed, etag).await,
            Err(error) => {
                // The error that matters is the first one; what cannot be aborted now is found by `abort_uploads`.
                let sent = self.client.abort_multipart_upload().bucket(bucket).key(key).upload_id(&upload.id).send();
                drop(sent.await);
                Err(error)
            }
        }
    }

    async fn fill(
        &self,
        upload: &Upload<'_>,
        size: u64,
        mut source: Source<'_>,
    ) -> ClientResult<(String, Option<String>, Option<String>)> {
        let what = || format!("put {} into {}", upload.key, upload.bucket);
        let part_size = PART.max(size.div_ceil(PARTS));
        let mut whole = Crc64::number(&[]);
        let mut in_flight = FuturesUnordered::new();
        let mut done: Vec<CompletedPart> = Vec::new();
        let mut spare: Vec<Vec<u8>> = Vec::new();
        let (mut left, mut number) = (size, 0);
        while left > 0 {
            number += 1;
            let take = left.min(part_size);
            let buffer = spare.pop().unwrap_or_default();
            let body = source.next(usize::try_from(take).unwrap_or(usize::MAX), buffer).await;
            let body = body.map_err(|why| ClientError::new(Kind::Refused, what(), why))?;
            let crc = Crc64::number(&body);
            whole = Crc64::joined(whole, crc, take);
            left -= take;
            in_flight.push(self.part(upload, number, body, Crc64::written(crc)));
            if in_flight.len() >= WINDOW
                && let Some(part) = in_flight.next().await
            {
                let (part, body) = part?;
                done.push(part);
                // Memory is used again: new pages for every part cost as much as sending it.
                spare.extend(body.try_into_mut().ok().map(Vec::from));
            }
        }
        while let Some(part) = in_flight.next().await {
            done.push(part?.0);
        }
        done.sort_by_key(CompletedPart::part_number);
        let crc = Crc64::written(whole);
        let answer = self
            .client
            .complete_multipart_upload()
            .bucket(upload.bucket)
            .key(upload.key)
            .upload_id(&upload.id)
            .checksum_crc64_nvme(&crc)
            .checksum_type(ChecksumType::FullObject)
            .multipart_upload(CompletedMultipartUpload::builder().set_parts(Some(done)).build())
            .send()
            .await
            .map_err(|e| explain(what(), "s3:PutObject", e))?;
        let confirmed = answer.checksum_crc64_nvme().map(str::to_owned);
        Ok((crc, confirmed, answer.e_tag().map(str::to_owned)))
    }

    async fn part(
        &self,
        upload: &Upload<'_>,
        number: i32,
        body: Bytes,
        crc: String,
    ) -> ClientResult<(CompletedPart, Bytes)> {
        let what = format!("put part {number} of {}", upload.key);
        let part = CompletedPart::builder().part_number(number);
        let sent = Sent {
            bucket: upload.bucket,
            key: upload.key,
            query: part_query(number, &upload.id),
            headers: None,
            body: body.clone(),
            crc64: &crc,
            what: &what,
        };
        if let Some(stored) = self.direct.put(&self.client, &sent).await? {
            return Ok((part.set_e_tag(stored.etag).checksum_crc64_nvme(crc).build(), body));
        }
        let answer = self
            .client
            .upload_part()
            .bucket(upload.bucket)
            .key(upload.key)
            .upload_id(&upload.id)
            .part_number(number)
            .checksum_crc64_nvme(&crc)
            .body(ByteStream::from(body.clone()))
            .send()
            .await
            .map_err(|e| explain(what, "s3:PutObject", e))?;
        Ok((part.checksum_crc64_nvme(crc).set_e_tag(answer.e_tag().map(str::to_owned)).build(), body))
    }

    pub(super) async fn abort_unfinished(&self, bucket: &str, prefix: &str) -> ClientResult<usize> {
        let what = || format!("abort unfinished uploads in {bucket}");
        let mut aborted = 0;
        loop {
            let page = self.client.list_multipart_uploads().bucket(bucket).prefix(prefix).send().await;
            let page = page.map_err(|e| explain(what(), "s3:ListBucketMultipartUploads", e));
            let Some(page) = unless_missing(page)? else { return Ok(aborted) };
            for upload in page.uploads() {
                let sent = self
                    .client
                    .abort_multipart_upload()
                    .bucket(bucket)
                    .set_key(upload.key().map(str::to_owned))
                    .set_upload_id(upload.upload_id().map(str::to_owned))
                    .send()
                    .await;
                unless_missing(sent.map_err(|e| explain(what(), "s3:AbortMultipartUpload", e)))?;
                aborted += 1;
            }
            // What was aborted is gone from the list, so the next page is the first one again.
            if page.uploads().is_empty() || page.is_truncated() != Some(true) {
                return Ok(aborted);
            }
        }
    }
}
