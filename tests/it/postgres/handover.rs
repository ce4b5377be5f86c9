//! The handover over a stream that runs, there and back, under writers that keep account.

use std::sync::Mutex;

use outgrow::postgres::fence;
use outgrow::postgres::follow;
use outgrow::postgres::handover::{self, Epoch, Failed, Handed, Part, Record, Stand};
use outgrow::world::Side;

use super::count;
use super::follow_pair::{Forgetful, Pair, Writers};

/// Keeps what is put on record, and looks at the receiver's door at that moment.
#[derive(Default)]
struct Kept(Mutex<(Vec<Epoch>, Vec<Part>)>);

#[async_trait::async_trait]
impl Record for Kept {
    async fn epoch(&self, epoch: Epoch) -> std::io::Result<()> {
        self.0.lock().unwrap().0.push(epoch);
        Ok(())
    }

    async fn entering(&self, part: Part) -> std::io::Result<()> {
        self.0.lock().unwrap().1.push(part);
        Ok(())
    }
}

pub async fn hand_over(pair: &Pair, giver: Side) -> Handed {
    match handover::hand_over(&pair.request(giver, &Forgetful)).await {
        Ok(handed) => handed,
        Err(error) => panic!("{error}\n{}", pair.logs()),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn there_and_back_no_acknowledged_write_is_lost_or_doubled() {
    let pair = Pair::following().await;
    let writers = Writers::start(&[pair.app(Side::Old), pair.app(Side::New)], 6);
    writers.more(300).await;
    let record = Kept::default();
    for (number, giver) in (2..).zip([Side::Old, Side::New, Side::Old, Side::New]) {
        let handed = match handover::hand_over(&pair.request(giver, &record)).await {
            Ok(handed) => handed,
            Err(error) => panic!("{error}\n{}", pair.logs()),
        };
        assert_eq!(handed.epoch, Epoch { number, writer: follow::opposite(giver) });
        assert_eq!(handed.timings.parts.len(), Part::ALL.len(), "{:?}", handed.timings);
        writers.more(300).await;
        assert_eq!(handed.afterwards.compare(2).await.unwrap(), []);
        let stand = handover::stands(&pair.sides, &pair.roles).await.unwrap();
        assert_eq!(stand, Stand::Serves(follow::opposite(giver)));
        pair.caught_up(follow::opposite(giver)).await;
    }
    let session = pair.session(Side::Old).await;
    writers.settle(&session).await;
    let kept = record.0.lock().unwrap().0.len();
    assert_eq!(kept, 4);
    assert_eq!(follow::tidy(&pair.sides).await, []);
    assert_eq!(pair.remains().await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_stream_carries_is_there_too() {
    let pair = Pair::start().await;
    let old = pair.session(Side::Old).await;
    old.run(
        "SET search_path = public; CREATE UNLOGGED TABLE cache (id int PRIMARY KEY, v text); \
         CREATE SEQUENCE short MAXVALUE 10; CREATE SEQUENCE down INCREMENT -3; CREATE SEQUENCE unused; \
         CREATE SEQUENCE ring MAXVALUE 50 CYCLE; SELECT nextval('short'), nextval('ring'), nextval('down')",
    )
    .await
    .unwrap();
    follow_from_here(&pair).await;
    old.run(
        "SET search_path = public; INSERT INTO cache SELECT g, 'v' || g FROM generate_series(1, 500) g; \
         SELECT nextval('short'), nextval('ring'), nextval('down'), nextval('order_numbers'); \
         SELECT lo_put(4242, 300000, 'other'), lo_from_bytea(4343, 'small'); \
         INSERT INTO orders (client_id, product) SELECT gen_random_uuid(), 9 FROM generate_series(1, 50)",
    )
    .await
    .unwrap();
    let handed = hand_over(&pair, Side::Old).await;
    assert_eq!(handed.afterwards.compare(2).await.unwrap(), []);
    let new = pair.session(Side::New).await;
    assert_eq!(count(&new, "SELECT count(*) FROM public.cache").await, 500);
    assert_eq!(count(&new, "SELECT length(lo_get(4343))::bigint").await, 5);
    let objects = "SELECT md5(string_agg(md5(lo_get(oid)), '' ORDER BY oid)) FROM pg_largeobject_metadata";
    assert_eq!(new.value::<String>(objects, &[]).await.unwrap(), old.value::<String>(objects, &[]).await.unwrap());
    let sold = "SELECT sum(n)::bigint FROM public.sold";
    assert_eq!(count(&new, sold).await, count(&old, "SELECT count(*) FROM public.orders").await);
    // Ahead of where each stood; near its end, going round or unused: exactly.
    for (sequence, expected) in [("short", 2), ("ring", 2), ("unused", 1), ("down", -4 - 3 * 32)] {
        assert_eq!(count(&new, &format!("SELECT last_value FROM public.{sequence}")).await, expected, "{sequence}");
    }
    let stood = count(&old, "SELECT last_value FROM public.order_numbers").await;
    assert_eq!(count(&new, "SELECT last_value FROM public.order_numbers").await, stood + 32);
    new.run("INSERT INTO public.orders (client_id, product) SELECT gen_random_uuid(), 9").await.unwrap();
    assert_eq!(fence::try_login(&pair.app(Side::Old)).await, fence::Proof::Refused);
    assert_eq!(fence::try_login(&pair.app(Side::New)).await, fence::Proof::GotIn);

    // And back.
    new.run("UPDATE public.cache SET v = 'new'; SELECT lo_unlink(4343)").await.unwrap();
    let handed = hand_over(&pair, Side::New).await;
    assert_eq!(handed.afterwards.compare(2).await.unwrap(), []);
    assert_eq!(count(&old, "SELECT count(*) FROM public.cache WHERE v = 'new'").await, 500);
    assert_eq!(count(&old, "SELECT count(*) FROM pg_largeobject_metadata").await, 1);
    let state: String = new.value("SELECT state FROM outgrow.run", &[]).await.unwrap();
    assert_eq!(state, "copied", "nothing is on the new side alone");
}

async fn follow_from_here(pair: &Pair) {
    let opened = follow::open(&pair.sides, &follow::Choices::default()).await.unwrap();
    let options = outgrow::postgres::copy::Options::new("run-1");
    let tools = outgrow::postgres::tools::LocalTools;
    outgrow::postgres::copy::copy_on(&opened.pinned, &pair.sides.new.admin, &tools, &options, &()).await.unwrap();
    follow::subscribe(&pair.sides).await.unwrap();
    pair.caught_up(Side::Old).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_master_without_superuser_takes_the_writes() {
    let pair = Pair::following().await;
    // PostgreSQL 15 lets superusers alone subscribe; everything after that it lets the owner do, as RDS does. The copy by
    // a master without superuser leaves it a member of the tables' owners.
    let sql = "GRANT shop TO master; ALTER ROLE shop NOSUPERUSER; ALTER ROLE master NOSUPERUSER REPLICATION";
    pair.new.session("postgres").await.run(sql).await.unwrap();
    let writers = Writers::start(&[pair.app(Side::Old), pair.app(Side::New)], 4);
    writers.more(100).await;
    let handed = hand_over(&pair, Side::Old).await;
    writers.more(100).await;
    assert_eq!(handed.afterwards.compare(2).await.unwrap(), []);
    writers.settle(&pair.session(Side::New).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_lock_that_is_held_makes_it_wait_and_an_overrun_opens_again() {
    let pair = Pair::following().await;
    let holder = pair.app(Side::Old).connect().await.unwrap();
    holder.run("BEGIN; UPDATE public.tally SET n = n WHERE writer = 31").await.unwrap();
    let mut request = pair.request(Side::Old, &Forgetful);
    request.limits.hold_at_most = std::time::Duration::from_millis(900);
    let error = handover::hand_over(&request).await.unwrap_err();
    assert!(matches!(error, Failed::Reopened { side: "old", .. }), "{error}");
    assert!(error.to_string().contains("900ms"), "{error}");
    holder.run("COMMIT").await.unwrap();
    assert_eq!(handover::stands(&pair.sides, &pair.roles).await.unwrap(), Stand::Serves(Side::Old));
    hand_over(&pair, Side::Old).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_fit_does_not_begin() {
    let pair = Pair::following().await;
    let old = pair.session(Side::Old).await;
    let refused = async |why: &str| {
        let error = handover::hand_over(&pair.request(Side::Old, &Forgetful)).await.unwrap_err();
        assert!(matches!(error, Failed::NotBegun(_)) && error.to_string().contains(why), "{error}");
        assert_eq!(handover::stands(&pair.sides, &pair.roles).await.unwrap(), Stand::Serves(Side::Old));
    };
    old.run("ALTER TABLE public.tree ADD COLUMN late int").await.unwrap();
    refused("late").await;
    old.run("ALTER TABLE public.tree DROP COLUMN late").await.unwrap();
    // A row that differs on the other side, found inside the pause.
    let new = pair.session(Side::New).await;
    new.run("UPDATE public.tree SET label = 'spoilt' WHERE id = 3").await.unwrap();
    let error = handover::hand_over(&pair.request(Side::Old, &Forgetful)).await.unwrap_err();
    assert!(matches!(error, Failed::Reopened { .. }) && error.to_string().contains("\"tree\""), "{error}");
    new.run("UPDATE public.tree SET label = 'l3' WHERE id = 3").await.unwrap();
    // A role of that name was on the new server before, and could log in: it is shut out first.
    pair.caught_up(Side::Old).await;
    new.run("UPDATE outgrow.epoch SET number = 0, state = 'closed'; ALTER ROLE shop LOGIN").await.unwrap();
    hand_over(&pair, Side::Old).await;
    hand_over(&pair, Side::New).await;
    // The other side was opened behind our back.
    new.run("ALTER ROLE shop LOGIN").await.unwrap();
    let stand = handover::stands(&pair.sides, &pair.roles).await.unwrap();
    assert_eq!(stand, Stand::Both { writer: Side::Old });
    let error = handover::hand_over(&pair.request(Side::Old, &Forgetful)).await.unwrap_err();
    assert!(error.to_string().contains("lets the application in too"), "{error}");
}
