//! Whether the bucket holds what it should. Each upload was confirmed by its checksum; one listing tells whether all of
//! it is still there, and where a size cannot tell new from former, the object itself is looked at.

use super::live::{crc, heads, is_ours, listing};
use super::manifest::SiteChange;
use crate::step::{Look, StepResult, Verdict};

pub(super) async fn verify(look: &Look, change: &SiteChange) -> StepResult<Verdict> {
    let there = listing(look.objects.as_ref(), &change.bucket).await?;
    let puts = change.puts.iter().map(|put| (&put.key, put.size));
    let same = change.same.iter().map(|(key, size)| (key, *size));
    for (key, size) in puts.chain(same) {
        match there.get(key) {
            None => return Ok(Verdict::Broken(format!("{key} is missing in {}", change.bucket))),
            Some(found) if *found != size => {
                return Ok(Verdict::Drifted(format!("{key} has {found} bytes in {}, not {size}", change.bucket)));
            }
            Some(_) => {}
        }
    }
    let overwritten: Vec<_> = change.puts.iter().filter(|put| put.former.is_some()).collect();
    let keys = overwritten.iter().map(|put| put.key.clone()).collect();
    let live = heads(look.objects.as_ref(), &change.bucket, keys).await?;
    for put in overwritten {
        let stored = live.get(&put.key);
        if !stored.is_some_and(|stored| is_ours(stored, &look.run) && crc(stored) == put.crc) {
            return Ok(Verdict::Drifted(format!("{} in {} is not what this run put there", put.key, change.bucket)));
        }
    }
    Ok(Verdict::Holds)
}
