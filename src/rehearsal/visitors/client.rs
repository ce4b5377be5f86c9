//! A visitor's HTTP client: its own resolver, one kept-alive connection for each place, no redirects followed.
//!
//! Nothing that was sent is sent again but idempotent requests on a reused connection that closed without an answer.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode, Uri, header};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::resolver::Resolver;
use crate::rehearsal::edge::{edge_port, is_edge, provider};

/// A connector that trusts the authorities of `pems`; each may hold several.
pub fn connector<'a>(pems: impl Iterator<Item = &'a str>) -> Result<TlsConnector, String> {
    let mut roots = RootCertStore::empty();
    for pem in pems {
        for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
            let certificate = certificate.map_err(|e| format!("not a certificate in PEM: {e}"))?;
            roots.add(certificate).map_err(|e| format!("not a certificate to trust: {e}"))?;
        }
    }
    let mut config = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(|e| e.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsConnector::from(Arc::new(config)))
}

/// A whole answer.
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

/// How a request ended, and the address it went to, if it had one by then.
pub struct Fetched {
    pub address: Option<IpAddr>,
    /// The answer, or in a few words why there is none.
    pub answer: Result<Answer, String>,
}

/// Scheme and host as in the URL, and the socket: a name that moves gets a connection to its new place.
type Place = (bool, String, SocketAddr);

/// One visitor's client.
pub struct Client {
    resolver: Resolver,
    tls: TlsConnector,
    timeout: Duration,
    open: HashMap<Place, SendRequest<Full<Bytes>>>,
}

impl Client {
    /// A client with nothing open.
    pub fn new(resolver: Resolver, tls: TlsConnector, timeout: Duration) -> Self {
        Self { resolver, tls, timeout, open: HashMap::new() }
    }

    /// Sends a request whose URI is absolute and reads the whole answer.
    pub async fn fetch(&mut self, request: Request<Bytes>) -> Fetched {
        let mut address = None;
        let timeout = self.timeout;
        let answer = match tokio::time::timeout(timeout, self.exchange(request, &mut address)).await {
            Ok(answer) => answer,
            Err(_) => Err("no answer in time".into()),
        };
        Fetched { address, answer }
    }

    async fn exchange(&mut self, request: Request<Bytes>, address: &mut Option<IpAddr>) -> Result<Answer, String> {
        let (place, request) = self.place(request).await?;
        *address = Some(place.2.ip());
        // Taken out while in use: a request that is given up takes its connection with it.
        let kept = self.open.remove(&place).filter(SendRequest::is_ready);
        let again = (kept.is_some() && request.method().is_idempotent()).then(|| request.clone());
        let (response, sender) = match kept {
            None => send(self.connect(&place).await?, request).await.map_err(|(why, _)| why)?,
            Some(sender) => match send(sender, request).await {
                Ok(sent) => sent,
                Err((why, unsent)) => {
                    let request = unsent.or(again).ok_or(why)?;
                    send(self.connect(&place).await?, request).await.map_err(|(why, _)| why)?
                }
            },
        };
        let (parts, body) = response.into_parts();
        let body = body.collect().await.map_err(|_| "the answer broke off".to_owned())?.to_bytes();
        self.keep(place, sender).await;
        Ok(Answer { status: parts.status, headers: parts.headers, body })
    }

    /// Resolves the host and turns the request into one for its server.
    async fn place(&mut self, request: Request<Bytes>) -> Result<(Place, Request<Full<Bytes>>), String> {
        let (mut parts, body) = request.into_parts();
        let https = parts.uri.scheme_str() == Some("https");
        let host = parts.uri.host().ok_or("no host in the URL")?.to_ascii_lowercase();
        let ip = self.resolver.resolve(&host).await?;
        let port = parts.uri.port_u16().unwrap_or(if https { 443 } else { 80 });
        let port = if is_edge(ip) { edge_port(port) } else { port };
        let authority = parts.uri.authority().map_or(host.as_str(), |a| a.as_str());
        let authority = http::HeaderValue::try_from(authority).map_err(|e| e.to_string())?;
        parts.headers.insert(header::HOST, authority);
        let path = parts.uri.path_and_query().cloned();
        parts.uri = path.map_or_else(|| Uri::from_static("/"), Uri::from);
        Ok(((https, host, SocketAddr::new(ip, port)), Request::from_parts(parts, Full::new(body))))
    }

    async fn connect(&self, (https, host, socket): &Place) -> Result<SendRequest<Full<Bytes>>, String> {
        let stream = TcpStream::connect(socket).await.map_err(|e| format!("connect: {}", e.kind()))?;
        let _ = stream.set_nodelay(true);
        if !https {
            return handshake(stream).await;
        }
        let name = ServerName::try_from(host.clone()).map_err(|_| "tls: not a name".to_owned())?;
        let stream = self.tls.connect(name, stream).await.map_err(|e| format!("tls: {e}"))?;
        handshake(stream).await
    }

    /// Keeps a connection that is open for more; whether it is, is known at once after a whole answer.
    async fn keep(&mut self, place: Place, mut sender: SendRequest<Full<Bytes>>) {
        if let Ok(Ok(())) = tokio::time::timeout(Duration::from_millis(100), sender.ready()).await {
            self.open.retain(|_, sender| !sender.is_closed());
            self.open.insert(place, sender);
        }
    }
}

type Sent = (http::Response<hyper::body::Incoming>, SendRequest<Full<Bytes>>);

/// Sends; a request of which not a byte was written comes back with the error.
async fn send(
    mut sender: SendRequest<Full<Bytes>>,
    request: Request<Full<Bytes>>,
) -> Result<Sent, (String, Option<Request<Full<Bytes>>>)> {
    match sender.try_send_request(request).await {
        Ok(response) => Ok((response, sender)),
        Err(mut error) => {
            let request = error.take_message();
            Err(("the connection closed without an answer".into(), request))
        }
    }
}

async fn handshake<T>(stream: T) -> Result<SendRequest<Full<Bytes>>, String>
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(|e| format!("http: {e}"))?;
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a visitor's connection ended badly");
        }
    });
    Ok(sender)
}
