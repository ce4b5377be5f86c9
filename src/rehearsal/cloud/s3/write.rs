//! Writing objects: put, copy, delete.

use std::collections::BTreeMap;
use std::time::SystemTime;

use s3s::dto::{
    ChecksumAlgorithm, ChecksumType, CopyObjectInput, CopyObjectOutput, CopyObjectResult, CopySource,
    DeleteObjectsInput, DeleteObjectsOutput, DeletedObject, ETagCondition, MetadataDirective, PutObjectInput,
    PutObjectOutput, TaggingDirective,
};
use s3s::{S3Request, S3Result, s3_error};

use super::meta::{given_checksums, headers_of, millis, put_checksums};
use super::receive::{Said, receive};
use super::store::Only;
use super::{ObjectMeta, Objects, broken};

/// `k=v&k=v` of the `x-amz-tagging` header.
pub(super) fn tags_of(header: Option<String>) -> BTreeMap<String, String> {
    form_urlencoded::parse(header.unwrap_or_default().as_bytes()).into_owned().collect()
}

fn full() -> ChecksumType {
    ChecksumType::from_static(ChecksumType::FULL_OBJECT)
}

pub(super) async fn put(
    objects: &Objects,
    request: S3Request<PutObjectInput>,
    now: SystemTime,
) -> S3Result<PutObjectOutput> {
    let mut input = request.input;
    let said = Said {
        checksums: given_checksums!(input),
        md5: input.content_md5.take(),
        headers: &request.headers,
        trailers: request.trailing_headers,
        algorithm: input.checksum_algorithm.as_ref().map(ChecksumAlgorithm::as_str),
    };
    let file = objects.fresh_file(&input.bucket)?;
    let mut received = receive(input.body.take(), file, said).await?;
    let mut headers = headers_of!(input);
    headers.content_encoding = without_chunks(headers.content_encoding);
    let meta = ObjectMeta {
        key: input.key,
        size: received.hashed.size,
        etag: hex::encode(received.hashed.md5),
        modified_ms: millis(now),
        headers,
        metadata: input.metadata.unwrap_or_default().into_iter().collect(),
        checksums: received.hashed.checksums.clone(),
        tags: tags_of(input.tagging),
        ..ObjectMeta::default()
    };
    let mut output = PutObjectOutput { e_tag: Some(meta.tag()), checksum_type: Some(full()), ..Default::default() };
    put_checksums!(output, meta.checksums);
    let only = Only { if_match: input.if_match, if_none_match: input.if_none_match };
    let file = received.keep();
    objects.commit(&input.bucket, &file, meta, &only).inspect_err(|_| drop(std::fs::remove_file(&file)))?;
    Ok(output)
}

/// `aws-chunked` is how the body came, not what it is.
fn without_chunks(encoding: Option<String>) -> Option<String> {
    let kept = encoding?
        .split(',')
        .map(str::trim)
        .filter(|e| *e != "aws-chunked" && !e.is_empty())
        .collect::<Vec<_>>()
        .join(",");
    Some(kept).filter(|k| !k.is_empty())
}

pub(super) async fn copy(objects: &Objects, mut input: CopyObjectInput, now: SystemTime) -> S3Result<CopyObjectOutput> {
    let CopySource::Bucket { bucket, key, .. } = &input.copy_source else {
        return Err(s3_error!(NotImplemented, "the rehearsal cloud copies from buckets only"));
    };
    let replace = |directive: Option<&str>| directive == Some("REPLACE");
    let replace_metadata = replace(input.metadata_directive.as_ref().map(MetadataDirective::as_str));
    if **bucket == *input.bucket && **key == *input.key && !replace_metadata {
        let message = "This copy request is illegal because it is trying to copy an object to itself without changing the \
                       object's metadata, storage class, website redirect location or encryption attributes.";
        return Err(s3s::S3Error::with_message(s3s::S3ErrorCode::InvalidRequest, message));
    }
    objects.need(bucket, key)?;
    let source = objects.open(bucket, key).await;
    let (source, mut from) = source.ok_or_else(|| s3_error!(NoSuchKey, "The specified key does not exist."))?;
    let same = |c: &ETagCondition| c.is_any() || c.as_etag().is_some_and(|t| t.value() == source.etag);
    let unmet = input.copy_source_if_match.as_ref().is_some_and(|c| !same(c))
        || input.copy_source_if_none_match.as_ref().is_some_and(same);
    if unmet {
        return Err(s3_error!(PreconditionFailed, "At least one of the pre-conditions you specified did not hold"));
    }
    let file = objects.fresh_file(&input.bucket)?;
    let mut to = tokio::fs::File::create(&file).await.map_err(broken)?;
    let copied = tokio::io::copy(&mut from, &mut to).await;
    let copied = copied.and(tokio::io::AsyncWriteExt::flush(&mut to).await);
    copied.inspect_err(|_| drop(std::fs::remove_file(&file))).map_err(broken)?;
    let mut meta = ObjectMeta { key: input.key.clone(), modified_ms: millis(now), ..source };
    if replace_metadata {
        meta.headers = headers_of!(input);
        meta.metadata = input.metadata.take().unwrap_or_default().into_iter().collect();
    }
    if replace(input.tagging_directive.as_ref().map(TaggingDirective::as_str)) {
        meta.tags = tags_of(input.tagging);
    }
    let mut result =
        CopyObjectResult { e_tag: Some(meta.tag()), last_modified: Some(meta.timestamp()), ..Default::default() };
    put_checksums!(result, meta.checksums);
    objects.commit(&input.bucket, &file, meta, &Only::default()).inspect_err(|_| drop(std::fs::remove_file(&file)))?;
    Ok(CopyObjectOutput { copy_object_result: Some(result), ..Default::default() })
}

pub(super) fn delete_many(objects: &Objects, input: DeleteObjectsInput) -> S3Result<DeleteObjectsOutput> {
    objects.has(&input.bucket)?;
    if input.delete.objects.len() > 1000 {
        return Err(s3_error!(MalformedXML, "A delete request names at most 1000 keys"));
    }
    let quiet = input.delete.quiet.unwrap_or(false);
    let (mut deleted, mut errors) = (Vec::new(), Vec::new());
    for object in input.delete.objects {
        let only = Only { if_match: object.e_tag.map(ETagCondition::ETag), ..Only::default() };
        match objects.remove(&input.bucket, &object.key, &only) {
            Ok(()) if quiet => {}
            Ok(()) => deleted.push(DeletedObject { key: Some(object.key), ..Default::default() }),
            Err(error) => errors.push(s3s::dto::Error {
                code: Some(error.code().as_str().to_owned()),
                message: error.message().map(str::to_owned),
                key: Some(object.key),
                version_id: None,
            }),
        }
    }
    Ok(DeleteObjectsOutput { deleted: Some(deleted), errors: Some(errors), ..Default::default() })
}
