//! Snapshots: of a running instance, and instances made from them. Source: RDS API, `CreateDBSnapshot` and its kin.

use secrecy::SecretString;

use super::super::super::state::{DatabaseInstance, DatabaseSnapshot};
use super::super::Cloud;
use super::super::wire::operation::Output;
use super::super::wire::{ApiError, Node, refuse};
use super::events::note;
use super::host::DatabaseHost;
use super::instances::not_found as no_instance;
use super::life::{begin, host, update};
use super::names::{self, identifier};
use super::order;
use super::page::{Filters, invalid, page};
use super::{subnet_groups, tags};

pub(super) fn not_found(id: &str) -> ApiError {
    refuse("DBSnapshotNotFound", format!("DBSnapshot {id} not found.")).status(404)
}

fn arn(cloud: &Cloud, id: &str) -> String {
    names::arn(cloud, "snapshot", id)
}

fn node(cloud: &Cloud, state: &super::super::super::state::State, id: &str, snapshot: &DatabaseSnapshot) -> Node {
    let instance = &snapshot.instance;
    let done = snapshot.status == "available";
    let vpc = subnet_groups::find(state, &instance.subnet_group).map(|g| g.vpc).unwrap_or_default();
    Node::new("DBSnapshot")
        .put("DBSnapshotIdentifier", id)
        .put("DBInstanceIdentifier", &snapshot.of)
        .put_some("SnapshotCreateTime", done.then_some(snapshot.taken))
        .put("Engine", "postgres")
        .put("AllocatedStorage", instance.storage)
        .put("Status", &snapshot.status)
        .put("Port", instance.port)
        .put("AvailabilityZone", &instance.zone)
        .put("VpcId", vpc)
        .put_some("InstanceCreateTime", instance.created)
        .put("MasterUsername", &instance.master)
        .put("EngineVersion", &instance.engine_version)
        .put("LicenseModel", "postgresql-license")
        .put("SnapshotType", "manual")
        .put_some("Iops", instance.iops)
        .put("PercentProgress", if done { 100 } else { 0 })
        .put("StorageType", &instance.storage_type)
        .put("Encrypted", instance.encrypted)
        .put("DBSnapshotArn", arn(cloud, id))
        .put("IAMDatabaseAuthenticationEnabled", false)
        .put("DbiResourceId", &instance.resource)
        .list("TagList", "Tag", tags::of(state, &arn(cloud, id)))
        .put_some("OriginalSnapshotCreateTime", done.then_some(snapshot.taken))
        .put("SnapshotTarget", "region")
        .put("DedicatedLogVolume", false)
}

/// Enters a snapshot as `creating`.
pub(super) fn enter(cloud: &Cloud, of: &str, id: &str) -> Result<(), ApiError> {
    let taken = cloud.shared().clock.now();
    cloud.change(|state| {
        if state.snapshots.contains_key(id) {
            let message = format!("Cannot create the snapshot because a snapshot with the identifier {id} already exists.");
            return Err(refuse("DBSnapshotAlreadyExists", message));
        }
        let instance = state.databases.get(of).cloned().ok_or_else(|| no_instance(of))?;
        if instance.status != "available" {
            return Err(refuse(
                "InvalidDBInstanceState",
                format!(
                    "Cannot create a snapshot because the database instance {of} is not currently in the available state."
                ),
            ));
        }
        if instance.copy_tags {
            let tags = state.tags.get(&super::instances::arn(cloud, of)).cloned().unwrap_or_default();
            state.tags.insert(arn(cloud, id), tags);
        }
        let snapshot = DatabaseSnapshot { status: "creating".into(), of: of.into(), instance, taken };
        state.snapshots.insert(id.into(), snapshot);
        Ok(())
    })
}

/// Has the host keep the data; says whether it does.
pub(super) async fn take(cloud: &Cloud, host: &dyn DatabaseHost, of: &str, id: &str) -> bool {
    let taken = host.take_snapshot(of, id).await;
    let now = cloud.shared().clock.now();
    let _ = cloud.change(|state| {
        let good = taken.is_ok();
        if let Some(snapshot) = state.snapshots.get_mut(id) {
            snapshot.status = if good { "available" } else { "failed" }.into();
            snapshot.taken = now;
        }
        if good {
            note(state, now, "db-snapshot", id, "creation", "Manual snapshot created");
        }
        Ok::<_, std::convert::Infallible>(())
    });
    taken.inspect_err(|error| tracing::error!(id, %error, "a snapshot could not be taken")).is_ok()
}

pub(super) fn create(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    let of = identifier(input, "DBInstanceIdentifier", 63)?;
    let id = identifier(input, "DBSnapshotIdentifier", 255)?;
    if !cloud.shared().lock().databases.contains_key(&of) {
        return Err(no_instance(&of));
    }
    let host = host(cloud)?;
    enter(cloud, &of, &id)?;
    let answer = cloud.change(|state| {
        tags::put(state, &arn(cloud, &id), input)?;
        let snapshot = state.snapshots.get(&id).ok_or_else(|| not_found(&id))?;
        Ok::<_, ApiError>(node(cloud, state, &id, snapshot))
    })?;
    update(cloud, &of, |instance| instance.status = "backing-up".into());
    let cloud = cloud.clone();
    tokio::spawn(async move {
        take(&cloud, host.as_ref(), &of, &id).await;
        update(&cloud, &of, |instance| {
            if instance.status == "backing-up" {
                instance.status = "available".into();
            }
        });
    });
    Ok(Node::default().with(answer).into())
}

pub(super) fn describe(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    let filters =
        Filters::read(input, &["db-instance-id", "db-snapshot-id", "dbi-resource-id", "snapshot-type", "engine"])?;
    let given = |name: &str, longest| input.get(name).map(|_| identifier(input, name, longest)).transpose();
    let (of, wanted) = (given("DBInstanceIdentifier", 63)?, given("DBSnapshotIdentifier", 255)?);
    let kind = input.get("SnapshotType");
    if let Some(odd) = kind.filter(|k| !["manual", "automated", "shared", "public", "awsbackup"].contains(k)) {
        return Err(invalid(format!("Invalid SnapshotType: {odd}")));
    }
    let state = cloud.shared().lock();
    if let Some(id) = wanted.as_ref().filter(|id| !state.snapshots.contains_key(*id)) {
        return Err(not_found(id));
    }
    let found = state.snapshots.iter().filter(|(id, snapshot)| {
        of.as_ref().is_none_or(|of| *of == snapshot.of)
            && wanted.as_ref().is_none_or(|w| w == *id)
            && kind.is_none_or(|k| k == "manual")
            && filters.let_through("db-instance-id", &[&snapshot.of])
            && filters.let_through("db-snapshot-id", &[id])
            && filters.let_through("dbi-resource-id", &[&snapshot.instance.resource])
            && filters.let_through("snapshot-type", &["manual"])
            && filters.let_through("engine", &["postgres"])
    });
    let found = found.map(|(id, snapshot)| (id.clone(), node(cloud, &state, id, snapshot)));
    page(input, "DBSnapshots", "DBSnapshot", found.collect())
}

pub(super) fn delete(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    let id = identifier(input, "DBSnapshotIdentifier", 255)?;
    let answer = cloud.change(|state| {
        let snapshot = state.snapshots.get_mut(&id).ok_or_else(|| not_found(&id))?;
        if snapshot.status != "available" && snapshot.status != "failed" {
            let message =
                format!("Cannot delete the snapshot because it is not currently in the available state: {id}");
            return Err(refuse("InvalidDBSnapshotState", message));
        }
        snapshot.status = "deleted".into();
        let snapshot = snapshot.clone();
        let answer = node(cloud, state, &id, &snapshot);
        state.snapshots.remove(&id);
        state.tags.remove(&arn(cloud, &id));
        Ok(answer)
    })?;
    if let Some(host) = cloud.database_host() {
        tokio::spawn(async move {
            if let Err(error) = host.drop_snapshot(&id).await {
                tracing::warn!(id, %error, "a snapshot's data could not be removed");
            }
        });
    }
    Ok(Node::default().with(answer).into())
}

pub(super) fn restore(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    let id = identifier(input, "DBInstanceIdentifier", 63)?;
    let from = identifier(input, "DBSnapshotIdentifier", 255)?;
    order::engine(input)?;
    order::refuse_unknown(input)?;
    if input.get("DBName").is_some() {
        return Err(invalid("DBName must be null when restoring for this Engine."));
    }
    let snapshot = cloud.shared().lock().snapshots.get(&from).cloned().ok_or_else(|| not_found(&from))?;
    if snapshot.status != "available" {
        let message = format!("The snapshot {from} is not in the available state.");
        return Err(refuse("InvalidDBSnapshotState", message));
    }
    let base = DatabaseInstance { group_in_force: String::new(), applying: false, ..snapshot.instance };
    begin(cloud, input, &id, base, SecretString::default(), Some(from))
}
