//! The model of who serves and who writes. Pure: steps say what they do to it, the planner holds it against the
//! invariants of the safety model.

use serde::{Deserialize, Serialize};

/// One of the two databases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// The box's.
    Old,
    /// RDS.
    New,
}

/// How an app reaches its database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    /// It knows this database's own address.
    Straight(Side),
    /// Through the pooler: to whichever database that sends it.
    Pooler,
}

/// How the writes on the new database get home, once there are any.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WayBack {
    /// They would be lost.
    None,
    /// What changed since the handover is carried back under a second fence.
    Carried,
    /// The reverse stream, proven by a marker row, has carried them all the while.
    Stream,
}

/// Who serves and who writes, at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts about the site, not the states of one machine")]
pub struct World {
    /// The old database accepts application writes.
    pub old_open: bool,
    /// The new one does.
    pub new_open: bool,
    /// It stands on record that the old one was fenced, and that the new one is the writer from now on.
    pub on_record: bool,
    /// A verified copy is on the new database.
    pub copied: bool,
    /// The new database holds writes that the old one may not have.
    pub new_has_writes: bool,
    /// How those get home.
    pub way_back: WayBack,
    /// How the old app reaches its database.
    pub old_app: Way,
    /// Where the pooler sends its clients; none where there is no pooler.
    pub pooler: Option<Side>,
    /// How the new app reaches its database; none while it does not run.
    pub new_app: Option<Way>,
    /// The balancer knows both sides.
    pub targets: bool,
    /// Share of the API's visitors that DNS sends to the balancer, in percent.
    pub api_on_balancer: u8,
    /// Share of the balancer's requests that go to the new app, in percent.
    pub balancer_to_new: u8,
    /// The pages are in the bucket.
    pub pages_uploaded: bool,
    /// A certificate covers the pages' names.
    pub certificate: bool,
    /// A distribution answers to the pages' names.
    pub distribution: bool,
    /// A distribution was made that has no certificate to show.
    pub uncertified: bool,
    /// DNS leads the pages to a distribution that is to be made first.
    pub pages_await_distribution: bool,
    /// Share of the pages' visitors that DNS sends to the distribution, in percent.
    pub pages_on_cdn: u8,
    /// The API's names have a short TTL, and the old one was waited out.
    pub api_ttl_waited: bool,
    /// The pages' names have a short TTL, and the old one was waited out.
    pub pages_ttl_waited: bool,
    /// Rollback has ended.
    pub finalized: bool,
}

impl Default for World {
    /// The box alone serves and writes.
    fn default() -> Self {
        Self {
            old_open: true,
            new_open: false,
            on_record: false,
            copied: false,
            new_has_writes: false,
            way_back: WayBack::None,
            old_app: Way::Straight(Side::Old),
            pooler: None,
            new_app: None,
            targets: false,
            api_on_balancer: 0,
            balancer_to_new: 0,
            pages_uploaded: false,
            certificate: false,
            distribution: false,
            uncertified: false,
            pages_await_distribution: false,
            pages_on_cdn: 0,
            api_ttl_waited: false,
            pages_ttl_waited: false,
            finalized: false,
        }
    }
}

impl World {
    /// Whether this database accepts application writes.
    pub fn is_open(&self, side: Side) -> bool {
        match side {
            Side::Old => self.old_open,
            Side::New => self.new_open,
        }
    }

    /// The database that accepts application writes; none while both are fenced, or (which must never be) neither is.
    pub fn writer(&self) -> Option<Side> {
        match (self.old_open, self.new_open) {
            (true, false) => Some(Side::Old),
            (false, true) => Some(Side::New),
            _ => None,
        }
    }

    /// The database that an app comes to; none where its pooler is not there.
    pub fn database_of(&self, app: Way) -> Option<Side> {
        match app {
            Way::Straight(side) => Some(side),
            Way::Pooler => self.pooler,
        }
    }

    /// Whether this app's requests that write are taken.
    pub fn is_served(&self, app: Way) -> bool {
        self.database_of(app).is_some_and(|side| self.is_open(side))
    }

    /// As it was `before`, but for what no undo makes undone: the writes that the new database has taken.
    #[must_use]
    pub fn taken_back_to(&self, before: &Self) -> Self {
        Self { new_has_writes: self.new_has_writes, ..before.clone() }
    }
}

/// Where a site stands in the middle of a step, if the process dies just there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moment {
    /// What has just been done.
    pub what: &'static str,
    /// The site then.
    pub world: World,
}

impl Moment {
    /// The site after `what` was done to it.
    pub fn after(before: &World, what: &'static str, change: impl FnOnce(&mut World)) -> Self {
        let mut world = before.clone();
        change(&mut world);
        Self { what, world }
    }
}
