//! `ListObjectVersions`: keys in byte order, the versions of each from the newest on.

use std::collections::BTreeSet;

use s3s::dto::{
    ChecksumAlgorithm, CommonPrefix, DeleteMarkerEntry, ListObjectVersionsInput, ListObjectVersionsOutput,
    ObjectVersion, ObjectVersionStorageClass,
};
use s3s::{S3Result, s3_error};

use super::acl::owner;
use super::list::{Entry, as_url, encoded, most, page};
use super::read::checksum_type;
use super::store::no_bucket;
use super::{ObjectMeta, Objects};

/// A page under way.
#[derive(Default)]
struct Page {
    versions: Vec<ObjectVersion>,
    markers: Vec<DeleteMarkerEntry>,
    prefixes: Vec<CommonPrefix>,
    /// Key or prefix, and version id, of the last entry.
    last: Option<(String, Option<String>)>,
}

impl Page {
    fn size(&self) -> usize {
        self.versions.len() + self.markers.len() + self.prefixes.len()
    }

    fn add(&mut self, meta: &ObjectMeta, is_latest: bool, as_url: bool) {
        self.last = Some((meta.key.clone(), Some(meta.id().to_owned())));
        if meta.marker {
            self.markers.push(DeleteMarkerEntry {
                is_latest: Some(is_latest),
                key: Some(encoded(&meta.key, as_url)),
                last_modified: Some(meta.timestamp()),
                owner: Some(owner()),
                version_id: Some(meta.id().to_owned()),
            });
            return;
        }
        let class = meta.class.clone().unwrap_or_else(|| ObjectVersionStorageClass::STANDARD.to_owned());
        self.versions.push(ObjectVersion {
            checksum_algorithm: Some(meta.checksums.keys().cloned().map(ChecksumAlgorithm::from).collect()),
            checksum_type: Some(checksum_type(meta)),
            e_tag: Some(meta.tag()),
            is_latest: Some(is_latest),
            key: Some(encoded(&meta.key, as_url)),
            last_modified: Some(meta.timestamp()),
            owner: Some(owner()),
            size: i64::try_from(meta.size).ok(),
            storage_class: Some(ObjectVersionStorageClass::from(class)),
            version_id: Some(meta.id().to_owned()),
            ..Default::default()
        });
    }
}

pub(super) fn list(objects: &Objects, input: ListObjectVersionsInput) -> S3Result<ListObjectVersionsOutput> {
    if input.version_id_marker.is_some() && input.key_marker.is_none() {
        return Err(s3_error!(InvalidArgument, "A version-id marker cannot be specified without a key marker."));
    }
    let size = most(input.max_keys, "maxKeys")?;
    let as_url = as_url(input.encoding_type.as_ref())?;
    let prefix = input.prefix.clone().unwrap_or_default();
    let delimiter = input.delimiter.clone().unwrap_or_default();
    let after = input.key_marker.clone().filter(|m| !m.is_empty());
    let after = after.map(|marker| Entry::behind(marker, &prefix, &delimiter));
    // One more than a page: keys that lost all their versions meanwhile are none.
    let (entries, more_keys) = {
        let buckets = objects.lock();
        let held = buckets.get(&input.bucket).ok_or_else(no_bucket)?;
        let all: BTreeSet<String> = held.keys.union(&held.hidden).cloned().collect();
        page(&all, &prefix, &delimiter, after.as_ref(), size)
    };
    let mut filled = Page::default();
    let mut more = false;
    // The rest of the key that the page before ended within.
    if let (Some(key), Some(id)) = (&input.key_marker, &input.version_id_marker) {
        let history = objects.history(&input.bucket, key);
        let behind = history.iter().skip_while(|meta| meta.id() != id).skip(1);
        for meta in behind {
            if filled.size() == size {
                more = true;
                break;
            }
            filled.add(meta, false, as_url);
        }
    }
    'page: for entry in entries {
        if more {
            break;
        }
        match entry {
            Entry::Prefix(_) if filled.size() == size => more = true,
            Entry::Prefix(p) => {
                filled.prefixes.push(CommonPrefix { prefix: Some(encoded(&p, as_url)) });
                filled.last = Some((p, None));
            }
            Entry::Key(key) => {
                for (n, meta) in objects.history(&input.bucket, &key).iter().enumerate() {
                    if filled.size() == size {
                        more = true;
                        break 'page;
                    }
                    filled.add(meta, n == 0, as_url);
                }
            }
        }
    }
    let more = size > 0 && (more || more_keys);
    let (next_key, next_id) = filled.last.filter(|_| more).unzip();
    Ok(ListObjectVersionsOutput {
        name: Some(input.bucket),
        prefix: Some(encoded(&prefix, as_url)),
        delimiter: input.delimiter.map(|d| encoded(&d, as_url)),
        key_marker: Some(encoded(&input.key_marker.unwrap_or_default(), as_url)),
        version_id_marker: Some(input.version_id_marker.unwrap_or_default()),
        encoding_type: input.encoding_type,
        max_keys: i32::try_from(size).ok(),
        is_truncated: Some(more),
        next_key_marker: next_key.map(|key| encoded(&key, as_url)),
        next_version_id_marker: next_id.flatten(),
        versions: Some(filled.versions),
        delete_markers: Some(filled.markers),
        common_prefixes: Some(filled.prefixes),
        ..Default::default()
    })
}
