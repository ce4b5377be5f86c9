//! What "as before" means: everything a rollback must bring back, as JSON that is equal when it is.

mod aws;
mod database;
mod engine;

use serde_json::{Value, json};

use super::{Result, World};

/// Takes it. `as_of` is the `snapshot` of an earlier one: rows are then looked at as far as they were there already,
/// so that what visitors wrote in the meantime is no difference.
pub async fn take(world: &World, as_of: Option<&str>) -> Result<Value> {
    let (copy, old, new) = tokio::try_join!(
        engine::of(world),
        database::old(world, as_of),
        database::new(world),
    )?;
    Ok(json!({
        "box": copy,
        "records": aws::records(world),
        "balancer": aws::balancer(world),
        "bucket": aws::bucket(world),
        "old_database": old.content,
        "new_database": new,
        "snapshot": old.snapshot,
    }))
}
