//! From one version of PostgreSQL to another, and back: copied, followed, handed over, verified. The images are made by
//! `scripts/postgres-images`.

use std::process::Stdio;

use outgrow::clients::postgres::{Endpoint, Transport};
use outgrow::postgres::tools::{LocalTools, Section, Tools, dump_args};
use outgrow::postgres::{Error, Result, follow};
use outgrow::world::Side;
use secrecy::ExposeSecret as _;

use super::differences;
use super::follow_pair::{Pair, Writers};
use crate::pg::{Cluster, image};

/// The `pg_dump` of another version, in its container.
struct ContainersTools(u32);

#[async_trait::async_trait]
impl Tools for ContainersTools {
    async fn dump(&self, source: &Endpoint, section: Section, snapshot: &str, _: u32) -> Result<Vec<u8>> {
        let Transport::Tcp { host, port, .. } = &source.transport else { panic!("by TCP") };
        let output = tokio::process::Command::new("docker")
            .args(["run", "--rm", "--network", "host", "--label", "outgrow.test=1", "-e", "PGPASSWORD"])
            .args(["--entrypoint", "pg_dump", &image(self.0), "-h", host, "-p", &port.to_string()])
            .args(["-U", &source.user, "-d", &source.database])
            .args(dump_args(section, snapshot))
            .env("PGPASSWORD", source.password.expose_secret())
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output()
            .await
            .unwrap();
        let why = String::from_utf8_lossy(&output.stderr).into_owned();
        if output.status.success() { Ok(output.stdout) } else { Err(Error::Dump { server: source.to_string(), why }) }
    }
}

async fn server(major: u32) -> Cluster {
    if major == 15 { Cluster::start().await } else { Cluster::start_version(major).await }
}

async fn there_and_back(old: u32, new: u32) {
    let (one, other) = tokio::join!(server(old), server(new));
    let tools: &dyn Tools = if new == 15 { &LocalTools } else { &ContainersTools(new) };
    let pair = Pair::between(one, other).await.followed_with(tools).await;
    for (side, version) in [(Side::Old, old), (Side::New, new)] {
        assert_eq!(pair.session(side).await.version(), version);
    }
    let writers = Writers::start(&[pair.app(Side::Old), pair.app(Side::New)], 4);
    writers.more(100).await;
    for giver in [Side::Old, Side::New, Side::Old] {
        super::handover::hand_over(&pair, giver).await;
        writers.more(100).await;
    }
    let session = pair.session(Side::New).await;
    writers.settle(&session).await;
    pair.caught_up(Side::New).await;
    let rows = differences(&pair.sides.old.admin, &pair.sides.new.admin).await;
    let rows: Vec<_> = rows.iter().filter(|d| !d.contains("stands at")).collect();
    assert!(rows.is_empty(), "{rows:?}");
    assert_eq!(follow::tidy(&pair.sides).await, []);
    assert_eq!(pair.remains().await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn from_fifteen_to_seventeen_and_back() {
    Box::pin(there_and_back(15, 17)).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs `scripts/postgres-images 13`, whose Debian is on its way to the archive"]
async fn from_thirteen_to_fifteen_and_back() {
    Box::pin(there_and_back(13, 15)).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs `scripts/postgres-images 13`, whose Debian is on its way to the archive"]
async fn from_thirteen_to_seventeen_and_back() {
    Box::pin(there_and_back(13, 17)).await;
}
