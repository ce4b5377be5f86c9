//! Following: from the copy's snapshot on, the receiving database gets every change by PostgreSQL's own logical
//! replication, until the handover, and after it the other way round.
//!
//! ```text
//! ready      what stands in the way, before anything is made
//! open       giver: replica identities, marker row, publication, slot and its snapshot   (the copy runs on it)
//! subscribe  receiver: subscription without initial copy, publication for the way back
//! lag        bytes, marker round trip, the worker's state     watch     a schema change meanwhile
//! watchdog   a slot that would fill the disk is dropped       tidy      everything removed, on both sides
//! ```
//! Everything made is found again by its name, which comes from the run's id, so that each of these may be repeated
//! after the process died anywhere in it.

mod identity;
mod lag;
mod marker_row;
mod open;
mod ready;
mod stream;
mod tidy;
mod watch;
mod watchdog;

use std::fmt::Write as _;

use secrecy::{ExposeSecret as _, SecretString};

use crate::clients::postgres::{Endpoint, Session};
use crate::world::Side;

use super::{Error, Result};

pub use identity::{Followed, Treatment};
pub use lag::{Lag, Worker, lag};
pub use open::{Opened, open, subscribe};
pub use ready::{Choices, Finding, ready};
pub use tidy::{Left, tidy};
pub use watch::schema_changes;
pub use watchdog::{Bound, Retained, watchdog};

pub(super) use lag::between;
pub(super) use marker_row::{mark, wait_for_mark};
pub(super) use open::begin;
pub use stream::Subscription;
pub(super) use stream::{create_subscription, drop_slot, drop_subscription, publish, subscription};
pub(super) use watch::{changes, recorded};

/// The role by which one server reads the other's stream.
pub const STREAM_ROLE: &str = "outgrow_stream";

/// Both databases of a run, and how each reaches the other.
#[derive(Clone, Debug)]
pub struct Sides {
    /// The run's id: the names of all that is made come from it.
    pub run: String,
    /// The box's.
    pub old: Place,
    /// RDS.
    pub new: Place,
    /// Of [`STREAM_ROLE`], on both servers. Plain ASCII; kept by the caller, so that a repeat gives the same one.
    pub stream_password: SecretString,
}

/// One of the two databases.
#[derive(Clone, Debug)]
pub struct Place {
    /// How outgrow reaches it: as a role that the fence never shuts out, since it owns the subscriptions (on the box
    /// [`super::fence::ADMIN`], on RDS the master user).
    pub admin: Endpoint,
    /// How the other server reaches it.
    pub seen: Seen,
}

/// A server's address as the other server sees it, in libpq's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Host name or address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// `disable`, `prefer`, `require`, `verify-full`.
    pub sslmode: String,
    /// A file with the authorities' certificates on the server that connects.
    pub root_certificate: Option<String>,
}

/// The other side.
pub fn opposite(side: Side) -> Side {
    match side {
        Side::Old => Side::New,
        Side::New => Side::Old,
    }
}

/// `old` or `new`, for names and messages.
pub fn word(side: Side) -> &'static str {
    match side {
        Side::Old => "old",
        Side::New => "new",
    }
}

impl Sides {
    /// One of the two.
    pub fn at(&self, side: Side) -> &Place {
        match side {
            Side::Old => &self.old,
            Side::New => &self.new,
        }
    }

    /// A session as the administrator.
    pub async fn session(&self, side: Side) -> Result<Session> {
        Ok(self.at(side).admin.connect().await?)
    }

    /// The name of the tables' publication, on either side.
    pub fn publication(&self) -> String {
        format!("outgrow_{}", slug(&self.run))
    }

    /// The name of the marker row's publication, on either side.
    pub fn marker_publication(&self) -> String {
        format!("{}_marker", self.publication())
    }

    /// The name of the stream from this side to the other: of its slot there and its subscription here.
    pub fn stream(&self, from: Side) -> String {
        format!("outgrow_{}_from_{}", slug(&self.run), word(from))
    }

    /// How the other server connects to this side. Holds the password.
    fn conninfo(&self, side: Side) -> String {
        let Place { admin, seen } = self.at(side);
        let port = seen.port.to_string();
        let mut text = String::new();
        let words = [
            ("host", seen.host.as_str()),
            ("port", &port),
            ("dbname", &admin.database),
            ("user", STREAM_ROLE),
            ("password", self.stream_password.expose_secret()),
            ("sslmode", &seen.sslmode),
            ("connect_timeout", "10"),
            // Else the server looks into the home it was started with, and fails where that is another user's.
            ("sslcert", "/nonexistent"),
            ("sslkey", "/nonexistent"),
        ];
        let root = seen.root_certificate.as_deref().map(|file| ("sslrootcert", file));
        for (name, value) in words.into_iter().chain(root) {
            let value = value.replace('\\', "\\\\").replace('\'', "\\'");
            let _ = write!(text, "{name}='{value}' ");
        }
        text
    }
}

/// A run's id as part of a slot's name: lower-case letters, digits and underscores, short, and still of this run alone.
fn slug(run: &str) -> String {
    const LONGEST: usize = 32;
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' };
    let text: String = run.chars().map(plain).collect();
    if text == run && text.len() <= LONGEST {
        return text;
    }
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, run.as_bytes());
    let text: String = text.chars().take(LONGEST - 9).collect();
    format!("{text}_{}", hex::encode(&digest.as_ref()[..4]))
}

/// Something about following that cannot be as it is.
fn cannot(server: &str, what: impl Into<String>, todo: &'static str) -> Error {
    Error::Follow { server: server.to_owned(), what: what.into(), todo }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_fit_for_a_slot_and_of_one_run_alone() {
        assert_eq!(slug("run1"), "run1");
        assert_ne!(slug("run-1"), slug("run_1"));
        for run in ["run-1", "2026-11-28T20:00Z/이사", &"x".repeat(99)] {
            let name = format!("outgrow_{}_from_old", slug(run));
            assert!(name.len() < 64, "{name}");
            assert!(name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_'), "{name}");
        }
    }
}
