//! The steps that change containers, on real engines and under visitors.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use outgrow::step::{Planned, Severity, Step, Verdict};
use outgrow::steps::app_config::AppConfig;
use outgrow::steps::app_host::{AppHost, How};

use crate::engines::docker;
use crate::shop::Shop;

async fn planned<S: Step>(step: &S, shop: &Shop) -> S::Change {
    match step.plan(&shop.look()).await.unwrap() {
        Planned::Change(change) => change,
        Planned::AlreadySo => panic!("nothing to change"),
    }
}

async fn holds<S: Step>(step: &S, shop: &Shop, change: &S::Change) {
    let started = Instant::now();
    loop {
        match step.verify(&shop.look(), change).await.unwrap() {
            Verdict::Holds => return,
            Verdict::Wait { why, .. } => assert!(started.elapsed() < Duration::from_mins(1), "{why}"),
            other => panic!("{other:?}"),
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_boxs_app_is_swapped_under_visitors_and_comes_back_itself() {
    let shop = Shop::new("app-config", false).await;
    let step = AppConfig {};
    let findings = step.check(&shop.look()).await.unwrap();
    assert!(findings.iter().all(|f| f.severity < Severity::Warning), "{findings:?}");
    let before = shop.seen().await;
    let was = shop.sandbox.called("was");
    let change = planned(&step, &shop).await;

    let (halt, visitors) = shop.visitors();
    let started = Instant::now();
    step.apply(&shop.act(), &change).await.unwrap();
    eprintln!("app-config in {:?}", started.elapsed());
    tokio::time::sleep(Duration::from_millis(1500)).await;
    halt.store(true, Ordering::Relaxed);
    let (all, failed, longest) = visitors.await.unwrap();
    eprintln!("forward: {all} requests, {failed} failed, {longest:?} the longest time without an answer");
    assert_eq!(failed, 0);
    holds(&step, &shop, &change).await;

    // its connections go to the new database, with TLS, and its origins are the site's
    let new = shop.reach.old.container(&was).await.unwrap().unwrap();
    assert_ne!(new.id, change.old_id);
    let sessions = "SELECT count(*) FILTER (WHERE ssl) || '/' || count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) \
                    WHERE usename = 'shop'";
    let there = docker(&["exec", &shop.sandbox.called("rds"), "psql", "-U", "postgres", "-Atc", sessions]);
    let (secured, open) = there.split_once('/').unwrap();
    assert!(secured == open && open != "0", "{there}");
    let here = docker(&["exec", &shop.sandbox.called("db"), "psql", "-U", "postgres", "-Atc", sessions]);
    assert_eq!(here, "0/0");
    let file = shop.reach.old.read_file(&was, "/app/config/application.yaml").await.unwrap();
    let text = String::from_utf8(file.to_vec()).unwrap();
    assert!(text.contains("# the container beside this one") && text.contains("https://m.shop.test"), "{text}");
    let owner = docker(&["exec", &was, "stat", "-c", "%U", "/app/config/application.yaml"]);
    assert_eq!(owner, "app");
    assert_eq!(docker(&["exec", &was, "cat", "/srv/uploads/a.txt"]), "사진", "the volume is shared");
    step.apply(&shop.act(), &change).await.unwrap();
    assert!(matches!(step.plan(&shop.look()).await.unwrap(), Planned::AlreadySo));

    let (halt, visitors) = shop.visitors();
    let started = Instant::now();
    step.undo(&shop.act(), &change).await.unwrap();
    eprintln!("back in {:?}", started.elapsed());
    tokio::time::sleep(Duration::from_millis(1500)).await;
    halt.store(true, Ordering::Relaxed);
    let (all, failed, longest) = visitors.await.unwrap();
    eprintln!("back: {all} requests, {failed} failed, {longest:?} the longest time without an answer");
    assert_eq!(failed, 0);
    assert_eq!(shop.seen().await, before, "the very containers, their names and aliases");
    step.undo(&shop.act(), &change).await.unwrap();
    assert_eq!(shop.seen().await, before);
    assert_eq!(docker(&["exec", &was, "cat", "/srv/uploads/a.txt"]), "사진", "and it stays");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_app_goes_to_a_new_host_and_away_again() {
    let shop = Shop::new("app-host", true).await;
    let host = shop.host.as_ref().unwrap();
    let step = AppHost { name: "app-1".into() };
    let findings = step.check(&shop.look()).await.unwrap();
    assert!(findings.iter().all(|f| f.severity < Severity::Warning), "{findings:?}");
    let before = shop.seen().await;
    let change = planned(&step, &shop).await;
    let mounts = change.containers.iter().flat_map(|moved| &moved.mounts);
    assert_eq!(mounts.map(|mount| mount.how).collect::<Vec<_>>(), [How::Volume, How::File]);

    let started = Instant::now();
    step.apply(&shop.act(), &change).await.unwrap();
    let bytes: u64 = change.images.iter().map(|image| image.bytes).sum();
    eprintln!("app-host in {:?}, {} images, {} MB", started.elapsed(), change.images.len(), bytes / 1_000_000);
    holds(&step, &shop, &change).await;
    let started = Instant::now();
    step.apply(&shop.act(), &change).await.unwrap();
    eprintln!("again in {:?}", started.elapsed());
    assert_eq!(shop.seen().await, before, "nothing changed on the box");
    let running = host.docker(&["ps", "--format", "{{.Names}} {{.Image}}"]);
    assert_eq!(running.lines().count(), 3, "{running}");
    let (was, proxy) = (shop.sandbox.called("was"), shop.sandbox.called("proxy"));
    let upload = host.docker(&["exec", &was, "sh", "-c", "cat /srv/uploads/a.txt; stat -c %U /srv/uploads/a.txt"]);
    assert_eq!(upload, "사진\napp");
    let extra = host.docker(&["exec", &proxy, "cat", "/etc/nginx/conf.d/extra.conf"]);
    assert_eq!(extra, "# from the box's disk");

    for _ in 0..2 {
        step.undo(&shop.act(), &change).await.unwrap();
        assert_eq!(host.docker(&["ps", "-aq"]), "");
        assert_eq!(host.docker(&["images", "-aq"]), "");
        assert_eq!(host.docker(&["volume", "ls", "-q"]), "");
        assert_eq!(host.docker(&["network", "ls", "--filter", "type=custom", "-q"]), "");
    }
    assert_eq!(shop.seen().await, before);
}
