//! One compare-and-swap over every name of a change, waited for until the authoritative servers have it.

use std::time::Duration;

use crate::clients::Kind;
use crate::clients::dns::{Batch, RecordSet};
use crate::step::{Act, Fault, StepResult};

use super::DnsChange;
use super::goal::{awaits, known};
use super::records::{live, of, say_all};

/// Before each question whether a change is in sync; as a rule it is within a minute.
const ASK_AGAIN: Duration = Duration::from_secs(5);
/// How often that is asked: five minutes in all.
const ASK_AT_MOST: usize = 60;

/// Makes every name of the change `to`, if it is `from` now; names that are `to` already are left alone, and anything
/// else is drift, found before anything is sent.
pub(super) async fn swap(act: &Act, change: &DnsChange, from: &[RecordSet], to: &[RecordSet]) -> StepResult<()> {
    let batch = needed(act, change, from, to).await?;
    if batch.delete.is_empty() && batch.create.is_empty() {
        return Ok(());
    }
    match act.reach.dns.change(&change.zone, &batch).await {
        Ok(id) => in_sync(act, &id).await,
        // Either somebody was faster, or an answer was lost and the batch sent again. Looking tells which.
        Err(error) if error.kind == Kind::Conflict => {
            let batch = needed(act, change, from, to).await?;
            if batch.delete.is_empty() && batch.create.is_empty() { Ok(()) } else { Err(error.into()) }
        }
        Err(error) => Err(error.into()),
    }
}

async fn needed(act: &Act, change: &DnsChange, from: &[RecordSet], to: &[RecordSet]) -> StepResult<Batch> {
    let mut batch = Batch::default();
    let (from, to) = (known(&act.look, from).await?, known(&act.look, to).await?);
    for name in &change.names {
        let live = live(&act.look, &change.zone, name).await?;
        let (from, to) = (of(&from, name), of(&to, name));
        if live == to {
            continue;
        }
        if live != from {
            return Err(Fault::drifted(format!("the record of {name}"), say_all(&from), say_all(&live)));
        }
        batch.delete.extend(from.iter().filter(|record| !to.contains(record)).cloned());
        batch.create.extend(to.iter().filter(|record| !from.contains(record)).cloned());
    }
    if batch.create.iter().any(awaits) {
        let what = "there is no distribution that the names could go to";
        return Err(Fault::failed_with(what, "put distribution before dns-weights of pages"));
    }
    Ok(batch)
}

/// Waits until the authoritative servers have a change.
pub(in crate::steps) async fn in_sync(act: &Act, id: &str) -> StepResult<()> {
    for _ in 0..ASK_AT_MOST {
        // It never is at once, and law R8 leaves no request to waste.
        act.look.clock.sleep(ASK_AGAIN).await;
        if act.look.dns.in_sync(id).await? {
            return Ok(());
        }
    }
    Err(Fault::failed_with(
        format!("Route 53 took the change {id}, but it is not on all of its servers after five minutes"),
        "look at the AWS health page, then resume",
    ))
}
