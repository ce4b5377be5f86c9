//! `ListObjectsV2` and `ListObjects`: keys in byte order, rolled up by delimiter, page by page.

use std::collections::BTreeSet;
use std::ops::Bound;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use s3s::dto::{
    ChecksumAlgorithm, CommonPrefix, EncodingType, ListObjectsInput, ListObjectsOutput, ListObjectsV2Input,
    ListObjectsV2Output, Object, ObjectStorageClass,
};
use s3s::{S3Result, s3_error};

use super::acl::owner;
use super::read::checksum_type;
use super::store::no_bucket;
use super::{ObjectMeta, Objects};

/// An entry of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Entry {
    Key(String),
    Prefix(String),
}

impl Entry {
    /// The key or prefix.
    pub(super) fn text(&self) -> &str {
        let (Entry::Key(text) | Entry::Prefix(text)) = self;
        text
    }

    /// What a marker of a listing means: a prefix that an earlier page ended with, or a key.
    pub(super) fn behind(marker: String, prefix: &str, delimiter: &str) -> Self {
        let rolled = !delimiter.is_empty()
            && marker
                .strip_prefix(prefix)
                .and_then(|rest| rest.find(delimiter))
                .is_some_and(|at| prefix.len() + at + delimiter.len() == marker.len());
        if rolled { Entry::Prefix(marker) } else { Entry::Key(marker) }
    }

    /// Where a listing goes on behind this entry.
    fn token(&self) -> String {
        URL_SAFE_NO_PAD.encode(match self {
            Entry::Key(key) => format!("k{key}"),
            Entry::Prefix(prefix) => format!("p{prefix}"),
        })
    }

    fn from_token(token: &str) -> Option<Self> {
        let text = String::from_utf8(URL_SAFE_NO_PAD.decode(token).ok()?).ok()?;
        match text.split_at_checked(1)? {
            ("k", key) => Some(Entry::Key(key.to_owned())),
            ("p", prefix) => Some(Entry::Prefix(prefix.to_owned())),
            _ => None,
        }
    }
}

/// One page of `keys` behind `after`, and whether there is more.
pub(super) fn page(
    keys: &BTreeSet<String>,
    prefix: &str,
    delimiter: &str,
    after: Option<&Entry>,
    size: usize,
) -> (Vec<Entry>, bool) {
    let mut entries = Vec::new();
    if size == 0 {
        return (entries, false);
    }
    let mut rolled = match after {
        Some(Entry::Prefix(prefix)) => Some(prefix.clone()),
        _ => None,
    };
    let mut from = match after {
        Some(Entry::Key(key)) if key.as_str() >= prefix => Bound::Excluded(key.clone()),
        Some(Entry::Prefix(rolled)) if rolled.as_str() >= prefix => Bound::Included(rolled.clone()),
        _ => Bound::Included(prefix.to_owned()),
    };
    loop {
        let Some(key) = keys.range((from, Bound::Unbounded)).next().filter(|k| k.starts_with(prefix)) else {
            return (entries, false);
        };
        from = Bound::Excluded(key.clone());
        if let Some(done) = rolled.as_ref().filter(|done| key.starts_with(done.as_str())) {
            // Behind every key of a prefix already given: no key holds a character above this one.
            from = Bound::Excluded(format!("{done}\u{10FFFF}"));
            continue;
        }
        if entries.len() == size {
            return (entries, true);
        }
        let end = if delimiter.is_empty() { None } else { key[prefix.len()..].find(delimiter) };
        if let Some(end) = end {
            let common = key[..prefix.len() + end + delimiter.len()].to_owned();
            entries.push(Entry::Prefix(common.clone()));
            rolled = Some(common);
        } else {
            entries.push(Entry::Key(key.clone()));
        }
    }
}

/// What stays as it is in a URL-encoded key.
const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'*').remove(b'/').remove(b' ');

/// A key as `encoding-type=url` writes it: a space is a plus.
pub(super) fn encoded(text: &str, as_url: bool) -> String {
    if as_url { utf8_percent_encode(text, KEPT).to_string().replace(' ', "+") } else { text.to_owned() }
}

/// Whether keys are to be URL-encoded.
pub(super) fn as_url(encoding: Option<&EncodingType>) -> S3Result<bool> {
    match encoding.map(EncodingType::as_str) {
        None => Ok(false),
        Some(EncodingType::URL) => Ok(true),
        Some(_) => Err(s3_error!(InvalidArgument, "Invalid Encoding Method specified in Request")),
    }
}

/// How many entries a page has: what was asked for, a thousand at most.
pub(super) fn most(asked: Option<i32>, name: &str) -> S3Result<usize> {
    let size = usize::try_from(asked.unwrap_or(1000));
    size.map(|size| size.min(1000))
        .map_err(|_| s3_error!(InvalidArgument, "Argument {} must be an integer between 0 and 2147483647", name))
}

/// What a listing shows of an object.
fn described(meta: &ObjectMeta, as_url: bool, with_owner: bool) -> Object {
    let class = meta.class.clone().unwrap_or_else(|| ObjectStorageClass::STANDARD.to_owned());
    Object {
        key: Some(encoded(&meta.key, as_url)),
        size: i64::try_from(meta.size).ok(),
        e_tag: Some(meta.tag()),
        last_modified: Some(meta.timestamp()),
        storage_class: Some(ObjectStorageClass::from(class)),
        checksum_algorithm: Some(meta.checksums.keys().cloned().map(ChecksumAlgorithm::from).collect()),
        checksum_type: Some(checksum_type(meta)),
        owner: with_owner.then(owner),
        ..Default::default()
    }
}

/// The objects and common prefixes of a page.
fn fill(
    objects: &Objects,
    bucket: &str,
    entries: Vec<Entry>,
    as_url: bool,
    with_owner: bool,
) -> (Vec<Object>, Vec<CommonPrefix>) {
    let (mut contents, mut prefixes) = (Vec::new(), Vec::new());
    for entry in entries {
        match entry {
            Entry::Prefix(p) => prefixes.push(CommonPrefix { prefix: Some(encoded(&p, as_url)) }),
            // One deleted since is left out, as it would be a moment later.
            Entry::Key(key) => {
                contents.extend(objects.meta(bucket, &key).map(|meta| described(&meta, as_url, with_owner)));
            }
        }
    }
    (contents, prefixes)
}

pub(super) fn list(objects: &Objects, input: ListObjectsV2Input) -> S3Result<ListObjectsV2Output> {
    let invalid = || s3_error!(InvalidArgument, "The continuation token provided is incorrect");
    let after = match &input.continuation_token {
        Some(token) => Some(Entry::from_token(token).ok_or_else(invalid)?),
        None => input.start_after.clone().filter(|s| !s.is_empty()).map(Entry::Key),
    };
    let size = most(input.max_keys, "maxKeys")?;
    let as_url = as_url(input.encoding_type.as_ref())?;
    let prefix = input.prefix.clone().unwrap_or_default();
    let delimiter = input.delimiter.clone().unwrap_or_default();
    let (entries, more) = {
        let buckets = objects.lock();
        let held = buckets.get(&input.bucket).ok_or_else(no_bucket)?;
        page(&held.keys, &prefix, &delimiter, after.as_ref(), size)
    };
    let next = entries.last().filter(|_| more).map(Entry::token);
    let count = i32::try_from(entries.len()).ok();
    let with_owner = input.fetch_owner.unwrap_or(false);
    let (contents, prefixes) = fill(objects, &input.bucket, entries, as_url, with_owner);
    Ok(ListObjectsV2Output {
        name: Some(input.bucket),
        prefix: Some(encoded(&prefix, as_url)),
        delimiter: input.delimiter.map(|d| encoded(&d, as_url)),
        start_after: input.start_after.map(|s| encoded(&s, as_url)),
        encoding_type: input.encoding_type,
        max_keys: i32::try_from(size).ok(),
        key_count: count,
        continuation_token: input.continuation_token,
        is_truncated: Some(more),
        next_continuation_token: next,
        contents: Some(contents),
        common_prefixes: Some(prefixes),
        ..Default::default()
    })
}

/// The first version of the listing: a marker instead of a token.
pub(super) fn list_v1(objects: &Objects, input: ListObjectsInput) -> S3Result<ListObjectsOutput> {
    let size = most(input.max_keys, "maxKeys")?;
    let as_url = as_url(input.encoding_type.as_ref())?;
    let prefix = input.prefix.clone().unwrap_or_default();
    let delimiter = input.delimiter.clone().unwrap_or_default();
    let after = input.marker.clone().filter(|m| !m.is_empty()).map(|marker| Entry::behind(marker, &prefix, &delimiter));
    let (entries, more) = {
        let buckets = objects.lock();
        let held = buckets.get(&input.bucket).ok_or_else(no_bucket)?;
        page(&held.keys, &prefix, &delimiter, after.as_ref(), size)
    };
    // Without a delimiter the last key of the page is the marker of the next.
    let next = entries.last().filter(|_| more && !delimiter.is_empty()).map(|e| encoded(e.text(), as_url));
    let (contents, prefixes) = fill(objects, &input.bucket, entries, as_url, true);
    Ok(ListObjectsOutput {
        name: Some(input.bucket),
        prefix: Some(encoded(&prefix, as_url)),
        delimiter: input.delimiter.map(|d| encoded(&d, as_url)),
        marker: Some(encoded(&input.marker.unwrap_or_default(), as_url)),
        next_marker: next,
        encoding_type: input.encoding_type,
        max_keys: i32::try_from(size).ok(),
        is_truncated: Some(more),
        contents: Some(contents),
        common_prefixes: Some(prefixes),
        ..Default::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_of_any_size_give_every_entry_once() {
        let keys: BTreeSet<_> = ["a", "b/1", "b/2", "b/c/3", "b0", "c/1", "d", "가/나 다"].map(str::to_owned).into();
        let (whole, _) = page(&keys, "", "/", None, 1000);
        assert_eq!(whole.len(), 6);
        for size in 1..7 {
            let (mut all, mut after) = (Vec::new(), None);
            loop {
                let (entries, more) = page(&keys, "", "/", after.as_ref(), size);
                after = entries.last().map(|e| Entry::from_token(&e.token()).unwrap());
                all.extend(entries);
                if !more {
                    break;
                }
            }
            assert_eq!(all, whole, "pages of {size}");
        }
    }

    #[test]
    fn keys_encode_as_s3_does() {
        assert_eq!(encoded("a b/c+d%/é", true), "a+b/c%2Bd%25/%C3%A9");
        assert_eq!(encoded("a b", false), "a b");
    }
}
