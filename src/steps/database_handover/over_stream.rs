//! Over the stream: drained, turned round, and handed back the same way, without losing a write.
//!
//! Where a process dies, the two databases themselves tell who has the writes: every act begins by bringing a handover
//! that was left half-way to its end.

use std::time::Duration;

use super::{HandedOver, catch_up, nobody_new};
use crate::postgres::port::{Handover, Pause};
use crate::step::{Act, Fault, StepResult};
use crate::world::Side;

pub(super) async fn apply(act: &Act, change: &HandedOver) -> StepResult<()> {
    let databases = &act.reach.databases;
    if databases.settle(&change.run, &change.before, change.pooler()).await? == Side::New {
        return Ok(());
    }
    nobody_new(act, &change.roles()).await?;
    match hand_over(act, change, Side::Old).await? {
        Handover::Done(pause) => {
            act.note(told("the writes were handed over", &pause));
            Ok(())
        }
        Handover::Reopened(why) => Err(Fault::failed_with(
            why,
            "see that the stream keeps up and no long transaction is open, or give it more time (hold-at-most)",
        )),
    }
}

pub(super) async fn undo(act: &Act, change: &HandedOver) -> StepResult<()> {
    let databases = &act.reach.databases;
    let back = match databases.settle(&change.run, &change.before, change.pooler()).await {
        Ok(Side::Old) => return Ok(()),
        Ok(Side::New) => hand_over(act, change, Side::New).await,
        Err(error) => Err(error.into()),
    };
    let why = match back {
        Ok(Handover::Done(pause)) => {
            act.note(told("the writes were handed back", &pause));
            return Ok(());
        }
        Ok(Handover::Reopened(why)) => why,
        Err(fault @ Fault::InDoubt(_)) => return Err(fault),
        Err(fault) => fault.to_string(),
    };
    // The stream back does not carry; the rows are still there, and can be compared and carried.
    act.note(format!("the stream back cannot be used ({why}); what differs is carried back under the fence"));
    catch_up::undo(act, change).await
}

async fn hand_over(act: &Act, change: &HandedOver, from: Side) -> StepResult<Handover> {
    let limit = Duration::from_secs(change.hold_at_most);
    Ok(act.reach.databases.hand_over(&change.run, from, &change.before, limit, change.pooler()).await?)
}

fn told(what: &str, pause: &Pause) -> String {
    let mut parts = pause.parts.clone();
    parts.sort_by(|one, other| other.1.total_cmp(&one.1));
    let longest: Vec<_> = parts.iter().take(3).map(|(part, millis)| format!("{part} {millis:.0} ms")).collect();
    format!("{what} in {:.0} ms, most of it {}", pause.millis, longest.join(", "))
}
