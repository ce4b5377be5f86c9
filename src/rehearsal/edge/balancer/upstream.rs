//! The connections to one target: kept alive, handed out to one request at a time, taken back when its answer is read.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
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
use tokio_util::sync::CancellationToken;

use super::group::token;
use crate::rehearsal::edge::body::Body;

/// How long a target may take to accept a connection. Source: ALB user guide, "Troubleshoot", HTTP 504.
const CONNECT: Duration = Duration::from_secs(10);

/// Idle connections kept for one target; more are closed.
const KEPT: usize = 256;

/// Why a target gave no answer. Source of the codes: ALB user guide, "Troubleshoot your Application Load Balancers".
#[derive(Debug, thiserror::Error)]
pub enum NoAnswer {
    /// No connection within ten seconds: 504.
    #[error("the target took too long to accept a connection")]
    ConnectTimeout,
    /// The connection was refused, or TLS failed: 502.
    #[error("the target took no connection: {0}")]
    NotConnected(String),
    /// No answer within the idle timeout: 504.
    #[error("the target sent nothing for the idle timeout")]
    Timeout,
    /// The client stopped sending its body for the idle timeout: 408.
    #[error("the client sent nothing for the idle timeout")]
    SlowClient,
    /// The client went away: 460, which it does not see.
    #[error("the client closed its connection")]
    ClientGone,
    /// The target's deregistration delay is over: 502.
    #[error("the target was deregistered, and its delay is over")]
    Left,
    /// The connection was reset or closed, or spoke no HTTP: 502.
    #[error("the target gave no good answer: {0}")]
    Bad(String),
}

/// A request that was answered.
pub struct Sent {
    /// The answer.
    pub response: Response<Incoming>,
    /// The connection it came by.
    pub sender: SendRequest<Body>,
    /// Whether the connection was made for it.
    pub fresh: bool,
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
    /// What a stickiness cookie calls it, so that no address is shown to clients.
    pub token: String,
    tls: Option<TlsConnector>,
    idle: Mutex<Vec<(SendRequest<Body>, Instant)>>,
    under_way: AtomicUsize,
    /// Cancelled when what is under way has to end.
    left: CancellationToken,
}

impl Upstream {
    /// A target nothing was sent to yet; what is under way ends with `left`.
    pub fn new(address: SocketAddr, tls: Option<TlsConnector>, left: CancellationToken) -> Self {
        let token = token(&address.to_string());
        Self { address, token, tls, idle: Mutex::default(), under_way: AtomicUsize::new(0), left }
    }

    /// Ends what is under way: the target's deregistration delay is over (law L4).
    pub fn end(&self) {
        self.left.cancel();
        self.idle().clear();
    }

    /// Cancelled when the target's time is over.
    pub fn left(&self) -> &CancellationToken {
        &self.left
    }

    /// Requests sent to it whose answers are not read to their end.
    pub fn under_way(&self) -> usize {
        self.under_way.load(Relaxed)
    }

    /// Counts a request as under way until the guard is dropped.
    pub fn begin(self: &Arc<Self>) -> UnderWay {
        self.under_way.fetch_add(1, Relaxed);
        UnderWay(self.clone())
    }

    /// Sends on an idle connection that is still open, or on a new one (`fresh` asks for that).
    pub async fn send(&self, request: Request<Body>, fresh: bool, max_idle: Duration) -> Result<Sent, Unsent> {
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
            Ok(response) => Ok(Sent { response, sender, fresh: !reused }),
            Err(mut error) => {
                let request = error.take_message();
                Err(Unsent { why: NoAnswer::Bad(error.error().to_string()), request, reused })
            }
        }
    }

    /// Takes back a connection whose answer was read to its end.
    pub fn give_back(self: &Arc<Self>, mut sender: SendRequest<Body>) {
        if sender.is_closed() || self.left.is_cancelled() {
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
        let failed = |error: std::io::Error| NoAnswer::NotConnected(error.to_string());
        let connect = async {
            let stream = TcpStream::connect(self.address).await.map_err(failed)?;
            let _ = stream.set_nodelay(true);
            match &self.tls {
                None => handshake(stream).await,
                Some(tls) => {
                    let name = ServerName::IpAddress(self.address.ip().into());
                    handshake(tls.connect(name, stream).await.map_err(failed)?).await
                }
            }
        };
        tokio::time::timeout(CONNECT, connect).await.map_err(|_| NoAnswer::ConnectTimeout)?
    }
}

/// A request under way, until dropped.
pub struct UnderWay(Arc<Upstream>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.under_way.fetch_sub(1, Relaxed);
    }
}

async fn handshake<T>(stream: T) -> Result<SendRequest<Body>, NoAnswer>
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (sender, connection) =
        http1::handshake(TokioIo::new(stream)).await.map_err(|e| NoAnswer::Bad(e.to_string()))?;
    tokio::spawn(async move {
        if let Err(error) = connection.with_upgrades().await {
            tracing::debug!(%error, "a connection to a target ended badly");
        }
    });
    Ok(sender)
}
