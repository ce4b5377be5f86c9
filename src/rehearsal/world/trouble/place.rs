//! The places of a world that trouble can come to.

use std::collections::BTreeMap;
use std::fmt;
use std::net::Ipv4Addr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::What;
use crate::clients::docker::lab::Lab;
use crate::rehearsal::cloud::Cloud;
use crate::rehearsal::state::Shared;
use crate::rehearsal::world::{Result, WorldError};
use crate::site::EngineAddress;

/// A place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    /// This machine: the run, the balancer, the visitors.
    Outside,
    /// The copy of the box: where one container is meant, its app.
    Box,
    /// The box's database.
    OldDatabase,
    /// RDS.
    Rds,
    /// A new host, by its name in the site file.
    Host(String),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Outside => "outside",
            Self::Box => "the box",
            Self::OldDatabase => "the box's database",
            Self::Rds => "RDS",
            Self::Host(name) => name,
        })
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let s = |length: &Duration| format!("{} s", length.as_secs_f64());
        match self {
            Self::Call { service, operation, when, kind } => write!(f, "{service}:{operation} {when:?} {kind:?}"),
            Self::StandStill(place, length) => write!(f, "{place} stood still for {}", s(length)),
            Self::Restart(place) => write!(f, "{place} crashed and started again"),
            Self::Cut(one, other, length) => write!(f, "{one} and {other} were parted for {}", s(length)),
            Self::Misbehave { host, how, .. } => write!(f, "the app on {host} misbehaves: {how}"),
            Self::Silent(group) => write!(f, "the balancer sent nothing to {group} any more"),
            Self::DiskFull(place, length) => write!(f, "the disk of {place} was full for {}", s(length)),
        }
    }
}

/// Where the places are on the engine.
#[derive(Clone)]
pub struct Scene {
    /// The engine.
    pub lab: Lab,
    /// The copied containers' names; the app's first.
    pub copy: Vec<String>,
    /// The copied database's container.
    pub old_database: String,
    /// RDS's container.
    pub rds: String,
    /// The hosts' containers by their names in the site file.
    pub hosts: BTreeMap<String, String>,
    /// The hosts' own engines, by the same names.
    pub engines: BTreeMap<String, EngineAddress>,
    /// What the cloud holds.
    pub shared: Shared,
    /// This machine's addresses in the world's networks.
    pub gateways: Vec<Ipv4Addr>,
    /// What a helper beside a container is made of: definition without name and network.
    pub helper: crate::clients::hosts::Container,
    /// What names of this world's containers begin with.
    pub prefix: String,
}

impl Scene {
    /// Refuses what strikes nothing.
    pub fn check(&self, what: &What) -> Result<()> {
        match what {
            What::Call { service, operation, .. } => {
                if Cloud::knows(service, operation) {
                    return Ok(());
                }
                Err(WorldError::Spec(format!(
                    "a fault strikes `{service}:{operation}`, which the rehearsal cloud does not know; `outgrow laws` \
                     names operations, and `{service}:*` strikes them all"
                )))
            }
            What::StandStill(place, _) | What::Restart(place) => self.first(place).map(drop),
            What::Cut(one, other, _) => self.known(one).and_then(|()| self.known(other)),
            What::Misbehave { host, .. } => self.engine(host).map(drop),
            What::Silent(_) => Ok(()),
            What::DiskFull(place, _) => match place {
                Place::Host(_) => self.first(place).map(drop),
                _ => Err(WorldError::Spec(format!(
                    "only a new host's disk can be full in a rehearsal, not that of {place}"
                ))),
            },
        }
    }

    fn known(&self, place: &Place) -> Result<()> {
        if *place == Place::Outside { Ok(()) } else { self.first(place).map(drop) }
    }

    /// The containers of a place; this machine has none.
    pub fn containers(&self, place: &Place) -> Vec<&str> {
        match place {
            Place::Outside => Vec::new(),
            Place::Box => self.copy.iter().map(String::as_str).collect(),
            Place::OldDatabase => vec![&self.old_database],
            Place::Rds => vec![&self.rds],
            Place::Host(name) => self.hosts.get(name).map(String::as_str).into_iter().collect(),
        }
    }

    /// The one container that stands for a place.
    pub fn first(&self, place: &Place) -> Result<&str> {
        self.containers(place).first().copied().ok_or_else(|| {
            let hosts: Vec<&str> = self.hosts.keys().map(String::as_str).collect();
            WorldError::Spec(format!(
                "a fault strikes {place}, which is not there; the new hosts are: {}",
                hosts.join(", ")
            ))
        })
    }

    /// A new host's own engine.
    pub fn engine(&self, place: &Place) -> Result<&EngineAddress> {
        let known = match place {
            Place::Host(name) => self.engines.get(name),
            _ => None,
        };
        known.ok_or_else(|| WorldError::Spec(format!("{place} is no new host, and has no engine of its own")))
    }

    /// The addresses of a place.
    pub async fn addresses(&self, place: &Place) -> Result<Vec<Ipv4Addr>> {
        let mut all = if *place == Place::Outside { self.gateways.clone() } else { Vec::new() };
        for container in self.containers(place) {
            let found = self.lab.host().container(container).await?;
            all.extend(found.iter().flat_map(|c| &c.networks).filter_map(|n| n.address.parse::<Ipv4Addr>().ok()));
        }
        Ok(all)
    }
}
