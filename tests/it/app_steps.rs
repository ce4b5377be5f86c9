//! The steps that change containers, on real engines and under visitors.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use outgrow::step::{Planned, Severity, Step, Verdict};
use outgrow::steps::app_config::AppConfig;
use outgrow::steps::app_host::{AppHost, How};
use outgrow::steps::pooler::Pooler;
use outgrow::world::Side;

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
    let step = AppConfig::default();
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

async fn answers(shop: &Shop, pooler: &str) {
    let started = Instant::now();
    while let Err(error) = shop.reach.databases.pooler(pooler).await {
        assert!(started.elapsed() < Duration::from_secs(30), "{error}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// The app goes behind a pooler, and its database changes behind that, under visitors: none of them sees a failure.
#[tokio::test(flavor = "multi_thread")]
async fn behind_a_pooler_the_app_is_swapped_first_and_then_its_database() {
    let shop = Shop::new("pooler", false).await.pooled();
    let before = shop.seen().await;
    let (step, config) = (Pooler {}, AppConfig { pooled: true });
    let findings = step.check(&shop.look()).await.unwrap();
    // Here the role was made on both servers by hand, with the same password and another verifier.
    assert!(findings.iter().any(|f| f.severity == Severity::Blocker && f.what.contains("the role shop is on RDS")));
    let change = planned(&step, &shop).await;
    let pooler = change.container.clone();
    step.apply(&shop.act(), &change).await.unwrap();
    step.apply(&shop.act(), &change).await.unwrap();
    holds(&step, &shop, &change).await;

    // What it knows of passwords is for it alone, and in no definition and no log.
    let inside = |script: &str| docker(&["exec", &pooler, "sh", "-c", script]);
    assert_eq!(inside("stat -c '%a %u' /etc/outgrow-pooler/*"), "600 65534\n600 65534\n600 65534");
    let list = inside("cat /etc/outgrow-pooler/userlist.txt");
    let verifier = list.lines().find_map(|line| line.strip_prefix("\"shop\" \"")?.strip_suffix('"')).unwrap();
    assert!(verifier.starts_with("SCRAM-SHA-256$"), "{verifier}");
    for told in [docker(&["inspect", &pooler]), docker(&["logs", &pooler]), format!("{change:?}")] {
        assert!(!told.contains(verifier), "{told}");
    }
    let set = format!("ALTER ROLE shop PASSWORD '{verifier}'");
    docker(&["exec", &shop.sandbox.called("rds"), "psql", "-U", "postgres", "-c", &set]);

    let (halt, visitors) = shop.visitors();
    let swap = planned(&config, &shop).await;
    config.apply(&shop.act(), &swap).await.unwrap();
    holds(&config, &shop, &swap).await;
    let sessions = |server: &str| {
        let sql = "SELECT count(*) FILTER (WHERE ssl), count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) \
                   WHERE usename = 'shop'";
        docker(&["exec", &shop.sandbox.called(server), "psql", "-U", "postgres", "-Atc", sql])
    };
    assert_ne!(sessions("db"), "0|0");
    assert_eq!(sessions("rds"), "0|0");
    let databases = &shop.reach.databases;
    for side in [Side::New, Side::Old, Side::New] {
        databases.hold_clients(&pooler).await.unwrap();
        databases.send_clients(&pooler, side).await.unwrap();
        tokio::time::sleep(Duration::from_millis(800)).await;
        let stand = databases.pooler(&pooler).await.unwrap().unwrap();
        assert_eq!(stand.sends_to, Some(side));
    }
    halt.store(true, Ordering::Relaxed);
    let (all, failed, longest) = visitors.await.unwrap();
    eprintln!("{all} requests, {failed} failed, {longest:?} the longest time without an answer");
    assert_eq!(failed, 0);
    let there = sessions("rds");
    let (secured, open) = there.split_once('|').unwrap();
    assert!(secured == open && open != "0", "{there}");

    // A box that was started again in the pause: its pooler holds nobody any more, and the release is right all the same.
    databases.hold_clients(&pooler).await.unwrap();
    docker(&["restart", "-t", "2", &pooler]);
    answers(&shop, &pooler).await;
    databases.send_clients(&pooler, Side::New).await.unwrap();
    assert_eq!(databases.pooler(&pooler).await.unwrap().unwrap().sends_to, Some(Side::New));

    assert!(step.undo(&shop.act(), &change).await.unwrap_err().to_string().contains("still reaches its database"));
    databases.send_clients(&pooler, Side::Old).await.unwrap();
    config.undo(&shop.act(), &swap).await.unwrap();
    step.undo(&shop.act(), &change).await.unwrap();
    step.undo(&shop.act(), &change).await.unwrap();
    assert_eq!(shop.seen().await, before);
    assert_eq!(shop.status().await, Some(200));
}
