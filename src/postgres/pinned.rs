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
        let session = self.endpoint.connect().await?;
        session
            .run(&format!(
                "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET TRANSACTION SNAPSHOT {}",
                literal(&self.snapshot)
            ))
            .await?;
        Ok(session)
    }

    /// Lets the moment go.
    pub fn close(self) {
        self.holder.close();
    }
}
