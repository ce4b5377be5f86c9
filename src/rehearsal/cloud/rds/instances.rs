//! Database instances as they are described.

use super::super::super::state::{DatabaseInstance, State};
use super::super::Cloud;
use super::super::wire::operation::Output;
use super::super::wire::{ApiError, Node, refuse};
use super::names::{self, identifier};
use super::page::{Filters, page};
use super::{apply, groups, subnet_groups, tags};

pub(super) fn arn(cloud: &Cloud, id: &str) -> String {
    names::arn(cloud, "db", id)
}

pub(super) fn not_found(id: &str) -> ApiError {
    refuse("DBInstanceNotFound", format!("DBInstance {id} not found.")).status(404)
}

/// The zone id of RDS's own names, by which an alias would name an endpoint. Source: AWS general reference, RDS endpoints.
const ENDPOINT_ZONE: &str = "ZLA2NUCOLGUUR";

pub(super) fn node(cloud: &Cloud, state: &State, id: &str, instance: &DatabaseInstance) -> Node {
    let group = Node::default()
        .put("DBParameterGroupName", groups::of(instance))
        .put("ParameterApplyStatus", apply::status(state, instance));
    let security = instance.security_groups.iter();
    let security = security.map(|id| Node::default().put("VpcSecurityGroupId", id).put("Status", "active"));
    let subnet_group = subnet_groups::find(state, &instance.subnet_group).unwrap_or_default();
    let subnet_name = if instance.subnet_group.is_empty() { "default" } else { &instance.subnet_group };
    let mut pending = Node::new("PendingModifiedValues");
    for (name, value) in &instance.pending {
        pending = pending.put(name, value);
    }
    let option_group = Node::default()
        .put(
            "OptionGroupName",
            format!("default:postgres-{}", instance.engine_version.split('.').next().unwrap_or_default()),
        )
        .put("Status", "in-sync");
    let node = Node::new("DBInstance")
        .put("DBInstanceIdentifier", id)
        .put("DBInstanceClass", &instance.class)
        .put("Engine", "postgres")
        .put("DBInstanceStatus", &instance.status)
        .put("MasterUsername", &instance.master)
        .put_some("DBName", instance.database.as_ref())
        .put("AllocatedStorage", instance.storage)
        .put_some("InstanceCreateTime", instance.created)
        .put("PreferredBackupWindow", &instance.backup_window)
        .put("BackupRetentionPeriod", instance.backup_days)
        .list("DBSecurityGroups", "DBSecurityGroup", [])
        .list("VpcSecurityGroups", "VpcSecurityGroupMembership", security)
        .list("DBParameterGroups", "DBParameterGroup", [group])
        .put("AvailabilityZone", &instance.zone)
        .with(subnet_groups::node(cloud, state, subnet_name, &subnet_group))
        .put("PreferredMaintenanceWindow", &instance.maintenance_window)
        .with(pending)
        .put("MultiAZ", instance.multi_az)
        .put("EngineVersion", &instance.engine_version)
        .put("AutoMinorVersionUpgrade", instance.minor_upgrades)
        .list("ReadReplicaDBInstanceIdentifiers", "ReadReplicaDBInstanceIdentifier", [])
        .put("LicenseModel", "postgresql-license")
        .put_some("Iops", instance.iops)
        .list("OptionGroupMemberships", "OptionGroupMembership", [option_group])
        .put("PubliclyAccessible", instance.public)
        .put("StorageType", &instance.storage_type)
        .put("DbInstancePort", 0)
        .put("StorageEncrypted", instance.encrypted)
        .put("DbiResourceId", &instance.resource)
        .put("CACertificateIdentifier", &instance.authority)
        .list("DomainMemberships", "DomainMembership", [])
        .put("CopyTagsToSnapshot", instance.copy_tags)
        .put("MonitoringInterval", 0)
        .put("DBInstanceArn", arn(cloud, id))
        .put("IAMDatabaseAuthenticationEnabled", false)
        .put("PerformanceInsightsEnabled", false)
        .put("DeletionProtection", instance.protected)
        .list("AssociatedRoles", "DBInstanceRole", [])
        .list("TagList", "Tag", tags::of(state, &arn(cloud, id)))
        .put("CustomerOwnedIpEnabled", false)
        .put("NetworkType", "IPV4")
        .put("ActivityStreamStatus", "stopped")
        .put("BackupTarget", "region")
        .with(Node::new("CertificateDetails").put("CAIdentifier", &instance.authority))
        .put("DedicatedLogVolume", false);
    if instance.address.is_empty() {
        // An instance that is still being made has no endpoint (RDS API: DBInstance).
        return node;
    }
    let endpoint = Node::new("Endpoint").put("Address", &instance.address).put("Port", instance.port);
    node.with(endpoint.put("HostedZoneId", ENDPOINT_ZONE))
}

pub(super) fn describe(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    let filters = Filters::read(input, &["db-cluster-id", "db-instance-id", "dbi-resource-id", "domain", "engine"])?;
    let wanted = match input.get("DBInstanceIdentifier") {
        Some(_) => Some(identifier(input, "DBInstanceIdentifier", 63)?),
        None => None,
    };
    let state = cloud.shared().lock();
    if let Some(id) = wanted.as_deref().filter(|id| !state.databases.contains_key(*id)) {
        return Err(not_found(id));
    }
    let found = state.databases.iter().filter(|(id, instance)| {
        wanted.as_ref().is_none_or(|w| w == *id)
            && filters.let_through("db-instance-id", &[id, &arn(cloud, id)])
            && filters.let_through("dbi-resource-id", &[&instance.resource])
            && filters.let_through("engine", &["postgres"])
            && filters.let_through("db-cluster-id", &[])
            && filters.let_through("domain", &[])
    });
    let found = found.map(|(id, instance)| (id.clone(), node(cloud, &state, id, instance)));
    page(input, "DBInstances", "DBInstance", found.collect())
}
