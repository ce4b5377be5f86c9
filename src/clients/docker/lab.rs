//! What a rehearsal needs of an engine beyond the port: networks with addresses of its own choosing, volumes, commands
//! run in a container, and everything of a label found and removed again.

mod exec;
mod network;
mod sweep;

use std::collections::{BTreeMap, HashMap};
use std::net::Ipv4Addr;
use std::sync::Arc;

use bollard::models::{EndpointIpamConfig, VolumeCreateRequest};
use bollard::query_parameters::CreateContainerOptionsBuilder;

use super::{Engine, Options, define, open};
use crate::clients::hosts::{Container, HostRead, HostWrite};
use crate::clients::{ClientError, ClientResult, Kind};
use crate::site::EngineAddress;

pub use exec::Command;
pub use network::Subnet;
pub use sweep::Found;

/// Labels by name.
pub type Labels = BTreeMap<String, String>;

/// An engine, as a rehearsal uses it. Cheap to clone.
#[derive(Clone)]
pub struct Lab {
    engine: Arc<Engine>,
}

/// What an engine says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// The same for every way to the same engine.
    pub id: String,
    /// Whether its machine still has the first version of control groups.
    pub cgroup_v1: bool,
}

impl Lab {
    /// Connects to an engine.
    ///
    /// # Errors
    /// [`Kind::Unanswered`] if none answers there, with what to do about it.
    pub async fn connect(address: &EngineAddress) -> ClientResult<Self> {
        Ok(Self { engine: Arc::new(open(address, &Options::from_environment()).await?) })
    }

    /// The port to the same engine.
    pub fn host(&self) -> Arc<dyn HostWrite> {
        Arc::clone(&self.engine) as _
    }

    /// What the engine says of itself.
    pub async fn about(&self) -> ClientResult<About> {
        let info = self.engine.docker.info().await.map_err(self.engine.failed("ask the engine about itself"))?;
        let version = info.cgroup_version.map(|v| v.to_string()).unwrap_or_default();
        Ok(About { id: info.id.unwrap_or_default(), cgroup_v1: version == "1" })
    }

    /// Makes a volume; one of that name that is there already is taken.
    pub async fn make_volume(&self, name: &str, labels: &Labels) -> ClientResult<()> {
        let request = VolumeCreateRequest {
            name: Some(name.to_owned()),
            labels: Some(hashed(labels)),
            ..VolumeCreateRequest::default()
        };
        let made = self.engine.docker.create_volume(request).await;
        made.map(drop).map_err(self.engine.failed(format!("make the volume {name}")))
    }

    /// Makes a container as the port does, not started, with this address in its first network; gives its id.
    pub async fn create_at(&self, definition: &Container, address: Ipv4Addr) -> ClientResult<String> {
        let what = format!("create the container {} at {address}", definition.name);
        let mut body = define::body(definition, &definition.image);
        let endpoints = body.networking_config.as_mut().and_then(|n| n.endpoints_config.as_mut());
        for endpoint in endpoints.into_iter().flat_map(HashMap::values_mut) {
            endpoint.ipam_config =
                Some(EndpointIpamConfig { ipv4_address: Some(address.to_string()), ..EndpointIpamConfig::default() });
        }
        let options = CreateContainerOptionsBuilder::default().name(&definition.name).build();
        let made = self.engine.docker.create_container(Some(options), body).await;
        Ok(made.map_err(self.engine.failed(what))?.id)
    }

    /// The address of a running container in a network.
    pub async fn address_of(&self, container: &str, network: &str) -> ClientResult<Ipv4Addr> {
        let found = self.engine.container(container).await?;
        let address = found
            .iter()
            .flat_map(|c| &c.networks)
            .find(|a| a.network == network)
            .and_then(|a| a.address.parse().ok());
        address.ok_or_else(|| {
            let what = format!("find the address of {container} in {network}");
            ClientError::new(Kind::NotFound, what, "it has none: it does not run there (see `docker logs`)")
        })
    }
}

fn hashed(labels: &Labels) -> HashMap<String, String> {
    labels.clone().into_iter().collect()
}
