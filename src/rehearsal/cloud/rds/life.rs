//! Instances made, rebooted, stopped, started and deleted. Source: RDS API, `CreateDBInstance` and its kin; RDS user guide,
//! "Viewing Amazon RDS DB instance status".

use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;

use super::super::super::state::{DatabaseInstance, State};
use super::super::Cloud;
use super::super::wire::operation::Output;
use super::super::wire::{ApiError, Node, refuse};
use super::catalogue::settings;
use super::events::note;
use super::host::{DatabaseHost, DatabaseOrder, DatabaseServer, HostError};
use super::instances::{arn, node, not_found};
use super::names::{self, identifier};
use super::page::{combination, invalid};
use super::{apply, order, snapshots, tags};

/// How long a state that needs no work of the server lasts, on the rehearsal's clock.
pub const STAGE: Duration = Duration::from_secs(3);

/// The host, which a cloud without Docker has not.
pub fn host(cloud: &Cloud) -> Result<Arc<dyn DatabaseHost>, ApiError> {
    let message = "this rehearsal has no host to make database servers on";
    cloud.database_host().ok_or_else(|| refuse("InsufficientDBInstanceCapacity", message))
}

/// Changes an instance, if it is still there, and tells of it.
pub fn update(cloud: &Cloud, id: &str, f: impl FnOnce(&mut DatabaseInstance)) {
    let _ = cloud.change(|state| {
        if let Some(instance) = state.databases.get_mut(id) {
            f(instance);
        }
        Ok::<_, std::convert::Infallible>(())
    });
}

/// Records what happened to an instance.
pub fn tell(cloud: &Cloud, id: &str, category: &'static str, message: &str) {
    let at = cloud.shared().clock.now();
    note(&mut cloud.shared().lock(), at, "db-instance", id, category, message);
}

/// Waits a stage of the rehearsal's clock.
pub async fn stage(cloud: &Cloud) {
    let clock = &cloud.shared().clock;
    clock.until(clock.now() + STAGE).await;
}

pub(super) fn create(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    let id = identifier(input, "DBInstanceIdentifier", 63)?;
    let base = order::base(cloud, input)?;
    let master = names::master(input)?;
    let Some(password) = input.get("MasterUserPassword") else {
        return Err(invalid("The parameter MasterUserPassword must be provided and must not be blank."));
    };
    names::password(password)?;
    let database = names::database(input)?;
    let base = DatabaseInstance { master, database, ..base };
    begin(cloud, input, &id, base, SecretString::from(password.to_owned()), None)
}

/// Enters the instance as `creating`, and has its server made.
pub(super) fn begin(
    cloud: &Cloud,
    input: &Node,
    id: &str,
    base: DatabaseInstance,
    password: SecretString,
    snapshot: Option<String>,
) -> Result<Output, ApiError> {
    let (answer, instance, parameters, host) = cloud.change(|state| {
        if state.databases.contains_key(id) {
            return Err(refuse("DBInstanceAlreadyExists", "DB instance already exists"));
        }
        let instance = order::instance(cloud, state, input, base)?;
        let host = host(cloud)?;
        tags::put(state, &arn(cloud, id), input)?;
        let parameters = apply::wanted(state, &instance);
        state.databases.insert(id.to_owned(), instance.clone());
        Ok::<_, ApiError>((node(cloud, state, id, &instance), instance, parameters, host))
    })?;
    let order = DatabaseOrder {
        id: id.to_owned(),
        engine_version: instance.engine_version.clone(),
        port: instance.port,
        master: instance.master,
        password,
        database: instance.database,
        settings: settings(&instance.engine_version, &instance.class, &parameters),
        snapshot,
    };
    let cloud = cloud.clone();
    tokio::spawn(async move {
        let id = &order.id;
        match host.create(&order).await {
            Ok(server) => {
                let now = cloud.shared().clock.now();
                update(&cloud, id, |instance| {
                    instance.parameters = parameters;
                    instance.group_in_force.clone_from(&instance.group);
                    instance.created = Some(now);
                    instance.status = if instance.backup_days > 0 { "backing-up" } else { "available" }.into();
                    reached(instance, server);
                });
                tell(&cloud, id, "creation", "DB instance created");
                stage(&cloud).await;
                update(&cloud, id, |instance| {
                    if instance.status == "backing-up" {
                        instance.status = "available".into();
                    }
                });
            }
            Err(error) => {
                tracing::error!(id, %error, "a database server could not be made");
                update(&cloud, id, |instance| instance.status = "failed".into());
                tell(&cloud, id, "failure", "The DB instance could not be created.");
            }
        }
    });
    Ok(Node::default().with(answer).into())
}

pub(super) fn reached(instance: &mut DatabaseInstance, server: DatabaseServer) {
    instance.address = server.address;
    instance.ip = Some(server.ip);
    instance.engine_version = server.engine_version;
}

/// Puts an instance that is in one of these states into another, and describes it.
pub(super) fn turn(cloud: &Cloud, id: &str, from: &[&str], to: &str) -> Result<Node, ApiError> {
    cloud.change(|state| {
        let instance = state.databases.get_mut(id).ok_or_else(|| not_found(id))?;
        if !from.contains(&instance.status.as_str()) {
            let message = format!("Instance {id} is not in {} state.", from.first().unwrap_or(&"available"));
            return Err(refuse("InvalidDBInstanceState", message));
        }
        instance.status = to.into();
        let instance = instance.clone();
        Ok(node(cloud, state, id, &instance))
    })
}

/// Restarts the server with all its group sets (law D3).
pub(super) async fn restart(cloud: &Cloud, id: &str) {
    let found = {
        let state = cloud.shared().lock();
        state.databases.get(id).map(|instance| (instance.clone(), apply::wanted(&state, instance)))
    };
    let Some((instance, parameters)) = found else { return };
    let settings = settings(&instance.engine_version, &instance.class, &parameters);
    let restarted = match cloud.database_host() {
        Some(host) => host.reboot(id, instance.port, &settings).await,
        None => Err(HostError("there is no host".into())),
    };
    match restarted {
        Ok(server) => {
            update(cloud, id, |instance| {
                instance.parameters = parameters;
                instance.group_in_force.clone_from(&instance.group);
                instance.status = "available".into();
                reached(instance, server);
            });
            tell(cloud, id, "availability", "DB instance restarted");
        }
        Err(error) => {
            tracing::error!(id, %error, "a database server did not come back");
            update(cloud, id, |instance| instance.status = "incompatible-parameters".into());
            tell(cloud, id, "failure", "The server does not start with the parameters of its group.");
        }
    }
}

pub(super) fn reboot(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    let id = identifier(input, "DBInstanceIdentifier", 63)?;
    if input.flag("ForceFailover")? == Some(true) {
        let there = cloud.shared().lock().databases.get(&id).map(|i| i.multi_az).ok_or_else(|| not_found(&id))?;
        let message = "Cannot force a failover: the rehearsal has one server for each instance";
        let single = "Cannot specify force failover for a DB instance that is not configured for Multi-AZ.";
        return Err(combination(if there { message } else { single }));
    }
    if !cloud.shared().lock().databases.contains_key(&id) {
        return Err(not_found(&id));
    }
    host(cloud)?;
    let answer = turn(cloud, &id, &["available", "incompatible-parameters"], "rebooting")?;
    let cloud = cloud.clone();
    tokio::spawn(async move { restart(&cloud, &id).await });
    Ok(Node::default().with(answer).into())
}

pub(super) fn stop(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    let (host, id) = (host(cloud)?, identifier(input, "DBInstanceIdentifier", 63)?);
    if input.get("DBSnapshotIdentifier").is_some() {
        return Err(combination("the rehearsal takes no snapshot when it stops an instance: take one before"));
    }
    let answer = turn(cloud, &id, &["available"], "stopping")?;
    let cloud = cloud.clone();
    tokio::spawn(async move {
        let stopped = host.stop(&id).await.inspect_err(|error| tracing::error!(id, %error, "not stopped"));
        let status = if stopped.is_ok() { "stopped" } else { "available" };
        update(&cloud, &id, |instance| instance.status = status.into());
        tell(&cloud, &id, "notification", "DB instance stopped");
    });
    Ok(Node::default().with(answer).into())
}

pub(super) fn start(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    let (_, id) = (host(cloud)?, identifier(input, "DBInstanceIdentifier", 63)?);
    let answer = turn(cloud, &id, &["stopped"], "starting")?;
    let cloud = cloud.clone();
    tokio::spawn(async move { restart(&cloud, &id).await });
    Ok(Node::default().with(answer).into())
}

pub(super) fn delete(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    let id = identifier(input, "DBInstanceIdentifier", 63)?;
    let skip = input.flag("SkipFinalSnapshot")?.unwrap_or(false);
    let last = input.get("FinalDBSnapshotIdentifier");
    if !skip && last.is_none() {
        let message = "FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified.";
        return Err(combination(message));
    }
    if skip && last.is_some() {
        let message = "FinalDBSnapshotIdentifier cannot be specified when deleting an instance with SkipFinalSnapshot.";
        return Err(combination(message));
    }
    let last = last.map(|_| identifier(input, "FinalDBSnapshotIdentifier", 255)).transpose()?;
    deletable(&cloud.shared().lock(), &id, last.as_deref())?;
    let host = host(cloud)?;
    if let Some(snapshot) = &last {
        snapshots::enter(cloud, &id, snapshot)?;
    }
    let answer = turn(cloud, &id, &["available", "failed", "stopped", "incompatible-parameters"], "deleting")?;
    let cloud = cloud.clone();
    tokio::spawn(async move {
        if let Some(snapshot) = last
            && !snapshots::take(&cloud, host.as_ref(), &id, &snapshot).await
        {
            // What was to be kept is not: so the server stays.
            return update(&cloud, &id, |instance| instance.status = "available".into());
        }
        match host.delete(&id).await {
            Ok(()) => {
                let arn = arn(&cloud, &id);
                let _ = cloud.change(|state| {
                    state.databases.remove(&id);
                    state.tags.remove(&arn);
                    Ok::<_, std::convert::Infallible>(())
                });
                tell(&cloud, &id, "deletion", "DB instance deleted");
            }
            Err(error) => tracing::error!(id, %error, "a database server could not be deleted"),
        }
    });
    Ok(Node::default().with(answer).into())
}

fn deletable(state: &State, id: &str, last: Option<&str>) -> Result<(), ApiError> {
    let instance = state.databases.get(id).ok_or_else(|| not_found(id))?;
    if instance.protected {
        let message = "Cannot delete protected DB Instance, please disable deletion protection and try again.";
        return Err(combination(message));
    }
    if instance.status == "deleting" {
        return Err(refuse("InvalidDBInstanceState", format!("Instance {id} is already being deleted.")));
    }
    if last.is_some() && instance.status != "available" {
        let message = format!("Cannot take a final snapshot: instance {id} is not in available state.");
        return Err(refuse("InvalidDBInstanceState", message));
    }
    Ok(())
}
