//! Database instances as they are described.

use super::super::super::state::{ACCOUNT, DatabaseInstance, State};
use super::super::Cloud;
use super::super::wire::operation::Output;
use super::super::wire::{ApiError, Node, refuse};

pub(super) fn arn(cloud: &Cloud, id: &str) -> String {
    format!("arn:aws:rds:{}:{ACCOUNT}:db:{id}", cloud.settings().region)
}

pub(super) fn not_found(id: &str) -> ApiError {
    refuse("DBInstanceNotFound", format!("DBInstance {id} not found.")).status(404)
}

/// The parameter group an instance has: its own if one was named, else its version's default.
pub(super) fn parameter_group(state: &State, id: &str, instance: &DatabaseInstance) -> String {
    let named = state.facts.get(id).and_then(|f| f.get("parameter_group"));
    let major = instance.engine_version.split('.').next().unwrap_or_default();
    named.cloned().unwrap_or_else(|| format!("default.postgres{major}"))
}

pub(super) fn node(cloud: &Cloud, state: &State, id: &str, instance: &DatabaseInstance) -> Node {
    let group = Node::default()
        .put("DBParameterGroupName", parameter_group(state, id, instance))
        .put("ParameterApplyStatus", "in-sync");
    let endpoint = Node::new("Endpoint").put("Address", &instance.address).put("Port", instance.port);
    let tags = state.tags.get(&arn(cloud, id)).into_iter().flatten();
    let node = Node::new("DBInstance")
        .put("DBInstanceIdentifier", id)
        .put("DBInstanceClass", &instance.class)
        .put("Engine", "postgres")
        .put("DBInstanceStatus", &instance.status)
        .put("MasterUsername", &instance.master)
        .put_some("DBName", instance.database.as_ref())
        .put("AllocatedStorage", 20)
        .list("DBParameterGroups", "DBParameterGroup", [group])
        .put("MultiAZ", instance.multi_az)
        .put("EngineVersion", &instance.engine_version)
        .put("PubliclyAccessible", false)
        .put("StorageEncrypted", true)
        .put("DBInstanceArn", arn(cloud, id))
        .list("TagList", "Tag", tags.map(|(k, v)| Node::default().put("Key", k).put("Value", v)));
    // An instance that is still being made has no endpoint (RDS API: DBInstance).
    if instance.address.is_empty() { node } else { node.with(endpoint) }
}

pub(super) fn describe(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    let state = cloud.shared().lock();
    let wanted = input.get("DBInstanceIdentifier").map(str::to_ascii_lowercase);
    // An instance may be asked for by its ARN as well.
    let wanted = wanted.as_deref().map(|w| w.rsplit(':').next().unwrap_or(w));
    if let Some(id) = wanted.filter(|id| !state.databases.contains_key(*id)) {
        return Err(not_found(id));
    }
    let size = input.number::<usize>("MaxRecords")?.unwrap_or(100);
    if !(20..=100).contains(&size) {
        return Err(refuse(
            "InvalidParameterValue",
            format!("Invalid value {size} for MaxRecords. Must be between 20 and 100"),
        ));
    }
    let marker = input.get("Marker").unwrap_or_default();
    let mut found = state
        .databases
        .iter()
        .filter(|(id, _)| wanted.is_none_or(|w| w == id.as_str()) && (marker.is_empty() || id.as_str() > marker));
    let page: Vec<_> = found.by_ref().take(size).collect();
    let next = found.next().and_then(|_| page.last()).map(|(id, _)| (*id).clone());
    let page: Vec<_> = page.into_iter().map(|(id, instance)| node(cloud, &state, id, instance)).collect();
    Ok(Node::default().list("DBInstances", "DBInstance", page).put_some("Marker", next).into())
}
