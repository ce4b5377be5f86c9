//! The rehearsal's world as this process meets it: what it says about itself, and its socket.

use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use secrecy::SecretString;
use serde_json::Value;

use super::failure::{Code, Failure};
use crate::clients::aws::Access;
use crate::plan::Plan;
use crate::rehearsal::world::Ready;
use crate::rehearsal::world::control::{self, Request};

/// The world of a rehearsal.
#[derive(Debug, Clone)]
pub struct World {
    /// What it says about itself.
    pub ready: Ready,
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
        let ready = serde_json::from_slice(&text)
            .map_err(|e| Failure::of(Code::BadInput, format!("{} cannot be read", path.display()), &e))?;
        Ok(Self { ready })
    }

    /// How AWS is reached in it.
    pub fn access(&self) -> Access {
        Access {
            region: self.ready.region.clone(),
            endpoint: Some(self.ready.aws_endpoint.clone()),
            credentials: Some((self.ready.access_key.clone(), SecretString::from(self.ready.secret_key.clone()))),
        }
    }

    /// The address of a name that only the world's hosts can look up.
    pub fn resolve(&self, host: &str) -> Option<IpAddr> {
        self.ready.resolve.get(host).copied()
    }

    /// The authorities its visitors trust.
    pub fn authorities(&self) -> Result<Vec<CertificateDer<'static>>, Failure> {
        let mut all = Vec::new();
        for path in &self.ready.ca_files {
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
        milliseconds(&self.ask(&Request::Now).await?)
    }

    /// Moves its clock forward; how far it is ahead then, in milliseconds.
    pub async fn advance(&self, by: Duration) -> Result<u64, Failure> {
        let ms = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
        milliseconds(&self.ask(&Request::Advance { ms }).await?)
    }

    /// One request on its socket, one answer.
    pub async fn ask(&self, request: &Request) -> Result<Value, Failure> {
        control::ask(&self.ready.control, request).await.map_err(|e| {
            Failure::of(Code::NeedsAPerson, "the rehearsal's world does not do what it was asked", &e)
                .hint("its log is world.log in its directory below the `rehearsals` of outgrow's home")
        })
    }
}

fn milliseconds(answer: &Value) -> Result<u64, Failure> {
    answer
        .get("skipped_ms")
        .and_then(Value::as_u64)
        .ok_or_else(|| Failure::new(Code::NeedsAPerson, "the rehearsal's world did not tell its time"))
}
