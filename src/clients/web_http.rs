//! HTTP probes over the wire.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::Request;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::any_certificate::AnyCertificate;
use super::hosts::Duplex;
use super::web::{Answered, Probe, Web};
use super::{ClientError, ClientResult, Kind};

/// How long a probe may take in all.
const LIMIT: Duration = Duration::from_secs(10);
/// How much of an answer's body is kept.
const BODY: usize = 64 << 10;

/// Sends probes, each over a connection of its own, as a new visitor would.
pub struct HttpWeb {
    trusting: TlsConnector,
    checking: TlsConnector,
}

impl HttpWeb {
    /// With the system's certificate authorities, and these besides.
    ///
    /// # Errors
    /// If the TLS library has no usable default, which is a build fault.
    pub fn new(extra_roots: &[CertificateDer<'static>]) -> Result<Self, rustls::Error> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut roots = rustls::RootCertStore::empty();
        // A certificate of the system that cannot be read is one the system does not use either.
        let (_, _) = roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        let (_, _) = roots.add_parsable_certificates(extra_roots.iter().cloned());
        let versions =
            ClientConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions()?;
        let checking = versions.clone().with_root_certificates(roots).with_no_client_auth();
        // As a balancer takes those of its targets.
        let trusting = versions
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(AnyCertificate(provider)))
            .with_no_client_auth();
        Ok(Self { trusting: Arc::new(trusting).into(), checking: Arc::new(checking).into() })
    }

    async fn try_send(&self, probe: &Probe) -> Result<Answered, String> {
        let uri: hyper::Uri = probe.url.parse().map_err(|e| format!("no address: {e}"))?;
        let host = uri.host().ok_or("the address has no host")?.trim_matches(['[', ']']).to_owned();
        let tls = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err("the address begins neither with http:// nor with https://".to_owned()),
        };
        let port = uri.port_u16().unwrap_or(if tls { 443 } else { 80 });
        let tcp = match probe.connect_to {
            Some(address) => TcpStream::connect(address).await,
            None => TcpStream::connect((host.as_str(), port)).await,
        };
        let tcp = tcp.map_err(|e| format!("no connection: {e}"))?;
        let request = request(probe, &uri)?;
        if !tls {
            return exchange(tcp, request).await;
        }
        let name = ServerName::try_from(host).map_err(|e| e.to_string())?;
        // Whoever names the host directly stands where a balancer stands, which does not validate either.
        let connector = if probe.connect_to.is_some() { &self.trusting } else { &self.checking };
        let stream = connector.connect(name, tcp).await.map_err(|e| format!("no TLS: {e}"))?;
        exchange(stream, request).await
    }
}

#[async_trait]
impl Web for HttpWeb {
    async fn send(&self, probe: &Probe) -> ClientResult<Answered> {
        let why = match tokio::time::timeout(LIMIT, self.try_send(probe)).await {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(why)) => why,
            Err(_) => format!("no answer within {} seconds", LIMIT.as_secs()),
        };
        let to = probe.connect_to.map(|address| format!(" at {address}")).unwrap_or_default();
        Err(ClientError::new(Kind::Unanswered, format!("{} {}{to}", probe.method, probe.url), why))
    }
}

/// Sends one probe, without TLS, over a stream that is open already: to a container's port, through its engine.
///
/// # Errors
/// [`Kind::Unanswered`] if what is there does not answer in HTTP within ten seconds.
pub async fn send_over(stream: Box<dyn Duplex>, probe: &Probe) -> ClientResult<Answered> {
    let asked = async {
        let uri = probe.url.parse().map_err(|e| format!("no address: {e}"))?;
        exchange(stream, request(probe, &uri)?).await
    };
    let why = match tokio::time::timeout(LIMIT, asked).await {
        Ok(Ok(answer)) => return Ok(answer),
        Ok(Err(why)) => why,
        Err(_) => format!("no answer within {} seconds", LIMIT.as_secs()),
    };
    Err(ClientError::new(Kind::Unanswered, format!("{} {}", probe.method, probe.url), why))
}

fn request(probe: &Probe, uri: &hyper::Uri) -> Result<Request<Empty<Bytes>>, String> {
    let target = uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
    let host = uri.authority().map(http::uri::Authority::as_str).unwrap_or_default();
    let mut request = Request::builder().method(probe.method.as_str()).uri(target);
    if !probe.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
        request = request.header("host", host);
    }
    if !probe.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("user-agent")) {
        request = request.header("user-agent", concat!("outgrow/", env!("CARGO_PKG_VERSION")));
    }
    for (name, value) in &probe.headers {
        request = request.header(name, value);
    }
    request.header("connection", "close").body(Empty::new()).map_err(|e| e.to_string())
}

async fn exchange<S>(stream: S, request: Request<Empty<Bytes>>) -> Result<Answered, String>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin + 'static,
{
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|e| e.to_string())?;
    let asked = async {
        let answer = sender.send_request(request).await.map_err(|e| e.to_string())?;
        let (head, mut body) = answer.into_parts();
        let mut kept: Vec<u8> = Vec::new();
        while kept.len() < BODY
            && let Some(frame) = body.frame().await
        {
            if let Ok(data) = frame.map_err(|e| e.to_string())?.into_data() {
                kept.extend_from_slice(&data);
            }
        }
        kept.truncate(BODY);
        let header = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
            (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        };
        Ok(Answered {
            status: head.status.as_u16(),
            headers: head.headers.iter().map(header).collect(),
            body: String::from_utf8_lossy(&kept).into_owned(),
        })
    };
    // The connection does the work; it ends with the answer, or instead of one.
    tokio::pin!(connection, asked);
    tokio::select! {
        answer = &mut asked => answer,
        ended = &mut connection => match ended {
            Ok(()) => asked.await,
            Err(e) => Err(e.to_string()),
        },
    }
}

#[cfg(test)]
mod tests;
