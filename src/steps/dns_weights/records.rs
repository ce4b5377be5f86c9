//! The record sets of a name, in an order of their own, and in words.

use crate::clients::dns::{Answer, RecordSet};
use crate::step::{Look, StepResult};

/// The kinds that answer where a host is.
const KINDS: [&str; 3] = ["A", "AAAA", "CNAME"];

/// Every record set of the name that says where it is.
pub(super) async fn live(look: &Look, zone: &str, name: &str) -> StepResult<Vec<RecordSet>> {
    let mut all = look.dns.records(zone, name).await?;
    all.retain(|record| KINDS.contains(&record.kind.as_str()));
    Ok(ordered(all))
}

/// Those of one name.
pub(super) fn of(records: &[RecordSet], name: &str) -> Vec<RecordSet> {
    ordered(records.iter().filter(|record| record.name == name).cloned().collect())
}

pub(super) fn ordered(mut records: Vec<RecordSet>) -> Vec<RecordSet> {
    let key = |r: &RecordSet| (r.name.clone(), r.kind.clone(), r.weighted.as_ref().map(|w| w.id.clone()));
    records.sort_by_key(key);
    records
}

/// A record set as a line: `www.shop.test A 300 s 10.0.1.5`.
pub(super) fn say(record: &RecordSet) -> String {
    let answer = match &record.answer {
        Answer::Values(values) => values.join(" "),
        Answer::Alias { name, .. } => format!("alias of {name}"),
        Answer::Other(what) => what.clone(),
    };
    let ttl = record.ttl.map(|ttl| format!(" {ttl} s")).unwrap_or_default();
    let weight = record.weighted.as_ref().map(|w| format!(" [{} {}]", w.id, w.weight)).unwrap_or_default();
    format!("{} {}{ttl}{weight} {answer}", record.name, record.kind)
}

pub(super) fn say_all(records: &[RecordSet]) -> String {
    if records.is_empty() {
        return "nothing".to_owned();
    }
    records.iter().map(say).collect::<Vec<_>>().join("; ")
}
