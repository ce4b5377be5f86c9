//! A listening socket of the edge: accepts, speaks TLS if asked to, serves HTTP/1.1, and lets go gracefully.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::body::Body;
pub use super::peer::Peer;

/// How long a client may take over its TLS handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// How long a connection may go on with the request in flight once its listener is gone.
const GRACE: Duration = Duration::from_secs(5);

/// What answers the requests of a listener.
pub trait Serve: Send + Sync + 'static {
    /// Answers one request.
    fn serve(
        self: Arc<Self>,
        request: Request<Incoming>,
        peer: Arc<Peer>,
    ) -> impl Future<Output = Response<Body>> + Send;

    /// How long a connection may be idle.
    fn idle(&self) -> Duration;

    /// A client has connected.
    fn opened(&self) {}

    /// A client's TLS handshake failed.
    fn not_opened(&self) {}
}

/// An open listener. Dropped, it stops accepting at once, closes idle connections and lets busy ones finish.
#[derive(Debug)]
pub struct Listening {
    _stop: DropGuard,
}

impl Listening {
    /// Binds `address` and serves until dropped.
    pub async fn start<S: Serve>(
        address: SocketAddr,
        tls: Option<TlsAcceptor>,
        serve: Arc<S>,
    ) -> std::io::Result<Self> {
        let socket = TcpListener::bind(address).await?;
        let stop = CancellationToken::new();
        tokio::spawn(accept(socket, tls, serve, stop.clone()));
        Ok(Self { _stop: stop.drop_guard() })
    }
}

async fn accept<S: Serve>(socket: TcpListener, tls: Option<TlsAcceptor>, serve: Arc<S>, stop: CancellationToken) {
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            accepted = socket.accept() => accepted,
        };
        match accepted {
            Ok((stream, from)) => {
                tokio::spawn(connection(stream, from, tls.clone(), serve.clone(), stop.clone()));
            }
            Err(error) => {
                // Out of file descriptors, most likely: give the open connections a moment to end.
                tracing::warn!(%error, "the edge could not accept a connection");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

async fn connection<S: Serve>(
    stream: TcpStream,
    from: SocketAddr,
    tls: Option<TlsAcceptor>,
    serve: Arc<S>,
    stop: CancellationToken,
) {
    // Failing to set it costs latency only.
    let _ = stream.set_nodelay(true);
    serve.opened();
    match tls {
        None => serve_on(stream, Peer::plain(from), serve, stop).await,
        Some(tls) => match tokio::time::timeout(HANDSHAKE, tls.accept(stream)).await {
            Ok(Ok(stream)) => {
                let peer = Peer::over_tls(from, stream.get_ref().1);
                serve_on(stream, peer, serve, stop).await;
            }
            Ok(Err(error)) => {
                serve.not_opened();
                tracing::debug!(%from, %error, "a TLS handshake with the edge failed");
            }
            Err(_) => tracing::debug!(%from, "a TLS handshake with the edge took too long"),
        },
    }
}

async fn serve_on<S: Serve, T>(stream: T, peer: Peer, serve: Arc<S>, stop: CancellationToken)
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (idle, peer) = (serve.idle(), Arc::new(peer));
    let service = service_fn(move |request| {
        let (serve, peer) = (serve.clone(), peer.clone());
        async move { Ok::<_, Infallible>(serve.serve(request, peer).await) }
    });
    let mut connection = std::pin::pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(idle)
            .serve_connection(TokioIo::new(stream), service)
            .with_upgrades()
    );
    tokio::select! {
        // An error here is the peer's doing or was answered already.
        _ = connection.as_mut() => {}
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            let _ = tokio::time::timeout(GRACE, connection).await;
        }
    }
}
