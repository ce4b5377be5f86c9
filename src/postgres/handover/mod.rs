//! The handover: the moment in which the writable database changes, over a stream that runs, in either direction.
//!
//! ```text
//! hold → lock → drain ┬→ fence → sequences, large objects, … → verify ┬→ on record → open → release
//!                     └→ reverse stream, proven by a marker row       ┘
//! ```
//! Whatever fails before the receiver is opened opens the giver again, and nothing is lost: the receiver has taken no
//! write. Where a process died stands in the two databases themselves ([`stands`]); [`recover`] goes on from there.

mod check;
mod epoch;
mod hold;
mod parts;
mod pause;
mod prepare;
mod recover;
mod rest;
mod reverse;
mod stand;

use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::Error;
use super::fence::Fenced;
use super::follow::Sides;
use crate::world::Side;

pub use check::Afterwards;
pub use hold::{Hold, NoHold};
pub use parts::{Part, PartTime, Timings};
pub use recover::recover;
pub use stand::{Stand, stands};

/// Since which handover a side is the writer. Numbers only ever rise; the open side with the highest is the writer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Epoch {
    /// Its number.
    pub number: i64,
    /// Who takes the application's writes in it.
    pub writer: Side,
}

/// What the caller keeps, and may want to know.
#[async_trait]
pub trait Record: Send + Sync {
    /// Puts on record that the epoch begins. Only when this has returned, durably, is the receiver opened.
    async fn epoch(&self, epoch: Epoch) -> std::io::Result<()>;

    /// A part begins. An error stops the handover, which opens the giver again.
    async fn entering(&self, part: Part) -> std::io::Result<()> {
        let _ = part;
        Ok(())
    }
}

/// What the pause may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The whole pause up to the opening; an overrun opens the giver again.
    pub hold_at_most: Duration,
    /// One try for the tables' locks; between tries the application goes on.
    pub lock_timeout: Duration,
    /// The marker's round trip that the handover begins with at most: a stream further behind is not drained in time.
    pub lag_at_most: Duration,
    /// How far sequences are set ahead of where they stood.
    pub sequence_gap: i64,
    /// Tables up to so many bytes in all are verified inside the pause, smallest first; all of them after it.
    pub verify_at_most: i64,
    /// Materialized views that took up to so long in all right before the pause are refreshed in it once more.
    pub refresh_at_most: Duration,
    /// How long fenced sessions may take to end.
    pub eviction: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            hold_at_most: Duration::from_secs(5),
            lock_timeout: Duration::from_millis(300),
            lag_at_most: Duration::from_millis(500),
            sequence_gap: 32,
            verify_at_most: 256 << 10,
            refresh_at_most: Duration::from_millis(20),
            eviction: Duration::from_secs(3),
        }
    }
}

/// A handover to be made.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// Both databases.
    pub sides: &'a Sides,
    /// Who gives the writes away.
    pub giver: Side,
    /// The application's roles, as they were before any fence. Neither side's administrator may be among them.
    pub roles: &'a Fenced,
    /// Who makes the clients wait meanwhile.
    pub hold: &'a dyn Hold,
    /// What is kept of it.
    pub record: &'a dyn Record,
    /// What it may take.
    pub limits: Limits,
}

/// A handover that was made.
#[derive(Debug)]
pub struct Handed {
    /// The epoch that began.
    pub epoch: Epoch,
    /// How long each part took.
    pub timings: Timings,
    /// The comparison of everything, at the moment of the handover; drop it to do without.
    pub afterwards: Afterwards,
}

/// A handover that was not made.
#[derive(Debug, thiserror::Error)]
pub enum Failed {
    /// It never began; the application noticed nothing.
    #[error("the handover did not begin: {0}")]
    NotBegun(#[source] Error),
    /// It began, and the side that had the writes has them still; nothing is lost.
    #[error("the handover was broken off and the {side} database takes the writes again: {why}")]
    Reopened {
        /// Who has the writes.
        side: &'static str,
        /// Why.
        #[source]
        why: Error,
    },
    /// How it ended is not known, or the giver could not be opened again: see [`recover`].
    #[error(
        "the handover stopped half-way and it is not known who takes the writes: {0}; repeat to find out and go on"
    )]
    InDoubt(#[source] Error),
}

/// Hands the writes over to the other side. What can be done beforehand is done before anybody waits; what is left of
/// the old stream is removed after everybody goes on. An earlier try that was killed is brought to an end first.
///
/// # Errors
/// [`Failed`] says who has the writes.
pub async fn hand_over(request: &Request<'_>) -> Result<Handed, Failed> {
    let ready = Box::pin(prepare::prepare(request)).await.map_err(Failed::NotBegun)?;
    let handed = Box::pin(pause::pause(request, ready)).await?;
    // The receiver serves; what fails here is found and finished by the next repeat, and does no harm meanwhile.
    if let Err(error) = recover::finish(request.sides, request.giver).await {
        tracing::warn!(%error, "the old stream is not removed yet");
    }
    Ok(handed)
}
