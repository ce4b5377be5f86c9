//! The database's copy: a base backup, streamed into the copy's data directory before its first start. It comes up with
//! the same roles, settings, statistics and pages.

use std::net::Ipv4Addr;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use secrecy::SecretString;
use serde::Deserialize;
use tokio_tar::Header;

use super::Copying;
use super::select::Original;
use crate::clients::ClientResult;
use crate::clients::docker::lab::Labels;
use crate::clients::hosts::Bytestream;
use crate::clients::postgres;
use crate::clients::postgres::{Endpoint, Session, Tls, Transport};
use crate::rehearsal::world::console::Console;
use crate::rehearsal::world::parcel::{Entry, pack};
use crate::rehearsal::world::patience::until;
use crate::rehearsal::world::{Result, WorldError};
use crate::site::DatabaseContainer;

/// How long the copy may take to come up: it replays what was written during the backup.
const START: Duration = Duration::from_mins(2);
/// How many base backups are asked for.
const BACKUPS: u32 = 3;
/// A tar header.
const BLOCK: usize = 512;

/// A superuser of the copied database.
#[derive(Debug, Clone)]
pub struct Superuser {
    /// The role.
    pub user: String,
    /// Its password.
    pub password: SecretString,
    /// The database that is moved.
    pub database: String,
}

impl Superuser {
    /// As the site file says.
    pub fn of(database: &DatabaseContainer) -> Result<Self> {
        let password = database.admin.password.resolve()?;
        Ok(Self { user: database.admin.user.clone(), password, database: database.name.clone() })
    }
}

/// What has to be known of the server.
#[derive(Debug, Deserialize)]
struct Server {
    data: String,
    archives: bool,
    tablespaces: u32,
    subscriptions: u32,
}

const ASK: &str = "SELECT json_build_object('data', current_setting('data_directory'), \
    'archives', current_setting('archive_mode') <> 'off', \
    'tablespaces', (SELECT count(*) FROM pg_tablespace WHERE spcname NOT IN ('pg_default', 'pg_global')), \
    'subscriptions', (SELECT count(*) FROM pg_subscription))";

impl Copying<'_> {
    /// Copies the database's container and its data, and starts it; gives the way to ask the copy, and what could not
    /// be copied.
    pub(super) async fn database(&self, original: &Original, labels: &Labels) -> Result<(Console, Vec<String>)> {
        let name = &original.container.name;
        let ((console, server), ()) = tokio::try_join!(self.look(original), self.define(original, labels))?;
        let mut notes = Vec::new();
        for mount in &original.container.mounts {
            let data = &server.data;
            let holds_data =
                *data == mount.target || data.starts_with(&format!("{}/", mount.target.trim_end_matches('/')));
            if !holds_data {
                notes.extend(self.fill(&original.container, mount).await?);
            }
        }
        let copy = self.spec.name(name);
        self.progress
            .part(&format!("copied the data of {name}"), self.backup(original, &console, &server, &copy))
            .await?;
        notes.extend(self.silence(&server, &copy, name).await?);
        self.progress.part(&format!("started {copy}"), async { self.to.start(&copy).await }).await?;
        Ok((console.of(self.to, &copy), notes))
    }

    /// How the server is asked from inside its container, and what it said: over its socket, else by its port.
    async fn look(&self, original: &Original) -> Result<(Console, Server)> {
        let (database, id) = (&self.spec.site.old.database, &original.container.id);
        let superuser = Superuser::of(database)?;
        let users = self.from.host().read_file(id, "/etc/passwd").await?;
        let own = String::from_utf8_lossy(&users).lines().any(|line| line.starts_with("postgres:"));
        let account = own.then_some("postgres");
        let console = Console::new(self.from, id, account, &superuser.user, database.port, &superuser.password);
        let (console, said) = if let Ok(said) = console.ask("postgres", ASK).await {
            (console, said)
        } else {
            let console = console.by_tcp();
            let said = console.ask("postgres", ASK).await?;
            (console, said)
        };
        let name = &original.container.name;
        let server: Server = serde_json::from_value(said)
            .map_err(|error| WorldError::Box(format!("the database {name} answers oddly: {error}")))?;
        if server.tablespaces > 0 {
            let why = "it has tablespaces of its own, which a rehearsal cannot copy";
            return Err(WorldError::Box(format!("the database {name}: {why}")));
        }
        Ok((console, server))
    }

    /// Puts a base backup into the copy, which was never started. The log that a backup ends with may be gone by then,
    /// where others (another rehearsal, say) make the server checkpoint meanwhile; then it is asked for another, whose
    /// files replace those of the first.
    async fn backup(&self, original: &Original, console: &Console, server: &Server, copy: &str) -> Result<()> {
        for number in 1..BACKUPS {
            match self.one_backup(original, console, server, copy).await? {
                Ok(()) => return Ok(()),
                Err(error) => tracing::warn!(%error, number, "the base backup broke off; asking for another"),
            }
        }
        Ok(self.one_backup(original, console, server, copy).await??)
    }

    async fn one_backup(
        &self,
        original: &Original,
        console: &Console,
        server: &Server,
        copy: &str,
    ) -> Result<ClientResult<()>> {
        let line = ["-D", "-", "-F", "t", "-X", "fetch", "-c", "fast", "-l", "outgrow rehearsal"];
        let stream = self.from.exec(&original.container.id, &console.command("pg_basebackup", &line)).await?;
        let explain = |error: std::io::Error| {
            WorldError::Box(format!(
                "no base backup of {}: {error}; its superuser must be allowed replication on the local socket (pg_hba.conf)",
                original.container.name
            ))
        };
        let (owner, stream) = opened(stream).await.map_err(explain)?;
        // The server insists on a directory that is its own.
        let (above, own) = server.data.rsplit_once('/').unwrap_or(("", &server.data));
        let above = if above.is_empty() { "/" } else { above };
        let folder = pack(&[Entry { mode: 0o700, ..Entry::directory(own).owned(owner) }]).await.map_err(explain)?;
        self.to.write(copy, above, folder).await?;
        Ok(self.to.write(copy, &server.data, stream).await)
    }

    /// Keeps the copy from writing to the original's archive, or reading its publisher's stream away.
    async fn silence(&self, server: &Server, copy: &str, name: &str) -> Result<Vec<String>> {
        let mut notes = Vec::new();
        let mut lines = String::new();
        if server.archives {
            lines.push_str("archive_mode = off\n");
            notes.push(format!("{name}: the copy archives nothing"));
        }
        if server.subscriptions > 0 {
            lines.push_str("max_logical_replication_workers = 0\n");
            notes.push(format!("{name}: the copy follows no subscription"));
        }
        if !lines.is_empty() {
            let file = "postgresql.auto.conf";
            let before = self.to.read_file(copy, &format!("{}/{file}", server.data)).await?;
            let owner = self.owner_of(copy, &format!("{}/PG_VERSION", server.data)).await?;
            let entry = Entry::file(file, [&before[..], b"\n", lines.as_bytes()].concat(), 0o600).owned(owner);
            let parcel = pack(&[entry]).await.map_err(|e| WorldError::Box(format!("{name}: {e}")))?;
            self.to.write(copy, &server.data, parcel).await?;
        }
        Ok(notes)
    }

    async fn owner_of(&self, container: &str, path: &str) -> Result<(u64, u64)> {
        let stream = self.to.read(container, path).await?;
        Ok(opened(stream).await.map_err(|e| WorldError::Box(format!("{container}: {path}: {e}")))?.0)
    }
}

/// Whose the first entry of an archive is, and the archive, whole.
async fn opened(mut stream: Bytestream) -> std::io::Result<((u64, u64), Bytestream)> {
    let mut start = BytesMut::new();
    while start.len() < BLOCK {
        match stream.next().await {
            Some(piece) => start.extend_from_slice(&piece?),
            None => return Err(std::io::ErrorKind::UnexpectedEof.into()),
        }
    }
    let header = Header::from_byte_slice(&start[..BLOCK]);
    let owner = (header.uid()?, header.gid()?);
    let start: Bytes = start.freeze();
    Ok((owner, futures::stream::once(std::future::ready(Ok(start))).chain(stream).boxed()))
}

/// A session with the copy, as its superuser, in the clear or not, as it asks.
pub async fn session(
    superuser: &Superuser,
    address: Ipv4Addr,
    port: u16,
) -> std::result::Result<Session, postgres::Error> {
    let mut endpoint = Endpoint {
        transport: Transport::tcp(address.to_string(), port),
        user: superuser.user.clone(),
        password: superuser.password.clone(),
        database: superuser.database.clone(),
        tls: Tls::Disable,
    };
    match endpoint.connect().await {
        // The server itself said no: it may want TLS.
        Err(postgres::Error::Connect { code: Some(code), .. }) if code == "28000" => {
            endpoint.tls = Tls::Require;
            endpoint.connect().await
        }
        other => other,
    }
}

/// Waits until the copy answers.
pub async fn ready(superuser: &Superuser, address: Ipv4Addr, port: u16) -> Result<()> {
    until("the copied database did not answer", START, || async {
        session(superuser, address, port).await.map(Session::close)
    })
    .await
}
