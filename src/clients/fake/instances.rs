//! The database service's control plane in memory.

use std::collections::BTreeMap;

use async_trait::async_trait;

use crate::clients::ClientResult;
use crate::clients::instances::{Instance, InstancesRead};

/// Instances by identifier.
#[derive(Default, Clone)]
pub struct FakeInstances(pub BTreeMap<String, Instance>);

#[async_trait]
impl InstancesRead for FakeInstances {
    async fn instance(&self, id: &str) -> ClientResult<Option<Instance>> {
        Ok(self.0.get(id).cloned())
    }
}
