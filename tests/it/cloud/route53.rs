//! Route 53 as the migration uses it.

use std::time::Duration;

use aws_sdk_route53::types::{
    AliasTarget, Change, ChangeAction, ChangeBatch, ChangeStatus, ResourceRecord, ResourceRecordSet, RrType,
};

use super::Here;

pub fn simple(name: &str, address: &str, ttl: i64) -> ResourceRecordSet {
    let record = ResourceRecord::builder().value(address).build().unwrap();
    ResourceRecordSet::builder().name(name).r#type(RrType::A).ttl(ttl).resource_records(record).build().unwrap()
}

pub fn weighted(name: &str, address: &str, ttl: i64, id: &str, weight: i64) -> ResourceRecordSet {
    let mut record = simple(name, address, ttl);
    record.set_identifier = Some(id.into());
    record.weight = Some(weight);
    record
}

pub fn alias(name: &str, to: &str, zone: &str) -> ResourceRecordSet {
    let target =
        AliasTarget::builder().hosted_zone_id(zone).dns_name(to).evaluate_target_health(false).build().unwrap();
    ResourceRecordSet::builder().name(name).r#type(RrType::A).alias_target(target).build().unwrap()
}

pub fn batch(changes: impl IntoIterator<Item = (ChangeAction, ResourceRecordSet)>) -> ChangeBatch {
    let changes = changes
        .into_iter()
        .map(|(action, set)| Change::builder().action(action).resource_record_set(set).build().unwrap());
    ChangeBatch::builder().set_changes(Some(changes.collect())).build().unwrap()
}

/// Sends a batch of changes.
macro_rules! change {
    ($here:expr, $zone:expr, [$($action:ident $set:expr),* $(,)?]) => {
        $here
            .dns()
            .change_resource_record_sets()
            .hosted_zone_id(&$zone)
            .change_batch($crate::cloud::route53::batch([$((aws_sdk_route53::types::ChangeAction::$action, $set)),*]))
            .send()
            .await
    };
}
pub(super) use change;

/// Every A record of the zone: name, set identifier, weight, first value or alias.
pub async fn a_records(here: &Here, zone: &str) -> Vec<(String, Option<String>, Option<i64>, String)> {
    let answer = here.dns().list_resource_record_sets().hosted_zone_id(zone).send().await.unwrap();
    let sets = answer.resource_record_sets().iter().filter(|s| s.r#type == RrType::A);
    sets.map(|s| {
        let to = s.alias_target().map(|a| a.dns_name().to_owned());
        let value = to.unwrap_or_else(|| s.resource_records()[0].value().to_owned());
        (s.name().to_owned(), s.set_identifier().map(str::to_owned), s.weight(), value)
    })
    .collect()
}

#[tokio::test]
async fn a_zone_is_made_found_and_listed() {
    let here = Here::new().await;
    let made = here.dns().create_hosted_zone().name("Shop.Test").caller_reference("once").send().await.unwrap();
    let id = made.hosted_zone().unwrap().id().to_owned();
    assert!(id.starts_with("/hostedzone/Z"), "{id}");
    assert_eq!(made.delegation_set().unwrap().name_servers().len(), 4);
    let again = here.dns().create_hosted_zone().name("shop.test").caller_reference("once").send().await;
    super::refused!(again, "HostedZoneAlreadyExists");
    let got = here.dns().get_hosted_zone().id(&id).send().await.unwrap();
    assert_eq!(got.hosted_zone().unwrap().name(), "shop.test.");
    assert_eq!(got.hosted_zone().unwrap().resource_record_set_count(), Some(2));
    here.cloud.seed_zone("a.test", []);
    let by_name = here.dns().list_hosted_zones_by_name().dns_name("shop.test").max_items(1).send().await.unwrap();
    assert_eq!(by_name.hosted_zones()[0].id(), id);
    assert_eq!(here.dns().list_hosted_zones().send().await.unwrap().hosted_zones().len(), 2);
    super::refused!(here.dns().get_hosted_zone().id("ZNOBODY").send().await, "NoSuchHostedZone");
}

#[tokio::test]
async fn a_simple_record_becomes_weighted_and_simple_again_in_one_batch_each() {
    let here = Here::new().await;
    let zone = here.cloud.seed_zone("shop.test", []);
    let arn = here.balancer();
    let balancer = here.cloud.shared().lock().balancers[&arn].clone();
    let name = "api.shop.test";
    let old = simple(name, "203.0.113.7", 60);
    change!(here, zone, [Create old.clone()]).unwrap();
    let was = weighted(name, "203.0.113.7", 60, "old", 100);
    let mut new = alias(name, &balancer.dns_name, &balancer.zone);
    new.set_identifier = Some("new".into());
    new.weight = Some(0);
    change!(here, zone, [Delete old.clone(), Create was.clone(), Create new.clone()]).unwrap();
    let records = a_records(&here, &zone).await;
    assert_eq!(records.len(), 2);
    assert_eq!(records[0], ("api.shop.test.".into(), Some("new".into()), Some(0), format!("{}.", balancer.dns_name)));

    // A weight is shifted by compare-and-swap.
    let shifted = weighted(name, "203.0.113.7", 60, "old", 90);
    change!(here, zone, [Delete was.clone(), Create shifted.clone()]).unwrap();
    super::refused!(change!(here, zone, [Delete was, Create shifted.clone()]), "InvalidChangeBatch", "[law R2]");

    change!(here, zone, [Delete shifted, Delete new, Create old]).unwrap();
    assert_eq!(a_records(&here, &zone).await, [("api.shop.test.".into(), None, None, "203.0.113.7".into())]);
}

#[tokio::test]
async fn records_are_listed_by_reversed_labels_page_by_page() {
    let here = Here::new().await;
    let names = ["www.shop.test", "shop.test", "a.www.shop.test", "api.shop.test", "*.shop.test"];
    let zone = here.cloud.seed_zone("shop.test", []);
    for name in names {
        change!(here, zone, [Create simple(name, "203.0.113.7", 60)]).unwrap();
    }
    for (id, weight) in [("b", 2), ("a", 1), ("c", 3)] {
        change!(here, zone, [Create weighted("w.shop.test", "203.0.113.7", 60, id, weight)]).unwrap();
    }
    let (mut seen, mut at) = (Vec::new(), None::<(String, RrType, Option<String>)>);
    loop {
        let mut call = here.dns().list_resource_record_sets().hosted_zone_id(&zone).max_items(2);
        if let Some((name, kind, id)) = at.take() {
            call = call.start_record_name(name).start_record_type(kind).set_start_record_identifier(id);
        }
        let page = call.send().await.unwrap();
        assert!(page.resource_record_sets().len() <= 2);
        seen.extend(
            page.resource_record_sets()
                .iter()
                .map(|s| format!("{} {}", s.name(), s.set_identifier().unwrap_or(s.r#type().as_str()))),
        );
        if !page.is_truncated() {
            break;
        }
        let next = page.next_record_type().unwrap().clone();
        at = Some((page.next_record_name().unwrap().into(), next, page.next_record_identifier().map(str::to_owned)));
    }
    let wanted = [
        "shop.test. A",
        "shop.test. NS",
        "shop.test. SOA",
        "\\052.shop.test. A",
        "api.shop.test. A",
        "w.shop.test. a",
        "w.shop.test. b",
        "w.shop.test. c",
        "www.shop.test. A",
        "a.www.shop.test. A",
    ];
    assert_eq!(seen, wanted);
}

#[tokio::test]
async fn r7_a_change_is_pending_until_the_clock_says_insync() {
    let here = Here::new().await;
    let zone = here.cloud.seed_zone("shop.test", []);
    let changed = change!(here, zone, [Create simple("www.shop.test", "203.0.113.7", 60)]).unwrap();
    let id = changed.change_info().unwrap().id().to_owned();
    let status = async || here.dns().get_change().id(&id).send().await.unwrap().change_info().unwrap().status().clone();
    assert_eq!(status().await, ChangeStatus::Pending);
    here.clock.advance(Duration::from_secs(5));
    assert_eq!(status().await, ChangeStatus::Insync);
    super::refused!(here.dns().get_change().id("CNOBODY").send().await, "NoSuchChange");
}
