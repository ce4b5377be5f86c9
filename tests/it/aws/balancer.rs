//! Elastic Load Balancing.

use outgrow::clients::Kind;
use outgrow::clients::balancer::{GroupSpec, RuleSpec};

use super::{Here, tags};

fn group(here: &Here, name: &str) -> GroupSpec {
    GroupSpec {
        name: name.into(),
        protocol: "HTTPS".into(),
        port: 443,
        vpc: here.vpc.into(),
        health_path: "/healthz".into(),
        health_interval: 10,
        drain_seconds: 30,
        tags: tags(),
    }
}

#[tokio::test]
async fn groups_targets_and_rules_come_and_go() {
    let here = Here::new().await;
    let listener = here.balancer();
    let elb = &here.clouds.balancer;
    assert!(elb.group("shop-old").await.unwrap().is_none());
    let old = elb.create_group(&group(&here, "shop-old")).await.unwrap();
    let new = elb.create_group(&group(&here, "shop-new")).await.unwrap();
    assert_eq!(elb.create_group(&group(&here, "shop-old")).await.unwrap(), old, "the same again is no second one");
    let other = GroupSpec { port: 8443, ..group(&here, "shop-old") };
    assert_eq!(elb.create_group(&other).await.unwrap_err().kind, Kind::Conflict);
    let found = elb.group("shop-old").await.unwrap().unwrap();
    let mut found_tags = found.tags.clone();
    found_tags.sort();
    assert_eq!(
        (found.arn.as_str(), found.protocol.as_str(), found.port, found_tags),
        (old.as_str(), "HTTPS", 443, tags())
    );
    let drain =
        here.cloud.shared().lock().target_groups[&old].attributes["deregistration_delay.timeout_seconds"].clone();
    assert_eq!(drain, "30");

    elb.register(&old, "10.0.1.5", 443).await.unwrap();
    let health = elb.health(&old).await.unwrap();
    assert_eq!((health[0].address.as_str(), health[0].state.as_str()), ("10.0.1.5", "unused"), "{health:?}");
    // Law L1: outside the VPC, but private.
    elb.register(&new, "192.168.7.7", 443).await.unwrap();
    let public = elb.register(&new, "203.0.113.7", 443).await.unwrap_err();
    assert_eq!(public.kind, Kind::Refused, "{public}");

    let forward = |a, b| vec![(old.clone(), a), (new.clone(), b)];
    let spec = RuleSpec {
        priority: 7,
        hosts: vec!["api.shop.test".into()],
        paths: vec!["/api/*".into(), "/healthz".into()],
        forward: forward(100, 0),
        tags: tags(),
    };
    let rule = elb.create_rule(&listener, &spec).await.unwrap();
    assert_eq!(elb.create_rule(&listener, &spec).await.unwrap_err().kind, Kind::Conflict, "the priority is taken");
    elb.set_weights(&rule, &forward(75, 25)).await.unwrap();
    let balancer = elb.balancer("shop").await.unwrap();
    assert_eq!((balancer.vpc.as_str(), balancer.listeners.len()), (here.vpc, 1));
    let found = &balancer.listeners[0].rules[0];
    assert_eq!((found.arn.as_str(), found.priority), (rule.as_str(), 7));
    assert_eq!((&found.hosts, &found.paths, &found.forward), (&spec.hosts, &spec.paths, &forward(75, 25)));
    assert!(tags().iter().all(|tag| found.tags.contains(tag)), "{found:?}");
    // Law L2.
    assert_eq!(elb.set_weights(&rule, &forward(1000, 0)).await.unwrap_err().kind, Kind::Refused);

    assert_eq!(elb.delete_group(&old).await.unwrap_err().kind, Kind::Conflict, "it is in use");
    elb.delete_rule(&rule).await.unwrap();
    elb.delete_rule(&rule).await.unwrap();
    elb.deregister(&old, "10.0.1.5", 443).await.unwrap();
    for arn in [&old, &new, &old] {
        elb.delete_group(arn).await.unwrap();
    }
    assert!(elb.group("shop-old").await.unwrap().is_none());
}

#[tokio::test]
async fn a_balancer_that_is_not_there_is_not_found() {
    let here = Here::new().await;
    assert_eq!(here.clouds.balancer.balancer("shop").await.unwrap_err().kind, Kind::NotFound);
}
