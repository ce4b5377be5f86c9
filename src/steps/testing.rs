//! The one table of step kinds that the generic tests of the engine run over: the crash schedules, the unwinding, the
//! lost answers.

use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;

use super::contract::Boxed;
use super::{
    app_config, app_host, certificate, database_copy, database_handover, distribution, dns_weights, pooler, soak,
    static_site, targets,
};
use crate::clients::fake::stage::Stage;
use crate::step::{Planned, Step};

/// A stage and the steps that a run plays on it.
pub type Set = (Stage, Vec<Boxed>);

/// A kind with the shortest chain of steps in which it makes sense.
pub struct Kind {
    /// For messages.
    pub name: &'static str,
    /// The chain, on a fresh stage.
    pub set: fn() -> BoxFuture<'static, Set>,
}

/// Every kind.
pub fn kinds() -> Vec<Kind> {
    vec![
        Kind { name: "database", set: || async { (Stage::new(), database(false)) }.boxed() },
        Kind { name: "database, followed", set: || async { (Stage::new(), database(true)) }.boxed() },
        Kind { name: "database behind a pooler", set: || async { (pooler::tests::stage(), pooled()) }.boxed() },
        Kind { name: "dns-weights", set: || dns_weights::tests::whole().boxed() },
        Kind { name: "targets and shift", set: || async { (well(), shift()) }.boxed() },
        Kind { name: "static-site and soak", set: || async { (static_site::tests::filled(), site()) }.boxed() },
        Kind { name: "certificate and distribution", set: || async { (pages(), cdn()) }.boxed() },
        Kind { name: "app-host", set: || async { one(app_host::tests::stage(), app_host::tests::step()) }.boxed() },
        Kind {
            name: "app-config",
            set: || async { one(app_config::tests::plain(), app_config::AppConfig::default()) }.boxed(),
        },
        Kind {
            name: "app-config with a port",
            set: || async { one(app_config::tests::publishing(), app_config::AppConfig::default()) }.boxed(),
        },
    ]
}

/// Copy and handover, over a stream or without one.
pub fn database(follow: bool) -> Vec<Boxed> {
    let handover = database_handover::DatabaseHandover { hold_at_most: 30, follow, pooled: false };
    vec![Box::new(database_copy::DatabaseCopy { follow }), Box::new(handover)]
}

/// The whole way behind a pooler.
fn pooled() -> Vec<Boxed> {
    vec![
        Box::new(pooler::Pooler {}),
        Box::new(database_copy::DatabaseCopy { follow: true }),
        Box::new(app_config::AppConfig { pooled: true }),
        Box::new(database_handover::DatabaseHandover { hold_at_most: 30, follow: true, pooled: true }),
    ]
}

/// A stage on which both sides answer.
fn well() -> Stage {
    let stage = Stage::new();
    stage.web.all_is_well();
    stage
}

fn shift() -> Vec<Boxed> {
    let stages = super::shift_targets::expand(&[25, 100], Duration::from_mins(1));
    let mut steps: Vec<Boxed> = vec![Box::new(targets::Targets {})];
    steps.extend(stages.into_iter().map(|stage| Box::new(stage) as Boxed));
    steps
}

fn site() -> Vec<Boxed> {
    vec![Box::new(static_site::StaticSite {}), Box::new(soak::Soak { lasts: Duration::from_hours(24) })]
}

/// A site whose distribution and certificate are to be made.
fn pages() -> Stage {
    let stage = distribution::tests::stage("new", "location / { try_files $uri /index.html; }");
    stage.certificates.clear();
    stage
}

fn cdn() -> Vec<Boxed> {
    vec![Box::new(certificate::Certificate {}), Box::new(distribution::Distribution { certified: false })]
}

fn one(stage: Stage, step: impl Step) -> Set {
    (stage, vec![Box::new(step)])
}

/// The change that the step plans on this stage.
pub async fn planned<S: Step>(step: &S, stage: &Stage) -> S::Change {
    match step.plan(&stage.look()).await.unwrap() {
        Planned::Change(change) => change,
        Planned::AlreadySo => panic!("nothing to change"),
    }
}

/// The database's steps for the contract; the handover comes after the copy.
pub fn database_cases() -> Vec<super::contract::Case> {
    use super::contract::Case;
    async fn copied(follow: bool) -> (Stage, Boxed) {
        let stage = Stage::new();
        let copy = database_copy::DatabaseCopy { follow };
        let change = planned(&copy, &stage).await;
        copy.apply(&stage.act(), &change).await.unwrap();
        (stage, database(follow).remove(1))
    }
    async fn pooled(follow: bool) -> (Stage, Boxed) {
        let stage = pooler::tests::stage();
        let (step, copy) = (pooler::Pooler {}, database_copy::DatabaseCopy { follow });
        let change = planned(&step, &stage).await;
        step.apply(&stage.act(), &change).await.unwrap();
        let change = planned(&copy, &stage).await;
        copy.apply(&stage.act(), &change).await.unwrap();
        (stage, Box::new(database_handover::DatabaseHandover { hold_at_most: 30, follow, pooled: true }))
    }
    vec![
        Case { name: "database-copy", set: || async { (Stage::new(), database(false).remove(0)) }.boxed() },
        Case { name: "database-copy, followed", set: || async { (Stage::new(), database(true).remove(0)) }.boxed() },
        Case { name: "database-handover", set: || copied(false).boxed() },
        Case { name: "database-handover over a stream", set: || copied(true).boxed() },
        Case { name: "database-handover behind a pooler", set: || pooled(false).boxed() },
        Case { name: "database-handover over a stream behind a pooler", set: || pooled(true).boxed() },
    ]
}
