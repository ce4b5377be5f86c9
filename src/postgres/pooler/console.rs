//! PgBouncer's admin console: a few words over the simple query protocol.

use crate::clients::postgres::{Endpoint, Session};
use crate::postgres::Result;
use crate::postgres::name::ident;

/// An open console.
#[derive(Debug)]
pub struct Console {
    session: Session,
}

/// One of the pooler's pools.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolState {
    /// The database's name at the pooler.
    pub database: String,
    /// The role.
    pub user: String,
    /// Clients with a server's session.
    pub active: u64,
    /// Clients that wait for one.
    pub waiting: u64,
}

impl Console {
    /// Connects.
    pub async fn open(endpoint: &Endpoint) -> Result<Self> {
        Ok(Self { session: endpoint.connect_bare().await? })
    }

    pub(super) fn on(session: Session) -> Self {
        Self { session }
    }

    pub(super) fn into_session(self) -> Session {
        self.session
    }

    /// The pooler's version, `1.18.0`.
    pub async fn version(&self) -> Result<String> {
        let rows = self.session.texts("SHOW VERSION").await?;
        let text = rows.first().and_then(|row| row.get("version").cloned()).unwrap_or_default();
        Ok(text.split_whitespace().last().unwrap_or_default().to_owned())
    }

    /// Lets no new statement begin; returns when every server's session is free and closed. Clients wait.
    pub async fn pause(&self) -> Result<()> {
        Ok(self.session.run("PAUSE").await?)
    }

    /// Closes every client's and server's session of this database; new clients wait.
    pub async fn kill(&self, database: &str) -> Result<()> {
        Ok(self.session.run(&format!("KILL {}", ident(database))).await?)
    }

    /// Reads the configuration anew.
    pub async fn reload(&self) -> Result<()> {
        Ok(self.session.run("RELOAD").await?)
    }

    /// Lets the clients go on; right if they were not held, whichever way they were.
    pub async fn resume(&self, database: &str) -> Result<()> {
        for sql in ["RESUME".to_owned(), format!("RESUME {}", ident(database))] {
            match self.session.run(&sql).await {
                Err(error) if error.is_lost() => return Err(error.into()),
                // "not paused": it is not told by a code of its own.
                Ok(()) | Err(_) => {}
            }
        }
        Ok(())
    }

    /// The host that clients of this database are sent to.
    pub async fn host_of(&self, database: &str) -> Result<Option<String>> {
        let rows = self.session.texts("SHOW DATABASES").await?;
        let found = rows.iter().find(|row| row.get("name").is_some_and(|name| name == database));
        Ok(found.and_then(|row| row.get("host").cloned()))
    }

    /// Who is connected and who waits.
    pub async fn pools(&self) -> Result<Vec<PoolState>> {
        let rows = self.session.texts("SHOW POOLS").await?;
        let pool = |row: &std::collections::BTreeMap<String, String>| {
            let word = |name: &str| row.get(name).cloned().unwrap_or_default();
            let number = |name: &str| row.get(name).and_then(|text| text.parse().ok()).unwrap_or(0);
            PoolState {
                database: word("database"),
                user: word("user"),
                active: number("cl_active"),
                waiting: number("cl_waiting"),
            }
        };
        Ok(rows.iter().map(pool).collect())
    }

    /// How many clients are connected to this database.
    pub async fn clients(&self, database: &str) -> Result<usize> {
        let rows = self.session.texts("SHOW CLIENTS").await?;
        Ok(rows.iter().filter(|row| row.get("database").is_some_and(|name| name == database)).count())
    }

    /// Ends the console in good order.
    pub fn close(self) {
        self.session.close();
    }
}
