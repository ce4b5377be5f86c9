//! `ListObjectsV2`: keys in byte order, rolled up by delimiter, page by page.

use std::collections::BTreeSet;
use std::ops::Bound;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use s3s::dto::{
    ChecksumAlgorithm, CommonPrefix, EncodingType, ListObjectsV2Input, ListObjectsV2Output, Object, ObjectStorageClass,
};
use s3s::{S3Result, s3_error};

use super::Objects;
use super::store::no_bucket;

/// An entry of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Entry {
    Key(String),
    Prefix(String),
}

impl Entry {
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
fn page(
    keys: &BTreeSet<String>,
    prefix: &str,
    delimiter: &str,
    after: Option<&Entry>,
    size: usize,
) -> (Vec<Entry>, bool) {
    let mut entries = Vec::new();
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

pub(super) fn list(objects: &Objects, input: ListObjectsV2Input) -> S3Result<ListObjectsV2Output> {
    let invalid = || s3_error!(InvalidArgument, "The continuation token provided is incorrect");
    let after = match &input.continuation_token {
        Some(token) => Some(Entry::from_token(token).ok_or_else(invalid)?),
        None => input.start_after.clone().map(Entry::Key),
    };
    let size = usize::try_from(input.max_keys.unwrap_or(1000))
        .map_err(|_| s3_error!(InvalidArgument, "Argument maxKeys must be an integer between 0 and 2147483647"))?
        .min(1000);
    let prefix = input.prefix.clone().unwrap_or_default();
    let delimiter = input.delimiter.clone().unwrap_or_default();
    let (entries, more) = {
        let buckets = objects.lock();
        let held = buckets.get(&input.bucket).ok_or_else(no_bucket)?;
        page(&held.keys, &prefix, &delimiter, after.as_ref(), size)
    };
    let as_url = input.encoding_type.as_ref().is_some_and(|e| e.as_str() == EncodingType::URL);
    let next = entries.last().filter(|_| more).map(Entry::token);
    let count = i32::try_from(entries.len()).ok();
    let (mut contents, mut prefixes) = (Vec::new(), Vec::new());
    for entry in entries {
        match entry {
            Entry::Prefix(p) => prefixes.push(CommonPrefix { prefix: Some(encoded(&p, as_url)) }),
            // One deleted since is left out, as it would be a moment later.
            Entry::Key(key) => contents.extend(objects.meta(&input.bucket, &key).map(|meta| Object {
                key: Some(encoded(&key, as_url)),
                size: i64::try_from(meta.size).ok(),
                e_tag: Some(meta.tag()),
                last_modified: Some(meta.timestamp()),
                storage_class: Some(ObjectStorageClass::from_static(ObjectStorageClass::STANDARD)),
                checksum_algorithm: Some(meta.checksums.keys().cloned().map(ChecksumAlgorithm::from).collect()),
                ..Default::default()
            })),
        }
    }
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
