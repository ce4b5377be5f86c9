//! The step against an engine in memory; the generic promises are in [`crate::steps::contract`].

use futures::FutureExt;

use super::{Pooler, PoolerChange};
use crate::clients::fake::stage::{RUN, Stage, container};
use crate::clients::hosts::{HostRead as _, HostWrite as _};
use crate::postgres::pooler::Mode;
use crate::step::{Change, Fault, Planned, Severity, Step, Verdict};
use crate::steps::app_config::{self, AppConfig};
use crate::steps::contract::{Boxed, Case};
use crate::steps::testing;
use crate::world::Side;

const STEP: Pooler = Pooler {};
const NAME: &str = "demo-db-pooler";

pub(crate) fn stage() -> Stage {
    app_config::tests::plain().pooled()
}

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case { name: "pooler", set: || async { (stage(), Box::new(STEP) as Boxed) }.boxed() },
        Case { name: "app-config to the pooler", set: || behind().boxed() },
    ]
}

/// A stage on which the pooler stands already, and the app's step.
async fn behind() -> (Stage, Boxed) {
    let stage = stage();
    let change = planned(&stage).await;
    STEP.apply(&stage.act(), &change).await.unwrap();
    (stage, Box::new(AppConfig { pooled: true }))
}

async fn planned(stage: &Stage) -> PoolerChange {
    testing::planned(&STEP, stage).await
}

#[tokio::test]
async fn it_stands_beside_the_database_and_goes_without_a_trace() {
    let stage = stage();
    let before = stage.snapshot();
    let change = planned(&stage).await;
    assert_eq!((change.container.as_str(), change.mode), (NAME, Mode::Transaction));
    STEP.apply(&stage.act(), &change).await.unwrap();
    assert_eq!(STEP.verify(&stage.look_applied(), &change).await.unwrap(), Verdict::Holds);
    let there = stage.old.container(NAME).await.unwrap().unwrap();
    assert_eq!(stage.old.resolve("demo", NAME), std::slice::from_ref(&there.id));
    assert_eq!((there.restart.as_str(), there.user.as_str()), ("unless-stopped", "65534:65534"));
    assert_eq!(there.labels["outgrow.run"], RUN);
    assert!(
        there.ports.is_empty() && there.env.is_empty(),
        "nothing of it is published, and no secret in its definition"
    );
    STEP.undo(&stage.act(), &change).await.unwrap();
    assert_eq!(stage.snapshot(), before);
}

#[tokio::test]
async fn the_app_goes_to_the_pooler_and_not_to_rds() {
    let (stage, _) = behind().await;
    let step = AppConfig { pooled: true };
    let change = testing::planned(&step, &stage).await;
    step.apply(&stage.act(), &change).await.unwrap();
    assert_eq!(step.verify(&stage.look_applied(), &change).await.unwrap(), Verdict::Holds);
    let app = stage.old.container("demo-was").await.unwrap().unwrap();
    let url = &app.env.iter().find(|(key, _)| key == "DATABASE_URL").unwrap().1;
    // No TLS is asked for: it does not speak it, and it is on the box's own network.
    assert!(url.ends_with("@demo-db-pooler:5432/shop"), "{url}");
    assert!(matches!(step.plan(&stage.look()).await.unwrap(), Planned::AlreadySo));

    // As long as the app is behind it, it stays.
    let pooler = PoolerChange { run: RUN.to_owned(), ..planned(&stage).await };
    let fault = STEP.undo(&stage.act(), &pooler).await.unwrap_err();
    assert!(fault.to_string().contains("still reaches its database through demo-db-pooler"), "{fault}");
    step.undo(&stage.act(), &change).await.unwrap();
    STEP.undo(&stage.act(), &pooler).await.unwrap();
    assert!(stage.old.container(NAME).await.unwrap().is_none());
}

/// Before the handover nothing is closed, so an app that does not come to its database is not swapped in.
#[tokio::test]
async fn an_app_that_is_not_well_behind_the_pooler_is_not_swapped_in() {
    let (stage, _) = behind().await;
    stage.old.answer_with(|container, _| {
        let status = if container.name == "demo-was" { "200 OK" } else { "503 Service Unavailable" };
        Some(format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"))
    });
    let step = AppConfig { pooled: true };
    let change = testing::planned(&step, &stage).await;
    let act = stage.act();
    let (applied, ()) = tokio::join!(step.apply(&act, &change), async {
        // It would be asked for a minute; it ends instead.
        tokio::time::sleep(std::time::Duration::from_millis(150)).await;
        stage.old.stop(&format!("demo-was.outgrow-{RUN}"), 0).await.unwrap();
    });
    let fault = applied.unwrap_err();
    // A 503 behind the pooler is no "up, but its database is closed": it was waited for until it ended.
    assert!(fault.to_string().contains("ended by itself"), "{fault}");
    assert_eq!(stage.old.resolve("demo", "was"), ["id-demo-was"], "the old one serves on");
}

#[tokio::test]
async fn what_stands_in_the_way_is_found() {
    let without = app_config::tests::plain();
    let findings = STEP.check(&without.look()).await.unwrap();
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert_eq!(findings[0].severity, Severity::Blocker);
    assert!(findings[0].todo.contains("take `pooler` out of the playbook"), "{}", findings[0].todo);
    assert!(STEP.plan(&without.look()).await.unwrap_err().to_string().contains("names no pooler"));

    let stage = stage();
    assert_eq!(STEP.check(&stage.look()).await.unwrap(), []);
    stage.old.place(container(NAME, "x"));
    let findings = STEP.check(&stage.look()).await.unwrap();
    assert!(findings[0].what.contains("a container that outgrow did not make"), "{findings:?}");
    let change = planned(&stage).await;
    let before = stage.snapshot();
    assert!(matches!(STEP.apply(&stage.act(), &change).await, Err(Fault::Drifted { .. })));
    assert!(matches!(STEP.undo(&stage.act(), &change).await, Err(Fault::Drifted { .. })));
    assert_eq!(stage.snapshot(), before, "what is not ours is left alone");
}

#[tokio::test]
async fn no_secret_is_in_the_change_and_it_can_be_read_again() {
    let change = planned(&stage()).await;
    let lines = change.lines().join("\n");
    for told in ["demo-db-pooler of pooler:1 on demo", "demo-db:5432", "shop-db.rds.test:5432", "transaction mode"] {
        assert!(lines.contains(told), "{told}: {lines}");
    }
    let read: PoolerChange = serde_json::from_value(serde_json::to_value(&change).unwrap()).unwrap();
    assert_eq!(read, change);
    let session = PoolerChange { mode: Mode::Session, why: vec!["LISTEN".into()], ..change };
    assert!(session.lines()[3].contains("loses its connection once") && session.lines()[3].contains("LISTEN"));
}

/// The whole way, and back: the pooler follows the writer.
#[tokio::test]
async fn it_follows_the_writes_to_rds_and_back() {
    for follow in [true, false] {
        let (stage, _) = behind().await;
        let mut steps = testing::database(follow);
        let handover = crate::steps::database_handover::DatabaseHandover { hold_at_most: 30, follow, pooled: true };
        steps[1] = Box::new(handover);
        let copied = steps[0].plan(&stage.look()).await.unwrap().unwrap();
        steps[0].apply(&stage.act(), &copied.change).await.unwrap();
        let handed = steps[1].plan(&stage.look()).await.unwrap().unwrap();
        assert!(
            handed.lines.iter().any(|line| line.contains("demo-db-pooler lets its clients wait")),
            "{:?}",
            handed.lines
        );
        steps[1].apply(&stage.act(), &handed.change).await.unwrap();
        let sends = || async { stage.look().databases.pooler(NAME).await.unwrap().unwrap().sends_to };
        assert_eq!(sends().await, Some(Side::New));
        assert_eq!(steps[1].verify(&stage.look_applied(), &handed.change).await.unwrap(), Verdict::Holds);
        // Somebody stopped it meanwhile.
        stage.old.stop(NAME, 0).await.unwrap();
        steps[1].undo(&stage.act(), &handed.change).await.unwrap();
        assert_eq!(sends().await, Some(Side::Old));
    }
}
