//! Whoever makes the real servers behind instances: the API answers at once, the host does it in its own time.

use std::collections::BTreeMap;
use std::net::IpAddr;

use async_trait::async_trait;
use secrecy::SecretString;

/// Why a host could not do what was asked, in words.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct HostError(pub String);

/// A server to be made.
#[derive(Debug, Clone)]
pub struct DatabaseOrder {
    /// The instance's identifier.
    pub id: String,
    /// Engine version, such as `15.18`.
    pub engine_version: String,
    /// The port it listens on.
    pub port: u16,
    /// Master user name.
    pub master: String,
    /// Its password; none with a snapshot, which brings its own.
    pub password: SecretString,
    /// The database to make with it.
    pub database: Option<String>,
    /// The settings it starts with.
    pub settings: BTreeMap<String, String>,
    /// The snapshot whose data it has.
    pub snapshot: Option<String>,
}

/// A server that can be reached.
#[derive(Debug, Clone)]
pub struct DatabaseServer {
    /// The host name of its endpoint.
    pub address: String,
    /// The address that name stands for.
    pub ip: IpAddr,
    /// The version it really has.
    pub engine_version: String,
}

/// Whoever makes the real servers behind RDS instances.
#[async_trait]
pub trait DatabaseHost: Send + Sync + 'static {
    /// The one version its servers have; none if it has every one.
    fn version(&self) -> Option<String>;
    /// Makes a server and waits until it can be reached.
    async fn create(&self, order: &DatabaseOrder) -> Result<DatabaseServer, HostError>;
    /// Gives a running server other settings, those that need no restart; it is left with the others as they were.
    async fn apply(&self, id: &str, settings: &BTreeMap<String, String>) -> Result<(), HostError>;
    /// Sets the master user's password.
    async fn set_password(&self, id: &str, password: &SecretString) -> Result<(), HostError>;
    /// Restarts a server with these settings, on this port, and waits until it can be reached.
    async fn reboot(
        &self,
        id: &str,
        port: u16,
        settings: &BTreeMap<String, String>,
    ) -> Result<DatabaseServer, HostError>;
    /// Stops a server; its data stays.
    async fn stop(&self, id: &str) -> Result<(), HostError>;
    /// Removes a server and its data; no server is no error.
    async fn delete(&self, id: &str) -> Result<(), HostError>;
    /// Keeps the data of a running server under a name.
    async fn take_snapshot(&self, id: &str, snapshot: &str) -> Result<(), HostError>;
    /// Removes what was kept under a name; nothing is no error.
    async fn drop_snapshot(&self, snapshot: &str) -> Result<(), HostError>;
}
