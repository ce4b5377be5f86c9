//! Instances modified: at once, or in the next maintenance window. Source: RDS API, `ModifyDBInstance`; RDS user guide,
//! "Modifying an Amazon RDS DB instance": when each setting takes effect.

use std::collections::BTreeMap;

use secrecy::SecretString;

use super::super::super::state::{DatabaseInstance, State};
use super::super::Cloud;
use super::super::wire::operation::Output;
use super::super::wire::{ApiError, Node, refuse};
use super::catalogue::versions::{self, Version};
use super::instances::{node, not_found};
use super::life::{host, restart, stage, tell, turn, update};
use super::names::{self, identifier};
use super::page::combination;
use super::{order, windows};

/// What cannot be changed in a rehearsal.
const NOT_HERE: &[&str] = &["NewDBInstanceIdentifier", "DBSubnetGroupName", "Engine"];

/// What a modification asks for that takes its time: by the names of `PendingModifiedValues`.
fn slow(input: &Node, now: &DatabaseInstance) -> Result<BTreeMap<String, String>, ApiError> {
    let mut slow = BTreeMap::new();
    let mut put = |name: &str, value: String, before: String| {
        if value != before {
            slow.insert(name.to_owned(), value);
        }
    };
    if let Some(class) = input.get("DBInstanceClass") {
        put("DBInstanceClass", order::class(class, &now.engine_version)?, now.class.clone());
    }
    let kind = input.get("StorageType").unwrap_or(&now.storage_type);
    let gib = input.number("AllocatedStorage")?.unwrap_or(now.storage);
    let iops = input.number("Iops")?.or(now.iops.filter(|_| kind == now.storage_type));
    // Storage only ever grows, and by a tenth at least.
    if gib < now.storage || gib > now.storage && gib < now.storage + now.storage.div_ceil(10) {
        let message = format!("Invalid storage size for engine name postgres and storage type {kind}: {gib}");
        return Err(combination(message));
    }
    if ["StorageType", "AllocatedStorage", "Iops"].iter().any(|name| input.get(name).is_some()) {
        order::storage(kind, gib, iops)?;
        put("StorageType", kind.to_owned(), now.storage_type.clone());
        put("AllocatedStorage", gib.to_string(), now.storage.to_string());
        put("Iops", iops.unwrap_or_default().to_string(), now.iops.unwrap_or_default().to_string());
    }
    if let Some(days) = input.number("BackupRetentionPeriod")? {
        put("BackupRetentionPeriod", order::backup_days(days)?.to_string(), now.backup_days.to_string());
    }
    if let Some(multi_az) = input.flag("MultiAZ")? {
        put("MultiAZ", multi_az.to_string(), now.multi_az.to_string());
    }
    if let Some(authority) = input.get("CACertificateIdentifier") {
        put("CACertificateIdentifier", order::authority(authority)?, now.authority.clone());
    }
    if let Some(port) = input.number("DBPortNumber")? {
        put("Port", order::port(port)?.to_string(), now.port.to_string());
    }
    Ok(slow)
}

/// An upgrade is judged, and then refused: a rehearsal's servers have the version they have.
fn upgrade(input: &Node, now: &DatabaseInstance) -> Result<(), ApiError> {
    let Some(to) = input.get("EngineVersion").filter(|to| *to != now.engine_version) else { return Ok(()) };
    let (Some(from), Some(wanted)) = (Version::read(&now.engine_version), Version::read(to)) else {
        return Err(combination(format!("Cannot find version {to} for postgres")));
    };
    if !versions::all().any(|v| v == wanted) {
        return Err(combination(format!("Cannot find version {to} for postgres")));
    }
    if !versions::targets(from).any(|target| target == wanted) {
        return Err(combination(format!("Cannot upgrade postgres from {} to {to}", now.engine_version)));
    }
    if wanted.0 != from.0 && input.flag("AllowMajorVersionUpgrade")? != Some(true) {
        let message = "The AllowMajorVersionUpgrade flag must be present when upgrading to a new major version.";
        return Err(combination(message));
    }
    let message = format!("the rehearsal makes servers of PostgreSQL {} only, not {to}", now.engine_version);
    Err(refuse("InsufficientDBInstanceCapacity", message))
}

/// What takes effect without ado.
fn quick(state: &State, input: &Node, now: &mut DatabaseInstance) -> Result<(), ApiError> {
    if let Some(group) = input.get("DBParameterGroupName") {
        now.group = order::parameter_group(state, group, &now.engine_version)?;
    }
    let security_groups = input.texts("VpcSecurityGroupIds");
    if !security_groups.is_empty() {
        now.security_groups = order::security_groups(security_groups)?;
    }
    now.protected = input.flag("DeletionProtection")?.unwrap_or(now.protected);
    now.public = input.flag("PubliclyAccessible")?.unwrap_or(now.public);
    now.copy_tags = input.flag("CopyTagsToSnapshot")?.unwrap_or(now.copy_tags);
    now.minor_upgrades = input.flag("AutoMinorVersionUpgrade")?.unwrap_or(now.minor_upgrades);
    let window = |name: &str, before: &str| input.get(name).unwrap_or(before).to_ascii_lowercase();
    let backup = window("PreferredBackupWindow", &now.backup_window);
    let upkeep = window("PreferredMaintenanceWindow", &now.maintenance_window);
    if (&backup, &upkeep) != (&now.backup_window, &now.maintenance_window) {
        windows::check(&backup, &upkeep)?;
        (now.backup_window, now.maintenance_window) = (backup, upkeep);
    }
    Ok(())
}

pub(super) fn modify(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    let id = identifier(input, "DBInstanceIdentifier", 63)?;
    order::refuse_unknown(input)?;
    if let Some(name) = NOT_HERE.iter().find(|name| input.get(name).is_some()) {
        return Err(combination(format!("the rehearsal cloud cannot change {name} of an instance")));
    }
    let at_once = input.flag("ApplyImmediately")?.unwrap_or(false);
    let password = input.get("MasterUserPassword");
    password.map(names::password).transpose()?;
    let (mut answer, now, slow) = cloud.change(|state| {
        let mut instance = state.databases.get(&id).cloned().ok_or_else(|| not_found(&id))?;
        if instance.status != "available" {
            let message = format!("Database instance {id} is not in available state.");
            return Err(refuse("InvalidDBInstanceState", message));
        }
        upgrade(input, &instance)?;
        let slow = slow(input, &instance)?;
        // A port, and backups that were on and stay on, do not wait for a window.
        let backs_up = |days: &str| days != "0" && instance.backup_days > 0;
        let now = slow
            .iter()
            .any(|(name, value)| at_once || name == "Port" || name == "BackupRetentionPeriod" && backs_up(value));
        if now || password.is_some() {
            host(cloud)?;
        }
        quick(state, input, &mut instance)?;
        instance.pending.extend(slow.clone());
        if password.is_some() {
            instance.pending.insert("MasterUserPassword".into(), "****".into());
        }
        let answer = node(cloud, state, &id, &instance);
        state.databases.insert(id.clone(), instance);
        Ok::<_, ApiError>((answer, now, slow))
    })?;
    if now || password.is_some() {
        let status = if now { "modifying" } else { "resetting-master-credentials" };
        answer = turn(cloud, &id, &["available"], status).unwrap_or(answer);
        let (cloud, id) = (cloud.clone(), id.clone());
        let password = password.map(|p| SecretString::from(p.to_owned()));
        tokio::spawn(async move { carry_out(&cloud, &id, password, now).await });
    } else if !slow.is_empty() {
        let (cloud, id) = (cloud.clone(), id.clone());
        tokio::spawn(async move { in_the_window(&cloud, &id).await });
    }
    Ok(Node::default().with(answer).into())
}

/// Waits for the maintenance window, and carries out what is pending then.
async fn in_the_window(cloud: &Cloud, id: &str) {
    let clock = &cloud.shared().clock;
    let window = cloud.shared().lock().databases.get(id).map(|i| i.maintenance_window.clone());
    let Some(window) = window else { return };
    clock.until(windows::next(&window, clock.now())).await;
    let waiting = cloud.shared().lock().databases.get(id).is_some_and(|i| !i.pending.is_empty());
    if waiting && turn(cloud, id, &["available"], "modifying").is_ok() {
        carry_out(cloud, id, None, true).await;
    }
}

/// Does what is pending: a new class or port restarts the server.
async fn carry_out(cloud: &Cloud, id: &str, password: Option<SecretString>, values: bool) {
    if let Some(password) = password {
        let set = match cloud.database_host() {
            Some(host) => host.set_password(id, &password).await,
            None => Ok(()),
        };
        if let Err(error) = set {
            tracing::error!(id, %error, "the master user's password could not be set");
        }
        update(cloud, id, |instance| drop(instance.pending.remove("MasterUserPassword")));
        tell(cloud, id, "configuration change", "Reset master credentials");
    }
    if values {
        stage(cloud).await;
        let mut restarts = false;
        let mut done = Vec::new();
        update(cloud, id, |instance| {
            for (name, value) in std::mem::take(&mut instance.pending) {
                restarts |= name == "DBInstanceClass" || name == "Port";
                settle(instance, &name, &value);
                done.push(name);
            }
        });
        for name in done {
            tell(cloud, id, "configuration change", &format!("Finished applying modification to {name}"));
        }
        if restarts {
            return restart(cloud, id).await;
        }
    }
    update(cloud, id, |instance| instance.status = "available".into());
}

fn settle(instance: &mut DatabaseInstance, name: &str, value: &str) {
    let number = value.parse().unwrap_or_default();
    match name {
        "DBInstanceClass" => value.clone_into(&mut instance.class),
        "StorageType" => value.clone_into(&mut instance.storage_type),
        "AllocatedStorage" => instance.storage = number,
        "Iops" => instance.iops = Some(number).filter(|n| *n > 0),
        "BackupRetentionPeriod" => instance.backup_days = number,
        "MultiAZ" => instance.multi_az = value == "true",
        "CACertificateIdentifier" => value.clone_into(&mut instance.authority),
        "Port" => instance.port = value.parse().unwrap_or(instance.port),
        _ => {}
    }
}
