//! `database-handover`: the moment in which the writable database changes.
//!
//! Over the stream that `database-copy: { follow: true }` began ([`over_stream`]), or by moving what changed since the copy
//! under the fence ([`catch_up`]). Where the app reaches its database through a pooler, its clients wait meanwhile and are
//! sent on.

mod catch_up;
mod over_stream;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::app_config::{Health, proxied};
use super::{pooler, timing};
use crate::postgres::port::FenceState;
use crate::step::{Act, Change, Fault, Finding, Look, Planned, Reversal, Severity, Step, StepResult, Verdict};
use crate::world::{Moment, Side, WayBack, World};

/// The step.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DatabaseHandover {
    /// The longest the fence may hold, in seconds; an overrun reopens the old side.
    pub hold_at_most: u64,
    /// Whether a stream runs between the two databases.
    #[serde(default)]
    pub follow: bool,
    /// Whether the app reaches its database through a pooler.
    #[serde(default)]
    pub pooled: bool,
}

/// Who may write changes sides.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct HandedOver {
    run: String,
    /// The application's roles, and whether each could log in on the old side before.
    before: FenceState,
    hold_at_most: u64,
    #[serde(default)]
    follow: bool,
    /// The pooler's container.
    #[serde(default)]
    pooler: Option<String>,
}

impl HandedOver {
    fn roles(&self) -> Vec<String> {
        self.before.roles.iter().map(|(role, _)| role.clone()).collect()
    }

    fn pooler(&self) -> Option<&str> {
        self.pooler.as_deref()
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
        let meanwhile =
            if self.follow { "the stream is drained and turned round" } else { "what changed since the copy is moved" };
        lines.push(format!("  writes pause while {meanwhile}, {} s at most", self.hold_at_most));
        if let Some(pooler) = &self.pooler {
            lines.push(format!("~ {pooler} lets its clients wait meanwhile → and sends them on to the new database"));
        }
        lines
    }

    fn reversal(&self) -> Reversal {
        if self.follow {
            return Reversal::LosesWritesSince(
                "exact until the first write on the new database; after it, a rollback hands the writes back over the \
                 stream the other way, which loses none. Only if that stream broke and the new database cannot be read \
                 any more would the writes since the handover be lost, and then the rollback asks first (--accept-loss)"
                    .to_owned(),
            );
        }
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
        if self.follow {
            return "Locks the old database's tables for a moment, lets the stream bring the last rows over, shuts the \
                    application's roles out, turns the stream round, and only then opens the new database. If it takes too \
                    long or anything differs, the old side opens again and nothing is lost."
                .to_owned();
        }
        "Fences the old database (the application's roles cannot log in, their sessions are ended), moves what \
         changed since the copy, compares every table on both sides, and only then opens the new one. If it takes \
         too long or a checksum differs, the old side opens again and nothing is lost."
            .to_owned()
    }

    fn model(&self, world: &mut World) {
        *world = World {
            old_open: false,
            new_open: true,
            on_record: true,
            new_has_writes: true,
            way_back: if self.follow { WayBack::Stream } else { WayBack::Carried },
            pooler: if self.pooled { Some(Side::New) } else { world.pooler },
            ..world.clone()
        };
    }

    fn on_the_way(&self, before: &World) -> Vec<Moment> {
        let fenced = Moment::after(before, "the old database is fenced", |world| world.old_open = false);
        let on_record = Moment::after(&fenced.world, "the handover is on record", |world| world.on_record = true);
        vec![fenced, on_record]
    }

    fn on_the_way_back(&self, now: &World) -> Vec<Moment> {
        vec![Moment::after(now, "the new database is fenced", |world| world.new_open = false)]
    }

    /// The writes come home, if there is a way.
    fn model_back(&self, now: &World, before: &World) -> World {
        let left_behind = now.new_has_writes && now.way_back == WayBack::None;
        World { new_has_writes: left_behind, ..before.clone() }
    }

    fn may_be_broken_off(&self) -> bool {
        false
    }

    /// Without a pooler the app is left behind the fence.
    fn may_stop_after(&self) -> bool {
        self.pooled
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
        Ok(Planned::Change(HandedOver {
            run: look.run.clone(),
            before,
            hold_at_most: self.hold_at_most,
            follow: self.follow,
            pooler: self.pooled.then(|| look.site.old.database.pooler_name()),
        }))
    }

    async fn apply(&self, act: &Act, change: &HandedOver) -> StepResult<()> {
        awake(act, change).await?;
        if change.follow { over_stream::apply(act, change).await } else { catch_up::apply(act, change).await }
    }

    async fn verify(&self, look: &Look, change: &HandedOver) -> StepResult<Verdict> {
        let roles = change.roles();
        if !look.databases.is_fenced(Side::Old, &roles).await? {
            return Ok(Verdict::Drifted("the old database takes application logins again".to_owned()));
        }
        let now = look.databases.fence_state(Side::New, &roles).await?;
        if now != change.before {
            return Ok(Verdict::Broken("the application's roles cannot log in to the new database".to_owned()));
        }
        match &change.pooler {
            Some(pooler) => through_the_pooler(look, pooler).await,
            None => Ok(Verdict::Holds),
        }
    }

    async fn undo(&self, act: &Act, change: &HandedOver) -> StepResult<()> {
        awake(act, change).await?;
        if change.follow { over_stream::undo(act, change).await } else { catch_up::undo(act, change).await }
    }
}

/// A pooler that somebody stopped is started again: without it neither side has the app for a client.
async fn awake(act: &Act, change: &HandedOver) -> StepResult<()> {
    match change.pooler() {
        Some(pooler) => pooler::awake(act, pooler).await,
        None => Ok(()),
    }
}

/// How long the app may take to be well again behind the pooler.
const WELL_WITHIN: Duration = Duration::from_secs(20);

/// Whether the pooler sends clients to the new database, and the app is well behind it.
async fn through_the_pooler(look: &Look, pooler: &str) -> StepResult<Verdict> {
    match look.databases.pooler(pooler).await? {
        Some(stand) if stand.sends_to == Some(Side::New) => {}
        Some(_) => return Ok(Verdict::Drifted(format!("{pooler} does not send clients to the new database"))),
        None => return Ok(Verdict::Drifted(format!("the pooler {pooler} is gone"))),
    }
    Ok(match proxied(look, look.site.old.address).await? {
        Health::Up => Verdict::Holds,
        Health::Closed => timing::grace(look, WELL_WITHIN, "the app does not come to its database".to_owned()),
        Health::Down(why) => timing::grace(look, WELL_WITHIN, format!("the app behind {pooler}: {why}")),
    })
}

/// A role that came to be after the plan was made would go on writing past the fence.
async fn nobody_new(act: &Act, roles: &[String]) -> StepResult<()> {
    let now = act.reach.databases.facts(Side::Old).await?.app_roles;
    match now.iter().find(|role| !roles.contains(role)) {
        Some(role) => Err(Fault::drifted("the old database's roles", roles.join(", "), format!("also {role}"))),
        None => Ok(()),
    }
}
