//! What the name servers know at one moment.

use std::collections::HashMap;
use std::net::IpAddr;

use super::name;
use super::zone::{Key, Zone, parents};
use crate::rehearsal::state::{self, Listener, State, TargetGroup};

/// All zones, and the addresses of balancers, distributions and database instances.
#[derive(Default)]
pub struct Directory {
    pub(super) zones: Vec<Zone>,
    /// The zone of a name that the world's delegations lead to (law R9).
    public: HashMap<Key, usize>,
    /// The zone of a name, delegated to or not.
    any: HashMap<Key, usize>,
    /// The DNS names of the edges.
    edges: HashMap<Key, Edge>,
}

/// A balancer, distribution or database instance.
#[derive(Debug, Clone, Copy)]
pub(super) struct Edge {
    pub address: IpAddr,
    /// Whether Route 53 takes it for healthy (law R4).
    pub well: bool,
}

impl Directory {
    /// The directory of `state`.
    pub fn of(state: &State) -> Self {
        let mut directory = Self { edges: edges(state), ..Self::default() };
        let public = delegated(state);
        for (id, zone) in &state.zones {
            let Some(ready) = Zone::of(state, id, zone) else { continue };
            let at = directory.zones.len();
            if public.contains(&id.as_str()) {
                directory.public.insert(ready.apex.clone(), at);
                directory.any.insert(ready.apex.clone(), at);
            }
            directory.any.entry(ready.apex.clone()).or_insert(at);
            directory.zones.push(ready);
        }
        directory
    }

    /// The zone a name lies in: of the public ones, or of all. A DS record is its zone's parent's to answer.
    pub(super) fn zone(&self, key: &[u8], public: bool, above: bool) -> Option<&Zone> {
        let zones = if public { &self.public } else { &self.any };
        let mut within = std::iter::once(key).chain(parents(key)).skip(usize::from(above));
        within.find_map(|part| zones.get(part)).map(|at| &self.zones[*at])
    }

    /// The zone of an id.
    pub(super) fn zone_by_id(&self, id: &str) -> Option<&Zone> {
        self.zones.iter().find(|zone| zone.id == id)
    }

    /// The edge of that DNS name; `dualstack.` before it is the same balancer.
    pub(super) fn edge(&self, key: &[u8]) -> Option<Edge> {
        if self.edges.is_empty() {
            return None;
        }
        self.edges.get(key.strip_prefix(b"\x09dualstack").unwrap_or(key)).copied()
    }
}

fn edges(state: &State) -> HashMap<Key, Edge> {
    let mut edges = HashMap::new();
    for (arn, balancer) in &state.balancers {
        let listeners = state.listeners.values().filter(|listener| listener.balancer == *arn);
        let well = listeners
            .flat_map(Listener::forwards_to)
            .filter_map(|group| state.target_groups.get(group))
            .all(has_a_healthy_target);
        edges.extend(name::key(&balancer.dns_name).map(|key| (key, Edge { address: balancer.address, well })));
    }
    for (domain, distribution) in &state.distributions {
        edges.extend(name::key(domain).map(|key| (key, Edge { address: distribution.address, well: true })));
    }
    for instance in state.databases.values() {
        let edge = instance.ip.map(|address| Edge { address, well: true });
        edges.extend(name::key(&instance.address).zip(edge));
    }
    edges
}

/// Source: Route 53 developer guide, "Values specific for alias records", evaluate target health: a group without
/// targets counts as unhealthy.
fn has_a_healthy_target(group: &TargetGroup) -> bool {
    group.targets.values().any(|t| t.state == "healthy")
}

/// The zone that answers for a name (as the state keeps it) to whoever follows the delegations (law R9).
pub fn public_zone<'a>(state: &'a State, name: &str) -> Option<&'a state::Zone> {
    let public = delegated(state).into_iter().filter_map(|id| state.zones.get(id));
    public.filter(|zone| name::lies_in(name, &zone.name)).max_by_key(|zone| zone.name.len())
}

/// The ids of the zones that are delegated to: by the registrar, or by the NS records of a zone above that itself is.
fn delegated(state: &State) -> Vec<&str> {
    let mut found: Vec<(&str, &state::Zone)> = Vec::new();
    let mut open: Vec<_> = state.zones.iter().map(|(id, zone)| (id.as_str(), zone)).collect();
    // a zone's parents are shorter
    open.sort_by_key(|(_, zone)| zone.name.len());
    for (id, zone) in open {
        let parents = found.iter().filter(|(_, p)| p.name != zone.name && name::lies_in(&zone.name, &p.name));
        let nearest = parents.max_by_key(|(_, parent)| parent.name.len());
        if zone.delegated || nearest.is_some_and(|(_, parent)| points_to(parent, zone)) {
            found.push((id, zone));
        }
    }
    found.into_iter().map(|(id, _)| id).collect()
}

/// Whether `parent` holds NS records for `zone` that name any of its servers.
fn points_to(parent: &state::Zone, zone: &state::Zone) -> bool {
    let same = |a: &str, b: &str| a.trim_end_matches('.').eq_ignore_ascii_case(b.trim_end_matches('.'));
    parent.records.iter().filter(|r| r.kind == "NS" && r.name == zone.name).any(|record| match &record.answer {
        state::Answer::Values(values) => values.iter().any(|v| zone.servers().iter().any(|own| same(v, own))),
        state::Answer::Alias { .. } => false,
    })
}
