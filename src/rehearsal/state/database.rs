//! Databases: what RDS keeps.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::SystemTime;

/// An RDS instance: a real Postgres server in a container.
#[derive(Debug, Clone, Default)]
#[allow(clippy::struct_excessive_bools)] // they are AWS's own, each set by itself
pub struct DatabaseInstance {
    /// `available`, `rebooting`, …
    pub status: String,
    /// Engine version, such as `15.18`.
    pub engine_version: String,
    /// Instance class, such as `db.t4g.medium`.
    pub class: String,
    /// The host name of its endpoint; empty while it is being made.
    pub address: String,
    /// The address that name stands for.
    pub ip: Option<IpAddr>,
    /// Its port.
    pub port: u16,
    /// Master user name.
    pub master: String,
    /// The database made with it, if any.
    pub database: Option<String>,
    /// Multi-AZ.
    pub multi_az: bool,
    /// What its parameter group sets, as it takes effect now; all other parameters have their family's defaults.
    pub parameters: BTreeMap<String, String>,
    /// Its parameter group; empty for its version's default.
    pub group: String,
    /// The parameter group whose values it last started with.
    pub group_in_force: String,
    /// Whether dynamic parameters are on their way to the server.
    pub applying: bool,
    /// Its subnet group; empty for the default one.
    pub subnet_group: String,
    /// Security groups.
    pub security_groups: Vec<String>,
    /// Availability Zone.
    pub zone: String,
    /// `gp3`, …
    pub storage_type: String,
    /// GiB.
    pub storage: u32,
    /// Provisioned operations a second, if any.
    pub iops: Option<u32>,
    /// Whether storage is encrypted.
    pub encrypted: bool,
    /// Whether its name leads to a public address.
    pub public: bool,
    /// Whether it is protected from deletion.
    pub protected: bool,
    /// Whether snapshots get its tags.
    pub copy_tags: bool,
    /// Whether it takes new minor versions by itself.
    pub minor_upgrades: bool,
    /// Days that backups are kept; 0 is no backups.
    pub backup_days: u32,
    /// `hh:mm-hh:mm`.
    pub backup_window: String,
    /// `ddd:hh:mm-ddd:hh:mm`.
    pub maintenance_window: String,
    /// The authority that issued its certificate, such as `rds-ca-rsa2048-g1`.
    pub authority: String,
    /// Asked for and not done yet, by the names of `PendingModifiedValues`.
    pub pending: BTreeMap<String, String>,
    /// `db-…`, never given twice.
    pub resource: String,
    /// When it was made.
    pub created: Option<SystemTime>,
}

/// A parameter group.
#[derive(Debug, Clone, Default)]
pub struct ParameterGroup {
    /// `postgres15`, …
    pub family: String,
    /// Its description.
    pub description: String,
    /// What it sets, and when: `immediate` or `pending-reboot`.
    pub values: BTreeMap<String, (String, String)>,
}

/// A group of subnets that instances lie in.
#[derive(Debug, Clone, Default)]
pub struct SubnetGroup {
    /// Its description.
    pub description: String,
    /// The subnets' VPC.
    pub vpc: String,
    /// The subnets' ids.
    pub subnets: BTreeSet<String>,
}

/// A snapshot of an instance.
#[derive(Debug, Clone)]
pub struct DatabaseSnapshot {
    /// `creating`, `available`, …
    pub status: String,
    /// The instance's identifier.
    pub of: String,
    /// The instance as it was.
    pub instance: DatabaseInstance,
    /// When it was taken.
    pub taken: SystemTime,
}

/// Something that happened to a thing of RDS.
#[derive(Debug, Clone)]
pub struct DatabaseEvent {
    /// When.
    pub at: SystemTime,
    /// `db-instance`, `db-snapshot`, `db-parameter-group`.
    pub kind: &'static str,
    /// The thing's name.
    pub of: String,
    /// AWS's category, such as `creation`.
    pub category: &'static str,
    /// What happened.
    pub message: String,
}
