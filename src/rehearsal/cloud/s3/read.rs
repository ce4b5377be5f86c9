//! Reading objects: `GetObject` and `HeadObject`.

use s3s::dto::{
    ChecksumMode, ChecksumType, ETagCondition, GetObjectInput, GetObjectOutput, HeadObjectInput, HeadObjectOutput,
    Range, StreamingBlob,
};
use s3s::{S3Result, s3_error};
use tokio::io::{AsyncReadExt, AsyncSeekExt};
use tokio_util::io::ReaderStream;

use super::meta::put_checksums;
use super::{ObjectMeta, Objects, broken};

/// Holds a read to its conditions.
fn wanted(meta: &ObjectMeta, matching: Option<&ETagCondition>, none: Option<&ETagCondition>) -> S3Result<()> {
    let same = |c: &ETagCondition| c.is_any() || c.as_etag().is_some_and(|t| t.value() == meta.etag);
    if matching.is_some_and(|c| !same(c)) {
        return Err(s3_error!(PreconditionFailed, "At least one of the pre-conditions you specified did not hold"));
    }
    if none.is_some_and(same) {
        return Err(s3_error!(NotModified, "Not Modified"));
    }
    Ok(())
}

/// The bytes of a range, and the header that says so.
fn span(range: Option<Range>, size: u64) -> S3Result<(std::ops::Range<u64>, Option<String>)> {
    let Some(range) = range else { return Ok((0..size, None)) };
    let bytes = range.check(size).map_err(|_| s3_error!(InvalidRange, "The requested range is not satisfiable"))?;
    let header = format!("bytes {}-{}/{size}", bytes.start, bytes.end.saturating_sub(1));
    Ok((bytes, Some(header)))
}

fn checksum_type(meta: &ObjectMeta) -> ChecksumType {
    ChecksumType::from_static(if meta.composite { ChecksumType::COMPOSITE } else { ChecksumType::FULL_OBJECT })
}

fn asked(mode: Option<&ChecksumMode>) -> bool {
    mode.is_some_and(|m| m.as_str() == ChecksumMode::ENABLED)
}

/// The headers both answers share.
macro_rules! describe {
    ($output:ident, $meta:ident) => {
        $output.accept_ranges = Some("bytes".to_owned());
        $output.e_tag = Some($meta.tag());
        $output.last_modified = Some($meta.timestamp());
        $output.content_type = $meta.headers.content_type.clone().or_else(|| Some("binary/octet-stream".to_owned()));
        $output.cache_control = $meta.headers.cache_control.clone();
        $output.content_encoding = $meta.headers.content_encoding.clone();
        $output.content_disposition = $meta.headers.content_disposition.clone();
        $output.content_language = $meta.headers.content_language.clone();
        $output.metadata = Some($meta.user_metadata());
    };
}

pub(super) async fn get(objects: &Objects, input: GetObjectInput) -> S3Result<GetObjectOutput> {
    objects.need(&input.bucket, &input.key)?;
    let opened = objects.open(&input.bucket, &input.key).await;
    let (meta, mut file) = opened.ok_or_else(|| s3_error!(NoSuchKey, "The specified key does not exist."))?;
    wanted(&meta, input.if_match.as_ref(), input.if_none_match.as_ref())?;
    let (bytes, content_range) = span(input.range, meta.size)?;
    file.seek(std::io::SeekFrom::Start(bytes.start)).await.map_err(broken)?;
    let length = bytes.end - bytes.start;
    let mut output = GetObjectOutput::default();
    describe!(output, meta);
    // A checksum of the whole says nothing of a part of it.
    if asked(input.checksum_mode.as_ref()) && content_range.is_none() {
        put_checksums!(output, meta.checksums);
        output.checksum_type = Some(checksum_type(&meta));
    }
    output.tag_count = i32::try_from(meta.tags.len()).ok().filter(|n| *n > 0);
    output.content_length = i64::try_from(length).ok();
    output.content_range = content_range;
    output.body = Some(StreamingBlob::wrap(ReaderStream::with_capacity(file.take(length), 1 << 16)));
    Ok(output)
}

pub(super) fn head(objects: &Objects, input: &HeadObjectInput) -> S3Result<HeadObjectOutput> {
    let meta = objects.need(&input.bucket, &input.key)?;
    wanted(&meta, input.if_match.as_ref(), input.if_none_match.as_ref())?;
    let (bytes, content_range) = span(input.range, meta.size)?;
    let mut output = HeadObjectOutput::default();
    describe!(output, meta);
    if asked(input.checksum_mode.as_ref()) {
        put_checksums!(output, meta.checksums);
        output.checksum_type = Some(checksum_type(&meta));
    }
    output.content_length = i64::try_from(bytes.end - bytes.start).ok();
    output.content_range = content_range;
    Ok(output)
}
