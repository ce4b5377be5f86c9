//! The bucket's listing, in a file beside the walk; and the second one, which confirms what was sent.

use super::kept::{Kept, Known};
use super::spool::{Row, Rows, Spool};
use super::{Order, SAMPLE};
use crate::clients::objects::{Crc64, Listed, ObjectsRead};
use crate::step::{Fault, StepResult};

/// Size and entity tag of each object below the prefix; keys without it.
pub(super) async fn fetch(objects: &dyn ObjectsRead, bucket: &str, prefix: &str) -> StepResult<Rows<2>> {
    let mut spool = Spool::<2>::new()?;
    let mut failed = None;
    let mut each = |object: Listed| {
        let key = object.key.strip_prefix(prefix).unwrap_or(&object.key);
        if let Err(error) = spool.add(key, [object.size, etag(&object.etag)]) {
            failed.get_or_insert(error);
        }
    };
    objects.list(bucket, prefix, &mut each).await?;
    match failed {
        Some(error) => Err(error),
        None => spool.read(),
    }
}

/// A hash of an entity tag, however it is quoted.
pub(super) fn etag(etag: &str) -> u64 {
    Crc64::number(etag.trim_matches('"').as_bytes()).max(1)
}

/// Lists again and compares with what was confirmed, row by row.
pub(super) async fn confirm(objects: &dyn ObjectsRead, order: &Order, kept: &Kept) -> StepResult<()> {
    let mut there = fetch(objects, &order.bucket, &order.prefix).await?.peekable();
    let mut wrong: Vec<String> = Vec::new();
    for row in kept.rows()? {
        let row = row?;
        let (known, key) = (Known::of(&row), row.key);
        if known == Known::default() {
            // What is in the file kept it back.
            continue;
        }
        // Both are in the order of keys: what comes before is of others.
        while there.next_if(|found| found.as_ref().is_ok_and(|found| found.key < key)).is_some() {}
        let found = there.next_if(|found| !found.as_ref().is_ok_and(|found| found.key != key)).transpose()?;
        match found {
            Some(Row { numbers: [size, tag], .. }) if size == known.size && tag == known.etag => {}
            Some(_) => wrong.push(format!("{key} is not what was sent")),
            None => wrong.push(format!("{key} is missing")),
        }
        if wrong.len() > SAMPLE {
            break;
        }
    }
    if wrong.is_empty() {
        return Ok(());
    }
    let what = format!("after the upload {} holds something else: {}", order.bucket, wrong.join("; "));
    Err(Fault::failed_with(what, "somebody else writes there: see who, then type it again"))
}
