//! What may stand beside what in a zone, in Route 53's words.

use super::super::super::answering::name::{full, lies_in};
use super::super::super::state::{RecordSet, Routing, Zone};
use super::super::law::Law;

/// A broken rule: the message, and the law if it is one of ours.
pub(super) type Broken = (String, Option<Law>);

/// How Route 53 names a record set in a message.
pub(super) fn called(record: &RecordSet) -> String {
    let set = record.routing.id().map(|id| format!(", set-identifier='{id}'")).unwrap_or_default();
    format!("[name='{}', type='{}'{set}]", full(&record.name), record.kind)
}

/// Checks a record about to be written against the others of its zone (without the one it replaces).
pub(super) fn may_stand(zone: &Zone, record: &RecordSet) -> Result<(), Broken> {
    let (name, kind) = (full(&record.name), record.kind.as_str());
    let apex = record.name == zone.name;
    let within = full(&zone.name);
    if !lies_in(&record.name, &zone.name) {
        return Err((format!("RRSet with DNS name {name} is not permitted in zone {within}"), None));
    }
    if kind == "CNAME" && apex {
        let message = format!("RRSet of type CNAME with DNS name {name} is not permitted at apex in zone {within}");
        return Err((message, Some(Law::R5)));
    }
    if kind == "SOA" && !apex || kind == "DS" && apex {
        let place = if apex { "at apex" } else { "below the apex" };
        return Err((
            format!("RRSet of type {kind} with DNS name {name} is not permitted {place} in zone {within}"),
            None,
        ));
    }
    if kind == "NS" && record.name.starts_with("*.") {
        return Err((
            format!("RRSet of type NS with DNS name {name} is not permitted as a wildcard in zone {within}"),
            None,
        ));
    }
    if record.routing != Routing::Simple && matches!(kind, "NS" | "SOA") {
        let word = record.routing.word();
        return Err((format!("RRSet of type {kind} with DNS name {name} cannot have {word} routing"), None));
    }
    let beside: Vec<_> = zone.records.iter().filter(|r| r.name == record.name).collect();
    if beside.iter().any(|r| (r.kind == "CNAME") != (kind == "CNAME")) {
        let message = format!(
            "RRSet of type {kind} with DNS name {name} is not permitted as it conflicts with other records with the same \
             DNS name in zone {within}"
        );
        return Err((message, None));
    }
    let same: Vec<_> = beside.into_iter().filter(|r| r.kind == kind).collect();
    beside_its_like(&same, record)
}

fn beside_its_like(same: &[&RecordSet], record: &RecordSet) -> Result<(), Broken> {
    let (name, kind) = (full(&record.name), &record.kind);
    match &record.routing {
        Routing::Simple if !same.is_empty() => Err((
            format!(
                "RRSet with DNS name {name}, type {kind} cannot be created as other RRSets exist with the same name and type."
            ),
            Some(Law::R1),
        )),
        Routing::Simple => Ok(()),
        routing => {
            let (id, word) = (routing.id().unwrap_or_default(), routing.word());
            if same.iter().any(|r| r.routing.word() != word) {
                let message = format!(
                    "RRSet with DNS name {name}, type {kind}, SetIdentifier {id} cannot be created as a non-{word} set exists \
                     with the same name and type."
                );
                return Err((message, Some(Law::R1)));
            }
            let is_primary = |r: &Routing| matches!(r, Routing::Failover { primary: true, .. });
            let failover = matches!(routing, Routing::Failover { .. });
            if failover && same.iter().any(|r| is_primary(&r.routing) == is_primary(routing)) {
                let which = if is_primary(routing) { "PRIMARY" } else { "SECONDARY" };
                let message = format!(
                    "RRSet with DNS name {name}, type {kind}, SetIdentifier {id} cannot be created as a failover {which} set \
                     exists with the same name and type."
                );
                return Err((message, None));
            }
            Ok(())
        }
    }
}

/// The first record of a weighted group whose TTL is not its group's (law R5).
pub(super) fn one_ttl_a_group(zone: &Zone, touched: &[&RecordSet]) -> Result<(), Broken> {
    for record in touched {
        let Routing::Weighted { id, .. } = &record.routing else { continue };
        let group = zone.records.iter().filter(|r| r.name == record.name && r.kind == record.kind);
        let mut ttls = group.filter_map(|r| r.ttl);
        let first = ttls.next();
        if ttls.any(|ttl| Some(ttl) != first) {
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

/// What a zone lacks of the records it is born with.
pub(super) fn is_whole(zone: &Zone) -> Vec<Broken> {
    let has = |kind: &str| zone.records.iter().any(|r| r.kind == kind && r.name == zone.name);
    let needed = [
        ("SOA", "A HostedZone must contain exactly one SOA record."),
        ("NS", "A HostedZone must contain at least one NS record for the zone itself."),
    ];
    needed.into_iter().filter(|(kind, _)| !has(kind)).map(|(_, message)| (message.to_owned(), None)).collect()
}
