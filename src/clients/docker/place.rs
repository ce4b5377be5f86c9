//! Where an engine is, and how a byte stream to it is opened: one for every request.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::TlsConnector;

use super::tunnel::Tunnel;
use super::{Options, tls};
use crate::clients::hosts::Duplex;
use crate::site::EngineAddress;

const CONNECT: Duration = Duration::from_secs(10);

/// Where an engine is.
pub(super) enum Place {
    Unix(PathBuf),
    Tls { host: String, port: u16, name: ServerName<'static>, connector: TlsConnector },
    Ssh(Box<Tunnel>),
}

impl Place {
    /// Reads certificates; connects to nothing yet.
    pub(super) fn new(address: &EngineAddress, options: &Options) -> io::Result<Self> {
        Ok(match address {
            EngineAddress::Unix(path) => Self::Unix(path.into()),
            EngineAddress::Tcp { host, port, certs } => {
                let bare = host.trim_start_matches('[').trim_end_matches(']').to_owned();
                let name = ServerName::try_from(bare.clone())
                    .map_err(|e| io::Error::new(io::ErrorKind::InvalidInput, format!("{bare}: {e}")))?;
                let config = tls::client(std::path::Path::new(certs))?;
                Self::Tls { host: bare, port: *port, name, connector: TlsConnector::from(Arc::new(config)) }
            }
            EngineAddress::Ssh { destination } => {
                Self::Ssh(Box::new(Tunnel::new(destination, options.ssh_config.clone())?))
            }
        })
    }

    /// Whether containers' own addresses can be expected to be reachable from here.
    pub(super) fn is_local(&self) -> bool {
        matches!(self, Self::Unix(_))
    }

    /// Opens a stream to the engine.
    pub(super) async fn open(&self) -> io::Result<Box<dyn Duplex>> {
        match self {
            Self::Unix(path) => Ok(Box::new(UnixStream::connect(path).await?)),
            Self::Tls { host, port, name, connector } => {
                let secured = async {
                    let tcp = TcpStream::connect((host.as_str(), *port)).await?;
                    tcp.set_nodelay(true)?;
                    connector.connect(name.clone(), tcp).await
                };
                match tokio::time::timeout(CONNECT, secured).await {
                    Ok(stream) => Ok(Box::new(stream?)),
                    Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, "no answer within 10 s")),
                }
            }
            Self::Ssh(tunnel) => Ok(Box::new(tunnel.open().await?)),
        }
    }

    /// What the way there says about a failure, if it says anything (`ssh` does, on standard error).
    pub(super) fn trouble(&self) -> Option<String> {
        match self {
            Self::Ssh(tunnel) => tunnel.said(),
            _ => None,
        }
    }
}
