//! The fence: no application role can log in any more and none has a session, enforced by the server itself.
//!
//! `NOLOGIN` and terminated backends hold against a superuser too (read-only settings, revoked rights and connection
//! limits do not). So that somebody can open the door again, an administrator of our own is made first.

use std::collections::BTreeSet;
use std::time::Duration;

use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::clients::postgres::{Endpoint, Session};

use super::follow::STREAM_ROLE;
use super::name::{ident, literal};
use super::scram;
use super::{Error, Result};

/// The role that keeps the door's key.
pub const ADMIN: &str = "outgrow_admin";

/// One role as it was before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FencedRole {
    /// Its name.
    pub name: String,
    /// Whether it could log in.
    pub login: bool,
}

/// What the fence closes, and with it all that is needed to open again. Journal it before [`apply_fence`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fenced {
    /// The roles that are shut out.
    pub roles: Vec<FencedRole>,
}

impl Fenced {
    /// A fence that, opened, lets these roles in: for a new server whose roles were made without `LOGIN`.
    pub fn around<'a>(roles: impl IntoIterator<Item = &'a str>) -> Self {
        let role = |name: &str| FencedRole { name: name.to_owned(), login: true };
        Self { roles: roles.into_iter().map(role).collect() }
    }
}

/// How the fence stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FenceState {
    /// Every role is as it was.
    Open,
    /// Some are shut out, or have sessions still; the reason.
    Partly(String),
    /// None can log in, none has a session.
    Closed,
}

/// Makes our administrator, or gives it this password: a superuser where the session is one.
///
/// # Errors
/// Needs a superuser; a managed server's master is its own administrator and needs no other.
pub async fn make_admin(session: &Session, password: &SecretString) -> Result<()> {
    if !is_superuser(session).await? {
        let what = "only a superuser can make the fence's own administrator; use the master user itself".to_owned();
        return Err(Error::Privilege { server: session.server().to_owned(), what });
    }
    let there: bool =
        session.value("SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_roles WHERE rolname = $1)", &[&ADMIN]).await?;
    let verb = if there { "ALTER" } else { "CREATE" };
    let doing = format!("{verb} ROLE {ADMIN} LOGIN SUPERUSER");
    let sql = format!("{doing} PASSWORD {}", literal(&scram::verifier(password)));
    Ok(session.run_as(&doing, &sql).await?)
}

/// Removes our administrator, by any other superuser; right if it is gone already.
pub async fn remove_admin(session: &Session) -> Result<()> {
    let sql = "SELECT pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity \
               WHERE usename = $1 AND pid <> pg_backend_pid()";
    session.rows(sql, &[&ADMIN]).await?;
    Ok(session.run(&format!("DROP ROLE IF EXISTS {ADMIN}")).await?)
}

/// Whether the session's role is a superuser.
pub async fn is_superuser(session: &Session) -> Result<bool> {
    Ok(session.value("SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user", &[]).await?)
}

/// Reads which roles the fence will shut out: all that can log in but the session's own, our administrator, the role
/// that the other server follows by, the managed server's and those in `except`. Changes nothing.
pub async fn plan_fence(session: &Session, except: &[String]) -> Result<Fenced> {
    let superuser = is_superuser(session).await?;
    let sql = "SELECT rolname::text FROM pg_catalog.pg_roles WHERE rolcanlogin AND rolname <> current_user \
        AND rolname NOT IN ($1, $2) AND rolname <> ALL ($3::text[]) AND rolname NOT LIKE 'rds%' AND ($4 OR NOT rolsuper) \
        ORDER BY 1";
    let rows = session.rows(sql, &[&ADMIN, &STREAM_ROLE, &except, &superuser]).await?;
    Ok(Fenced { roles: rows.iter().map(|row| FencedRole { name: row.get(0), login: true }).collect() })
}

/// Closes the fence: `NOLOGIN`, then terminates until no backend of these roles is left, also none that was just
/// arriving. Safe to repeat.
///
/// # Errors
/// [`Error::Fence`] if somebody is still there after `within`; the roles stay shut out, [`unfence`] opens them.
pub async fn apply_fence(session: &Session, fenced: &Fenced, within: Duration) -> Result<()> {
    let deadline = Instant::now() + within;
    let names: Vec<&str> = fenced.roles.iter().map(|role| role.name.as_str()).collect();
    let mut quiet = 0;
    // Logins that were under way when the door closed. Those that begin later find it closed, however many they are.
    let mut arriving: Option<BTreeSet<i32>> = None;
    loop {
        // A superuser's session that is not ended yet may open the door again: look at the roles on every turn.
        if !shut(session, &names).await? {
            (arriving, quiet) = (None, 0);
        }
        let (left, coming) = terminate(session, &names).await?;
        let under_way: BTreeSet<i32> = match arriving {
            None => coming,
            Some(known) => known.intersection(&coming).copied().collect(),
        };
        quiet = if left.is_empty() && under_way.is_empty() { quiet + 1 } else { 0 };
        // One that shows its role between the two halves of a look is seen by the next.
        if quiet == 2 {
            return Ok(());
        }
        if Instant::now() >= deadline {
            let left = left.join(", ");
            let why = format!("after {} ms: sessions {left}, {} logins under way", within.as_millis(), under_way.len());
            return Err(Error::Fence { server: session.server().to_owned(), why });
        }
        arriving = Some(under_way);
        if quiet == 0 {
            // The server has no event for the end of another backend.
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
}

/// Takes the right to log in; says whether every role was found without it.
async fn shut(session: &Session, names: &[&str]) -> Result<bool> {
    let sql = "SELECT rolname::text FROM pg_catalog.pg_roles WHERE rolcanlogin AND rolname = ANY ($1::text[])";
    let open = session.rows(sql, &[&names]).await?;
    for row in &open {
        match session.run(&format!("ALTER ROLE {} NOLOGIN", ident(row.get(0)))).await {
            // "tuple concurrently updated": somebody alters the same role, maybe to open the door; the next turn knows.
            Err(error) if error.code() == Some("XX000") => {}
            other => other?,
        }
    }
    Ok(open.is_empty())
}

/// Ends the sessions of these roles; names those that were there, and the backends that have not shown their role yet,
/// which are known by their transaction's lock.
async fn terminate(session: &Session, names: &[&str]) -> Result<(Vec<String>, BTreeSet<i32>)> {
    let sql = "WITH arriving AS MATERIALIZED (SELECT DISTINCT l.pid FROM pg_catalog.pg_locks l \
          WHERE l.locktype = 'virtualxid' AND l.pid IS NOT NULL), \
        known AS MATERIALIZED (SELECT a.pid, a.usename::text AS role, coalesce(a.application_name, '') AS name, \
          coalesce(a.backend_type, 'client backend') AS kind FROM pg_catalog.pg_stat_activity a) \
        SELECT k.pid, k.role || ' (' || k.name || ', pid ' || k.pid || ')', pg_terminate_backend(k.pid) FROM known k \
        WHERE k.role = ANY ($1::text[]) AND k.pid <> pg_backend_pid() AND k.kind <> 'walsender' \
          AND k.kind NOT LIKE 'logical replication%' AND k.kind NOT LIKE 'autovacuum%' \
        UNION ALL SELECT a.pid, NULL, false FROM arriving a WHERE NOT EXISTS (SELECT 1 FROM known k WHERE k.pid = a.pid)";
    let (mut left, mut coming) = (Vec::new(), BTreeSet::new());
    for row in session.rows(sql, &[&names]).await? {
        match row.get::<_, Option<String>>(1) {
            Some(who) => left.push(who),
            None => {
                coming.insert(row.get(0));
            }
        }
    }
    Ok((left, coming))
}

/// The statements that open again, for a transaction that does more.
pub(super) async fn unfence_sql(session: &Session, fenced: &Fenced) -> Result<String> {
    alter_sql(session, fenced.roles.iter().filter(|role| role.login), "LOGIN").await
}

/// The statements that shut the door, for a transaction that does more; [`apply_fence`] then gets out who is in.
pub(super) async fn shut_sql(session: &Session, fenced: &Fenced) -> Result<String> {
    alter_sql(session, fenced.roles.iter(), "NOLOGIN").await
}

async fn alter_sql<'a>(
    session: &Session,
    roles: impl Iterator<Item = &'a FencedRole>,
    attribute: &str,
) -> Result<String> {
    let names: Vec<&str> = roles.map(|role| role.name.as_str()).collect();
    let sql = "SELECT rolname::text FROM pg_catalog.pg_roles WHERE rolname = ANY ($1::text[])";
    let alter = |row: &tokio_postgres::Row| format!("ALTER ROLE {} {attribute};", ident(row.get(0)));
    Ok(session.rows(sql, &[&names]).await?.iter().map(alter).collect())
}

/// Opens again for exactly the roles that could log in before. Right if the fence was closed half or not at all; a role
/// that was dropped since is passed over.
pub async fn unfence(session: &Session, fenced: &Fenced) -> Result<()> {
    let names: Vec<&str> = fenced.roles.iter().filter(|role| role.login).map(|role| role.name.as_str()).collect();
    let sql = "SELECT rolname::text FROM pg_catalog.pg_roles WHERE NOT rolcanlogin AND rolname = ANY ($1::text[])";
    let shut = session.rows(sql, &[&names]).await?;
    if shut.is_empty() {
        return Ok(());
    }
    let alter = |row: &tokio_postgres::Row| format!("ALTER ROLE {} LOGIN;", ident(row.get(0)));
    Ok(session.run(&shut.iter().map(alter).collect::<String>()).await?)
}

/// Reads how the fence stands.
pub async fn is_fenced(session: &Session, fenced: &Fenced) -> Result<FenceState> {
    let names: Vec<&str> = fenced.roles.iter().map(|role| role.name.as_str()).collect();
    let sql =
        "SELECT rolname::text FROM pg_catalog.pg_roles WHERE rolcanlogin AND rolname = ANY ($1::text[]) ORDER BY 1";
    let open: Vec<String> = session.rows(sql, &[&names]).await?.iter().map(|row| row.get(0)).collect();
    if open.len() == names.len() {
        return Ok(FenceState::Open);
    }
    if !open.is_empty() {
        return Ok(FenceState::Partly(format!("these can log in: {}", open.join(", "))));
    }
    let sql = "SELECT count(*) FROM pg_catalog.pg_stat_activity WHERE usename::text = ANY ($1::text[]) \
        AND coalesce(backend_type, '') NOT LIKE 'logical replication%' \
        AND coalesce(backend_type, '') NOT LIKE 'autovacuum%' AND coalesce(backend_type, '') <> 'walsender' AND pid <> pg_backend_pid()";
    match session.value::<i64>(sql, &[&names]).await? {
        0 => Ok(FenceState::Closed),
        left => Ok(FenceState::Partly(format!("{left} sessions are still open"))),
    }
}

/// What a real login says about the fence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// The server let the password pass and refused the role.
    Refused,
    /// The role got in.
    GotIn,
    /// It did not get as far as the role's right to log in; the reason.
    Unproven(String),
}

/// Really tries to log in as the application does.
pub async fn try_login(endpoint: &Endpoint) -> Proof {
    match endpoint.connect().await {
        Ok(session) => {
            session.close();
            Proof::GotIn
        }
        Err(error) if error.code() == Some("28000") => Proof::Refused,
        Err(error) => Proof::Unproven(error.to_string()),
    }
}
