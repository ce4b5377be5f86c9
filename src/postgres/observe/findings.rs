//! What an operator should know before a database moves: each thing with its place and what to do.

use serde::{Deserialize, Serialize};

use super::{Facts, Kind, list};
use crate::clients::postgres::Session;
use crate::postgres::Result;

/// Something that will not arrive as it is, or stands in the way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// What it is.
    pub what: String,
    /// Where.
    pub at: String,
    /// What to do.
    pub advice: String,
    /// Whether the move must not begin before it is settled.
    pub blocks: bool,
}

/// Catalog queries, each with what its rows are and what to do about them.
const LOOKS: [(&str, &str, &str); 7] = [
    (
        "SELECT evtname::text FROM pg_catalog.pg_event_trigger e WHERE NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend x \
         WHERE x.objid = e.oid AND x.deptype = 'e')",
        "event trigger",
        "only a superuser (on RDS, rds_superuser) can make it; it is left out if the target refuses",
    ),
    (
        "SELECT srvname::text FROM pg_catalog.pg_foreign_server",
        "foreign server",
        "its passwords do not travel; check that the target can reach it",
    ),
    (
        "SELECT subname::text FROM pg_catalog.pg_subscription WHERE subdbid = (SELECT oid FROM pg_catalog.pg_database \
      WHERE datname = current_database())",
        "subscription",
        "it is not copied; make it again on the target after the move",
    ),
    (
        "SELECT lanname::text FROM pg_catalog.pg_language WHERE lanispl AND NOT lanpltrusted",
        "untrusted language",
        "managed servers do not have it; rewrite its functions or keep them outside of the database",
    ),
    (
        "SELECT format('%I.%I', n.nspname, p.proname) FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n \
      ON n.oid = p.pronamespace JOIN pg_catalog.pg_language l ON l.oid = p.prolang WHERE l.lanname = 'c' AND n.nspname \
      NOT IN ('pg_catalog', 'information_schema') AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend x WHERE x.objid = p.oid \
      AND x.deptype = 'e')",
        "function in C",
        "no managed server loads its library; install it as an extension or rewrite it",
    ),
    (
        "SELECT spcname::text FROM pg_catalog.pg_tablespace WHERE spcname NOT LIKE 'pg\\_%'",
        "tablespace",
        "its objects go to the target's default tablespace",
    ),
    (
        "SELECT datname::text FROM pg_catalog.pg_database WHERE NOT datistemplate AND datname NOT IN \
      ('postgres', 'rdsadmin', current_database())",
        "other database on this server",
        "it is not part of this move, and the fence shuts its users out too; move it on its own or exempt its roles",
    ),
];

/// Looks for everything known to break or to be lost.
pub(super) async fn find(session: &Session, facts: &Facts) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    let mut note = |what: &str, at: String, advice: &str, blocks: bool| {
        findings.push(Finding { what: what.to_owned(), at, advice: advice.to_owned(), blocks });
    };
    for (sql, what, advice) in LOOKS {
        // A role without superuser may not read subscriptions; they are not copied either way.
        let readable = what != "subscription" || crate::postgres::fence::is_superuser(session).await?;
        if readable {
            for at in list(session, sql).await? {
                note(what, at, advice, false);
            }
        }
    }
    for gid in &facts.prepared_transactions {
        note("prepared transaction", gid.clone(), "commit it or roll it back; its rows are in no snapshot", true);
    }
    for (who, seconds) in &facts.long_transactions {
        let at = format!("{who}, open for {seconds} s");
        note("long transaction", at, "end it before the handover; it holds locks and old rows", false);
    }
    for table in &facts.tables {
        let at = table.name.to_string();
        match table.kind {
            Kind::Foreign => note("foreign table", at, "its definition travels, its rows stay where they are", false),
            Kind::Table | Kind::Partition if table.unlogged => {
                note(
                    "unlogged table",
                    at,
                    "its rows are copied, but a crash or failover of the target empties it",
                    false,
                );
            }
            Kind::Table | Kind::Partition if !table.primary_key => {
                note(
                    "table without primary key",
                    at,
                    "it is compared and copied by whole rows; give it a key to follow it live",
                    false,
                );
            }
            _ => {}
        }
    }
    for role in facts.roles.iter().filter(|role| role.superuser && role.name != "postgres") {
        let advice = "it arrives without SUPERUSER; check that the application does nothing only a superuser may";
        note("superuser", format!("role {}", role.name), advice, false);
    }
    if facts.encoding != "UTF8" {
        note(
            "character encoding",
            facts.encoding.clone(),
            "make the target database with the same encoding, or check that every text is valid",
            facts.encoding == "SQL_ASCII",
        );
    }
    if facts.collation_provider == "libc"
        && facts.collation_version.is_none()
        && !["C", "POSIX"].contains(&&*facts.collation)
        && !facts.collation.starts_with("C.")
    {
        let advice = "this C library does not version its sort order (Alpine's does not); indexes are built anew, check text ranges and ORDER BY";
        note("collation", facts.collation.clone(), advice, false);
    }
    Ok(findings)
}
