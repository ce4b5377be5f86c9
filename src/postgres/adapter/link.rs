//! The ways there: through a container's engine, into a database that has to be made first, with a key kept on disk.

use std::fmt;
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Arc;

use secrecy::{ExposeSecret as _, SecretString};

use crate::clients::hosts::HostRead;
use crate::clients::postgres::{ByteStream, Dial, Endpoint};
use crate::postgres::name::{ident, literal};
use crate::postgres::{Result, marker, scram};

/// A port inside a container, reached through its engine, published or not.
pub struct ThroughEngine {
    /// The engine.
    pub host: Arc<dyn HostRead>,
    /// The container.
    pub container: String,
    /// The port inside it.
    pub port: u16,
}

impl fmt::Debug for ThroughEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "container {} on {}", self.container, self.host.address())
    }
}

#[async_trait::async_trait]
impl Dial for ThroughEngine {
    async fn dial(&self) -> io::Result<ByteStream> {
        let stream = self.host.dial(&self.container, self.port).await.map_err(|e| io::Error::other(e.to_string()))?;
        Ok(Box::new(stream))
    }
}

/// The key to the old side under the fence: made once, then found again, also by the process after a crash. Durable,
/// with the directories it lies in, before anybody is locked out.
pub fn make_key(path: &Path) -> io::Result<SecretString> {
    match read_key(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        found => return found,
    }
    let password = scram::random_password();
    write_durably(path, password.expose_secret().as_bytes())?;
    Ok(password)
}

/// Writes a file of its owner's alone, whole or not at all; once this has returned it outlasts a crash of the machine.
pub fn write_durably(path: &Path, content: &[u8]) -> io::Result<()> {
    let dir = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(dir)?;
    let beside = path.with_extension("new");
    let mut options = std::fs::OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
    io::Write::write_all(&mut file, content)?;
    file.sync_all()?;
    std::fs::rename(&beside, path)?;
    for dir in dir.ancestors().take(3).filter(|dir| !dir.as_os_str().is_empty()) {
        std::fs::File::open(dir)?.sync_all()?;
    }
    Ok(())
}

/// Reads the key.
pub fn read_key(path: &Path) -> io::Result<SecretString> {
    std::fs::read_to_string(path).map(SecretString::from)
}

/// Makes the database on the server if it is not there, with a comment that says whose it is.
pub async fn make_database(endpoint: &Endpoint, run: &str) -> Result<()> {
    match endpoint.connect().await {
        Ok(_) => return Ok(()),
        Err(error) if error.code() == Some("3D000") => {}
        Err(error) => return Err(error.into()),
    }
    let server = endpoint.with_database("postgres").connect().await?;
    let name = ident(&endpoint.database);
    server.run(&format!("CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'")).await?;
    Ok(server.run(&format!("COMMENT ON DATABASE {name} IS {}", literal(&marker::made_by(run)))).await?)
}

/// Drops the database if this run made it.
pub async fn drop_database(endpoint: &Endpoint, run: &str) -> Result<()> {
    let server = endpoint.with_database("postgres").connect().await?;
    let sql = "SELECT shobj_description(oid, 'pg_database') FROM pg_catalog.pg_database WHERE datname = $1";
    let rows = server.rows(sql, &[&endpoint.database]).await?;
    let comment: Option<String> = rows.first().and_then(|row| row.get(0));
    if comment.as_deref() == Some(marker::made_by(run).as_str()) {
        server.run(&format!("DROP DATABASE {}", ident(&endpoint.database))).await?;
    }
    Ok(())
}
