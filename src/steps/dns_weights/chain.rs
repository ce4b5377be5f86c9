//! The chain of steps, each link's records predicted from the live ones.

use std::time::Duration;

use crate::clients::dns::{Answer, RecordSet, Weighted, Zone};
use crate::step::{Fault, Look, Severity, StepResult};

use super::goal::{Goal, goal};
use super::inspect::{self, Movable, NEW, OLD, is_our_pair};
use super::records::ordered;
use super::{DnsChange, DnsWeights, Phase, Which};

/// How long an alias to a balancer or a distribution is kept. Source: Route 53 developer guide, alias records.
const ALIAS_TTL: u32 = 60;

/// The steps that move these names: `ttl`, `pair`, one a stage. Fails with the first thing that stands in the way.
///
/// `ttl` is what the old records' TTL is lowered to, in seconds; beside aliases 60 is right (law R5).
pub async fn expand(look: &Look, which: Which, stages: &[u8], bake: Duration, ttl: u32) -> StepResult<Vec<DnsWeights>> {
    let seen = inspect::see(look, which).await?;
    if let Some(blocker) = seen.findings.iter().find(|finding| finding.severity == Severity::Blocker) {
        return Err(Fault::failed_with(blocker.what.clone(), blocker.todo.clone()));
    }
    let Some(zone) = seen.zone else {
        return Err(Fault::failed(format!("there is no hosted zone {}", look.site.names.zone)));
    };
    if seen.movable.is_empty() {
        return Err(Fault::failed_with("there are no names to move", "name them under `names` in the site file"));
    }
    let to = goal(look, which).await?;
    let mut chain = Chain { which, awaits: to.awaited, zone, movable: seen.movable, steps: Vec::new() };
    chain.lower(ttl);
    chain.pair(ttl, &to);
    for stage in stages {
        chain.shift((*stage).min(100), bake);
    }
    Ok(chain.steps)
}

struct Chain {
    which: Which,
    awaits: bool,
    zone: Zone,
    /// As the links so far leave them.
    movable: Vec<Movable>,
    steps: Vec<DnsWeights>,
}

impl Chain {
    fn lower(&mut self, ttl: u32) {
        let now: Vec<u32> = self.movable.iter().flat_map(|m| &m.records).filter_map(|record| record.ttl).collect();
        let longest = now.into_iter().max().unwrap_or(0);
        self.link(Phase::Ttl, (Duration::from_secs(longest.into()), "waiting out the old TTL"), |records| {
            if is_our_pair(records) {
                return records.to_vec();
            }
            let lowered = |r: &RecordSet| RecordSet { ttl: r.ttl.map(|now| now.min(ttl)), ..r.clone() };
            records.iter().map(lowered).collect()
        });
    }

    fn pair(&mut self, ttl: u32, to: &Goal) {
        self.link(Phase::Pair, (Duration::ZERO, ""), |records| match records {
            [simple] => {
                let weighted = |id: &str, weight| Some(Weighted { id: id.to_owned(), weight });
                let old = RecordSet { weighted: weighted(OLD, 100), ..simple.clone() };
                let (name, zone) = (to.name.clone(), to.zone.clone());
                let new = if simple.kind == "CNAME" {
                    let ttl = simple.ttl.or(Some(ttl));
                    RecordSet { answer: Answer::Values(vec![name]), ttl, ..simple.clone() }
                } else {
                    // Law R4: with the target's health in it, an ill group would send visitors to the other side.
                    let answer = Answer::Alias { name, zone, evaluate_health: false };
                    RecordSet { answer, ttl: None, ..simple.clone() }
                };
                vec![old, RecordSet { weighted: weighted(NEW, 0), ..new }]
            }
            pair => pair.to_vec(),
        });
    }

    fn shift(&mut self, share: u8, bake: Duration) {
        let settle = Duration::from_secs(self.ttl().into());
        // The last stage is over when no resolver can hold the old answer any more.
        let hold = if share >= 100 { bake.max(settle) } else { bake };
        let why = format!("{share} % are answered with the new side; this is held");
        self.link(Phase::Weight(share), (hold, &why), |records| {
            let shifted = |record: &RecordSet| {
                let weight = |id: &str| if id == NEW { share } else { 100 - share };
                let weighted = record.weighted.as_ref().map(|w| Weighted { weight: weight(&w.id), ..w.clone() });
                RecordSet { weighted, ..record.clone() }
            };
            records.iter().map(shifted).collect()
        });
    }

    /// Adds a link that makes of each name's records what `make` says.
    fn link(&mut self, phase: Phase, hold: (Duration, &str), make: impl Fn(&[RecordSet]) -> Vec<RecordSet>) {
        let (mut names, mut before, mut after) = (Vec::new(), Vec::new(), Vec::new());
        let mut answered = false;
        for moving in &mut self.movable {
            let then = ordered(make(&moving.records));
            names.push(moving.name.clone());
            // Once the new side is answered to nobody any more, what comes next in a rollback takes it away.
            answered |= share(&moving.records) == 0 && share(&then) > 0;
            before.append(&mut moving.records);
            after.extend(then.iter().cloned());
            moving.records = then;
        }
        let drain = if answered { Duration::from_secs(self.ttl().into()) } else { Duration::ZERO };
        let (hold, why) = hold;
        let hold_why = why.to_owned();
        let zone = self.zone.id.clone();
        let change = DnsChange { zone, names, before, after, hold, hold_why, drain };
        self.steps.push(DnsWeights { which: self.which, phase, awaits: self.awaits, change });
    }

    /// The longest a resolver keeps an answer of these names, in seconds.
    fn ttl(&self) -> u32 {
        let own = self.movable.iter().flat_map(|m| &m.records).filter_map(|record| record.ttl).max();
        own.unwrap_or(ALIAS_TTL).max(ALIAS_TTL)
    }
}

/// The new side's weight.
fn share(records: &[RecordSet]) -> u8 {
    let new = records.iter().filter_map(|r| r.weighted.as_ref()).find(|w| w.id == NEW);
    new.map_or(0, |w| w.weight)
}
