//! What `CreateDBInstance` and `RestoreDBInstanceFromDBSnapshot` ask for, checked as RDS checks it.
//! Source: RDS API, `CreateDBInstance`; RDS user guide, "Settings for DB instances".

use super::super::super::state::{DatabaseInstance, State};
use super::super::Cloud;
use super::super::wire::{ApiError, Node, refuse};
use super::account::{AUTHORITIES, DEFAULT_AUTHORITY};
use super::catalogue::family_of;
use super::catalogue::versions::{self, Version};
use super::classes::{STORAGE, size};
use super::page::{combination, invalid, need};
use super::{groups, subnet_groups, windows};

/// The engine: only PostgreSQL.
pub fn engine(input: &Node) -> Result<(), ApiError> {
    match input.get("Engine").unwrap_or("postgres") {
        "postgres" => Ok(()),
        known @ ("mysql" | "mariadb" | "aurora-mysql" | "aurora-postgresql") => {
            Err(invalid(format!("the rehearsal cloud has no engine '{known}', only postgres")))
        }
        other if other.starts_with("oracle-") || other.starts_with("sqlserver-") || other.starts_with("db2-") => {
            Err(invalid(format!("the rehearsal cloud has no engine '{other}', only postgres")))
        }
        _ => Err(invalid("Invalid DB engine")),
    }
}

/// The version that is meant: exactly one, or the newest of a major version. Where the host's servers have one version
/// only, that is the newest.
pub fn version(cloud: &Cloud, asked: Option<&str>) -> Result<String, ApiError> {
    let host = cloud.database_host().and_then(|host| host.version());
    let of_host = |major: u32| host.clone().filter(|v| Version::read(v).is_some_and(|v| v.0 == major));
    let newest = |major: u32| of_host(major).or_else(|| versions::newest(major).map(|v| v.to_string()));
    let missing = |asked: &str| combination(format!("Cannot find version {asked} for postgres"));
    let version = match asked {
        None => host.clone().or_else(|| newest(versions::MAJORS.last().copied()?)).unwrap_or_default(),
        Some(exact) if exact.contains('.') => {
            let known = super::versions::known(cloud).iter().any(|v| v.to_string() == exact);
            if !known {
                return Err(missing(exact));
            }
            exact.to_owned()
        }
        Some(major) => major.parse().ok().and_then(newest).ok_or_else(|| missing(major))?,
    };
    match host {
        Some(host) if host != version => {
            let message = format!("the rehearsal makes servers of PostgreSQL {host} only, not {version}");
            Err(refuse("InsufficientDBInstanceCapacity", message))
        }
        _ => Ok(version),
    }
}

/// A class that is there.
pub fn class(class: &str, version: &str) -> Result<String, ApiError> {
    let form = class.strip_prefix("db.").and_then(|rest| rest.split_once('.'));
    if form.is_none() {
        return Err(invalid(format!("Invalid DB Instance class: {class}")));
    }
    if size(class).is_none() {
        return Err(combination(format!(
            "RDS does not support creating a DB instance with the following combination: DBInstanceClass={class}, \
             Engine=postgres, EngineVersion={version}, LicenseModel=postgresql-license. For supported combinations of \
             instance class and database engine version, see the documentation."
        )));
    }
    Ok(class.to_owned())
}

/// A size and operations that go with a storage type.
pub fn storage(kind: &str, gib: u32, iops: Option<u32>) -> Result<(), ApiError> {
    let Some(storage) = STORAGE.iter().find(|s| s.name == kind) else {
        return Err(invalid(format!("Invalid storage type: {kind}")));
    };
    if !(storage.least..=storage.most).contains(&gib) {
        let message = format!("Invalid storage size for engine name postgres and storage type {kind}: {gib}");
        return Err(combination(message));
    }
    match (storage.iops, iops) {
        (None, Some(_)) => Err(combination(format!(
            "You can't specify IOPS or storage throughput for engine postgres and a storage type of {kind}."
        ))),
        // Below 400 GiB, gp3 has what it has (RDS user guide, "gp3 storage").
        (Some(_), Some(_)) if kind == "gp3" && gib < 400 => Err(combination("You can't specify IOPS or storage throughput for engine postgres and a storage size less than 400.".to_string())),
        (Some((least, most)), Some(iops)) if !(least..=most).contains(&iops) => {
            Err(combination(format!("Invalid iops value for engine name postgres and storage type {kind}: {iops}")))
        }
        (Some(_), None) if kind.starts_with("io") => Err(combination("You must specify both the storage size and iops when modifying the storage size or iops on a DB instance that has iops.".to_string())),
        _ => Ok(()),
    }
}

/// A port RDS takes.
pub fn port(port: u16) -> Result<u16, ApiError> {
    if port < 1150 {
        return Err(invalid(format!("Invalid port {port}: must be between 1150 and 65535")));
    }
    Ok(port)
}

/// Days that backups are kept.
pub fn backup_days(days: u32) -> Result<u32, ApiError> {
    if days > 35 {
        return Err(invalid(format!("Invalid backup retention period: {days}. Must be between 0 and 35.")));
    }
    Ok(days)
}

/// The certificate authority of that name.
pub fn authority(name: &str) -> Result<String, ApiError> {
    if AUTHORITIES.iter().any(|(a, _)| *a == name) {
        return Ok(name.to_owned());
    }
    Err(refuse("CertificateNotFound", format!("Certificate not found: {name}")).status(404))
}

/// The parameter group of that name, if it is for this version.
pub fn parameter_group(state: &State, name: &str, version: &str) -> Result<String, ApiError> {
    let name = name.to_ascii_lowercase();
    let group = groups::find(state, &name)?;
    let family = family_of(version);
    if group.family != family {
        return Err(combination(format!(
            "The parameter group {name} with DBParameterGroupFamily {} can't be used for this instance. Use a parameter \
             group with DBParameterGroupFamily {family}.",
            group.family
        )));
    }
    Ok(name)
}

/// Security groups by their ids.
pub fn security_groups(ids: Vec<String>) -> Result<Vec<String>, ApiError> {
    match ids.iter().find(|id| !id.starts_with("sg-")) {
        Some(odd) => Err(invalid(format!("Invalid security group , groupId= {odd}, groupName="))),
        None => Ok(ids),
    }
}

/// What the rehearsal does not have, asked for all the same.
pub fn refuse_unknown(input: &Node) -> Result<(), ApiError> {
    let flags = ["ManageMasterUserPassword", "EnableIAMDatabaseAuthentication", "MultiTenant", "DedicatedLogVolume"];
    for name in flags {
        if input.flag(name)? == Some(true) {
            return Err(combination(format!("the rehearsal cloud cannot do {name}")));
        }
    }
    for name in ["DBClusterIdentifier", "Domain", "DomainFqdn", "TdeCredentialArn", "CharacterSetName"] {
        if input.get(name).is_some() {
            return Err(combination(format!("the rehearsal cloud cannot do {name}")));
        }
    }
    Ok(())
}

/// The instance that is asked for, over what `base` has: the defaults, or the snapshot's instance.
pub fn instance(
    cloud: &Cloud,
    state: &State,
    input: &Node,
    base: DatabaseInstance,
) -> Result<DatabaseInstance, ApiError> {
    let mut new = base;
    if let Some(asked) = input.get("DBInstanceClass") {
        new.class = class(asked, &new.engine_version)?;
    }
    new.port = port(input.number("Port")?.unwrap_or(new.port))?;
    new.multi_az = input.flag("MultiAZ")?.unwrap_or(false);
    new.iops = input.number("Iops")?.or(new.iops);
    if let Some(kind) = input.get("StorageType") {
        kind.clone_into(&mut new.storage_type);
    } else if new.storage_type.is_empty() {
        new.storage_type = if new.iops.is_some() { "io1" } else { "gp3" }.into();
    }
    new.storage = input.number("AllocatedStorage")?.unwrap_or(new.storage);
    storage(&new.storage_type, new.storage, new.iops)?;
    new.encrypted = input.flag("StorageEncrypted")?.unwrap_or(new.encrypted);
    new.backup_days = backup_days(input.number("BackupRetentionPeriod")?.unwrap_or(new.backup_days))?;
    new.subnet_group = input.get("DBSubnetGroupName").map(str::to_ascii_lowercase).unwrap_or_default();
    let subnets = subnet_groups::find(state, &new.subnet_group)?;
    let zones: Vec<_> = subnets.subnets.iter().filter_map(|id| Some(state.subnets.get(id)?.zone.clone())).collect();
    new.zone = match input.get("AvailabilityZone") {
        Some(_) if new.multi_az => {
            return Err(combination("Requesting a specific availability zone is not valid for MultiAZ instances."));
        }
        Some(zone) if !zones.iter().any(|z| z == zone) => {
            return Err(invalid(format!(
                "Availability zone '{zone}' is unavailable in this region, please choose another zone set."
            )));
        }
        Some(zone) => zone.to_owned(),
        None => zones.first().cloned().unwrap_or_else(|| format!("{}a", cloud.settings().region)),
    };
    new.group = match input.get("DBParameterGroupName") {
        Some(name) => parameter_group(state, name, &new.engine_version)?,
        None => String::new(),
    };
    new.security_groups = security_groups(input.texts("VpcSecurityGroupIds"))?;
    new.public = input.flag("PubliclyAccessible")?.unwrap_or(false);
    new.protected = input.flag("DeletionProtection")?.unwrap_or(false);
    new.copy_tags = input.flag("CopyTagsToSnapshot")?.unwrap_or(false);
    new.minor_upgrades = input.flag("AutoMinorVersionUpgrade")?.unwrap_or(true);
    new.authority = authority(input.get("CACertificateIdentifier").unwrap_or(DEFAULT_AUTHORITY))?;
    new.backup_window = input.get("PreferredBackupWindow").unwrap_or("17:00-17:30").to_ascii_lowercase();
    new.maintenance_window =
        input.get("PreferredMaintenanceWindow").unwrap_or("sun:18:00-sun:18:30").to_ascii_lowercase();
    windows::check(&new.backup_window, &new.maintenance_window)?;
    new.status = "creating".into();
    new.resource = format!("db-{}", super::super::fresh().to_ascii_uppercase());
    (new.address, new.ip, new.created) = (String::new(), None, None);
    new.pending.clear();
    Ok(new)
}

/// What `CreateDBInstance` starts from.
pub fn base(cloud: &Cloud, input: &Node) -> Result<DatabaseInstance, ApiError> {
    need(input, "DBInstanceClass")?;
    need(input, "Engine")?;
    engine(input)?;
    refuse_unknown(input)?;
    if input.get("AllocatedStorage").is_none() {
        return Err(invalid("The parameter AllocatedStorage must be provided and must not be null."));
    }
    let version = version(cloud, input.get("EngineVersion"))?;
    Ok(DatabaseInstance { engine_version: version, port: 5432, backup_days: 1, ..DatabaseInstance::default() })
}
