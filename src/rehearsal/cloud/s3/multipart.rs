//! Multipart uploads: create, upload part, complete, abort.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use s3s::crypto::{Checksum as _, Md5};
use s3s::dto::{
    ChecksumAlgorithm, ChecksumType, CompleteMultipartUploadInput, CompleteMultipartUploadOutput, CompletedPart,
    CopyPartResult, CreateMultipartUploadInput, CreateMultipartUploadOutput, ETag, UploadPartCopyInput,
    UploadPartCopyOutput, UploadPartInput, UploadPartOutput,
};
use s3s::{S3Request, S3Result, s3_error};

use super::acl::given_acl;
use super::caller::Caller;
use super::copy::{copy_bytes, named, of_source, source};
use super::hash::{Hashed, Hasher};
use super::meta::{
    Headers, PartMeta, class_in, encryption_in, given_checksums, headers_of, metadata_in, millis, put_checksums, sse,
};
use super::only::Only;
use super::receive::{Said, receive};
use super::store::write_json;
use super::tags::tags_of;
use super::upload::{Part, Upload};
use super::write::without_chunks;
use super::{ObjectMeta, Objects, broken};

/// The least a part may hold, but for the last.
const LEAST: u64 = 5 << 20;

/// The algorithm of an upload that none was chosen for.
const UNSAID: &str = "CRC64NVME";

pub(super) fn kind(composite: bool) -> ChecksumType {
    ChecksumType::from_static(if composite { ChecksumType::COMPOSITE } else { ChecksumType::FULL_OBJECT })
}

pub(super) fn create(
    objects: &Objects,
    mut input: CreateMultipartUploadInput,
    now: SystemTime,
    caller: &Caller,
) -> S3Result<CreateMultipartUploadOutput> {
    let config = objects.config(&input.bucket)?;
    let chosen = input.checksum_algorithm.as_ref().map(ChecksumAlgorithm::as_str);
    if chosen.is_some_and(|name| !super::hash::ALGORITHMS.contains(&name)) {
        return Err(s3_error!(
            InvalidRequest,
            "Checksum algorithm provided is unsupported. Please try again with any of the valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]"
        ));
    }
    if chosen.is_none() && input.checksum_type.is_some() {
        return Err(s3_error!(
            InvalidRequest,
            "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header."
        ));
    }
    let said = chosen.is_some();
    let algorithm = chosen.unwrap_or(UNSAID).to_owned();
    let sse = encryption_in(input.server_side_encryption.as_ref(), input.sse_customer_algorithm.as_deref())?;
    let resource = format!("arn:aws:s3:::{}/{}", input.bucket, input.key);
    let acl = config.admit(given_acl!(input), "s3:PutObject", &resource, caller.name())?;
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
        metadata: metadata_in(input.metadata.take())?,
        tags: tags_of(input.tagging.take())?,
        algorithm: algorithm.clone(),
        said,
        composite,
        acl,
        class: class_in(input.storage_class.as_ref())?,
        redirect: input.website_redirect_location.take(),
    };
    let id = format!("{}{}", super::super::fresh(), super::super::fresh());
    let dir = objects.dir_of(&input.bucket).join("uploads").join(&id);
    std::fs::create_dir_all(&dir).map_err(broken)?;
    write_json(&dir.join("upload.json"), &upload).map_err(broken)?;
    Ok(CreateMultipartUploadOutput {
        bucket: Some(input.bucket),
        key: Some(input.key),
        upload_id: Some(id),
        checksum_algorithm: said.then(|| ChecksumAlgorithm::from(algorithm)),
        checksum_type: said.then(|| kind(composite)),
        server_side_encryption: Some(sse),
        ..Default::default()
    })
}

fn part_number(number: i32) -> S3Result<()> {
    match number {
        1..=10_000 => Ok(()),
        _ => Err(s3_error!(InvalidArgument, "Part number must be an integer between 1 and 10000, inclusive")),
    }
}

/// A part comes with the checksum its upload was begun with. An upload begun without a word takes any; one whose parts'
/// checksums are composed needs them.
fn same_algorithm(upload: &Upload, given: &BTreeMap<String, String>, headers: &http::HeaderMap) -> S3Result<()> {
    let trailer = headers.get("x-amz-trailer").and_then(|v| v.to_str().ok()?.trim().strip_prefix("x-amz-checksum-"));
    let actual = given.keys().next().map(String::as_str).or(trailer);
    let agrees = match actual {
        Some(actual) => !upload.said || actual.eq_ignore_ascii_case(&upload.algorithm),
        None => !(upload.said && upload.composite),
    };
    if agrees {
        return Ok(());
    }
    Err(s3_error!(
        InvalidRequest,
        "Checksum Type mismatch occurred, expected checksum Type: {}, actual checksum Type: {}",
        upload.algorithm.to_ascii_lowercase(),
        actual.unwrap_or("null").to_ascii_lowercase()
    ))
}

pub(super) async fn upload_part(
    objects: &Objects,
    request: S3Request<UploadPartInput>,
    now: SystemTime,
) -> S3Result<UploadPartOutput> {
    let mut input = request.input;
    part_number(input.part_number)?;
    let (dir, upload) = objects.upload(&input.bucket, &input.key, &input.upload_id)?;
    let said = Said {
        checksums: given_checksums!(input),
        md5: input.content_md5.take(),
        headers: &request.headers,
        trailers: request.trailing_headers,
        algorithm: Some(upload.algorithm.as_str()),
    };
    same_algorithm(&upload, &said.checksums, said.headers)?;
    let file = objects.fresh_file(&input.bucket)?;
    let mut received = receive(input.body.take(), file, said).await?;
    let hashed = &received.hashed;
    let (size, md5, checksums) = (hashed.size, hashed.md5, hashed.checksums.clone());
    let part = Part { number: input.part_number, size, md5, modified_ms: millis(now), checksums };
    place(&received.keep(), &dir, &part)?;
    let mut output = UploadPartOutput {
        e_tag: Some(ETag::Strong(part.etag())),
        server_side_encryption: Some(sse()),
        ..Default::default()
    };
    put_checksums!(output, part.checksums);
    Ok(output)
}

/// Puts a part in place; one of an upload that was completed or aborted meanwhile leaves nothing.
fn place(file: &Path, dir: &Path, part: &Part) -> S3Result<()> {
    let placed = std::fs::rename(file, part_file(dir, part.number))
        .and_then(|()| write_json(&part_file(dir, part.number).with_extension("json"), part));
    placed.map_err(|error| {
        let _ = std::fs::remove_file(file);
        if dir.is_dir() { broken(error) } else { super::upload::no_upload() }
    })
}

/// `bytes=first-last` of a part copied from an object; both ends are needed.
fn piece(range: Option<&str>, size: u64) -> S3Result<std::ops::Range<u64>> {
    let Some(range) = range else { return Ok(0..size) };
    let ends = range.strip_prefix("bytes=").and_then(|ends| ends.split_once('-'));
    let ends = ends.and_then(|(first, last)| Some((first.parse::<u64>().ok()?, last.parse::<u64>().ok()?)));
    let Some((first, last)) = ends.filter(|(first, last)| first <= last) else {
        return Err(s3_error!(
            InvalidArgument,
            "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy"
        ));
    };
    if last >= size {
        return Err(s3_error!(InvalidArgument, "Range specified is not valid for source object of size: {}", size));
    }
    Ok(first..last + 1)
}

pub(super) async fn upload_part_copy(
    objects: &Objects,
    input: UploadPartCopyInput,
    now: SystemTime,
    caller: &Caller,
) -> S3Result<UploadPartCopyOutput> {
    part_number(input.part_number)?;
    let (dir, upload) = objects.upload(&input.bucket, &input.key, &input.upload_id)?;
    let (old, mut from) = source(objects, &input.copy_source, &of_source!(input), caller).await?;
    let bytes = piece(input.copy_source_range.as_deref(), old.size)?;
    let file = objects.fresh_file(&input.bucket)?;
    let hashed = copy_bytes(&mut from, bytes, &file, &upload.algorithm).await;
    let hashed = hashed.inspect_err(|_| drop(std::fs::remove_file(&file))).map_err(broken)?;
    let Hashed { md5, size, checksums } = hashed;
    let part = Part { number: input.part_number, size, md5, modified_ms: millis(now), checksums };
    place(&file, &dir, &part)?;
    let mut result = CopyPartResult {
        e_tag: Some(ETag::Strong(part.etag())),
        last_modified: Some(super::multipart_list::moment(part.modified_ms)),
        ..Default::default()
    };
    if upload.said {
        put_checksums!(result, part.checksums);
    }
    let versioned = objects.config(named(&input.copy_source)?.0)?.versioning.is_some();
    Ok(UploadPartCopyOutput {
        copy_part_result: Some(result),
        copy_source_version_id: versioned.then(|| old.id().to_owned()),
        server_side_encryption: Some(sse()),
        ..Default::default()
    })
}

fn part_file(dir: &Path, number: i32) -> PathBuf {
    dir.join(format!("part-{number:05}"))
}

/// The parts a completion names, each checked against what came in.
fn chosen(named: &[CompletedPart], there: &BTreeMap<i32, Part>, upload: &Upload) -> S3Result<Vec<Part>> {
    let mut parts: Vec<Part> = Vec::new();
    for named in named {
        let number = named.part_number.unwrap_or_default();
        if upload.composite && !given_checksums!(named).contains_key(&upload.algorithm) {
            return Err(s3_error!(
                InvalidRequest,
                "The upload was created using a {} checksum. The complete request must include the checksum for each part. It was missing for part {} in the request.",
                upload.algorithm.to_ascii_lowercase(),
                number
            ));
        }
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
    let only = Only::writing(objects, &input.bucket, &input.key, input.if_match.clone(), input.if_none_match.clone())?;
    // Asked before the parts are put together, and again when the object is put in place.
    only.allows(objects.current(&input.bucket, &input.key).as_ref())?;
    let asked = input.checksum_type.as_ref().map(|t| t.as_str() == ChecksumType::COMPOSITE);
    if asked.is_some_and(|composite| composite != upload.composite) {
        return Err(s3_error!(
            InvalidRequest,
            "The upload was created using the {} checksum mode. The complete request must use the same checksum mode.",
            kind(upload.composite).as_str()
        ));
    }
    let named = input.multipart_upload.as_ref().and_then(|m| m.parts.as_deref()).unwrap_or_default();
    let parts = chosen(named, &Objects::parts(&dir)?, &upload)?;
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
        parts: parts
            .into_iter()
            .map(|part| PartMeta { number: part.number, size: part.size, checksums: part.checksums })
            .collect(),
        acl: upload.acl,
        class: upload.class,
        redirect: upload.redirect,
        headers: Headers {
            content_encoding: without_chunks(upload.headers.content_encoding.clone()),
            ..upload.headers
        },
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
        server_side_encryption: Some(sse()),
        ..Default::default()
    };
    put_checksums!(output, meta.checksums);
    let version = objects.commit(&input.bucket, &file, meta, &only);
    output.version_id = version.inspect_err(|_| drop(std::fs::remove_file(&file)))?.filter(|id| id != "null");
    std::fs::remove_dir_all(dir).map_err(broken)?;
    output.bucket = Some(input.bucket);
    output.key = Some(input.key);
    Ok(output)
}

pub(super) fn abort(objects: &Objects, bucket: &str, key: &str, id: &str) -> S3Result<()> {
    let (dir, _) = objects.upload(bucket, key, id)?;
    std::fs::remove_dir_all(dir).map_err(broken)
}
