//! Databases: what RDS keeps.

use std::collections::BTreeMap;

/// An RDS instance: a real Postgres server in a container.
#[derive(Debug, Clone)]
pub struct DatabaseInstance {
    /// `available`, `rebooting`, …
    pub status: String,
    /// Engine version, such as `15.18`.
    pub engine_version: String,
    /// Instance class, such as `db.t4g.medium`.
    pub class: String,
    /// The address clients connect to (an address of its container).
    pub address: String,
    /// Its port.
    pub port: u16,
    /// Master user name.
    pub master: String,
    /// The database made with it, if any.
    pub database: Option<String>,
    /// Multi-AZ.
    pub multi_az: bool,
    /// Parameters as they take effect now.
    pub parameters: BTreeMap<String, String>,
}
