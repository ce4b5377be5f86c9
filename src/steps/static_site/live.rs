//! What a key holds now, and whose it is.

use std::collections::BTreeMap;

use futures::StreamExt;

use crate::clients::objects::{Listed, ObjectsRead, Stored};
use crate::clients::{ClientResult, Kind};

/// The metadata that says which run put an object.
pub(super) const RUN: &str = "outgrow-run";
/// The metadata with the checksum it was put with.
pub(super) const CRC: &str = "outgrow-crc";
/// The metadata with the lock's epoch.
pub(super) const EPOCH: &str = "outgrow-epoch";

/// Requests in flight where many objects are looked at.
const WINDOW: usize = 32;

/// Whether this run put it.
pub(super) fn is_ours(stored: &Stored, run: &str) -> bool {
    stored.headers.metadata.get(RUN).is_some_and(|by| by == run)
}

/// The checksum, as the manifest writes it.
pub(super) fn crc(stored: &Stored) -> String {
    stored.crc64.clone().unwrap_or_default()
}

/// Looks at many keys, some at a time.
pub(super) async fn heads(
    objects: &dyn ObjectsRead,
    bucket: &str,
    keys: Vec<String>,
) -> ClientResult<BTreeMap<String, Stored>> {
    let asked = keys.into_iter().map(|key| async move {
        let stored = objects.head(bucket, &key).await?;
        Ok((key, stored))
    });
    let mut answers = futures::stream::iter(asked).buffer_unordered(WINDOW);
    let mut found = BTreeMap::new();
    while let Some(answer) = answers.next().await {
        if let (key, Some(stored)) = answer? {
            found.insert(key, stored);
        }
    }
    Ok(found)
}

/// Keys and sizes of the whole bucket; nothing where there is none.
pub(super) async fn listing(objects: &dyn ObjectsRead, bucket: &str) -> ClientResult<BTreeMap<String, u64>> {
    let mut found = BTreeMap::new();
    let mut take = |object: Listed| {
        found.insert(object.key, object.size);
    };
    match objects.list(bucket, "", &mut take).await {
        Err(error) if error.kind != Kind::NotFound => Err(error),
        _ => Ok(found),
    }
}
