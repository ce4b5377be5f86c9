//! `ChangeResourceRecordSets`: a batch of changes, all or nothing.

use super::super::super::answering::name;
use super::super::super::state::{Answer, RecordSet, State, Zone};
use super::super::Cloud;
use super::super::law::Law;
use super::super::wire::operation::Output;
use super::super::wire::{ApiError, Node, refuse};
use super::input::{at_most, invalid, need};
use super::laws::{Broken, called, is_whole, may_stand, one_ttl_a_group};
use super::request::{Change, Verb, read};
use super::{alias, bare, changes, within_rate, zones};

/// `ResourceRecord` elements a batch may hold, an UPSERT's counting twice (law R8).
const MOST_ELEMENTS: usize = 1000;
/// Characters of all values of a batch, counted likewise.
const MOST_CHARACTERS: usize = 32_000;
/// Record sets of a zone. Source: Route 53 developer guide, "Quotas".
pub(super) const MOST_SETS: usize = 10_000;

pub(super) fn change(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    within_rate(cloud)?;
    let id = bare(need(input, "Id")?).to_owned();
    let batch = input.child("ChangeBatch").ok_or_else(|| invalid("Invalid XML ; there is no ChangeBatch"))?;
    let comment = batch.get("Comment").map(|c| at_most(c, "changeBatch.comment", 256)).transpose()?;
    let read: Vec<_> =
        batch.items("Changes").enumerate().map(|(i, node)| read(node, i + 1)).collect::<Result<_, _>>()?;
    within_size(&read)?;
    cloud.change(|state| {
        let before = zones::zone(state, &id)?;
        for check in read.iter().filter(|c| c.verb != Verb::Delete).filter_map(|c| c.record.health_check.as_ref()) {
            if !state.checkups.contains_key(check) {
                let message = format!("No health check exists with the specified ID: {check}");
                return Err(refuse("NoSuchHealthCheck", message).status(404));
            }
        }
        let zone = changed(state, &id, before, &read)?;
        state.zones.insert(id, zone);
        let change = changes::begin(cloud, state, comment);
        Ok(Node::new("ChangeResourceRecordSetsResponse").with(change).into())
    })
}

/// The zone with every change made to it, or all that is wrong with them.
fn changed(state: &State, id: &str, before: &Zone, changes: &[Change]) -> Result<Zone, ApiError> {
    let mut zone = before.clone();
    let mut broken: Vec<Broken> = changes.iter().flat_map(|c| c.broken.iter().cloned()).collect();
    let fit: Vec<&Change> = changes.iter().filter(|c| c.broken.is_empty()).collect();
    let clashing = clashing(&fit, &mut broken);
    for change in fit.iter().filter(|c| !clashing.contains(&key(&c.record))) {
        broken.extend(apply(&mut zone, change.verb, &change.record).err());
    }
    // What stands at the end has to stand, whatever the order it came in.
    if broken.is_empty() {
        let kept: Vec<_> = fit.iter().filter(|c| c.verb != Verb::Delete).map(|c| &c.record).collect();
        broken.extend(one_ttl_a_group(&zone, &kept).err());
        for record in kept {
            broken.extend(alias::leads_nowhere(state, id, &zone, record));
        }
        broken.extend(is_whole(&zone));
        if zone.records.len() > MOST_SETS {
            broken.push((format!("Exceeded limit MAX_RRSETS_BY_ZONE for zone: {id}"), Some(Law::R8)));
        }
    }
    refused(&broken)?;
    Ok(zone)
}

type Key<'a> = (&'a str, &'a str, Option<&'a str>);

fn key(record: &RecordSet) -> Key<'_> {
    (&record.name, &record.kind, record.routing.id())
}

/// The record sets that are changed twice other than by a DELETE and then a CREATE.
fn clashing<'a>(changes: &[&'a Change], broken: &mut Vec<Broken>) -> Vec<Key<'a>> {
    let mut found: Vec<Key<'_>> = Vec::new();
    let mut seen: std::collections::HashMap<Key<'_>, Vec<Verb>> = std::collections::HashMap::new();
    for change in changes {
        let key = key(&change.record);
        let verbs = seen.entry(key).or_default();
        verbs.push(change.verb);
        let may = matches!(verbs.as_slice(), [_] | [Verb::Delete, Verb::Create]);
        if !may && !found.contains(&key) {
            found.push(key);
            let (name, kind, _) = key;
            let message = format!(
                "The request contains an invalid set of changes for a resource record set '{kind} {}'",
                name::full(name)
            );
            broken.push((message, None));
        }
    }
    found
}

fn within_size(changes: &[Change]) -> Result<(), ApiError> {
    if changes.is_empty() {
        return Err(invalid(
            "Invalid XML ; the content of element 'Changes' is not complete: the batch holds no Change",
        ));
    }
    let (mut elements, mut characters) = (0, 0);
    for change in changes {
        let times = if change.verb == Verb::Upsert { 2 } else { 1 };
        if let Answer::Values(values) = &change.record.answer {
            elements += times * values.len();
            characters += times * values.iter().map(|v| v.chars().count()).sum::<usize>();
        }
    }
    let over = |what: &str, most: usize| {
        Err(refuse("InvalidChangeBatch", format!("[{what} limit of {most} exceeded.]")).by(Law::R8))
    };
    if elements > MOST_ELEMENTS {
        over("Number of records", MOST_ELEMENTS)
    } else if characters > MOST_CHARACTERS {
        over("RDATA character", MOST_CHARACTERS)
    } else {
        Ok(())
    }
}

fn apply(zone: &mut Zone, verb: Verb, record: &RecordSet) -> Result<(), Broken> {
    let found = zone.records.iter().position(|r| key(r) == key(record));
    match (verb, found) {
        (Verb::Delete, None) => {
            Err((format!("Tried to delete resource record set {} but it was not found", called(record)), Some(Law::R2)))
        }
        (Verb::Delete, Some(at)) if !matches_exactly(&zone.records[at], record) => {
            let message = "but the values provided do not match the current values";
            Err((format!("Tried to delete resource record set {} {message}", called(record)), Some(Law::R2)))
        }
        (Verb::Delete, Some(at)) => {
            zone.records.remove(at);
            Ok(())
        }
        (Verb::Create, Some(_)) => Err((
            format!("Tried to create resource record set {} but it already exists", called(record)),
            Some(Law::R2),
        )),
        (_, found) => {
            if let Some(at) = found {
                zone.records.remove(at);
            }
            may_stand(zone, record)?;
            zone.records.push(record.clone());
            Ok(())
        }
    }
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
