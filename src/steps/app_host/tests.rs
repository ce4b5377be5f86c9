//! The step against two engines in memory; the generic promises are in [`crate::steps::contract`].

use futures::FutureExt;

use super::{AppHost, AppHostChange, How, expand};
use crate::clients::fake::stage::{RUN, Stage, container};
use crate::clients::hosts::{Container, HostRead, HostWrite, Mount};
use crate::clients::web::{Answered, Probe};
use crate::step::{Change, Fault, Planned, Severity, Step, Verdict};
use crate::steps::contract::{Boxed, Case};
use crate::steps::testing::planned;

const ENV_FILE: &str = "DB_HOST=db\nDB_PASSWORD=s3cret-and-dear\nCORS_ORIGINS=https://box.shop.test\n";

pub(crate) fn step() -> AppHost {
    AppHost { name: "app-1".into() }
}

/// The demo with mounts: a certificate file, a folder of uploads, the time zone. The new host answers once its proxy runs.
pub(crate) fn stage() -> Stage {
    let stage = Stage::new();
    let bind = |source: &str, target: &str| Mount {
        kind: "bind".into(),
        source: source.into(),
        target: target.into(),
        read_only: true,
    };
    let mut proxy = container("demo-proxy", "proxy");
    proxy.mounts = vec![bind("/srv/tls/site.pem", "/etc/nginx/tls/site.pem"), bind("/etc/localtime", "/etc/localtime")];
    let mut app = container("demo-was", "was");
    app.mounts =
        vec![Mount { kind: "volume".into(), source: "uploads".into(), target: "/up".into(), read_only: false }];
    futures::executor::block_on(async {
        for name in ["demo-proxy", "demo-was"] {
            stage.old.stop(name, 0).await.unwrap();
            stage.old.remove(name).await.unwrap();
        }
    });
    stage.old.place(proxy);
    stage.old.place(app);
    stage.old.text("demo-was", "/app/.env", ENV_FILE);
    stage.old.text("demo-was", "/up/사진.jpg", "a picture");
    stage.old.text("demo-proxy", "/etc/nginx/tls/site.pem", "PEM");
    let new = stage.new.clone();
    stage.web.answer_with(move |probe: &Probe| {
        assert_eq!(probe.connect_to.unwrap().to_string(), "10.0.2.7:443");
        assert!(probe.url.starts_with("https://api.shop.test/"), "{}", probe.url);
        if new.resolve("demo", "was").is_empty() || new.resolve("demo", "proxy").is_empty() {
            return None;
        }
        let origin = probe.headers.iter().find(|(name, _)| name == "origin").map(|(_, origin)| origin.clone());
        let headers = origin.map(|o| ("access-control-allow-origin".to_owned(), o)).into_iter().collect();
        // The database is still closed.
        Some(Answered { status: if probe.method == "GET" { 503 } else { 204 }, headers, body: String::new() })
    });
    stage
}

#[tokio::test]
async fn three_containers_go_with_images_files_and_settings_and_come_away_again() {
    let stage = stage();
    assert_eq!(expand(&stage.look()), [step()]);
    let before = stage.snapshot();
    let change: AppHostChange = planned(&step(), &stage).await;
    let names: Vec<&str> = change.containers.iter().map(|moved| moved.name.as_str()).collect();
    assert_eq!(names, ["demo-was", "demo-web", "demo-proxy"], "what the proxy names starts before it");
    let hows: Vec<How> = change.containers.iter().flat_map(|moved| &moved.mounts).map(|mount| mount.how).collect();
    assert_eq!(hows, [How::Volume, How::File, How::Kept]);
    let shown = format!("{} {change:?} {:?}", serde_json::to_string(&change).unwrap(), change.lines());
    assert!(!shown.contains("s3cret"), "{shown}");

    step().apply(&stage.act(), &change).await.unwrap();
    assert_eq!(step().verify(&stage.look_applied(), &change).await.unwrap(), Verdict::Holds, "503, but it is up");
    assert!(matches!(step().plan(&stage.look()).await.unwrap(), Planned::AlreadySo));
    let after = stage.snapshot();
    assert_eq!(after["old"], before["old"], "nothing changed on the box");
    step().apply(&stage.act(), &change).await.unwrap();
    assert_eq!(stage.snapshot(), after, "twice is once");

    let text = ENV_FILE
        .replace("=db\n", "=shop-db.rds.test\n")
        .replace("box.shop.test", "box.shop.test,https://www.shop.test");
    assert_eq!(stage.new.read_file("demo-was", "/app/.env").await.unwrap(), text);
    assert_eq!(stage.new.read_file("demo-was", "/up/사진.jpg").await.unwrap(), "a picture");
    assert_eq!(stage.new.read_file("demo-proxy", "/etc/nginx/tls/site.pem").await.unwrap(), "PEM");
    let proxy = stage.new.container("demo-proxy").await.unwrap().unwrap();
    assert_eq!((proxy.ports[0].host, proxy.ports[0].container), (443, 443));
    assert_eq!(proxy.mounts.iter().map(|m| m.target.as_str()).collect::<Vec<_>>(), ["/etc/localtime"]);
    assert_eq!(proxy.labels["outgrow.run"], RUN);
    for _ in 0..2 {
        step().undo(&stage.act(), &change).await.unwrap();
        assert_eq!(stage.snapshot(), before);
    }
}

pub(crate) fn cases() -> Vec<Case> {
    vec![Case { name: "app-host", set: || async { (stage(), Box::new(step()) as Boxed) }.boxed() }]
}

#[tokio::test]
async fn what_others_put_there_stays() {
    let stage = stage();
    stage.new.place(Container { id: "theirs".into(), ..container("their-cache", "cache") });
    stage.new.place(Container { id: "web".into(), image_id: "sha256:demo-web".into(), ..container("x", "x") });
    let before = stage.snapshot();
    let change = planned(&step(), &stage).await;
    assert!(change.networks.is_empty(), "the network is theirs");
    assert!(change.images.iter().all(|image| image.id != "sha256:demo-web"), "so is this image");
    step().undo(&stage.act(), &change).await.unwrap();
    assert_eq!(stage.snapshot(), before, "undo without apply");
    step().apply(&stage.act(), &change).await.unwrap();
    step().undo(&stage.act(), &change).await.unwrap();
    assert_eq!(stage.snapshot(), before);

    stage.new.place(Container { id: "taken".into(), ..container("demo-web", "web") });
    let before = stage.snapshot();
    assert!(matches!(step().apply(&stage.act(), &change).await, Err(Fault::Drifted { .. })));
    step().undo(&stage.act(), &change).await.unwrap();
    assert_eq!(stage.snapshot(), before);
    let findings = step().check(&stage.look()).await.unwrap();
    assert!(
        findings.iter().any(|f| f.severity == Severity::Blocker && f.what.contains("demo-web already")),
        "{findings:?}"
    );
}

#[tokio::test]
async fn a_host_that_does_not_answer_is_waited_for_and_then_given_up() {
    let stage = stage();
    let change = planned(&step(), &stage).await;
    step().apply(&stage.act(), &change).await.unwrap();
    stage.web.answer_with(|_| None);
    let look = stage.look_applied();
    assert!(matches!(step().verify(&look, &change).await.unwrap(), Verdict::Wait { .. }));
    stage.clock.advance(std::time::Duration::from_secs(61));
    assert!(matches!(step().verify(&look, &change).await.unwrap(), Verdict::Broken(_)));
    stage.new.stop("demo-was", 0).await.unwrap();
    assert!(matches!(step().verify(&look, &change).await.unwrap(), Verdict::Broken(_)));
}
