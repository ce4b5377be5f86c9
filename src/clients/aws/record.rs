//! Route 53's record sets and the port's, into each other.

use aws_sdk_route53::error::BuildError;
use aws_sdk_route53::types::{AliasTarget, ResourceRecord, ResourceRecordSet, RrType};

use crate::clients::dns::{Answer, RecordSet, Weighted};

/// A name as the port spells it: lower case, no final dot, `\052` as the asterisk it is.
pub(super) fn plain(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut rest = name.strip_suffix('.').unwrap_or(name);
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let code = rest.get(at + 1..at + 4).and_then(|octal| u8::from_str_radix(octal, 8).ok());
        match code {
            Some(byte) if byte.is_ascii_graphic() => {
                out.push(char::from(byte));
                rest = &rest[at + 4..];
            }
            _ => {
                out.push('\\');
                rest = &rest[at + 1..];
            }
        }
    }
    out.push_str(rest);
    out.to_ascii_lowercase()
}

/// The port's view. What outgrow never changes becomes [`Answer::Other`].
pub(super) fn read(set: &ResourceRecordSet) -> RecordSet {
    let weighted = set
        .set_identifier()
        .zip(set.weight())
        .and_then(|(id, weight)| u8::try_from(weight).ok().map(|weight| Weighted { id: id.to_owned(), weight }));
    RecordSet {
        name: plain(set.name()),
        kind: set.r#type().as_str().to_owned(),
        ttl: set.ttl().and_then(|ttl| u32::try_from(ttl).ok()),
        answer: answer(set, weighted.is_some()),
        weighted,
        health_check: set.health_check_id().map(str::to_owned),
    }
}

fn answer(set: &ResourceRecordSet, weighted: bool) -> Answer {
    let routing = [
        (set.region().is_some(), "latency"),
        (set.geo_location().is_some(), "geolocation"),
        (set.geo_proximity_location().is_some(), "geoproximity"),
        (set.failover().is_some(), "failover"),
        (set.multi_value_answer().is_some(), "multivalue"),
        (set.cidr_routing_config().is_some(), "CIDR"),
        (set.traffic_policy_instance_id().is_some(), "traffic policy"),
    ];
    if let Some((_, kind)) = routing.iter().find(|(is, _)| *is) {
        return Answer::Other(format!("{kind} record"));
    }
    if set.set_identifier().is_some() && !weighted {
        return Answer::Other("record with a set identifier and no weight".to_owned());
    }
    match set.alias_target() {
        Some(alias) => Answer::Alias {
            name: plain(alias.dns_name()),
            zone: alias.hosted_zone_id().to_owned(),
            evaluate_health: alias.evaluate_target_health(),
        },
        None => Answer::Values(set.resource_records().iter().map(|record| record.value().to_owned()).collect()),
    }
}

/// Route 53's view of a record the port may change.
pub(super) fn write(record: &RecordSet) -> Result<ResourceRecordSet, BuildError> {
    let mut set = ResourceRecordSet::builder()
        .name(format!("{}.", record.name))
        .r#type(RrType::from(record.kind.as_str()))
        .set_ttl(record.ttl.map(i64::from))
        .set_health_check_id(record.health_check.clone());
    if let Some(weighted) = &record.weighted {
        set = set.set_identifier(&weighted.id).weight(i64::from(weighted.weight));
    }
    match &record.answer {
        Answer::Values(values) => {
            let values = values.iter().map(|value| ResourceRecord::builder().value(value).build());
            set = set.set_resource_records(Some(values.collect::<Result<_, _>>()?));
        }
        Answer::Alias { name, zone, evaluate_health } => {
            let alias = AliasTarget::builder()
                .dns_name(format!("{name}."))
                .hosted_zone_id(zone)
                .evaluate_target_health(*evaluate_health);
            set = set.alias_target(alias.build()?);
        }
        // Never changed: Route 53 refuses a set without an answer, and nothing happens.
        Answer::Other(_) => {}
    }
    set.build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lose_dot_case_and_escapes() {
        assert_eq!(plain("\\052.Shop.Test."), "*.shop.test");
        assert_eq!(plain("www.shop.test"), "www.shop.test");
    }

    #[test]
    fn records_survive_the_way_there_and_back() {
        let simple = RecordSet {
            name: "www.shop.test".into(),
            kind: "A".into(),
            ttl: Some(300),
            answer: Answer::Values(vec!["203.0.113.7".into(), "203.0.113.8".into()]),
            weighted: None,
            health_check: None,
        };
        let alias = RecordSet {
            ttl: None,
            answer: Answer::Alias { name: "lb.example".into(), zone: "Z1".into(), evaluate_health: false },
            weighted: Some(Weighted { id: "outgrow-new".into(), weight: 0 }),
            health_check: Some("hc".into()),
            ..simple.clone()
        };
        for record in [simple, alias] {
            assert_eq!(read(&write(&record).unwrap()), record);
        }
    }

    #[test]
    fn other_routing_is_told_and_not_modelled() {
        let set = ResourceRecordSet::builder().name("a.").r#type(RrType::A).multi_value_answer(true).build().unwrap();
        assert_eq!(read(&set).answer, Answer::Other("multivalue record".into()));
    }
}
