//! A change of a batch, read from a request and checked for what can be said of it alone.

use super::super::super::answering::{encode, name};
use super::super::super::state::{Answer, RecordSet, Routing};
use super::super::law::Law;
use super::super::wire::{ApiError, Node};
use super::input::{at_most, constraint, flag, invalid, need, number, one_of};
use super::laws::Broken;
use super::{bare, records};

/// What is to be done with a record set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    Create,
    Delete,
    Upsert,
}

/// A change, with what of it Route 53 would not take: that is said beside the faults of the other changes.
pub(super) struct Change {
    pub verb: Verb,
    pub record: RecordSet,
    pub broken: Vec<Broken>,
}

/// How a change is named in a refusal of the whole request.
struct Named<'a> {
    action: &'a str,
    name: &'a str,
    kind: &'a str,
    id: Option<&'a str>,
}

impl Named<'_> {
    fn text(&self) -> String {
        let Self { action, name, kind, id } = self;
        format!("Change with [Action={action}, Name={name}, Type={kind}, SetIdentifier={}]", id.unwrap_or("null"))
    }

    fn missing(&self, field: &str) -> ApiError {
        invalid(format!("Invalid request: Missing field '{field}' in {}", self.text()))
    }

    fn expected(&self, what: &str, found: &str) -> ApiError {
        invalid(format!("Invalid request: Expected exactly one of [{what}], but found {found} in {}", self.text()))
    }
}

/// Reads a change; `at` is its place in the batch, from 1.
pub(super) fn read(node: &Node, at: usize) -> Result<Change, ApiError> {
    let action = one_of(
        need(node, "Action")?,
        &format!("changeBatch.changes.{at}.member.action"),
        &["CREATE", "UPSERT", "DELETE"],
    )?;
    let verb = match action {
        "CREATE" => Verb::Create,
        "DELETE" => Verb::Delete,
        _ => Verb::Upsert,
    };
    let set =
        node.child("ResourceRecordSet").ok_or_else(|| invalid("Invalid XML ; the Change has no ResourceRecordSet"))?;
    let member = format!("changeBatch.changes.{at}.member.resourceRecordSet");
    let given = match set.child("Name") {
        Some(name) => at_most(&name.text, &format!("{member}.name"), 1024)?,
        None => need(set, "Name")?,
    };
    let kind = one_of(need(set, "Type")?, &format!("{member}.type"), &records::kinds())?;
    let named = Named { action, name: given, kind, id: set.get("SetIdentifier") };
    let ttl = number(set, "TTL", &format!("{member}.tTL"), (0, 2_147_483_647_u32))?;
    let mut broken = Vec::new();
    let mut fine = |name: &str| match name::plain(name) {
        Ok(plain) => plain,
        Err(fault) => {
            broken.push((fault.to_string(), None));
            name.to_owned()
        }
    };
    let name = fine(given);
    let answer = answer(set, &named, ttl, &mut fine)?;
    let routing = routing(set, &named, &member)?;
    let health_check = set.get("HealthCheckId").map(|id| at_most(id, &format!("{member}.healthCheckId"), 64));
    let health_check = health_check.transpose()?.map(str::to_owned);
    if let Answer::Values(values) = &answer {
        values_are_well_formed(kind, values, &mut broken);
    }
    let record = RecordSet { name, kind: kind.to_owned(), ttl, answer, routing, health_check };
    Ok(Change { verb, record, broken })
}

fn answer(
    set: &Node,
    named: &Named<'_>,
    ttl: Option<u32>,
    fine: &mut impl FnMut(&str) -> String,
) -> Result<Answer, ApiError> {
    const ONE: &str = "AliasTarget, all of [TTL, and ResourceRecords], or TrafficPolicyInstanceId";
    let values: Vec<_> =
        set.items("ResourceRecords").filter_map(|r| r.child("Value")).map(|v| v.text.clone()).collect();
    if set.get("TrafficPolicyInstanceId").is_some() {
        return Err(invalid("The rehearsal cloud has no traffic policies"));
    }
    match set.child("AliasTarget") {
        // an alias has no TTL of its own
        Some(_) if ttl.is_some() || !values.is_empty() => Err(named.expected(ONE, "more than one").by(Law::R5)),
        Some(alias) => {
            let zone = bare(need(alias, "HostedZoneId")?).to_owned();
            let name = alias.child("DNSName").map_or("", |name| name.text.as_str());
            let evaluate_health = match flag(alias, "EvaluateTargetHealth")? {
                Some(flag) => flag,
                None => need(alias, "EvaluateTargetHealth").map(|_| false)?,
            };
            Ok(Answer::Alias { name: fine(name), zone, evaluate_health })
        }
        None if values.is_empty() || ttl.is_none() => Err(named.expected(ONE, "none")),
        None => {
            for value in &values {
                at_most(value, "resourceRecords.member.value", 4000)?;
            }
            Ok(Answer::Values(values))
        }
    }
}

fn routing(set: &Node, named: &Named<'_>, member: &str) -> Result<Routing, ApiError> {
    const POLICIES: &[&str] = &[
        "Weight",
        "Region",
        "Failover",
        "GeoLocation",
        "MultiValueAnswer",
        "CidrRoutingConfig",
        "GeoProximityLocation",
    ];
    let given: Vec<_> = POLICIES.iter().filter(|policy| set.child(policy).is_some()).collect();
    let one = POLICIES.join(", ");
    let policy = match (given.as_slice(), named.id) {
        ([], None) => return Ok(Routing::Simple),
        ([], Some(_)) => return Err(named.expected(&one, "none")),
        ([policy], _) => **policy,
        _ => return Err(named.expected(&one, "more than one")),
    };
    // a weight out of range is said first, as the request does not fit the model then
    let weight = number(set, "Weight", &format!("{member}.weight"), (0, 255_u8)).map_err(|e| e.by(Law::R3))?;
    let id = at_most(named.id.ok_or_else(|| named.missing("SetIdentifier"))?, &format!("{member}.setIdentifier"), 128)?;
    let id = id.to_owned();
    match policy {
        "Weight" => Ok(Routing::Weighted { id, weight: weight.ok_or_else(|| named.missing("Weight"))? }),
        "Failover" => {
            let word = one_of(need(set, policy)?, &format!("{member}.failover"), &["PRIMARY", "SECONDARY"])?;
            Ok(Routing::Failover { id, primary: word == "PRIMARY" })
        }
        "MultiValueAnswer" if flag(set, policy)? == Some(true) => {
            if set.child("AliasTarget").is_some() {
                return Err(invalid(format!(
                    "Invalid request: a multivalue answer record cannot be an alias in {}",
                    named.text()
                )));
            }
            Ok(Routing::Multivalue { id })
        }
        "MultiValueAnswer" => Err(constraint("false", &format!("{member}.multiValueAnswer"), "it is true or left out")),
        other => Err(invalid(format!(
            "The rehearsal cloud routes by Weight, Failover and MultiValueAnswer only, not by {other}, in {}",
            named.text()
        ))),
    }
}

/// Source: Route 53 developer guide, "Supported DNS record types".
fn values_are_well_formed(kind: &str, values: &[String], broken: &mut Vec<Broken>) {
    const MOST: usize = 400;
    if values.len() > MOST {
        broken.push((format!("Cannot have more than {MOST} records in a RRSet."), None));
    }
    let mut seen = std::collections::BTreeSet::new();
    for value in values {
        match encode(kind, value) {
            Err(fault) => broken.push((format!("Invalid Resource Record: '{fault}'"), None)),
            Ok(mut data) => {
                if matches!(kind, "NS" | "CNAME" | "PTR") {
                    data.make_ascii_lowercase();
                }
                if !seen.insert(data) {
                    broken.push((format!("Duplicate Resource Record: '{value}'"), None));
                }
            }
        }
    }
    if matches!(kind, "CNAME" | "SOA") && values.len() > 1 {
        broken.push((format!("{kind} record sets can have only one resource record"), None));
    }
}
