//! The stream's beginning: what the giving side needs, the slot and its snapshot; then, once the copy on that snapshot
//! is whole, the receiving side's subscription.

use std::time::Duration;

use super::{Choices, Followed, Result, Sides, Treatment, cannot, identity, marker_row, opposite, stream, watch, word};
use crate::clients::postgres::{Replication, Session};
use crate::postgres::name::literal;
use crate::postgres::pinned::Pinned;
use crate::world::Side;

/// How long the transactions that were open when the slot was asked for may take to end.
const OTHERS_END: Duration = Duration::from_mins(1);

/// A stream that has begun: from this moment on nothing is missed.
#[derive(Debug)]
pub struct Opened {
    /// The moment at which it begins, for the copy. Held by a session of its own.
    pub pinned: Pinned,
    /// What is followed, and how.
    pub tables: Vec<Followed>,
    /// The slot's beginning in the log.
    pub consistent_point: String,
}

/// Opens the stream old → new: replica identities, marker row, publication, role, slot. The slot keeps the server's log
/// from now on, see [`super::watchdog`]. A repeat begins anew, with a new moment: what was copied on an earlier one
/// is worth nothing then.
///
/// # Errors
/// [`crate::postgres::Error::Follow`] if a table fits no treatment, a subscription reads the slot already, or an open
/// transaction does not end within a minute.
pub async fn open(sides: &Sides, choices: &Choices) -> Result<Opened> {
    let session = sides.session(Side::Old).await?;
    let tables = identity::followed(&session, choices.whole_row, choices.under_fence_at_most).await?;
    for table in &tables {
        if let Treatment::Refused(why) = &table.treatment {
            let todo = "give it a primary key, allow whole rows as identity, or move it by dump and restore";
            return Err(cannot(session.server(), format!("table {} is {why}", table.name), todo));
        }
    }
    marker_row::make_tables(&session).await?;
    first_epoch(&session).await?;
    let shapes = watch::shapes(&session).await?;
    watch::record(&session, &tables, &shapes).await?;
    identity::set(&session, &tables).await?;
    stream::make_role(&session, sides).await?;
    stream::make_publications(&session, sides, Side::Old, &tables).await?;
    let name = sides.stream(Side::Old);
    refuse_if_read(&session, sides, &name).await?;
    stream::drop_slot(&session, &name).await?;
    let replication = Replication::connect(&sides.old.admin).await?;
    let Ok(slot) = tokio::time::timeout(OTHERS_END, replication.create_slot(&name)).await else {
        let what = format!("the slot {name} was not made within {} s", OTHERS_END.as_secs());
        return Err(cannot(session.server(), what, "end the transactions that have been open that long, then repeat"));
    };
    let slot = slot?;
    let pinned = Pinned::at(&sides.old.admin, &slot.snapshot).await?;
    // The moment is held under a name of its own now.
    replication.close();
    session.close();
    Ok(Opened { pinned, tables, consistent_point: slot.consistent_point })
}

/// A slot that a subscription reads is not thrown away: its stream would have a hole.
async fn refuse_if_read(session: &Session, sides: &Sides, name: &str) -> Result<()> {
    let sql = "SELECT coalesce(bool_or(active), false) FROM pg_catalog.pg_replication_slots WHERE slot_name = $1";
    if !session.value::<bool>(sql, &[&name]).await? {
        return Ok(());
    }
    let receiver = sides.session(Side::New).await?;
    if stream::subscription(&receiver, sides, Side::Old).await?.is_some_and(|found| found.enabled) {
        let what = format!("the new database already follows by the slot {name}");
        return Err(cannot(session.server(), what, "go on with it, or tidy it up before you begin anew"));
    }
    Ok(())
}

/// The old side is the first writer.
async fn first_epoch(session: &Session) -> Result<()> {
    let sql =
        "INSERT INTO outgrow.epoch (number, state) SELECT 1, 'open' WHERE NOT EXISTS (SELECT 1 FROM outgrow.epoch)";
    Ok(session.run(sql).await?)
}

/// Subscribes the new side to the stream, once the copy on its snapshot is whole; makes what the way back will need. A
/// subscription that is there already goes on where it stands.
///
/// # Errors
/// [`crate::postgres::Error::Follow`] if the new server cannot reach the old one, or the slot is gone.
pub async fn subscribe(sides: &Sides) -> Result<()> {
    let (giver, receiver) = tokio::try_join!(sides.session(Side::Old), sides.session(Side::New))?;
    let known = watch::recorded(&giver).await?;
    if known.is_empty() {
        return Err(cannot(giver.server(), "no follow was opened here", "open it, copy on its moment, then subscribe"));
    }
    let (tables, shapes): (Vec<_>, Vec<_>) = known.into_iter().unzip();
    let shapes = tables.iter().map(|table: &Followed| table.name.clone()).zip(shapes).collect();
    marker_row::make_tables(&receiver).await?;
    let sql =
        "INSERT INTO outgrow.epoch (number, state) SELECT 0, 'closed' WHERE NOT EXISTS (SELECT 1 FROM outgrow.epoch)";
    receiver.run(sql).await?;
    watch::record(&receiver, &tables, &shapes).await?;
    identity::set(&receiver, &tables).await?;
    stream::make_role(&receiver, sides).await?;
    stream::make_publications(&receiver, sides, Side::New, &tables).await?;
    begin(&giver, &receiver, sides, Side::Old).await?;
    giver.close();
    receiver.close();
    Ok(())
}

/// Sees to it that the receiver reads the stream from `from`.
pub async fn begin(giver: &Session, receiver: &Session, sides: &Sides, from: Side) -> Result<()> {
    let name = sides.stream(from);
    let sql = "SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_replication_slots WHERE slot_name = $1)";
    if !giver.value::<bool>(sql, &[&name]).await? {
        let what = format!("the slot {name} is gone, and with it a part of the stream");
        return Err(cannot(giver.server(), what, "begin the follow anew, with a new copy"));
    }
    match stream::subscription(receiver, sides, from).await? {
        None => stream::create_subscription(receiver, sides, from, true).await?,
        Some(found) if found.enabled && found.slot.as_deref() == Some(&name) => {}
        Some(_) => {
            let quoted = crate::postgres::name::ident(&name);
            let set = format!("ALTER SUBSCRIPTION {quoted} SET (slot_name = {})", literal(&name));
            receiver.run(&set).await?;
            receiver.run(&format!("ALTER SUBSCRIPTION {quoted} ENABLE")).await?;
        }
    }
    tracing::debug!(from = word(from), to = word(opposite(from)), slot = %name, "subscribed");
    Ok(())
}
