//! The data plane of the rehearsal cloud: balancers, name server and CDN that act on what the state holds.
//!
//! [`Edge::start`] follows the state through its watch: listeners are opened and closed, routing tables and zones
//! swapped whole, so that no request takes a lock on the state and no change fails a request in flight.

mod address;
pub mod balancer;
mod body;
pub mod cdn;
mod certificates;
pub mod dns;
mod health;
mod listen;
mod peer;
mod reconcile;
#[cfg(test)]
pub(crate) mod testing;
mod tls;

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub use address::{edge_port, is_edge};
pub use cdn::{Meta, ObjectBytes, ObjectSource};
pub use tls::{Authority, TlsError, provider};

use super::glob;
use super::state::Shared;
use dns::NameServer;

/// Why the edge could not start.
#[derive(Debug, thiserror::Error)]
pub enum EdgeError {
    /// No certificate authority.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The name server's address is taken, or is not this machine's.
    #[error(
        "the rehearsal's name server could not listen at {address}: {source}; choose another port or end what holds it"
    )]
    NameServer {
        /// The address asked for.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
}

/// The running data plane. Dropped, it stops; [`Edge::stop`] also waits for it.
pub struct Edge {
    shared: Shared,
    authority: Arc<Authority>,
    dns_address: SocketAddr,
    troubles: Arc<Troubles>,
    log: balancer::Log,
    applied: watch::Receiver<u64>,
    stop: CancellationToken,
    tasks: Vec<JoinHandle<()>>,
}

/// Listeners that could not be opened, and why.
type Troubles = Mutex<Vec<String>>;

impl Edge {
    /// Starts the name server at `dns_bind` (port 0 for a free one), and a listener for whatever the state holds now
    /// and later. The certificate authority is kept in `tls_dir`.
    pub async fn start(
        shared: Shared,
        tls_dir: &Path,
        dns_bind: SocketAddr,
        objects: Arc<dyn ObjectSource>,
    ) -> Result<Self, EdgeError> {
        let authority = Authority::open(tls_dir)?;
        let to_targets = balancer::connector().map_err(TlsError::from)?;
        let stop = CancellationToken::new();
        let name_server = NameServer::start(dns_bind, stop.clone())
            .await
            .map_err(|source| EdgeError::NameServer { address: dns_bind, source })?;
        let dns_address = name_server.address();
        let troubles = Arc::<Troubles>::default();
        let log = balancer::Log::start(stop.clone());
        let (applied_by, applied) = watch::channel(0);
        let book = name_server.book();
        let registry = balancer::Registry::new(to_targets.clone(), shared.metrics.clone(), stop.clone());
        let reconciler = reconcile::Reconciler::new(
            shared.clone(),
            authority.clone(),
            registry,
            log.clone(),
            name_server,
            Arc::new(cdn::Common::new(objects, authority.connector()?, shared.clock.clone())),
            troubles.clone(),
        );
        let tasks = vec![
            tokio::spawn(reconciler.run(applied_by, stop.clone())),
            tokio::spawn(health::run(shared.clone(), to_targets.clone(), stop.clone())),
            tokio::spawn(health::count(shared.clone(), stop.clone())),
            tokio::spawn(dns::checker::run(shared.clone(), book, to_targets, stop.clone())),
        ];
        let edge = Self { shared, authority, dns_address, troubles, log, applied, stop, tasks };
        edge.settled().await;
        Ok(edge)
    }

    /// Where the name server answers, on UDP and TCP.
    pub fn dns_address(&self) -> SocketAddr {
        self.dns_address
    }

    /// The certificate of the rehearsal's authority, for clients to trust.
    pub fn ca_pem(&self) -> &str {
        self.authority.pem()
    }

    /// The authority itself, to issue certificates for the box's copy and the app hosts.
    pub fn authority(&self) -> &Arc<Authority> {
        &self.authority
    }

    /// Keeps the access logs of balancers that have them enabled in `dir`, a file for each balancer. Until then they are
    /// kept nowhere.
    pub fn log_in(&self, dir: PathBuf) {
        self.log.keep_in(dir);
    }

    /// Listeners that could not be opened, and why. They are tried again until they can.
    pub fn troubles(&self) -> Vec<String> {
        self.troubles.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until what the state holds at the time of the call is what the edge acts on.
    pub async fn settled(&self) {
        let wanted = *self.shared.watch().borrow() + 1;
        let mut applied = self.applied.clone();
        // an error means the edge was stopped: there is nothing to wait for
        let _ = applied.wait_for(|version| *version >= wanted).await;
    }

    /// Follows the state no more and lets every listener go; requests in flight have five seconds to end.
    pub async fn stop(mut self) {
        self.stop.cancel();
        for task in self.tasks.drain(..) {
            let _ = task.await;
        }
    }
}

impl Drop for Edge {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}
