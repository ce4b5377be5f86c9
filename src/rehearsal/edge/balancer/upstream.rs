//! The connections to one target: kept alive, handed out to one request at a time, taken back when its answer is read.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::rehearsal::edge::body::Body;

/// How long a target may take to accept a connection. Source: ALB user guide, "Troubleshoot", HTTP 504.
const CONNECT: Duration = Duration::from_secs(10);

/// Idle connections kept for one target; more are closed.
const KEPT: usize = 256;

/// Why a target gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum NoAnswer {
    /// No connection within ten seconds, or no answer within the idle timeout: 504.
    #[error("the target took too long")]
    Timeout,
    /// The connection was refused, reset, closed, or spoke no HTTP: 502.
    #[error("the target gave no good answer: {0}")]
    Bad(String),
}

/// A request that was not answered.
pub struct Unsent {
    /// Why.
    pub why: NoAnswer,
    /// The request itself, if not a byte of it was written: it may be sent elsewhere whatever its method.
    pub request: Option<Request<Body>>,
    /// Whether the connection had been used before, so that its end may have nothing to do with the request.
    pub reused: bool,
}

/// One target's address and its idle connections.
pub struct Upstream {
    /// Where the target listens.
    pub address: SocketAddr,
    tls: Option<TlsConnector>,
    idle: Mutex<Vec<(SendRequest<Body>, Instant)>>,
}

impl Upstream {
    /// A target nothing was sent to yet.
    pub fn new(address: SocketAddr, tls: Option<TlsConnector>) -> Self {
        Self { address, tls, idle: Mutex::default() }
    }

    /// Whether the target is spoken to over TLS.
    pub fn is_tls(&self) -> bool {
        self.tls.is_some()
    }

    /// Sends on an idle connection that is still open, or on a new one (`fresh` asks for that).
    pub async fn send(
        &self,
        request: Request<Body>,
        fresh: bool,
        max_idle: Duration,
    ) -> Result<(Response<Incoming>, SendRequest<Body>), Unsent> {
        let pooled = if fresh { None } else { self.checkout(max_idle) };
        let reused = pooled.is_some();
        let mut sender = match pooled {
            Some(sender) => sender,
            None => match self.connect().await {
                Ok(sender) => sender,
                Err(why) => return Err(Unsent { why, request: Some(request), reused: false }),
            },
        };
        match sender.try_send_request(request).await {
            Ok(response) => Ok((response, sender)),
            Err(mut error) => {
                let request = error.take_message();
                Err(Unsent { why: NoAnswer::Bad(error.error().to_string()), request, reused })
            }
        }
    }

    /// Takes back a connection whose answer was read to its end.
    pub fn give_back(self: &Arc<Self>, mut sender: SendRequest<Body>) {
        if sender.is_closed() {
            return;
        }
        if sender.is_ready() {
            self.keep(sender);
            return;
        }
        // The connection has yet to notice that the exchange is over; a request body still under way is waited for.
        let upstream = self.clone();
        tokio::spawn(async move {
            if let Ok(Ok(())) = tokio::time::timeout(Duration::from_secs(1), sender.ready()).await {
                upstream.keep(sender);
            }
        });
    }

    fn keep(&self, sender: SendRequest<Body>) {
        let mut idle = self.idle();
        if idle.len() >= KEPT {
            idle.retain(|(sender, _)| sender.is_ready());
        }
        if idle.len() < KEPT {
            idle.push((sender, Instant::now()));
        }
    }

    /// The connection used last, for it is the least likely to be closed by the target just now.
    fn checkout(&self, max_idle: Duration) -> Option<SendRequest<Body>> {
        let mut idle = self.idle();
        while let Some((sender, since)) = idle.pop() {
            if since.elapsed() > max_idle {
                idle.clear();
            } else if sender.is_ready() {
                return Some(sender);
            }
        }
        None
    }

    fn idle(&self) -> MutexGuard<'_, Vec<(SendRequest<Body>, Instant)>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn connect(&self) -> Result<SendRequest<Body>, NoAnswer> {
        let connect = async {
            let stream = TcpStream::connect(self.address).await.map_err(|e| NoAnswer::Bad(e.to_string()))?;
            let _ = stream.set_nodelay(true);
            match &self.tls {
                None => handshake(stream).await,
                Some(tls) => {
                    let name = ServerName::IpAddress(self.address.ip().into());
                    let stream = tls.connect(name, stream).await.map_err(|e| NoAnswer::Bad(e.to_string()))?;
                    handshake(stream).await
                }
            }
        };
        tokio::time::timeout(CONNECT, connect).await.map_err(|_| NoAnswer::Timeout)?
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
            tracing::debug!(%error, "a connection to a target ended badly");
        }
    });
    Ok(sender)
}
