//! What the name server knows at one moment: the zones of the state, parsed once, with the health that weighted
//! records go by.

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;

use hickory_proto::rr::rdata::{NS, SOA};
use hickory_proto::rr::{Name, RData, RecordType};

use super::rdata;
use crate::rehearsal::edge::health;
use crate::rehearsal::state::{Answer, RecordSet, State, TargetGroup};

/// The name servers of a zone that names none itself.
const SERVER: &str = "ns-1.rehearsal.invalid";

/// All zones, and the addresses of balancers, distributions and database instances.
#[derive(Default)]
pub struct Directory {
    pub(super) zones: Vec<Zone>,
    /// The DNS names of the edges: address, and whether Route 53 takes it for healthy (law R4).
    pub(super) edges: HashMap<String, (IpAddr, bool)>,
}

/// A zone, ready to answer.
pub(super) struct Zone {
    pub name: String,
    pub soa: (Name, u32, SOA),
    pub names: HashMap<String, Vec<Set>>,
    /// Names that hold nothing but have names below them: NODATA, not NXDOMAIN (RFC 8020).
    pub between: BTreeSet<String>,
}

/// A record set, ready to answer.
pub(super) struct Set {
    pub kind: RecordType,
    pub ttl: u32,
    pub weight: Option<u8>,
    pub data: Data,
}

pub(super) enum Data {
    Values(Vec<RData>),
    Alias { to: String, evaluate_health: bool },
}

impl Directory {
    /// The directory of `state`.
    pub fn of(state: &State) -> Self {
        let mut edges = HashMap::new();
        for (arn, balancer) in &state.balancers {
            let healthy = state
                .listeners
                .values()
                .filter(|listener| listener.balancer == *arn)
                .flat_map(health::forwarded_to)
                .filter_map(|group| state.target_groups.get(group))
                .all(has_a_healthy_target);
            edges.insert(balancer.dns_name.to_ascii_lowercase(), (balancer.address, healthy));
        }
        for (name, distribution) in &state.distributions {
            edges.insert(name.to_ascii_lowercase(), (distribution.address, true));
        }
        for instance in state.databases.values() {
            if let Some(ip) = instance.ip {
                edges.insert(instance.address.to_ascii_lowercase(), (ip, true));
            }
        }
        let mut zones: Vec<_> = state.zones.values().filter_map(|z| zone(&z.name, &z.records)).collect();
        // the most specific zone answers
        zones.sort_by_key(|zone| std::cmp::Reverse(zone.name.len()));
        Self { zones, edges }
    }

    /// The zone `name` lies in.
    pub(super) fn zone(&self, name: &str) -> Option<&Zone> {
        self.zones
            .iter()
            .find(|zone| name.strip_suffix(&zone.name).is_some_and(|rest| rest.is_empty() || rest.ends_with('.')))
    }

    /// The edge of that DNS name; `dualstack.` before it is the same balancer.
    pub(super) fn edge(&self, name: &str) -> Option<(IpAddr, bool)> {
        self.edges.get(name.strip_prefix("dualstack.").unwrap_or(name)).copied()
    }
}

/// Source: Route 53 developer guide, "Values specific for alias records", evaluate target health: a group without
/// targets counts as unhealthy.
fn has_a_healthy_target(group: &TargetGroup) -> bool {
    group.targets.values().any(|t| t.state == "healthy")
}

fn zone(name: &str, records: &[RecordSet]) -> Option<Zone> {
    let apex = rdata::name(name)?;
    let mut names: HashMap<String, Vec<Set>> = HashMap::new();
    let mut soa = None;
    for record in records {
        let Ok(kind) = record.kind.parse::<RecordType>() else {
            tracing::warn!(name = record.name, kind = record.kind, "the name server does not serve this kind");
            continue;
        };
        let data = match &record.answer {
            Answer::Alias { name, evaluate_health, .. } => {
                Data::Alias { to: name.to_ascii_lowercase(), evaluate_health: *evaluate_health }
            }
            Answer::Values(values) => {
                let parsed: Vec<_> = values.iter().filter_map(|v| rdata::parse(&record.kind, v)).collect();
                if parsed.len() < values.len() {
                    tracing::warn!(name = record.name, kind = record.kind, "a record value is not well formed");
                }
                if let [RData::SOA(data)] = parsed.as_slice() {
                    soa = Some((apex.clone(), record.ttl.unwrap_or(900), data.clone()));
                }
                Data::Values(parsed)
            }
        };
        let set = Set { kind, ttl: record.ttl.unwrap_or(60), weight: record.weighted.as_ref().map(|(_, w)| *w), data };
        names.entry(record.name.replace("\\052", "*").to_ascii_lowercase()).or_default().push(set);
    }
    let server = rdata::name(SERVER)?;
    let soa = soa.unwrap_or_else(|| {
        (apex.clone(), 900, SOA::new(server.clone(), server.clone(), 1, 7200, 900, 1_209_600, 86400))
    });
    let top = names.entry(name.to_owned()).or_default();
    let mut own = |kind, ttl, data| {
        if !top.iter().any(|set| set.kind == kind) {
            top.push(Set { kind, ttl, weight: None, data: Data::Values(vec![data]) });
        }
    };
    own(RecordType::SOA, soa.1, RData::SOA(soa.2.clone()));
    own(RecordType::NS, 172_800, RData::NS(NS(server)));
    let mut between = BTreeSet::new();
    for known in names.keys() {
        let mut rest = known.as_str();
        while let Some((_, parent)) = rest.split_once('.') {
            if parent.len() <= name.len() {
                break;
            }
            between.insert(parent.to_owned());
            rest = parent;
        }
    }
    Some(Zone { name: name.to_owned(), soa, names, between })
}
