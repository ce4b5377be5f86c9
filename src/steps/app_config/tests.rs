//! The step against an engine in memory; the generic promises are in [`crate::steps::contract`].

use futures::FutureExt;

use super::{AppConfig, AppConfigChange};
use crate::clients::fake::stage::{RUN, Stage};
use crate::clients::hosts::{Container, HostRead, HostWrite, Mount, PublishedPort};
use crate::clients::web::{Answered, Probe};
use crate::step::{Change, Fault, Planned, Severity, Step, Verdict};
use crate::steps::contract::{Boxed, Case};
use crate::steps::testing;

const STEP: AppConfig = AppConfig { pooled: false };
const PASSWORD: &str = "s3cret-and-dear";
const ENV_FILE: &str = "# where the shop keeps things\nDB_HOST=db\nDB_NAME=shop\nDB_PASSWORD=s3cret-and-dear\n";

/// The demo's app: its database in the environment and in a file, its origins in the environment.
fn stage(alter: impl Fn(&mut Container)) -> Stage {
    let stage = Stage::new();
    let mut app = crate::clients::fake::stage::container("demo-was", "was");
    app.env = vec![
        ("DATABASE_URL".into(), format!("postgres://shop:{PASSWORD}@db:5432/shop")),
        ("CORS_ALLOWED_ORIGINS".into(), "https://box.shop.test".into()),
    ];
    alter(&mut app);
    futures::executor::block_on(async {
        stage.old.stop("demo-was", 0).await.unwrap();
        stage.old.remove("demo-was").await.unwrap();
    });
    stage.old.place(app);
    stage.old.text("demo-was", "/app/.env", ENV_FILE);
    stage.old.answer_with(|container, head| {
        let allowed = container.env.iter().find(|(key, _)| key == "CORS_ALLOWED_ORIGINS").map(|(_, v)| v.as_str());
        let origin = head.lines().find_map(|line| line.strip_prefix("origin: ")).unwrap_or("-");
        let allow = allowed.unwrap_or_default().split(',').find(|a| *a == origin);
        let cors = allow.map(|a| format!("Access-Control-Allow-Origin: {a}\r\n")).unwrap_or_default();
        let status = if head.starts_with("OPTIONS") { "204 No Content" } else { "200 OK" };
        Some(format!("HTTP/1.1 {status}\r\n{cors}Content-Length: 0\r\nConnection: close\r\n\r\n"))
    });
    let old = stage.old.clone();
    stage.web.answer_with(move |_: &Probe| {
        let status = if old.resolve("demo", "was").is_empty() { 502 } else { 200 };
        Some(Answered { status, headers: Vec::new(), body: String::new() })
    });
    stage
}

pub(crate) fn plain() -> Stage {
    stage(|_| ())
}

/// One that publishes a port: old and new cannot run at a time, and the old one stops first.
pub(crate) fn publishing() -> Stage {
    stage(|app| {
        let port = PublishedPort { container: 8000, protocol: "tcp".into(), address: String::new(), host: 8000 };
        app.ports.push(port);
    })
}

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case { name: "app-config", set: || async { (plain(), Box::new(STEP) as Boxed) }.boxed() },
        Case { name: "app-config with a port", set: || async { (publishing(), Box::new(STEP) as Boxed) }.boxed() },
    ]
}

async fn planned(stage: &Stage) -> AppConfigChange {
    testing::planned(&STEP, stage).await
}

#[tokio::test]
async fn the_app_gets_a_new_container_and_the_very_old_one_back() {
    let stage = plain();
    let before = stage.snapshot();
    let change = planned(&stage).await;
    STEP.apply(&stage.act(), &change).await.unwrap();
    assert_eq!(STEP.verify(&stage.look_applied(), &change).await.unwrap(), Verdict::Holds);

    let new = stage.old.container("demo-was").await.unwrap().unwrap();
    assert_eq!(new.env[0].1, format!("postgres://shop:{PASSWORD}@shop-db.rds.test:5432/shop?sslmode=require"));
    assert_eq!(new.env[1].1, "https://box.shop.test,https://www.shop.test");
    let file = stage.old.read_file("demo-was", "/app/.env").await.unwrap();
    assert_eq!(file, ENV_FILE.replace("DB_HOST=db", "DB_HOST=shop-db.rds.test").as_bytes());
    assert_eq!(stage.old.resolve("demo", "was"), std::slice::from_ref(&new.id));
    assert_eq!(stage.old.resolve("demo", "demo-was"), [new.id]);
    let old = stage.old.container(&format!("demo-was.before-{RUN}")).await.unwrap().unwrap();
    assert!(!old.running && old.id == "id-demo-was" && old.networks.is_empty());
    assert!(stage.old.signals() >= 2, "the proxy looks its upstreams up anew");
    assert!(matches!(STEP.plan(&stage.look()).await.unwrap(), Planned::AlreadySo));

    let after = stage.snapshot();
    STEP.apply(&stage.act(), &change).await.unwrap();
    assert_eq!(stage.snapshot(), after, "twice is once");
    for _ in 0..2 {
        STEP.undo(&stage.act(), &change).await.unwrap();
        assert_eq!(stage.snapshot(), before);
    }
}

#[tokio::test]
async fn undo_without_apply_changes_nothing() {
    let stage = plain();
    let change = planned(&stage).await;
    let before = stage.snapshot();
    STEP.undo(&stage.act(), &change).await.unwrap();
    assert_eq!(stage.snapshot(), before);
}

/// Then old and new cannot run at a time, and the old one stops first.
#[tokio::test]
async fn an_app_that_publishes_a_port_stops_before_the_new_one_starts() {
    assert!(planned(&publishing()).await.alone);
}

#[tokio::test]
async fn no_password_gets_into_plan_or_message() {
    let stage = plain();
    let change = planned(&stage).await;
    let shown = format!("{} {change:?} {}", serde_json::to_string(&change).unwrap(), change.lines().join("\n"));
    assert!(!shown.contains(PASSWORD), "{shown}");
    assert!(shown.contains("shop-db.rds.test") && shown.contains("https://www.shop.test"), "{shown}");
    let read: AppConfigChange = serde_json::from_value(serde_json::to_value(&change).unwrap()).unwrap();
    assert_eq!(read, change);
}

#[tokio::test]
async fn a_file_in_a_shared_folder_is_changed_in_a_copy() {
    let bind = |target: &str, source: &str| Mount {
        kind: "bind".into(),
        source: source.into(),
        target: target.into(),
        read_only: true,
    };
    let stage = stage(|app| app.mounts = vec![bind("/app", "/srv/shop")]);
    stage.old.text("demo-was", "/app/logo.svg", "<svg/>");
    let before = stage.snapshot();
    let change = planned(&stage).await;
    assert!(change.lines().iter().any(|line| line.contains("/srv/shop stays mounted in the old container only")));
    STEP.apply(&stage.act(), &change).await.unwrap();
    let new = stage.old.container("demo-was").await.unwrap().unwrap();
    assert_eq!((new.mounts[0].source.as_str(), new.mounts[0].read_only), ("", false));
    assert_eq!(stage.old.read_file("demo-was", "/app/logo.svg").await.unwrap(), "<svg/>");
    assert!(stage.old.read_file("demo-was", "/app/.env").await.unwrap().starts_with(b"# where"));
    STEP.undo(&stage.act(), &change).await.unwrap();
    assert_eq!(stage.snapshot(), before);
}

#[tokio::test]
async fn somebody_elses_work_is_drift() {
    let stage = plain();
    let change = planned(&stage).await;
    stage.old.text("demo-was", "/app/.env", "DB_HOST=elsewhere\n");
    assert!(matches!(STEP.apply(&stage.act(), &change).await, Err(Fault::Drifted { .. })));

    let stage = plain();
    let change = planned(&stage).await;
    STEP.apply(&stage.act(), &change).await.unwrap();
    stage.old.rename("demo-was", "demo-was.aside").await.unwrap();
    stage.old.place(Container { id: "theirs".into(), ..crate::clients::fake::stage::container("demo-was", "was") });
    let before = stage.snapshot();
    assert!(matches!(STEP.undo(&stage.act(), &change).await, Err(Fault::Drifted { .. })));
    assert_eq!(stage.snapshot(), before);
}

#[tokio::test]
async fn an_app_that_does_not_take_the_origins_is_not_swapped_in() {
    let stage = plain();
    stage.old.answer_with(|_, _| Some("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".into()));
    let before = stage.snapshot();
    let change = planned(&stage).await;
    let fault = STEP.apply(&stage.act(), &change).await.unwrap_err();
    assert!(fault.to_string().contains("https://www.shop.test"), "{fault}");
    assert_eq!(stage.old.resolve("demo", "was"), ["id-demo-was"], "the old one serves on");
    STEP.undo(&stage.act(), &change).await.unwrap();
    assert_eq!(stage.snapshot(), before);
}

#[tokio::test]
async fn what_stands_in_the_way_is_found() {
    let stage = stage(|app| {
        app.rest = serde_json::json!({"HostConfig": {"AutoRemove": true}});
        app.labels.insert("com.docker.compose.project".into(), "shop".into());
        app.env.clear();
    });
    stage.old.text("demo-was", "/app/.env", "NOTHING=here\n");
    let findings = STEP.check(&stage.look()).await.unwrap();
    let blockers = findings.iter().filter(|f| f.severity == Severity::Blocker).count();
    assert_eq!(blockers, 2, "{findings:?}");
    assert!(findings.iter().any(|f| f.what.contains("compose project shop")), "{findings:?}");
    assert!(findings.iter().any(|f| f.what.contains("names its database nowhere")), "{findings:?}");
    assert!(STEP.plan(&stage.look()).await.is_err());
    assert!(STEP.check(&plain().look()).await.unwrap().iter().all(|f| f.severity < Severity::Blocker));
}
