//! Record sets: their order, and how they are listed.

use super::super::super::answering::{KINDS, name};
use super::super::super::state::{Answer, RecordSet, Routing};
use super::super::Cloud;
use super::super::wire::operation::Output;
use super::super::wire::{ApiError, Node};
use super::input::{invalid, need, one_of, page};
use super::{bare, within_rate, zones};

/// Record sets of a page, at most.
const PAGE: usize = 300;

/// Every record type, by name.
pub(super) fn kinds() -> Vec<&'static str> {
    KINDS.iter().map(|(name, _)| *name).collect()
}

fn place(record: &RecordSet) -> (String, &str, &str) {
    (name::sort_key(&record.name), &record.kind, record.routing.id().unwrap_or_default())
}

/// One page of a zone's record sets.
pub(super) fn list(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    within_rate(cloud)?;
    let id = bare(need(input, "Id")?);
    let size = page(input, PAGE)?;
    let (name, kind, identifier) = (input.get("name"), input.get("type"), input.get("identifier"));
    kind.map(|kind| one_of(kind, "startRecordType", &kinds())).transpose()?;
    if kind.is_some() && name.is_none() {
        return Err(invalid("The type parameter was given without the name parameter"));
    }
    if identifier.is_some() && kind.is_none() {
        return Err(invalid("The identifier parameter was given without the name and type parameters"));
    }
    let name = name.map(name::plain).transpose().map_err(|fault| invalid(fault.to_string()))?;
    let from = (
        name.map(|n| name::sort_key(&n)).unwrap_or_default(),
        kind.unwrap_or_default(),
        identifier.unwrap_or_default(),
    );
    let state = cloud.shared().lock();
    let zone = zones::zone(&state, id)?;
    let mut records: Vec<_> = zone.records.iter().map(|r| (place(r), r)).filter(|(place, _)| *place >= from).collect();
    records.sort_by(|a, b| a.0.cmp(&b.0));
    let next = records.get(size).map(|(_, record)| *record);
    let node = Node::new("ListResourceRecordSetsResponse")
        .list("ResourceRecordSets", "ResourceRecordSet", records.iter().take(size).map(|(_, r)| describe(r)))
        .put("IsTruncated", next.is_some())
        .put_some("NextRecordName", next.map(|r| name::full(&r.name)))
        .put_some("NextRecordType", next.map(|r| &r.kind))
        .put_some("NextRecordIdentifier", next.and_then(|r| r.routing.id()))
        .put("MaxItems", size);
    Ok(node.into())
}

fn describe(record: &RecordSet) -> Node {
    let node = Node::new("ResourceRecordSet")
        .put("Name", name::full(&record.name))
        .put("Type", &record.kind)
        .put_some("SetIdentifier", record.routing.id());
    let node = match &record.routing {
        Routing::Simple => node,
        Routing::Weighted { weight, .. } => node.put("Weight", *weight),
        Routing::Failover { primary, .. } => node.put("Failover", if *primary { "PRIMARY" } else { "SECONDARY" }),
        Routing::Multivalue { .. } => node.put("MultiValueAnswer", true),
    };
    let node = node.put_some("TTL", record.ttl);
    let node = match &record.answer {
        Answer::Values(values) => {
            node.list("ResourceRecords", "ResourceRecord", values.iter().map(|v| Node::default().put("Value", v)))
        }
        Answer::Alias { name, zone, evaluate_health } => node.with(
            Node::new("AliasTarget")
                .put("HostedZoneId", zone)
                .put("DNSName", name::full(name))
                .put("EvaluateTargetHealth", *evaluate_health),
        ),
    };
    node.put_some("HealthCheckId", record.health_check.as_ref())
}
