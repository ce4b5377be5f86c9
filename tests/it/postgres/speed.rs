//! How long it takes on about 200 MB: printed, and held to a generous bound.

use std::time::Instant;

use outgrow::postgres::changed::bring_up_to_date;

use super::{copy, differences, shop};
use crate::pg::Cluster;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "measures; run with --run-ignored only"]
async fn two_hundred_megabytes() {
    let (old, new) = Cluster::pair().await;
    let (source, target) = (shop(&old).await, new.managed("shop").await);
    let session = old.session("shop").await;
    session
        .run("SET search_path = public; ALTER TABLE orders DISABLE TRIGGER orders_audit; INSERT INTO orders (client_id, product, note) SELECT md5(g::text)::uuid, g % 3000 + 1, repeat(md5(g::text), 6) FROM generate_series(1, 250000) g; INSERT INTO events SELECT g, '2024-01-01'::date + g % 700, repeat('e' || g, 6) FROM generate_series(10000, 300000) g; ALTER TABLE orders ENABLE TRIGGER orders_audit; INSERT INTO audit SELECT 'w ' || g FROM generate_series(1, 150000) g; ANALYZE")
        .await
        .unwrap();
    let size: String = session.value("SELECT pg_size_pretty(pg_database_size('shop'))", &[]).await.unwrap();
    let begun = Instant::now();
    let report = copy(&source, &target).await.unwrap();
    println!("copy of {size}: {:?}, {} bytes on the wire, {:?}", begun.elapsed(), report.bytes, report.phases);
    session
        .run("SET search_path = public; INSERT INTO orders (client_id, product, note) SELECT gen_random_uuid(), g, 'new' FROM generate_series(1, 400) g; UPDATE products SET price = price + 1 WHERE id % 30 = 0")
        .await
        .unwrap();
    for round in 0..2 {
        let begun = Instant::now();
        let report = bring_up_to_date(&source, &target, 2).await.unwrap();
        println!("up to date, round {round}: {:?}: {report:?}", begun.elapsed());
        assert!(begun.elapsed().as_secs() < 30);
    }
    assert_eq!(differences(&source, &target).await, Vec::<String>::new());
}
