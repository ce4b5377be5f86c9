//! What outlives a routing table: the connections to targets, the groups that did not change, the meters.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::Arc;

use tokio_rustls::TlsConnector;
use tokio_util::sync::CancellationToken;

use super::group::{Group, address, candidates};
use super::meter::Meter;
use super::upstream::Upstream;
use crate::rehearsal::edge::health::users;
use crate::rehearsal::metrics::Metrics;
use crate::rehearsal::state::{State, TargetGroup};

/// A target's address, and whether it is spoken to over TLS.
type Key = (SocketAddr, bool);

/// What a [`Group`] is made from: one that would be made from the same is kept, with its turn.
#[derive(PartialEq, Eq)]
struct Made {
    balancer: String,
    candidates: Vec<Key>,
    attributes: BTreeMap<String, String>,
}

/// What outlives a table.
pub struct Registry {
    tls: TlsConnector,
    metrics: Metrics,
    stop: CancellationToken,
    /// Every registered target; `true` where requests may be under way that its leaving ends.
    upstreams: HashMap<Key, (Arc<Upstream>, bool)>,
    groups: BTreeMap<String, (Made, Arc<Group>)>,
    meters: HashMap<String, Arc<Meter>>,
    /// By group and balancer.
    group_meters: HashMap<(String, String), Arc<Meter>>,
}

impl Registry {
    /// A registry of nothing; its tunnels end with `stop`.
    pub fn new(tls: TlsConnector, metrics: Metrics, stop: CancellationToken) -> Self {
        Self {
            tls,
            metrics,
            stop,
            upstreams: HashMap::new(),
            groups: BTreeMap::new(),
            meters: HashMap::new(),
            group_meters: HashMap::new(),
        }
    }

    /// The meter of the balancer of that ARN.
    pub fn meter(&mut self, balancer: &str) -> Arc<Meter> {
        if let Some(meter) = self.meters.get(balancer) {
            return meter.clone();
        }
        let meter = Arc::new(Meter::of_balancer(&self.metrics, balancer));
        self.meters.insert(balancer.to_owned(), meter.clone());
        meter
    }

    /// Every target group of the state, ready to be routed to. A target that has left (law L4: its delay is over) loses
    /// its connections; what it had not answered by then is answered with 502.
    pub fn groups(&mut self, state: &State) -> BTreeMap<String, Arc<Group>> {
        let users = users(state);
        self.registered(state, &users);
        let mut before = std::mem::take(&mut self.groups);
        for (arn, group) in &state.target_groups {
            let balancer = users.get(arn.as_str()).copied().unwrap_or_default();
            let tls = group.protocol == "HTTPS";
            let made = Made {
                balancer: balancer.to_owned(),
                candidates: candidates(&state.network, group).into_iter().map(|address| (address, tls)).collect(),
                attributes: group.attributes.clone(),
            };
            let kept = before.remove(arn).filter(|(was, _)| *was == made);
            let built = kept.unwrap_or_else(|| {
                let group = self.build(arn, group, &made);
                (made, group)
            });
            self.groups.insert(arn.clone(), built);
        }
        self.groups.iter().map(|(arn, (_, group))| (arn.clone(), group.clone())).collect()
    }

    fn build(&mut self, arn: &str, group: &TargetGroup, made: &Made) -> Arc<Group> {
        let meter = self.group_meters.entry((arn.to_owned(), made.balancer.clone()));
        let meter = meter.or_insert_with(|| Arc::new(Meter::of_group(&self.metrics, &made.balancer, arn))).clone();
        let upstreams = made.candidates.iter().filter_map(|key| self.upstreams.get(key)).map(|(u, _)| u.clone());
        Arc::new(Group::new(arn, group, upstreams.collect(), meter))
    }

    /// Brings the targets in step with what is registered.
    fn registered(&mut self, state: &State, users: &BTreeMap<&str, &str>) {
        let mut now: HashMap<Key, bool> = HashMap::new();
        for (arn, group) in &state.target_groups {
            for (id, port) in group.targets.keys() {
                let Some(address) = address(&state.network, id, *port) else { continue };
                *now.entry((address, group.protocol == "HTTPS")).or_default() |= users.contains_key(arn.as_str());
            }
        }
        self.upstreams.retain(|key, (upstream, used)| {
            if let Some(used_now) = now.get(key) {
                *used = *used_now;
                return true;
            }
            // One that no listener led to is let go in peace: what it still answers was sent before.
            if *used {
                upstream.end();
            }
            false
        });
        for (key, used) in now {
            let (tls, stop) = (key.1.then(|| self.tls.clone()), &self.stop);
            self.upstreams
                .entry(key)
                .or_insert_with(|| (Arc::new(Upstream::new(key.0, tls, stop.child_token())), used));
        }
    }
}
