//! A host's Docker engine over its own API: [`super::hosts`] fulfilled with bollard.
//!
//! `place` opens a byte stream to the engine (Unix socket, TLS, SSH tunnel), `transport` speaks HTTP over it,
//! `inspect` and `define` translate definitions, `read` and `write` are the port, `dial` reaches a container's port.

mod archive;
mod define;
mod dial;
mod error;
mod inspect;
pub mod lab;
mod place;
mod read;
mod rest;
mod stall;
mod tls;
mod transport;
mod tunnel;
mod write;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bollard::{API_DEFAULT_VERSION, BollardRequest, Docker};

use super::ClientResult;
use super::hosts::HostWrite;
use crate::site::EngineAddress;
use place::Place;

/// How long a call may take until its answer begins. Streams have [`stall`] instead.
const PATIENCE: Duration = Duration::from_mins(2);
/// Streams may take as long as they move.
const NO_LIMIT: Duration = Duration::from_hours(7 * 24);

/// What the address alone does not say.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Another configuration file for the system's `ssh` (its `-F`).
    pub ssh_config: Option<PathBuf>,
}

impl Options {
    /// From the environment: `OUTGROW_SSH_CONFIG` names a configuration file for `ssh`.
    pub fn from_environment() -> Self {
        Self { ssh_config: std::env::var_os("OUTGROW_SSH_CONFIG").map(PathBuf::from) }
    }
}

/// An engine that answered.
struct Engine {
    /// For calls that answer soon.
    docker: Docker,
    /// For calls that stream.
    streams: Docker,
    place: Arc<Place>,
    address: String,
}

/// Connects to an engine, with the options of the environment.
///
/// # Errors
/// [`super::Kind::Unanswered`] if no engine answers there, with what to do about it.
pub async fn connect(address: &EngineAddress) -> ClientResult<Arc<dyn HostWrite>> {
    connect_with(address, &Options::from_environment()).await
}

/// Connects to an engine and agrees on the newest API version that both sides know.
///
/// # Errors
/// As [`connect`].
pub async fn connect_with(address: &EngineAddress, options: &Options) -> ClientResult<Arc<dyn HostWrite>> {
    Ok(Arc::new(open(address, options).await?))
}

async fn open(address: &EngineAddress, options: &Options) -> ClientResult<Engine> {
    let what = format!("reach the Docker engine at {address}");
    let place = Arc::new(Place::new(address, options).map_err(|e| error::place(&what, &e))?);
    let way = Arc::clone(&place);
    let transport = move |request: BollardRequest| transport::send(Arc::clone(&way), request);
    let docker = Docker::connect_with_custom_transport(
        transport,
        Some("http://docker"),
        PATIENCE.as_secs(),
        API_DEFAULT_VERSION,
    );
    let docker = match docker {
        Ok(docker) => docker.negotiate_version().await,
        Err(e) => Err(e),
    };
    let docker = docker.map_err(|e| error::client(&what, &e, &place))?;
    let streams = docker.clone().with_timeout(NO_LIMIT);
    Ok(Engine { docker, streams, place, address: address.to_string() })
}

impl Engine {
    /// Turns bollard's error into ours.
    fn failed(&self, what: impl AsRef<str>) -> impl Fn(bollard::errors::Error) -> super::ClientError + '_ {
        let what = format!("{} on {}", what.as_ref(), self.address);
        move |e| error::client(&what, &e, &self.place)
    }
}
