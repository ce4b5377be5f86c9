//! RDS instances: real Postgres servers in containers, made from the image of the box's database.
//!
//! As on RDS, nobody who logs in from outside is a superuser, the parameter group decides whether anybody gets in without
//! TLS, and there are only the extensions RDS has.

mod extensions;
mod host;
mod roles;
mod server;
mod settings;
mod snapshot;
mod subscriptions;
mod upkeep;

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::time::Duration;

use secrecy::SecretString;

use super::Result;
use super::console::Console;
use super::spec::Spec;
use crate::clients::postgres::{Endpoint, Error, Session, Tls, Transport};
use crate::rehearsal::cloud::{DatabaseOrder, database_settings};
use crate::rehearsal::state::DatabaseInstance;

pub use host::Host;

/// The port of the site's instance.
pub const PORT: u16 = 5432;
/// The superuser of every instance, whose password only the world knows. RDS calls its own so, too.
pub const SUPERUSER: &str = "rdsadmin";
/// The class of the site's instance.
const CLASS: &str = "db.t4g.medium";
/// How long an instance may take to come up.
const START: Duration = Duration::from_mins(1);

/// A running server.
#[derive(Clone)]
pub struct Rds {
    /// The host of its endpoint, which the rehearsal's name server and its containers' networks resolve, and this machine
    /// does not.
    pub host: String,
    /// Its address on the network of the new hosts.
    pub address: Ipv4Addr,
    /// Its port.
    pub port: u16,
    /// Its container.
    pub container: String,
    /// The version of PostgreSQL.
    pub version: String,
    /// The master user.
    pub master: String,
    /// The superuser's password.
    superuser: SecretString,
    /// The way to ask it as its superuser.
    pub console: Console,
}

impl Rds {
    /// The site's instance as the API shows it.
    pub fn instance(&self) -> DatabaseInstance {
        DatabaseInstance {
            status: "available".into(),
            engine_version: self.version.clone(),
            class: CLASS.into(),
            address: self.host.clone(),
            ip: Some(self.address.into()),
            port: self.port,
            master: self.master.clone(),
            storage: 20,
            storage_type: "gp3".into(),
            encrypted: true,
            backup_days: 7,
            backup_window: "17:00-17:30".into(),
            maintenance_window: "sun:18:00-sun:18:30".into(),
            authority: "rds-ca-rsa2048-g1".into(),
            minor_upgrades: true,
            resource: format!("db-{:026X}", rand::random::<u64>()),
            ..DatabaseInstance::default()
        }
    }
}

/// Makes the site's instance.
pub async fn make(spec: &Spec, host: &Host, password: &SecretString) -> Result<Rds> {
    let instance = &spec.site.aws.database;
    let order = DatabaseOrder {
        id: instance.instance.to_ascii_lowercase(),
        engine_version: host.servers_version().to_owned(),
        port: PORT,
        master: instance.master.user.clone(),
        password: password.clone(),
        database: None,
        settings: database_settings(host.servers_version(), CLASS, &following()),
        snapshot: None,
    };
    host.make(&order).await
}

/// What the site's owner has set in the instance's parameter group: that it can follow, and be followed (law D3).
fn following() -> BTreeMap<String, String> {
    BTreeMap::from([("rds.logical_replication".to_owned(), "1".to_owned())])
}

/// A session as its superuser: for the world's own doing, not for the steps.
async fn session(address: Ipv4Addr, port: u16, password: &SecretString) -> std::result::Result<Session, Error> {
    as_superuser(address, port, password).connect().await
}

fn as_superuser(address: Ipv4Addr, port: u16, password: &SecretString) -> Endpoint {
    Endpoint {
        transport: Transport::tcp(address.to_string(), port),
        user: SUPERUSER.into(),
        password: password.clone(),
        database: "postgres".into(),
        tls: Tls::Require,
    }
}
