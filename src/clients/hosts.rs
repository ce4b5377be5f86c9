//! The port to a host's Docker engine.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use serde::{Deserialize, Serialize};

use super::ClientResult;

/// A stream of bytes from or to an engine.
pub type Bytestream = BoxStream<'static, std::io::Result<Bytes>>;

/// A two-way byte stream into a container's network.
pub trait Duplex: tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin {}
impl<T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin> Duplex for T {}

/// A container's definition, as far as it has to be carried over, and its state.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Container {
    /// The engine's id.
    pub id: String,
    /// Its name, without the leading slash.
    pub name: String,
    /// The image's name as the definition gives it.
    pub image: String,
    /// The image's id.
    pub image_id: String,
    /// Whether it runs.
    pub running: bool,
    /// The environment, in order. Values may be secret: they never go to a log.
    pub env: Vec<(String, String)>,
    /// Entry point, if the definition sets one.
    pub entrypoint: Option<Vec<String>>,
    /// Command, if the definition sets one.
    pub command: Option<Vec<String>>,
    /// Working directory; empty for the image's.
    pub workdir: String,
    /// User; empty for the image's.
    pub user: String,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// Published ports.
    pub ports: Vec<PublishedPort>,
    /// Mounts.
    pub mounts: Vec<Mount>,
    /// Networks it is on.
    pub networks: Vec<Attachment>,
    /// `no`, `always`, `unless-stopped`, `on-failure`.
    pub restart: String,
    /// Host name.
    pub hostname: String,
    /// Whatever else its definition holds that outgrow does not model, told to the operator (privileged, devices …).
    pub unmodelled: Vec<String>,
    /// The rest of the definition in the engine's own words (limits, health check, logging …), carried over by
    /// [`HostWrite::create`] untouched; null if there is none. May be secret, as the environment.
    #[serde(default)]
    pub rest: serde_json::Value,
}

/// A published port.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublishedPort {
    /// Inside.
    pub container: u16,
    /// `tcp` or `udp`.
    pub protocol: String,
    /// The host's address; empty for all.
    pub address: String,
    /// Outside.
    pub host: u16,
}

/// A mount.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mount {
    /// `bind`, `volume` or `tmpfs`.
    pub kind: String,
    /// The host's path or the volume's name.
    pub source: String,
    /// The path inside.
    pub target: String,
    /// Read-only.
    pub read_only: bool,
}

/// A container's place in a network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// The network's name.
    pub network: String,
    /// The container's names in it.
    pub aliases: Vec<String>,
    /// The container's address in it; empty when it does not run.
    pub address: String,
}

/// An image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// The engine's id.
    pub id: String,
    /// `x86_64`, `aarch64`; empty if it does not say.
    pub architecture: String,
    /// Bytes of its layers, unpacked.
    pub bytes: u64,
}

/// What can be looked up.
#[async_trait]
pub trait HostRead: Send + Sync {
    /// How the engine is reached, for messages.
    fn address(&self) -> String;

    /// The engine's version and architecture (`x86_64`, `aarch64`) (law L8).
    async fn engine(&self) -> ClientResult<(String, String)>;

    /// The container of this name or id, if there is one.
    async fn container(&self, name: &str) -> ClientResult<Option<Container>>;

    /// All containers, running or not.
    async fn containers(&self) -> ClientResult<Vec<Container>>;

    /// Whether the engine holds an image of this id.
    async fn has_image(&self, image_id: &str) -> ClientResult<bool>;

    /// The image behind a name or an id, if there is one.
    async fn image(&self, image: &str) -> ClientResult<Option<Image>>;

    /// The labels of the network of this name, if there is one.
    async fn network(&self, name: &str) -> ClientResult<Option<BTreeMap<String, String>>>;

    /// Paths that a container added or changed in its own layer: what its image and its mounts do not hold.
    async fn own_changes(&self, container: &str) -> ClientResult<Vec<String>>;

    /// A path inside a container as a tar stream. [`super::Kind::NotFound`] if it is not there.
    async fn read(&self, container: &str, path: &str) -> ClientResult<Bytestream>;

    /// One file inside a container, whole (at most 16 MiB).
    async fn read_file(&self, container: &str, path: &str) -> ClientResult<Bytes>;

    /// Images with their layers as one tar stream, for [`HostWrite::load_images`].
    async fn save_images(&self, images: &[String]) -> ClientResult<Bytestream>;

    /// A connection to a TCP port inside the container's network, also where none is published.
    async fn dial(&self, container: &str, port: u16) -> ClientResult<Box<dyn Duplex>>;

    /// The processes of a running container: the host's process id, and the command line as it shows.
    async fn processes(&self, container: &str) -> ClientResult<Vec<(u32, String)>>;

    /// The last lines of a container's output, for messages.
    async fn logs(&self, container: &str, lines: usize) -> ClientResult<String>;
}

/// What can be changed.
#[async_trait]
pub trait HostWrite: HostRead {
    /// Loads images from a stream of [`HostRead::save_images`].
    async fn load_images(&self, stream: Bytestream) -> ClientResult<()>;

    /// Removes an image unless a container uses it; one that is gone already is no error.
    async fn remove_image(&self, image: &str) -> ClientResult<()>;

    /// Makes a network if it is not there, labelled.
    async fn ensure_network(&self, name: &str, labels: &BTreeMap<String, String>) -> ClientResult<()>;

    /// Removes a network; one that is gone already is no error.
    async fn remove_network(&self, name: &str) -> ClientResult<()>;

    /// Makes a container of this definition (name, image, env …), not started, and returns its id.
    /// A taken name is [`super::Kind::Conflict`].
    async fn create(&self, definition: &Container) -> ClientResult<String>;

    /// Starts a container; one that runs already is no error.
    async fn start(&self, container: &str) -> ClientResult<()>;

    /// Stops a container, killing it after `grace_seconds`; one that is stopped or gone already is no error.
    async fn stop(&self, container: &str, grace_seconds: u32) -> ClientResult<()>;

    /// Renames a container.
    async fn rename(&self, container: &str, name: &str) -> ClientResult<()>;

    /// Removes a stopped container, keeping named volumes; one that is gone already is no error.
    async fn remove(&self, container: &str) -> ClientResult<()>;

    /// Puts a container on a network under these names.
    async fn connect(&self, container: &str, attachment: &Attachment) -> ClientResult<()>;

    /// Takes a container off a network; one that is not on it is no error.
    async fn disconnect(&self, container: &str, network: &str) -> ClientResult<()>;

    /// Unpacks a tar stream below a directory inside a container, which need not run.
    async fn write(&self, container: &str, directory: &str, tar: Bytestream) -> ClientResult<()>;

    /// Sends a signal (`SIGHUP`) to a container's main process.
    async fn signal(&self, container: &str, signal: &str) -> ClientResult<()>;
}

/// A shared handle that only reads.
pub type Reader = Arc<dyn HostRead>;
