//! The port to the database service's control plane (RDS).

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::ClientResult;

/// A database instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instance {
    /// `available` and so on.
    pub status: String,
    /// The endpoint's host.
    pub host: String,
    /// The endpoint's port.
    pub port: u16,
    /// Engine version.
    pub version: String,
    /// The master user's name.
    pub master: String,
    /// The instance class.
    pub class: String,
    /// Whether it is reachable from the internet.
    pub public: bool,
}

/// What can be looked up.
#[async_trait]
pub trait InstancesRead: Send + Sync {
    /// The instance of this identifier, if there is one.
    async fn instance(&self, id: &str) -> ClientResult<Option<Instance>>;
}
