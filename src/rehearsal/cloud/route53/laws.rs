//! What may stand beside what in a zone, in Route 53's words.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::super::super::state::{Answer, CLOUDFRONT_ZONE, RecordSet, State, Zone};
use super::super::law::Law;
use super::records::full;

/// A broken rule: the message, and the law if it is one of ours.
pub(super) type Broken = (String, Option<Law>);

/// How Route 53 names a record set in a message.
pub(super) fn called(record: &RecordSet) -> String {
    let set = record.weighted.as_ref().map(|(id, _)| format!(", set identifier='{id}'")).unwrap_or_default();
    format!("[name='{}', type='{}'{set}]", full(&record.name), record.kind)
}

/// Checks a record about to be written against the others of its zone (without the one it replaces).
pub(super) fn may_stand(state: &State, zone: &Zone, record: &RecordSet) -> Result<(), Broken> {
    let (name, kind) = (full(&record.name), &record.kind);
    let apex = record.name == zone.name;
    if !apex && !record.name.ends_with(&format!(".{}", zone.name)) {
        return Err((format!("RRSet with DNS name {name} is not permitted in zone {}", full(&zone.name)), None));
    }
    if kind == "CNAME" && apex {
        let message =
            format!("RRSet of type CNAME with DNS name {name} is not permitted at apex in zone {}", full(&zone.name));
        return Err((message, Some(Law::R5)));
    }
    let beside: Vec<_> = zone.records.iter().filter(|r| r.name == record.name).collect();
    if beside.iter().any(|r| (r.kind == "CNAME") != (kind == "CNAME")) {
        let message = format!(
            "RRSet of type {kind} with DNS name {name} is not permitted as it conflicts with other records with the same \
             DNS name in zone {}",
            full(&zone.name)
        );
        return Err((message, None));
    }
    let mut same = beside.iter().filter(|r| r.kind == *kind);
    match &record.weighted {
        Some((id, _)) if same.any(|r| r.weighted.is_none()) => Err((
            format!(
                "RRSet with DNS name {name}, type {kind}, SetIdentifier {id} cannot be created as a non-weighted set exists \
                 with the same name and type."
            ),
            Some(Law::R1),
        )),
        None if same.any(|r| r.weighted.is_some()) => Err((
            format!(
                "RRSet with DNS name {name}, type {kind} cannot be created as other RRSets exist with the same name and type."
            ),
            Some(Law::R1),
        )),
        _ => answers_well(state, zone, record),
    }
}

/// Checks the values, or that an alias leads to something that is there.
fn answers_well(state: &State, zone: &Zone, record: &RecordSet) -> Result<(), Broken> {
    match &record.answer {
        Answer::Values(values) => {
            let wrong = values.iter().find(|v| match record.kind.as_str() {
                "A" => v.parse::<Ipv4Addr>().is_err(),
                "AAAA" => v.parse::<Ipv6Addr>().is_err(),
                "TXT" | "SPF" => !(v.len() >= 2 && v.starts_with('"') && v.ends_with('"')),
                _ => false,
            });
            match (record.kind.as_str(), wrong) {
                ("A" | "AAAA", Some(value)) => Err((
                    format!(
                        "Invalid Resource Record: 'FATAL problem: ARRDATAIllegalIPv4Address (Value is not a valid IP address) encountered with '{value}''"
                    ),
                    None,
                )),
                (_, Some(value)) => Err((
                    format!(
                        "Invalid Resource Record: 'FATAL problem: InvalidCharacterString (Value should be enclosed in quotation marks) encountered with '{value}''"
                    ),
                    None,
                )),
                ("CNAME", None) if values.len() > 1 => {
                    Err((format!("CNAME {} must have exactly one value", full(&record.name)), None))
                }
                _ => Ok(()),
            }
        }
        Answer::Alias { name, zone: target, .. } => {
            let there = if target == CLOUDFRONT_ZONE {
                state.distributions.contains_key(name)
            } else if state.zones.get(target).is_some_and(|z| z.name == zone.name) {
                *name != record.name && zone.records.iter().any(|r| r.name == *name && r.kind == record.kind)
            } else {
                let bare = name.strip_prefix("dualstack.").unwrap_or(name);
                state.balancers.values().any(|b| b.zone == *target && b.dns_name.eq_ignore_ascii_case(bare))
            };
            if there {
                return Ok(());
            }
            let message = format!(
                "Tried to create an alias that targets {}, type {} in zone {target}, but the alias target name does not lie \
                 within the target zone",
                full(name),
                record.kind
            );
            Err((message, Some(Law::R5)))
        }
    }
}

/// The first record of a weighted group whose TTL is not its group's (law R5).
pub(super) fn one_ttl_a_group(zone: &Zone, touched: &[&RecordSet]) -> Result<(), Broken> {
    for record in touched.iter().filter(|r| r.weighted.is_some()) {
        let group = zone.records.iter().filter(|r| r.name == record.name && r.kind == record.kind);
        let mut ttls = group.filter_map(|r| r.ttl);
        let first = ttls.next();
        if ttls.any(|ttl| Some(ttl) != first) {
            let id = record.weighted.as_ref().map_or("", |(id, _)| id);
            let message = format!(
                "RRSet with DNS name {}, type {}, SetIdentifier {id} cannot be created as weighted sets must contain the same TTL.",
                full(&record.name),
                record.kind
            );
            return Err((message, Some(Law::R5)));
        }
    }
    Ok(())
}
