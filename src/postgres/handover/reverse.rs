//! The stream the other way round. It runs before the pause, with nothing but its marker row in it; what it carries of the
//! tables begins within the pause, at a moment at which the receiver has everything and nobody writes there: so nothing
//! that came from the giver goes back to it.

use std::time::Duration;

use super::prepare::Ready;
use crate::clients::postgres::Session;
use crate::postgres::follow::{self, Sides, opposite};
use crate::postgres::name::{ident, literal};
use crate::postgres::{Error, Result};
use crate::world::Side;

/// How long the receiver may take to make the slot, and the giver to read it.
const STARTS: Duration = Duration::from_secs(20);

/// Gets the stream to run, without tables, from wherever an earlier handover or try left it.
pub(super) async fn prepare(sides: &Sides, giver: Side, from: &Session, to: &Session) -> Result<()> {
    let receiver = opposite(giver);
    let stream = sides.stream(receiver);
    follow::drop_subscription(from, sides, receiver).await?;
    follow::drop_slot(to, &stream).await?;
    // Made while all tables are published: the subscription knows them from then on.
    follow::publish(to, sides, true).await?;
    follow::create_subscription(from, sides, receiver, false).await?;
    follow::publish(to, sides, false).await?;
    let within = STARTS.as_millis();
    let slot = format!("SELECT pg_catalog.pg_create_logical_replication_slot({}, 'pgoutput')", literal(&stream));
    to.run(&format!("SET statement_timeout = {within}")).await?;
    let made = to.run(&slot).await;
    to.run("SET statement_timeout = 0").await?;
    made?;
    let name = ident(&stream);
    from.run(&format!("ALTER SUBSCRIPTION {name} SET (slot_name = {})", literal(&stream))).await?;
    from.run(&format!("ALTER SUBSCRIPTION {name} ENABLE")).await?;
    prove(receiver, to, from, STARTS).await
}

/// Turns the stream round: the receiver hears no more from the giver, and sends it its tables. Proved by a marker row.
pub(super) async fn turn(sides: &Sides, giver: Side, ready: &Ready, within: Duration) -> Result<()> {
    let name = ident(&sides.stream(giver));
    ready.turner.run(&format!("ALTER SUBSCRIPTION {name} DISABLE")).await?;
    follow::publish(&ready.turner, sides, true).await?;
    prove(opposite(giver), &ready.turner, &ready.counter, within).await
}

async fn prove(writer: Side, from: &Session, to: &Session, within: Duration) -> Result<()> {
    let beat = follow::mark(from, writer).await?;
    if follow::wait_for_mark(to, writer, beat, within).await? {
        return Ok(());
    }
    let why = format!("{} did not read the stream back; its log says why", to.server());
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
