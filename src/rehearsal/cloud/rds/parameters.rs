//! Parameter groups and engine versions, as far as preflight asks for them.

use super::super::Cloud;
use super::super::wire::operation::Output;
use super::super::wire::{ApiError, Node, refuse};
use super::instances::parameter_group;

/// Parameters that take effect at a reboot only (law D3).
const STATIC: &[&str] = &[
    "rds.logical_replication",
    "max_replication_slots",
    "max_wal_senders",
    "max_logical_replication_workers",
    "max_worker_processes",
    "max_connections",
    "shared_buffers",
    "wal_level",
];

pub(super) fn describe(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    let group = input.need("DBParameterGroupName")?;
    let state = cloud.shared().lock();
    let mut users = state.databases.iter().filter(|(id, instance)| parameter_group(&state, id, instance) == group);
    let Some((_, instance)) = users.next() else {
        return Err(refuse("DBParameterGroupNotFound", format!("DBParameterGroup not found: {group}")).status(404));
    };
    let parameters = instance.parameters.iter().map(|(name, value)| {
        let fixed = STATIC.contains(&name.as_str());
        Node::default()
            .put("ParameterName", name)
            .put("ParameterValue", value)
            .put("ApplyType", if fixed { "static" } else { "dynamic" })
            .put("ApplyMethod", if fixed { "pending-reboot" } else { "immediate" })
            .put("IsModifiable", true)
            .put("Source", if group.starts_with("default.") { "system" } else { "user" })
    });
    Ok(Node::default().list("Parameters", "Parameter", parameters).into())
}

/// The major versions of PostgreSQL that RDS offers, as far as this cloud can serve them.
const MAJORS: &[u32] = &[14, 15, 16, 17];

#[allow(clippy::unnecessary_wraps)] // every operation has this shape
pub(super) fn engine_versions(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    let wanted = input.get("EngineVersion");
    let engine = input.get("Engine").unwrap_or("postgres");
    let state = cloud.shared().lock();
    // The versions of the servers that are there, and each major version.
    let mut versions: Vec<String> = state.databases.values().map(|d| d.engine_version.clone()).collect();
    versions.extend(MAJORS.iter().map(ToString::to_string));
    versions.sort();
    versions.dedup();
    let fits = |version: &&String| match wanted {
        Some(wanted) => *version == wanted || version.starts_with(&format!("{wanted}.")),
        None => true,
    };
    let found = versions.iter().filter(|_| engine == "postgres").filter(fits).map(|version| {
        let major = version.split('.').next().unwrap_or_default();
        Node::default()
            .put("Engine", "postgres")
            .put("EngineVersion", version)
            .put("DBParameterGroupFamily", format!("postgres{major}"))
            .put("DBEngineDescription", "PostgreSQL")
            .put("DBEngineVersionDescription", format!("PostgreSQL {version}"))
            .put("Status", "available")
    });
    Ok(Node::default().list("DBEngineVersions", "DBEngineVersion", found.collect::<Vec<_>>()).into())
}
