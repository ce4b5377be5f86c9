//! Takes back what this run put into the bucket: overwritten keys get their former content, new keys go, and a bucket
//! this run made goes if it is empty. What somebody else changed meanwhile stays, and is told at the end.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::{StreamExt, TryStreamExt};

use super::keys::{class, kept};
use super::live::{crc, heads, is_ours, listing};
use super::manifest::{Put, SiteChange};
use crate::clients::Kind;
use crate::clients::objects::Stored;
use crate::step::{Act, Fault, StepResult};
use crate::steps::tags;

/// Copies in flight.
const WINDOW: usize = 32;
/// Keys one request deletes. Source: S3 API reference, `DeleteObjects`.
const AT_ONCE: usize = 1000;

pub(super) async fn undo(act: &Act, change: &SiteChange) -> StepResult<()> {
    let Some(state) = act.look.objects.bucket(&change.bucket).await? else { return Ok(()) };
    let ours = tags::is_ours(&act.look, &state.tags);
    if change.create && !ours && !state.tags.is_empty() {
        // Somebody else made a bucket of this name; nothing in it is ours.
        return Ok(());
    }
    let present = listing(act.look.objects.as_ref(), &change.bucket).await?;
    let there = change.puts.iter().filter(|put| present.contains_key(&put.key)).map(|put| put.key.clone()).collect();
    let live = heads(act.look.objects.as_ref(), &change.bucket, there).await?;
    let mut order: Vec<&Put> = change.puts.iter().collect();
    // Pages go before what they load.
    order.sort_by_key(|put| std::cmp::Reverse(class(&put.key)));
    let sorted = Sorted::of(act, &order, &live, &present);
    let restored = sorted.restore.into_iter().map(|key| {
        let (objects, bucket) = (Arc::clone(&act.reach.objects), change.bucket.clone());
        let from = kept(&act.look.run, &key);
        async move { objects.copy(&bucket, &from, &key, None).await }
    });
    futures::stream::iter(restored).buffered(WINDOW).try_collect::<Vec<()>>().await?;
    let gone = [sorted.remove, sorted.kept].concat();
    for some in gone.chunks(AT_ONCE) {
        act.reach.objects.delete(&change.bucket, some).await?;
    }
    for put in change.puts.iter().filter(|put| !present.contains_key(&put.key)) {
        // Parts of an upload that never ended.
        act.reach.objects.abort_uploads(&change.bucket, &put.key).await?;
    }
    if let Some(drift) = sorted.drift {
        return Err(drift);
    }
    if change.create {
        match act.reach.objects.delete_bucket(&change.bucket).await {
            Err(error) if error.kind == Kind::Conflict => {
                act.note(format!("the bucket {} holds objects of others, and stays", change.bucket));
            }
            other => other?,
        }
    }
    Ok(())
}

/// What is to be done with each key.
#[derive(Default)]
struct Sorted {
    restore: Vec<String>,
    remove: Vec<String>,
    /// Former versions that are not needed any more.
    kept: Vec<String>,
    drift: Option<Fault>,
}

impl Sorted {
    fn of(act: &Act, order: &[&Put], live: &BTreeMap<String, Stored>, present: &BTreeMap<String, u64>) -> Self {
        let run = &act.look.run;
        let mut sorted = Self::default();
        for put in order {
            let kept = kept(run, &put.key);
            let is_kept = present.contains_key(&kept);
            match (live.get(&put.key), &put.former) {
                (Some(stored), None) if is_ours(stored, run) => sorted.remove.push(put.key.clone()),
                (None, None) => {}
                (Some(stored), Some(_)) if is_ours(stored, run) && is_kept => {
                    sorted.restore.push(put.key.clone());
                    sorted.kept.push(kept);
                }
                (Some(stored), Some(former)) if !is_ours(stored, run) && crc(stored) == *former => {
                    if is_kept {
                        sorted.kept.push(kept);
                    }
                }
                (stored, former) => {
                    let say = |crc: Option<String>| crc.map_or("nothing".to_owned(), |crc| format!("checksum {crc}"));
                    let drift = Fault::drifted(
                        format!("{} in {}", put.key, act.look.site.aws.bucket),
                        format!("what this run put there, or {}", say(former.clone())),
                        say(stored.map(crc)),
                    );
                    sorted.drift.get_or_insert(drift);
                }
            }
        }
        sorted
    }
}
