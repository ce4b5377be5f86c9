//! Keeps the edge's sockets and tables in step with the state.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio_rustls::TlsConnector;
use tokio_util::sync::CancellationToken;

use super::balancer::{self, Front, Registry, Table};
use super::cdn::{self, ObjectSource};
use super::dns::NameServer;
use super::listen::{Listening, Serve};
use super::tls::Authority;
use super::{Known, edge_port};
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
    to_targets: TlsConnector,
    name_server: NameServer,
    objects: Arc<dyn ObjectSource>,
    known: Arc<Known>,
    registry: Registry,
    balancers: BTreeMap<Socket, Open<Front>>,
    distributions: BTreeMap<Socket, Open<cdn::Front>>,
}

/// What the state asks for, taken under one short lock.
struct Wanted {
    directory: Directory,
    tables: BTreeMap<Socket, Table>,
    configs: BTreeMap<Socket, cdn::Config>,
}

impl Reconciler {
    /// A reconciler that has nothing open yet.
    pub fn new(
        shared: Shared,
        authority: Arc<Authority>,
        to_targets: TlsConnector,
        name_server: NameServer,
        objects: Arc<dyn ObjectSource>,
        known: Arc<Known>,
    ) -> Self {
        Self {
            shared,
            authority,
            to_targets,
            name_server,
            objects,
            known,
            registry: Registry::default(),
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
            *self.known.troubles.lock().unwrap_or_else(PoisonError::into_inner) = troubles;
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
        {
            let mut counters = self.known.counters.lock().unwrap_or_else(PoisonError::into_inner);
            for (arn, counted) in self.registry.counters() {
                if !counters.contains_key(arn) {
                    counters.insert(arn.clone(), counted.clone());
                }
            }
        }
        // Names last: they must not lead to a socket that is not open yet.
        self.balancers.retain(|socket, _| wanted.tables.contains_key(socket));
        self.distributions.retain(|socket, _| wanted.configs.contains_key(socket));
        let mut troubles = Vec::new();
        for (socket, table) in wanted.tables {
            if let Some(open) = self.balancers.get(&socket) {
                open.front.swap(table);
                continue;
            }
            match self.open(socket, Front::new(table)).await {
                Ok(open) => drop(self.balancers.insert(socket, open)),
                Err(trouble) => troubles.push(trouble),
            }
        }
        for (socket, config) in wanted.configs {
            if let Some(open) = self.distributions.get(&socket) {
                open.front.swap(config);
                continue;
            }
            match self.open(socket, cdn::Front::new(config, self.objects.clone(), socket.1)).await {
                Ok(open) => drop(self.distributions.insert(socket, open)),
                Err(trouble) => troubles.push(trouble),
            }
        }
        self.name_server.swap(wanted.directory);
        troubles
    }

    fn wanted(&mut self, state: &State) -> Wanted {
        let groups = self.registry.groups(state, &self.to_targets);
        let mut tables = BTreeMap::new();
        for listener in state.listeners.values() {
            if let Some(balancer) = state.balancers.get(&listener.balancer) {
                let table = balancer::build(listener, state, &groups);
                tables.insert((at(balancer.address, listener.port), table.https), table);
            }
        }
        let mut configs = BTreeMap::new();
        for (domain, distribution) in &state.distributions {
            for (port, https) in [(80, false), (443, true)] {
                let config = cdn::Config::of(domain, distribution, state);
                configs.insert((at(distribution.address, port), https), config);
            }
        }
        Wanted { directory: Directory::of(state), tables, configs }
    }

    async fn open<F: Serve>(&self, (address, https): Socket, front: F) -> Result<Open<F>, String> {
        let front = Arc::new(front);
        let failed = |why: String| {
            let trouble = format!("the edge could not listen at {address}: {why}; it is tried again until it can");
            tracing::warn!("{trouble}");
            trouble
        };
        let tls =
            if https { Some(self.authority.acceptor(address.ip()).map_err(|e| failed(e.to_string()))?) } else { None };
        let listening = Listening::start(address, tls, front.clone()).await.map_err(|e| failed(e.to_string()))?;
        Ok(Open { front, _listening: listening })
    }
}

fn at(address: IpAddr, port: u16) -> SocketAddr {
    SocketAddr::new(address, edge_port(port))
}
