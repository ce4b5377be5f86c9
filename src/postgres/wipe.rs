//! Removes what a run put into a receiving database, and nothing else: only where our mark is, and only while the
//! application has not written there.

use crate::clients::postgres::{Endpoint, Session};

use super::catalog::USER_RELATIONS;
use super::marker::{self, State};
use super::name::{ident, literal};
use super::{Error, Result};

/// Empties a database that a copy filled. Right after a half-done copy, and if there is nothing to remove.
///
/// # Errors
/// [`Error::NotEmpty`] if there are objects without our mark, [`Error::Serving`] if the application has written here.
pub async fn wipe(endpoint: &Endpoint) -> Result<()> {
    let session = endpoint.connect().await?;
    marker::claim(&session).await?;
    wipe_in(&session).await?;
    session.close();
    Ok(())
}

/// The same in a session that has claimed the database already.
pub(super) async fn wipe_in(session: &Session) -> Result<()> {
    let Some(marker) = marker::read(session).await? else {
        return match marker::user_objects(session).await? {
            Some(found) => Err(Error::NotEmpty { server: session.server().to_owned(), found }),
            None => Ok(marker::remove(session).await?),
        };
    };
    if marker.state == State::Serving {
        return Err(Error::Serving { server: session.server().to_owned(), run: marker.run });
    }
    session.run("SET synchronous_commit = off").await?;
    drop_all(session, &objects_of_the_database(&marker.extensions_before)).await?;
    drop_all(session, &relations()).await?;
    drop_all(session, SCHEMAS).await?;
    drop_all(session, &routines_and_types()).await?;
    drop_all(session, LARGE_OBJECTS).await?;
    session.run("SET synchronous_commit = on").await?;
    drop_roles(session, &marker.run).await?;
    marker::remove(session).await
}

/// Removes the roles that the run made. One that has come to own something in another database stays, with its name.
async fn drop_roles(session: &Session, run: &str) -> Result<()> {
    let sql = "SELECT rolname::text FROM pg_catalog.pg_roles WHERE shobj_description(oid, 'pg_authid') = $1";
    for row in session.rows(sql, &[&marker::made_by(run)]).await? {
        let name = ident(row.get(0));
        session.run(&format!("DROP OWNED BY {name}")).await?;
        match session.run(&format!("DROP ROLE {name}")).await {
            Err(error) if error.code() == Some("2BP01") => tracing::warn!(%error, role = name, "the role stays"),
            other => other?,
        }
    }
    Ok(())
}

/// Runs the statements that a query makes. Each alone, so that the lock table does not limit how many; one that is gone
/// because an earlier one took it along is no error.
async fn drop_all(session: &Session, query: &str) -> Result<()> {
    for row in session.rows(query, &[]).await? {
        match session.run(row.get(0)).await {
            Err(error) if error.code().is_some_and(|code| ["42P01", "42883", "42704", "3F000"].contains(&code)) => {}
            other => other?,
        }
    }
    Ok(())
}

fn objects_of_the_database(extensions_before: &[String]) -> String {
    let kept: Vec<_> = extensions_before.iter().map(|name| literal(name)).collect();
    let kept = if kept.is_empty() { "''".to_owned() } else { kept.join(", ") };
    format!(
        "SELECT pg_catalog.format('DROP EVENT TRIGGER IF EXISTS %I CASCADE', evtname) FROM pg_catalog.pg_event_trigger e \
         WHERE NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend x WHERE x.objid = e.oid AND x.deptype = 'e' \
           AND x.classid = 'pg_catalog.pg_event_trigger'::pg_catalog.regclass) \
           AND pg_catalog.pg_has_role(e.evtowner, 'MEMBER') \
         UNION ALL SELECT pg_catalog.format('DROP PUBLICATION IF EXISTS %I', pubname) FROM pg_catalog.pg_publication \
         UNION ALL SELECT pg_catalog.format('DROP EXTENSION IF EXISTS %I CASCADE', extname) FROM pg_catalog.pg_extension \
         WHERE extname NOT IN ({kept})"
    )
}

fn relations() -> String {
    format!(
        "SELECT pg_catalog.format('DROP %s IF EXISTS %I.%I CASCADE', CASE c.relkind WHEN 'v' THEN 'VIEW' \
           WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE' WHEN 'f' THEN 'FOREIGN TABLE' ELSE 'TABLE' END, \
           n.nspname, c.relname) FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
         WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f') AND {USER_RELATIONS} \
         ORDER BY c.relkind NOT IN ('v', 'm'), c.relkind = 'S', c.relkind = 'r', c.oid"
    )
}

/// Schemas other than `public`, which stays with its owner and grants.
const SCHEMAS: &str = "SELECT pg_catalog.format('DROP SCHEMA IF EXISTS %I CASCADE', nspname) \
    FROM pg_catalog.pg_namespace n WHERE nspname NOT IN ('public', 'outgrow', 'information_schema') \
    AND nspname NOT LIKE 'pg\\_%' AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend x WHERE x.objid = n.oid \
    AND x.deptype = 'e' AND x.classid = 'pg_catalog.pg_namespace'::pg_catalog.regclass)";

/// Large objects.
const LARGE_OBJECTS: &str =
    "SELECT pg_catalog.format('SELECT pg_catalog.lo_unlink(%s)', oid) FROM pg_catalog.pg_largeobject_metadata";

/// What can be left in `public` besides relations.
fn routines_and_types() -> String {
    let mut parts = Vec::new();
    for (class, select, filter) in [
        ("pg_proc", "'DROP ROUTINE IF EXISTS %s CASCADE', o.oid::pg_catalog.regprocedure", "o.prokind <> 'a'"),
        (
            "pg_proc",
            "'DROP AGGREGATE IF EXISTS %I.%I(%s) CASCADE', n.nspname, o.proname, \
             pg_catalog.pg_get_function_identity_arguments(o.oid)",
            "o.prokind = 'a'",
        ),
        ("pg_operator", "'DROP OPERATOR IF EXISTS %s CASCADE', o.oid::pg_catalog.regoperator", "true"),
        (
            "pg_type",
            "'DROP TYPE IF EXISTS %I.%I CASCADE', n.nspname, o.typname",
            "o.typtype IN ('b', 'c', 'd', 'e', 'r') AND o.typelem = 0 AND (o.typrelid = 0 OR EXISTS \
             (SELECT 1 FROM pg_catalog.pg_class r WHERE r.oid = o.typrelid AND r.relkind = 'c'))",
        ),
        ("pg_collation", "'DROP COLLATION IF EXISTS %I.%I CASCADE', n.nspname, o.collname", "true"),
        ("pg_ts_config", "'DROP TEXT SEARCH CONFIGURATION IF EXISTS %I.%I CASCADE', n.nspname, o.cfgname", "true"),
        ("pg_ts_dict", "'DROP TEXT SEARCH DICTIONARY IF EXISTS %I.%I CASCADE', n.nspname, o.dictname", "true"),
    ] {
        let prefix = match class {
            "pg_proc" => "pro",
            "pg_operator" => "opr",
            "pg_type" => "typ",
            "pg_collation" => "coll",
            "pg_ts_config" => "cfg",
            _ => "dict",
        };
        parts.push(format!(
            "SELECT pg_catalog.format({select}) FROM pg_catalog.{class} o JOIN pg_catalog.pg_namespace n \
             ON n.oid = o.{prefix}namespace WHERE n.nspname = 'public' AND {filter} AND NOT EXISTS \
             (SELECT 1 FROM pg_catalog.pg_depend x WHERE x.objid = o.oid AND x.deptype = 'e' \
             AND x.classid = 'pg_catalog.{class}'::pg_catalog.regclass)"
        ));
    }
    parts.join(" UNION ALL ")
}
