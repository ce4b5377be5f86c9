//! The laws of Route 53, each broken once.

use aws_sdk_route53::types::{ResourceRecord, ResourceRecordSet, RrType};
use outgrow::rehearsal::cloud::Settings;

use super::route53::{a_records, alias, change, simple, weighted};
use super::{Here, refused};

const NAME: &str = "www.shop.test";

async fn zone() -> (Here, String) {
    let here = Here::new().await;
    let zone = here.cloud.seed_zone("shop.test", []);
    change!(here, zone, [Create simple(NAME, "203.0.113.7", 300)]).unwrap();
    (here, zone)
}

#[tokio::test]
async fn r1_weighted_beside_simple_is_refused_and_the_batch_changes_nothing() {
    let (here, zone) = zone().await;
    let other = simple("other.shop.test", "203.0.113.9", 300);
    let beside = weighted(NAME, "203.0.113.8", 300, "new", 1);
    refused!(
        change!(here, zone, [Create other, Create beside]),
        "InvalidChangeBatch",
        "cannot be created as a non-weighted set exists with the same name and type.",
        "[law R1]"
    );
    assert_eq!(a_records(&here, &zone).await.len(), 1);
}

#[tokio::test]
async fn r1_simple_beside_weighted_is_refused() {
    let (here, zone) = zone().await;
    let old = weighted(NAME, "203.0.113.7", 300, "old", 1);
    change!(here, zone, [Delete simple(NAME, "203.0.113.7", 300), Create old]).unwrap();
    let back = simple(NAME, "203.0.113.7", 300);
    refused!(change!(here, zone, [Create back.clone()]), "InvalidChangeBatch", "[law R1]");
    refused!(change!(here, zone, [Upsert back]), "InvalidChangeBatch", "[law R1]");
}

#[tokio::test]
async fn r2_delete_must_match_exactly() {
    let (here, zone) = zone().await;
    let text = "Tried to delete resource record set [name='www.shop.test.', type='A'] but the values provided do not match the current values";
    refused!(change!(here, zone, [Delete simple(NAME, "203.0.113.8", 300)]), "InvalidChangeBatch", text, "[law R2]");
    refused!(change!(here, zone, [Delete simple(NAME, "203.0.113.7", 60)]), "InvalidChangeBatch", text);
    refused!(
        change!(here, zone, [Delete simple("no.shop.test", "203.0.113.7", 300)]),
        "InvalidChangeBatch",
        "[name='no.shop.test.', type='A'] but it was not found"
    );
    refused!(
        change!(here, zone, [Delete weighted(NAME, "203.0.113.7", 300, "old", 1)]),
        "InvalidChangeBatch",
        "set-identifier='old'] but it was not found"
    );
    change!(here, zone, [Delete simple("WWW.shop.test.", "203.0.113.7", 300)]).unwrap();
}

#[tokio::test]
async fn r2_create_of_what_is_there_is_refused() {
    let (here, zone) = zone().await;
    refused!(
        change!(here, zone, [Create simple(NAME, "203.0.113.7", 300)]),
        "InvalidChangeBatch",
        "Tried to create resource record set [name='www.shop.test.', type='A'] but it already exists"
    );
}

#[tokio::test]
async fn r3_weights_are_0_to_255() {
    let (here, zone) = zone().await;
    let name = "w.shop.test";
    for weight in [256, -1] {
        let record = weighted(name, "203.0.113.7", 60, "a", weight);
        refused!(change!(here, zone, [Create record]), "InvalidInput", "weight", "[law R3]");
    }
    let both = [weighted(name, "203.0.113.7", 60, "a", 0), weighted(name, "203.0.113.8", 60, "b", 255)];
    let [a, b] = both;
    change!(here, zone, [Create a, Create b]).unwrap();
}

#[tokio::test]
async fn r5_a_group_shares_one_ttl() {
    let (here, zone) = zone().await;
    let name = "w.shop.test";
    let (a, b) = (weighted(name, "203.0.113.7", 60, "a", 1), weighted(name, "203.0.113.8", 61, "b", 1));
    refused!(
        change!(here, zone, [Create a.clone(), Create b]),
        "InvalidChangeBatch",
        "weighted sets must contain the same TTL",
        "[law R5]"
    );
    let b = weighted(name, "203.0.113.8", 60, "b", 1);
    change!(here, zone, [Create a, Create b]).unwrap();
    // All of them at once may go to another TTL.
    let (a, b) = (weighted(name, "203.0.113.7", 30, "a", 1), weighted(name, "203.0.113.8", 30, "b", 1));
    refused!(change!(here, zone, [Upsert a.clone()]), "InvalidChangeBatch", "[law R5]");
    change!(here, zone, [Upsert a, Upsert b]).unwrap();
}

#[tokio::test]
async fn r5_the_apex_takes_no_cname() {
    let (here, zone) = zone().await;
    let cname = |name: &str| {
        let record = ResourceRecord::builder().value("elsewhere.test").build().unwrap();
        ResourceRecordSet::builder().name(name).r#type(RrType::Cname).ttl(60).resource_records(record).build().unwrap()
    };
    refused!(
        change!(here, zone, [Create cname("shop.test")]),
        "InvalidChangeBatch",
        "not permitted at apex",
        "[law R5]"
    );
    refused!(change!(here, zone, [Create cname(NAME)]), "InvalidChangeBatch", "conflicts with other records");
    refused!(
        change!(here, zone, [Create cname("www.else.test")]),
        "InvalidChangeBatch",
        "is not permitted in zone shop.test."
    );
}

#[tokio::test]
async fn r5_an_alias_names_the_others_zone_and_has_no_ttl() {
    let (here, zone) = zone().await;
    let balancer = here.balancer();
    let balancer = here.cloud.shared().lock().balancers[&balancer].clone();
    let name = "api.shop.test";
    refused!(change!(here, zone, [Create alias(name, &balancer.dns_name, "")]), "InvalidInput", "HostedZoneId");
    refused!(
        change!(here, zone, [Create alias(name, &balancer.dns_name, "Z2FDTNDATAQYW2")]),
        "InvalidChangeBatch",
        "in zone Z2FDTNDATAQYW2, but the alias target name does not lie within the target zone, Tried to create an alias",
        "but that target was not found]"
    );
    let mut with_ttl = alias(name, &balancer.dns_name, &balancer.zone);
    with_ttl.ttl = Some(60);
    refused!(change!(here, zone, [Create with_ttl]), "InvalidInput", "[law R5]");
    change!(here, zone, [Create alias(name, &format!("dualstack.{}", balancer.dns_name), &balancer.zone)]).unwrap();
    change!(here, zone, [Create alias("box.shop.test", NAME, &zone)]).unwrap();
    refused!(change!(here, zone, [Create alias("no.shop.test", "nobody.shop.test", &zone)]), "InvalidChangeBatch");
}

#[tokio::test]
async fn r8_a_batch_holds_1000_elements_and_an_upsert_counts_twice() {
    let (here, zone) = zone().await;
    let many = |name: &str, n: usize| {
        let records =
            (0..n).map(|i| ResourceRecord::builder().value(format!("10.1.{}.{}", i / 250, i % 250)).build().unwrap());
        let set = ResourceRecordSet::builder().name(name).r#type(RrType::A).ttl(60);
        set.set_resource_records(Some(records.collect())).build().unwrap()
    };
    let (one, two) = (many("one.shop.test", 251), many("two.shop.test", 250));
    refused!(
        change!(here, zone, [Upsert one.clone(), Upsert two.clone()]),
        "InvalidChangeBatch",
        "[Number of records limit of 1000 exceeded.]",
        "[law R8]"
    );
    change!(here, zone, [Create one, Create two]).unwrap();
    let text = "Cannot have more than 400 records in a RRSet.";
    refused!(change!(here, zone, [Create many("many.shop.test", 401)]), "InvalidChangeBatch", text);
    let long = |n: usize| {
        let value = format!("\"{}\"", vec!["x".repeat(250); 15].join("\" \""));
        let values = (0..n).map(|i| format!("{value} \"{i}\""));
        let records = values.map(|v| ResourceRecord::builder().value(v).build().unwrap()).collect();
        let set = ResourceRecordSet::builder().name("long.shop.test").r#type(RrType::Txt).ttl(60);
        set.set_resource_records(Some(records)).build().unwrap()
    };
    refused!(
        change!(here, zone, [Create long(9)]),
        "InvalidChangeBatch",
        "[RDATA character limit of 32000 exceeded.]",
        "[law R8]"
    );
    refused!(change!(here, zone, [Upsert long(5)]), "InvalidChangeBatch", "RDATA character limit");
    change!(here, zone, [Create long(8)]).unwrap();
}

#[tokio::test]
async fn r8_five_requests_a_second_for_the_account() {
    let here = Here::with(Settings::default()).await;
    let calls = futures::future::join_all((0..6).map(|_| here.dns().list_hosted_zones().send())).await;
    let throttled: Vec<_> = calls.into_iter().filter_map(Result::err).collect();
    assert_eq!(throttled.len(), 1);
    let (code, message) = super::refusal(throttled.into_iter().next().unwrap());
    assert_eq!((code.as_str(), message.as_str()), ("Throttling", "Rate exceeded [law R8]"));
}
