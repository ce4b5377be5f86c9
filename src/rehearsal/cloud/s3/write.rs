//! Writing objects: put and delete.

use std::time::SystemTime;

use s3s::dto::{
    ChecksumAlgorithm, ChecksumType, DeleteObjectInput, DeleteObjectOutput, DeleteObjectsInput, DeleteObjectsOutput,
    DeletedObject, ETagCondition, PutObjectInput, PutObjectOutput,
};
use s3s::{S3Request, S3Result, s3_error};

use super::acl::given_acl;
use super::caller::Caller;
use super::meta::{class_in, encryption_in, given_checksums, headers_of, metadata_in, millis, put_checksums};
use super::only::Only;
use super::receive::{Said, receive};
use super::tags::tags_of;
use super::versions::Removed;
use super::{ObjectMeta, Objects};

fn full() -> ChecksumType {
    ChecksumType::from_static(ChecksumType::FULL_OBJECT)
}

pub(super) async fn put(
    objects: &Objects,
    request: S3Request<PutObjectInput>,
    now: SystemTime,
    caller: &Caller,
) -> S3Result<PutObjectOutput> {
    let mut input = request.input;
    let only = Only::writing(objects, &input.bucket, &input.key, input.if_match.take(), input.if_none_match.take())?;
    let sse = encryption_in(input.server_side_encryption.as_ref(), input.sse_customer_algorithm.as_deref())?;
    let resource = format!("arn:aws:s3:::{}/{}", input.bucket, input.key);
    let acl = given_acl!(input);
    let acl = objects.config(&input.bucket)?.admit(acl, "s3:PutObject", &resource, caller.name())?;
    let class = class_in(input.storage_class.as_ref())?;
    let metadata = metadata_in(input.metadata.take())?;
    let tags = tags_of(input.tagging.take())?;
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
        metadata,
        checksums: received.hashed.checksums.clone(),
        tags,
        acl,
        class,
        redirect: input.website_redirect_location,
        ..ObjectMeta::default()
    };
    let mut output = PutObjectOutput {
        e_tag: Some(meta.tag()),
        checksum_type: Some(full()),
        server_side_encryption: Some(sse),
        ..Default::default()
    };
    put_checksums!(output, meta.checksums);
    let file = received.keep();
    let version = objects.commit(&input.bucket, &file, meta, &only);
    output.version_id = version.inspect_err(|_| drop(std::fs::remove_file(&file)))?.filter(|id| id != "null");
    Ok(output)
}

/// `aws-chunked` is how the body came, not what it is.
pub(super) fn without_chunks(encoding: Option<String>) -> Option<String> {
    let kept = encoding?
        .split(',')
        .map(str::trim)
        .filter(|e| *e != "aws-chunked" && !e.is_empty())
        .collect::<Vec<_>>()
        .join(",");
    Some(kept).filter(|k| !k.is_empty())
}

pub(super) fn delete(objects: &Objects, input: DeleteObjectInput, now: SystemTime) -> S3Result<DeleteObjectOutput> {
    let only = Only::deleting(input.if_match, input.if_match_last_modified_time, input.if_match_size);
    let Removed { marker, version } =
        objects.remove(&input.bucket, &input.key, input.version_id.as_deref(), &only, millis(now))?;
    Ok(DeleteObjectOutput { delete_marker: marker.then_some(true), version_id: version, ..Default::default() })
}

pub(super) fn delete_many(
    objects: &Objects,
    input: DeleteObjectsInput,
    now: SystemTime,
    caller: &Caller,
) -> S3Result<DeleteObjectsOutput> {
    objects.has(&input.bucket)?;
    let schema = "The XML you provided was not well-formed or did not validate against our published schema";
    if input.delete.objects.len() > 1000 || input.delete.objects.is_empty() {
        return Err(s3_error!(MalformedXML, "{}", schema));
    }
    let quiet = input.delete.quiet.unwrap_or(false);
    let (mut deleted, mut errors) = (Vec::new(), Vec::new());
    for object in input.delete.objects {
        let only = Only::deleting(object.e_tag.map(ETagCondition::ETag), object.last_modified_time, object.size);
        let version = object.version_id.as_deref();
        let action = if version.is_some() { "s3:DeleteObjectVersion" } else { "s3:DeleteObject" };
        let removed = caller
            .may(objects, action, &input.bucket, Some(&object.key))
            .and_then(|()| objects.remove(&input.bucket, &object.key, version, &only, millis(now)));
        match removed {
            Ok(_) if quiet => {}
            Ok(removed) => deleted.push(DeletedObject {
                key: Some(object.key),
                delete_marker: removed.marker.then_some(true),
                delete_marker_version_id: removed.version.filter(|_| removed.marker),
                version_id: object.version_id,
            }),
            Err(error) => errors.push(s3s::dto::Error {
                code: Some(error.code().as_str().to_owned()),
                message: error.message().map(str::to_owned),
                key: Some(object.key),
                version_id: object.version_id,
            }),
        }
    }
    Ok(DeleteObjectsOutput { deleted: Some(deleted), errors: Some(errors), ..Default::default() })
}
