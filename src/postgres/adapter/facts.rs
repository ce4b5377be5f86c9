//! From what the library sees to what the steps are told.

use std::collections::HashMap;
use std::sync::Mutex;

use super::{Endpoint, Session, failed};
use crate::clients::ClientResult;
use crate::postgres::copy::{self, Event, Progress as Tell};
use crate::postgres::observe::{self, Kind};
use crate::postgres::port::{Difference, Facts, Moved, Obstacle, Progress, TableFacts};
use crate::postgres::{Result, changed, fence, follow, marker, verify};
use crate::world::Side;

/// What stands in a database that is there.
pub async fn of(session: &Session, admin: &str, side: Side) -> Result<Facts> {
    let seen = observe::observe(session.endpoint()).await?;
    let mark = match side {
        Side::New => marker::read(session).await?,
        Side::Old => None,
    };
    let foreign_objects = side == Side::New && mark.is_none() && marker::user_objects(session).await?.is_some();
    let holds_rows = |kind: Kind| matches!(kind, Kind::Table | Kind::Partition);
    let table = |t: &observe::TableFact| TableFacts {
        name: t.name.to_string(),
        rows: u64::try_from(t.estimated_rows).unwrap_or(0),
        bytes: u64::try_from(t.bytes).unwrap_or(0),
    };
    // The administrator is fenced too where the application works as it: then it owns what is there.
    let admin_is_the_app = seen.tables.iter().any(|t| t.owner == admin);
    let is_app = |name: &str| {
        name != fence::ADMIN
            && name != follow::STREAM_ROLE
            && !(side == Side::New && name.starts_with("rds"))
            && (name != admin || admin_is_the_app)
    };
    Ok(Facts {
        version: short(&seen.version_text),
        bytes: u64::try_from(seen.bytes).unwrap_or(0),
        tables: seen.tables.iter().filter(|t| holds_rows(t.kind)).map(table).collect(),
        large_objects: (u64::try_from(seen.large_objects).unwrap_or(0), 0),
        app_roles: seen.roles.iter().map(|r| r.name.clone()).filter(|name| is_app(name)).collect(),
        obstacles: if side == Side::Old { seen.findings.iter().map(obstacle).collect() } else { Vec::new() },
        copied_by: mark.map(|m| m.run),
        foreign_objects,
    })
}

/// What stands on a server that has no such database yet: nothing.
pub async fn of_a_server_without_it(endpoint: &Endpoint) -> ClientResult<Facts> {
    let what = "look at the new database's server";
    let session = endpoint.with_database("postgres").connect().await.map_err(|e| failed(what, &e.into()))?;
    let version: String = session.value("SELECT version()", &[]).await.map_err(|e| failed(what, &e.into()))?;
    Ok(Facts {
        version: short(&version),
        bytes: 0,
        tables: Vec::new(),
        large_objects: (0, 0),
        app_roles: Vec::new(),
        obstacles: Vec::new(),
        copied_by: None,
        foreign_objects: false,
    })
}

/// `PostgreSQL 15.18 (Debian …) on …` → `15.18`.
fn short(version: &str) -> String {
    version.split_whitespace().nth(1).unwrap_or(version).to_owned()
}

/// An obstacle, in the port's words.
pub fn obstacle(found: &observe::Finding) -> Obstacle {
    Obstacle {
        what: if found.at.is_empty() { found.what.clone() } else { format!("{} ({})", found.what, found.at) },
        todo: found.advice.clone(),
        blocks: found.blocks,
    }
}

/// A difference, in the port's words.
pub fn told(found: verify::Difference) -> Difference {
    match found.first_keys.first() {
        Some(key) => Difference { table: found.table.to_string(), what: format!("{}; first key {key}", found.what) },
        None => Difference { table: found.table.to_string(), what: found.what },
    }
}

/// What a copy moved, in the port's words.
pub fn copied(report: &copy::Report) -> Moved {
    Moved {
        tables: report.tables.len() as u64,
        rows: report.tables.iter().map(|(_, rows)| rows).sum(),
        bytes: report.bytes,
    }
}

/// What a catch-up moved, in the port's words.
pub fn moved(report: &changed::Report) -> Moved {
    Moved { tables: report.tables.len() as u64, rows: report.tables.iter().map(|t| t.written).sum(), bytes: 0 }
}

/// Adds up the copy's news into bytes done of bytes in all.
pub struct Told<'a> {
    progress: Progress<'a>,
    sums: Mutex<(u64, u64, HashMap<String, u64>)>,
}

impl<'a> Told<'a> {
    /// Passes sums on to `progress`.
    pub fn new(progress: Progress<'a>) -> Self {
        Self { progress, sums: Mutex::default() }
    }
}

impl Tell for Told<'_> {
    fn tell(&self, event: Event) {
        let mut sums = self.sums.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        match event {
            Event::Total { bytes, .. } => sums.1 = u64::try_from(bytes).unwrap_or(0),
            Event::Moved { bytes, .. } => {
                sums.0 += bytes;
                (self.progress)("rows", sums.0, sums.1.max(sums.0));
            }
            Event::Phase(phase) => (self.progress)(&format!("{phase:?}").to_lowercase(), sums.0, sums.1.max(sums.0)),
            Event::Rows { .. } | Event::Built { .. } | Event::Resumed { .. } | Event::Waiting { .. } => {}
        }
    }
}
