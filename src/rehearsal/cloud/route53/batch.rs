//! `ChangeResourceRecordSets`: a batch of changes, all or nothing.

use super::super::super::state::{Answer, RecordSet, State, Zone};
use super::super::Cloud;
use super::super::law::Law;
use super::super::wire::operation::Output;
use super::super::wire::{ApiError, Node, refuse};
use super::laws::{Broken, called, may_stand, one_ttl_a_group};
use super::{bare, begin_change, records, within_rate, zones};

/// `ResourceRecord` elements a batch may hold, an UPSERT's counting twice (law R8).
const MOST_ELEMENTS: usize = 1000;
/// Characters of all values of a batch.
const MOST_CHARACTERS: usize = 32_000;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Verb {
    Create,
    Delete,
    Upsert,
}

pub(super) fn change(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    within_rate(cloud)?;
    let id = bare(input.need("Id")?).to_owned();
    let batch = input.child("ChangeBatch").ok_or_else(|| refuse("InvalidInput", "Invalid request: no ChangeBatch"))?;
    let changes =
        batch.items("Changes").enumerate().map(|(i, node)| read(node, i + 1)).collect::<Result<Vec<_>, _>>()?;
    within_size(&changes)?;
    cloud.change(|state| {
        let mut zone = zones::zone(state, &id)?.clone();
        let mut broken = Vec::new();
        for (verb, record) in &changes {
            broken.extend(apply(state, &mut zone, *verb, record).err());
        }
        if broken.is_empty() {
            let touched: Vec<_> = changes.iter().filter(|(v, _)| *v != Verb::Delete).map(|(_, r)| r).collect();
            broken.extend(one_ttl_a_group(&zone, &touched).err());
        }
        refused(&broken)?;
        state.zones.insert(id, zone);
        let change = begin_change(cloud, state);
        Ok(Node::new("ChangeResourceRecordSetsResponse").with(change).into())
    })
}

fn read(node: &Node, at: usize) -> Result<(Verb, RecordSet), ApiError> {
    let verb = match node.get("Action") {
        Some("CREATE") => Verb::Create,
        Some("DELETE") => Verb::Delete,
        Some("UPSERT") => Verb::Upsert,
        other => {
            let message = format!(
                "Value '{}' at 'changeBatch.changes.{at}.member.action' failed to satisfy enum value set: [CREATE, UPSERT, DELETE]",
                other.unwrap_or_default()
            );
            return Err(refuse("InvalidInput", message));
        }
    };
    let record = node
        .child("ResourceRecordSet")
        .ok_or_else(|| refuse("InvalidInput", "Invalid request: no ResourceRecordSet"))?;
    Ok((verb, records::read(record, at)?))
}

fn within_size(changes: &[(Verb, RecordSet)]) -> Result<(), ApiError> {
    if changes.is_empty() {
        return Err(refuse("InvalidInput", "Invalid request: the batch holds no change"));
    }
    let (mut elements, mut characters) = (0, 0);
    for (verb, record) in changes {
        let times = if *verb == Verb::Upsert { 2 } else { 1 };
        if let Answer::Values(values) = &record.answer {
            elements += times * values.len();
            characters += times * values.iter().map(|v| v.chars().count()).sum::<usize>();
        }
    }
    let over = |what: &str, is: usize, most: usize| {
        Err(refuse("InvalidChangeBatch", format!("[Number of {what} limit of {most} exceeded: {is}]")).by(Law::R8))
    };
    if elements > MOST_ELEMENTS {
        over("records", elements, MOST_ELEMENTS)
    } else if characters > MOST_CHARACTERS {
        over("characters in values", characters, MOST_CHARACTERS)
    } else {
        Ok(())
    }
}

fn apply(state: &State, zone: &mut Zone, verb: Verb, record: &RecordSet) -> Result<(), Broken> {
    let id = |r: &RecordSet| r.weighted.as_ref().map(|(id, _)| id.clone());
    let same = |r: &RecordSet| r.name == record.name && r.kind == record.kind && id(r) == id(record);
    let found = zone.records.iter().position(same);
    if verb == Verb::Delete {
        let born_with = record.name == zone.name && matches!(record.kind.as_str(), "NS" | "SOA");
        return match found {
            _ if born_with => {
                let message = format!(
                    "A HostedZone must contain exactly one SOA record and at least one NS record: {}",
                    called(record)
                );
                Err((message, None))
            }
            None => Err((
                format!("Tried to delete resource record set {} but it was not found", called(record)),
                Some(Law::R2),
            )),
            Some(at) if !matches_exactly(&zone.records[at], record) => {
                let message = "but the values provided do not match the current values";
                Err((format!("Tried to delete resource record set {} {message}", called(record)), Some(Law::R2)))
            }
            Some(at) => {
                zone.records.remove(at);
                Ok(())
            }
        };
    }
    match found {
        Some(_) if verb == Verb::Create => {
            return Err((
                format!("Tried to create resource record set {} but it already exists", called(record)),
                Some(Law::R2),
            ));
        }
        Some(at) => drop(zone.records.remove(at)),
        None => {}
    }
    may_stand(state, zone, record)?;
    zone.records.push(record.clone());
    Ok(())
}

/// Whether a DELETE names the record as it is; the order of values does not matter.
fn matches_exactly(current: &RecordSet, given: &RecordSet) -> bool {
    let sorted = |record: &RecordSet| {
        let mut record = record.clone();
        if let Answer::Values(values) = &mut record.answer {
            values.sort();
        }
        record
    };
    sorted(current) == sorted(given)
}

/// All broken rules of a batch in one answer, as Route 53 gives them.
fn refused(broken: &[Broken]) -> Result<(), ApiError> {
    if broken.is_empty() {
        return Ok(());
    }
    let messages: Vec<_> = broken.iter().map(|(message, _)| message.as_str()).collect();
    let error = refuse("InvalidChangeBatch", format!("[{}]", messages.join(", ")));
    Err(match broken.iter().find_map(|(_, law)| *law) {
        Some(law) => error.by(law),
        None => error,
    })
}
