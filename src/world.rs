//! The model of who serves and who writes. Pure: steps say what they do to it, the planner holds it against the
//! invariants of the safety model.

use serde::{Deserialize, Serialize};

/// One of the two databases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// The box's.
    Old,
    /// RDS.
    New,
}

/// Who serves and who writes, between two steps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts about the site, not the states of one machine")]
pub struct World {
    /// The database that accepts application writes; none while fenced on both sides.
    pub writer: Option<Side>,
    /// A verified copy is on the new database.
    pub copied: bool,
    /// The old app's database.
    pub old_app: Side,
    /// The new app runs.
    pub new_app: bool,
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
    /// Old TTLs of moved names were waited out.
    pub ttl_waited: bool,
    /// Rollback has ended.
    pub finalized: bool,
}

impl Default for World {
    /// The box alone serves and writes.
    fn default() -> Self {
        Self {
            writer: Some(Side::Old),
            copied: false,
            old_app: Side::Old,
            new_app: false,
            targets: false,
            api_on_balancer: 0,
            balancer_to_new: 0,
            pages_uploaded: false,
            certificate: false,
            distribution: false,
            uncertified: false,
            pages_await_distribution: false,
            pages_on_cdn: 0,
            ttl_waited: false,
            finalized: false,
        }
    }
}
