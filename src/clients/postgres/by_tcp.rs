//! A server's own port or socket as a dialled stream.

use std::fmt;
use std::io;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use tokio::net::{TcpStream, UnixStream};

use super::{ByteStream, Dial, Endpoint, Transport};

/// Host name, address, or a Unix socket's directory; and the port.
struct ByTcp {
    host: String,
    port: u16,
    address: Option<IpAddr>,
}

impl fmt::Debug for ByTcp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

#[async_trait::async_trait]
impl Dial for ByTcp {
    async fn dial(&self) -> io::Result<ByteStream> {
        if self.host.starts_with('/') {
            let path = Path::new(&self.host).join(format!(".s.PGSQL.{}", self.port));
            return Ok(Box::new(UnixStream::connect(path).await?));
        }
        let stream = match self.address {
            Some(address) => TcpStream::connect((address, self.port)).await?,
            None => TcpStream::connect((self.host.as_str(), self.port)).await?,
        };
        stream.set_nodelay(true)?;
        Ok(Box::new(stream))
    }

    fn host(&self) -> &str {
        &self.host
    }
}

/// The same server, always reached by a dialled stream.
pub(super) fn dialled(endpoint: &Endpoint) -> Endpoint {
    match &endpoint.transport {
        Transport::Tcp { host, port, address } => {
            let by = ByTcp { host: host.clone(), port: *port, address: *address };
            let transport = Transport::Stream(Arc::new(by));
            Endpoint { transport, ..endpoint.clone() }
        }
        Transport::Stream(_) => endpoint.clone(),
    }
}
