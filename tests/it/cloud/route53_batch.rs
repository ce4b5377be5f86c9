//! What a batch of changes may hold: values, names, neighbours, aliases, orders.

use aws_sdk_route53::types::{ResourceRecord, ResourceRecordSet, ResourceRecordSetFailover, RrType};

use super::route53::{a_records, alias, change, simple, weighted};
use super::{Here, refused};

fn set(name: &str, kind: &str, values: &[&str]) -> ResourceRecordSet {
    let records = values.iter().map(|v| ResourceRecord::builder().value(*v).build().unwrap()).collect();
    let set = ResourceRecordSet::builder().name(name).r#type(RrType::from(kind)).ttl(60);
    set.set_resource_records(Some(records)).build().unwrap()
}

/// A record set with something changed.
fn but(mut set: ResourceRecordSet, change: impl FnOnce(&mut ResourceRecordSet)) -> ResourceRecordSet {
    change(&mut set);
    set
}

async fn zone() -> (Here, String) {
    let here = Here::new().await;
    let zone = here.cloud.seed_zone("shop.test", []);
    (here, zone)
}

#[tokio::test]
async fn every_fault_of_a_batch_is_named_and_nothing_is_done() {
    let (here, zone) = zone().await;
    change!(here, zone, [Create simple("www.shop.test", "203.0.113.7", 60)]).unwrap();
    refused!(
        change!(
            here,
            zone,
            [
                Create simple("new.shop.test", "203.0.113.8", 60),
                Create simple("www.shop.test", "203.0.113.7", 60),
                Delete simple("no.shop.test", "203.0.113.7", 60),
                Create simple("www.else.test", "203.0.113.7", 60),
                Create simple("bad.shop.test", "203.0.113", 60),
            ]
        ),
        "InvalidChangeBatch",
        "[Invalid Resource Record: 'FATAL problem: ARRDATAIllegalIPv4Address (Value is not a valid IPv4 address) encountered with '203.0.113'', ",
        "Tried to create resource record set [name='www.shop.test.', type='A'] but it already exists, Tried to delete resource record set [name='no.shop.test.', type='A'] but it was not found, ",
        "RRSet with DNS name www.else.test. is not permitted in zone shop.test.]"
    );
    assert_eq!(a_records(&here, &zone).await.len(), 1);
}

#[tokio::test]
async fn values_are_what_their_type_says() {
    let (here, zone) = zone().await;
    let long = format!("\"{}\"", "x".repeat(256));
    for (kind, value, why) in [
        ("AAAA", "203.0.113.7", "AAAARRDATAIllegalIPv6Address"),
        ("TXT", "bare", "InvalidCharacterString (Value should be enclosed in quotation marks) encountered with 'bare'"),
        ("TXT", &long, "CharacterStringTooLong (Value is too long)"),
        ("MX", "mail.shop.test", "MXRRDATANotTwoFields"),
        ("SRV", "1 2 3", "SRVRRDATANotFourFields"),
        ("CAA", "0 issue ca.test", "InvalidCharacterString"),
        ("CNAME", "a..b", "DomainLabelEmpty"),
    ] {
        let refusal = change!(here, zone, [Create set("x.shop.test", kind, &[value])]);
        refused!(refusal, "InvalidChangeBatch", "Invalid Resource Record: 'FATAL problem: ", why);
    }
    let two = change!(here, zone, [Create set("x.shop.test", "A", &["203.0.113.7", "203.0.113.7"])]);
    refused!(two, "InvalidChangeBatch", "Duplicate Resource Record: '203.0.113.7'");
    refused!(change!(here, zone, [Create set("x.shop.test", "CNAME", &["a.test", "b.test"])]), "InvalidChangeBatch");
    let long = format!("{}.shop.test", "x".repeat(64));
    for (name, why) in [
        ("a..shop.test", "[FATAL problem: DomainLabelEmpty (Domain label is empty) encountered with 'a..shop.test']"),
        (long.as_str(), "DomainLabelTooLong"),
        ("가게.shop.test", "UnsupportedCharacter"),
    ] {
        refused!(change!(here, zone, [Create simple(name, "203.0.113.7", 60)]), "InvalidChangeBatch", why);
    }
    for (kind, value) in [
        ("TXT", "\"v=spf1 -all\" \"two\""),
        ("MX", "10 mail.shop.test."),
        ("SRV", "1 2 443 www.shop.test"),
        ("CAA", "0 issue \"ca.test\""),
        ("AAAA", "2001:db8::1"),
        ("HTTPS", "1 . alpn=h2"),
        ("PTR", "www.shop.test"),
    ] {
        change!(here, zone, [Create set("a!b.shop.test", kind, &[value])]).unwrap();
    }
    let listed = here.dns().list_resource_record_sets().hosted_zone_id(&zone).send().await.unwrap();
    assert!(listed.resource_record_sets().iter().any(|s| s.name() == "a\\041b.shop.test."));
}

#[tokio::test]
async fn a_record_set_is_changed_once_or_deleted_and_created() {
    let (here, zone) = zone().await;
    let (old, new) = (simple("www.shop.test", "203.0.113.7", 60), simple("www.shop.test", "203.0.113.8", 60));
    let clash = "[The request contains an invalid set of changes for a resource record set 'A www.shop.test.']";
    refused!(change!(here, zone, [Upsert old.clone(), Upsert new.clone()]), "InvalidChangeBatch", clash);
    refused!(change!(here, zone, [Create old.clone(), Delete old.clone()]), "InvalidChangeBatch", clash);
    change!(here, zone, [Upsert old.clone()]).unwrap();
    change!(here, zone, [Delete old, Create new]).unwrap();
    assert_eq!(a_records(&here, &zone).await[0].3, "203.0.113.8");
}

#[tokio::test]
async fn the_apex_keeps_its_ns_and_soa() {
    let (here, zone) = zone().await;
    let all = here.dns().list_resource_record_sets().hosted_zone_id(&zone).send().await.unwrap();
    let [ns, soa] = all.resource_record_sets() else { panic!("a new zone has two sets") };
    assert_eq!((ns.ttl(), ns.resource_records().len(), soa.ttl()), (Some(172_800), 4, Some(900)));
    refused!(
        change!(here, zone, [Delete ns.clone(), Delete soa.clone()]),
        "InvalidChangeBatch",
        "A HostedZone must contain exactly one SOA record., A HostedZone must contain at least one NS record for the zone itself."
    );
    let other = but(ns.clone(), |s| {
        s.ttl = Some(60);
    });
    change!(here, zone, [Delete ns.clone(), Create other.clone()]).unwrap();
    change!(here, zone, [Upsert ns.clone()]).unwrap();
    refused!(change!(here, zone, [Create set("x.shop.test", "SOA", &["a. b. 1 2 3 4 5"])]), "InvalidChangeBatch");
}

#[tokio::test]
async fn what_does_not_fit_the_model_is_invalid_input() {
    let (here, zone) = zone().await;
    let base = simple("www.shop.test", "203.0.113.7", 60);
    let none = "Expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords], or TrafficPolicyInstanceId], but found none in Change with [Action=CREATE, Name=www.shop.test, Type=A, SetIdentifier=null]";
    let no_ttl = but(base.clone(), |s| {
        s.ttl = None;
    });
    refused!(change!(here, zone, [Create no_ttl]), "InvalidInput", none);
    let negative = but(base.clone(), |s| {
        s.ttl = Some(-1);
    });
    refused!(change!(here, zone, [Create negative]), "InvalidInput", "greater than or equal to 0");
    let no_id = but(base.clone(), |s| {
        s.weight = Some(1);
    });
    refused!(change!(here, zone, [Create no_id]), "InvalidInput", "Missing field 'SetIdentifier'");
    let no_policy = but(base.clone(), |s| {
        s.set_identifier = Some("a".into());
    });
    refused!(change!(here, zone, [Create no_policy]), "InvalidInput", "but found none");
    let two = but(weighted("www.shop.test", "203.0.113.7", 60, "a", 1), |s| {
        s.multi_value_answer = Some(true);
    });
    refused!(change!(here, zone, [Create two]), "InvalidInput", "but found more than one");
    let latency = but(base.clone(), |s| {
        s.region = Some("us-east-1".into());
        s.set_identifier = Some("a".into());
    });
    refused!(change!(here, zone, [Create latency]), "InvalidInput", "not by Region");
    let kind = but(base.clone(), |s| {
        s.r#type = RrType::from("LOC");
    });
    refused!(change!(here, zone, [Create kind]), "InvalidInput", "enum value set");
    refused!(change!(here, "ZNOBODY".to_owned(), [Create base.clone()]), "NoSuchHostedZone");
    let checked = but(weighted("www.shop.test", "203.0.113.7", 60, "a", 1), |s| {
        s.health_check_id = Some("no".into());
    });
    refused!(change!(here, zone, [Create checked]), "NoSuchHealthCheck");
}

#[tokio::test]
async fn routing_policies_do_not_mix() {
    use ResourceRecordSetFailover::{Primary, Secondary};
    let (here, zone) = zone().await;
    let failover = |id: &str, which: ResourceRecordSetFailover| {
        but(simple("www.shop.test", "203.0.113.7", 60), |s| {
            s.set_identifier = Some(id.into());
            s.failover = Some(which);
        })
    };
    change!(here, zone, [Create failover("a", Primary), Create failover("b", Secondary)]).unwrap();
    refused!(change!(here, zone, [Create failover("c", Primary)]), "InvalidChangeBatch", "failover PRIMARY set");
    refused!(
        change!(here, zone, [Create weighted("www.shop.test", "203.0.113.7", 60, "w", 1)]),
        "InvalidChangeBatch",
        "cannot be created as a non-weighted set exists",
        "[law R1]"
    );
    let multi = |id: &str, address: &str| {
        but(simple("m.shop.test", address, 60), |s| {
            s.set_identifier = Some(id.into());
            s.multi_value_answer = Some(true);
        })
    };
    change!(here, zone, [Create multi("a", "203.0.113.7"), Create multi("b", "203.0.113.8")]).unwrap();
    let listed = here.dns().list_resource_record_sets().hosted_zone_id(&zone).send().await.unwrap();
    let kept: Vec<_> = listed.resource_record_sets().iter().filter(|s| s.r#type == RrType::A).collect();
    assert_eq!(kept.iter().filter(|s| s.multi_value_answer() == Some(true)).count(), 2);
    assert_eq!(kept.iter().filter_map(|s| s.failover()).count(), 2);
}

#[tokio::test]
async fn r5_aliases_lead_to_what_is_there() {
    let (here, zone) = zone().await;
    let balancer = here.balancer();
    let balancer = here.cloud.shared().lock().balancers[&balancer].clone();
    let cdn = here.cloud.seed_distribution("pages", "", &["www.shop.test"], "127.80.0.2".parse().unwrap());
    let cdn_zone = "Z2FDTNDATAQYW2";
    change!(here, zone, [Create alias("cdn.shop.test", &cdn, cdn_zone)]).unwrap();
    let mut evaluated = alias("sick.shop.test", &cdn, cdn_zone);
    evaluated.alias_target.as_mut().unwrap().evaluate_target_health = true;
    refused!(change!(here, zone, [Create evaluated]), "InvalidChangeBatch", "EvaluateTargetHealth");
    let found = "but that target was not found";
    refused!(
        change!(here, zone, [Create alias("x.shop.test", "dno.cloudfront.net", cdn_zone)]),
        "InvalidChangeBatch",
        found
    );
    let gone = alias("x.shop.test", &balancer.dns_name.replace("shop-", "gone-"), &balancer.zone);
    refused!(change!(here, zone, [Create gone]), "InvalidChangeBatch", found);
    change!(here, zone, [Create alias("shop.test", &balancer.dns_name, &balancer.zone)]).unwrap();
    // another type than the target's
    change!(here, zone, [Create set("t.shop.test", "TXT", &["\"x\""])]).unwrap();
    refused!(change!(here, zone, [Create alias("x.shop.test", "t.shop.test", &zone)]), "InvalidChangeBatch", found);
    let other = here.cloud.seed_zone("other.test", []);
    refused!(
        change!(here, zone, [Create alias("x.shop.test", "a.other.test", &other)]),
        "InvalidChangeBatch",
        "does not lie within the target zone"
    );
    // both at once, whatever the order
    let target = simple("z.shop.test", "203.0.113.7", 60);
    change!(here, zone, [Create alias("y.shop.test", "z.shop.test", &zone), Create target]).unwrap();
}
