//! What a rehearsal needs of an engine beyond the port: networks with addresses of its own choosing, volumes, commands
//! run in a container, and everything of a label found and removed again.

mod disturb;
mod exec;
mod network;
mod sweep;

use std::collections::{BTreeMap, HashMap};
use std::future::Future;
use std::net::Ipv4Addr;
use std::sync::Arc;

use bollard::models::{EndpointIpamConfig, VolumeCreateRequest};
use bollard::query_parameters::CreateContainerOptionsBuilder;
use bytes::Bytes;
use futures::StreamExt;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::{Engine, Options, define, open};
use crate::clients::hosts::{Bytestream, Container, HostRead, HostWrite};
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
    making: TaskTracker,
    given_up: CancellationToken,
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
        let engine = Arc::new(open(address, &Options::from_environment()).await?);
        Ok(Self { engine, making: TaskTracker::new(), given_up: CancellationToken::new() })
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
        let what = format!("make the volume {name}");
        let request = VolumeCreateRequest {
            name: Some(name.to_owned()),
            labels: Some(hashed(labels)),
            ..VolumeCreateRequest::default()
        };
        let making = move |engine: Arc<Engine>| async move {
            engine.docker.create_volume(request).await.map(drop).map_err(engine.failed(what))
        };
        self.finish(making).await
    }

    /// Makes a container as the port does, not started; gives its id.
    pub async fn create(&self, definition: Container) -> ClientResult<String> {
        self.finish(move |engine| async move { engine.create(&definition).await }).await
    }

    /// The same, with this address in its first network.
    pub async fn create_at(&self, definition: &Container, address: Ipv4Addr) -> ClientResult<String> {
        let what = format!("create the container {} at {address}", definition.name);
        let mut body = define::body(definition, &definition.image);
        let endpoints = body.networking_config.as_mut().and_then(|n| n.endpoints_config.as_mut());
        for endpoint in endpoints.into_iter().flat_map(HashMap::values_mut) {
            endpoint.ipam_config =
                Some(EndpointIpamConfig { ipv4_address: Some(address.to_string()), ..EndpointIpamConfig::default() });
        }
        let options = CreateContainerOptionsBuilder::default().name(&definition.name).build();
        let making = move |engine: Arc<Engine>| async move {
            let made = engine.docker.create_container(Some(options), body).await;
            Ok(made.map_err(engine.failed(what))?.id)
        };
        self.finish(making).await
    }

    /// Starts a container; one that runs already is no error.
    pub async fn start(&self, container: &str) -> ClientResult<()> {
        let container = container.to_owned();
        self.finish(move |engine| async move { engine.start(&container).await }).await
    }

    /// Unpacks a tar stream below a directory inside a container, which need not run.
    pub async fn write(&self, container: &str, directory: &str, tar: Bytestream) -> ClientResult<()> {
        let (container, directory) = (container.to_owned(), directory.to_owned());
        let tar = tar.take_until(self.given_up.clone().cancelled_owned()).boxed();
        self.finish(move |engine| async move { engine.write(&container, &directory, tar).await }).await
    }

    /// A path inside a container as a tar stream.
    pub async fn read(&self, container: &str, path: &str) -> ClientResult<Bytestream> {
        let (container, path) = (container.to_owned(), path.to_owned());
        self.finish(move |engine| async move { engine.read(&container, &path).await }).await
    }

    /// One file inside a container, whole.
    pub async fn read_file(&self, container: &str, path: &str) -> ClientResult<Bytes> {
        let (container, path) = (container.to_owned(), path.to_owned());
        self.finish(move |engine| async move { engine.read_file(&container, &path).await }).await
    }

    /// Ends what is being written and waits until nothing is being made any more: whoever gave up waiting for it in
    /// the middle finds it all there then. From now on nothing can be written.
    pub async fn settled(&self) {
        self.given_up.cancel();
        self.making.close();
        self.making.wait().await;
        self.making.reopen();
    }

    /// Sees a call through to its end, also when nobody waits for it any more. An engine goes on with what it was asked
    /// for, and would otherwise bring it forth after everything was removed: a container, and with it, or with a look
    /// into it, a volume once more.
    async fn finish<T, F>(&self, making: impl FnOnce(Arc<Engine>) -> F) -> ClientResult<T>
    where
        T: Send + 'static,
        F: Future<Output = ClientResult<T>> + Send + 'static,
    {
        let made = self.making.spawn(making(Arc::clone(&self.engine))).await;
        made.unwrap_or_else(|error| Err(ClientError::new(Kind::Unanswered, "make something", error.to_string())))
    }

    /// The address of a running container in a network.
    pub async fn address_of(&self, container: &str, network: &str) -> ClientResult<Ipv4Addr> {
        let found = self.engine.container(container).await?;
        let address =
            found.iter().flat_map(|c| &c.networks).find(|a| a.network == network).and_then(|a| a.address.parse().ok());
        address.ok_or_else(|| {
            let what = format!("find the address of {container} in {network}");
            ClientError::new(Kind::NotFound, what, "it has none: it does not run there (see `docker logs`)")
        })
    }
}

fn hashed(labels: &Labels) -> HashMap<String, String> {
    labels.clone().into_iter().collect()
}
