//! The pause of a handover, as the application sees it: `cargo bench --bench handover`.
//!
//! Two PostgreSQL servers (durable, as a user's are) and a PgBouncer before them, made for this and gone afterwards.
//! Eight clients insert and update through the pooler, 3,000 statements a second in all, each with an account of what was
//! acknowledged. Meanwhile the writes are handed over and back, 20 times each. The pause of a handover is its slowest
//! statement: the longest that any client waited for an answer, from a little before the hold until a little after the
//! release. In the end the accounts are held against the rows: lost is what was acknowledged and is not there, doubled
//! what is there more often than it was written; and both databases are compared, row by row.
//!
//! `OUTGROW_BENCH_HANDOVERS` (20 there, as many back), `OUTGROW_BENCH_RATE` (3000), `OUTGROW_BENCH_CLIENTS` (8);
//! `OUTGROW_BENCH_JSON=1` prints one object instead of a table. Exit code 1 if anything failed, was lost or doubled.

#![allow(clippy::print_stdout, reason = "a measurement is read on standard output")]
#![allow(clippy::unwrap_used)] // a measurement that cannot be made may panic

#[allow(dead_code)]
#[path = "../tests/it/engines.rs"]
mod engines;
#[allow(dead_code)]
#[path = "../tests/it/pg.rs"]
mod pg;
#[allow(dead_code)]
#[path = "../tests/it/postgres/pooler_server.rs"]
mod pooler_server;

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use outgrow::clients::postgres::{Endpoint, Session};
use outgrow::postgres::copy::{Options, copy_on};
use outgrow::postgres::fence::{self, Fenced};
use outgrow::postgres::follow::{self, Choices, Place, Seen, Sides};
use outgrow::postgres::handover::{self, Epoch, Limits, Part, Record, Request, Timings};
use outgrow::postgres::pooler::Mode;
use outgrow::postgres::tools::LocalTools;
use outgrow::world::Side;
use pg::Cluster;
use pooler_server::Bouncer;
use serde_json::json;

/// Rows that are there before anybody writes.
const ROWS: i64 = 100_000;

/// One statement of a client: when it was sent, how long the answer took.
type Sample = (Instant, Duration);

/// A client's account.
#[derive(Default)]
struct Account {
    inserted: Vec<i64>,
    updated: i64,
    failed: u64,
    samples: Vec<Sample>,
}

/// Keeps the epoch in a file, durably, as the journal does.
struct InFile(std::path::PathBuf);

#[async_trait::async_trait]
impl Record for InFile {
    async fn epoch(&self, epoch: Epoch) -> std::io::Result<()> {
        let text = serde_json::to_string(&epoch)?;
        std::fs::write(&self.0, text)?;
        std::fs::File::open(&self.0)?.sync_all()
    }
}

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}

async fn client(number: i64, clients: i64, rate: u64, endpoint: Endpoint, stop: Arc<AtomicBool>) -> Account {
    let mut account = Account::default();
    let session = endpoint.connect_bare().await.unwrap();
    let every =
        Duration::from_secs_f64(f64::from(u32::try_from(clients).unwrap()) / f64::from(u32::try_from(rate).unwrap()));
    let mut tick = tokio::time::interval(every);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Burst);
    let mut next = ROWS + 1 + number;
    while !stop.load(Ordering::Relaxed) {
        tick.tick().await;
        let update = next / clients % 2 == 0;
        let sql = if update {
            format!(
                "UPDATE public.account SET n = n + 1, at = clock_timestamp() WHERE id = {}",
                1 + next % 1000 * 8 + number
            )
        } else {
            format!("INSERT INTO public.entry (id, note) VALUES ({next}, 'an entry of some length, as they come')")
        };
        let sent = Instant::now();
        match session.run(&sql).await {
            Ok(()) if update => account.updated += 1,
            Ok(()) => account.inserted.push(next),
            Err(_) => account.failed += 1,
        }
        account.samples.push((sent, sent.elapsed()));
        next += clients;
    }
    account
}

fn seen(cluster: &Cluster) -> Seen {
    Seen { host: "127.0.0.1".into(), port: cluster.port(), sslmode: "disable".into(), root_certificate: None }
}

async fn sides(old: &Cluster, new: &Cluster) -> Sides {
    let session = old.session("postgres").await;
    session.run("CREATE ROLE shop LOGIN SUPERUSER PASSWORD 'shop-secret'").await.unwrap();
    session.run("CREATE DATABASE shop OWNER shop").await.unwrap();
    let source = old.superuser("shop");
    let first = source.connect().await.unwrap();
    fence::make_admin(&first, &"admin-secret".into()).await.unwrap();
    first
        .run(&format!(
            "SET search_path = public; CREATE TABLE entry (id bigint PRIMARY KEY, note text, at timestamptz DEFAULT now()); \
             CREATE TABLE account (id bigint PRIMARY KEY, n bigint NOT NULL, at timestamptz); \
             CREATE TABLE place (id bigserial PRIMARY KEY, name text); \
             INSERT INTO place (name) SELECT 'place ' || g FROM generate_series(1, 500) g; \
             INSERT INTO account SELECT g, 0 FROM generate_series(1, 8192) g; \
             INSERT INTO entry SELECT g, 'an entry of some length' FROM generate_series(1, {ROWS}) g; \
             ALTER TABLE entry OWNER TO shop; ALTER TABLE account OWNER TO shop; ALTER TABLE place OWNER TO shop; ANALYZE"
        ))
        .await
        .unwrap();
    let master = new.managed("shop").await;
    new.session("postgres").await.run("ALTER ROLE master SUPERUSER").await.unwrap();
    Sides {
        run: "bench".into(),
        old: Place { admin: source.with_user(fence::ADMIN, "admin-secret".into()), seen: seen(old) },
        new: Place { admin: master, seen: seen(new) },
        stream_password: "stream-secret".into(),
    }
}

/// One handover: from when to when, and its parts.
struct Round {
    giver: Side,
    began: Instant,
    ended: Instant,
    timings: Timings,
}

#[tokio::main]
async fn main() -> ExitCode {
    let (rounds, rate) = (setting("OUTGROW_BENCH_HANDOVERS", 20), setting("OUTGROW_BENCH_RATE", 3000));
    let clients = i64::try_from(setting("OUTGROW_BENCH_CLIENTS", 8)).unwrap();
    let (old, new) = tokio::join!(Cluster::start_with(&[]), Cluster::start_with(&[]));
    let sides = sides(&old, &new).await;
    // The pooler has what the server keeps of the password, as in a real move.
    let verifier = "SELECT rolpassword FROM pg_authid WHERE rolname = 'shop'";
    let verifier: String = sides.old.admin.connect().await.unwrap().value(verifier, &[]).await.unwrap();
    let bouncer = Bouncer::start(old.port(), new.port(), Mode::Transaction, &[("shop", &verifier)]).await;
    let opened = follow::open(&sides, &Choices::default()).await.unwrap();
    copy_on(&opened.pinned, &sides.new.admin, &LocalTools, &Options::new("bench"), &()).await.unwrap();
    drop(opened);
    follow::subscribe(&sides).await.unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let began = Instant::now();
    let start = |number| {
        let endpoint = bouncer.endpoint("shop", "shop-secret");
        tokio::spawn(client(number, clients, rate, endpoint, Arc::clone(&stop)))
    };
    let writers: Vec<_> = (0..clients).map(start).collect();
    let mut done = Vec::new();
    for _ in 0..rounds {
        for giver in [Side::Old, Side::New] {
            // The writers write: that, and nothing else, is what happens between two handovers.
            tokio::time::sleep(Duration::from_millis(1500)).await;
            done.push(round(&sides, &bouncer, giver).await);
        }
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    stop.store(true, Ordering::Relaxed);
    let mut accounts = Vec::new();
    for writer in writers {
        accounts.push(writer.await.unwrap());
    }
    let seconds = began.elapsed().as_secs_f64();
    report(&sides, &done, &accounts, seconds).await
}

async fn round(sides: &Sides, bouncer: &Bouncer, giver: Side) -> Round {
    let record = InFile(std::env::temp_dir().join(format!("outgrow-bench-{}.epoch", std::process::id())));
    let roles = Fenced::around(["shop"]);
    let limits = Limits::default();
    let request = Request { sides, giver, roles: &roles, hold: &bouncer.pooler, record: &record, limits };
    let began = Instant::now();
    let handed = handover::hand_over(&request).await.unwrap_or_else(|error| panic!("{error}\n{}", bouncer.log()));
    let ended = Instant::now();
    let differences = handed.afterwards.compare(2).await.unwrap();
    assert!(differences.is_empty(), "{differences:?}");
    let _ = std::fs::remove_file(&record.0);
    Round { giver, began, ended, timings: handed.timings }
}

/// The slowest statement that was under way while the handover was.
fn pause(round: &Round, accounts: &[Account]) -> f64 {
    let samples = accounts.iter().flat_map(|account| &account.samples);
    let under_way = samples.filter(|(sent, took)| *sent <= round.ended && *sent + *took >= round.began);
    under_way.map(|(_, took)| took.as_secs_f64() * 1000.0).fold(0.0, f64::max)
}

async fn count(session: &Session, sql: &str) -> i64 {
    session.value(sql, &[]).await.unwrap()
}

async fn report(sides: &Sides, rounds: &[Round], accounts: &[Account], seconds: f64) -> ExitCode {
    let session = sides.old.admin.connect().await.unwrap();
    let rows = session.rows("SELECT id, count(*) FROM public.entry GROUP BY 1", &[]).await.unwrap();
    let stored: BTreeMap<i64, i64> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    let inserted: Vec<i64> = accounts.iter().flat_map(|account| account.inserted.iter().copied()).collect();
    let failed: u64 = accounts.iter().map(|account| account.failed).sum();
    let updated: i64 = accounts.iter().map(|account| account.updated).sum();
    let in_rows = count(&session, "SELECT sum(n)::bigint FROM public.account").await;
    let lost = inserted.iter().filter(|id| !stored.contains_key(id)).count() as u64
        + u64::try_from(updated - in_rows).unwrap_or(0);
    let unexplained = u64::try_from(in_rows - updated).unwrap_or(0).saturating_sub(failed);
    let doubled = stored.values().filter(|times| **times > 1).count() as u64 + unexplained;
    let written = inserted.len() as u64 + u64::try_from(updated).unwrap();
    let mut pauses: Vec<f64> = rounds.iter().map(|round| pause(round, accounts)).collect();
    let detail: Vec<_> =
        rounds.iter().zip(&pauses).map(|(round, pause)| (round.giver, *pause, &round.timings)).collect();
    let parts = parts(&detail);
    pauses.sort_by(f64::total_cmp);
    let (median, worst) = (middle(&pauses), pauses.last().copied().unwrap_or_default());
    let work = format!(
        "{} handovers under {:.0} writes/s",
        rounds.len(),
        f64::from(u32::try_from(written).unwrap()) / seconds
    );
    let line = |measure: &str, ours: f64| json!({ "work": work, "peer": null, "measure": measure, "ours": ours, "theirs": null, "ratio": null });
    let number = |count: u64| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
    if std::env::var("OUTGROW_BENCH_JSON").is_ok() {
        let results = [
            line("pause_ms_median", median),
            line("pause_ms_max", worst),
            line("failed", number(failed)),
            line("lost", number(lost)),
            line("doubled", number(doubled)),
        ];
        println!("{}", json!({ "results": results, "acknowledged": written, "parts_ms_median": parts }));
    } else {
        println!("{work}; {written} acknowledged");
        println!("pause as the application sees it: median {median:.1} ms, worst {worst:.1} ms");
        println!("failed {failed}, lost {lost}, doubled {doubled}");
        for (part, took) in &parts {
            println!("  {part:<24} {took:>7.1} ms");
        }
        let listed: Vec<_> = detail.iter().map(|(giver, pause, _)| format!("{giver:?} {pause:.0}")).collect();
        println!("each: {}", listed.join(", "));
    }
    if failed + lost + doubled == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Each part's median.
fn parts(rounds: &[(Side, f64, &Timings)]) -> BTreeMap<String, f64> {
    let mut all: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for (_, _, timings) in rounds {
        for time in &timings.parts {
            let place = Part::ALL.iter().position(|part| *part == time.part).unwrap_or_default();
            all.entry(format!("{place} {}", time.part.word())).or_default().push(time.took_ms);
        }
        all.entry("hold to release".to_owned()).or_default().push(timings.pause_ms);
    }
    let sorted = |mut times: Vec<f64>| {
        times.sort_by(f64::total_cmp);
        middle(&times)
    };
    all.into_iter().map(|(part, times)| (part, sorted(times))).collect()
}

fn middle(sorted: &[f64]) -> f64 {
    let half = sorted.len() / 2;
    match sorted.len() {
        0 => 0.0,
        even if even % 2 == 0 => f64::midpoint(sorted[half - 1], sorted[half]),
        _ => sorted[half],
    }
}
