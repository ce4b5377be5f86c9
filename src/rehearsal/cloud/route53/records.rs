//! Record sets: their order, how they are listed, and how they are read from a request.

use super::super::super::state::{Answer, RecordSet};
use super::super::Cloud;
use super::super::law::Law;
use super::super::wire::operation::Output;
use super::super::wire::{ApiError, Node, refuse};
use super::{bare, within_rate, zones};

/// A name as the state keeps it: lower case, no final dot, `\052` as `*`.
pub(super) fn plain(name: &str) -> String {
    name.trim_end_matches('.').to_ascii_lowercase().replace("\\052", "*")
}

/// A name as Route 53 writes it.
pub(super) fn full(name: &str) -> String {
    format!("{}.", name.replace('*', "\\052"))
}

/// Route 53's order: by the labels from the last to the first.
pub(super) fn sort_key(name: &str) -> String {
    // A byte that sorts before every character of a label keeps `a.b` beside its own names.
    name.split('.').rev().collect::<Vec<_>>().join("\u{1}")
}

fn place(record: &RecordSet) -> (String, &str, &str) {
    (sort_key(&record.name), &record.kind, record.weighted.as_ref().map_or("", |(id, _)| id))
}

/// One page of a zone's record sets.
pub(super) fn list(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    within_rate(cloud)?;
    let id = bare(input.need("Id")?);
    let size = input.number::<usize>("maxitems")?.unwrap_or(300).clamp(1, 300);
    let (kind, identifier) = (input.get("type"), input.get("identifier"));
    let Some(name) = input.get("name").or(Some("")).filter(|n| !n.is_empty() || kind.is_none()) else {
        return Err(refuse("InvalidInput", "The type parameter was given without the name parameter"));
    };
    let from = (sort_key(&plain(name)), kind.unwrap_or_default(), identifier.unwrap_or_default());
    let state = cloud.shared().lock();
    let zone = zones::zone(&state, id)?;
    let mut records: Vec<_> = zone.records.iter().filter(|r| place(r) >= from).collect();
    records.sort_by(|a, b| place(a).cmp(&place(b)));
    let next = records.get(size).copied();
    let node = Node::new("ListResourceRecordSetsResponse")
        .list("ResourceRecordSets", "ResourceRecordSet", records.iter().take(size).map(|r| describe(r)))
        .put("IsTruncated", next.is_some())
        .put_some("NextRecordName", next.map(|r| full(&r.name)))
        .put_some("NextRecordType", next.map(|r| &r.kind))
        .put_some("NextRecordIdentifier", next.and_then(|r| r.weighted.as_ref()).map(|(id, _)| id))
        .put("MaxItems", size);
    Ok(node.into())
}

fn describe(record: &RecordSet) -> Node {
    let node = Node::new("ResourceRecordSet")
        .put("Name", full(&record.name))
        .put("Type", &record.kind)
        .put_some("SetIdentifier", record.weighted.as_ref().map(|(id, _)| id))
        .put_some("Weight", record.weighted.as_ref().map(|(_, weight)| weight))
        .put_some("TTL", record.ttl);
    let node = match &record.answer {
        Answer::Values(values) => {
            node.list("ResourceRecords", "ResourceRecord", values.iter().map(|v| Node::default().put("Value", v)))
        }
        Answer::Alias { name, zone, evaluate_health } => node.with(
            Node::new("AliasTarget")
                .put("HostedZoneId", zone)
                .put("DNSName", full(name))
                .put("EvaluateTargetHealth", evaluate_health),
        ),
    };
    node.put_some("HealthCheckId", record.health_check.as_ref())
}

/// Reads a record set of a request and checks what can be said of it alone. `at` is its place in the batch, from 1.
pub(super) fn read(node: &Node, at: usize) -> Result<RecordSet, ApiError> {
    let invalid = |message: String| refuse("InvalidInput", message);
    let missing =
        |what: &str| invalid(format!("Invalid request: Missing field '{what}' in Change with resource record set"));
    let name = node.get("Name").ok_or_else(|| missing("Name"))?;
    let kind = node.get("Type").ok_or_else(|| missing("Type"))?.to_owned();
    let member = format!("changeBatch.changes.{at}.member.resourceRecordSet");
    if !["A", "AAAA", "CNAME", "TXT", "MX", "NS", "SOA", "SRV", "CAA", "PTR", "SPF", "NAPTR", "DS", "HTTPS", "SVCB"]
        .contains(&kind.as_str())
    {
        return Err(invalid(format!("Value '{kind}' at '{member}.type' failed to satisfy enum value set")));
    }
    let ttl = match node.get("TTL").map(str::parse::<u32>) {
        Some(Ok(ttl)) if ttl <= 2_147_483_647 => Some(ttl),
        Some(_) => return Err(invalid(format!("Invalid TTL at '{member}.tTL': it is 0 to 2147483647 seconds"))),
        None => None,
    };
    let answer = read_answer(node, &missing, ttl)?;
    let weight = match node.get("Weight").map(|w| (w, w.parse::<i64>())) {
        None => None,
        Some((_, Ok(weight))) if (0..=255).contains(&weight) => u8::try_from(weight).ok(),
        Some((text, _)) => {
            let bound = if text.starts_with('-') { "greater than or equal to 0" } else { "less than or equal to 255" };
            return Err(invalid(format!(
                "1 validation error detected: Value '{text}' at '{member}.weight' failed to satisfy constraint: \
                 Member must have value {bound}"
            ))
            .by(Law::R3));
        }
    };
    let weighted = match (node.get("SetIdentifier"), weight) {
        (Some(id), Some(weight)) if id.len() <= 128 => Some((id.to_owned(), weight)),
        (Some(_), Some(_)) => return Err(invalid(format!("'{member}.setIdentifier' has more than 128 characters"))),
        (None, None) => None,
        (None, Some(_)) => return Err(missing("SetIdentifier")),
        (Some(_), None) => {
            let what = "Expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords]] and a routing policy";
            return Err(invalid(format!(
                "Invalid request: {what}, but found only SetIdentifier (this cloud has weights only)"
            )));
        }
    };
    let health_check = node.get("HealthCheckId").map(str::to_owned);
    Ok(RecordSet { name: plain(name), kind, ttl, answer, weighted, health_check })
}

fn read_answer(node: &Node, missing: &impl Fn(&str) -> ApiError, ttl: Option<u32>) -> Result<Answer, ApiError> {
    let values: Vec<_> = node.items("ResourceRecords").filter_map(|r| r.get("Value")).map(str::to_owned).collect();
    match node.child("AliasTarget") {
        Some(_) if ttl.is_some() || !values.is_empty() => {
            let what =
                "Expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords], or TrafficPolicyInstanceId]";
            let error = refuse("InvalidInput", format!("Invalid request: {what}, but found more than one in Change"));
            Err(error.by(Law::R5))
        }
        Some(alias) => Ok(Answer::Alias {
            name: plain(alias.get("DNSName").ok_or_else(|| missing("DNSName"))?),
            zone: bare(alias.get("HostedZoneId").ok_or_else(|| missing("HostedZoneId"))?).to_owned(),
            evaluate_health: alias.get("EvaluateTargetHealth") == Some("true"),
        }),
        None if values.is_empty() => Err(missing("ResourceRecords")),
        None if ttl.is_none() => Err(missing("TTL")),
        None => Ok(Answer::Values(values)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_sort_by_their_labels_from_the_end() {
        let mut names = ["www.shop.test", "shop.test", "a.b.shop.test", "b.shop.test", "shop.abc"];
        names.sort_by_key(|n| sort_key(n));
        assert_eq!(names, ["shop.abc", "shop.test", "b.shop.test", "a.b.shop.test", "www.shop.test"]);
    }
}
