//! Multipart uploads: create, upload part, complete, abort, list.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use s3s::crypto::{Checksum as _, Md5};
use s3s::dto::{
    ChecksumAlgorithm, ChecksumType, CompleteMultipartUploadInput, CompleteMultipartUploadOutput, CompletedPart,
    CreateMultipartUploadInput, CreateMultipartUploadOutput, ETag, ListMultipartUploadsInput,
    ListMultipartUploadsOutput, ListPartsInput, ListPartsOutput, MultipartUpload, Timestamp, UploadPartInput,
    UploadPartOutput,
};
use s3s::{S3Request, S3Result, s3_error};

use super::hash::{Hashed, Hasher};
use super::list::encoded;
use super::meta::{given_checksums, headers_of, millis, put_checksums};
use super::receive::{Said, receive};
use super::store::{Only, read_json, write_json};
use super::upload::{Part, Upload};
use super::write::tags_of;
use super::{ObjectMeta, Objects, broken};

/// The least a part may hold, but for the last.
const LEAST: u64 = 5 << 20;

fn kind(composite: bool) -> ChecksumType {
    ChecksumType::from_static(if composite { ChecksumType::COMPOSITE } else { ChecksumType::FULL_OBJECT })
}

pub(super) fn create(
    objects: &Objects,
    mut input: CreateMultipartUploadInput,
    now: SystemTime,
) -> S3Result<CreateMultipartUploadOutput> {
    objects.has(&input.bucket)?;
    let algorithm = input.checksum_algorithm.as_ref().map_or("CRC64NVME", ChecksumAlgorithm::as_str).to_owned();
    let composite = match input.checksum_type.as_ref().map(ChecksumType::as_str) {
        Some("COMPOSITE") if algorithm == "CRC64NVME" => {
            return Err(s3_error!(
                InvalidRequest,
                "The COMPOSITE checksum type cannot be used with the crc64nvme checksum algorithm."
            ));
        }
        Some("FULL_OBJECT") if algorithm.starts_with("SHA") => {
            return Err(s3_error!(
                InvalidRequest,
                "The FULL_OBJECT checksum type cannot be used with the {} checksum algorithm.",
                algorithm
            ));
        }
        Some(given) => given == "COMPOSITE",
        None => algorithm != "CRC64NVME",
    };
    let upload = Upload {
        key: input.key.clone(),
        begun_ms: millis(now),
        headers: headers_of!(input),
        metadata: input.metadata.take().unwrap_or_default().into_iter().collect(),
        tags: tags_of(input.tagging.take()),
        algorithm: algorithm.clone(),
        composite,
    };
    let id = format!("{}{}", super::super::fresh(), super::super::fresh());
    let dir = objects.dir_of(&input.bucket).join("uploads").join(&id);
    std::fs::create_dir_all(&dir).map_err(broken)?;
    write_json(&dir.join("upload.json"), &upload).map_err(broken)?;
    Ok(CreateMultipartUploadOutput {
        bucket: Some(input.bucket),
        key: Some(input.key),
        upload_id: Some(id),
        checksum_algorithm: Some(ChecksumAlgorithm::from(algorithm)),
        checksum_type: Some(kind(composite)),
        ..Default::default()
    })
}

pub(super) async fn upload_part(
    objects: &Objects,
    request: S3Request<UploadPartInput>,
    now: SystemTime,
) -> S3Result<UploadPartOutput> {
    let mut input = request.input;
    if !(1..=10_000).contains(&input.part_number) {
        return Err(s3_error!(InvalidArgument, "Part number must be an integer between 1 and 10000, inclusive"));
    }
    let (dir, upload) = objects.upload(&input.bucket, &input.key, &input.upload_id)?;
    let said = Said {
        checksums: given_checksums!(input),
        md5: input.content_md5.take(),
        headers: &request.headers,
        trailers: request.trailing_headers,
        algorithm: Some(upload.algorithm.as_str()),
    };
    let file = objects.fresh_file(&input.bucket)?;
    let mut received = receive(input.body.take(), file, said).await?;
    let hashed = &received.hashed;
    let (size, md5, checksums) = (hashed.size, hashed.md5, hashed.checksums.clone());
    let part = Part { number: input.part_number, size, md5, modified_ms: millis(now), checksums };
    let file = received.keep();
    let placed = std::fs::rename(&file, part_file(&dir, part.number))
        .and_then(|()| write_json(&part_file(&dir, part.number).with_extension("json"), &part));
    placed.map_err(broken)?;
    let mut output = UploadPartOutput { e_tag: Some(ETag::Strong(part.etag())), ..Default::default() };
    put_checksums!(output, part.checksums);
    Ok(output)
}

fn part_file(dir: &Path, number: i32) -> PathBuf {
    dir.join(format!("part-{number:05}"))
}

/// The parts a completion names, each checked against what came in.
fn chosen(named: &[CompletedPart], there: &BTreeMap<i32, Part>) -> S3Result<Vec<Part>> {
    let mut parts: Vec<Part> = Vec::new();
    for named in named {
        let number = named.part_number.unwrap_or_default();
        if parts.last().is_some_and(|last| last.number >= number) {
            return Err(s3_error!(InvalidPartOrder, "The list of parts was not in ascending order."));
        }
        let part = there.get(&number).filter(|part| {
            let given = given_checksums!(named);
            named.e_tag.as_ref().is_some_and(|tag| tag.value() == part.etag())
                && given.iter().all(|(name, value)| part.checksums.get(name).is_none_or(|own| own == value))
        });
        parts.push(part.cloned().ok_or_else(|| {
            s3_error!(InvalidPart, "One or more of the specified parts could not be found. The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.")
        })?);
    }
    let small = parts.iter().rev().skip(1).any(|part| part.size < LEAST);
    match parts.is_empty() {
        true => Err(s3_error!(
            MalformedXML,
            "The XML you provided was not well-formed or did not validate against our published schema"
        )),
        false if small => {
            Err(s3_error!(EntityTooSmall, "Your proposed upload is smaller than the minimum allowed size"))
        }
        false => Ok(parts),
    }
}

/// Puts the parts' bytes together in one file, hashing them.
fn join(dir: &Path, parts: &[Part], algorithm: &str, to: &Path) -> std::io::Result<Hashed> {
    let mut hasher = Hasher::new([algorithm]);
    let mut out = std::fs::File::create(to)?;
    let mut buffer = vec![0; 1 << 18];
    for part in parts {
        let mut from = std::fs::File::open(part_file(dir, part.number))?;
        loop {
            let read = from.read(&mut buffer)?;
            if read == 0 {
                break;
            }
            hasher.update(&buffer[..read]);
            out.write_all(&buffer[..read])?;
        }
    }
    Ok(hasher.finish())
}

/// The checksum of the parts' checksums, with their number behind it.
fn composed(parts: &[Part], algorithm: &str) -> Option<String> {
    let mut hasher = Hasher::new([algorithm]);
    for part in parts {
        hasher.update(&STANDARD.decode(part.checksums.get(algorithm)?).ok()?);
    }
    Some(format!("{}-{}", hasher.finish().checksums.remove(algorithm)?, parts.len()))
}

pub(super) async fn complete(
    objects: &Objects,
    input: CompleteMultipartUploadInput,
    now: SystemTime,
) -> S3Result<CompleteMultipartUploadOutput> {
    let (dir, upload) = objects.upload(&input.bucket, &input.key, &input.upload_id)?;
    let named = input.multipart_upload.as_ref().and_then(|m| m.parts.as_deref()).unwrap_or_default();
    let parts = chosen(named, &Objects::parts(&dir)?)?;
    let file = objects.fresh_file(&input.bucket)?;
    let joined = tokio::task::spawn_blocking({
        let (dir, parts, algorithm, file) = (dir.clone(), parts.clone(), upload.algorithm.clone(), file.clone());
        move || join(&dir, &parts, &algorithm, &file)
    });
    let hashed = joined.await.map_err(broken)?.map_err(broken);
    let hashed = hashed.inspect_err(|_| drop(std::fs::remove_file(&file)))?;
    let mut checksums = hashed.checksums;
    if upload.composite {
        // Parts that came with another checksum than the upload's have none to compose.
        checksums =
            composed(&parts, &upload.algorithm).map(|sum| (upload.algorithm.clone(), sum)).into_iter().collect();
    }
    let differs = |(name, value): (&String, &String)| checksums.get(name).is_some_and(|own| own != value);
    let wrong_sum = given_checksums!(input).iter().any(differs);
    let wrong_size = input.mpu_object_size.is_some_and(|size| u64::try_from(size) != Ok(hashed.size));
    if wrong_sum || wrong_size {
        let _ = std::fs::remove_file(&file);
        return Err(s3_error!(BadDigest, "The checksum or size you specified did not match what we calculated."));
    }
    let mut md5 = Md5::new();
    for part in &parts {
        md5.update(&part.md5);
    }
    let digest: [u8; 16] = md5.finalize();
    let meta = ObjectMeta {
        key: upload.key,
        size: hashed.size,
        etag: format!("{}-{}", hex::encode(digest), parts.len()),
        modified_ms: millis(now),
        headers: upload.headers,
        metadata: upload.metadata,
        checksums,
        composite: upload.composite,
        tags: upload.tags,
        ..ObjectMeta::default()
    };
    let mut output = CompleteMultipartUploadOutput {
        location: Some(format!("/{}/{}", input.bucket, input.key)),
        e_tag: Some(meta.tag()),
        checksum_type: Some(kind(meta.composite)),
        ..Default::default()
    };
    put_checksums!(output, meta.checksums);
    let only = Only { if_match: input.if_match, if_none_match: input.if_none_match };
    objects.commit(&input.bucket, &file, meta, &only).inspect_err(|_| drop(std::fs::remove_file(&file)))?;
    std::fs::remove_dir_all(dir).map_err(broken)?;
    output.bucket = Some(input.bucket);
    output.key = Some(input.key);
    Ok(output)
}

pub(super) fn abort(objects: &Objects, bucket: &str, key: &str, id: &str) -> S3Result<()> {
    let (dir, _) = objects.upload(bucket, key, id)?;
    std::fs::remove_dir_all(dir).map_err(broken)
}

fn moment(ms: u64) -> Timestamp {
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
        checksum_algorithm: Some(ChecksumAlgorithm::from(upload.algorithm)),
        checksum_type: Some(kind(upload.composite)),
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
    let as_url = input.encoding_type.is_some();
    let described = page.into_iter().map(|(key, id, upload)| MultipartUpload {
        key: Some(encoded(&key, as_url)),
        upload_id: Some(id),
        initiated: Some(moment(upload.begun_ms)),
        checksum_algorithm: Some(ChecksumAlgorithm::from(upload.algorithm)),
        checksum_type: Some(kind(upload.composite)),
        ..Default::default()
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
        ..Default::default()
    })
}
