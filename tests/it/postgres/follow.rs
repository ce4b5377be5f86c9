//! Following by PostgreSQL's own replication.

use std::time::Duration;

use outgrow::clients::postgres::Replication;
use outgrow::postgres::follow::{self, Bound, Choices, Retained, Treatment};
use outgrow::postgres::pinned::Pinned;
use outgrow::world::Side;

use super::count;
use super::follow_pair::{Pair, Writers, until};
use crate::pg::Cluster;

#[tokio::test(flavor = "multi_thread")]
async fn a_slot_exports_the_moment_at_which_its_stream_begins() {
    let server = Cluster::start().await;
    let endpoint = server.superuser("postgres");
    let session = endpoint.connect().await.unwrap();
    session.run("CREATE TABLE public.t (id int); INSERT INTO public.t VALUES (1)").await.unwrap();
    for endpoint in [endpoint.clone(), server.by_socket("postgres")] {
        let replication = Replication::connect(&endpoint).await.unwrap();
        let identity = replication.identify().await.unwrap();
        assert!(identity.system.parse::<u64>().is_ok() && identity.position.contains('/'), "{identity:?}");
        let slot = replication.create_slot("a_slot").await.unwrap();
        session.run("INSERT INTO public.t VALUES (2)").await.unwrap();
        let pinned = Pinned::at(&endpoint, &slot.snapshot).await.unwrap();
        replication.close();
        let reader = pinned.session().await.unwrap();
        let before = count(&session, "SELECT count(*) FROM public.t").await - 1;
        assert_eq!(count(&reader, "SELECT count(*) FROM public.t").await, before, "what came after is not in it");
        let again = Replication::connect(&endpoint).await.unwrap();
        assert!(again.create_slot("a_slot").await.is_err(), "it is there already");
        again.drop_slot("a_slot").await.unwrap();
        assert_eq!(count(&session, "SELECT count(*) FROM pg_replication_slots").await, 0);
    }
    let wrong = Replication::connect(&endpoint.with_user("postgres", "wrong".into())).await.unwrap_err();
    assert!(wrong.to_string().contains("password"), "{wrong}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slot_that_nobody_waits_for_any_more_is_not_made() {
    let server = Cluster::start().await;
    let endpoint = server.superuser("postgres");
    let (open, session) = (endpoint.connect().await.unwrap(), endpoint.connect().await.unwrap());
    open.run("BEGIN; CREATE TABLE public.t (id int)").await.unwrap();
    let replication = Replication::connect(&endpoint).await.unwrap();
    let waiting = tokio::spawn(async move { replication.create_slot("late").await });
    until(&session, "SELECT EXISTS (SELECT 1 FROM pg_replication_slots WHERE slot_name = 'late')").await;
    waiting.abort();
    until(&session, "SELECT NOT EXISTS (SELECT 1 FROM pg_replication_slots)").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stands_in_the_way_is_told_with_what_to_do() {
    let pair = Pair::start().await;
    let session = pair.session(Side::Old).await;
    session
        .run(
            "SET search_path = public; CREATE UNLOGGED TABLE cache (id int PRIMARY KEY, v text); \
             CREATE TABLE by_index (a int NOT NULL, b int); CREATE UNIQUE INDEX by_index_a ON by_index (a); \
             CREATE TABLE jsons (j json); CREATE TABLE late (id int PRIMARY KEY DEFERRABLE); \
             CREATE TABLE big (p point); INSERT INTO big SELECT point(g, g) FROM generate_series(1, 60000) g",
        )
        .await
        .unwrap();
    let found = follow::ready(&pair.sides, &Choices::default()).await.unwrap();
    let at = |name: &str| found.iter().find(|f| f.at.contains(name)).unwrap_or_else(|| panic!("{name}: {found:#?}"));
    assert!(at("\"cache\"").what.contains("under the fence"), "{found:#?}");
    assert!(at("\"by_index\"").what.contains("by_index_a"), "{found:#?}");
    assert!(at("\"jsons\"").what.contains("under the fence"), "{found:#?}");
    assert!(at("\"late\"").what.contains("whole row"), "{found:#?}");
    assert!(at("\"audit\"").what.contains("whole row"), "{found:#?}");
    let blocking: Vec<_> = found.iter().filter(|f| f.blocks).collect();
    assert!(blocking.len() == 1 && blocking[0].at.contains("big"), "{blocking:#?}");
    let error = follow::open(&pair.sides, &Choices::default()).await.unwrap_err().to_string();
    assert!(error.contains("big") && error.contains("primary key"), "{error}");
    assert_eq!(pair.remains().await, Vec::<String>::new(), "nothing was made");

    // A role that may not, a prepared transaction that blocks.
    pair.new.session("postgres").await.run("ALTER ROLE master NOSUPERUSER").await.unwrap();
    let found = follow::ready(&pair.sides, &Choices::default()).await.unwrap();
    assert!(found.iter().any(|f| f.blocks && f.what.contains("subscriptions")), "{found:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_of_every_kind_arrive_and_nothing_is_left_afterwards() {
    let pair = Pair::start().await;
    let writers = Writers::start(&[pair.app(Side::Old)], 4);
    writers.more(200).await;
    let opened = follow::open(&pair.sides, &Choices::default()).await.unwrap();
    assert!(opened.tables.iter().any(|t| t.treatment == Treatment::WholeRow && t.name.name == "audit"));
    writers.more(200).await;
    let options = outgrow::postgres::copy::Options::new("run-1");
    let tools = outgrow::postgres::tools::LocalTools;
    outgrow::postgres::copy::copy_on(&opened.pinned, &pair.sides.new.admin, &tools, &options, &()).await.unwrap();
    drop(opened);
    follow::subscribe(&pair.sides).await.unwrap();
    follow::subscribe(&pair.sides).await.unwrap();
    let session = pair.session(Side::Old).await;
    session
        .run(
            "SET search_path = public; UPDATE audit SET what = what || '!' WHERE what LIKE '%1%'; \
             DELETE FROM audit WHERE what LIKE '%2%'; UPDATE tree SET label = 'x' || label WHERE id < 20; \
             UPDATE events SET at = at + 365 WHERE id = 3; DELETE FROM products WHERE id = 7; \
             TRUNCATE \"창고 Stock\".\"재고\"; INSERT INTO orders (client_id, product) SELECT gen_random_uuid(), 9",
        )
        .await
        .unwrap();
    writers.more(200).await;
    assert_eq!(writers.settle(&session).await, 0);
    pair.caught_up(Side::Old).await;
    let differences = super::differences(&pair.sides.old.admin, &pair.sides.new.admin).await;
    let rows: Vec<_> = differences.iter().filter(|d| !d.contains("stands at")).collect();
    assert!(rows.is_empty(), "{rows:?}");
    let secret = "stream-secret";
    assert!(!pair.old.log().contains(secret) && !pair.new.log().contains(secret), "no password in a server's log");

    assert_eq!(follow::tidy(&pair.sides).await, []);
    assert_eq!(pair.remains().await, Vec::<String>::new());
    assert_eq!(follow::tidy(&pair.sides).await, [], "and again");
    let count_schema = "SELECT count(*) FROM pg_namespace WHERE nspname = 'outgrow'";
    assert_eq!(count(&session, count_schema).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schema_change_is_noticed_and_named() {
    let pair = Pair::following().await;
    assert_eq!(follow::schema_changes(&pair.sides, Side::Old).await.unwrap(), Vec::<String>::new());
    assert_eq!(follow::schema_changes(&pair.sides, Side::New).await.unwrap(), Vec::<String>::new());
    let session = pair.session(Side::Old).await;
    session
        .run(
            "SET search_path = public; ALTER TABLE tree ADD COLUMN late int; CREATE TABLE fresh (id int); \
             ALTER TABLE ledger ADD CHECK (id >= 0); DROP TABLE nothing; CREATE INDEX only_faster ON orders (product)",
        )
        .await
        .unwrap();
    let mut changes = follow::schema_changes(&pair.sides, Side::Old).await.unwrap();
    changes.sort();
    assert_eq!(changes.len(), 4, "{changes:?}");
    for (change, name) in changes.iter().zip(["fresh", "ledger", "nothing", "tree"]) {
        assert!(change.contains(name), "{change}");
    }
    assert!(changes[3].contains("late"), "{changes:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slot_is_dropped_before_it_fills_the_disk() {
    let pair = Pair::following().await;
    let session = pair.session(Side::Old).await;
    let bound = Bound { bytes: 64 << 20, free_disk: None, share: 0.5 };
    assert!(matches!(follow::watchdog(&pair.sides, Side::Old, &bound).await.unwrap(), Retained::Bytes(_)));
    assert_eq!(follow::watchdog(&pair.sides, Side::New, &bound).await.unwrap(), Retained::NoSlot);
    // The receiver is switched off, and the log grows.
    let new = pair.session(Side::New).await;
    new.run(&format!("ALTER SUBSCRIPTION {} DISABLE", pair.sides.stream(Side::Old))).await.unwrap();
    session.run("CREATE TABLE public.filler AS SELECT repeat('x', 1000) FROM generate_series(1, 4000)").await.unwrap();
    let tight = Bound { bytes: 64 << 20, free_disk: Some(2 << 20), share: 0.5 };
    let told = follow::watchdog(&pair.sides, Side::Old, &tight).await.unwrap();
    let Retained::Dropped(message) = told else { panic!("{told:?}") };
    assert!(message.contains("1048576 were allowed") && message.contains("anew"), "{message}");
    assert_eq!(count(&session, "SELECT count(*) FROM pg_replication_slots").await, 0);
    let lag = follow::lag(&pair.sides, Side::Old, Duration::from_millis(50)).await.unwrap();
    assert!(lag.trouble().unwrap().contains("no subscription"), "{lag:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_of_the_worker_is_told() {
    let pair = Pair::following().await;
    pair.session(Side::New).await.run("INSERT INTO public.ledger (id) VALUES (77)").await.unwrap();
    pair.session(Side::Old).await.run("INSERT INTO public.ledger (id) VALUES (77)").await.unwrap();
    let lag = follow::lag(&pair.sides, Side::Old, Duration::from_secs(2)).await.unwrap();
    let trouble = lag.trouble().unwrap();
    assert!(trouble.contains("errors so far") || trouble.contains("does not stay"), "{trouble}");
    pair.session(Side::New).await.run("DELETE FROM public.ledger WHERE id = 77").await.unwrap();
    pair.caught_up(Side::Old).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_stream_outlives_a_crash_of_either_server() {
    let mut pair = Pair::following().await;
    for round in 0..2 {
        if round == 0 {
            pair.old.crash_and_restart().await;
        } else {
            pair.new.crash_and_restart().await;
        }
        pair.session(Side::Old).await.run(&format!("INSERT INTO public.ledger (id) VALUES ({round})")).await.unwrap();
        pair.caught_up(Side::Old).await;
    }
    let session = pair.session(Side::New).await;
    assert_eq!(count(&session, "SELECT count(*) FROM public.ledger").await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_side_that_is_not_reached_is_told_and_tidied_later() {
    let pair = Pair::following().await;
    let mut away = pair.sides.clone();
    away.new.admin = away.new.admin.with_user("master", "wrong".into());
    let left = follow::tidy(&away).await;
    assert!(left.iter().any(|l| l.side == Side::New && l.what.contains("outgrow_run_1")), "{left:?}");
    assert!(left.iter().all(|l| l.side == Side::New), "{left:?}");
    assert_eq!(follow::tidy(&pair.sides).await, []);
    assert_eq!(pair.remains().await, Vec::<String>::new());
}
