//! The connections to web servers that are origins: kept alive, TLS checked as CloudFront checks it.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::BodyExt;
use hyper::body::{Body as HttpBody, Frame, Incoming, SizeHint};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::rehearsal::edge::body::{Body, BoxError};

/// How long a connection may take, and how often it is tried. Source: CloudFront API reference, `Origin`.
const CONNECT: Duration = Duration::from_secs(10);
/// How long an idle connection is kept. Source: CloudFront API reference, `OriginKeepaliveTimeout`.
const KEPT_FOR: Duration = Duration::from_secs(5);
/// Idle connections kept for one server.
const KEPT: usize = 64;

/// Where a server is, and the name its certificate has to hold for, if TLS is spoken.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Place {
    /// Its address.
    pub address: SocketAddr,
    /// The name.
    pub tls: Option<String>,
}

/// Why a server gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum NoAnswer {
    /// It took too long: 504.
    #[error("the origin took too long")]
    Late,
    /// No connection, no TLS, or no HTTP: 502.
    #[error("the origin gave no good answer: {0}")]
    Bad(String),
}

/// A connection, and since when nobody uses it.
type Idle = (SendRequest<Body>, Instant);

/// The idle connections to all servers.
pub struct Servers {
    tls: TlsConnector,
    idle: Mutex<HashMap<Place, Vec<Idle>>>,
}

impl Servers {
    /// No connection yet; those to come trust what `tls` trusts.
    pub fn new(tls: TlsConnector) -> Self {
        Self { tls, idle: Mutex::default() }
    }

    /// Sends a request, on an idle connection or on a new one.
    pub async fn send(self: &Arc<Self>, to: &Place, request: Request<Body>) -> Result<Response<Body>, NoAnswer> {
        let mut request = request;
        while let Some(mut sender) = self.checkout(to) {
            match sender.try_send_request(request).await {
                Ok(response) => return Ok(self.wrap(response, sender, to)),
                Err(mut error) => match error.take_message() {
                    // Not a byte of it was written: another connection may do.
                    Some(unsent) => request = unsent,
                    None => return Err(NoAnswer::Bad(error.error().to_string())),
                },
            }
        }
        let mut sender = self.connect(to).await?;
        let response = sender.send_request(request).await.map_err(|e| NoAnswer::Bad(e.to_string()))?;
        Ok(self.wrap(response, sender, to))
    }

    fn wrap(self: &Arc<Self>, response: Response<Incoming>, sender: SendRequest<Body>, to: &Place) -> Response<Body> {
        response.map(|inner| {
            let mut reply = Reply { inner, keep: Some((sender, self.clone(), to.clone())) };
            if reply.inner.is_end_stream() {
                reply.give_back();
            }
            reply.boxed_unsync()
        })
    }

    fn checkout(&self, to: &Place) -> Option<SendRequest<Body>> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = idle.get_mut(to)?;
        while let Some((sender, since)) = kept.pop() {
            if since.elapsed() < KEPT_FOR && sender.is_ready() {
                return Some(sender);
            }
        }
        None
    }

    fn keep(&self, to: Place, sender: SendRequest<Body>) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|_, kept| {
            kept.retain(|(sender, since)| since.elapsed() < KEPT_FOR && !sender.is_closed());
            !kept.is_empty()
        });
        let kept = idle.entry(to).or_default();
        if kept.len() < KEPT {
            kept.push((sender, Instant::now()));
        }
    }

    async fn connect(&self, to: &Place) -> Result<SendRequest<Body>, NoAnswer> {
        let bad = |error: &dyn std::fmt::Display| NoAnswer::Bad(error.to_string());
        let connect = async {
            let stream = TcpStream::connect(to.address).await.map_err(|e| bad(&e))?;
            // Failing to set it costs latency only.
            let _ = stream.set_nodelay(true);
            match &to.tls {
                None => handshake(stream).await,
                Some(name) => {
                    let name = ServerName::try_from(name.clone()).map_err(|e| bad(&e))?;
                    handshake(self.tls.connect(name, stream).await.map_err(|e| bad(&e))?).await
                }
            }
        };
        tokio::time::timeout(CONNECT, connect).await.map_err(|_| NoAnswer::Late)?
    }
}

async fn handshake<T>(stream: T) -> Result<SendRequest<Body>, NoAnswer>
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (sender, connection) =
        http1::handshake(TokioIo::new(stream)).await.map_err(|e| NoAnswer::Bad(e.to_string()))?;
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection to an origin ended badly");
        }
    });
    Ok(sender)
}

/// A server's body; it gives the connection back once it is read.
struct Reply {
    inner: Incoming,
    keep: Option<(SendRequest<Body>, Arc<Servers>, Place)>,
}

impl Reply {
    fn give_back(&mut self) {
        let Some((mut sender, servers, place)) = self.keep.take() else { return };
        // The connection has yet to notice that the exchange is over.
        tokio::spawn(async move {
            if let Ok(Ok(())) = tokio::time::timeout(Duration::from_secs(1), sender.ready()).await {
                servers.keep(place, sender);
            }
        });
    }
}

impl HttpBody for Reply {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let frame = ready!(Pin::new(&mut self.inner).poll_frame(cx));
        match &frame {
            Some(Err(_)) => self.keep = None,
            _ if self.inner.is_end_stream() => self.give_back(),
            _ => {}
        }
        Poll::Ready(frame.map(|frame| frame.map_err(Into::into)))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
