//! A moment of a database, held still: one idle session exports its snapshot, any number of others read on it.

use crate::clients::postgres::{Endpoint, Session};

use super::Result;
use super::name::literal;

/// An exported snapshot; it lives as long as this value.
#[derive(Debug)]
pub struct Pinned {
    endpoint: Endpoint,
    holder: Session,
    snapshot: String,
}

impl Pinned {
    /// Pins the present moment of this database.
    pub async fn open(endpoint: &Endpoint) -> Result<Self> {
        let holder = endpoint.connect().await?;
        holder.run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
        let snapshot = holder.value("SELECT pg_export_snapshot()", &[]).await?;
        Ok(Self { endpoint: endpoint.clone(), holder, snapshot })
    }

    /// Pins the moment that somebody else's exported snapshot shows, such as that of a new replication slot. It is held
    /// by an ordinary session of our own under a name of its own, so that it outlives whoever exported it first.
    pub async fn at(endpoint: &Endpoint, snapshot: &str) -> Result<Self> {
        let holder = begin_at(endpoint, snapshot).await?;
        let snapshot = holder.value("SELECT pg_export_snapshot()", &[]).await?;
        Ok(Self { endpoint: endpoint.clone(), holder, snapshot })
    }

    /// Pins the present moment in a session that is open already, in one round trip.
    pub async fn on(holder: Session) -> Result<Self> {
        let sql = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SELECT pg_catalog.pg_export_snapshot() AS name";
        let answer = holder.texts(sql).await?;
        let snapshot = answer.first().and_then(|row| row.get("name").cloned()).unwrap_or_default();
        Ok(Self { endpoint: holder.endpoint().clone(), holder, snapshot })
    }

    /// The session that holds the snapshot; it reads the pinned moment too.
    pub fn holder(&self) -> &Session {
        &self.holder
    }

    /// The snapshot's name, for `pg_dump --snapshot`.
    pub fn snapshot(&self) -> &str {
        &self.snapshot
    }

    /// Which database.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// One more session that reads this very moment.
    pub async fn session(&self) -> Result<Session> {
        begin_at(&self.endpoint, &self.snapshot).await
    }

    /// The statements that begin a transaction at this very moment.
    pub(super) fn begin_sql(&self) -> String {
        begin_sql(&self.snapshot)
    }

    /// Lets the moment go.
    pub fn close(self) {
        self.holder.close();
    }
}

/// The statements that begin a transaction on an exported snapshot.
fn begin_sql(snapshot: &str) -> String {
    let name = literal(snapshot);
    format!("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET TRANSACTION SNAPSHOT {name}")
}

async fn begin_at(endpoint: &Endpoint, snapshot: &str) -> Result<Session> {
    let session = endpoint.connect().await?;
    session.run(&begin_sql(snapshot)).await?;
    Ok(session)
}
