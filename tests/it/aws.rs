//! The contract of the AWS clients, over the wire: one table, held against the rehearsal's cloud and, as a second
//! opinion, against moto. What only the rehearsal's cloud can do (faults, a clock) is in `failures`.
#![allow(clippy::unwrap_used)] // helpers of tests are tests

#[path = "aws/balancer.rs"]
mod balancer;
#[path = "aws/certificates.rs"]
mod certificates;
#[path = "aws/distributions.rs"]
mod distributions;
#[path = "aws/dns.rs"]
mod dns;
#[path = "aws/failures.rs"]
mod failures;
#[path = "aws/ground.rs"]
mod ground;
#[path = "aws/instances.rs"]
mod instances;
#[path = "aws/metrics.rs"]
mod metrics;
#[path = "aws/moto.rs"]
mod moto;
#[path = "aws/objects.rs"]
mod objects;
#[path = "aws/table.rs"]
mod table;
#[path = "aws/uploads.rs"]
mod uploads;

use table::{Moto, Row};

/// Every row of the contract.
fn rows() -> Vec<Row> {
    [instances::ROWS, metrics::ROWS, objects::ROWS, dns::ROWS, balancer::ROWS, certificates::ROWS, distributions::ROWS]
        .concat()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rehearsals_cloud_keeps_the_contract() {
    let here = ground::Here::new().await;
    let broken = table::broken(&rows(), &here.ground).await;
    assert!(broken.is_empty(), "{broken:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn moto_keeps_it_too_where_the_table_says_so_and_nowhere_else() {
    let moto = moto::Server::start();
    let ground = ground::of(&moto.endpoint).await;
    let broken: Vec<_> = table::broken(&rows(), &ground).await.into_iter().map(|(name, _)| name).collect();
    let (differing, same): (Vec<_>, Vec<_>) =
        rows().into_iter().partition(|row| matches!(row.moto, Moto::Differs { .. }));
    let more: Vec<_> = same.iter().filter(|row| broken.contains(&row.name)).map(|row| row.name).collect();
    let fewer: Vec<_> = differing.iter().filter(|row| !broken.contains(&row.name)).map(|row| row.name).collect();
    assert!(
        more.is_empty() && fewer.is_empty(),
        "differs, and the table does not say so: {more:#?}\nno longer differs: {fewer:#?}"
    );
}

#[test]
fn every_row_has_its_own_name_and_every_difference_its_reason() {
    let rows = rows();
    let names: std::collections::BTreeSet<_> = rows.iter().map(|row| row.name).collect();
    assert!(names.len() == rows.len() && rows.len() > 25, "{} rows, {} names", rows.len(), names.len());
    for row in &rows {
        assert!(!row.what.is_empty(), "{}", row.name);
        if let Moto::Differs { how, why } = row.moto {
            assert!(how.len() > 10 && why.len() > 10, "{}", row.name);
        }
    }
}
