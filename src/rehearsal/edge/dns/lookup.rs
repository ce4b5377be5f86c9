//! Answers a question from the directory: weights, aliases, chains of CNAMEs, wildcards. Pure but for the dice.

use std::net::IpAddr;

use hickory_proto::op::ResponseCode;
use hickory_proto::rr::rdata::{A, AAAA};
use hickory_proto::rr::{Name, RData, Record, RecordType};

use super::directory::{Data, Directory, Set, Zone};

/// The TTL an alias to a balancer or distribution is answered with. Law R5.
const ALIAS_TTL: u32 = 60;

/// How long a chain of CNAMEs or aliases may be.
const CHAIN: usize = 8;

/// What a question is answered with.
pub struct Outcome {
    pub code: ResponseCode,
    pub answers: Vec<Record>,
    pub authority: Vec<Record>,
}

/// Answers `name` (as asked; `lower` is its lower-case text without the final dot) for records of `kind`.
pub fn lookup(directory: &Directory, name: &Name, lower: &str, kind: RecordType) -> Outcome {
    let mut outcome = Outcome { code: ResponseCode::NoError, answers: Vec::new(), authority: Vec::new() };
    let (mut owner, mut at) = (name.clone(), lower.to_owned());
    for step in 0..CHAIN {
        if let Some((address, _)) = directory.edge(&at) {
            outcome.answers.extend(address_record(owner, address, kind));
            return outcome;
        }
        let Some(zone) = directory.zone(&at) else {
            // the rest of a chain that leaves our zones is another server's to answer
            if step == 0 {
                outcome.code = ResponseCode::Refused;
            }
            return outcome;
        };
        let Some(sets) = zone.sets(&at) else {
            outcome.authority.push(zone.soa_record());
            if !zone.between.contains(&at) {
                outcome.code = ResponseCode::NXDomain;
            }
            return outcome;
        };
        let before = outcome.answers.len();
        if kind == RecordType::ANY {
            for wanted in sets.iter().map(|set| set.kind).collect::<std::collections::BTreeSet<_>>() {
                answer(directory, sets, wanted, &owner, &mut outcome.answers, CHAIN);
            }
        } else {
            answer(directory, sets, kind, &owner, &mut outcome.answers, CHAIN);
        }
        if outcome.answers.len() > before {
            return outcome;
        }
        let cname = pick(directory, sets, RecordType::CNAME);
        let Some((Data::Values(values), ttl)) = cname.map(|set| (&set.data, set.ttl)) else {
            outcome.authority.push(zone.soa_record());
            return outcome;
        };
        let Some(RData::CNAME(next)) = values.first() else {
            outcome.authority.push(zone.soa_record());
            return outcome;
        };
        outcome.answers.push(Record::from_rdata(owner, ttl, RData::CNAME(next.clone())));
        owner = next.0.clone();
        at = text(&next.0);
    }
    outcome.code = ResponseCode::ServFail;
    outcome
}

/// Lower case, without the final dot.
pub fn text(name: &Name) -> String {
    let mut text = name.to_ascii().to_ascii_lowercase();
    if text.ends_with('.') {
        text.pop();
    }
    text
}

/// Adds the records of one set of `kind`, following aliases.
fn answer(directory: &Directory, sets: &[Set], kind: RecordType, owner: &Name, answers: &mut Vec<Record>, left: usize) {
    let Some(set) = pick(directory, sets, kind) else { return };
    match &set.data {
        Data::Values(values) => {
            answers.extend(values.iter().map(|data| Record::from_rdata(owner.clone(), set.ttl, data.clone())));
        }
        Data::Alias { to, .. } => {
            if let Some((address, _)) = directory.edge(to) {
                answers.extend(address_record(owner.clone(), address, kind));
            } else if let Some(sets) = directory.zone(to).and_then(|zone| zone.sets(to))
                && left > 0
            {
                answer(directory, sets, kind, owner, answers, left - 1);
            }
        }
    }
}

/// The set that answers this time. Laws R3 and R4: by weight among the healthy; all zero is all equal; zero weights are
/// served when every other is unhealthy; where none is healthy, all are taken for healthy.
fn pick<'a>(directory: &Directory, sets: &'a [Set], kind: RecordType) -> Option<&'a Set> {
    let of_kind = || sets.iter().filter(|set| set.kind == kind);
    let first = of_kind().next()?;
    if first.weight.is_none() {
        return Some(first);
    }
    let healthy = |set: &&Set| match &set.data {
        Data::Alias { to, evaluate_health: true } => directory.edge(to).is_none_or(|(_, healthy)| healthy),
        _ => true,
    };
    let mut among: Vec<&Set> = of_kind().filter(healthy).collect();
    if among.is_empty() {
        among = of_kind().collect();
    }
    let total: u32 = among.iter().map(|set| u32::from(set.weight.unwrap_or(0))).sum();
    if total == 0 {
        return among.get(rand::random_range(0..among.len())).copied();
    }
    let mut at = rand::random_range(0..total);
    among.into_iter().find(|set| match at.checked_sub(set.weight.unwrap_or(0).into()) {
        None => true,
        Some(rest) => {
            at = rest;
            false
        }
    })
}

fn address_record(owner: Name, address: IpAddr, kind: RecordType) -> Option<Record> {
    let data = match (address, kind) {
        (IpAddr::V4(v4), RecordType::A | RecordType::ANY) => RData::A(A(v4)),
        (IpAddr::V6(v6), RecordType::AAAA | RecordType::ANY) => RData::AAAA(AAAA(v6)),
        _ => return None,
    };
    Some(Record::from_rdata(owner, ALIAS_TTL, data))
}

impl Zone {
    /// The sets of `name`, or of the wildcard that covers it.
    fn sets(&self, name: &str) -> Option<&[Set]> {
        if let Some(sets) = self.names.get(name) {
            return Some(sets);
        }
        if self.between.contains(name) {
            return None;
        }
        let mut rest = name;
        while let Some((_, parent)) = rest.split_once('.') {
            if parent.len() < self.name.len() {
                return None;
            }
            if let Some(sets) = self.names.get(&format!("*.{parent}")) {
                return Some(sets);
            }
            // a name that exists hides the wildcards above it
            if self.names.contains_key(parent) || self.between.contains(parent) {
                return None;
            }
            rest = parent;
        }
        None
    }

    /// The SOA as a negative answer carries it. Source: RFC 2308, 5.
    fn soa_record(&self) -> Record {
        let (name, ttl, soa) = &self.soa;
        Record::from_rdata(name.clone(), (*ttl).min(soa.minimum), RData::SOA(soa.clone()))
    }
}
