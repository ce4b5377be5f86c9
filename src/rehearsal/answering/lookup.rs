//! Answers a question: the zone, the name or the wildcard that covers it, chains of CNAMEs, aliases, delegations.
//! Source: RFC 1034, 4.3.2; RFC 4592 (wildcards); RFC 2308 (negative answers).

use std::net::IpAddr;

use super::choose::{DEPTH, choose};
use super::dice::Dice;
use super::directory::Directory;
use super::zone::{CNAME, Data, NS, SOA, Set, Zone, parents};
use super::{kind_number, name};

/// The TTL an alias to a balancer or distribution is answered with. Law R5.
const ALIAS_TTL: u32 = 60;

/// How long a chain of CNAMEs may be.
const CHAIN: usize = 8;

const A: u16 = 1;
const AAAA: u16 = 28;
const DS: u16 = 43;
const ANY: u16 = 255;

/// A question.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The name on the wire, in lower case.
    pub key: &'a [u8],
    /// The record type's number.
    pub kind: u16,
    /// Whether it comes as from a resolver that followed the delegations: a zone nobody delegates to is not found
    /// (law R9).
    pub public: bool,
}

/// How a question ends.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Code {
    /// The name is there, with or without such records.
    #[default]
    NoError,
    /// There is no such name.
    NxDomain,
    /// A chain of CNAMEs without an end.
    ServFail,
    /// No zone of ours.
    Refused,
}

impl Code {
    /// Its number on the wire, and its name.
    pub fn wire(self) -> (u8, &'static str) {
        match self {
            Self::NoError => (0, "NOERROR"),
            Self::ServFail => (2, "SERVFAIL"),
            Self::NxDomain => (3, "NXDOMAIN"),
            Self::Refused => (5, "REFUSED"),
        }
    }
}

/// What a question is answered with.
#[derive(Default)]
pub struct Outcome<'a> {
    /// How it ended.
    pub code: Code,
    /// Whether the answer is the zone's own and not a hint to another's servers.
    pub authoritative: bool,
    /// The answers.
    pub answers: Vec<Record<'a>>,
    /// The SOA of a negative answer, or the servers of a delegation.
    pub authority: Vec<Record<'a>>,
}

/// A record of an answer.
#[derive(Debug, Clone, Copy)]
pub struct Record<'a> {
    /// Whose it is.
    pub owner: Owner<'a>,
    /// Type.
    pub kind: u16,
    /// Seconds.
    pub ttl: u32,
    /// What it says.
    pub value: Value<'a>,
    /// Where a CNAME leads to, in lower case.
    leads_to: Option<&'a [u8]>,
}

/// The owner of a record.
#[derive(Debug, Clone, Copy)]
pub enum Owner<'a> {
    /// The name that was asked for, in the case it was asked in.
    Asked,
    /// The name asked for without so many bytes at its beginning.
    Above(usize),
    /// Another, on the wire.
    Other(&'a [u8]),
}

/// What a record says.
#[derive(Debug, Clone, Copy)]
pub enum Value<'a> {
    /// An address of the edge.
    Address(IpAddr),
    /// Data of the wire, and the text it was written as, if it was.
    Data(&'a [u8], Option<&'a str>),
}

impl Value<'_> {
    /// As Route 53 writes it.
    pub fn text(&self) -> String {
        match self {
            Self::Address(address) => address.to_string(),
            Self::Data(_, text) => text.unwrap_or_default().to_owned(),
        }
    }
}

impl Directory {
    /// Answers a question from whatever zone the name lies in.
    pub fn look_up<'a>(&'a self, asked: Asked<'_>, dice: &mut Dice) -> Outcome<'a> {
        if let Some(edge) = self.edge(asked.key) {
            let mut outcome = Outcome { authoritative: true, ..Outcome::default() };
            outcome.answers.extend(address_record(Owner::Asked, edge.address, asked.kind));
            return outcome;
        }
        match self.zone(asked.key, asked.public, asked.kind == DS) {
            Some(zone) => self.look_in(zone, asked, dice),
            None => Outcome { code: Code::Refused, ..Outcome::default() },
        }
    }

    /// Answers as the servers of the zone of an id do; `None` without such a zone. The name is text.
    pub fn look_up_in(&self, zone: &str, name: &str, kind: &str, dice: &mut Dice) -> Option<Outcome<'_>> {
        let zone = self.zone_by_id(zone)?;
        let (key, kind) = (name::key(name)?, kind_number(kind)?);
        if key.strip_suffix(&*zone.apex).is_none() {
            return Some(Outcome { code: Code::Refused, ..Outcome::default() });
        }
        Some(self.look_in(zone, Asked { key: &key, kind, public: false }, dice))
    }

    fn look_in<'a>(&'a self, mut zone: &'a Zone, asked: Asked<'_>, dice: &mut Dice) -> Outcome<'a> {
        let mut outcome = Outcome { authoritative: true, ..Outcome::default() };
        let Asked { kind, public, .. } = asked;
        // after the first step the name is one that a CNAME leads to, kept in the directory
        let mut led: Option<(&'a [u8], &'a [u8])> = None;
        for _ in 0..CHAIN {
            let key = led.map_or(asked.key, |(key, _)| key);
            let owner = led.map_or(Owner::Asked, |(_, wire)| Owner::Other(wire));
            if led.is_some() {
                if let Some(edge) = self.edge(key) {
                    outcome.answers.extend(address_record(owner, edge.address, kind));
                    return outcome;
                }
                // the rest of a chain that leaves our zones is another server's to answer
                let Some(next) = self.zone(key, public, false) else { return outcome };
                zone = next;
            }
            let above = |apex: &[u8]| match led {
                None => Owner::Above(key.len() - apex.len()),
                Some((_, wire)) => Owner::Other(&wire[wire.len() - apex.len()..]),
            };
            if let Some((cut, sets)) = zone.cut(key, kind) {
                outcome.authoritative = led.is_some();
                for set in sets.iter().filter(|set| set.kind == NS) {
                    push(set, above(cut), &mut outcome.authority);
                }
                return outcome;
            }
            let Some(sets) = zone.sets(key) else {
                outcome.code = Code::NxDomain;
                outcome.authority.push(zone.negative(above(&zone.apex)));
                return outcome;
            };
            let before = outcome.answers.len();
            // one set is enough for ANY (RFC 8482)
            let wanted = if kind == ANY { sets.first().map_or(ANY, |set| set.kind) } else { kind };
            self.answer(zone, sets, wanted, owner, &mut outcome.answers, dice, DEPTH);
            if outcome.answers.len() > before {
                return outcome;
            }
            let mut next = None;
            if wanted != CNAME {
                self.answer(zone, sets, CNAME, owner, &mut outcome.answers, dice, DEPTH);
                next = outcome.answers.get(before).and_then(|record| match record.value {
                    Value::Data(wire, _) => Some((record.leads_to?, wire)),
                    Value::Address(_) => None,
                });
            }
            if next.is_none() {
                outcome.authority.push(zone.negative(above(&zone.apex)));
                return outcome;
            }
            led = next;
        }
        outcome.code = Code::ServFail;
        outcome
    }

    /// Adds the records of the sets of `kind` that answer this time, following aliases.
    #[allow(clippy::too_many_arguments)]
    fn answer<'a>(
        &'a self,
        zone: &'a Zone,
        sets: &'a [Set],
        kind: u16,
        owner: Owner<'a>,
        answers: &mut Vec<Record<'a>>,
        dice: &mut Dice,
        left: u8,
    ) {
        choose(self, zone, sets, kind, dice, |set, dice| match &set.data {
            Data::Values { .. } => push(set, owner, answers),
            Data::Alias { to, .. } => {
                if let Some(edge) = self.edge(to) {
                    answers.extend(address_record(owner, edge.address, kind));
                } else if let Some(sets) = zone.sets(to)
                    && left > 0
                {
                    self.answer(zone, sets, kind, owner, answers, dice, left - 1);
                }
            }
        });
    }
}

fn push<'a>(set: &'a Set, owner: Owner<'a>, records: &mut Vec<Record<'a>>) {
    if let Data::Values { texts, wire, leads_to } = &set.data {
        records.extend(wire.iter().enumerate().map(|(at, data)| Record {
            owner,
            kind: set.kind,
            ttl: set.ttl,
            value: Value::Data(data, texts.get(at).map(String::as_str)),
            leads_to: leads_to.as_deref(),
        }));
    }
}

fn address_record(owner: Owner<'_>, address: IpAddr, kind: u16) -> Option<Record<'_>> {
    let own = if address.is_ipv4() { A } else { AAAA };
    let record = Record { owner, kind: own, ttl: ALIAS_TTL, value: Value::Address(address), leads_to: None };
    (kind == own || kind == ANY).then_some(record)
}

impl Zone {
    /// The sets of a name, or of the wildcard that covers it. A name that is there hides the wildcards above it.
    fn sets(&self, key: &[u8]) -> Option<&[Set]> {
        if let Some(sets) = self.names.get(key) {
            return Some(sets);
        }
        let mut buffer = [0_u8; 257];
        for parent in parents(key).take_while(|parent| parent.len() >= self.apex.len()) {
            buffer[..2].copy_from_slice(b"\x01*");
            let star = buffer.get_mut(2..2 + parent.len())?;
            star.copy_from_slice(parent);
            if let Some(sets) = self.names.get(&buffer[..2 + parent.len()]) {
                return Some(sets);
            }
            if self.names.contains_key(parent) {
                return None;
            }
        }
        None
    }

    /// The highest name at or above `key`, below the apex, that is delegated to other servers. A DS record of the cut
    /// itself is ours to answer.
    fn cut<'k>(&self, key: &'k [u8], kind: u16) -> Option<(&'k [u8], &[Set])> {
        if !self.cuts {
            return None;
        }
        let within = std::iter::once(key).chain(parents(key)).take_while(|part| part.len() > self.apex.len());
        let cuts = within.filter_map(|part| {
            let sets = self.names.get(part)?;
            (sets.iter().any(|set| set.kind == NS) && !(kind == DS && part == key)).then_some((part, sets.as_slice()))
        });
        cuts.last()
    }

    /// The SOA as a negative answer carries it. Source: RFC 2308, 5.
    fn negative<'a>(&'a self, owner: Owner<'a>) -> Record<'a> {
        let (_, ttl, data) = &self.soa;
        Record { owner, kind: SOA, ttl: *ttl, value: Value::Data(data, None), leads_to: None }
    }
}
