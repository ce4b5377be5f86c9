//! A slot keeps the giver's log until the receiver has confirmed it. Before that fills the disk and stops the server,
//! the slot is dropped: the follow is lost then, the application goes on.

use super::{Result, Sides, opposite, stream};
use crate::world::Side;

/// How much log a slot may keep.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bound {
    /// Bytes, whatever the disk.
    pub bytes: u64,
    /// Free bytes of the disk that holds the log, where somebody knows them (the server does not tell).
    pub free_disk: Option<u64>,
    /// The share of the free disk that may be taken, `0.5` for one half.
    pub share: f64,
}

impl Bound {
    /// The bytes that follow from both bounds.
    pub fn limit(&self) -> u64 {
        #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let of_disk = self.free_disk.map(|free| (free as f64 * self.share.clamp(0.0, 1.0)) as u64);
        of_disk.map_or(self.bytes, |of_disk| of_disk.min(self.bytes))
    }
}

/// What a slot keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Retained {
    /// There is no slot of this stream.
    NoSlot,
    /// Within the bound: bytes kept.
    Bytes(u64),
    /// It passed the bound and was dropped, or the server itself had given it up; what happened, and what to do.
    Dropped(String),
}

/// Looks at the slot of the stream from `giver`, and drops it if it passes the bound. Needs the giving side only; the
/// receiver's subscription is switched off where it is reached, so that it does not ask for the slot again and again.
pub async fn watchdog(sides: &Sides, giver: Side, bound: &Bound) -> Result<Retained> {
    let session = sides.session(giver).await?;
    let name = sides.stream(giver);
    let status = if session.version() >= 13 { "coalesce(wal_status, '')" } else { "''" };
    let sql = format!(
        "SELECT pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_lsn(), restart_lsn)::bigint, {status} = 'lost' \
         FROM pg_catalog.pg_replication_slots WHERE slot_name = $1"
    );
    let rows = session.rows(&sql, &[&name]).await?;
    let Some(row) = rows.first() else { return Ok(Retained::NoSlot) };
    let kept = u64::try_from(row.get::<_, Option<i64>>(0).unwrap_or_default()).unwrap_or(0);
    let lost: bool = row.get(1);
    let limit = bound.limit();
    if !lost && kept <= limit {
        session.close();
        return Ok(Retained::Bytes(kept));
    }
    stream::drop_slot(&session, &name).await?;
    if let Ok(receiver) = sides.session(opposite(giver)).await {
        stream::drop_subscription(&receiver, sides, giver).await?;
        receiver.close();
    }
    let why = if lost {
        "the server had given it up (max_slot_wal_keep_size)".to_owned()
    } else {
        format!("it kept {kept} bytes of the log, and {limit} were allowed")
    };
    let message = format!(
        "the slot {name} on {} was dropped: {why}. The application is not touched; the follow is over. Find out why the \
         other side did not keep up, then begin the follow anew, with a new copy",
        session.server()
    );
    session.close();
    Ok(Retained::Dropped(message))
}
