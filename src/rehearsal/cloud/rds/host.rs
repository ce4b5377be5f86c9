//! Making, rebooting and deleting database servers: the API answers at once, the host does it in its own time.

use std::collections::BTreeMap;

use async_trait::async_trait;
use secrecy::SecretString;

use super::super::super::state::DatabaseInstance;
use super::super::Cloud;
use super::super::wire::operation::Output;
use super::super::wire::{ApiError, Node, refuse};
use super::instances::{node, not_found};

/// Why a host could not do what was asked, in words.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct HostError(pub String);

/// What `CreateDBInstance` asks for.
#[derive(Debug, Clone)]
pub struct DatabaseOrder {
    /// The instance's identifier.
    pub id: String,
    /// Engine version, such as `15.18`.
    pub engine_version: String,
    /// Instance class.
    pub class: String,
    /// Master user name.
    pub master: String,
    /// Its password.
    pub password: SecretString,
    /// The database to make with it.
    pub database: Option<String>,
    /// Multi-AZ.
    pub multi_az: bool,
}

/// Whoever makes the real servers behind RDS instances.
#[async_trait]
pub trait DatabaseHost: Send + Sync + 'static {
    /// Makes a server and gives the instance as it is when it can be reached.
    async fn create(&self, order: &DatabaseOrder) -> Result<DatabaseInstance, HostError>;
    /// Restarts a server with these parameters; gives the parameters as they take effect now.
    async fn reboot(
        &self,
        id: &str,
        parameters: &BTreeMap<String, String>,
    ) -> Result<BTreeMap<String, String>, HostError>;
    /// Removes a server and its data; no server is no error.
    async fn delete(&self, id: &str) -> Result<(), HostError>;
}

fn host(cloud: &Cloud) -> Result<std::sync::Arc<dyn DatabaseHost>, ApiError> {
    let message = "this rehearsal has no host to make database servers on";
    cloud.database_host().ok_or_else(|| refuse("InsufficientDBInstanceCapacity", message))
}

/// A DB identifier: 1 to 63 letters, digits and hyphens, a letter first, no hyphen last or doubled.
fn identifier(input: &Node) -> Result<String, ApiError> {
    let id = input.need("DBInstanceIdentifier")?.to_ascii_lowercase();
    let fits = id.len() <= 63
        && id.starts_with(|c: char| c.is_ascii_lowercase())
        && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        && !id.ends_with('-')
        && !id.contains("--");
    if fits {
        return Ok(id);
    }
    let message = "The parameter DBInstanceIdentifier is not a valid identifier. Identifiers must begin with a letter; must \
                   contain only ASCII letters, digits, and hyphens; and must not end with a hyphen or contain two \
                   consecutive hyphens.";
    Err(refuse("InvalidParameterValue", message))
}

fn order(input: &Node) -> Result<DatabaseOrder, ApiError> {
    match input.need("Engine")? {
        "postgres" => {}
        other => return Err(refuse("InvalidParameterValue", format!("the rehearsal cloud has no engine '{other}'"))),
    }
    let password = input.need("MasterUserPassword")?;
    if password.len() < 8 || password.contains(['/', '"', '@', ' ']) {
        let message = "The parameter MasterUserPassword is not a valid password: at least 8 printable characters, none of '/', '@', '\"', ' '";
        return Err(refuse("InvalidParameterValue", message));
    }
    Ok(DatabaseOrder {
        id: identifier(input)?,
        engine_version: input.get("EngineVersion").unwrap_or("15").to_owned(),
        class: input.need("DBInstanceClass")?.to_owned(),
        master: input.need("MasterUsername")?.to_owned(),
        password: SecretString::from(password.to_owned()),
        database: input.get("DBName").map(str::to_owned),
        multi_az: input.get("MultiAZ") == Some("true"),
    })
}

pub(super) fn create(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    let host = host(cloud)?;
    let order = order(input)?;
    let answer = cloud.change(|state| {
        if state.databases.contains_key(&order.id) {
            return Err(refuse("DBInstanceAlreadyExists", "DB instance already exists"));
        }
        let instance = DatabaseInstance {
            status: "creating".into(),
            engine_version: order.engine_version.clone(),
            class: order.class.clone(),
            address: String::new(),
            port: input.number::<u16>("Port")?.unwrap_or(5432),
            master: order.master.clone(),
            database: order.database.clone(),
            multi_az: order.multi_az,
            parameters: BTreeMap::new(),
        };
        if let Some(group) = input.get("DBParameterGroupName") {
            state.facts.entry(order.id.clone()).or_default().insert("parameter_group".into(), group.into());
        }
        let described = node(cloud, state, &order.id, &instance);
        state.databases.insert(order.id.clone(), instance);
        Ok::<_, ApiError>(described)
    })?;
    let cloud = cloud.clone();
    tokio::spawn(async move {
        let made = host.create(&order).await;
        let _ = cloud.change(|state| {
            if let Some(instance) = state.databases.get_mut(&order.id) {
                match made {
                    Ok(made) => *instance = DatabaseInstance { status: "available".into(), ..made },
                    Err(error) => {
                        tracing::error!(id = order.id, %error, "a database server could not be made");
                        instance.status = "failed".into();
                    }
                }
            }
            Ok::<_, ApiError>(())
        });
    });
    Ok(Node::default().with(answer).into())
}

/// Sets a status if the instance is `available`, and describes it.
fn begin(cloud: &Cloud, id: &str, status: &str) -> Result<(Node, BTreeMap<String, String>), ApiError> {
    cloud.change(|state| {
        let instance = state.databases.get_mut(id).ok_or_else(|| not_found(id))?;
        let failed = instance.status == "failed" && status == "deleting";
        if instance.status != "available" && !failed {
            let message = format!("Instance {id} is not in available state.");
            return Err(refuse("InvalidDBInstanceState", message));
        }
        instance.status = status.into();
        let instance = instance.clone();
        Ok((node(cloud, state, id, &instance), instance.parameters))
    })
}

pub(super) fn reboot(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    let (host, id) = (host(cloud)?, identifier(input)?);
    let (answer, parameters) = begin(cloud, &id, "rebooting")?;
    let cloud = cloud.clone();
    tokio::spawn(async move {
        let rebooted = host.reboot(&id, &parameters).await;
        let _ = cloud.change(|state| {
            if let Some(instance) = state.databases.get_mut(&id) {
                match rebooted {
                    Ok(parameters) => {
                        instance.parameters = parameters;
                        instance.status = "available".into();
                    }
                    Err(error) => {
                        tracing::error!(id, %error, "a database server did not come back");
                        instance.status = "failed".into();
                    }
                }
            }
            Ok::<_, ApiError>(())
        });
    });
    Ok(Node::default().with(answer).into())
}

pub(super) fn delete(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    let (host, id) = (host(cloud)?, identifier(input)?);
    if input.get("SkipFinalSnapshot") != Some("true") && input.get("FinalDBSnapshotIdentifier").is_none() {
        let message = "FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified.";
        return Err(refuse("InvalidParameterCombination", message));
    }
    let (answer, _) = begin(cloud, &id, "deleting")?;
    let cloud = cloud.clone();
    tokio::spawn(async move {
        let deleted = host.delete(&id).await;
        let _ = cloud.change(|state| {
            match deleted {
                Ok(()) => {
                    state.databases.remove(&id);
                    state.facts.remove(&id);
                }
                Err(error) => tracing::error!(id, %error, "a database server could not be deleted"),
            }
            Ok::<_, ApiError>(())
        });
    });
    Ok(Node::default().with(answer).into())
}
