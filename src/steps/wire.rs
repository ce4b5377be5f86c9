//! The AWS steps over the wire: the real clients against the rehearsal cloud and its laws, beside the box in memory.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use tokio::net::TcpListener;

use super::certificate::Certificate;
use super::distribution::Distribution;
use super::dns_weights::{self, Which};
use super::shift_targets;
use super::static_site::StaticSite;
use super::targets::Targets;
use crate::clients::aws::{Access, Clouds};
use crate::clients::fake::Stage;
use crate::clients::fake::stage::RUN;
use crate::event::Sink;
use crate::rehearsal::clock::Clock as Time;
use crate::rehearsal::cloud::{Cloud, Settings};
use crate::rehearsal::state::{Action, Answer, RecordSet, Routing, Shared};
use crate::step::{Act, AnyStep, Clock, Look, Planned, Reach, Step, Verdict};

const BAKE: Duration = Duration::from_mins(10);

/// The rehearsal's clock, skipped instead of slept.
struct Skipping(Time);

#[async_trait]
impl Clock for Skipping {
    fn now(&self) -> SystemTime {
        self.0.now()
    }

    async fn sleep(&self, for_: Duration) {
        self.0.advance(for_);
    }
}

struct Wire {
    cloud: Cloud,
    stage: Stage,
    reach: Reach,
    _dir: tempfile::TempDir,
}

impl Wire {
    /// With a distribution that is there, or without one.
    async fn new(named: bool) -> Self {
        let time = Time::default();
        let dir = tempfile::tempdir().unwrap();
        let settings = Settings { route53_rate: 0, ..Settings::default() };
        let cloud = Cloud::new(Shared::new(time.clone()), dir.path().join("s3"), settings).unwrap();
        let subnets = cloud.seed_network("vpc-1", (Ipv4Addr::new(10, 0, 0, 0), 16));
        let arn = cloud.seed_balancer("shop", IpAddr::V4(Ipv4Addr::new(127, 80, 0, 1)), &subnets);
        let certificate = cloud.seed_certificate(&["shop.test", "*.shop.test"]);
        let default = Action::Fixed { status: 404, content_type: "text/plain".into(), body: String::new() };
        cloud.seed_listener(&arn, 443, Some(&certificate), default);
        let record = |name: &str| RecordSet {
            name: name.into(),
            kind: "A".into(),
            ttl: Some(300),
            answer: Answer::Values(vec!["10.0.1.5".into()]),
            routing: Routing::Simple,
            health_check: None,
        };
        cloud.seed_zone("shop.test", ["www.shop.test", "api.shop.test", "box.shop.test"].map(record));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let served = cloud.clone();
        tokio::spawn(async move { served.serve(listener, std::future::pending()).await });
        let mut stage = Stage::new();
        stage.web.all_is_well();
        let mut site = (*stage.site).clone();
        let edge = IpAddr::V4(Ipv4Addr::new(127, 80, 0, 2));
        site.aws.distribution = "new".into();
        if named {
            site.aws.distribution = cloud.seed_distribution(&site.aws.bucket, "", &["www.shop.test"], edge);
        }
        stage.site = site.into();
        let access = Access {
            region: stage.site.aws.region.clone(),
            endpoint: Some(endpoint),
            credentials: Some(("outgrow".into(), "rehearsal".to_owned().into())),
        };
        let clouds = Clouds::connect(&access).await;
        let reach = Reach {
            dns: clouds.dns,
            objects: clouds.objects,
            balancer: clouds.balancer,
            instances: clouds.instances,
            certificates: clouds.certificates,
            distributions: clouds.distributions,
            metrics: clouds.metrics,
            clock: Arc::new(Skipping(time)),
            ..stage.reach()
        };
        Self { cloud, stage, reach, _dir: dir }
    }

    fn look(&self) -> Look {
        self.reach.look(Arc::clone(&self.stage.site), RUN)
    }

    fn act(&self) -> Act {
        Act {
            look: self.look(),
            reach: self.reach.clone(),
            step: "wire".into(),
            epoch: 1,
            may_lose_writes: false,
            events: Sink::nowhere(),
        }
    }

    /// What the balancer's health checks would find.
    fn all_healthy(&self) {
        for group in self.cloud.shared().lock().target_groups.values_mut() {
            group.targets.values_mut().for_each(|target| target.state = "healthy".into());
        }
    }

    /// Records, groups, rules and objects, comparable.
    async fn world(&self) -> String {
        let mut objects = Vec::new();
        let mut take = |object: crate::clients::objects::Listed| objects.push((object.key, object.etag));
        drop(self.reach.objects.list("shop-pages", "", &mut take).await);
        let state = self.cloud.shared().lock();
        let mut records: Vec<String> =
            state.zones.values().flat_map(|z| &z.records).map(|r| format!("{r:?}")).collect();
        records.sort();
        let rules: Vec<_> = state.listeners.values().map(|l| &l.rules).collect();
        let buckets: Vec<_> = state.buckets.iter().map(|(name, bucket)| (name, &bucket.policy)).collect();
        let distributions: Vec<_> = state.distributions.iter().map(|(domain, d)| (domain, &d.shown)).collect();
        let beside = (state.cdn.functions.keys(), state.cdn.access_controls.keys(), state.certificates.keys());
        let groups = state.target_groups.keys();
        format!("{records:#?}\n{groups:#?}\n{rules:#?}\n{buckets:#?}\n{objects:#?}\n{distributions:#?}\n{beside:#?}")
    }

    /// Plans, applies, verifies; gives the change. Doing it twice is for the faster tests in memory.
    async fn done(&self, step: &dyn AnyStep) -> serde_json::Value {
        let draft = step.plan(&self.look()).await.unwrap().unwrap_or_else(|| panic!("{}: nothing to do", step.id()));
        step.apply(&self.act(), &draft.change).await.unwrap_or_else(|e| panic!("{}: {e}", step.id()));
        self.all_healthy();
        let look = Look { applied_at: Some(self.reach.clock.now()), ..self.look() };
        loop {
            match super::contract::unjudged(step.verify(&look, &draft.change).await.unwrap()) {
                Verdict::Holds => return draft.change,
                Verdict::Wait { again_in, .. } => look.clock.sleep(again_in).await,
                other => panic!("{}: {other:?}", step.id()),
            }
        }
    }
}

/// Does the steps one after the other, each expanded as things are when the plan is made, and undoes them.
async fn there_and_back(wire: &Wire, steps: Vec<Box<dyn AnyStep>>) {
    let start = wire.world().await;
    let mut changes = Vec::new();
    for step in &steps {
        changes.push(wire.done(step.as_ref()).await);
    }
    assert_ne!(wire.world().await, start);
    for (step, change) in steps.iter().zip(&changes).rev() {
        step.undo(&wire.act(), change).await.unwrap_or_else(|e| panic!("{} back: {e}", step.id()));
    }
    let end = wire.world().await;
    assert!(end == start, "{}", similar::TextDiff::from_lines(&start, &end).unified_diff());
}

async fn names(wire: &Wire, which: Which, stages: &[u8]) -> Vec<Box<dyn AnyStep>> {
    let chain = dns_weights::expand(&wire.look(), which, stages, BAKE, 60).await.unwrap();
    chain.into_iter().map(|step| Box::new(step) as Box<dyn AnyStep>).collect()
}

#[tokio::test]
async fn the_aws_steps_go_there_and_back_under_the_laws() {
    let wire = Wire::new(true).await;
    let mut steps: Vec<Box<dyn AnyStep>> = vec![Box::new(StaticSite {}), Box::new(Targets {})];
    steps.extend(names(&wire, Which::Api, &[100]).await);
    steps.extend(names(&wire, Which::Pages, &[50, 100]).await);
    let shifts = shift_targets::expand(&[25, 100], BAKE);
    steps.extend(shifts.into_iter().map(|step| Box::new(step) as Box<dyn AnyStep>));
    there_and_back(&wire, steps).await;
}

#[tokio::test]
async fn certificate_and_distribution_are_made_used_and_taken_back() {
    let mut wire = Wire::new(false).await;
    let mut site = (*wire.stage.site).clone();
    // With the API under the pages' own names, as an origin of its own.
    site.aws.pages.api_paths = vec!["/api/*".into()];
    wire.stage.site = site.into();
    let distribution = Distribution::expand(&wire.look()).await.unwrap();
    assert!(!distribution.certified);
    let mut steps: Vec<Box<dyn AnyStep>> =
        vec![Box::new(StaticSite {}), Box::new(Certificate {}), Box::new(distribution)];
    // Planned before there is a distribution, as a run does it.
    steps.extend(names(&wire, Which::Pages, &[50, 100]).await);
    there_and_back(&wire, steps).await;
}

#[tokio::test]
async fn a_distribution_that_is_there_is_adopted_and_given_back() {
    let wire = Wire::new(true).await;
    assert_eq!(Step::plan(&Certificate {}, &wire.look()).await.unwrap(), Planned::AlreadySo);
    let distribution = Distribution::expand(&wire.look()).await.unwrap();
    there_and_back(&wire, vec![Box::new(StaticSite {}), Box::new(distribution)]).await;
}
