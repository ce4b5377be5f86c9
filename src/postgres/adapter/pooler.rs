//! The pooler in a container on the box: its files by the engine, its console by the engine's way into the container.

use std::fmt;
use std::io;
use std::sync::Arc;

use async_trait::async_trait;
use secrecy::SecretString;

use super::{Databases, ThroughEngine, failed, local};
use crate::clients::hosts::{HostRead, HostWrite};
use crate::clients::postgres::{Endpoint, Tls, Transport};
use crate::clients::{ClientError, ClientResult, Kind};
use crate::postgres::handover::{Hold, NoHold};
use crate::postgres::pooler::kept::{self, Settings};
use crate::postgres::pooler::{Console, Ini, Mode, Pooler, User, WriteIni, keeps_statements_apart, look};
use crate::postgres::port::{Obstacle, PoolerOrder, PoolerStand, Pooling};
use crate::postgres::{Session, marker, scram};
use crate::world::Side;

/// Sessions with the server for each role: shared by many clients, or one a client.
const SHARED: u32 = 20;
const ONE_EACH: u32 = 100;
/// Clients at most: each costs it a few kilobytes.
const CLIENTS: u32 = 2000;
/// Prepared statements that are kept apart in each session.
const STATEMENTS: u32 = 200;

/// The configuration's file inside the container.
struct InContainer {
    engine: Arc<dyn HostWrite>,
    container: String,
}

impl fmt::Debug for InContainer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in {}", kept::path(kept::INI), self.container)
    }
}

#[async_trait]
impl WriteIni for InContainer {
    async fn write(&self, text: &str) -> io::Result<()> {
        let parcel = kept::ini_parcel(text).await?;
        put(self.engine.as_ref(), &self.container, parcel).await.map_err(|e| io::Error::other(e.to_string()))
    }
}

async fn put(engine: &dyn HostWrite, container: &str, parcel: bytes::Bytes) -> ClientResult<()> {
    let whole = Box::pin(futures::stream::once(std::future::ready(Ok(parcel))));
    engine.write(container, "/", whole).await
}

/// A pooler's configuration and its console.
struct Found {
    settings: Settings,
    console: Endpoint,
}

impl Databases {
    /// Who makes the clients wait at a handover.
    pub(super) async fn hold(&self, pooler: Option<&str>) -> ClientResult<Box<dyn Hold>> {
        let Some(pooler) = pooler else { return Ok(Box::new(NoHold)) };
        let Found { settings, console } = self.known(pooler).await?;
        let files = Arc::new(InContainer { engine: Arc::clone(&self.engine), container: pooler.to_owned() });
        Ok(Box::new(Pooler::new(console, files, settings.ini, settings.old, settings.new)))
    }

    pub(super) async fn would_pool(&self, roles: &[String]) -> ClientResult<Pooling> {
        let session = self.session(Side::Old).await?;
        let of = |e: crate::postgres::Error| failed("look what a pooler would get in the way of", &e);
        let found = look(&session, None).await.map_err(of)?;
        let without = without_password(&session, roles).await.map_err(|e| of(e.into()))?;
        session.close();
        let server = if self.new_is_there().await? { self.new.clone() } else { self.new.with_database("postgres") };
        let server = server.connect().await.map_err(|e| of(e.into()))?;
        let others = of_others(&server, roles).await.map_err(|e| of(e.into()))?;
        server.close();
        // What it is, without where: a running statement is seen in one look and not in the next.
        let short = |what: &str| what.split(':').next().unwrap_or(what).to_owned();
        let why = found.findings.iter().map(|finding| short(&finding.what)).collect();
        let mut obstacles: Vec<Obstacle> = found.findings.iter().map(told).collect();
        obstacles.extend(without.iter().map(|role| Obstacle {
            what: format!(
                "the role {role} has no password on the old database, so nobody can log in as it through a pooler"
            ),
            todo: format!("give it one (ALTER ROLE {role} PASSWORD …) and the app too, or use no pooler"),
            blocks: true,
        }));
        obstacles.extend(others.iter().map(|role| Obstacle {
            what: format!(
                "the role {role} is on RDS already and was not made by a copy: the pooler knows its password there only \
                 if both servers keep the very same verifier"
            ),
            todo: "drop it there, so that the copy makes it with the old database's password, or use no pooler".to_owned(),
            blocks: true,
        }));
        Ok(Pooling { mode: found.mode, why, obstacles })
    }

    pub(super) async fn pooler_stands(&self, pooler: &str) -> ClientResult<Option<PoolerStand>> {
        match self.known(pooler).await {
            Ok(found) => Ok(Some(stand(&found, pooler).await?)),
            Err(error) if error.kind == Kind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(super) async fn arm(&self, pooler: &str, order: &PoolerOrder) -> ClientResult<()> {
        let doing = format!("configure the pooler {pooler}");
        let session = self.session(Side::Old).await?;
        let mut users = verifiers(&session, &order.roles).await.map_err(|e| failed(&doing, &e.into()))?;
        session.close();
        if let Some(missing) = order.roles.iter().find(|role| users.iter().all(|user| user.name != **role)) {
            let why = format!("the role {missing} has no password on the old database, or is gone");
            return Err(ClientError::new(Kind::Refused, doing, why));
        }
        // One that was armed before keeps its console's password: it may run with it.
        let console = match self.known(pooler).await {
            Ok(found) => found.console.password,
            Err(error) if error.kind == Kind::NotFound => scram::random_password(),
            Err(error) => return Err(error),
        };
        users.push(User { name: kept::CONSOLE_USER.to_owned(), secret: console });
        let ini = Ini {
            database: self.old.database.clone(),
            listen: "*".to_owned(),
            port: order.port,
            mode: order.mode,
            userlist: kept::path(kept::LIST),
            admins: vec![kept::CONSOLE_USER.to_owned()],
            pool_size: sessions(order.mode),
            clients_at_most: CLIENTS,
            prepared_statements: 0,
            log: None,
        };
        let settings = Settings { ini, old: order.old.clone(), new: order.new.clone() };
        let parcel = kept::whole_parcel(&settings, Side::Old, &users).await.map_err(|e| local(&doing, &e))?;
        put(self.engine.as_ref(), pooler, parcel).await
    }

    pub(super) async fn fit(&self, pooler: &str, automatic: bool) -> ClientResult<PoolerStand> {
        let mut found = self.known(pooler).await?;
        let now = stand(&found, pooler).await?;
        let apart = keeps_statements_apart(&now.version);
        let ini = &mut found.settings.ini;
        let before = ini.clone();
        if automatic && !apart {
            ini.mode = Mode::Session;
        }
        ini.pool_size = sessions(ini.mode);
        ini.prepared_statements = if apart && ini.mode == Mode::Transaction { STATEMENTS } else { 0 };
        if *ini != before {
            let doing = format!("configure the pooler {pooler}");
            let side = now.sends_to.unwrap_or(Side::Old);
            let parcel = kept::settings_parcel(&found.settings, side).await.map_err(|e| local(&doing, &e))?;
            put(self.engine.as_ref(), pooler, parcel).await?;
            let console = open(&found, pooler).await?;
            console.reload().await.map_err(|e| failed(&doing, &e))?;
            console.close();
        }
        stand(&found, pooler).await
    }

    /// What lies in the container; [`Kind::NotFound`] where there is none of ours.
    async fn known(&self, pooler: &str) -> ClientResult<Found> {
        let read = |name| self.engine.read_file(pooler, name);
        let (kept_at, list_at) = (kept::path(kept::SETTINGS), kept::path(kept::LIST));
        let (settings, list) = (read(&kept_at).await?, read(&list_at).await?);
        let odd = |why: String| ClientError::new(Kind::Refused, format!("read the configuration of {pooler}"), why);
        let settings: Settings = serde_json::from_slice(&settings).map_err(|e| odd(e.to_string()))?;
        let list = SecretString::from(String::from_utf8_lossy(&list).into_owned());
        let password = kept::console_password(secrecy::ExposeSecret::expose_secret(&list))
            .ok_or_else(|| odd(format!("{list_at} does not name {}", kept::CONSOLE_USER)))?;
        let dial = ThroughEngine {
            host: Arc::clone(&self.engine) as Arc<dyn HostRead>,
            container: pooler.to_owned(),
            port: settings.ini.port,
        };
        let console = Endpoint {
            transport: Transport::Stream(Arc::new(dial)),
            user: kept::CONSOLE_USER.to_owned(),
            password,
            database: "pgbouncer".to_owned(),
            tls: Tls::Disable,
        };
        Ok(Found { settings, console })
    }
}

async fn open(found: &Found, pooler: &str) -> ClientResult<Console> {
    let what = format!("reach the console of the pooler {pooler}");
    Console::open(&found.console).await.map_err(|e| ClientError::new(Kind::Unanswered, what, e.to_string()))
}

async fn stand(found: &Found, pooler: &str) -> ClientResult<PoolerStand> {
    let console = open(found, pooler).await?;
    let of = |e: crate::postgres::Error| failed(&format!("ask the pooler {pooler}"), &e);
    let version = console.version().await.map_err(of)?;
    let host = console.host_of(&found.settings.ini.database).await.map_err(of)?;
    console.close();
    let sends_to = host.as_deref().and_then(|host| found.settings.side_of(host));
    Ok(PoolerStand { version, mode: found.settings.ini.mode, sends_to })
}

fn sessions(mode: Mode) -> u32 {
    match mode {
        Mode::Transaction => SHARED,
        Mode::Session => ONE_EACH,
    }
}

fn told(finding: &crate::postgres::observe::Finding) -> Obstacle {
    Obstacle { what: format!("{} ({})", finding.what, finding.at), todo: finding.advice.clone(), blocks: false }
}

/// What the server keeps of these roles' passwords.
async fn verifiers(session: &Session, roles: &[String]) -> Result<Vec<User>, crate::clients::postgres::Error> {
    let sql = "SELECT rolname::text, rolpassword FROM pg_catalog.pg_authid \
               WHERE rolname = ANY ($1::text[]) AND rolpassword IS NOT NULL ORDER BY 1";
    let rows = session.rows(sql, &[&roles]).await?;
    let user = |row: &tokio_postgres::Row| User { name: row.get(0), secret: row.get::<_, String>(1).into() };
    Ok(rows.iter().map(user).collect())
}

async fn without_password(session: &Session, roles: &[String]) -> Result<Vec<String>, crate::clients::postgres::Error> {
    let sql = "SELECT rolname::text FROM pg_catalog.pg_authid \
               WHERE rolname = ANY ($1::text[]) AND rolpassword IS NULL ORDER BY 1";
    Ok(session.rows(sql, &[&roles]).await?.iter().map(|row| row.get(0)).collect())
}

/// Roles of these names on the new server that no copy made. A master user cannot read their verifiers.
async fn of_others(session: &Session, roles: &[String]) -> Result<Vec<String>, crate::clients::postgres::Error> {
    let sql = "SELECT rolname::text, shobj_description(oid, 'pg_authid') FROM pg_catalog.pg_roles \
               WHERE rolname = ANY ($1::text[]) ORDER BY 1";
    let rows = session.rows(sql, &[&roles]).await?;
    let ours = |row: &tokio_postgres::Row| row.get::<_, Option<String>>(1).is_some_and(|text| marker::is_ours(&text));
    Ok(rows.iter().filter(|row| !ours(row)).map(|row| row.get(0)).collect())
}
