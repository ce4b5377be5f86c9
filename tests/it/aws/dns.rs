//! Route 53.

use std::time::Duration;

use outgrow::clients::Kind;
use outgrow::clients::dns::{Answer, Batch, RecordSet, Weighted};
use outgrow::rehearsal::state;

use super::Here;

fn simple(name: &str, ttl: u32, value: &str) -> RecordSet {
    RecordSet {
        name: name.into(),
        kind: "A".into(),
        ttl: Some(ttl),
        answer: Answer::Values(vec![value.into()]),
        weighted: None,
        health_check: None,
    }
}

fn seeded(name: &str, value: &str) -> state::RecordSet {
    state::RecordSet {
        name: name.into(),
        kind: "A".into(),
        ttl: Some(300),
        answer: state::Answer::Values(vec![value.into()]),
        weighted: None,
        health_check: None,
    }
}

#[tokio::test]
async fn a_simple_record_becomes_a_weighted_pair_in_one_batch_and_in_sync_later() {
    let here = Here::new().await;
    let records = ["api.shop.test", "www.shop.test"].map(|name| seeded(name, "10.0.1.5"));
    let id = here.cloud.seed_zone("shop.test", records);
    let dns = &here.clouds.dns;
    let zone = dns.zone("shop.test").await.unwrap();
    assert_eq!((zone.id.as_str(), zone.name_servers.len()), (id.as_str(), 4));
    let ns = dns.records(&zone.id, "shop.test").await.unwrap();
    let Some(Answer::Values(mut servers)) = ns.iter().find(|r| r.kind == "NS").map(|r| r.answer.clone()) else {
        panic!("no NS record: {ns:?}")
    };
    for server in &mut servers {
        *server = server.trim_end_matches('.').to_owned();
    }
    assert_eq!(servers, zone.name_servers);

    let before = dns.records(&zone.id, "api.shop.test").await.unwrap();
    assert_eq!(before, [simple("api.shop.test", 300, "10.0.1.5")]);
    let weighted = |id: &str, weight| Some(Weighted { id: id.into(), weight });
    let alias = Answer::Alias { name: balancer(&here).await.0, zone: balancer(&here).await.1, evaluate_health: false };
    let old = RecordSet { weighted: weighted("outgrow-old", 100), ..simple("api.shop.test", 60, "10.0.1.5") };
    let new = RecordSet { ttl: None, answer: alias, weighted: weighted("outgrow-new", 0), ..old.clone() };
    let batch = Batch { delete: before.clone(), create: vec![old.clone(), new.clone()] };
    let change = dns.change(&zone.id, &batch).await.unwrap();
    assert!(!dns.in_sync(&change).await.unwrap());
    here.clock.advance(Duration::from_mins(1));
    assert!(dns.in_sync(&change).await.unwrap());
    let mut now = dns.records(&zone.id, "api.shop.test").await.unwrap();
    now.sort_by_key(|record| record.weighted.as_ref().map(|w| w.id.clone()));
    assert_eq!(now, [new, old]);
    assert_eq!(
        dns.records(&zone.id, "www.shop.test").await.unwrap().len(),
        1,
        "other names are not shown, nor changed"
    );

    // Law R2: the same batch again has lost.
    let lost = dns.change(&zone.id, &batch).await.unwrap_err();
    assert_eq!(lost.kind, Kind::Conflict, "{lost}");
    // Law R1: a simple record beside weighted ones is wrong in itself.
    let beside = Batch { delete: Vec::new(), create: before };
    let refused = dns.change(&zone.id, &beside).await.unwrap_err();
    assert!(matches!(refused.kind, Kind::Refused | Kind::Conflict) && refused.why.len() > 40, "{refused}");
}

/// The balancer's DNS name and zone.
async fn balancer(here: &Here) -> (String, String) {
    if here.cloud.shared().lock().balancers.is_empty() {
        here.balancer();
    }
    let balancer = here.clouds.balancer.balancer("shop").await.unwrap();
    (balancer.dns_name, balancer.zone)
}

#[tokio::test]
async fn a_zone_that_is_not_there_is_not_found_and_names_the_action() {
    let here = Here::new().await;
    here.cloud.seed_zone("shop.test.example", []);
    let error = here.clouds.dns.zone("shop.test").await.unwrap_err();
    assert_eq!(error.kind, Kind::NotFound, "{error}");
}

#[tokio::test]
async fn a_name_with_many_records_is_read_whole() {
    let here = Here::new().await;
    let many = (0..150).map(|n| state::RecordSet {
        weighted: Some((format!("set-{n:03}"), 1)),
        ..seeded("many.shop.test", &format!("10.0.2.{n}"))
    });
    let id = here.cloud.seed_zone("shop.test", many);
    let records = here.clouds.dns.records(&id, "many.shop.test").await.unwrap();
    assert_eq!(records.len(), 150);
}
