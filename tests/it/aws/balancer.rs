//! Elastic Load Balancing.

use outgrow::clients::Kind;
use outgrow::clients::balancer::{GroupSpec, RuleSpec};

use super::Moto::{Differs, Same};
use super::ground::{Ground, tags};
use super::table::rows;

fn spec(on: &Ground, name: &str) -> GroupSpec {
    GroupSpec {
        name: name.into(),
        protocol: "HTTPS".into(),
        port: 443,
        vpc: on.vpc().into(),
        health_path: "/healthz".into(),
        health_interval: 10,
        drain_seconds: 30,
        tags: tags(),
    }
}

async fn group(on: &Ground, name: &str) -> String {
    on.clouds.balancer.create_group(&spec(on, name)).await.unwrap()
}

async fn rule(on: &Ground, priority: u32, forward: Vec<(String, u16)>) -> String {
    on.clouds.balancer.create_rule(on.listener(), &ruled(priority, forward)).await.unwrap()
}

fn ruled(priority: u32, forward: Vec<(String, u16)>) -> RuleSpec {
    let paths = vec!["/api/*".into(), "/healthz".into()];
    RuleSpec { priority, hosts: vec!["api.shop.test".into()], paths, forward, tags: tags() }
}

rows! {
    no_balancer "a balancer that is not there is not found", Same, |on| {
        assert_eq!(on.clouds.balancer.balancer("other").await.unwrap_err().kind, Kind::NotFound);
    }

    balancer "a balancer is found with its VPC, names and listeners", Same, |on| {
        let found = on.clouds.balancer.balancer("shop").await.unwrap();
        assert_eq!((found.vpc.as_str(), found.listeners.len()), (on.vpc(), 1));
        assert_eq!((found.dns_name.to_lowercase(), found.zone.as_str()), (on.balancer().0.to_lowercase(), on.balancer().1));
    }

    group_once "a group is made once, with its tags; another of its name is a conflict", Same, |on| {
        let elb = &on.clouds.balancer;
        assert!(elb.group("group-once").await.unwrap().is_none());
        let arn = group(on, "group-once").await;
        assert_eq!(group(on, "group-once").await, arn);
        let found = elb.group("group-once").await.unwrap().unwrap();
        let mut found_tags = found.tags.clone();
        found_tags.sort();
        assert_eq!((found.arn, found.port, found_tags), (arn, 443, tags()));
        let other = GroupSpec { port: 8443, ..spec(on, "group-once") };
        assert_eq!(elb.create_group(&other).await.unwrap_err().kind, Kind::Conflict);
    }

    group_gone "a deleted group is gone, and deleting it again is no error", Same, |on| {
        let arn = group(on, "group-gone").await;
        on.clouds.balancer.delete_group(&arn).await.unwrap();
        on.clouds.balancer.delete_group(&arn).await.unwrap();
        assert!(on.clouds.balancer.group("group-gone").await.unwrap().is_none());
    }

    unused "targets of a group that nobody uses are unused", Differs {
        how: "a registered target is healthy at once",
        why: "law L4; ELB guide: target-group-health-checks (unused: Target.NotInUse)",
    }, |on| {
        let arn = group(on, "unused").await;
        on.clouds.balancer.register(&arn, on.inside(), 443).await.unwrap();
        let health = on.clouds.balancer.health(&arn).await.unwrap();
        assert_eq!((health.len(), health[0].address.as_str(), health[0].state.as_str()), (1, on.inside(), "unused"));
    }

    never_healthy "a target that nobody listens at is not healthy", Differs {
        how: "a registered target is healthy at once",
        why: "law L4; ELB guide: target-group-health-checks (initial until checked)",
    }, |on| {
        let arn = group(on, "never-healthy").await;
        rule(on, 30, vec![(arn.clone(), 1)]).await;
        on.clouds.balancer.register(&arn, on.inside(), 443).await.unwrap();
        let state = on.clouds.balancer.health(&arn).await.unwrap()[0].state.clone();
        assert!(["initial", "unhealthy", "unused"].contains(&state.as_str()), "{state}");
    }

    private_outside "a private address outside of the VPC is a target", Same, |on| {
        let arn = group(on, "private-outside").await;
        on.clouds.balancer.register(&arn, "192.168.7.7", 443).await.unwrap();
        assert_eq!(on.clouds.balancer.health(&arn).await.unwrap().len(), 1);
    }

    public_address "a public address is refused", Differs {
        how: "it is registered",
        why: "law L1; ELB guide: load-balancer-target-groups (publicly routable addresses cannot be registered)",
    }, |on| {
        let arn = group(on, "public-address").await;
        let refused = on.clouds.balancer.register(&arn, "203.0.113.7", 443).await.unwrap_err();
        assert_eq!(refused.kind, Kind::Refused, "{refused}");
    }

    rule_kept "a rule comes back as it was put, and its weights are changed in place", Same, |on| {
        let elb = &on.clouds.balancer;
        let (old, new) = (group(on, "rule-kept-old").await, group(on, "rule-kept-new").await);
        let forward = |a, b| vec![(old.clone(), a), (new.clone(), b)];
        let arn = rule(on, 40, forward(100, 0)).await;
        elb.set_weights(&arn, &forward(75, 25)).await.unwrap();
        let balancer = elb.balancer("shop").await.unwrap();
        let found = balancer.listeners[0].rules.iter().find(|rule| rule.arn == arn).unwrap();
        let wanted = ruled(40, forward(75, 25));
        assert_eq!((&found.hosts, &found.paths, &found.forward), (&wanted.hosts, &wanted.paths, &wanted.forward));
        assert!(found.priority == 40 && tags().iter().all(|tag| found.tags.contains(tag)), "{found:?}");
    }

    priority_taken "a priority that is taken is a conflict", Same, |on| {
        let arn = group(on, "priority-taken").await;
        rule(on, 50, vec![(arn.clone(), 1)]).await;
        let again = on.clouds.balancer.create_rule(on.listener(), &ruled(50, vec![(arn, 1)])).await;
        assert_eq!(again.unwrap_err().kind, Kind::Conflict);
    }

    weight_too_great "a weight of 1000 is refused", Differs {
        how: "it is taken",
        why: "law L2; ELBv2 API: TargetGroupTuple (the range is 0 to 999)",
    }, |on| {
        let (one, two) = (group(on, "weight-too-great").await, group(on, "weight-beside").await);
        let arn = rule(on, 60, vec![(one.clone(), 1), (two.clone(), 1)]).await;
        let refused = on.clouds.balancer.set_weights(&arn, &[(one, 1000), (two, 0)]).await.unwrap_err();
        assert_eq!(refused.kind, Kind::Refused, "{refused}");
    }

    group_in_use "a group in use is a conflict to delete, until its rule is gone", Same, |on| {
        let elb = &on.clouds.balancer;
        let arn = group(on, "group-in-use").await;
        let rule = rule(on, 70, vec![(arn.clone(), 1)]).await;
        assert_eq!(elb.delete_group(&arn).await.unwrap_err().kind, Kind::Conflict);
        elb.delete_rule(&rule).await.unwrap();
        elb.delete_rule(&rule).await.unwrap();
        elb.delete_group(&arn).await.unwrap();
    }

    draining "a target that was in use drains when it is deregistered", Differs {
        how: "it is gone at once",
        why: "law L4; ELB guide: edit-target-group-attributes (deregistration delay)",
    }, |on| {
        let elb = &on.clouds.balancer;
        let arn = group(on, "draining").await;
        rule(on, 80, vec![(arn.clone(), 1)]).await;
        elb.register(&arn, on.inside(), 443).await.unwrap();
        elb.deregister(&arn, on.inside(), 443).await.unwrap();
        let health = elb.health(&arn).await.unwrap();
        assert_eq!(health.iter().map(|h| h.state.as_str()).collect::<Vec<_>>(), ["draining"]);
    }
}
