//! `database-handover`: the moment in which the writable database changes, by dump and restore under the fence.
//!
//! ```text
//! forward: fence old → bring new up to old (one transaction, leaves a mark) → unfence new
//! back:    fence new → bring old up to new (only if the mark is there)      → unfence old
//! ```
//! Where the process dies does not matter: the new side opens only while the old one is fenced, and the old one only
//! while the new one is. Whether the new side was ever caught up stands in the new database itself, written in the
//! very transaction that caught it up; without that mark it was never opened, and the way back moves no row.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::{Instant, timeout};

use crate::postgres::port::FenceState;
use crate::step::{Act, Change, Fault, Finding, Look, Planned, Reversal, Severity, Step, StepResult, Verdict};
use crate::world::{Side, World};

/// The step.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DatabaseHandover {
    /// The longest the fence may hold, in seconds; an overrun reopens the old side.
    pub hold_at_most: u64,
}

/// Who may write changes sides.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct HandedOver {
    run: String,
    /// The application's roles, and whether each could log in on the old side before.
    before: FenceState,
    hold_at_most: u64,
}

impl HandedOver {
    fn roles(&self) -> Vec<String> {
        self.before.roles.iter().map(|(role, _)| role.clone()).collect()
    }
}

impl Change for HandedOver {
    fn lines(&self) -> Vec<String> {
        let role = |(name, login): &(String, bool)| {
            let was = if *login { "can log in" } else { "cannot log in" };
            let will = if *login { "cannot log in" } else { "as before" };
            format!("~ role {name}: {was} on the old database → {will} there, {was} on the new one")
        };
        let mut lines: Vec<String> = self.before.roles.iter().map(role).collect();
        lines.push(format!(
            "  writes pause while what changed since the copy is moved, {} s at most",
            self.hold_at_most
        ));
        lines
    }

    fn reversal(&self) -> Reversal {
        Reversal::LosesWritesSince(
            "exact until the first write on the new database; after it, a rollback fences the new database and \
             carries its writes back under a second pause. Only if the new database cannot be read any more would the \
             writes since the handover be lost, and then the rollback asks first (--accept-loss)"
                .to_owned(),
        )
    }
}

impl Step for DatabaseHandover {
    const KIND: &'static str = "database-handover";
    type Change = HandedOver;

    fn title(&self) -> String {
        "hand the database over to RDS".to_owned()
    }

    fn explain(&self) -> String {
        "Fences the old database (the application's roles cannot log in, their sessions are ended), moves what \
         changed since the copy, compares every table on both sides, and only then opens the new one. If it takes \
         too long or a checksum differs, the old side opens again and nothing is lost."
            .to_owned()
    }

    fn model(&self, world: &mut World) {
        world.writer = Some(Side::New);
    }

    fn may_be_broken_off(&self) -> bool {
        false
    }

    async fn check(&self, look: &Look) -> StepResult<Vec<Finding>> {
        let facts = look.databases.facts(Side::Old).await?;
        if facts.app_roles.is_empty() {
            return Ok(vec![Finding::new(
                Severity::Blocker,
                "no role but the administrator's can log in to the old database, so the fence would hold nobody",
                "give the application a role of its own, or name another administrator in the site file",
            )]);
        }
        Ok(Vec::new())
    }

    async fn plan(&self, look: &Look) -> StepResult<Planned<HandedOver>> {
        let roles = look.databases.facts(Side::Old).await?.app_roles;
        let before = look.databases.fence_state(Side::Old, &roles).await?;
        Ok(Planned::Change(HandedOver { run: look.run.clone(), before, hold_at_most: self.hold_at_most }))
    }

    async fn apply(&self, act: &Act, change: &HandedOver) -> StepResult<()> {
        let roles = change.roles();
        let databases = &act.reach.databases;
        if databases.caught_up_by().await?.as_deref() == Some(change.run.as_str()) {
            if !databases.is_fenced(Side::New, &roles).await? {
                // The new side was opened, at least half, before the process died: it is the writer. Finish opening it.
                return Ok(databases.unfence(Side::New, &change.before).await?);
            }
            // An earlier try got as far as the mark. The old side may have been open since: the mark is worth nothing.
            databases.forget_catch_up().await?;
        }
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
        act.note(format!("the fence held writes for {} ms", began.elapsed().as_millis()));
        Ok(())
    }

    async fn verify(&self, look: &Look, change: &HandedOver) -> StepResult<Verdict> {
        let roles = change.roles();
        if !look.databases.is_fenced(Side::Old, &roles).await? {
            return Ok(Verdict::Drifted("the old database takes application logins again".to_owned()));
        }
        let now = look.databases.fence_state(Side::New, &roles).await?;
        Ok(if now == change.before {
            Verdict::Holds
        } else {
            Verdict::Broken("the application's roles cannot log in to the new database".to_owned())
        })
    }

    async fn undo(&self, act: &Act, change: &HandedOver) -> StepResult<()> {
        let roles = change.roles();
        let databases = &act.reach.databases;
        if databases.is_fenced(Side::Old, &roles).await?
            && let Err(error) = close_and_carry_back(act, change, &roles).await
        {
            agree_to_lose(act, error)?;
        }
        Ok(databases.unfence(Side::Old, &change.before).await?)
    }
}

async fn under_the_fence(act: &Act, change: &HandedOver, roles: &[String]) -> StepResult<()> {
    act.reach.databases.fence(Side::Old, roles).await?;
    let tell = |table: &str, done, total| act.progress(&format!("bring up to date {table}"), done, total, true);
    let moved = act.reach.databases.catch_up(&change.run, Side::Old, &tell).await?;
    act.note(format!("{} tables had changed since the copy; every checksum agrees", moved.tables));
    Ok(())
}

/// The new side was never opened: the old one goes on, with every write it ever acknowledged.
async fn reopen(act: &Act, change: &HandedOver, why: Fault) -> StepResult<()> {
    match act.reach.databases.unfence(Side::Old, &change.before).await {
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
    databases.fence(Side::New, roles).await?;
    if databases.caught_up_by().await?.as_deref() != Some(change.run.as_str()) {
        return Ok(());
    }
    let tell = |table: &str, done, total| act.progress(&format!("carry back {table}"), done, total, true);
    let moved = databases.catch_up(&change.run, Side::New, &tell).await?;
    act.note(format!("{} tables had changed on the new database and were carried back", moved.tables));
    Ok(())
}

fn agree_to_lose(act: &Act, fault: Fault) -> StepResult<()> {
    match fault {
        _ if act.may_lose_writes => {
            act.note(format!("the writes since the handover are given up, as agreed: {fault}"));
            Ok(())
        }
        Fault::InDoubt(why) => Err(Fault::InDoubt(why)),
        other => Err(Fault::NeedsConsent {
            what: format!("the writes made on the new database could not be carried back: {other}"),
            how: "mend it and resume, or give them up: outgrow rollback RUN --accept-loss".to_owned(),
        }),
    }
}
