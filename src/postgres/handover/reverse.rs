//! The stream the other way round: made within the pause, at a moment at which the receiver has everything and nobody
//! writes there, so that it carries nothing that came from the giver.

use std::time::Duration;

use super::prepare::Ready;
use crate::clients::postgres::Session;
use crate::postgres::follow::{self, Sides, opposite};
use crate::postgres::name::{ident, literal};
use crate::postgres::{Error, Result};
use crate::world::Side;

/// Turns the stream round, and proves by a marker row that it runs.
pub(super) async fn turn(sides: &Sides, giver: Side, ready: &Ready, within: Duration) -> Result<()> {
    let to = opposite(giver);
    let (ours, theirs) = (sides.stream(giver), sides.stream(to));
    let make = format!(
        "ALTER SUBSCRIPTION {} DISABLE; SELECT pg_catalog.pg_create_logical_replication_slot({}, 'pgoutput')",
        ident(&ours),
        literal(&theirs)
    );
    // Two statements, each its own transaction: a slot is not made in one that wrote.
    for statement in make.split("; ") {
        ready.turner.run(statement).await?;
    }
    let name = ident(&theirs);
    ready
        .counter
        .run(&format!(
            "ALTER SUBSCRIPTION {name} SET (slot_name = {}); ALTER SUBSCRIPTION {name} ENABLE",
            literal(&theirs)
        ))
        .await?;
    let beat = follow::mark(&ready.turner, to).await?;
    if follow::wait_for_mark(&ready.counter, to, beat, within).await? {
        return Ok(());
    }
    let why = "the giving side's server did not read the stream back; its log says why".to_owned();
    Err(Error::Late { part: "reverse stream", within, why })
}

/// Switches the reverse stream off on the giver, before it is opened again: it would get its own rows back. Needs
/// nobody but the giver.
pub(super) async fn off(giver_session: &Session, sides: &Sides, giver: Side) -> Result<()> {
    let to = opposite(giver);
    let Some(found) = follow::subscription(giver_session, sides, to).await? else { return Ok(()) };
    let name = ident(&sides.stream(to));
    if found.enabled {
        giver_session.run(&format!("ALTER SUBSCRIPTION {name} DISABLE")).await?;
    }
    if found.slot.is_some() {
        giver_session.run(&format!("ALTER SUBSCRIPTION {name} SET (slot_name = NONE)")).await?;
    }
    Ok(())
}
