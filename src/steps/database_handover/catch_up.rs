//! Without a stream: what changed since the copy is moved and compared under the fence, in either direction.
//!
//! ```text
//! forward: fence old → bring new up to old (one transaction, leaves a mark) → unfence new
//! back:    fence new → bring old up to new (only if the mark is there)      → unfence old
//! ```
//! Where the process dies does not matter: the new side opens only while the old one is fenced, and the old one only
//! while the new one is. Whether the new side was ever caught up stands in the new database itself, written in the
//! very transaction that caught it up; without that mark it was never opened, and the way back moves no row.

use std::time::Duration;

use tokio::time::{Instant, timeout};

use super::{HandedOver, nobody_new};
use crate::step::{Act, Fault, StepResult};
use crate::world::Side;

pub(super) async fn apply(act: &Act, change: &HandedOver) -> StepResult<()> {
    let roles = change.roles();
    let databases = &act.reach.databases;
    match databases.caught_up_by().await?.filter(|mark| mark.run == change.run) {
        // The new side was opened before the process died: it is the writer, and the old one stays shut.
        Some(mark) if mark.serving => {
            databases.fence(Side::Old, &roles).await?;
            databases.unfence(Side::New, &change.before).await?;
            return send_clients(act, change, Side::New).await;
        }
        // An earlier try got as far as the mark. The old side may have been open since: the mark is worth nothing.
        Some(_) => databases.forget_catch_up().await?,
        None => {}
    }
    nobody_new(act, &roles).await?;
    let began = Instant::now();
    let limit = Duration::from_secs(change.hold_at_most);
    match timeout(limit, under_the_fence(act, change, &roles)).await {
        Ok(Ok(())) => {}
        Ok(Err(fault)) => return reopen(act, change, fault).await,
        Err(_) => {
            let why = Fault::failed_with(
                format!("the handover took longer than {} s; the old database is open again", change.hold_at_most),
                "raise hold-at-most, or run it at a quieter hour",
            );
            return reopen(act, change, why).await;
        }
    }
    // From here on the new side may be open: the old one stays fenced whatever happens.
    databases.unfence(Side::New, &change.before).await.map_err(|e| Fault::InDoubt(e.to_string()))?;
    // The writer is known: what fails here leaves clients waiting, and is done by the repeat of this step.
    send_clients(act, change, Side::New).await.map_err(|fault| Fault::InDoubt(fault.to_string()))?;
    act.note(format!("the fence held writes for {} ms", began.elapsed().as_millis()));
    Ok(())
}

pub(super) async fn undo(act: &Act, change: &HandedOver) -> StepResult<()> {
    let roles = change.roles();
    let databases = &act.reach.databases;
    if databases.is_fenced(Side::Old, &roles).await? {
        if let Err(fault) = carry_back_patiently(act, change, &roles).await {
            agree_to_lose(act, &fault)?;
        }
    } else if opened_behind_our_back(act, change, &roles).await? && !act.may_lose_writes {
        return Err(Fault::drifted("the old database's fence", "shut, since the new one serves", "open"));
    }
    databases.unfence(Side::Old, &change.before).await?;
    send_clients(act, change, Side::Old).await
}

/// Lets the pooler's clients go on, if there is one.
async fn send_clients(act: &Act, change: &HandedOver, side: Side) -> StepResult<()> {
    match change.pooler() {
        Some(pooler) => Ok(act.reach.databases.send_clients(pooler, side).await?),
        None => Ok(()),
    }
}

/// Makes the pooler's clients wait, if there is one, so that the fence meets none.
async fn hold_clients(act: &Act, change: &HandedOver) -> StepResult<()> {
    match change.pooler() {
        Some(pooler) => Ok(act.reach.databases.hold_clients(pooler).await?),
        None => Ok(()),
    }
}

async fn under_the_fence(act: &Act, change: &HandedOver, roles: &[String]) -> StepResult<()> {
    // Roles that were on the new server before could log in there: both sides are shut while rows move.
    act.reach.databases.fence(Side::New, roles).await?;
    hold_clients(act, change).await?;
    act.reach.databases.fence(Side::Old, roles).await?;
    let tell = |table: &str, done, total| act.progress(&format!("bring up to date {table}"), done, total, true);
    let moved = act.reach.databases.catch_up(&change.run, Side::Old, &tell).await?;
    act.note(format!("{} tables had changed since the copy; every checksum agrees", moved.tables));
    Ok(())
}

/// The new side was never opened: the old one goes on, with every write it ever acknowledged.
async fn reopen(act: &Act, change: &HandedOver, why: Fault) -> StepResult<()> {
    let opened = async {
        act.reach.databases.unfence(Side::Old, &change.before).await?;
        send_clients(act, change, Side::Old).await
    };
    match opened.await {
        // Without an answer the repeat of this step, or its undo, finds out; it must not be taken for a clean failure.
        Err(error) => Err(Fault::InDoubt(format!("{why}; and the old database could not be opened again: {error}"))),
        Ok(()) => match why {
            Fault::InDoubt(what) => Err(Fault::failed(format!("{what}; the old database is open again"))),
            other => Err(other),
        },
    }
}

async fn close_and_carry_back(act: &Act, change: &HandedOver, roles: &[String]) -> StepResult<()> {
    let databases = &act.reach.databases;
    hold_clients(act, change).await?;
    databases.fence(Side::New, roles).await?;
    if databases.caught_up_by().await?.is_none_or(|mark| mark.run != change.run) {
        return Ok(());
    }
    let tell = |table: &str, done, total| act.progress(&format!("carry back {table}"), done, total, true);
    let moved = databases.catch_up(&change.run, Side::New, &tell).await?;
    act.note(format!("{} tables had changed on the new database and were carried back", moved.tables));
    Ok(())
}

/// How often the way back asks a database that does not answer, before it asks a person.
const TRIES: u32 = 5;

async fn carry_back_patiently(act: &Act, change: &HandedOver, roles: &[String]) -> StepResult<()> {
    let mut tried = 1;
    loop {
        match close_and_carry_back(act, change, roles).await {
            Err(Fault::InDoubt(why)) if tried < TRIES => {
                act.note(format!("no answer, asking again: {why}"));
                act.look.clock.sleep(Duration::from_secs(1 << tried)).await;
                tried += 1;
            }
            answered => return answered,
        }
    }
}

/// The new side serves, and yet somebody opened the old one: two writers. What to keep is for a person to say.
async fn opened_behind_our_back(act: &Act, change: &HandedOver, roles: &[String]) -> StepResult<bool> {
    let databases = &act.reach.databases;
    let serving = databases.caught_up_by().await?.is_some_and(|mark| mark.run == change.run && mark.serving);
    Ok(serving && !databases.is_fenced(Side::New, roles).await?)
}

fn agree_to_lose(act: &Act, fault: &Fault) -> StepResult<()> {
    if act.may_lose_writes {
        act.note(format!("the writes since the handover are given up, as agreed: {fault}"));
        return Ok(());
    }
    Err(Fault::NeedsConsent {
        what: format!(
            "NO DATABASE TAKES WRITES: those made on the new one could not be carried back, and the old one stays \
             shut until they are, or are given up: {fault}"
        ),
        how: "mend it and resume, or give them up: outgrow rollback RUN --accept-loss".to_owned(),
    })
}
