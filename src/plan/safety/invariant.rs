//! What must hold at every moment, whichever way the site came there.

use crate::world::{Side, Way, WayBack, World};

/// What must hold at every moment. The numbers are those of the safety model.
///
/// The sixth (workers and cron on one side; sessions, keys and uploads shared) is about what no step changes: preflight
/// looks for it, the model does not know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Invariant {
    /// 1: at most one database accepts application writes.
    OneWriter,
    /// 2: whatever visitors can reach leads to the writer.
    ReachesTheWriter,
    /// 3: the fence is on record before the unfence.
    FenceBeforeUnfence,
    /// 4: what the new database has taken can go home, until rollback ends.
    WayBack,
    /// 5: every acknowledged write of one writer is with the next.
    NothingLeftBehind,
    /// 7: old TTLs were waited out before it counts.
    OldAnswersGone,
}

impl Invariant {
    /// Its number in the safety model.
    pub fn number(self) -> u8 {
        match self {
            Self::OneWriter => 1,
            Self::ReachesTheWriter => 2,
            Self::FenceBeforeUnfence => 3,
            Self::WayBack => 4,
            Self::NothingLeftBehind => 5,
            Self::OldAnswersGone => 7,
        }
    }

    /// What it says.
    pub fn title(self) -> &'static str {
        match self {
            Self::OneWriter => "at most one database accepts application writes",
            Self::ReachesTheWriter => "whatever visitors can reach leads to the writer",
            Self::FenceBeforeUnfence => "the fence is on record before the unfence",
            Self::WayBack => "a rollback brings home what the new database has taken",
            Self::NothingLeftBehind => "every acknowledged write is with the next writer",
            Self::OldAnswersGone => "old TTLs were waited out",
        }
    }
}

/// An invariant that does not hold: how, and what would be right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Wrong {
    /// Which.
    pub invariant: Invariant,
    /// How it breaks.
    pub what: &'static str,
    /// What would be right.
    pub todo: &'static str,
    /// Whether it may be so between two steps that follow each other: visitors wait or are refused, nothing is lost.
    pub passes: bool,
}

/// All that is wrong at this moment.
pub fn broken(world: &World) -> Vec<Wrong> {
    data(world)
        .into_iter()
        .chain(apps(world))
        .chain(visitors(world))
        .filter(|(broken, _)| *broken)
        .map(|(_, wrong)| wrong)
        .collect()
}

const fn wrong(invariant: Invariant, what: &'static str, todo: &'static str) -> Wrong {
    Wrong { invariant, what, todo, passes: false }
}

const fn passing(invariant: Invariant, what: &'static str, todo: &'static str) -> Wrong {
    Wrong { invariant, what, todo, passes: true }
}

fn data(world: &World) -> [(bool, Wrong); 5] {
    [
        (
            world.old_open && world.new_open,
            wrong(Invariant::OneWriter, "both databases accept writes", "fence the one before the other is opened"),
        ),
        (
            world.new_open && !world.on_record,
            wrong(
                Invariant::FenceBeforeUnfence,
                "the new database is open, and no record says that the old one was fenced",
                "let database-handover open it: nothing else may",
            ),
        ),
        (
            world.new_open && !world.copied,
            wrong(
                Invariant::NothingLeftBehind,
                "the new database takes writes without the old one's rows",
                "put database-copy before database-handover",
            ),
        ),
        (
            world.old_open && world.new_has_writes,
            wrong(
                Invariant::NothingLeftBehind,
                "the old database takes writes again without those that the new one has taken",
                "let the reverse stream bring them home before the old one is opened",
            ),
        ),
        (
            world.new_open && world.way_back == WayBack::None && !world.finalized,
            wrong(
                Invariant::WayBack,
                "the new database takes writes, and no proven stream or copy brings them home in a rollback",
                "prove the reverse stream before the new database is opened",
            ),
        ),
    ]
}

/// Where the apps lead.
fn apps(world: &World) -> [(bool, Wrong); 6] {
    let to_new = world.balancer_to_new > 0;
    let old_is_reached = !world.finalized || world.balancer_to_new < 100 || world.api_on_balancer < 100;
    [
        (
            // A name's old answer, a weight that comes back, a balancer that fails open: the box stays within reach.
            old_is_reached && !world.is_served(world.old_app),
            passing(
                Invariant::ReachesTheWriter,
                "the box's app points at a database that takes no writes",
                "put app-config next to database-handover",
            ),
        ),
        (
            world.old_app == Way::Pooler && world.pooler.is_none(),
            wrong(
                Invariant::ReachesTheWriter,
                "the box's app points at a pooler that is not there",
                "put pooler before app-config",
            ),
        ),
        (
            world.pooler == Some(Side::New) && world.old_app == Way::Straight(Side::Old),
            wrong(
                Invariant::ReachesTheWriter,
                "the database changed behind the pooler, and the box's app does not come through it",
                "put app-config between pooler and database-handover",
            ),
        ),
        (
            world.old_app == Way::Straight(Side::New) && !world.new_open,
            wrong(
                Invariant::ReachesTheWriter,
                "the box's app points at the new database, which takes no writes yet",
                "put app-config right after database-handover, or a pooler step before it: through a pooler the app \
                 comes to whichever database takes the writes",
            ),
        ),
        (
            to_new && world.new_app.is_none(),
            wrong(
                Invariant::ReachesTheWriter,
                "the balancer sends requests to hosts on which no app runs",
                "put app-host before shift-targets",
            ),
        ),
        (
            to_new && world.new_app.is_some_and(|app| !world.is_served(app)),
            passing(
                Invariant::ReachesTheWriter,
                "the new app gets requests while its database is closed",
                "put database-handover before shift-targets",
            ),
        ),
    ]
}

/// Where visitors are led.
fn visitors(world: &World) -> [(bool, Wrong); 6] {
    let to_new = world.balancer_to_new > 0;
    let moved = world.api_on_balancer > 0 && !world.api_ttl_waited || world.pages_on_cdn > 0 && !world.pages_ttl_waited;
    [
        (
            (to_new || world.api_on_balancer > 0) && !world.targets,
            wrong(
                Invariant::ReachesTheWriter,
                "visitors are sent to a balancer without targets",
                "put targets before dns-weights of api and before shift-targets",
            ),
        ),
        (
            world.pages_on_cdn > 0 && !world.pages_uploaded,
            wrong(
                Invariant::ReachesTheWriter,
                "DNS sends the pages' visitors to an empty bucket",
                "put static-site before dns-weights of pages",
            ),
        ),
        (
            world.pages_await_distribution && !world.distribution,
            wrong(
                Invariant::ReachesTheWriter,
                "DNS sends the pages to a distribution that does not answer to their names yet",
                "put certificate and distribution before dns-weights of pages, or correct `aws.distribution`",
            ),
        ),
        (
            world.uncertified,
            wrong(
                Invariant::ReachesTheWriter,
                "the distribution has no certificate for the pages' names",
                "put certificate before distribution",
            ),
        ),
        (
            world.finalized && world.database_of(world.old_app) != Some(Side::New) && world.new_open,
            wrong(
                Invariant::ReachesTheWriter,
                "the old app is still within reach and points at the old database for good",
                "put app-config next to database-handover",
            ),
        ),
        (
            world.finalized && moved,
            wrong(
                Invariant::OldAnswersGone,
                "names were moved without waiting out their old TTL",
                "let dns-weights lower the TTL first",
            ),
        ),
    ]
}
