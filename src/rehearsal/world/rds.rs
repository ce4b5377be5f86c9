//! RDS instances: real Postgres servers in containers, made from the image of the box's database.
//!
//! As on RDS, nobody who logs in from outside is a superuser, and nobody gets in without TLS.

mod roles;
mod server;

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::time::Duration;

use secrecy::SecretString;

use super::console::Console;
use super::patience::until;
use super::spec::Spec;
use super::{Result, WorldError};
use crate::clients::docker::lab::Lab;
use crate::clients::hosts::Container;
use crate::clients::postgres::{Endpoint, Error, Session, Tls, Transport};
use crate::rehearsal::edge::Authority;
use crate::rehearsal::state::DatabaseInstance;

/// The port of every instance.
pub const PORT: u16 = 5432;
/// The superuser of every instance, whose password only the world knows. RDS calls its own so, too.
pub const SUPERUSER: &str = "rdsadmin";
/// How long an instance may take to come up.
const START: Duration = Duration::from_mins(1);

/// What an instance is made from.
pub struct Order<'a> {
    /// Its identifier.
    pub id: &'a str,
    /// Its master user.
    pub master: &'a str,
    /// The master user's password.
    pub password: &'a SecretString,
    /// The definition whose image and data directory it has.
    pub like: &'a Container,
}

/// A running instance.
#[derive(Clone)]
pub struct Rds {
    /// The host of its endpoint, which its containers' networks resolve and this machine does not.
    pub host: String,
    /// Its address on the network of the new hosts.
    pub address: Ipv4Addr,
    /// Its container.
    pub container: String,
    /// As the API shows it.
    pub instance: DatabaseInstance,
    /// The way to ask it as its superuser.
    pub console: Console,
}

/// Makes an instance and waits until it takes logins.
pub async fn make(spec: &Spec, lab: &Lab, authority: &Authority, order: &Order<'_>) -> Result<Rds> {
    let region = &spec.site.aws.region;
    // RDS puts twelve characters of the account between the instance's name and the region.
    let account: String = spec.id.bytes().filter(u8::is_ascii_alphanumeric).map(char::from).collect();
    let host = format!("{}.{account}.{region}.rds.amazonaws.com", order.id.to_ascii_lowercase());
    if host.split('.').any(|label| label.is_empty() || label.len() > 63) {
        return Err(WorldError::Spec(format!("`{}` is no database instance: its endpoint would be {host}", order.id)));
    }
    let superuser = SecretString::from(format!("{:032x}", rand::random::<u128>()));
    let (certificate, key) = authority.issue_pem(&host)?;
    let container = spec.name(&format!("rds-{}", order.id.to_ascii_lowercase()));
    let made = server::Server { container: &container, host: &host, certificate, key, superuser: &superuser };
    made.start(spec, lab, order.like).await?;
    let address = lab.address_of(&container, &spec.vpc_network()).await?;
    let session = until("the database instance did not answer", START, || session(address, &superuser)).await?;
    roles::make(&session, order.master, order.password).await?;
    let version: String = session.value("SELECT current_setting('server_version')", &[]).await?;
    session.close();
    let version = version.split_whitespace().next().unwrap_or_default().to_owned();
    let console = Console::new(lab, &container, Some("postgres"), SUPERUSER, PORT, &superuser);
    let instance = described(&host, order, &version);
    Ok(Rds { host, address, container, instance, console })
}

/// A session as its superuser: for the world's own doing, not for the steps.
async fn session(address: Ipv4Addr, password: &SecretString) -> std::result::Result<Session, Error> {
    let endpoint = Endpoint {
        transport: Transport::Tcp { host: address.to_string(), port: PORT },
        user: SUPERUSER.into(),
        password: password.clone(),
        database: "postgres".into(),
        tls: Tls::Require,
    };
    endpoint.connect().await
}

fn described(host: &str, order: &Order<'_>, version: &str) -> DatabaseInstance {
    let parameters = [("rds.force_ssl", "1"), ("rds.logical_replication", "0"), ("max_connections", "100")];
    DatabaseInstance {
        status: "available".into(),
        engine_version: version.to_owned(),
        class: "db.t4g.medium".into(),
        address: host.to_owned(),
        port: PORT,
        master: order.master.to_owned(),
        database: None,
        multi_az: false,
        parameters: parameters.map(|(k, v)| (k.to_owned(), v.to_owned())).into_iter().collect::<BTreeMap<_, _>>(),
    }
}
