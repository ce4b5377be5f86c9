//! Who makes, restarts and removes the servers: what the cloud's RDS asks for, done with containers.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use secrecy::SecretString;
use tokio_util::task::AbortOnDropHandle;

use super::server::{self, Server, configure, data_directory};
use super::settings::Settings;
use super::{Rds, START, SUPERUSER, as_superuser, extensions, roles, session, snapshot, subscriptions, upkeep};
use crate::clients::docker::lab::{Command, Found, Lab, Labels, Subnet};
use crate::clients::hosts::Container;
use crate::rehearsal::cloud::{DatabaseHost, DatabaseOrder, DatabaseServer, HostError};
use crate::rehearsal::edge::Authority;
use crate::rehearsal::world::console::Console;
use crate::rehearsal::world::patience::until;
use crate::rehearsal::world::{Result, Spec, WorldError};

/// Servers get addresses from here on; the engine gives out its own from the first one up.
const FROM: u32 = 100;
/// From here on the addresses are the new hosts'.
const TO: u32 = 200;
/// How long a server may take to shut down.
const GRACE: u32 = 20;

/// Makes the world's database servers.
pub struct Host {
    spec: Spec,
    lab: Lab,
    authority: Arc<Authority>,
    like: Container,
    vpc: Subnet,
    version: String,
    made: Mutex<BTreeMap<String, Rds>>,
    snapshots: Mutex<BTreeMap<String, Rds>>,
    upkeep: Mutex<BTreeMap<String, AbortOnDropHandle<()>>>,
    next: AtomicU32,
}

impl Host {
    /// A host whose servers run the image of the box's database, which is asked for its version.
    ///
    /// # Errors
    /// When the box's database cannot say which version it is.
    pub async fn new(
        spec: &Spec,
        lab: &Lab,
        from: &Lab,
        authority: &Arc<Authority>,
        vpc: Subnet,
        like: &Container,
    ) -> Result<Self> {
        let ask = Command { line: vec!["postgres".into(), "--version".into()], ..Command::default() };
        let said = from.output(&like.name, &ask).await?;
        // `postgres (PostgreSQL) 15.18 (Debian …)`
        let version = said.split_whitespace().find(|word| word.starts_with(|c: char| c.is_ascii_digit()));
        let odd =
            || WorldError::Box(format!("{} does not say its version of PostgreSQL: `{}`", like.name, said.trim()));
        Ok(Self {
            spec: spec.clone(),
            lab: lab.clone(),
            authority: authority.clone(),
            like: like.clone(),
            vpc,
            version: version.ok_or_else(odd)?.to_owned(),
            made: Mutex::default(),
            snapshots: Mutex::default(),
            upkeep: Mutex::default(),
            next: AtomicU32::new(FROM),
        })
    }

    /// The version of its servers, such as `15.18`.
    pub fn servers_version(&self) -> &str {
        &self.version
    }

    /// Makes a server and waits until it takes logins.
    pub async fn make(&self, order: &DatabaseOrder) -> Result<Rds> {
        let container = self.spec.name(&format!("rds-{}", order.id));
        let host = self.endpoint(&order.id)?;
        let place = self.next.fetch_add(1, Ordering::SeqCst);
        if place >= self.vpc.size().saturating_sub(1).min(TO) {
            return Err(WorldError::Spec(format!("the network {} has no room for {}", self.vpc, order.id)));
        }
        let from = order.snapshot.as_ref().map(|name| {
            let missing = || WorldError::Box(format!("the data of the snapshot {name} is not there"));
            self.kept(&self.snapshots).get(name).cloned().ok_or_else(missing)
        });
        let from = from.transpose()?;
        let superuser = match &from {
            Some(from) => from.superuser.clone(),
            None => SecretString::from(format!("{:032x}", rand::random::<u128>())),
        };
        let address = self.vpc.nth(place);
        let (certificate, key) = self.authority.issue_pem(&host)?;
        let data = match &order.snapshot {
            Some(name) => Some(snapshot::open(&self.spec, name).await?),
            None => None,
        };
        let server = Server {
            container: &container,
            host: &host,
            address,
            certificate,
            key,
            superuser: &superuser,
            settings: &order.settings,
            port: order.port,
            data,
        };
        server.start(&self.spec, &self.lab, &self.like).await?;
        let session = self.reach(address, order.port, &superuser).await?;
        if from.is_none() {
            roles::make(&session, &order.master, &order.password).await?;
            subscriptions::allow(&session, &as_superuser(address, order.port, &superuser)).await?;
            if let Some(database) = order.database.as_deref().filter(|name| *name != "postgres") {
                roles::make_database(&session, database, &order.master).await?;
            }
        }
        let allowed = order.settings.get("rds.extensions").map_or("", String::as_str);
        extensions::limit(&self.lab, &container, &session, allowed).await?;
        let version: String = session.value("SELECT current_setting('server_version')", &[]).await?;
        session.close();
        let console = Console::new(&self.lab, &container, Some("postgres"), SUPERUSER, order.port, &superuser);
        let version = version.split_whitespace().next().unwrap_or_default().to_owned();
        let made = Rds {
            host,
            address,
            port: order.port,
            container,
            version,
            master: order.master.clone(),
            superuser,
            console,
        };
        self.kept(&self.made).insert(order.id.clone(), made.clone());
        self.look_after(&order.id, &made);
        Ok(made)
    }

    /// RDS puts twelve characters of the account between the instance's name and the region.
    fn endpoint(&self, id: &str) -> Result<String> {
        let account: String = self.spec.id.bytes().filter(u8::is_ascii_alphanumeric).map(char::from).collect();
        let host = format!("{id}.{account}.{}.rds.amazonaws.com", self.spec.site.aws.region);
        if host.split('.').any(|label| label.is_empty() || label.len() > 63) {
            return Err(WorldError::Spec(format!("`{id}` is no database instance: its endpoint would be {host}")));
        }
        Ok(host)
    }

    async fn reach(
        &self,
        address: Ipv4Addr,
        port: u16,
        superuser: &SecretString,
    ) -> Result<crate::clients::postgres::Session> {
        until("the database instance did not answer", START, || session(address, port, superuser)).await
    }

    #[allow(clippy::unused_self)] // both maps are this host's
    fn kept<'a>(&self, of: &'a Mutex<BTreeMap<String, Rds>>) -> MutexGuard<'a, BTreeMap<String, Rds>> {
        of.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn server(&self, id: &str) -> Result<Rds> {
        let missing = || WorldError::Box(format!("there is no server of the database instance {id}"));
        self.kept(&self.made).get(id).cloned().ok_or_else(missing)
    }

    async fn configure(&self, server: &Rds, port: u16, settings: &Settings) -> Result<()> {
        let owner = server::account(&self.lab, &server.container, &self.like.image).await?;
        configure(&self.lab, &server.container, owner, &data_directory(&self.like), port, settings).await
    }

    async fn settle(&self, id: &str, settings: &Settings) -> Result<()> {
        let server = self.server(id)?;
        self.configure(&server, server.port, settings).await?;
        let session = self.reach(server.address, server.port, &server.superuser).await?;
        session.run("SELECT pg_reload_conf()").await?;
        session.close();
        Ok(())
    }

    async fn password(&self, id: &str, password: &SecretString) -> Result<()> {
        let server = self.server(id)?;
        let session = self.reach(server.address, server.port, &server.superuser).await?;
        roles::set_password(&session, &server.master, password).await?;
        session.close();
        Ok(())
    }

    async fn restart(&self, id: &str, port: u16, settings: &Settings) -> Result<Rds> {
        let mut server = self.server(id)?;
        self.lab.host().stop(&server.container, GRACE).await?;
        self.configure(&server, port, settings).await?;
        self.lab.start(&server.container).await?;
        self.reach(server.address, port, &server.superuser).await?.close();
        server.port = port;
        server.console =
            Console::new(&self.lab, &server.container, Some("postgres"), SUPERUSER, port, &server.superuser);
        self.kept(&self.made).insert(id.to_owned(), server.clone());
        self.look_after(id, &server);
        Ok(server)
    }

    fn look_after(&self, id: &str, server: &Rds) {
        let care = upkeep::look_after(server.address, server.port, server.superuser.clone());
        self.upkeep.lock().unwrap_or_else(PoisonError::into_inner).insert(id.to_owned(), care);
    }

    async fn remove(&self, id: &str) -> Result<()> {
        self.upkeep.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
        let container = self.spec.name(&format!("rds-{id}"));
        let named = |name: &String| vec![(name.clone(), Labels::new())];
        let found = Found { containers: named(&container), volumes: named(&container), ..Found::default() };
        self.lab.remove_all(&found).await?;
        self.kept(&self.made).remove(id);
        Ok(())
    }

    async fn keep(&self, id: &str, name: &str) -> Result<()> {
        let server = self.server(id)?;
        snapshot::take(&self.spec, &self.lab, &server, &data_directory(&self.like), name).await?;
        self.kept(&self.snapshots).insert(name.to_owned(), server);
        Ok(())
    }
}

type Hosted<T> = std::result::Result<T, HostError>;

#[allow(clippy::needless_pass_by_value)] // it is what `map_err` gives
fn told(error: WorldError) -> HostError {
    HostError(error.to_string())
}

fn reached(server: Rds) -> DatabaseServer {
    DatabaseServer { address: server.host, ip: server.address.into(), engine_version: server.version }
}

#[async_trait]
impl DatabaseHost for Host {
    fn version(&self) -> Option<String> {
        Some(self.version.clone())
    }

    async fn create(&self, order: &DatabaseOrder) -> Hosted<DatabaseServer> {
        self.make(order).await.map(reached).map_err(told)
    }

    async fn apply(&self, id: &str, settings: &Settings) -> Hosted<()> {
        self.settle(id, settings).await.map_err(told)
    }

    async fn set_password(&self, id: &str, password: &SecretString) -> Hosted<()> {
        self.password(id, password).await.map_err(told)
    }

    async fn reboot(&self, id: &str, port: u16, settings: &Settings) -> Hosted<DatabaseServer> {
        self.restart(id, port, settings).await.map(reached).map_err(told)
    }

    async fn stop(&self, id: &str) -> Hosted<()> {
        let server = self.server(id).map_err(told)?;
        self.lab.host().stop(&server.container, GRACE).await.map_err(|e| told(e.into()))
    }

    async fn delete(&self, id: &str) -> Hosted<()> {
        self.remove(id).await.map_err(told)
    }

    async fn take_snapshot(&self, id: &str, snapshot: &str) -> Hosted<()> {
        self.keep(id, snapshot).await.map_err(told)
    }

    async fn drop_snapshot(&self, name: &str) -> Hosted<()> {
        self.kept(&self.snapshots).remove(name);
        snapshot::remove(&self.spec, name).await.map_err(told)
    }
}
