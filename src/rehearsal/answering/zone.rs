//! A zone, ready to answer: its names by their wire keys, its values encoded.

use std::collections::HashMap;

use super::{encode, kind_number, name};
use crate::rehearsal::state::{self, Answer, RecordSet, Routing, State, is_well};

/// A name in lower case as it goes over the wire, by which it is found.
pub(super) type Key = Box<[u8]>;

/// The numbers of the types that lookups treat apart.
pub(super) const NS: u16 = 2;
pub(super) const CNAME: u16 = 5;
pub(super) const SOA: u16 = 6;

/// A zone.
pub(super) struct Zone {
    pub id: String,
    pub apex: Key,
    /// TTL, negative TTL, and data of its SOA.
    pub soa: (u32, u32, Vec<u8>),
    /// Every name that exists; one with no sets only has names below it (an empty non-terminal, RFC 8020).
    pub names: HashMap<Key, Vec<Set>>,
    /// Whether a name below the apex is delegated to other servers.
    pub cuts: bool,
}

/// A record set.
pub(super) struct Set {
    pub kind: u16,
    pub ttl: u32,
    pub policy: Policy,
    /// What its own health check says.
    pub well: bool,
    pub data: Data,
}

/// How it is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Policy {
    Simple,
    Weight(u8),
    Primary,
    Secondary,
    Any,
}

pub(super) enum Data {
    /// Values: as Route 53 writes them, and as the wire has them; and where a CNAME leads to.
    Values {
        texts: Vec<String>,
        wire: Vec<Vec<u8>>,
        leads_to: Option<Key>,
    },
    Alias {
        to: Key,
        evaluate: bool,
    },
}

impl Zone {
    /// `zone`, ready to answer. `None` where its name is none.
    pub fn of(state: &State, id: &str, zone: &state::Zone) -> Option<Self> {
        let apex = name::key(&zone.name)?;
        let mut names: HashMap<Key, Vec<Set>> = HashMap::new();
        for record in &zone.records {
            if let (Some(key), Some(set)) = (name::key(&record.name), set(state, record)) {
                names.entry(key).or_default().push(set);
            }
        }
        let soa = soa(names.get(&apex).map_or(&[], Vec::as_slice), zone.servers().first());
        let top = names.entry(apex.clone()).or_default();
        if !top.iter().any(|set| set.kind == SOA) {
            top.push(plain(SOA, soa.0, vec![soa.2.clone()]));
        }
        let between: Vec<Key> = names
            .keys()
            .flat_map(|key| parents(key).take_while(|parent| parent.len() > apex.len()).map(Key::from))
            .collect();
        for key in between {
            names.entry(key).or_default();
        }
        let cuts = names.iter().any(|(key, sets)| *key != apex && sets.iter().any(|set| set.kind == NS));
        Some(Self { id: id.to_owned(), apex, soa, names, cuts })
    }
}

/// The names above a name, the nearest first.
pub(super) fn parents(key: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = key;
    std::iter::from_fn(move || {
        let length = usize::from(*rest.first()?);
        rest = rest.get(length + 1..).filter(|_| length > 0)?;
        Some(rest)
    })
}

fn plain(kind: u16, ttl: u32, wire: Vec<Vec<u8>>) -> Set {
    let data = Data::Values { texts: Vec::new(), wire, leads_to: None };
    Set { kind, ttl, policy: Policy::Simple, well: true, data }
}

fn set(state: &State, record: &RecordSet) -> Option<Set> {
    let Some(kind) = kind_number(&record.kind) else {
        tracing::warn!(name = record.name, kind = record.kind, "the name server does not serve this kind");
        return None;
    };
    let policy = match &record.routing {
        Routing::Simple => Policy::Simple,
        Routing::Weighted { weight, .. } => Policy::Weight(*weight),
        Routing::Failover { primary: true, .. } => Policy::Primary,
        Routing::Failover { .. } => Policy::Secondary,
        Routing::Multivalue { .. } => Policy::Any,
    };
    let data = match &record.answer {
        Answer::Alias { name, evaluate_health, .. } => {
            let bare = name.strip_prefix("dualstack.").unwrap_or(name);
            Data::Alias { to: name::key(bare)?, evaluate: *evaluate_health }
        }
        Answer::Values(values) => {
            let (mut texts, mut wire) = (Vec::new(), Vec::new());
            for value in values {
                match encode(&record.kind, value) {
                    Ok(bytes) => {
                        texts.push(value.clone());
                        wire.push(bytes);
                    }
                    Err(error) => tracing::warn!(name = record.name, %error, "a record value is not well formed"),
                }
            }
            let leads_to = wire.first().filter(|_| kind == CNAME).map(|wire| name::lowered(wire.clone()));
            Data::Values { texts, wire, leads_to }
        }
    };
    let well = record.health_check.as_deref().is_none_or(|id| is_well(&state.checkups, id));
    Some(Set { kind, ttl: record.ttl.unwrap_or(60), policy, well, data })
}

/// The zone's SOA, or the one every zone is born with.
fn soa(top: &[Set], server: Option<&String>) -> (u32, u32, Vec<u8>) {
    let own = top.iter().find(|set| set.kind == SOA).and_then(|set| match &set.data {
        Data::Values { wire, .. } => Some((set.ttl, wire.first()?.clone())),
        Data::Alias { .. } => None,
    });
    let (ttl, wire) = own.unwrap_or_else(|| {
        let server = server.map_or("ns-1.rehearsal.invalid", String::as_str);
        let born = format!("{server} awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400");
        (900, encode("SOA", &born).unwrap_or_default())
    });
    let minimum = wire.last_chunk().map_or(0, |last: &[u8; 4]| u32::from_be_bytes(*last));
    (ttl, ttl.min(minimum), wire)
}
