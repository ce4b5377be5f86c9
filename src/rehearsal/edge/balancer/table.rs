//! The routing table of one listener: made from the state when something changes, read by every request without a lock
//! on the state.

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::request::Parts;
use tokio_rustls::TlsConnector;

use super::conditions;
use super::upstream::Upstream;
use crate::rehearsal::edge::counters::Counters;
use crate::rehearsal::state::{Action, Condition, Listener, State, Target, TargetGroup};

/// The idle timeout where the balancer's attributes name none. Law L6.
const IDLE: Duration = Duration::from_mins(1);

/// What a listener knows at one moment.
pub struct Table {
    /// The listener's port as AWS knows it (443, not 8443).
    pub port: u16,
    /// Whether clients speak TLS to it.
    pub https: bool,
    /// The balancer's idle timeout.
    pub idle: Duration,
    rules: Vec<(Vec<Condition>, Route)>,
    default: Route,
}

/// What becomes of a request.
pub enum Route {
    /// To a target.
    Forward(Forward),
    /// A redirect or a fixed response, answered by the balancer itself.
    Own(Action),
}

/// Target groups by weight.
pub struct Forward {
    /// The groups and their weights; a group that is gone has no targets.
    pub groups: Vec<(Arc<Group>, u32)>,
    /// The sum of the weights.
    pub total: u32,
    /// Seconds of target-group stickiness.
    pub sticky: Option<u32>,
}

/// A target group at one moment.
pub struct Group {
    /// What its stickiness cookie says, so that no ARN is shown to clients.
    pub token: String,
    /// Its counters.
    pub counters: Arc<Counters>,
    candidates: Vec<Arc<Upstream>>,
    turn: AtomicUsize,
}

impl Group {
    /// The next target in turn; `None` where no target takes requests.
    pub fn next(&self) -> Option<&Arc<Upstream>> {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        self.candidates.get(turn.checked_rem(self.candidates.len())?)
    }
}

impl Forward {
    /// The group for one request: uniformly at random over the sum of the weights; `None` where all weights are zero.
    pub fn pick(&self) -> Option<&Arc<Group>> {
        if self.total == 0 {
            return None;
        }
        // one group, the common case, needs no dice
        if let [(group, _)] = self.groups.as_slice() {
            return Some(group);
        }
        let mut at = rand::random_range(0..self.total);
        self.groups.iter().find_map(|(group, weight)| match at.checked_sub(*weight) {
            None => Some(group),
            Some(rest) => {
                at = rest;
                None
            }
        })
    }
}

impl Table {
    /// What becomes of `request`: the first rule that matches, by priority, or the default action.
    pub fn route(&self, request: &Parts) -> &Route {
        self.rules
            .iter()
            .find(|(conditions, _)| conditions::all_met(conditions, request))
            .map_or(&self.default, |(_, route)| route)
    }
}

/// What outlives a table: connections and counters.
#[derive(Default)]
pub struct Registry {
    upstreams: HashMap<(SocketAddr, bool), Arc<Upstream>>,
    counters: HashMap<String, Arc<Counters>>,
}

impl Registry {
    /// The counters of every group that was ever routed to, by ARN.
    pub fn counters(&self) -> impl Iterator<Item = (&String, &Arc<Counters>)> {
        self.counters.iter()
    }

    /// Every target group of the state, ready to be routed to. Connections to targets that are gone are let go.
    pub fn groups(&mut self, state: &State, tls: &TlsConnector) -> BTreeMap<String, Arc<Group>> {
        let mut kept = HashMap::new();
        let groups = state
            .target_groups
            .iter()
            .map(|(arn, group)| {
                let candidates: Vec<_> = candidates(group)
                    .into_iter()
                    .map(|address| {
                        let key = (address, group.protocol == "HTTPS");
                        let upstream = self.upstreams.remove(&key).or_else(|| kept.get(&key).cloned());
                        let upstream =
                            upstream.unwrap_or_else(|| Arc::new(Upstream::new(address, key.1.then(|| tls.clone()))));
                        kept.insert(key, upstream.clone());
                        upstream
                    })
                    .collect();
                let counters = self.counters.entry(arn.clone()).or_default().clone();
                // Each balancer node starts its turn somewhere; a rebuilt table must not always start with the first.
                let turn = AtomicUsize::new(rand::random_range(0..candidates.len().max(1)));
                (arn.clone(), Arc::new(Group { token: token(arn), counters, candidates, turn }))
            })
            .collect();
        self.upstreams = kept;
        groups
    }
}

/// The targets that take new requests: the healthy ones, or, where there are none, all but the draining (law L3).
fn candidates(group: &TargetGroup) -> Vec<SocketAddr> {
    let of = |wanted: fn(&Target) -> bool| -> Vec<SocketAddr> {
        group.targets.iter().filter(|(_, t)| wanted(t)).filter_map(|((id, port), _)| address(id, *port)).collect()
    };
    let healthy = of(|t| t.state == "healthy");
    if healthy.is_empty() { of(|t| !matches!(t.state.as_str(), "draining" | "unavailable")) } else { healthy }
}

/// Where a target listens. The rehearsal has no instances, so only an address can be reached.
pub fn address(id: &str, port: u16) -> Option<SocketAddr> {
    id.parse::<IpAddr>().ok().map(|ip| SocketAddr::new(ip, port))
}

/// FNV-1a of the ARN: stable over restarts, as a client's cookie must be.
fn token(arn: &str) -> String {
    let hash = arn.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
    format!("{hash:016x}")
}

/// The table of `listener`.
pub fn build(listener: &Listener, state: &State, groups: &BTreeMap<String, Arc<Group>>) -> Table {
    let mut rules: Vec<_> = listener.rules.values().collect();
    rules.sort_by_key(|rule| rule.priority);
    let idle = state
        .balancers
        .get(&listener.balancer)
        .and_then(|b| b.attributes.get("idle_timeout.timeout_seconds")?.parse().ok())
        .map_or(IDLE, Duration::from_secs);
    Table {
        port: listener.port,
        https: listener.protocol == "HTTPS",
        idle,
        rules: rules.into_iter().map(|r| (r.conditions.clone(), route(&r.action, groups))).collect(),
        default: route(&listener.default_action, groups),
    }
}

fn route(action: &Action, groups: &BTreeMap<String, Arc<Group>>) -> Route {
    match action {
        Action::Forward { groups: named, sticky } => {
            let groups: Vec<_> =
                named.iter().filter_map(|(arn, weight)| Some((groups.get(arn)?.clone(), u32::from(*weight)))).collect();
            let total = groups.iter().map(|(_, weight)| weight).sum();
            Route::Forward(Forward { groups, total, sticky: *sticky })
        }
        own => Route::Own(own.clone()),
    }
}
