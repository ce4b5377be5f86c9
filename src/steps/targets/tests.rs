//! The step against the balancer in memory; the generic promises are in [`crate::steps::contract`].

use futures::FutureExt;

use super::*;
use crate::clients::balancer::{BalancerWrite, Rule};
use crate::clients::fake::Stage;
use crate::clients::fake::balancer::FakeBalancer;
use crate::step::Severity;
use crate::steps::contract::{Boxed, Case};

pub(crate) fn cases() -> Vec<Case> {
    vec![Case { name: "targets", set: || async { (Stage::new(), Box::new(Targets {}) as Boxed) }.boxed() }]
}

async fn change(stage: &Stage) -> TargetsChange {
    match (Targets {}).plan(&stage.look()).await.unwrap() {
        Planned::Change(change) => change,
        Planned::AlreadySo => panic!("nothing to do"),
    }
}

#[tokio::test]
async fn the_plan_says_groups_and_rules() {
    let lines = change(&Stage::new()).await.lines();
    assert_eq!(
        lines,
        [
            "+ target group shop-old: HTTPS 443 to 10.0.1.5, health by /healthz",
            "+ target group shop-new: HTTPS 443 to 10.0.2.7, health by /healthz",
            "+ rule 1 on HTTPS 443: api.shop.test, /api/* /healthz → shop-old 100, shop-new 0",
        ]
    );
}

#[tokio::test]
async fn a_second_plan_of_the_same_run_finds_it_so() {
    let stage = Stage::new();
    let change = change(&stage).await;
    Targets {}.apply(&stage.act(), &change).await.unwrap();
    assert_eq!(Targets {}.plan(&stage.look()).await.unwrap(), Planned::AlreadySo);
}

#[tokio::test]
async fn a_group_of_somebody_else_is_never_adopted_and_never_removed() {
    let stage = Stage::new();
    let change = change(&stage).await;
    let foreign = GroupSpec { tags: vec![("team".into(), "web".into())], ..change.groups[0].spec.clone() };
    stage.balancer.create_group(&foreign).await.unwrap();
    let findings = Targets {}.check(&stage.look()).await.unwrap();
    assert!(findings.iter().any(|f| f.severity == Severity::Blocker && f.what.contains("shop-old")), "{findings:?}");
    let before = stage.snapshot();
    assert!(matches!(Targets {}.apply(&stage.act(), &change).await, Err(Fault::Drifted { .. })));
    Targets {}.undo(&stage.act(), &change).await.unwrap();
    assert_eq!(stage.snapshot(), before);
}

#[tokio::test]
async fn a_number_taken_since_the_plan_is_drift() {
    let stage = Stage::new();
    let change = change(&stage).await;
    let rule = Rule {
        arn: "arn:foreign".into(),
        priority: 1,
        hosts: vec!["other.test".into()],
        paths: Vec::new(),
        others: Vec::new(),
        forward: Vec::new(),
        tags: Vec::new(),
    };
    stage.balancer.meddle(443, |rules| rules.push(rule));
    assert!(matches!(Targets {}.apply(&stage.act(), &change).await, Err(Fault::Drifted { .. })));
}

#[tokio::test]
async fn l1_a_public_address_is_a_blocker() {
    let mut stage = Stage::new();
    let mut site = (*stage.site).clone();
    site.old.address = "203.0.113.7".parse().unwrap();
    stage.site = site.into();
    let findings = Targets {}.check(&stage.look()).await.unwrap();
    assert!(findings.iter().any(|f| f.law.as_deref() == Some("L1") && f.severity == Severity::Blocker));
    let change = change(&stage).await;
    assert!(Targets {}.apply(&stage.act(), &change).await.is_err());
}

#[tokio::test]
async fn l7_a_proxy_that_redirects_by_its_own_scheme_is_a_blocker() {
    let mut stage = Stage::new();
    let mut site = (*stage.site).clone();
    site.app.listen = crate::site::Listen { protocol: crate::site::Protocol::Http, port: 80 };
    stage.site = site.into();
    let findings = Targets {}.check(&stage.look()).await.unwrap();
    assert!(findings.iter().any(|f| f.law.as_deref() == Some("L7") && f.severity == Severity::Blocker), "{findings:?}");
}

#[tokio::test]
async fn the_demo_has_nothing_in_the_way() {
    let findings = Targets {}.check(&Stage::new().look()).await.unwrap();
    assert!(findings.iter().all(|f| f.severity == Severity::Note), "{findings:?}");
}

#[tokio::test]
async fn without_tls_on_the_balancer_the_plain_listener_serves() {
    let mut stage = Stage::new();
    stage.balancer = FakeBalancer::new(stage.fuse.clone(), "shop", &[("HTTP", 80)]);
    assert_eq!(change(&stage).await.rules[0].listener_name, "HTTP 80");
}

#[tokio::test]
async fn a_box_the_balancer_does_not_reach_is_waited_for_and_then_broken() {
    let stage = Stage::new();
    let change = change(&stage).await;
    Targets {}.apply(&stage.act(), &change).await.unwrap();
    stage.balancer.set_healthy("10.0.1.5", false);
    let look = stage.look_applied();
    let verdict = Targets {}.verify(&look, &change).await.unwrap();
    assert!(matches!(verdict, Verdict::Wait { .. }), "{verdict:?}");
    stage.clock.advance(HEALTHY_WITHIN);
    let verdict = Targets {}.verify(&look, &change).await.unwrap();
    assert!(matches!(&verdict, Verdict::Broken(why) if why.contains("10.0.1.5:443 is unhealthy")), "{verdict:?}");
}
