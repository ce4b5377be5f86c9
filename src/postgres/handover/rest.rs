//! What no stream carries: sequences, large objects, tables without an identity, materialized views.

use std::time::{Duration, Instant};

use super::Request;
use super::prepare::Ready;
use crate::clients::postgres::Session;
use crate::postgres::catalog::USER_RELATIONS;
use crate::postgres::follow::opposite;
use crate::postgres::{Result, changed, large_objects, sequences};

/// Connections that compare the tables which no stream carries.
const JOBS: usize = 2;

/// Brings the large objects over while everybody still works, so that few are left for the pause. Says whether there are
/// any on either side.
pub(super) async fn large_objects_before(giver: &Session, receiver: &Session) -> Result<bool> {
    let count = "SELECT count(*) FROM pg_catalog.pg_largeobject_metadata";
    let (ours, theirs) = tokio::try_join!(giver.value::<i64>(count, &[]), receiver.value::<i64>(count, &[]))?;
    if ours + theirs == 0 {
        return Ok(false);
    }
    large_objects_now(giver, receiver).await?;
    Ok(true)
}

async fn large_objects_now(giver: &Session, receiver: &Session) -> Result<()> {
    receiver.run("BEGIN; SET LOCAL synchronous_commit = on").await?;
    if let Err(error) = large_objects::bring(giver, receiver).await {
        // The session goes on to be used by whoever opens the giver again.
        let _ = receiver.run("ROLLBACK").await;
        return Err(error);
    }
    Ok(receiver.run("COMMIT").await?)
}

/// Refreshes the receiver's materialized views; returns those, in order, that fit into `budget` once more.
pub(super) async fn refresh_before(receiver: &Session, budget: Duration) -> Result<Vec<String>> {
    let sql = format!(
        "SELECT format('REFRESH MATERIALIZED VIEW %I.%I', n.nspname, c.relname) FROM pg_catalog.pg_class c \
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'm' AND c.relispopulated \
         AND {USER_RELATIONS} ORDER BY c.oid"
    );
    let (mut fit, mut spent) = (Vec::new(), Duration::ZERO);
    for row in receiver.rows(&sql, &[]).await? {
        let statement: String = row.get(0);
        let began = Instant::now();
        receiver.run(&statement).await?;
        spent += began.elapsed();
        if spent <= budget {
            fit.push(statement);
        }
    }
    Ok(fit)
}

/// Brings the rest over, under the fence.
pub(super) async fn bring(request: &Request<'_>, ready: &Ready) -> Result<()> {
    let (giver, receiver) = (&ready.giver, &ready.receiver);
    let wanted = sequences::read_these(giver, &ready.sequences).await?;
    sequences::set_ahead(receiver, &wanted, request.limits.sequence_gap).await?;
    if ready.large_objects {
        large_objects_now(giver, receiver).await?;
    } else {
        // One that came meanwhile is not passed over.
        large_objects_before(giver, receiver).await?;
    }
    if !ready.under_fence.is_empty() {
        let (from, to) = (request.sides.at(request.giver), request.sides.at(opposite(request.giver)));
        changed::bring_tables(&from.admin, &to.admin, &ready.under_fence, JOBS).await?;
    }
    for statement in &ready.views {
        receiver.run(statement).await?;
    }
    Ok(())
}
