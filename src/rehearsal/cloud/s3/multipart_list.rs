//! What multipart uploads are under way, and which parts of one have come in.

use std::collections::BTreeSet;
use std::time::{Duration, UNIX_EPOCH};

use s3s::S3Result;
use s3s::dto::{
    ChecksumAlgorithm, CommonPrefix, ETag, Initiator, ListMultipartUploadsInput, ListMultipartUploadsOutput,
    ListPartsInput, ListPartsOutput, MultipartUpload, StorageClass, Timestamp,
};

use super::acl::{OWNER, owner};
use super::list::{as_url, encoded};
use super::meta::put_checksums;
use super::multipart::kind;
use super::store::read_json;
use super::upload::Upload;
use super::{Objects, broken};

/// A moment, from milliseconds since 1970.
pub(super) fn moment(ms: u64) -> Timestamp {
    Timestamp::from(UNIX_EPOCH + Duration::from_millis(ms))
}

pub(super) fn list_parts(objects: &Objects, input: ListPartsInput) -> S3Result<ListPartsOutput> {
    let (dir, upload) = objects.upload(&input.bucket, &input.key, &input.upload_id)?;
    let from = input.part_number_marker.unwrap_or_default();
    let size = input.max_parts.unwrap_or(1000).clamp(1, 1000);
    let all = Objects::parts(&dir)?;
    let mut behind = all.range(from + 1..).map(|(_, part)| part);
    let page: Vec<_> = behind.by_ref().take(usize::try_from(size).unwrap_or(1000)).collect();
    let next = behind.next().and_then(|_| page.last()).map(|part| part.number);
    let parts = page.iter().map(|part| {
        let mut described = s3s::dto::Part {
            part_number: Some(part.number),
            size: i64::try_from(part.size).ok(),
            e_tag: Some(ETag::Strong(part.etag())),
            last_modified: Some(moment(part.modified_ms)),
            ..Default::default()
        };
        put_checksums!(described, part.checksums);
        described
    });
    Ok(ListPartsOutput {
        parts: Some(parts.collect()),
        is_truncated: Some(next.is_some()),
        next_part_number_marker: next,
        max_parts: Some(size),
        bucket: Some(input.bucket),
        key: Some(input.key),
        upload_id: Some(input.upload_id),
        part_number_marker: Some(from),
        checksum_algorithm: upload.said.then(|| ChecksumAlgorithm::from(upload.algorithm)),
        checksum_type: upload.said.then(|| kind(upload.composite)),
        initiator: Some(Initiator { display_name: None, id: Some(OWNER.to_owned()) }),
        owner: Some(owner()),
        storage_class: Some(StorageClass::from(upload.class.unwrap_or_else(|| StorageClass::STANDARD.to_owned()))),
        ..Default::default()
    })
}

pub(super) fn list_uploads(
    objects: &Objects,
    input: ListMultipartUploadsInput,
) -> S3Result<ListMultipartUploadsOutput> {
    objects.has(&input.bucket)?;
    let prefix = input.prefix.clone().unwrap_or_default();
    let mut uploads = Vec::new();
    for entry in std::fs::read_dir(objects.dir_of(&input.bucket).join("uploads")).map_err(broken)? {
        let entry = entry.map_err(broken)?;
        // One that was completed or aborted meanwhile has no file any more.
        if let Ok(upload) = read_json::<Upload>(&entry.path().join("upload.json")) {
            uploads.push((upload.key.clone(), entry.file_name().to_string_lossy().into_owned(), upload));
        }
    }
    // Uploads below a delimiter are told of by their prefix; these pages are not cut.
    let mut prefixes = BTreeSet::new();
    if let Some(delimiter) = input.delimiter.as_deref().filter(|d| !d.is_empty()) {
        uploads.retain(|(key, _, _)| {
            let Some(at) = key.strip_prefix(&prefix).and_then(|rest| rest.find(delimiter)) else { return true };
            prefixes.insert(key[..prefix.len() + at + delimiter.len()].to_owned());
            false
        });
    }
    uploads.sort_by(|a, b| (&a.0, &a.1).cmp(&(&b.0, &b.1)));
    let key_marker = input.key_marker.clone().unwrap_or_default();
    let id_marker = input.upload_id_marker.clone().unwrap_or_default();
    let behind = |key: &str, id: &str| {
        key > key_marker.as_str() || (key == key_marker && !id_marker.is_empty() && id > id_marker.as_str())
    };
    let size = input.max_uploads.unwrap_or(1000).clamp(1, 1000);
    let mut wanted = uploads.into_iter().filter(|(key, id, _)| key.starts_with(&prefix) && behind(key, id));
    let page: Vec<_> = wanted.by_ref().take(usize::try_from(size).unwrap_or(1000)).collect();
    let next = wanted.next().and_then(|_| page.last()).map(|(key, id, _)| (key.clone(), id.clone()));
    let as_url = as_url(input.encoding_type.as_ref())?;
    let described = page.into_iter().map(|(key, id, upload)| MultipartUpload {
        key: Some(encoded(&key, as_url)),
        upload_id: Some(id),
        initiated: Some(moment(upload.begun_ms)),
        checksum_algorithm: upload.said.then(|| ChecksumAlgorithm::from(upload.algorithm)),
        checksum_type: upload.said.then(|| kind(upload.composite)),
        initiator: Some(Initiator { display_name: None, id: Some(OWNER.to_owned()) }),
        owner: Some(owner()),
        storage_class: Some(StorageClass::from(upload.class.unwrap_or_else(|| StorageClass::STANDARD.to_owned()))),
    });
    Ok(ListMultipartUploadsOutput {
        uploads: Some(described.collect()),
        bucket: Some(input.bucket),
        prefix: input.prefix,
        encoding_type: input.encoding_type,
        max_uploads: Some(size),
        is_truncated: Some(next.is_some()),
        next_key_marker: next.as_ref().map(|(key, _)| encoded(key, as_url)),
        next_upload_id_marker: next.map(|(_, id)| id),
        key_marker: Some(encoded(&key_marker, as_url)),
        upload_id_marker: Some(id_marker),
        common_prefixes: Some(
            prefixes.into_iter().map(|p| CommonPrefix { prefix: Some(encoded(&p, as_url)) }).collect(),
        ),
        delimiter: input.delimiter,
        ..Default::default()
    })
}
