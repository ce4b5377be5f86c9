//! Facts of a server and a database, read without changing anything, and what about them does not survive the move.

mod findings;

use serde::{Deserialize, Serialize};

use crate::clients::postgres::{Endpoint, Session};

use super::Result;
use super::catalog::USER_RELATIONS;
use super::name::TableName;
use super::sequences::{self, Sequence};

pub use findings::Finding;

/// What a relation that holds or groups rows is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A plain table.
    Table,
    /// A partition that holds rows.
    Partition,
    /// A table without rows of its own.
    Partitioned,
    /// A stored query.
    MaterializedView,
    /// A table on another server.
    Foreign,
}

/// A relation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableFact {
    /// Its name.
    pub name: TableName,
    /// What it is.
    pub kind: Kind,
    /// Rows as the server's statistics guess; negative when it never looked.
    pub estimated_rows: i64,
    /// Bytes with indexes and out-of-line values.
    pub bytes: i64,
    /// Whether it has a primary key.
    pub primary_key: bool,
    /// Who owns it.
    pub owner: String,
    /// Whether its rows are lost in a crash.
    pub unlogged: bool,
}

/// A role that can log in.
#[allow(clippy::struct_excessive_bools)] // the catalog's own independent flags
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleFact {
    /// Its name.
    pub name: String,
    /// Whether it is a superuser.
    pub superuser: bool,
    /// Whether it may make databases.
    pub create_databases: bool,
    /// Whether it may make roles.
    pub create_roles: bool,
    /// Whether it may replicate.
    pub replication: bool,
    /// How many sessions it may have; -1 without limit.
    pub connection_limit: i32,
    /// How many sessions it has now.
    pub sessions: i64,
}

/// All that is known of a database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// The server's major version.
    pub version: u32,
    /// The server's full version.
    pub version_text: String,
    /// Bytes of the database.
    pub bytes: i64,
    /// Character encoding.
    pub encoding: String,
    /// Default collation.
    pub collation: String,
    /// Who defines the collation: `libc`, `icu` or `builtin`.
    pub collation_provider: String,
    /// The provider's version; `None` where it has none (musl).
    pub collation_version: Option<String>,
    /// Tables and the like, biggest first.
    pub tables: Vec<TableFact>,
    /// Sequences.
    pub sequences: Vec<Sequence>,
    /// How many large objects.
    pub large_objects: i64,
    /// Extensions with their versions.
    pub extensions: Vec<(String, String)>,
    /// Roles that can log in.
    pub roles: Vec<RoleFact>,
    /// Prepared transactions.
    pub prepared_transactions: Vec<String>,
    /// Transactions open for more than a minute, each with who and since how many seconds.
    pub long_transactions: Vec<(String, i64)>,
    /// Settings that matter to a move.
    pub settings: Vec<(String, String)>,
    /// Publications.
    pub publications: Vec<String>,
    /// Replication slots, each with whether it is in use.
    pub slots: Vec<(String, bool)>,
    /// What does not survive the move as it is.
    pub findings: Vec<Finding>,
}

const DATABASE: &str = "SELECT version(), pg_database_size(d.oid), pg_encoding_to_char(d.encoding)::text, d.datcollate::text, \
    to_jsonb(d)->>'datlocprovider', to_jsonb(d)->>'datcollversion', \
    (SELECT count(*) FROM pg_catalog.pg_largeobject_metadata) FROM pg_catalog.pg_database d WHERE d.datname = current_database()";

const ROLES: &str = "SELECT r.rolname::text, r.rolsuper, r.rolcreatedb, r.rolcreaterole, r.rolreplication, r.rolconnlimit, \
    (SELECT count(*) FROM pg_catalog.pg_stat_activity a WHERE a.usesysid = r.oid AND a.pid <> pg_backend_pid()) \
    FROM pg_catalog.pg_roles r WHERE r.rolcanlogin ORDER BY 1";

const LONG: &str = "SELECT coalesce(usename::text, '?') || ' (' || coalesce(application_name, '') || ', pid ' || pid || ')', \
    extract(epoch FROM now() - xact_start)::bigint FROM pg_catalog.pg_stat_activity \
    WHERE xact_start < now() - interval '1 minute' AND pid <> pg_backend_pid() AND backend_type = 'client backend' ORDER BY 2 DESC";

const SETTINGS: &str = "SELECT name, setting FROM pg_catalog.pg_settings WHERE name IN ('wal_level', 'max_connections', \
    'max_replication_slots', 'max_wal_senders', 'max_slot_wal_keep_size', 'shared_preload_libraries', 'password_encryption', \
    'max_prepared_transactions', 'default_transaction_isolation', 'max_locks_per_transaction', 'session_replication_role') ORDER BY 1";

/// Looks at a database.
pub async fn observe(endpoint: &Endpoint) -> Result<Facts> {
    let session = endpoint.connect().await?;
    session.run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
    let row = session.one(DATABASE, &[]).await?;
    let provider = match row.get::<_, Option<&str>>(4) {
        Some("i") => "icu",
        Some("b") => "builtin",
        _ => "libc",
    };
    let mut facts = Facts {
        version: session.version(),
        version_text: row.get(0),
        bytes: row.get(1),
        encoding: row.get(2),
        collation: row.get(3),
        collation_provider: provider.to_owned(),
        collation_version: row.get(5),
        tables: tables(&session).await?,
        sequences: sequences::read(&session).await?,
        large_objects: row.get(6),
        extensions: pairs(&session, "SELECT extname::text, extversion FROM pg_catalog.pg_extension ORDER BY 1").await?,
        roles: roles(&session).await?,
        prepared_transactions: list(
            &session,
            "SELECT gid FROM pg_catalog.pg_prepared_xacts WHERE database = current_database() ORDER BY 1",
        )
        .await?,
        long_transactions: session.rows(LONG, &[]).await?.iter().map(|row| (row.get(0), row.get(1))).collect(),
        settings: pairs(&session, SETTINGS).await?,
        publications: list(&session, "SELECT pubname::text FROM pg_catalog.pg_publication ORDER BY 1").await?,
        slots: session
            .rows("SELECT slot_name::text, active FROM pg_catalog.pg_replication_slots ORDER BY 1", &[])
            .await?
            .iter()
            .map(|row| (row.get(0), row.get(1)))
            .collect(),
        findings: Vec::new(),
    };
    facts.findings = findings::find(&session, &facts).await?;
    session.close();
    Ok(facts)
}

async fn tables(session: &Session) -> Result<Vec<TableFact>> {
    let sql = format!(
        "SELECT n.nspname::text, c.relname::text, c.relkind::text, c.relispartition, c.reltuples::bigint, \
           pg_total_relation_size(c.oid) AS bytes, pg_get_userbyid(c.relowner)::text, c.relpersistence = 'u', \
           EXISTS (SELECT 1 FROM pg_catalog.pg_index i WHERE i.indrelid = c.oid AND i.indisprimary) \
         FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
         WHERE c.relkind IN ('r', 'p', 'm', 'f') AND {USER_RELATIONS} ORDER BY bytes DESC, 1, 2"
    );
    let fact = |row: &tokio_postgres::Row| TableFact {
        name: TableName::new(row.get::<_, String>(0), row.get::<_, String>(1)),
        kind: match (row.get::<_, &str>(2), row.get::<_, bool>(3)) {
            ("p", _) => Kind::Partitioned,
            ("m", _) => Kind::MaterializedView,
            ("f", _) => Kind::Foreign,
            (_, true) => Kind::Partition,
            _ => Kind::Table,
        },
        estimated_rows: row.get(4),
        bytes: row.get(5),
        owner: row.get(6),
        unlogged: row.get(7),
        primary_key: row.get(8),
    };
    Ok(session.rows(&sql, &[]).await?.iter().map(fact).collect())
}

async fn roles(session: &Session) -> Result<Vec<RoleFact>> {
    let fact = |row: &tokio_postgres::Row| RoleFact {
        name: row.get(0),
        superuser: row.get(1),
        create_databases: row.get(2),
        create_roles: row.get(3),
        replication: row.get(4),
        connection_limit: row.get(5),
        sessions: row.get(6),
    };
    Ok(session.rows(ROLES, &[]).await?.iter().map(fact).collect())
}

async fn list(session: &Session, sql: &str) -> Result<Vec<String>> {
    Ok(session.rows(sql, &[]).await?.iter().map(|row| row.get(0)).collect())
}

async fn pairs(session: &Session, sql: &str) -> Result<Vec<(String, String)>> {
    Ok(session.rows(sql, &[]).await?.iter().map(|row| (row.get(0), row.get(1))).collect())
}
