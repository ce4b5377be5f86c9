//! The parts of a handover, and how long each took.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

/// A part of the pause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// Clients are made to wait.
    Hold,
    /// The giver's tables are locked against writes.
    Lock,
    /// The receiver gets all that was written.
    Drain,
    /// The application is shut out of the giver.
    Fence,
    /// Sequences, large objects, tables without a stream, materialized views.
    Rest,
    /// Small tables are compared.
    Verify,
    /// The stream the other way round runs.
    Reverse,
    /// The epoch is put on record.
    OnRecord,
    /// The receiver is opened.
    Open,
    /// Clients go on.
    Release,
}

impl Part {
    /// Every part, in order.
    pub const ALL: [Self; 10] = [
        Self::Hold,
        Self::Lock,
        Self::Drain,
        Self::Fence,
        Self::Rest,
        Self::Verify,
        Self::Reverse,
        Self::OnRecord,
        Self::Open,
        Self::Release,
    ];

    /// Its name in a message.
    pub fn word(self) -> &'static str {
        match self {
            Self::Hold => "hold",
            Self::Lock => "lock",
            Self::Drain => "drain",
            Self::Fence => "fence",
            Self::Rest => "sequences and the rest",
            Self::Verify => "verify",
            Self::Reverse => "reverse stream",
            Self::OnRecord => "epoch on record",
            Self::Open => "open",
            Self::Release => "release",
        }
    }
}

/// One part's time. The reverse stream is made while the giver is fenced, so parts overlap.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PartTime {
    /// Which.
    pub part: Part,
    /// When it began, in milliseconds since the pause began.
    pub began_ms: f64,
    /// How long it took, in milliseconds.
    pub took_ms: f64,
}

/// How long the pause took, in milliseconds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Timings {
    /// From before the hold until the clients go on.
    pub pause_ms: f64,
    /// Each part.
    pub parts: Vec<PartTime>,
}

/// Takes the times, from several parts at once.
#[derive(Debug)]
pub(super) struct Clock {
    began: Instant,
    parts: Mutex<Vec<PartTime>>,
}

impl Clock {
    pub(super) fn start() -> Self {
        Self { began: Instant::now(), parts: Mutex::default() }
    }

    pub(super) fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// Notes that a part which began then is done.
    pub(super) fn note(&self, part: Part, began: Instant) {
        let began_ms = millis(began.saturating_duration_since(self.began));
        let time = PartTime { part, began_ms, took_ms: millis(began.elapsed()) };
        self.parts.lock().unwrap_or_else(PoisonError::into_inner).push(time);
    }

    pub(super) fn timings(&self) -> Timings {
        let parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Timings { pause_ms: millis(self.elapsed()), parts }
    }
}

fn millis(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1_000_000.0).round() / 1000.0
}
