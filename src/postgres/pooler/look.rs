//! What the application does that a pooler gets in the way of, and the mode that follows from it.

use super::Mode;
use crate::clients::postgres::Session;
use crate::postgres::Result;
use crate::postgres::observe::Finding;

/// The first version that keeps prepared statements apart in transaction mode.
const PREPARES: (u32, u32) = (1, 21);

/// Whether PgBouncer of this version keeps drivers' prepared statements apart in transaction mode.
pub fn keeps_statements_apart(pooler: &str) -> bool {
    version(pooler) >= PREPARES
}

/// The mode, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    /// What suits this application.
    pub mode: Mode,
    /// What was found, each with what to do. None of it blocks: session mode works for everything.
    pub findings: Vec<Finding>,
}

/// A feature of sessions: what it is, and how its use is recognised in a statement or a function's text.
const FEATURES: [(&str, &str); 6] = [
    ("LISTEN: notifications arrive in the session that asked for them", "(^|;)\\s*listen\\s"),
    ("advisory locks of a session: the next client would hold them", "pg_(try_)?advisory_lock"),
    (
        "temporary tables: they stay in a session that another client gets",
        "create\\s+(local\\s+|global\\s+)?temp(orary)?\\s",
    ),
    ("PREPARE: the statement stays in a session that another client gets", "(^|;)\\s*prepare\\s+(?!transaction)"),
    (
        "SET: it would hold for the next client too",
        "(^|;)\\s*set\\s+(?!local\\s|transaction\\s|constraints\\s|session\\s+characteristics)",
    ),
    ("cursors that outlive their transaction", "with\\s+hold"),
];

/// Looks for sessions' features in what runs now, in what ran (`pg_stat_statements`, where it is), and in functions; and
/// for temporary tables and advisory locks that are there. `pooler` is the pooler's version. Changes nothing. What an application
/// does once a week may not be seen: the rehearsal through the pooler shows more. Without a version, only the application
/// is judged.
pub async fn look(session: &Session, pooler: Option<&str>) -> Result<Look> {
    let mut findings = Vec::new();
    let mut sources = vec![
        (
            "a running session",
            "SELECT query FROM pg_catalog.pg_stat_activity WHERE pid <> pg_backend_pid() \
            AND backend_type = 'client backend' AND coalesce(application_name, '') <> 'outgrow'"
                .to_owned(),
        ),
        (
            "a function",
            "SELECT prosrc AS query FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n \
            ON n.oid = p.pronamespace WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'outgrow')"
                .to_owned(),
        ),
    ];
    let statements = "SELECT quote_ident(n.nspname) FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n \
        ON n.oid = e.extnamespace WHERE e.extname = 'pg_stat_statements'";
    if let Some(row) = session.rows(statements, &[]).await?.first() {
        let sql = format!("SELECT query FROM {}.pg_stat_statements", row.get::<_, &str>(0));
        if session.rows(&format!("{sql} LIMIT 1"), &[]).await.is_ok() {
            sources.push(("a statement that ran", sql));
        }
    }
    for (what, pattern) in FEATURES {
        for (place, sql) in &sources {
            let sql = format!("SELECT left(query, 80) FROM ({sql}) q WHERE query ~* $1 LIMIT 1");
            if let Some(row) = session.rows(&sql, &[&pattern]).await?.first() {
                findings.push(found(what, &format!("{place}: {}", row.get::<_, &str>(0))));
                break;
            }
        }
    }
    let there = "SELECT 'temporary tables', count(*) FROM pg_catalog.pg_class c WHERE c.relpersistence = 't' \
        AND c.relkind = 'r' UNION ALL SELECT 'advisory locks', count(*) FROM pg_catalog.pg_locks \
        WHERE locktype = 'advisory' AND pid <> pg_backend_pid()";
    for row in session.rows(there, &[]).await? {
        let (what, count): (String, i64) = (row.get(0), row.get(1));
        if count > 0 && !findings.iter().any(|finding: &Finding| finding.what.contains(&what)) {
            findings.push(found(&what, &format!("{count} at this moment")));
        }
    }
    let mut mode = if findings.is_empty() { Mode::Transaction } else { Mode::Session };
    if let Some(pooler) = pooler.filter(|pooler| !keeps_statements_apart(pooler)) {
        let what = format!("PgBouncer {pooler} does not keep drivers' prepared statements apart in transaction mode");
        findings.push(Finding {
            what,
            at: "the pooler".to_owned(),
            advice: "take 1.21 or later (max_prepared_statements), or switch them off in the application's driver"
                .to_owned(),
            blocks: false,
        });
        mode = Mode::Session;
    }
    Ok(Look { mode, findings })
}

fn found(what: &str, at: &str) -> Finding {
    let advice = "session mode keeps it working: at the handover each client loses its connection once, and waits with \
                  the next; or do without it and use transaction mode";
    Finding { what: what.to_owned(), at: at.to_owned(), advice: advice.to_owned(), blocks: false }
}

fn version(text: &str) -> (u32, u32) {
    let mut numbers = text.split('.').map(|part| part.parse().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_ordered_by_number() {
        assert!(version("1.9.0") < PREPARES && version("1.18.0") < PREPARES);
        assert!(version("1.21.0") >= PREPARES && version("1.24.1") >= PREPARES);
    }
}
