//! The chain against the zone in memory.

use futures::FutureExt;

use super::*;
use crate::clients::dns::{Answer, Weighted};
use crate::clients::fake::dns::simple;
use crate::clients::fake::{Stage, When};
use crate::step::{Clock, Fault, Severity};
use crate::steps::contract::{Boxed, Case};

const BAKE: Duration = Duration::from_mins(10);

async fn chain(stage: &Stage, which: Which, stages: &[u8]) -> Vec<DnsWeights> {
    expand(&stage.look(), which, stages, BAKE, 60).await.unwrap()
}

/// Two names, so that a batch has more than one.
fn stage_of_two() -> Stage {
    let mut stage = Stage::new();
    let mut site = (*stage.site).clone();
    site.names.api.push("box.shop.test".into());
    stage.site = site.into();
    stage
}

/// The link of this number, with those before it applied.
async fn link(number: usize) -> (Stage, Boxed) {
    let stage = stage_of_two();
    let mut steps = chain(&stage, Which::Api, &[5, 100]).await;
    for step in &steps[..number] {
        step.apply(&stage.act(), &step.change).await.unwrap();
    }
    (stage, Box::new(steps.remove(number)))
}

/// The whole chain.
pub(crate) async fn whole() -> (Stage, Vec<Boxed>) {
    let stage = stage_of_two();
    let steps = chain(&stage, Which::Api, &[5, 100]).await;
    (stage, steps.into_iter().map(|step| Box::new(step) as Boxed).collect())
}

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case { name: "dns-weights ttl", set: || link(0).boxed() },
        Case { name: "dns-weights pair", set: || link(1).boxed() },
        Case { name: "dns-weights 5", set: || link(2).boxed() },
        Case { name: "dns-weights 100", set: || link(3).boxed() },
    ]
}

#[tokio::test]
async fn the_chain_goes_from_a_simple_record_to_the_new_side_and_back() {
    let stage = Stage::new();
    let start = stage.snapshot();
    let steps = chain(&stage, Which::Api, &[25, 100]).await;
    let ids: Vec<String> = steps.iter().map(Step::id).collect();
    assert_eq!(ids, ["dns-weights:api:ttl", "dns-weights:api:pair", "dns-weights:api:25", "dns-weights:api:100"]);
    let told: Vec<Vec<String>> = steps.iter().map(|step| step.change.lines()).collect();
    assert_eq!(told[0][..2], ["- api.shop.test A 300 s 10.0.1.5", "+ api.shop.test A 60 s 10.0.1.5"]);
    assert_eq!(
        told[1],
        [
            "- api.shop.test A 60 s 10.0.1.5",
            "+ api.shop.test A [outgrow-new 0] alias of shop-1.elb.test",
            "+ api.shop.test A 60 s [outgrow-old 100] 10.0.1.5",
        ]
    );
    for step in &steps {
        step.apply(&stage.act(), &step.change).await.unwrap();
    }
    let new = stage.dns.all().into_iter().find(|r| r.weighted.as_ref().is_some_and(|w| w.id == "outgrow-new")).unwrap();
    assert_eq!(new.weighted.unwrap().weight, 100);
    assert!(matches!(new.answer, Answer::Alias { evaluate_health: false, zone, .. } if zone == "ZELB"));
    for step in steps.iter().rev() {
        step.undo(&stage.act(), &step.change).await.unwrap();
    }
    assert_eq!(stage.snapshot(), start);
}

#[tokio::test]
async fn r6_the_old_ttl_is_waited_out_from_when_the_new_one_was_set() {
    let stage = Stage::new();
    let step = chain(&stage, Which::Pages, &[]).await.remove(0);
    step.apply(&stage.act(), &step.change).await.unwrap();
    let look = stage.look_applied();
    stage.clock.advance(Duration::from_secs(299));
    assert!(matches!(step.verify(&look, &step.change).await.unwrap(), Verdict::Wait { .. }));
    stage.clock.advance(Duration::from_secs(1));
    assert_eq!(step.verify(&look, &step.change).await.unwrap(), Verdict::Holds);
}

#[tokio::test]
async fn an_undo_that_takes_the_new_side_out_waits_until_resolvers_forgot_it() {
    let stage = Stage::new();
    let steps = chain(&stage, Which::Api, &[25, 100]).await;
    for step in &steps {
        step.apply(&stage.act(), &step.change).await.unwrap();
    }
    let took = async |step: &DnsWeights| {
        let before = stage.clock.now();
        step.undo(&stage.act(), &step.change).await.unwrap();
        stage.clock.now().duration_since(before).unwrap().as_secs()
    };
    assert!(took(&steps[3]).await < 60, "at 25 % the new side is still answered");
    assert!(took(&steps[2]).await >= 60, "at 0 % resolvers may still hold it");
}

#[tokio::test]
async fn pages_go_to_the_distribution_and_a_cname_stays_a_cname() {
    let stage = Stage::new();
    stage.dns.meddle("www.shop.test", "A", vec![simple("www.shop.test", "CNAME", 300, "box.shop.test")]);
    let pair = chain(&stage, Which::Pages, &[]).await.remove(1);
    let new = &pair.change.after[0];
    assert_eq!((new.kind.as_str(), new.ttl), ("CNAME", Some(60)));
    assert_eq!(new.answer, Answer::Values(vec!["d111.cloudfront.net".into()]));
    stage.dns.meddle("www.shop.test", "CNAME", vec![simple("www.shop.test", "A", 30, "10.0.1.5")]);
    let steps = chain(&stage, Which::Pages, &[]).await;
    assert!(matches!(&steps[1].change.after[0].answer, Answer::Alias { zone, .. } if zone == "Z2FDTNDATAQYW2"));
    assert_eq!(steps[0].plan(&stage.look()).await.unwrap(), Planned::AlreadySo, "30 s is low already");
}

#[tokio::test]
async fn r2_a_record_changed_by_somebody_else_is_drift_forward_and_back() {
    let stage = Stage::new();
    let step = chain(&stage, Which::Api, &[]).await.remove(0);
    stage.dns.meddle("api.shop.test", "A", vec![simple("api.shop.test", "A", 300, "10.9.9.9")]);
    let before = stage.snapshot();
    let drift = step.apply(&stage.act(), &step.change).await.unwrap_err();
    let Fault::Drifted { expected, found, .. } = drift else { panic!("{drift}") };
    assert!(expected.contains("10.0.1.5") && found.contains("10.9.9.9"));
    assert!(matches!(step.undo(&stage.act(), &step.change).await, Err(Fault::Drifted { .. })));
    assert!(matches!(step.verify(&stage.look(), &step.change).await.unwrap(), Verdict::Drifted(_)));
    assert_eq!(stage.snapshot(), before);
}

#[tokio::test]
async fn our_own_pair_goes_on_from_where_it_is() {
    let stage = Stage::new();
    for step in chain(&stage, Which::Api, &[25]).await {
        step.apply(&stage.act(), &step.change).await.unwrap();
    }
    let again = chain(&stage, Which::Api, &[25, 50]).await;
    for step in &again[..3] {
        assert_eq!(step.plan(&stage.look()).await.unwrap(), Planned::AlreadySo, "{}", step.id());
    }
    again[3].apply(&stage.act(), &again[3].change).await.unwrap();
    again[3].undo(&stage.act(), &again[3].change).await.unwrap();
    assert!(stage.dns.all().iter().any(|r| r.weighted == Some(Weighted { id: "outgrow-new".into(), weight: 25 })));
}

#[tokio::test]
async fn what_cannot_be_moved_is_told_by_law() {
    let a = |ttl| simple("api.shop.test", "A", ttl, "10.0.1.5");
    let weighted = |id: &str| RecordSet { weighted: Some(Weighted { id: id.into(), weight: 1 }), ..a(60) };
    let cases = [
        ("R2", vec![]),
        ("R1", vec![a(60), simple("api.shop.test", "AAAA", 60, "::1")]),
        ("R1", vec![RecordSet { answer: Answer::Other("latency record".into()), ..a(60) }]),
        ("R3", vec![weighted("blue"), weighted("green")]),
        ("R3", vec![RecordSet { health_check: Some("hc".into()), ..a(60) }]),
    ];
    for (law, records) in cases {
        let stage = Stage::new();
        stage.dns.meddle("api.shop.test", "A", records);
        let findings = preflight(&stage.look(), Which::Api).await.unwrap();
        let blocker = findings.iter().find(|f| f.severity == Severity::Blocker).unwrap();
        assert_eq!(blocker.law.as_deref(), Some(law), "{blocker:?}");
        assert!(expand(&stage.look(), Which::Api, &[100], BAKE, 60).await.is_err());
    }
}

#[tokio::test]
async fn r9_a_zone_that_is_not_there_or_names_other_servers_is_told() {
    let mut stage = Stage::new();
    let ns = RecordSet { answer: Answer::Values(vec!["ns1.old.test.".into()]), ..simple("shop.test", "NS", 60, "") };
    stage.dns.meddle("shop.test", "NS", vec![ns]);
    let findings = preflight(&stage.look(), Which::Api).await.unwrap();
    assert!(findings.iter().any(|f| f.law.as_deref() == Some("R9") && f.severity == Severity::Warning));
    let mut site = (*stage.site).clone();
    site.names.zone = "other.test".into();
    stage.site = site.into();
    let findings = preflight(&stage.look(), Which::Api).await.unwrap();
    assert_eq!((findings[0].law.as_deref(), findings[0].severity), (Some("R9"), Severity::Blocker));
}

#[tokio::test]
async fn an_answer_that_got_lost_is_no_drift() {
    let stage = Stage::new();
    let step = chain(&stage, Which::Api, &[]).await.remove(0);
    stage.fuse.lose_answer_at(0, When::After);
    assert!(matches!(step.apply(&stage.act(), &step.change).await, Err(Fault::InDoubt(_))));
    step.apply(&stage.act(), &step.change).await.unwrap();
}

#[tokio::test]
async fn a_distribution_that_the_run_makes_is_looked_up_when_it_is_needed() {
    let mut stage = Stage::new();
    let mut site = (*stage.site).clone();
    site.aws.distribution = "new".into();
    stage.site = site.into();
    stage.distributions.clear();
    let start = stage.snapshot();
    let mut steps = chain(&stage, Which::Pages, &[100]).await;
    let mut world = World::default();
    for step in &steps {
        step.model(&mut world);
    }
    assert!(world.pages_await_distribution);
    assert!(steps[1].change.lines().iter().any(|line| line.ends_with("alias of the distribution of this site")));
    steps[0].apply(&stage.act(), &steps[0].change).await.unwrap();
    let early = steps[1].apply(&stage.act(), &steps[1].change).await.unwrap_err();
    assert!(matches!(&early, Fault::Failed { hint: Some(hint), .. } if hint.contains("distribution")), "{early}");
    let made = crate::clients::fake::distributions::plain(
        "shop-pages",
        &["www.shop.test"],
        crate::clients::distributions::Certificate::Iam("x".into()),
    );
    let comment = crate::steps::cdn::comment(&stage.look());
    let distributions = stage.reach().distributions;
    let made = distributions.create("ref", &comment, &made, &[]).await.unwrap();
    for step in &steps[1..] {
        step.apply(&stage.act(), &step.change).await.unwrap();
    }
    let alias = |r: &RecordSet| matches!(&r.answer, Answer::Alias { name, .. } if *name == made.listed.domain);
    assert!(stage.dns.all().iter().any(alias));
    assert!(matches!(steps[2].verify(&stage.look_applied(), &steps[2].change).await.unwrap(), Verdict::Wait { .. }));
    assert!(!chain(&stage, Which::Pages, &[100]).await[0].awaits, "it is there and answers to the names");
    for step in steps.drain(..).rev() {
        step.undo(&stage.act(), &step.change).await.unwrap();
    }
    stage.distributions.clear();
    assert_eq!(stage.snapshot(), start);
}
