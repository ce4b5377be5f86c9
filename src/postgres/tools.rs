//! `pg_dump`, for the schema only: where it is found, how it is called, and how it reaches a server that only a
//! dialled stream leads to.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use secrecy::ExposeSecret;
use tokio::net::TcpListener;
use tokio::process::Command;
use tokio::task::AbortHandle;

use crate::clients::postgres::{Dial, Endpoint, Tls, Transport};

use super::{Error, Result};

/// Which part of the schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    /// Types, functions, tables without their constraints.
    PreData,
    /// Indexes, constraints, triggers.
    PostData,
}

/// The arguments of `pg_dump` for a section of the schema as SQL, on a snapshot; connection settings are not among them.
pub fn dump_args(section: Section, snapshot: &str) -> Vec<String> {
    let section = match section {
        Section::PreData => "pre-data",
        Section::PostData => "post-data",
    };
    [
        "--schema-only",
        "--no-tablespaces",
        "--no-subscriptions",
        "--exclude-schema=outgrow",
        "--encoding=UTF8",
        "--no-password",
    ]
    .into_iter()
    .map(str::to_owned)
    .chain([format!("--section={section}"), format!("--snapshot={snapshot}")])
    .collect()
}

/// Somebody who can run `pg_dump`: on this machine, or inside the database's container.
#[async_trait::async_trait]
pub trait Tools: Send + Sync {
    /// The SQL of a section of this database's schema as the snapshot sees it. `newest` is the newer server's major
    /// version; the `pg_dump` used must not be older.
    async fn dump(&self, source: &Endpoint, section: Section, snapshot: &str, newest: u32) -> Result<Vec<u8>>;
}

/// `pg_dump` on this machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct LocalTools;

#[async_trait::async_trait]
impl Tools for LocalTools {
    async fn dump(&self, source: &Endpoint, section: Section, snapshot: &str, newest: u32) -> Result<Vec<u8>> {
        let program = find(newest).await?;
        let failed = |why: String| Error::Dump { server: source.to_string(), why };
        let mut command = Command::new(program);
        command.args(dump_args(section, snapshot)).stdin(Stdio::null()).kill_on_drop(true);
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("PG")) {
            command.env_remove(name);
        }
        let forward = match &source.transport {
            Transport::Tcp { host, port, address } => {
                command.env("PGHOST", host).env("PGPORT", port.to_string());
                if let Some(address) = address {
                    command.env("PGHOSTADDR", address.to_string());
                }
                None
            }
            Transport::Stream(dial) => {
                let forward = Forward::open(std::sync::Arc::clone(dial)).await?;
                command.env("PGHOST", "127.0.0.1").env("PGPORT", forward.port.to_string());
                Some(forward)
            }
        };
        command
            .env("PGUSER", &source.user)
            .env("PGDATABASE", &source.database)
            .env("PGPASSWORD", source.password.expose_secret())
            .env("PGAPPNAME", "outgrow")
            .env("PGCONNECT_TIMEOUT", "10");
        let _authorities = match &source.tls {
            Tls::Disable => {
                command.env("PGSSLMODE", "disable");
                None
            }
            Tls::Require => {
                command.env("PGSSLMODE", "require");
                None
            }
            Tls::VerifyFull(pem) => {
                let file = Authorities::write(pem)?;
                command.env("PGSSLMODE", "verify-full").env("PGSSLROOTCERT", &file.0);
                Some(file)
            }
        };
        let output =
            command.output().await.map_err(|source| Error::Local { doing: "cannot run pg_dump".into(), source })?;
        drop(forward);
        if output.status.success() {
            return Ok(output.stdout);
        }
        Err(failed(String::from_utf8_lossy(&output.stderr).trim().to_owned()))
    }
}

/// The oldest `pg_dump` that is new enough: a much newer one writes settings that older servers do not know.
async fn find(needed: u32) -> Result<PathBuf> {
    let mut candidates: Vec<PathBuf> = std::env::var_os("PATH")
        .map(|path| std::env::split_paths(&path).map(|dir| dir.join("pg_dump")).collect())
        .unwrap_or_default();
    if let Ok(versions) = std::fs::read_dir("/usr/lib/postgresql") {
        candidates.extend(versions.flatten().map(|version| version.path().join("bin/pg_dump")));
    }
    let (mut best, mut found): (Option<(u32, PathBuf)>, Vec<String>) = (None, Vec::new());
    for candidate in candidates.into_iter().filter(|path| path.is_file()) {
        let Some(major) = version(&candidate).await else { continue };
        if major >= needed && best.as_ref().is_none_or(|(other, _)| major < *other) {
            best = Some((major, candidate));
        } else {
            found.push(format!("{} is {major}", candidate.display()));
        }
    }
    let none =
        || Error::NoTools { needed, found: if found.is_empty() { "none at all".into() } else { found.join(", ") } };
    best.map(|(_, path)| path).ok_or_else(none)
}

/// `pg_dump (PostgreSQL) 15.14 (Debian 15.14-1)` → 15.
async fn version(program: &Path) -> Option<u32> {
    let output = Command::new(program).arg("--version").stdin(Stdio::null()).output().await.ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    text.split_whitespace().find_map(|word| word.split('.').next().and_then(|major| major.parse().ok()))
}

/// A loopback port that leads to the dialled server, while it lives.
struct Forward {
    port: u16,
    task: AbortHandle,
}

impl Forward {
    async fn open(dial: std::sync::Arc<dyn Dial>) -> Result<Self> {
        let failed = |source| Error::Local { doing: "cannot open a loopback port for pg_dump".into(), source };
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(failed)?;
        let port = listener.local_addr().map_err(failed)?.port();
        let task = tokio::spawn(async move {
            // pg_dump opens one connection; the set ends with this task.
            let mut links = tokio::task::JoinSet::new();
            while let Ok((mut near, _)) = listener.accept().await {
                let dial = std::sync::Arc::clone(&dial);
                links.spawn(async move {
                    // A failed link shows as pg_dump's own lost connection.
                    if let Ok(mut far) = dial.dial().await {
                        let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
                    }
                });
            }
        });
        Ok(Self { port, task: task.abort_handle() })
    }
}

impl Drop for Forward {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The authorities in a file for libpq, removed afterwards.
struct Authorities(PathBuf);

impl Authorities {
    fn write(pem: &str) -> Result<Self> {
        let path =
            std::env::temp_dir().join(format!("outgrow-{}-{:016x}.pem", std::process::id(), rand::random::<u64>()));
        let written = std::fs::OpenOptions::new().write(true).create_new(true).open(&path);
        written
            .and_then(|mut file| std::io::Write::write_all(&mut file, pem.as_bytes()))
            .map_err(|source| Error::Local { doing: format!("cannot write {}", path.display()), source })?;
        Ok(Self(path))
    }
}

impl Drop for Authorities {
    fn drop(&mut self) {
        // Certificates are no secret; a file that stays behind does no harm.
        let _ = std::fs::remove_file(&self.0);
    }
}
