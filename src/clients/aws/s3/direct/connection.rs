//! Connections to one endpoint, kept open between requests.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1::{Builder, SendRequest};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// How long connecting may take.
const CONNECT: Duration = Duration::from_secs(5);
/// How much of an answer is read; S3's errors are short.
const ANSWER: usize = 256 << 10;

/// Where an endpoint is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Endpoint {
    pub tls: bool,
    pub host: String,
    pub port: u16,
}

/// Open connections that nobody uses just now.
pub(super) struct Connections {
    endpoint: Endpoint,
    tls: Option<TlsConnector>,
    idle: Mutex<Vec<SendRequest<Full<Bytes>>>>,
}

/// How a request ended without an answer.
pub(super) enum Broken {
    /// A kept connection was closed by the other side before the request went out.
    Stale,
    /// Anything else.
    Failed(String),
}

impl Connections {
    /// None is open yet.
    ///
    /// # Errors
    /// If the TLS library has no usable default, which is a build fault.
    pub(super) fn to(endpoint: Endpoint) -> Result<Self, rustls::Error> {
        let tls = if endpoint.tls { Some(connector()?) } else { None };
        Ok(Self { endpoint, tls, idle: Mutex::default() })
    }

    /// Sends a request and reads the whole answer.
    pub(super) async fn send(&self, request: Request<Full<Bytes>>) -> Result<Response<Bytes>, Broken> {
        let kept = self.kept();
        let stale = kept.is_some();
        let mut connection = match kept {
            Some(connection) => connection,
            None => self.open().await.map_err(|error| Broken::Failed(format!("no connection: {error}")))?,
        };
        let answer = match connection.send_request(request).await {
            Ok(answer) => answer,
            Err(error) if stale && (error.is_canceled() || error.is_closed()) => return Err(Broken::Stale),
            Err(error) => return Err(Broken::Failed(chain(&error))),
        };
        let (head, body) = answer.into_parts();
        let body = Limited::new(body, ANSWER).collect().await;
        let body = body.map_err(|error| Broken::Failed(format!("the answer broke off: {error}")))?.to_bytes();
        if !connection.is_closed() {
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        }
        Ok(Response::from_parts(head, body))
    }

    /// One that is still open, the last used first.
    fn kept(&self) -> Option<SendRequest<Full<Bytes>>> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(connection) = idle.pop() {
            if connection.is_ready() {
                return Some(connection);
            }
        }
        None
    }

    async fn open(&self) -> io::Result<SendRequest<Full<Bytes>>> {
        let late = |_| io::Error::new(io::ErrorKind::TimedOut, format!("none within {} s", CONNECT.as_secs()));
        tokio::time::timeout(CONNECT, self.dial()).await.map_err(late)?
    }

    async fn dial(&self) -> io::Result<SendRequest<Full<Bytes>>> {
        let tcp = TcpStream::connect((self.endpoint.host.as_str(), self.endpoint.port)).await?;
        tcp.set_nodelay(true)?;
        let Some(tls) = &self.tls else { return handshake(tcp).await };
        let name = ServerName::try_from(self.endpoint.host.clone()).map_err(io::Error::other)?;
        handshake(tls.connect(name, tcp).await?).await
    }
}

async fn handshake<S>(stream: S) -> io::Result<SendRequest<Full<Bytes>>>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    let (sender, connection) = Builder::new().handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
    // How a connection ended is told by the request that was on it.
    tokio::spawn(async move { drop(connection.await) });
    Ok(sender)
}

fn connector() -> Result<TlsConnector, rustls::Error> {
    let mut roots = rustls::RootCertStore::empty();
    // A certificate of the system that cannot be read is one the system does not use either.
    let (_, _) = roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config).into())
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}
