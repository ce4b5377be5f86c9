//! A copy that goes on after it was interrupted, on a moment somebody else holds, within limits.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use outgrow::clients::postgres::Endpoint;
use outgrow::postgres::copy::{Bounds, Event, Options, Progress, Report, copy_database, copy_on};
use outgrow::postgres::pinned::Pinned;
use outgrow::postgres::tools::LocalTools;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use super::{copy, count, differences, shop};
use crate::pg::Cluster;

/// Passes every piece of news on.
struct Tell(UnboundedSender<Event>);

impl Progress for Tell {
    fn tell(&self, event: Event) {
        let _ = self.0.send(event);
    }
}

/// Remembers every piece of news.
#[derive(Default)]
struct Heard(Mutex<Vec<Event>>);

impl Progress for Heard {
    fn tell(&self, event: Event) {
        self.0.lock().unwrap().push(event);
    }
}

impl Heard {
    fn resumed(&self) -> (usize, usize, String) {
        let heard = self.0.lock().unwrap();
        let resumed = heard.iter().find_map(|event| match event {
            Event::Resumed { kept, afresh, why } => Some((*kept, *afresh, why.clone())),
            _ => None,
        });
        resumed.unwrap()
    }
}

async fn two_big_tables(cluster: &Cluster) {
    let session = cluster.session("shop").await;
    for (name, rows) in [("big", 60_000), ("bigger", 400_000)] {
        let sql = format!(
            "CREATE TABLE public.{name} AS SELECT g AS id, repeat(md5(g::text), 4) AS filler FROM generate_series(1, {rows}) g; \
             ALTER TABLE public.{name} ADD PRIMARY KEY (id); ALTER TABLE public.{name} OWNER TO shop"
        );
        session.run(&sql).await.unwrap();
    }
}

/// Copies until `big` is there, then drops everything, as a killed process does.
async fn interrupted(source: &Endpoint, target: &Endpoint) {
    let (tell, mut told) = unbounded_channel();
    let options = Options { jobs: 2, max_rate: Some(40_000_000), ..Options::new("run-1") };
    let progress = Tell(tell);
    let there = async {
        loop {
            match told.recv().await.unwrap() {
                Event::Rows { table, complete: true, .. } if table.name == "big" => break,
                _ => {}
            }
        }
    };
    tokio::select! {
        done = copy_database(source, target, &LocalTools, &options, &progress) => panic!("too fast: {done:?}"),
        () = there => {}
    }
}

async fn resume(source: &Endpoint, target: &Endpoint) -> (Report, Heard) {
    let (options, heard) = (Options { resume: true, ..Options::new("run-1") }, Heard::default());
    let report = copy_database(source, target, &LocalTools, &options, &heard).await.unwrap();
    (report, heard)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_still_true_is_kept_and_the_rest_copied_afresh() {
    let (old, new) = Cluster::pair().await;
    let (source, target) = (shop(&old).await, new.managed("shop").await);
    two_big_tables(&old).await;
    interrupted(&source, &target).await;
    let (report, heard) = resume(&source, &target).await;
    let (kept, afresh, _) = heard.resumed();
    assert!(kept >= 1 && afresh >= 1 && report.kept == kept, "{kept} {afresh}");
    let rows = |name: &str| report.tables.iter().find(|(table, _)| table.name == name).map(|(_, rows)| *rows);
    assert_eq!((rows("big"), rows("bigger")), (Some(60_000), Some(400_000)));
    let moved_again =
        heard.0.lock().unwrap().iter().any(|e| matches!(e, Event::Moved { table, .. } if table.name == "big"));
    assert!(!moved_again, "the kept table travelled again");
    assert_eq!(differences(&source, &target).await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_changed_meanwhile_is_not_kept() {
    let (old, new) = Cluster::pair().await;
    let (source, target) = (shop(&old).await, new.managed("shop").await);
    two_big_tables(&old).await;
    interrupted(&source, &target).await;
    old.session("shop").await.run("UPDATE public.big SET filler = 'other' WHERE id = 77").await.unwrap();
    resume(&source, &target).await;
    assert_eq!(differences(&source, &target).await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_schema_or_nothing_to_go_on_with_starts_afresh_and_says_why() {
    let (old, new) = Cluster::pair().await;
    let (source, target) = (shop(&old).await, new.managed("shop").await);
    two_big_tables(&old).await;
    let (_, heard) = resume(&source, &target).await;
    assert!(heard.resumed().2.contains("no interrupted copy"));
    interrupted(&source, &target).await;
    old.session("shop").await.run("ALTER TABLE public.big ADD COLUMN more int").await.unwrap();
    let (report, heard) = resume(&source, &target).await;
    assert!(heard.resumed().2.contains("schema has changed"));
    assert_eq!(report.kept, 0);
    assert_eq!(differences(&source, &target).await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_shows_the_moment_that_somebody_else_holds() {
    let (old, new) = Cluster::pair().await;
    let (source, target) = (shop(&old).await, new.managed("shop").await);
    let holder = Pinned::open(&source).await.unwrap();
    old.session("shop").await.run("INSERT INTO public.tree VALUES (9999, NULL, 'late')").await.unwrap();
    let pinned = Pinned::at(&source, holder.snapshot()).await.unwrap();
    // It is held on its own from here on.
    holder.close();
    let report = copy_on(&pinned, &target, &LocalTools, &Options::new("run-1"), &()).await.unwrap();
    assert!(report.tables.iter().any(|(table, rows)| table.name == "tree" && *rows == 200));
    assert_eq!(count(pinned.holder(), "SELECT count(*) FROM public.tree").await, 200);
    pinned.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rate_and_the_connections_are_kept() {
    let (old, new) = Cluster::pair().await;
    let (source, target) = (shop(&old).await, new.managed("shop").await);
    two_big_tables(&old).await;
    // One worker, beside the one who holds the moment and the one who claims the target.
    let options = Options { max_rate: Some(30_000_000), max_connections: Some(3), jobs: 8, ..Options::new("run-1") };
    let begun = Instant::now();
    let report = copy_database(&source, &target, &LocalTools, &options, &()).await.unwrap();
    let least = Duration::from_secs_f64((f64::from(u32::try_from(report.bytes).unwrap()) / 30e6 - 0.3).max(0.0));
    assert!(begun.elapsed() >= least, "{:?} for {} bytes", begun.elapsed(), report.bytes);
    assert_eq!(differences(&source, &target).await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_read_while_the_source_is_busy() {
    let (old, new) = Cluster::pair().await;
    let (source, target) = (shop(&old).await, new.managed("shop").await);
    let busy = old.session("shop").await;
    let (tell, mut told) = unbounded_channel();
    let bounds = Bounds { active: Some(1), ..Bounds::default() };
    let (options, progress) = (Options { bounds, ..Options::new("run-1") }, Tell(tell));
    // Two at work: our test's sessions carry the copy's own name, so they are given others.
    let lock = old.session("shop").await;
    for session in [&busy, &lock] {
        session.run("SET application_name = 'the application'").await.unwrap();
    }
    lock.run("SELECT pg_advisory_lock(1)").await.unwrap();
    let third = old.session("shop").await;
    third.run("SET application_name = 'the application'").await.unwrap();
    let waits = async {
        let wait = "SELECT pg_advisory_lock_shared(1)";
        tokio::join!(busy.run(wait), third.run(wait)).0.unwrap();
    };
    let calm_later = async {
        while !matches!(told.recv().await.unwrap(), Event::Waiting { .. }) {}
        lock.run("SELECT pg_advisory_unlock_all()").await.unwrap();
    };
    let copied = copy_database(&source, &target, &LocalTools, &options, &progress);
    let (copied, (), ()) = tokio::join!(copied, calm_later, waits);
    copied.unwrap();
    assert_eq!(differences(&source, &target).await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_huge_value_goes_through_a_small_buffer() {
    let (old, new) = Cluster::pair().await;
    let (source, target) = (shop(&old).await, new.managed("shop").await);
    old.session("shop")
        .await
        .run("CREATE TABLE public.huge AS SELECT 1 AS id, repeat('0123456789abcdef', 4000000) AS v")
        .await
        .unwrap();
    copy(&source, &target).await.unwrap();
    assert_eq!(count(&new.session("shop").await, "SELECT length(v)::bigint FROM public.huge").await, 64_000_000);
    assert_eq!(differences(&source, &target).await, Vec::<String>::new());
}
