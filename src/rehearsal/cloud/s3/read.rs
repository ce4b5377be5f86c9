//! Reading objects: `GetObject` and `HeadObject`.

use s3s::dto::{
    ChecksumMode, ChecksumType, ETagCondition, GetObjectInput, GetObjectOutput, HeadObjectInput, HeadObjectOutput,
    Range, StreamingBlob, Timestamp,
};
use s3s::{S3Error, S3Result, s3_error};
use tokio::io::{AsyncReadExt, AsyncSeekExt};
use tokio_util::io::ReaderStream;

use super::bucket::custom;
use super::caller::Caller;
use super::meta::{put_checksums, seconds_of, sse};
use super::only::is_same;
use super::{ObjectMeta, Objects, broken};

/// The conditions of a read.
pub(super) struct Wanted<'a> {
    pub matching: Option<&'a ETagCondition>,
    pub none: Option<&'a ETagCondition>,
    pub since: Option<&'a Timestamp>,
    pub until: Option<&'a Timestamp>,
}

impl Wanted<'_> {
    /// Whether a read goes ahead; `Some(true)` where the reader already has it. A tag that matches makes up for a date
    /// that does not. Source: S3 API, `GetObject`, "Additional considerations about conditional requests".
    pub(super) fn refuses(&self, meta: &ObjectMeta) -> Option<bool> {
        let later = |at: &Timestamp| meta.seconds() > seconds_of(at);
        let too_late = self.matching.is_none() && self.until.is_some_and(later);
        if self.matching.is_some_and(|c| !is_same(c, meta)) || too_late {
            return Some(false);
        }
        let unchanged = self.none.is_none() && self.since.is_some_and(|at| !later(at));
        if self.none.is_some_and(|c| is_same(c, meta)) || unchanged { Some(true) } else { None }
    }

    fn hold(&self, meta: &ObjectMeta) -> S3Result<()> {
        match self.refuses(meta) {
            Some(true) => Err(not_modified(meta)),
            Some(false) => {
                Err(s3_error!(PreconditionFailed, "At least one of the pre-conditions you specified did not hold"))
            }
            None => Ok(()),
        }
    }
}

/// 304, which still says of what.
fn not_modified(meta: &ObjectMeta) -> S3Error {
    let mut error = s3_error!(NotModified, "Not Modified");
    let mut headers = http::HeaderMap::new();
    if let Ok(tag) = http::HeaderValue::try_from(format!("\"{}\"", meta.etag)) {
        headers.insert(http::header::ETAG, tag);
    }
    error.set_headers(headers);
    error
}

/// The bytes of a range or a part, and the header that says so.
fn span(
    range: Option<Range>,
    part: Option<i32>,
    meta: &ObjectMeta,
) -> S3Result<(std::ops::Range<u64>, Option<String>)> {
    let size = meta.size;
    let bytes = match (range, part) {
        (Some(_), Some(_)) => {
            return Err(s3_error!(InvalidRequest, "Cannot specify both Range header and partNumber query parameter"));
        }
        (None, None) => return Ok((0..size, None)),
        (None, Some(1)) if meta.parts.is_empty() && size == 0 => return Ok((0..0, None)),
        (None, Some(1)) if meta.parts.is_empty() => 0..size,
        (None, Some(number)) => {
            let missing = || {
                let status = http::StatusCode::RANGE_NOT_SATISFIABLE;
                custom("InvalidPartNumber", "The requested partnumber is not satisfiable", status)
            };
            let at = meta.parts.iter().position(|part| part.number == number).ok_or_else(missing)?;
            let start = meta.parts[..at].iter().map(|part| part.size).sum::<u64>();
            start..start + meta.parts[at].size
        }
        (Some(range), None) => {
            let bytes = range.check(size).ok().filter(|bytes| !bytes.is_empty());
            bytes.ok_or_else(|| s3_error!(InvalidRange, "The requested range is not satisfiable"))?
        }
    };
    let header = format!("bytes {}-{}/{size}", bytes.start, bytes.end.saturating_sub(1));
    Ok((bytes, Some(header)))
}

pub(super) fn checksum_type(meta: &ObjectMeta) -> ChecksumType {
    ChecksumType::from_static(if meta.composite { ChecksumType::COMPOSITE } else { ChecksumType::FULL_OBJECT })
}

fn asked(mode: Option<&ChecksumMode>) -> bool {
    mode.is_some_and(|m| m.as_str() == ChecksumMode::ENABLED)
}

fn count(parts: usize) -> Option<i32> {
    i32::try_from(parts).ok().filter(|n| *n > 0)
}

/// What both answers share.
macro_rules! describe {
    ($output:ident, $input:ident, $meta:ident, $bytes:ident, $range:ident, $objects:ident) => {
        $output.accept_ranges = Some("bytes".to_owned());
        $output.e_tag = Some($meta.tag());
        $output.last_modified = Some($meta.timestamp());
        $output.content_type = $meta.headers.content_type.clone().or_else(|| Some("binary/octet-stream".to_owned()));
        $output.cache_control = $meta.headers.cache_control.clone();
        $output.content_encoding = $meta.headers.content_encoding.clone();
        $output.content_disposition = $meta.headers.content_disposition.clone();
        $output.content_language = $meta.headers.content_language.clone();
        $output.expires = $meta.headers.expires.clone();
        $output.metadata = Some($meta.user_metadata());
        $output.server_side_encryption = Some(sse());
        $output.storage_class = $meta.storage_class();
        $output.website_redirect_location = $meta.redirect.clone();
        $output.version_id = $objects.config(&$input.bucket)?.versioning.as_ref().map(|_| $meta.id().to_owned());
        $output.content_length = i64::try_from($bytes.end - $bytes.start).ok();
        if $input.part_number.is_some() {
            $output.parts_count = count($meta.parts.len());
        }
        if asked($input.checksum_mode.as_ref()) {
            match $input.part_number.and_then(|n| $meta.parts.iter().find(|part| part.number == n)) {
                Some(part) => put_checksums!($output, part.checksums),
                // A checksum of the whole says nothing of a part of it.
                None if $range.is_none() || $bytes == (0..$meta.size) => {
                    put_checksums!($output, $meta.checksums);
                    $output.checksum_type = Some(checksum_type(&$meta));
                }
                None => {}
            }
        }
        $output.content_range = $range;
    };
}

/// The conditions in a request's input.
macro_rules! wanted {
    ($input:ident) => {
        Wanted {
            matching: $input.if_match.as_ref(),
            none: $input.if_none_match.as_ref(),
            since: $input.if_modified_since.as_ref(),
            until: $input.if_unmodified_since.as_ref(),
        }
    };
}

/// Somebody unknown may not choose the answer's headers.
fn overrides(input: &GetObjectInput, caller: &Caller) -> S3Result<()> {
    let any = input.response_content_type.is_some()
        || input.response_cache_control.is_some()
        || input.response_content_disposition.is_some()
        || input.response_content_encoding.is_some()
        || input.response_content_language.is_some()
        || input.response_expires.is_some();
    if any && caller.is_anonymous() {
        let message = "Request specific response headers cannot be used for anonymous GET requests.";
        return Err(s3_error!(InvalidRequest, "{}", message));
    }
    Ok(())
}

pub(super) async fn get(objects: &Objects, input: GetObjectInput, caller: &Caller) -> S3Result<GetObjectOutput> {
    overrides(&input, caller)?;
    let opened = objects.open_version(&input.bucket, &input.key, input.version_id.as_deref()).await;
    let (meta, mut file) = opened.map_err(|error| caller.told(objects, &input.bucket, error))?;
    wanted!(input).hold(&meta)?;
    let (bytes, content_range) = span(input.range, input.part_number, &meta)?;
    file.seek(std::io::SeekFrom::Start(bytes.start)).await.map_err(broken)?;
    let length = bytes.end - bytes.start;
    let mut output = GetObjectOutput::default();
    describe!(output, input, meta, bytes, content_range, objects);
    output.tag_count = count(meta.tags.len());
    output.body = Some(StreamingBlob::wrap(ReaderStream::with_capacity(file.take(length), 1 << 16)));
    Ok(output)
}

pub(super) fn head(objects: &Objects, input: &HeadObjectInput, caller: &Caller) -> S3Result<HeadObjectOutput> {
    let found = objects.need(&input.bucket, &input.key, input.version_id.as_deref());
    let meta = found.map_err(|error| caller.told(objects, &input.bucket, error))?;
    wanted!(input).hold(&meta)?;
    let (bytes, content_range) = span(input.range, input.part_number, &meta)?;
    let mut output = HeadObjectOutput::default();
    describe!(output, input, meta, bytes, content_range, objects);
    Ok(output)
}
