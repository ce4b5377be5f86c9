//! Copies: whole, interrupted, refused.

use std::sync::Arc;

use outgrow::clients::postgres::{ByteStream, Dial, Endpoint, Transport};
use outgrow::postgres::copy::{Event, Options, Phase, Progress, copy_database};
use outgrow::postgres::observe::{Kind, observe};
use outgrow::postgres::tools::LocalTools;
use outgrow::postgres::{Error, marker, wipe};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use super::{copy, count, differences, schema_of, shop};
use crate::pg::Cluster;

#[tokio::test(flavor = "multi_thread")]
async fn a_demo_database_arrives_whole_at_a_master_without_superuser() {
    let (old, new) = Cluster::pair().await;
    let (source, target) = (shop(&old).await, new.managed("shop").await);
    let report = copy(&source, &target).await.unwrap();
    assert_eq!(differences(&source, &target).await, Vec::<String>::new());
    assert_eq!(report.large_objects, 1, "{report:?}");
    let rows = |name: &str| report.tables.iter().find(|(table, _)| table.name == name).map(|(_, rows)| *rows);
    assert_eq!(rows("orders"), Some(8000));
    assert_eq!(rows("재고"), Some(100));

    let session = new.session("shop").await;
    assert_eq!(count(&session, "SELECT sum(n)::bigint FROM public.sold").await, 8000);
    assert_eq!(count(&session, "SELECT length(lo_get(4242))::bigint").await, 700_000);
    assert_eq!(
        count(
            &session,
            "SELECT count(*) FROM pg_class WHERE reltuples < 0 AND relkind IN ('r', 'p', 'm') AND relnamespace <> 'outgrow'::regnamespace"
        )
        .await,
        0
    );
    assert_eq!(
        count(&session, "SELECT count(*) FROM pg_class WHERE relname = 'orders' AND relowner = 'shop'::regrole").await,
        1
    );
    assert_eq!(count(&session, "SELECT count(*) FROM pg_roles WHERE rolname = 'shop' AND rolcanlogin").await, 0);
    assert!(report.roles.iter().any(|role| role.name == "shop" && role.login && role.created && role.password));
    // Opened, the application logs in with its old password and finds its sequences and grants.
    session.run("ALTER ROLE shop LOGIN").await.unwrap();
    let app = new.endpoint("shop", "shop-secret", "shop").connect().await.unwrap();
    app.run("INSERT INTO public.orders (client_id, product) VALUES (gen_random_uuid(), 1)").await.unwrap();
    assert_eq!(count(&app, "SELECT max(number) FROM public.orders").await, 9000);
    assert_eq!(count(&app, "SELECT max(id) FROM public.orders").await, 8001);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_schema_is_the_same_by_pg_dump() {
    let (old, new) = Cluster::pair().await;
    let source = shop(&old).await;
    // The owner of the database and of the extension differ by nature; all else must not.
    let target = new.managed("shop").await;
    let report = copy(&source, &target).await.unwrap();
    let (ours, theirs) = (schema_of(&source).await, schema_of(&new.superuser("shop")).await);
    let diff = similar::TextDiff::from_lines(&ours, &theirs);
    let changed: Vec<_> =
        diff.iter_all_changes().filter(|c| c.tag() != similar::ChangeTag::Equal).map(|c| c.to_string()).collect();
    assert!(changed.is_empty(), "{changed:#?}\nskipped: {:#?}", report.skipped);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_with_foreign_objects_is_refused_and_left_alone() {
    let (old, new) = Cluster::pair().await;
    let (source, target) = (shop(&old).await, new.managed("shop").await);
    let session = target.connect().await.unwrap();
    session.run("CREATE TABLE public.theirs (x int); INSERT INTO public.theirs VALUES (1)").await.err();
    session.run("CREATE SCHEMA theirs CREATE TABLE precious (x int)").await.unwrap();
    let error = copy(&source, &target).await.unwrap_err();
    assert!(matches!(error, Error::NotEmpty { .. }), "{error}");
    assert!(error.to_string().contains("precious"), "{error}");
    assert!(matches!(wipe(&target).await, Err(Error::NotEmpty { .. })));
    assert_eq!(count(&session, "SELECT count(*) FROM pg_class WHERE relname = 'precious'").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_finished_copy_is_repeated_or_wiped_until_the_application_writes() {
    let (old, new) = Cluster::pair().await;
    let (source, target) = (shop(&old).await, new.managed("shop").await);
    copy(&source, &target).await.unwrap();
    copy(&source, &target).await.unwrap();
    assert_eq!(differences(&source, &target).await, Vec::<String>::new());
    let session = target.connect().await.unwrap();
    marker::serving(&session).await.unwrap();
    assert!(matches!(copy(&source, &target).await, Err(Error::Serving { .. })));
    assert!(matches!(wipe(&target).await, Err(Error::Serving { .. })));
    marker::no_longer_serving(&session).await.unwrap();
    wipe(&target).await.unwrap();
    wipe(&target).await.unwrap();
    assert_eq!(marker::user_objects(&session).await.unwrap(), None);
    assert_eq!(marker::read(&session).await.unwrap(), None);
}

/// Tells the test when rows begin to move.
struct WhenRowsMove(UnboundedSender<()>);

impl Progress for WhenRowsMove {
    fn tell(&self, event: Event) {
        if matches!(event, Event::Phase(Phase::Rows) | Event::Moved { .. }) {
            let _ = self.0.send(());
        }
    }
}

async fn make_big(cluster: &Cluster) {
    let session = cluster.session("shop").await;
    session
        .run("CREATE TABLE public.big AS SELECT g AS id, repeat(md5(g::text), 8) AS filler FROM generate_series(1, 200000) g; ALTER TABLE public.big OWNER TO shop")
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_copy_leaves_no_backend_and_a_repeat_succeeds() {
    let (old, new) = Cluster::pair().await;
    let (source, target) = (shop(&old).await, new.managed("shop").await);
    make_big(&old).await;
    let (tell, mut told) = unbounded_channel();
    let progress = WhenRowsMove(tell);
    let options = Options::new("run-1");
    tokio::select! {
        done = copy_database(&source, &target, &LocalTools, &options, &progress) => panic!("too fast: {done:?}"),
        _ = async { told.recv().await; told.recv().await } => {}
    }
    for cluster in [&old, &new] {
        let session = cluster.session("postgres").await;
        let busy = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'outgrow' AND datname = 'shop'";
        let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(5);
        while count(&session, busy).await > 0 {
            assert!(tokio::time::Instant::now() < deadline, "a backend went on");
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }
    copy(&source, &target).await.unwrap();
    assert_eq!(differences(&source, &target).await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_dies_on_the_way_is_told_and_a_repeat_succeeds() {
    let (old, new) = Cluster::pair().await;
    let (source, target) = (shop(&old).await, new.managed("shop").await);
    make_big(&old).await;
    let (tell, mut told) = unbounded_channel();
    let (progress, options) = (WhenRowsMove(tell), Options::new("run-1"));
    let killer = async {
        told.recv().await;
        told.recv().await;
        let session = new.session("postgres").await;
        let kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'BEGIN;%COPY%' AND pid <> pg_backend_pid()";
        while session.rows(kill, &[]).await.unwrap().is_empty() {}
    };
    let (copied, ()) = tokio::join!(copy_database(&source, &target, &LocalTools, &options, &progress), killer);
    let error = copied.unwrap_err();
    assert!(error.is_lost(), "{error}");
    // The server's last word may be lost with the connection; who and what never is.
    let text = error.to_string();
    assert!(text.contains("master@127.0.0.1") && text.contains("was lost while asking \""), "{text}");
    copy(&source, &target).await.unwrap();
    assert_eq!(differences(&source, &target).await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_crashes_on_the_way_is_told_and_a_repeat_succeeds() {
    let (old, mut new) = Cluster::pair().await;
    let (source, target) = (shop(&old).await, new.managed("shop").await);
    make_big(&old).await;
    let (tell, mut told) = unbounded_channel();
    let (progress, options) = (WhenRowsMove(tell), Options::new("run-1"));
    let crash = async {
        told.recv().await;
        told.recv().await;
        new.crash_and_restart().await;
    };
    let (copied, ()) = tokio::join!(copy_database(&source, &target, &LocalTools, &options, &progress), crash);
    let error = copied.unwrap_err();
    assert!(error.is_lost(), "{error}");
    copy(&source, &target).await.unwrap();
    assert_eq!(differences(&source, &target).await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_is_copied_in_pieces_without_losing_a_row() {
    let (old, new) = Cluster::pair().await;
    let (source, target) = (shop(&old).await, new.managed("shop").await);
    make_big(&old).await;
    let options = Options { piece_bytes: 1 << 20, ..Options::new("run-1") };
    let report = copy_database(&source, &target, &LocalTools, &options, &()).await.unwrap();
    assert!(report.tables.iter().any(|(table, rows)| table.name == "big" && *rows == 200_000), "{:?}", report.tables);
    assert_eq!(differences(&source, &target).await, Vec::<String>::new());
}

/// Reaches the server by its socket, as an engine's `exec` would.
#[derive(Debug)]
struct BySocket(std::path::PathBuf);

#[async_trait::async_trait]
impl Dial for BySocket {
    async fn dial(&self) -> std::io::Result<ByteStream> {
        Ok(Box::new(tokio::net::UnixStream::connect(&self.0).await?))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_behind_a_dialled_stream_is_copied_with_its_schema() {
    let (old, new) = Cluster::pair().await;
    let (plain, target) = (shop(&old).await, new.managed("shop").await);
    let dialled = Endpoint { transport: Transport::Stream(Arc::new(BySocket(old.socket()))), ..plain.clone() };
    copy(&dialled, &target).await.unwrap();
    assert_eq!(differences(&old.by_socket("shop"), &target).await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_will_not_survive_is_found_before() {
    let old = Cluster::start().await;
    let source = shop(&old).await;
    let session = old.session("shop").await;
    session.run("CREATE UNLOGGED TABLE IF NOT EXISTS public.scratch (x int PRIMARY KEY)").await.unwrap();
    session.run("ALTER ROLE shop SUPERUSER").await.unwrap();
    session.run("CREATE DATABASE neighbour").await.unwrap();
    let facts = observe(&source).await.unwrap();
    assert_eq!((facts.version, facts.large_objects), (15, 1));
    let orders = facts.tables.iter().find(|table| table.name.name == "orders").unwrap();
    assert!(orders.primary_key && orders.owner == "shop" && orders.kind == Kind::Table && orders.bytes > 0);
    assert!(facts.tables.iter().any(|table| table.kind == Kind::Partitioned));
    assert!(facts.extensions.iter().any(|(name, _)| name == "pgcrypto"));
    assert!(facts.roles.iter().any(|role| role.name == "shop" && role.superuser));
    for (what, at) in [
        ("unlogged table", "scratch"),
        ("superuser", "shop"),
        ("table without primary key", "audit"),
        ("other database on this server", "neighbour"),
    ] {
        assert!(facts.findings.iter().any(|f| f.what == what && f.at.contains(at)), "{what}: {:?}", facts.findings);
    }
}
