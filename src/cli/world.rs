//! The rehearsal's world as this process meets it: a file that says where it is, and its socket.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;

use super::failure::{Code, Failure};
use crate::clients::aws::Access;
use crate::plan::Plan;
use crate::site::EngineAddress;

/// What the world says about itself (`world.json`).
#[derive(Debug, Clone, Deserialize)]
pub struct World {
    /// The AWS endpoint.
    pub aws_endpoint: String,
    access_key: String,
    secret_key: String,
    region: String,
    /// The name server.
    pub dns: String,
    ca_files: Vec<PathBuf>,
    resolve: BTreeMap<String, String>,
    control: PathBuf,
    /// The copy of the box.
    #[serde(rename = "box")]
    pub old: BoxCopy,
    /// The new hosts.
    pub hosts: Vec<HostPart>,
    /// The database instance.
    pub database: DatabasePart,
    /// The distribution's domain name.
    pub distribution: String,
}

/// The copy of the box.
#[derive(Debug, Clone, Deserialize)]
pub struct BoxCopy {
    /// The engine it runs on.
    pub engine: EngineAddress,
    /// Its proxy's address.
    pub address: IpAddr,
    /// Its containers.
    pub containers: Containers,
}

/// The names of the box copy's containers.
#[derive(Debug, Clone, Deserialize)]
pub struct Containers {
    /// Terminates TLS.
    pub proxy: String,
    /// Serves the pages.
    pub web: String,
    /// The app server.
    pub app: String,
    /// The database.
    pub database: String,
}

/// A new host.
#[derive(Debug, Clone, Deserialize)]
pub struct HostPart {
    /// Its name in the site file.
    pub name: String,
    /// Its engine.
    pub engine: EngineAddress,
    /// Its address.
    pub address: IpAddr,
}

/// The database instance.
#[derive(Debug, Clone, Deserialize)]
pub struct DatabasePart {
    /// The master user.
    pub master: String,
    /// Where its password lies.
    pub master_password_file: PathBuf,
}

impl World {
    /// The world of a plan, if it is a rehearsal's.
    pub fn of_plan(plan: &Plan) -> Result<Option<Self>, Failure> {
        plan.rehearsal.as_ref().map(|dir| Self::read(Path::new(dir))).transpose()
    }

    /// Reads what the world in this directory says about itself.
    pub fn read(dir: &Path) -> Result<Self, Failure> {
        let path = dir.join("world.json");
        let text = std::fs::read(&path).map_err(|e| {
            Failure::of(Code::BadInput, format!("the rehearsal's world is not to be found in {}", dir.display()), &e)
                .hint("a rehearsal's world ends with it unless --keep was given; rehearse again")
        })?;
        serde_json::from_slice(&text)
            .map_err(|e| Failure::of(Code::BadInput, format!("{} cannot be read", path.display()), &e))
    }

    /// How AWS is reached in it.
    pub fn access(&self) -> Access {
        Access {
            region: self.region.clone(),
            endpoint: Some(self.aws_endpoint.clone()),
            credentials: Some((self.access_key.clone(), SecretString::from(self.secret_key.clone()))),
        }
    }

    /// The address of a name that only the world's hosts can look up.
    pub fn resolve(&self, host: &str) -> Option<String> {
        self.resolve.get(host).cloned()
    }

    /// The authorities its visitors trust.
    pub fn authorities(&self) -> Result<Vec<CertificateDer<'static>>, Failure> {
        let mut all = Vec::new();
        for path in &self.ca_files {
            let wrong = |why: String| {
                Failure::bad_input(format!("the authority {} cannot be read", path.display())).because(why)
            };
            for certificate in CertificateDer::pem_file_iter(path).map_err(|e| wrong(e.to_string()))? {
                all.push(certificate.map_err(|e| wrong(e.to_string()))?);
            }
        }
        Ok(all)
    }

    /// How far its clock is ahead, in milliseconds.
    pub async fn skipped(&self) -> Result<u64, Failure> {
        milliseconds(&self.ask(&json!({ "do": "now" })).await?)
    }

    /// Moves its clock forward; how far it is ahead then, in milliseconds.
    pub async fn advance(&self, by: Duration) -> Result<u64, Failure> {
        let ms = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
        milliseconds(&self.ask(&json!({ "do": "advance", "ms": ms })).await?)
    }

    /// One request on its socket, one answer.
    pub async fn ask(&self, request: &Value) -> Result<Value, Failure> {
        let gone =
            |e: &dyn std::error::Error| Failure::of(Code::NeedsAPerson, "the rehearsal's world does not answer", e);
        let mut stream = UnixStream::connect(&self.control).await.map_err(|e| gone(&e))?;
        stream.write_all(format!("{request}\n").as_bytes()).await.map_err(|e| gone(&e))?;
        let mut text = String::new();
        stream.read_to_string(&mut text).await.map_err(|e| gone(&e))?;
        let answer: Value = serde_json::from_str(&text).map_err(|e| gone(&e))?;
        match answer.get("error").and_then(Value::as_str) {
            Some(error) => Err(Failure::new(Code::NeedsAPerson, "the rehearsal's world refused").because(error)),
            None => Ok(answer),
        }
    }
}

fn milliseconds(answer: &Value) -> Result<u64, Failure> {
    answer
        .get("skipped_ms")
        .and_then(Value::as_u64)
        .ok_or_else(|| Failure::new(Code::NeedsAPerson, "the rehearsal's world did not tell its time"))
}
