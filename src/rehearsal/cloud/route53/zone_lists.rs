//! Lists of hosted zones.

use super::super::super::answering::name;
use super::super::super::state::Zone;
use super::super::Cloud;
use super::super::wire::operation::Output;
use super::super::wire::{ApiError, Node, refuse};
use super::input::{invalid, one_of, page};
use super::{bare, within_rate, zones};

/// Zones of a page, at most.
const PAGE: usize = 100;

pub(super) fn list(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    within_rate(cloud)?;
    let size = page(input, PAGE)?;
    if let Some(set) = input.get("delegationsetid") {
        return Err(refuse("NoSuchDelegationSet", format!("A delegation set with ID {set} was not found")));
    }
    let kind =
        input.get("hostedzonetype").map(|kind| one_of(kind, "hostedZoneType", &["PrivateHostedZone"])).transpose()?;
    let state = cloud.shared().lock();
    let marker = input.get("marker").unwrap_or_default();
    let mut zones = state.zones.iter().filter(|(id, _)| kind.is_none() && id.as_str() >= marker);
    let found: Vec<_> = zones.by_ref().take(size).map(|(id, zone)| zones::describe(&state, id, zone)).collect();
    let next = zones.next().map(|(id, _)| id);
    let node = Node::new("ListHostedZonesResponse")
        .list("HostedZones", "HostedZone", found)
        .put("Marker", marker)
        .put("IsTruncated", next.is_some())
        .put_some("NextMarker", next)
        .put("MaxItems", size);
    Ok(node.into())
}

pub(super) fn by_name(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    within_rate(cloud)?;
    let size = page(input, PAGE)?;
    let (from, from_id) = (input.get("dnsname"), input.get("hostedzoneid").map(bare));
    if from.is_none() && from_id.is_some() {
        return Err(invalid("If you specify HostedZoneId, you must also specify DNSName"));
    }
    let from = from.map(|given| {
        let plain = name::plain(given);
        plain.map_err(|_| refuse("InvalidDomainName", format!("{given} is not a valid domain name")))
    });
    let from = from.transpose()?.map(|plain| (name::sort_key(&plain), from_id.unwrap_or_default()));
    let state = cloud.shared().lock();
    let mut zones: Vec<(String, &str, &Zone)> =
        state.zones.iter().map(|(id, zone)| (name::sort_key(&zone.name), id.as_str(), zone)).collect();
    zones.sort_by(|a, b| (&a.0, a.1).cmp(&(&b.0, b.1)));
    let mut zones = zones
        .into_iter()
        .filter(|(key, id, _)| from.as_ref().is_none_or(|(from, from_id)| (key, *id) >= (from, *from_id)));
    let found: Vec<_> = zones.by_ref().take(size).map(|(_, id, zone)| zones::describe(&state, id, zone)).collect();
    let next = zones.next();
    let node = Node::new("ListHostedZonesByNameResponse")
        .list("HostedZones", "HostedZone", found)
        .put_some("DNSName", input.get("dnsname"))
        .put_some("HostedZoneId", from_id)
        .put("IsTruncated", next.is_some())
        .put_some("NextDNSName", next.as_ref().map(|(_, _, zone)| name::full(&zone.name)))
        .put_some("NextHostedZoneId", next.as_ref().map(|(_, id, _)| *id))
        .put("MaxItems", size);
    Ok(node.into())
}

pub(super) fn count(cloud: &Cloud, _: &Node) -> Result<Output, ApiError> {
    within_rate(cloud)?;
    let count = cloud.shared().lock().zones.len();
    Ok(Node::new("GetHostedZoneCountResponse").put("HostedZoneCount", count).into())
}
