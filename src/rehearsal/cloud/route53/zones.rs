//! Hosted zones.

use super::super::super::state::{Answer, RecordSet, State, Zone};
use super::super::wire::operation::Output;
use super::super::wire::{ApiError, Node, refuse};
use super::super::{Cloud, fresh};
use super::{bare, begin_change, records, within_rate};

/// A zone with the name servers and the SOA it is born with.
pub(in super::super) fn new_zone(name: &str) -> Zone {
    let name = records::plain(name);
    let servers = ["com", "net", "org", "co.uk"].iter().zip([12, 512, 1024, 1536]);
    let servers: Vec<_> = servers.map(|(tld, n)| format!("ns-{n}.awsdns-{:02}.{tld}.", n % 64)).collect();
    let soa = format!("{} awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400", servers[0]);
    let record = |kind: &str, ttl, values| RecordSet {
        name: name.clone(),
        kind: kind.into(),
        ttl: Some(ttl),
        answer: Answer::Values(values),
        weighted: None,
        health_check: None,
    };
    let records = vec![record("NS", 172_800, servers), record("SOA", 900, vec![soa])];
    Zone { name, records }
}

/// The zone of an id, or `NoSuchHostedZone`.
pub(super) fn zone<'a>(state: &'a State, id: &str) -> Result<&'a Zone, ApiError> {
    state
        .zones
        .get(id)
        .ok_or_else(|| refuse("NoSuchHostedZone", format!("No hosted zone found with ID: {id}")).status(404))
}

fn describe(state: &State, id: &str, zone: &Zone) -> Node {
    let fact = |name: &str| state.facts.get(id).and_then(|f| f.get(name)).cloned();
    let config = Node::new("Config").put_some("Comment", fact("comment")).put("PrivateZone", false);
    Node::new("HostedZone")
        .put("Id", format!("/hostedzone/{id}"))
        .put("Name", format!("{}.", zone.name))
        .put("CallerReference", fact("reference").unwrap_or_else(|| format!("outgrow-{id}")))
        .with(config)
        .put("ResourceRecordSetCount", zone.records.len())
}

fn delegation(zone: &Zone) -> Node {
    let apex = zone.records.iter().find(|r| r.kind == "NS" && r.name == zone.name);
    let servers = match apex.map(|r| &r.answer) {
        Some(Answer::Values(values)) => values.clone(),
        _ => Vec::new(),
    };
    let servers = servers.iter().map(|s| s.trim_end_matches('.').to_owned());
    Node::new("DelegationSet").texts_list("NameServers", "NameServer", servers)
}

fn page_size(input: &Node, name: &str) -> Result<usize, ApiError> {
    Ok(input.number::<usize>(name)?.unwrap_or(100).clamp(1, 300))
}

pub(super) fn list(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    within_rate(cloud)?;
    let size = page_size(input, "maxitems")?;
    let state = cloud.shared().lock();
    let marker = input.get("marker").unwrap_or_default();
    let mut zones = state.zones.iter().filter(|(id, _)| id.as_str() >= marker);
    let page: Vec<_> = zones.by_ref().take(size).map(|(id, zone)| describe(&state, id, zone)).collect();
    let next = zones.next().map(|(id, _)| id.clone());
    let node = Node::new("ListHostedZonesResponse")
        .list("HostedZones", "HostedZone", page)
        .put("Marker", marker)
        .put("IsTruncated", next.is_some())
        .put_some("NextMarker", next)
        .put("MaxItems", size);
    Ok(node.into())
}

pub(super) fn list_by_name(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    within_rate(cloud)?;
    let size = page_size(input, "maxitems")?;
    let state = cloud.shared().lock();
    let from = input.get("dnsname").map(|n| records::sort_key(&records::plain(n)));
    let from_id = input.get("hostedzoneid").map(bare).unwrap_or_default();
    let mut zones: Vec<_> = state.zones.iter().map(|(id, z)| (records::sort_key(&z.name), id, z)).collect();
    zones.sort_by(|a, b| (&a.0, a.1).cmp(&(&b.0, b.1)));
    let mut zones = zones.into_iter().filter(|(key, id, _)| match &from {
        Some(from) => (key, id.as_str()) >= (from, from_id),
        None => true,
    });
    let page: Vec<_> = zones.by_ref().take(size).map(|(_, id, zone)| describe(&state, id, zone)).collect();
    let next = zones.next().map(|(_, id, zone)| (id.clone(), format!("{}.", zone.name)));
    let node = Node::new("ListHostedZonesByNameResponse")
        .list("HostedZones", "HostedZone", page)
        .put_some("DNSName", input.get("dnsname"))
        .put_some("HostedZoneId", input.get("hostedzoneid"))
        .put("IsTruncated", next.is_some())
        .put_some("NextDNSName", next.as_ref().map(|n| &n.1))
        .put_some("NextHostedZoneId", next.as_ref().map(|n| &n.0))
        .put("MaxItems", size);
    Ok(node.into())
}

pub(super) fn get(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    within_rate(cloud)?;
    let id = bare(input.need("Id")?);
    let state = cloud.shared().lock();
    let zone = zone(&state, id)?;
    Ok(Node::new("GetHostedZoneResponse").with(describe(&state, id, zone)).with(delegation(zone)).into())
}

pub(super) fn create(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    within_rate(cloud)?;
    let (name, reference) = (input.need("Name")?, input.need("CallerReference")?);
    let plain = records::plain(name);
    let label_is_fine = |l: &str| !l.is_empty() && l.len() <= 63 && !l.contains(char::is_whitespace);
    if plain.len() > 255 || !plain.split('.').all(label_is_fine) {
        return Err(refuse("InvalidDomainName", format!("{name} is not a valid domain name")));
    }
    cloud.change(|state| {
        if state.facts.values().any(|f| f.get("reference").is_some_and(|r| r == reference)) {
            let message =
                format!("A hosted zone has already been created with the specified caller reference: {reference}");
            return Err(refuse("HostedZoneAlreadyExists", message).status(409));
        }
        let id = format!("Z{}", fresh().to_uppercase());
        let comment = input.child("HostedZoneConfig").and_then(|c| c.get("Comment")).map(str::to_owned);
        let facts = state.facts.entry(id.clone()).or_default();
        facts.insert("reference".into(), reference.into());
        facts.extend(comment.map(|c| ("comment".to_owned(), c)));
        state.zones.insert(id.clone(), new_zone(&plain));
        let change = begin_change(cloud, state);
        let zone = zone(state, &id)?;
        let node = Node::new("CreateHostedZoneResponse").with(describe(state, &id, zone)).with(change);
        let node = node.with(delegation(zone));
        let location = format!("https://route53.amazonaws.com/2013-04-01/hostedzone/{id}");
        Ok(Output::from(node).status(201).header("location", location))
    })
}
