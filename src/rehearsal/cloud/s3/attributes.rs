//! `GetObjectAttributes`: what is known of an object, without its bytes.

use s3s::dto::{
    Checksum, GetObjectAttributesInput, GetObjectAttributesOutput, GetObjectAttributesParts, ObjectPart, StorageClass,
};
use s3s::{S3Result, s3_error};

use super::caller::Caller;
use super::meta::put_checksums;
use super::read::checksum_type;
use super::{ObjectMeta, Objects};

pub(super) fn attributes(
    objects: &Objects,
    input: &GetObjectAttributesInput,
    caller: &Caller,
) -> S3Result<GetObjectAttributesOutput> {
    let found = objects.need(&input.bucket, &input.key, input.version_id.as_deref());
    let meta = found.map_err(|error| caller.told(objects, &input.bucket, error))?;
    let mut output = GetObjectAttributesOutput {
        last_modified: Some(meta.timestamp()),
        version_id: objects.config(&input.bucket)?.versioning.as_ref().map(|_| meta.id().to_owned()),
        ..Default::default()
    };
    // One header may name several.
    for wanted in input.object_attributes.iter().flat_map(|named| named.as_str().split(',')) {
        match wanted.trim() {
            "ETag" => output.e_tag = Some(meta.tag()),
            "ObjectSize" => output.object_size = i64::try_from(meta.size).ok(),
            "StorageClass" => {
                output.storage_class =
                    Some(meta.storage_class().unwrap_or_else(|| StorageClass::from_static(StorageClass::STANDARD)));
            }
            "Checksum" => {
                let mut checksum = Checksum { checksum_type: Some(checksum_type(&meta)), ..Default::default() };
                // Here a checksum of checksums goes without the number of parts.
                let plain: std::collections::BTreeMap<_, _> = meta
                    .checksums
                    .iter()
                    .map(|(k, v)| (k.clone(), v.split('-').next().unwrap_or_default().to_owned()))
                    .collect();
                put_checksums!(checksum, plain);
                output.checksum = Some(checksum);
            }
            "ObjectParts" if meta.parts.is_empty() => {}
            "ObjectParts" => output.object_parts = Some(parts(&meta, input.part_number_marker, input.max_parts)),
            _ => return Err(s3_error!(InvalidArgument, "Invalid attribute name specified.")),
        }
    }
    Ok(output)
}

fn parts(meta: &ObjectMeta, marker: Option<i32>, most: Option<i32>) -> GetObjectAttributesParts {
    let marker = marker.unwrap_or_default();
    let most = most.unwrap_or(1000).clamp(0, 1000);
    let mut behind = meta.parts.iter().filter(|part| part.number > marker);
    let page: Vec<_> = behind.by_ref().take(usize::try_from(most).unwrap_or_default()).collect();
    let more = behind.next().is_some();
    let described = page.iter().map(|part| {
        let mut described =
            ObjectPart { part_number: Some(part.number), size: i64::try_from(part.size).ok(), ..Default::default() };
        put_checksums!(described, part.checksums);
        described
    });
    GetObjectAttributesParts {
        total_parts_count: i32::try_from(meta.parts.len()).ok(),
        part_number_marker: Some(marker),
        next_part_number_marker: page.last().map(|part| part.number),
        max_parts: Some(most),
        is_truncated: Some(more),
        // S3 names them only for composite checksums.
        parts: meta.composite.then(|| described.collect()),
    }
}
