//! Keeps the edge's sockets and tables in step with the state.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use super::balancer::{self, Around, Front, Log, Registry, Table};
use super::cdn;
use super::certificates::{self, Presented};
use super::dns::NameServer;
use super::listen::{Listening, Serve};
use super::tls::{Authority, TlsError};
use super::{Troubles, edge_port};
use crate::rehearsal::answering::Directory;
use crate::rehearsal::state::{Shared, State};

/// How soon a listener that could not be opened is tried again.
const AGAIN: Duration = Duration::from_millis(500);

/// A socket of the edge: its address, and whether it speaks TLS.
type Socket = (SocketAddr, bool);

/// An open socket and what serves it.
struct Open<F> {
    front: Arc<F>,
    _listening: Listening,
}

/// The task that follows the state.
pub struct Reconciler {
    shared: Shared,
    authority: Arc<Authority>,
    registry: Registry,
    log: Log,
    name_server: NameServer,
    cdn: Arc<cdn::Common>,
    troubles: Arc<Troubles>,
    /// What each listener presents; kept, so that a certificate is changed without closing the socket.
    presented: BTreeMap<Socket, Arc<Presented>>,
    balancers: BTreeMap<Socket, Open<Front>>,
    distributions: BTreeMap<Socket, Open<cdn::Front>>,
}

/// What the state asks for, taken under one short lock.
struct Wanted {
    directory: Directory,
    tables: BTreeMap<Socket, Table>,
    configs: BTreeMap<Socket, Arc<cdn::Config>>,
}

impl Reconciler {
    /// A reconciler that has nothing open yet.
    pub fn new(
        shared: Shared,
        authority: Arc<Authority>,
        registry: Registry,
        log: Log,
        name_server: NameServer,
        cdn: Arc<cdn::Common>,
        troubles: Arc<Troubles>,
    ) -> Self {
        Self {
            shared,
            authority,
            registry,
            log,
            name_server,
            cdn,
            troubles,
            presented: BTreeMap::new(),
            balancers: BTreeMap::new(),
            distributions: BTreeMap::new(),
        }
    }

    /// Follows the state until `stop`; `applied` is told each version (plus one) once it is acted on.
    pub async fn run(mut self, applied: watch::Sender<u64>, stop: CancellationToken) {
        let mut watch = self.shared.watch();
        loop {
            let version = *watch.borrow_and_update();
            let troubles = self.apply().await;
            let again = !troubles.is_empty();
            *self.troubles.lock().unwrap_or_else(PoisonError::into_inner) = troubles;
            applied.send_replace(version + 1);
            tokio::select! {
                () = stop.cancelled() => return,
                changed = watch.changed() => if changed.is_err() { return },
                () = tokio::time::sleep(AGAIN), if again => {}
            }
        }
    }

    async fn apply(&mut self) -> Vec<String> {
        let wanted = {
            let shared = self.shared.clone();
            let state = shared.lock();
            self.wanted(&state)
        };
        // Names last: they must not lead to a socket that is not open yet.
        self.balancers.retain(|socket, _| wanted.tables.contains_key(socket));
        self.distributions.retain(|socket, _| wanted.configs.contains_key(socket));
        self.presented.retain(|socket, _| wanted.tables.contains_key(socket));
        let mut troubles = Vec::new();
        for (socket, table) in wanted.tables {
            if let Some(open) = self.balancers.get(&socket) {
                open.front.swap(table);
                continue;
            }
            let acceptor = || self.authority.acceptor(socket.0.ip(), table.presented.clone());
            let tls = socket.1.then(acceptor).transpose();
            match self.open(socket, Arc::new(Front::new(table)), tls).await {
                Ok(open) => drop(self.balancers.insert(socket, open)),
                Err(trouble) => troubles.push(trouble),
            }
        }
        for (socket, config) in wanted.configs {
            if let Some(open) = self.distributions.get(&socket) {
                open.front.swap(config);
                continue;
            }
            let front = Arc::new(cdn::Front::new(config, self.cdn.clone(), socket.1));
            let names = front.clone();
            let acceptor = || self.authority.acceptor_where(socket.0.ip(), move |name| names.has_name(name));
            let tls = socket.1.then(acceptor).transpose();
            match self.open(socket, front, tls).await {
                Ok(open) => drop(self.distributions.insert(socket, open)),
                Err(trouble) => troubles.push(trouble),
            }
        }
        self.name_server.swap(wanted.directory);
        troubles
    }

    fn wanted(&mut self, state: &State) -> Wanted {
        let groups = self.registry.groups(state);
        let mut tables = BTreeMap::new();
        for listener in state.listeners.values() {
            if let Some(balancer) = state.balancers.get(&listener.balancer) {
                let socket = (at(balancer.address, listener.port), listener.protocol == "HTTPS");
                let presented = self.presented.entry(socket).or_default().clone();
                presented.swap(certificates::held(&listener.certificates, state));
                let meter = self.registry.meter(&listener.balancer);
                let (clock, log) = (&self.shared.clock, &self.log);
                let around = Around { groups: &groups, meter, clock, log, presented };
                tables.insert(socket, balancer::build(listener, state, around));
            }
        }
        let mut configs = BTreeMap::new();
        for (domain, distribution) in &state.distributions {
            let config = Arc::new(cdn::Config::of(domain, distribution, state));
            for (port, https) in [(80, false), (443, true)] {
                configs.insert((at(distribution.address, port), https), config.clone());
            }
        }
        Wanted { directory: Directory::of(state), tables, configs }
    }

    async fn open<F: Serve>(
        &self,
        (address, _): Socket,
        front: Arc<F>,
        tls: Result<Option<TlsAcceptor>, TlsError>,
    ) -> Result<Open<F>, String> {
        let failed = |why: String| {
            let trouble = format!("the edge could not listen at {address}: {why}; it is tried again until it can");
            tracing::warn!("{trouble}");
            trouble
        };
        let tls = tls.map_err(|e| failed(e.to_string()))?;
        let listening = Listening::start(address, tls, front.clone()).await.map_err(|e| failed(e.to_string()))?;
        Ok(Open { front, _listening: listening })
    }
}

fn at(address: IpAddr, port: u16) -> SocketAddr {
    SocketAddr::new(address, edge_port(port))
}
