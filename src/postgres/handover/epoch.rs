//! The row `outgrow.epoch` on each side: whether the application writes here, since which handover, or no more. It is
//! altered in the transaction that opens the door, so that both stand or neither.

use crate::clients::postgres::Session;
use crate::postgres::Result;
use crate::postgres::fence::{self, Fenced};
use crate::world::Side;

/// What stands on one side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Standing {
    /// Of the epoch that it knows last.
    pub number: i64,
    /// `open`, `closed`, `received`.
    pub state: String,
}

/// Reads it; none where no follow was opened.
pub(super) async fn read(session: &Session) -> Result<Option<Standing>> {
    if !session.value::<bool>("SELECT to_regclass('outgrow.epoch') IS NOT NULL", &[]).await? {
        return Ok(None);
    }
    let rows = session.rows("SELECT number, state FROM outgrow.epoch LIMIT 1", &[]).await?;
    Ok(rows.first().map(|row| Standing { number: row.get(0), state: row.get(1) }))
}

/// Writes it, durably.
pub(super) async fn write(session: &Session, number: i64, state: &str) -> Result<()> {
    Ok(session.run(&format!("SET synchronous_commit = on; {}", sql(number, state))).await?)
}

fn sql(number: i64, state: &str) -> String {
    format!("UPDATE outgrow.epoch SET number = {number}, state = '{state}', since = now();")
}

/// The transaction that opens a side to the application, made beforehand. The new side's mark says so too: from then on
/// what is there is never wiped.
pub(super) async fn opening_sql(session: &Session, side: Side, number: i64, roles: &Fenced) -> Result<String> {
    let mark = mark_sql(session, side, "serving").await?;
    let roles = fence::unfence_sql(session, roles).await?;
    // The durable commit takes with it what the stream's worker applied without waiting for the disk.
    Ok(format!("BEGIN; SET LOCAL synchronous_commit = on; {mark} {roles} {} COMMIT", sql(number, "open")))
}

/// The transaction that shuts a side, made beforehand.
pub(super) async fn shutting_sql(session: &Session, number: i64, roles: &Fenced) -> Result<String> {
    let roles = fence::shut_sql(session, roles).await?;
    Ok(format!("BEGIN; SET LOCAL synchronous_commit = on; {} {roles} COMMIT", sql(number, "closed")))
}

/// The statement that sets the copy's mark on the new side; nothing on the old one, or where there is no mark.
pub(super) async fn mark_sql(session: &Session, side: Side, state: &str) -> Result<String> {
    let there: bool = session.value("SELECT to_regclass('outgrow.run') IS NOT NULL", &[]).await?;
    if side == Side::Old || !there {
        return Ok(String::new());
    }
    Ok(format!("UPDATE outgrow.run SET state = '{state}', since = now();"))
}
