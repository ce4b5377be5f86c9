//! Zones, their lists, tags, limits, and what they answer.

use aws_sdk_route53::types::{AccountLimitType, HostedZoneLimitType, RrType, Tag, TagResourceType};

use super::route53::{alias, change, simple, weighted};
use super::{Here, refused};

#[tokio::test]
async fn a_zone_goes_when_it_is_empty() {
    let here = Here::new().await;
    let made = here.dns().create_hosted_zone().name("shop.test").caller_reference("once").send().await.unwrap();
    let id = made.hosted_zone().unwrap().id().to_owned();
    let record = simple("www.shop.test", "203.0.113.7", 60);
    change!(here, id, [Create record.clone()]).unwrap();
    refused!(here.dns().delete_hosted_zone().id(&id).send().await, "HostedZoneNotEmpty");
    let told = here.dns().update_hosted_zone_comment().id(&id).comment("the shop").send().await.unwrap();
    assert_eq!(told.hosted_zone().unwrap().config().unwrap().comment(), Some("the shop"));
    assert_eq!(here.dns().get_hosted_zone_count().send().await.unwrap().hosted_zone_count(), 1);
    change!(here, id, [Delete record]).unwrap();
    assert!(here.dns().delete_hosted_zone().id(&id).send().await.unwrap().change_info().is_some());
    refused!(here.dns().delete_hosted_zone().id(&id).send().await, "NoSuchHostedZone");
    for name in ["", "test", "a..test", "*.shop.test"] {
        let refusal = here.dns().create_hosted_zone().name(name).caller_reference("n").send().await;
        let (code, _) = super::refusal(refusal.expect_err(name));
        assert!(matches!(code.as_str(), "InvalidDomainName" | "InvalidInput"), "{name}: {code}");
    }
}

#[tokio::test]
async fn lists_go_page_by_page() {
    let here = Here::new().await;
    for name in ["b.test", "a.b.test", "z.a.test", "a.test"] {
        here.dns().create_hosted_zone().name(name).caller_reference(name).send().await.unwrap();
    }
    let (mut seen, mut at) = (Vec::new(), None::<(String, String)>);
    loop {
        let mut call = here.dns().list_hosted_zones_by_name().max_items(1);
        if let Some((name, id)) = at.take() {
            call = call.dns_name(name).hosted_zone_id(id);
        }
        let page = call.send().await.unwrap();
        seen.extend(page.hosted_zones().iter().map(|z| z.name().to_owned()));
        if !page.is_truncated() {
            break;
        }
        at = page.next_dns_name().map(str::to_owned).zip(page.next_hosted_zone_id().map(str::to_owned));
    }
    assert_eq!(seen, ["a.test.", "z.a.test.", "b.test.", "a.b.test."]);
    let page = here.dns().list_hosted_zones().max_items(3).send().await.unwrap();
    assert_eq!((page.hosted_zones().len(), page.is_truncated()), (3, true));
    let rest = here.dns().list_hosted_zones().marker(page.next_marker().unwrap()).send().await.unwrap();
    assert_eq!((rest.hosted_zones().len(), rest.is_truncated()), (1, false));
    refused!(here.dns().list_hosted_zones().max_items(0).send().await, "InvalidInput");
    refused!(here.dns().list_hosted_zones_by_name().hosted_zone_id("Z1").send().await, "InvalidInput");
    let untyped = here.dns().list_resource_record_sets().hosted_zone_id("Z1").start_record_type(RrType::A);
    refused!(untyped.send().await, "InvalidInput");
}

#[tokio::test]
async fn tags_and_limits() {
    let here = Here::new().await;
    let zone = here.cloud.seed_zone("shop.test", []);
    let tag = |key: &str| Tag::builder().key(key).value("v").build();
    let of = TagResourceType::Hostedzone;
    let change = || here.dns().change_tags_for_resource().resource_type(of.clone()).resource_id(&zone);
    change().add_tags(tag("a")).add_tags(tag("b")).send().await.unwrap();
    change().remove_tag_keys("a").send().await.unwrap();
    let listed = here.dns().list_tags_for_resource().resource_type(of.clone()).resource_id(&zone).send().await.unwrap();
    let keys: Vec<_> = listed.resource_tag_set().unwrap().tags().iter().filter_map(|t| t.key()).collect();
    assert_eq!(keys, ["b"]);
    let many = here.dns().list_tags_for_resources().resource_type(of.clone()).resource_ids(&zone).send().await.unwrap();
    assert_eq!(many.resource_tag_sets().len(), 1);
    refused!(here.dns().list_tags_for_resource().resource_type(of).resource_id("ZNO").send().await, "NoSuchHostedZone");
    let limit = here.dns().get_account_limit().r#type(AccountLimitType::MaxHostedZonesByOwner).send().await.unwrap();
    assert_eq!((limit.limit().unwrap().value(), limit.count()), (500, 1));
    let sets = HostedZoneLimitType::MaxRrsetsByZone;
    let limit = here.dns().get_hosted_zone_limit().hosted_zone_id(&zone).r#type(sets).send().await.unwrap();
    assert_eq!((limit.limit().unwrap().value(), limit.count()), (10_000, 2));
}

#[tokio::test]
async fn a_test_answers_as_the_name_server_would() {
    let here = Here::new().await;
    let zone = here.cloud.seed_zone("shop.test", []);
    let balancer = here.balancer();
    let balancer = here.cloud.shared().lock().balancers[&balancer].clone();
    change!(
        here,
        zone,
        [
            Create weighted("www.shop.test", "203.0.113.7", 60, "old", 0),
            Create weighted("www.shop.test", "203.0.113.8", 60, "new", 10),
            Create alias("api.shop.test", &balancer.dns_name, &balancer.zone),
        ]
    )
    .unwrap();
    let ask = async |name: &str, kind: RrType| {
        let answer = here.dns().test_dns_answer().hosted_zone_id(&zone).record_name(name).record_type(kind);
        let answer = answer.send().await.unwrap();
        assert_eq!(answer.protocol(), "UDP");
        (answer.response_code().to_owned(), answer.record_data().to_vec())
    };
    let no_error = |data: &[&str]| ("NOERROR".to_owned(), data.iter().map(|d| (*d).to_owned()).collect::<Vec<_>>());
    assert_eq!(ask("www.shop.test", RrType::A).await, no_error(&["203.0.113.8"]));
    assert_eq!(ask("API.shop.test.", RrType::A).await, no_error(&["127.80.0.1"]));
    assert_eq!(ask("www.shop.test", RrType::Mx).await, no_error(&[]));
    assert_eq!(ask("no.shop.test", RrType::A).await, ("NXDOMAIN".to_owned(), vec![]));
    assert_eq!(ask("shop.test", RrType::Ns).await.1.len(), 4);
}

#[tokio::test]
async fn r9_a_zone_below_another_is_delegated_by_it() {
    let here = Here::new().await;
    let make = async |name: &str, reference: &str| {
        let made = here.dns().create_hosted_zone().name(name).caller_reference(reference).send().await.unwrap();
        let id = made.hosted_zone().unwrap().id().rsplit('/').next().unwrap().to_owned();
        (id, made.delegation_set().unwrap().name_servers().to_vec())
    };
    let (first, servers) = make("shop.test", "a").await;
    let (second, others) = make("shop.test", "b").await;
    let (below, _) = make("eu.shop.test", "c").await;
    let state = here.cloud.shared().lock();
    assert!(state.zones[&first].delegated, "the registrar points to the first");
    assert!(!state.zones[&second].delegated && !state.zones[&below].delegated);
    assert_ne!(servers, others, "each zone has servers of its own");
}
