//! The front door: one address for every service.

use std::convert::Infallible;
use std::future::Future;

use http::Request;
use hyper::body::Incoming;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::Cloud;

impl Cloud {
    /// Answers requests until `stop` is there; open connections are closed then.
    ///
    /// # Errors
    /// When the listener fails for good.
    pub async fn serve(&self, listener: TcpListener, stop: impl Future<Output = ()>) -> std::io::Result<()> {
        let mut connections = JoinSet::new();
        tokio::pin!(stop);
        loop {
            tokio::select! {
                () = &mut stop => return Ok(()),
                Some(_) = connections.join_next() => {}
                accepted = listener.accept() => {
                    let (stream, from) = match accepted {
                        Ok(accepted) => accepted,
                        // A connection that died in the queue, or no file left for it: the next may do.
                        Err(error) => {
                            tracing::warn!(%error, "a connection could not be accepted");
                            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
                            continue;
                        }
                    };
                    let cloud = self.clone();
                    connections.spawn(async move {
                        let service = hyper::service::service_fn(move |mut request: Request<Incoming>| {
                            let cloud = cloud.clone();
                            request.extensions_mut().insert(from);
                            async move { cloud.answer(request).await }
                        });
                        let mut http = hyper::server::conn::http1::Builder::new();
                        let served = http.timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service).await;
                        if let Err(error) = served {
                            tracing::debug!(%error, "a connection to the cloud ended");
                        }
                        Ok::<_, Infallible>(())
                    });
                }
            }
        }
    }
}
