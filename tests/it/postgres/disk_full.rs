//! The new server's disk fills up: whatever was going on, the old side has the writes, nothing is lost, and once there
//! is room again it goes on.

use std::time::Duration;

use outgrow::postgres::follow;
use outgrow::postgres::handover::{self, Epoch, Failed, Part, Record};
use outgrow::world::Side;

use super::follow_pair::{Forgetful, Pair, Writers};
use super::{copy, count, differences, shop};
use crate::pg::Cluster;

const DISK: u32 = 400;

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_fills_the_disk_says_so_and_a_repeat_succeeds() {
    let (old, new) = tokio::join!(Cluster::start(), Cluster::start_small(DISK));
    let source = shop(&old).await;
    let session = source.connect().await.unwrap();
    session
        .run(
            "CREATE TABLE public.big AS SELECT g AS id, repeat(md5(g::text), 30) AS text FROM generate_series(1, 60000) g; \
             ALTER TABLE public.big ALTER text SET STORAGE external",
        )
        .await
        .unwrap();
    let target = new.managed("shop").await;
    new.fill_disk(20 << 10);
    let error = copy(&source, &target).await.expect_err("60 MB do not fit into 20");
    let said = error.to_string();
    assert_eq!(error.code(), Some("53100"), "{said}");
    assert!(said.contains("No space left on device") && said.contains("allocated storage"), "{said}");
    assert_eq!(count(&session, "SELECT count(*) FROM public.big").await, 60_000);
    assert_eq!(count(&session, "SELECT count(*) FROM pg_replication_slots").await, 0);
    new.empty_disk();
    new.answers().await;
    let report = copy(&source, &target).await.unwrap();
    assert!(report.tables.iter().any(|(_, rows)| *rows == 60_000), "{report:?}");
    assert_eq!(differences(&source, &target).await, Vec::<String>::new());
}

/// Fills the receiver's disk when a part begins.
struct Filling<'a> {
    at: Part,
    disk: &'a Cluster,
}

#[async_trait::async_trait]
impl Record for Filling<'_> {
    async fn epoch(&self, _: Epoch) -> std::io::Result<()> {
        Ok(())
    }

    async fn entering(&self, part: Part) -> std::io::Result<()> {
        if part == self.at {
            self.disk.fill_disk(0);
        }
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_follower_has_no_room_the_old_side_serves_and_the_stream_goes_on_later() {
    let (old, new) = tokio::join!(Cluster::start(), Cluster::start_small(DISK));
    let pair = Pair::between(old, new).await.followed().await;
    let writers = Writers::start(&[pair.app(Side::Old), pair.app(Side::New)], 4);
    writers.more(50).await;
    pair.new.fill_disk(0);
    // More than the blocks and the log that are there already can take.
    let session = pair.session(Side::Old).await;
    session
        .run(
            "CREATE TABLE public.more (id bigint PRIMARY KEY, text text); DROP TABLE public.more; \
              INSERT INTO public.ledger (id) SELECT -g FROM generate_series(1, 400000) g",
        )
        .await
        .unwrap();
    let lag = follow::lag(&pair.sides, Side::Old, Duration::from_secs(3)).await;
    assert!(lag.as_ref().map_or(true, |lag| lag.trouble().is_some()), "{lag:?}");
    let refused = Box::pin(handover::hand_over(&pair.request(Side::Old, &Forgetful))).await.expect_err("no room");
    assert!(matches!(refused, Failed::NotBegun(_)), "{refused}");
    writers.more(50).await;

    pair.new.empty_disk();
    pair.new.answers().await;
    pair.caught_up(Side::Old).await;
    session.run("DELETE FROM public.ledger WHERE id < 0").await.unwrap();
    pair.caught_up(Side::Old).await;
    super::handover::hand_over(&pair, Side::Old).await;
    writers.more(50).await;
    let session = pair.session(Side::New).await;
    writers.settle(&session).await;
    assert_eq!(follow::tidy(&pair.sides).await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_fills_inside_the_handover_leaves_one_writer() {
    let (old, new) = tokio::join!(Cluster::start(), Cluster::start_small(DISK));
    let pair = Pair::between(old, new).await.followed().await;
    let writers = Writers::start(&[pair.app(Side::Old), pair.app(Side::New)], 4);
    for at in [Part::Drain, Part::Fence, Part::Open] {
        writers.more(50).await;
        let record = Filling { at, disk: &pair.new };
        let outcome = Box::pin(handover::hand_over(&pair.request(Side::Old, &record))).await;
        pair.new.empty_disk();
        pair.new.answers().await;
        let request = pair.request(Side::Old, &Forgetful);
        let handover::Stand::Serves(writer) = Box::pin(handover::recover(&request)).await.unwrap() else {
            panic!("{at:?}: nobody serves after {outcome:?}")
        };
        writers.more(50).await;
        if writer == Side::New {
            super::handover::hand_over(&pair, Side::New).await;
        }
    }
    let session = pair.session(Side::Old).await;
    writers.settle(&session).await;
    pair.caught_up(Side::Old).await;
    assert_eq!(follow::tidy(&pair.sides).await, []);
}
