//! Copying: `CopyObject`, and `UploadPartCopy`'s source.

use std::ops::Range;
use std::path::Path;
use std::time::SystemTime;

use s3s::dto::{
    ChecksumAlgorithm, ChecksumType, CopyObjectInput, CopyObjectOutput, CopyObjectResult, CopySource,
    MetadataDirective, TaggingDirective,
};
use s3s::{S3Result, s3_error};
use tokio::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt};

use super::acl::given_acl;
use super::caller::Caller;
use super::hash::{Hashed, Hasher};
use super::meta::{class_in, encryption_in, headers_of, metadata_in, millis, put_checksums};
use super::only::Only;
use super::read::Wanted;
use super::tags::tags_of;
use super::{ObjectMeta, Objects, broken};

/// The largest object that is copied at once. Source: S3 API, `CopyObject`.
const LARGEST: u64 = 5 << 30;

/// Bucket, key and version of a source.
pub(super) fn named(source: &CopySource) -> S3Result<(&str, &str, Option<&str>)> {
    match source {
        CopySource::Bucket { bucket, key, version_id } => Ok((bucket, key, version_id.as_deref())),
        _ => Err(s3_error!(NotImplemented, "the rehearsal cloud copies from buckets only")),
    }
}

/// The conditions a request puts on its source.
macro_rules! of_source {
    ($input:expr) => {
        $crate::rehearsal::cloud::s3::read::Wanted {
            matching: $input.copy_source_if_match.as_ref(),
            none: $input.copy_source_if_none_match.as_ref(),
            since: $input.copy_source_if_modified_since.as_ref(),
            until: $input.copy_source_if_unmodified_since.as_ref(),
        }
    };
}
pub(super) use of_source;

/// Opens the source of a copy, if the caller may read it and it is as wanted.
pub(super) async fn source(
    objects: &Objects,
    from: &CopySource,
    wanted: &Wanted<'_>,
    caller: &Caller,
) -> S3Result<(ObjectMeta, tokio::fs::File)> {
    let (bucket, key, version) = named(from)?;
    let action = if version.is_some() { "s3:GetObjectVersion" } else { "s3:GetObject" };
    caller.may(objects, action, bucket, Some(key))?;
    let opened = objects.open_version(bucket, key, version).await;
    let (meta, file) = opened.map_err(|error| match error.code() {
        s3s::S3ErrorCode::MethodNotAllowed => {
            s3_error!(
                InvalidRequest,
                "The source of a copy request may not specifically refer to a delete marker by version id."
            )
        }
        _ => caller.told(objects, bucket, error),
    })?;
    match wanted.refuses(&meta) {
        Some(_) => Err(s3_error!(PreconditionFailed, "At least one of the pre-conditions you specified did not hold")),
        None => Ok((meta, file)),
    }
}

/// Copies bytes of an open file to a new one, hashing them.
pub(super) async fn copy_bytes(
    from: &mut tokio::fs::File,
    bytes: Range<u64>,
    to: &Path,
    algorithm: &str,
) -> std::io::Result<Hashed> {
    let mut hasher = Hasher::new([algorithm]);
    let mut out = tokio::fs::File::create(to).await?;
    from.seek(std::io::SeekFrom::Start(bytes.start)).await?;
    let mut from = from.take(bytes.end - bytes.start);
    let mut buffer = vec![0; 1 << 18];
    loop {
        let read = from.read(&mut buffer).await?;
        if read == 0 {
            break;
        }
        hasher.update(&buffer[..read]);
        out.write_all(&buffer[..read]).await?;
    }
    out.flush().await?;
    Ok(hasher.finish())
}

/// A copy upon itself has to change something. Source: S3 API, `CopyObject`.
fn upon_itself(input: &CopyObjectInput, replaces: bool, objects: &Objects) -> S3Result<()> {
    let (bucket, key, version) = named(&input.copy_source)?;
    let same = *bucket == *input.bucket && *key == *input.key && version.is_none();
    let changes = replaces
        || input.storage_class.is_some()
        || input.website_redirect_location.is_some()
        || input.server_side_encryption.is_some();
    if same && !changes && objects.config(bucket).is_ok() {
        return Err(s3_error!(
            InvalidRequest,
            "This copy request is illegal because it is trying to copy an object to itself without changing the object's \
             metadata, storage class, website redirect location or encryption attributes."
        ));
    }
    Ok(())
}

pub(super) async fn copy(
    objects: &Objects,
    mut input: CopyObjectInput,
    headers: &http::HeaderMap,
    now: SystemTime,
    caller: &Caller,
) -> S3Result<CopyObjectOutput> {
    let replace = |directive: Option<&str>| directive == Some("REPLACE");
    let replace_metadata = replace(input.metadata_directive.as_ref().map(MetadataDirective::as_str));
    let replace_tags = replace(input.tagging_directive.as_ref().map(TaggingDirective::as_str));
    let sse = encryption_in(input.server_side_encryption.as_ref(), input.sse_customer_algorithm.as_deref())?;
    upon_itself(&input, replace_metadata, objects)?;
    // `s3s` does not read these two of a copy yet; AWS does since October 2025.
    let condition = |name: &str| headers.get(name).and_then(|v| v.to_str().ok()?.parse().ok());
    let only = Only::writing(objects, &input.bucket, &input.key, condition("if-match"), condition("if-none-match"))?;
    let resource = format!("arn:aws:s3:::{}/{}", input.bucket, input.key);
    let acl = given_acl!(input);
    let acl = objects.config(&input.bucket)?.admit(acl, "s3:PutObject", &resource, caller.name())?;
    let (old, mut from) = source(objects, &input.copy_source, &of_source!(input), caller).await?;
    if old.size > LARGEST {
        return Err(s3_error!(
            InvalidRequest,
            "The specified copy source is larger than the maximum allowable size for a copy source: {}",
            LARGEST
        ));
    }
    let versioned_source =
        objects.config(named(&input.copy_source)?.0)?.versioning.as_ref().map(|_| old.id().to_owned());
    // The copy is one piece, whatever the source was uploaded in: its checksum is of the whole.
    let kept = old.checksums.keys().next().map_or("CRC64NVME", String::as_str);
    let algorithm = input.checksum_algorithm.as_ref().map_or(kept, ChecksumAlgorithm::as_str).to_owned();
    let file = objects.fresh_file(&input.bucket)?;
    let hashed = copy_bytes(&mut from, 0..old.size, &file, &algorithm).await;
    let hashed = hashed.inspect_err(|_| drop(std::fs::remove_file(&file))).map_err(broken)?;
    let mut meta = ObjectMeta {
        key: input.key.clone(),
        size: hashed.size,
        etag: hex::encode(hashed.md5),
        modified_ms: millis(now),
        checksums: hashed.checksums,
        acl,
        class: class_in(input.storage_class.as_ref())?,
        redirect: input.website_redirect_location.take(),
        headers: old.headers,
        metadata: old.metadata,
        tags: old.tags,
        ..ObjectMeta::default()
    };
    if replace_metadata {
        meta.headers = headers_of!(input);
        meta.metadata = metadata_in(input.metadata.take())?;
    }
    if replace_tags {
        meta.tags = tags_of(input.tagging.take())?;
    }
    let mut result = CopyObjectResult {
        e_tag: Some(meta.tag()),
        last_modified: Some(meta.timestamp()),
        checksum_type: Some(ChecksumType::from_static(ChecksumType::FULL_OBJECT)),
        ..Default::default()
    };
    put_checksums!(result, meta.checksums);
    let version = objects.commit(&input.bucket, &file, meta, &only);
    let version = version.inspect_err(|_| drop(std::fs::remove_file(&file)))?;
    Ok(CopyObjectOutput {
        copy_object_result: Some(result),
        copy_source_version_id: versioned_source,
        version_id: version.filter(|id| id != "null"),
        server_side_encryption: Some(sse),
        ..Default::default()
    })
}
