//! The database on the move, between real servers.

#![allow(clippy::unwrap_used)] // a test may panic

#[path = "postgres/changed.rs"]
mod changed;
#[path = "postgres/copy.rs"]
mod copy;
#[path = "postgres/disk_full.rs"]
mod disk_full;
#[path = "postgres/fence.rs"]
mod fence;
#[path = "postgres/follow.rs"]
mod follow;
#[path = "postgres/follow_pair.rs"]
mod follow_pair;
#[path = "postgres/handover.rs"]
mod handover;
#[path = "postgres/handover_killed.rs"]
mod handover_killed;
#[path = "postgres/pooler.rs"]
mod pooler;
#[path = "postgres/pooler_server.rs"]
mod pooler_server;
#[path = "postgres/resume.rs"]
mod resume;
#[path = "postgres/speed.rs"]
mod speed;
#[path = "postgres/torture.rs"]
mod torture;
#[path = "postgres/versions.rs"]
mod versions;

use outgrow::clients::postgres::{Endpoint, Session};
use outgrow::postgres::copy::{Options, Report, copy_database};
use outgrow::postgres::pinned::Pinned;
use outgrow::postgres::tools::LocalTools;
use outgrow::postgres::{Result, verify};

use crate::pg::Cluster;

/// The demo's database `shop` of role `shop`.
async fn shop(cluster: &Cluster) -> Endpoint {
    let session = cluster.session("postgres").await;
    session.run("CREATE ROLE shop LOGIN PASSWORD 'shop-secret'; CREATE ROLE reader NOLOGIN").await.unwrap();
    session.run("CREATE DATABASE shop OWNER shop").await.unwrap();
    let session = cluster.session("shop").await;
    session.run("SET search_path = public").await.unwrap();
    session.run(include_str!("demo.sql")).await.unwrap();
    cluster.superuser("shop")
}

async fn copy(source: &Endpoint, target: &Endpoint) -> Result<Report> {
    copy_database(source, target, &LocalTools, &Options::new("run-1"), &()).await
}

async fn differences(one: &Endpoint, other: &Endpoint) -> Vec<String> {
    let (one, other) = (Pinned::open(one).await.unwrap(), Pinned::open(other).await.unwrap());
    let found = verify::compare(&one, &other, 2).await.unwrap();
    found.into_iter().map(|d| format!("{}: {} {:?}", d.table, d.what, d.first_keys)).collect()
}

async fn count(session: &Session, sql: &str) -> i64 {
    session.value(sql, &[]).await.unwrap()
}

/// The schema as `pg_dump` tells it, without what a run names.
async fn schema_of(endpoint: &Endpoint) -> String {
    use outgrow::postgres::tools::{Section, Tools};
    let pinned = Pinned::open(endpoint).await.unwrap();
    let mut text = String::new();
    for section in [Section::PreData, Section::PostData] {
        let dump = LocalTools.dump(endpoint, section, pinned.snapshot(), 15).await.unwrap();
        text.push_str(&String::from_utf8(dump).unwrap());
    }
    text.lines().filter(|line| !line.starts_with('\\')).fold(String::new(), |text, line| text + line + "\n")
}
