//! Opens a connection: the driver logs in, then its stream is taken over. TLS lies below, so that it stays.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use rustls::pki_types::ServerName;
use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tokio_postgres::NoTls;
use tokio_postgres::config::SslMode;
use tokio_rustls::TlsConnector;

use super::message::Inbox;
use super::{ByteStream, Endpoint, Error, Wire, session};
use crate::clients::postgres::{CONNECT_TIMEOUT, Tls, Transport, tls};

/// The message that asks for TLS: its length and a code that is no protocol version.
const TLS_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];

pub(in crate::clients::postgres) async fn open(endpoint: &Endpoint) -> Result<Wire, Error> {
    let failed = |error: &dyn std::fmt::Display| session::connect_error(endpoint, error.to_string());
    let attempt = async {
        let plain = dial(endpoint).await?;
        let stream = match &endpoint.tls {
            Tls::Disable => plain,
            Tls::Require => secure(endpoint, plain, None).await?,
            Tls::VerifyFull(pem) => secure(endpoint, plain, Some(pem)).await?,
        };
        let shared = Shared(Arc::new(Mutex::new(stream)));
        let mut config = endpoint.config();
        config.ssl_mode(SslMode::Disable);
        let connected = config.connect_raw(shared.clone(), NoTls).await;
        let (client, connection) = connected.map_err(|error| Error::connect(endpoint.to_string(), &error))?;
        let version = session::version_of(endpoint, connection.parameter("server_version"))?;
        let token = client.cancel_token();
        // Never polled, the driver's connection has sent nothing since the login, and a server that was asked nothing
        // says nothing: no byte is lost with it.
        drop((client, connection));
        let stream = Arc::try_unwrap(shared.0).map_err(|_| failed(&"the driver kept its stream"))?;
        let stream = stream.into_inner().unwrap_or_else(PoisonError::into_inner);
        Ok((stream, version, token))
    };
    let late = || session::connect_error(endpoint, format!("no answer within {} s", CONNECT_TIMEOUT.as_secs()));
    let opened = tokio::time::timeout(CONNECT_TIMEOUT, attempt).await.map_err(|_| late())?;
    let (stream, version, token) = opened?;
    let (endpoint, server) = (endpoint.clone(), endpoint.to_string());
    let mut wire = Wire { stream, inbox: Inbox::default(), endpoint, server, version, token, busy: false };
    wire.run(&session::settings(version)).await?;
    Ok(wire)
}

async fn dial(endpoint: &Endpoint) -> Result<ByteStream, Error> {
    let failed = |error: io::Error| session::connect_error(endpoint, error.to_string());
    match &endpoint.transport {
        Transport::Stream(_) => Ok(session::dial(endpoint).await?.0),
        Transport::Tcp { host, port, .. } if host.starts_with('/') => {
            Ok(Box::new(UnixStream::connect(format!("{host}/.s.PGSQL.{port}")).await.map_err(failed)?))
        }
        Transport::Tcp { host, port, address } => {
            let connected = match address {
                Some(address) => TcpStream::connect((*address, *port)).await,
                None => TcpStream::connect((host.as_str(), *port)).await,
            };
            let stream = connected.map_err(failed)?;
            watch(&stream).map_err(failed)?;
            Ok(Box::new(stream))
        }
    }
}

/// A peer that is gone without a word is noticed as soon as on the driver's connections.
fn watch(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let socket = SockRef::from(stream);
    let often = TcpKeepalive::new().with_time(Duration::from_secs(15)).with_interval(Duration::from_secs(5));
    socket.set_tcp_keepalive(&often.with_retries(3))?;
    #[cfg(target_os = "linux")]
    socket.set_tcp_user_timeout(Some(Duration::from_secs(30)))?;
    Ok(())
}

async fn secure(endpoint: &Endpoint, mut plain: ByteStream, authorities: Option<&str>) -> Result<ByteStream, Error> {
    let failed = |why: String| session::connect_error(endpoint, why);
    plain.write_all(&TLS_REQUEST).await.map_err(|error| failed(error.to_string()))?;
    let answer = plain.read_u8().await.map_err(|error| failed(error.to_string()))?;
    if answer != b'S' {
        return Err(failed("the server does not speak TLS".to_owned()));
    }
    let host = match &endpoint.transport {
        Transport::Tcp { host, .. } => host.as_str(),
        Transport::Stream(_) => "localhost",
    };
    let name = ServerName::try_from(host.to_owned()).map_err(|error| failed(error.to_string()))?;
    let config = tls::config(authorities).map_err(failed)?;
    let secured = TlsConnector::from(Arc::new(config)).connect(name, plain).await;
    Ok(Box::new(secured.map_err(|error| failed(error.to_string()))?))
}

/// A stream that is taken back from the driver.
#[derive(Clone)]
struct Shared(Arc<Mutex<ByteStream>>);

impl Shared {
    fn with<T>(&self, act: impl FnOnce(Pin<&mut ByteStream>) -> T) -> T {
        act(Pin::new(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner)))
    }
}

impl AsyncRead for Shared {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.with(|stream| stream.poll_read(cx, buf))
    }
}

impl AsyncWrite for Shared {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.with(|stream| stream.poll_write(cx, buf))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.with(|stream| stream.poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.with(|stream| stream.poll_shutdown(cx))
    }
}
