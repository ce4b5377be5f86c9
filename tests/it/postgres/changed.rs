//! Only what differs is brought over, there and back.

use outgrow::clients::postgres::Endpoint;
use outgrow::postgres::changed::bring_up_to_date;

use super::{copy, count, differences, schema_of, shop};
use crate::pg::Cluster;

/// Writes of every kind, as the application would do them.
const WRITES: &str = "SET ROLE shop; SET search_path = public; \
    INSERT INTO products (name, price) VALUES ('새 상품', 5), ('more', 6); \
    INSERT INTO orders (client_id, product, note) SELECT gen_random_uuid(), max(id), '새 주문' FROM products; \
    UPDATE orders SET state = '배송', note = 'changed' WHERE id BETWEEN 100 AND 120; \
    DELETE FROM products WHERE id IN (7, 8); \
    UPDATE products SET free = free * 1.000 WHERE id = 30; \
    INSERT INTO events VALUES (9001, '2024-05-05', 'x'), (9002, '2026-05-05', 'y'); \
    UPDATE events SET at = at + 365 WHERE id = 3; \
    UPDATE \"Weird \"\"Name\"\" x\" SET \"값\" = '바뀜' WHERE \"k'2\" < 4; \
    DELETE FROM \"창고 Stock\".\"재고\" WHERE \"번호\" = 5; \
    UPDATE tree SET parent = 150 WHERE id = 4; \
    UPDATE tree SET label = CASE id WHEN 10 THEN 'swap' ELSE label END WHERE id = 10; \
    SELECT nextval('order_numbers'), lo_put(4242, 300000, 'other'), lo_from_bytea(4343, 'small');";

async fn write(endpoint: &Endpoint, sql: &str) {
    endpoint.connect().await.unwrap().run(sql).await.unwrap();
}

async fn audit_of(endpoint: &Endpoint) -> i64 {
    count(&endpoint.connect().await.unwrap(), "SELECT count(*) FROM public.audit").await
}

#[tokio::test(flavor = "multi_thread")]
async fn changed_rows_travel_there_and_back() {
    let (old, new) = Cluster::pair().await;
    let (source, target) = (shop(&old).await, new.managed("shop").await);
    copy(&source, &target).await.unwrap();
    let schema = schema_of(&new.superuser("shop")).await;

    // There: the receiver's master is no superuser.
    write(&source, WRITES).await;
    assert!(!differences(&source, &target).await.is_empty());
    let report = bring_up_to_date(&source, &target, 2).await.unwrap();
    assert_eq!(differences(&source, &target).await, Vec::<String>::new());
    assert_eq!(audit_of(&source).await, audit_of(&target).await, "triggers did not run twice");
    assert_eq!(schema, schema_of(&new.superuser("shop")).await, "guards and keys are as they were");
    let travelled: u64 = report.tables.iter().map(|table| table.travelled).sum();
    assert!(travelled < 8000, "only changed buckets travel: {report:?}");
    assert_eq!(report.large_objects, 2);
    let session = target.connect().await.unwrap();
    let sold = "SELECT sum(n)::bigint FROM public.sold";
    assert_eq!(count(&session, sold).await, count(&session, "SELECT count(*) FROM public.orders").await);

    // Nothing changed: nothing travels.
    let report = bring_up_to_date(&source, &target, 2).await.unwrap();
    assert_eq!((report.tables.len(), report.sequences, report.large_objects), (0, 0, 0));

    // Back: the new side has written; the old side's session is a superuser.
    write(
        &new.superuser("shop"),
        &WRITES
            .replace("새 상품", "뒤로")
            .replace("more", "back")
            .replace("4343", "4444")
            .replace("(7, 8)", "(17, 18)")
            .replace("900", "800"),
    )
    .await;
    bring_up_to_date(&target, &source, 2).await.unwrap();
    assert_eq!(differences(&target, &source).await, Vec::<String>::new());
    assert_eq!(audit_of(&source).await, audit_of(&target).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn exchanged_unique_values_and_cycles_arrive_without_superuser() {
    let (old, new) = Cluster::pair().await;
    let (source, target) = (shop(&old).await, new.managed("shop").await);
    write(
        &source,
        "CREATE TABLE public.hen (id int PRIMARY KEY, egg int); CREATE TABLE public.egg (id int PRIMARY KEY, hen int REFERENCES public.hen); \
         ALTER TABLE public.hen ADD CONSTRAINT \"알\" FOREIGN KEY (egg) REFERENCES public.egg; COMMENT ON CONSTRAINT \"알\" ON public.hen IS 'which first'; \
         ALTER TABLE public.hen OWNER TO shop; ALTER TABLE public.egg OWNER TO shop",
    )
    .await;
    copy(&source, &target).await.unwrap();
    let schema = schema_of(&new.superuser("shop")).await;
    write(
        &source,
        "UPDATE public.tree SET label = 'x' WHERE id = 1; UPDATE public.tree SET label = 'l1' WHERE id = 2; \
         UPDATE public.tree SET label = 'l2' WHERE id = 1; INSERT INTO public.hen VALUES (1, NULL); \
         INSERT INTO public.egg VALUES (1, 1); UPDATE public.hen SET egg = 1",
    )
    .await;
    bring_up_to_date(&source, &target, 2).await.unwrap();
    assert_eq!(differences(&source, &target).await, Vec::<String>::new());
    assert_eq!(schema, schema_of(&new.superuser("shop")).await, "foreign keys and their comments are back");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_difference_names_the_table_and_its_keys() {
    let (old, new) = Cluster::pair().await;
    let (source, target) = (shop(&old).await, new.managed("shop").await);
    copy(&source, &target).await.unwrap();
    write(&new.superuser("shop"), "UPDATE public.products SET price = price + 1 WHERE id IN (12, 2001)").await;
    write(&new.superuser("shop"), "DELETE FROM \"창고 Stock\".\"재고\" WHERE \"번호\" = 77").await;
    let found = differences(&source, &target).await;
    assert_eq!(found.len(), 2, "{found:?}");
    let products = found.iter().find(|d| d.contains("products")).unwrap();
    assert!(products.contains("[\"12\", \"2001\"]") && products.contains("content differs"), "{products}");
    let stock = found.iter().find(|d| d.contains("재고")).unwrap();
    assert!(stock.contains("100 rows on the source, 99 on the target") && stock.contains("77"), "{stock}");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_schema_is_refused_before_anything_changes() {
    let (old, new) = Cluster::pair().await;
    let (source, target) = (shop(&old).await, new.managed("shop").await);
    copy(&source, &target).await.unwrap();
    write(&source, "ALTER TABLE public.products ADD COLUMN late int; DELETE FROM public.orders WHERE id = 1").await;
    let error = bring_up_to_date(&source, &target, 2).await.unwrap_err().to_string();
    assert!(error.contains("products") && error.contains("other columns"), "{error}");
    let session = target.connect().await.unwrap();
    assert_eq!(count(&session, "SELECT count(*) FROM public.orders WHERE id = 1").await, 1);
}
