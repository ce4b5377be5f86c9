//! Hosted zones.

use super::super::super::answering::name;
use super::super::super::state::{Answer, RecordSet, Routing, State, Zone};
use super::super::wire::operation::Output;
use super::super::wire::{ApiError, Node, refuse};
use super::super::{Cloud, fresh};
use super::input::{at_most, flag, invalid, need};
use super::{bare, changes, within_rate};

/// A zone with the name servers and the SOA it is born with. The registrar points to it if `delegated` (law R9).
pub(in super::super) fn new_zone(name: &str, delegated: bool) -> Zone {
    let name = name::plain(name).unwrap_or_else(|_| name.trim_end_matches('.').to_ascii_lowercase());
    // Four servers of four top-level domains, others for every zone.
    let drawn = u32::from(rand::random::<u16>());
    let servers = ["com", "net", "org", "co.uk"].into_iter().zip([0, 512, 1024, 1536]);
    let servers: Vec<_> = servers
        .map(|(tld, base)| format!("ns-{}.awsdns-{:02}.{tld}.", base + drawn % 512, (drawn + base) / 512 % 64))
        .collect();
    let soa = format!("{} awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400", servers[0]);
    let record = |kind: &str, ttl, values| RecordSet {
        name: name.clone(),
        kind: kind.into(),
        ttl: Some(ttl),
        answer: Answer::Values(values),
        routing: Routing::Simple,
        health_check: None,
    };
    let records = vec![record("NS", 172_800, servers), record("SOA", 900, vec![soa])];
    Zone { name, records, delegated }
}

/// The zone of an id, or `NoSuchHostedZone`.
pub(super) fn zone<'a>(state: &'a State, id: &str) -> Result<&'a Zone, ApiError> {
    state
        .zones
        .get(id)
        .ok_or_else(|| refuse("NoSuchHostedZone", format!("No hosted zone found with ID: {id}")).status(404))
}

pub(super) fn describe(state: &State, id: &str, zone: &Zone) -> Node {
    let fact = |name: &str| state.facts.get(id).and_then(|f| f.get(name)).cloned();
    let config = Node::new("Config").put_some("Comment", fact("comment")).put("PrivateZone", false);
    Node::new("HostedZone")
        .put("Id", format!("/hostedzone/{id}"))
        .put("Name", name::full(&zone.name))
        .put("CallerReference", fact("reference").unwrap_or_else(|| format!("outgrow-{id}")))
        .with(config)
        .put("ResourceRecordSetCount", zone.records.len())
}

fn delegation(zone: &Zone) -> Node {
    let servers = zone.servers().iter().map(|s| s.trim_end_matches('.').to_owned());
    Node::new("DelegationSet").texts_list("NameServers", "NameServer", servers)
}

pub(super) fn get(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    within_rate(cloud)?;
    let id = bare(need(input, "Id")?);
    let state = cloud.shared().lock();
    let zone = zone(&state, id)?;
    Ok(Node::new("GetHostedZoneResponse").with(describe(&state, id, zone)).with(delegation(zone)).into())
}

pub(super) fn create(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    within_rate(cloud)?;
    let given = need(input, "Name")?;
    let reference = at_most(need(input, "CallerReference")?, "callerReference", 128)?;
    let config = input.child("HostedZoneConfig");
    let comment = config.and_then(|c| c.get("Comment"));
    comment.map(|c| at_most(c, "hostedZoneConfig.comment", 256)).transpose()?;
    let private = config.map(|c| flag(c, "PrivateZone")).transpose()?.flatten() == Some(true);
    if private || input.child("VPC").is_some() {
        return Err(invalid("The rehearsal cloud has public hosted zones only: no private one, and none of a VPC"));
    }
    if let Some(set) = input.get("DelegationSetId") {
        let message = format!("A delegation set with ID {set} was not found");
        return Err(refuse("NoSuchDelegationSet", message));
    }
    let plain = name::plain(given).ok().filter(|name| name.contains('.') && !name.starts_with("*."));
    let plain = plain.ok_or_else(|| refuse("InvalidDomainName", format!("{given} is not a valid domain name")))?;
    cloud.change(|state| {
        let used = |id: &String| state.facts.get(id).and_then(|f| f.get("reference")).is_some_and(|r| r == reference);
        if state.zones.keys().any(used) {
            let message =
                format!("A hosted zone has already been created with the specified caller reference: {reference}");
            return Err(refuse("HostedZoneAlreadyExists", message).status(409));
        }
        // The registrar points to the first zone of a name. Below another zone of ours it is that one's to delegate.
        let delegated = !state.zones.values().any(|other| name::lies_in(&plain, &other.name));
        let id = format!("Z{}", fresh().to_uppercase());
        let facts = state.facts.entry(id.clone()).or_default();
        facts.insert("reference".into(), reference.into());
        facts.extend(comment.map(|c| ("comment".to_owned(), c.to_owned())));
        state.zones.insert(id.clone(), new_zone(&plain, delegated));
        let change = changes::begin(cloud, state, None);
        let zone = zone(state, &id)?;
        let node = Node::new("CreateHostedZoneResponse").with(describe(state, &id, zone)).with(change);
        let location = format!("https://route53.amazonaws.com/2013-04-01/hostedzone/{id}");
        Ok(Output::from(node.with(delegation(zone))).status(201).header("location", location))
    })
}

pub(super) fn delete(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    within_rate(cloud)?;
    let id = bare(need(input, "Id")?);
    cloud.change(|state| {
        let zone = zone(state, id)?;
        let born_with = |r: &RecordSet| r.name == zone.name && matches!(r.kind.as_str(), "NS" | "SOA");
        if !zone.records.iter().all(born_with) {
            let message =
                "The specified hosted zone contains non-required resource record sets and so cannot be deleted.";
            return Err(refuse("HostedZoneNotEmpty", message));
        }
        state.zones.remove(id);
        state.facts.remove(id);
        state.tags.remove(id);
        let change = changes::begin(cloud, state, None);
        Ok(Node::new("DeleteHostedZoneResponse").with(change).into())
    })
}

pub(super) fn comment(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    within_rate(cloud)?;
    let id = bare(need(input, "Id")?);
    let comment = input.get("Comment").map(|c| at_most(c, "comment", 256)).transpose()?;
    cloud.change(|state| {
        zone(state, id)?;
        let facts = state.facts.entry(id.to_owned()).or_default();
        facts.remove("comment");
        facts.extend(comment.map(|c| ("comment".to_owned(), c.to_owned())));
        let node = describe(state, id, zone(state, id)?);
        Ok(Node::new("UpdateHostedZoneCommentResponse").with(node).into())
    })
}
