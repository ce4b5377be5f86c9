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

    fn may_stop_after(&self) -> bool {
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
        let master = &look.site.aws.database.master.user;
        if facts.app_roles.contains(master) {
            return Ok(vec![Finding::new(
                Severity::Blocker,
                format!("the application logs in as {master}, which is the master user of the RDS instance"),
                "make the instance with another master user: fenced, nobody could open the database again",
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
        match databases.caught_up_by().await?.filter(|mark| mark.run == change.run) {
            // The new side was opened before the process died: it is the writer, and the old one stays shut.
            Some(mark) if mark.serving => {
                databases.fence(Side::Old, &roles).await?;
                return Ok(databases.unfence(Side::New, &change.before).await?);
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
        if databases.is_fenced(Side::Old, &roles).await? {
            if let Err(fault) = carry_back_patiently(act, change, &roles).await {
                agree_to_lose(act, &fault)?;
            }
        } else if opened_behind_our_back(act, change, &roles).await? && !act.may_lose_writes {
            return Err(Fault::drifted("the old database's fence", "shut, since the new one serves", "open"));
        }
        Ok(databases.unfence(Side::Old, &change.before).await?)
    }
}

async fn under_the_fence(act: &Act, change: &HandedOver, roles: &[String]) -> StepResult<()> {
    // Roles that were on the new server before could log in there: both sides are shut while rows move.
    act.reach.databases.fence(Side::New, roles).await?;
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
    if databases.caught_up_by().await?.is_none_or(|mark| mark.run != change.run) {
        return Ok(());
    }
    let tell = |table: &str, done, total| act.progress(&format!("carry back {table}"), done, total, true);
    let moved = databases.catch_up(&change.run, Side::New, &tell).await?;
    act.note(format!("{} tables had changed on the new database and were carried back", moved.tables));
    Ok(())
}

/// A role that came to be after the plan was made would go on writing past the fence.
async fn nobody_new(act: &Act, roles: &[String]) -> StepResult<()> {
    let now = act.reach.databases.facts(Side::Old).await?.app_roles;
    match now.iter().find(|role| !roles.contains(role)) {
        Some(role) => Err(Fault::drifted("the old database's roles", roles.join(", "), format!("also {role}"))),
        None => Ok(()),
    }
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
