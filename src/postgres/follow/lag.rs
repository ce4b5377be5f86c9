//! How far the receiver is behind, and how its worker fares.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::{Result, Sides, marker_row, opposite};
use crate::clients::postgres::Session;
use crate::world::Side;

/// How the receiver's worker fares.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Worker {
    /// It reads and applies.
    Running,
    /// It is wanted, and not there at the moment: it starts again every few seconds. The last error stands in the
    /// receiving server's log.
    Restarting,
    /// The subscription is switched off, by the server over an error or by somebody.
    Disabled,
    /// There is no subscription.
    Missing,
}

/// How far the receiver is behind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lag {
    /// Bytes of the giver's log that the receiver has not confirmed; none if the slot is gone.
    pub bytes: Option<u64>,
    /// How long a marker row took to arrive; none if it did not in the time given.
    pub round_trip: Option<Duration>,
    /// The worker.
    pub worker: Worker,
    /// Errors of the worker since the subscription was made, where the receiver counts them (PostgreSQL 15 and later).
    pub errors: Option<i64>,
}

impl Lag {
    /// Why the stream cannot be relied upon now, in words; none if it runs.
    pub fn trouble(&self) -> Option<String> {
        let errors = match self.errors {
            Some(errors) if errors > 0 => {
                format!(", {errors} errors so far (they stand in the receiving server's log)")
            }
            _ => String::new(),
        };
        match (&self.worker, self.bytes, self.round_trip) {
            (Worker::Missing, ..) => Some("there is no subscription".to_owned()),
            (_, None, _) => Some("the slot is gone, and with it a part of the stream: copy anew".to_owned()),
            (Worker::Disabled, ..) => Some(format!("the subscription is disabled{errors}")),
            (Worker::Restarting, ..) => Some(format!("the subscription's worker does not stay{errors}")),
            (Worker::Running, Some(bytes), None) => Some(format!("it is {bytes} bytes behind{errors}")),
            (Worker::Running, Some(_), Some(_)) => None,
        }
    }
}

/// Measures the stream from `giver`: writes a marker row and waits for it, `patience` at most.
///
/// # Errors
/// Either server not reached, or no follow opened.
pub async fn lag(sides: &Sides, giver: Side, patience: Duration) -> Result<Lag> {
    let (from, to) = tokio::try_join!(sides.session(giver), sides.session(opposite(giver)))?;
    let lag = between(&from, &to, sides, giver, patience).await?;
    from.close();
    to.close();
    Ok(lag)
}

pub async fn between(from: &Session, to: &Session, sides: &Sides, giver: Side, patience: Duration) -> Result<Lag> {
    let name = sides.stream(giver);
    let begun = Instant::now();
    let beat = marker_row::mark(from, giver).await?;
    let arrived = marker_row::wait_for_mark(to, giver, beat, patience).await?;
    let round_trip = arrived.then(|| begun.elapsed());
    let behind = "SELECT pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_lsn(), confirmed_flush_lsn)::bigint \
        FROM pg_catalog.pg_replication_slots WHERE slot_name = $1 AND coalesce(wal_status, '') <> 'lost'";
    // Version 12 keeps no such status: there a slot is never lost while it is listed.
    let behind =
        if from.version() >= 13 { behind.to_owned() } else { behind.replace("coalesce(wal_status, '')", "''") };
    let bytes = from.rows(&behind, &[&name]).await?.first().map(|row| row.get::<_, Option<i64>>(0).unwrap_or_default());
    let worker = "SELECT s.subenabled, EXISTS (SELECT 1 FROM pg_catalog.pg_stat_subscription a WHERE a.subid = s.oid \
        AND a.pid IS NOT NULL) FROM pg_catalog.pg_subscription s WHERE s.subname = $1";
    let worker = match to.rows(worker, &[&name]).await?.first() {
        None => Worker::Missing,
        Some(row) if !row.get::<_, bool>(0) => Worker::Disabled,
        Some(row) if !row.get::<_, bool>(1) => Worker::Restarting,
        Some(_) => Worker::Running,
    };
    let mut errors = None;
    if to.version() >= 15 {
        let sql =
            "SELECT apply_error_count + sync_error_count FROM pg_catalog.pg_stat_subscription_stats WHERE subname = $1";
        errors = to.rows(sql, &[&name]).await?.first().map(|row| row.get(0));
    }
    Ok(Lag { bytes: bytes.map(|bytes| u64::try_from(bytes).unwrap_or(0)), round_trip, worker, errors })
}
