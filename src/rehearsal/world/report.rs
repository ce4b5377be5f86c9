//! What the visitors saw, and whether every acknowledged write of theirs is in the database that takes writes now.

use serde_json::{Value, json};

use super::{Result, World};
use crate::rehearsal::world::console::Console;

/// Roles of the application that can log in; whether there are any at all, shut out or not. What outgrow or the
/// service itself logs in with is none of them.
fn application_roles(own: &[&str]) -> String {
    let own: Vec<String> = own.iter().map(|name| format!("'{}'", name.replace('\'', "''"))).collect();
    format!(
        "SELECT json_build_object('known', count(*), 'can_log_in', count(*) FILTER (WHERE rolcanlogin)) \
         FROM pg_catalog.pg_roles WHERE rolname !~ '^(pg_|rds|outgrow_)' AND rolname NOT IN ({})",
        own.join(", ")
    )
}

/// Makes the report.
pub async fn make(world: &World) -> Result<Value> {
    let visitors = world.visit.report().await;
    let (old, new) = tokio::try_join!(old_takes_writes(world), new_takes_writes(world))?;
    let writer = match (old, new) {
        (true, false) => "old",
        (false, true) => "new",
        (true, true) => "both",
        (false, false) => "none",
    };
    let site = &world.spec.site;
    let (ledger, problem) = match writer {
        "old" => (Some(check(world, &world.copy.console, &site.old.database.name).await?), None),
        "new" => (Some(check(world, &world.rds.console, &site.aws.database.name).await?), None),
        "both" => (None, Some("both databases take the application's logins: writes may have gone either way")),
        _ => {
            (None, Some("neither database takes the application's logins: there is nothing to hold the ledger against"))
        }
    };
    let count = |list: &str| ledger.as_ref().and_then(|l| l[list].as_array().map(Vec::len));
    Ok(json!({
        "requests": visitors.requests,
        "failed_requests": visitors.failed_requests,
        "failures": visitors.failures,
        "shares": visitors.shares,
        "write_pause_ms": visitors.write_pause_ms,
        "acknowledged_writes": visitors.writes_acknowledged,
        "lost_writes": count("lost"),
        "doubled_writes": count("doubled"),
        "writer": writer,
        "problem": problem,
        "ledger": ledger,
        "visitors": visitors,
        "troubles": world.edge.troubles(),
        "faults": world.troubles.told(),
    }))
}

async fn old_takes_writes(world: &World) -> Result<bool> {
    let database = &world.spec.site.old.database;
    let roles = world.copy.console.ask("postgres", &application_roles(&[&database.admin.user])).await?;
    if roles["known"].as_i64() == Some(0) {
        // The application is the superuser itself: the fence is shut when that one cannot log in.
        let sql = format!(
            "SELECT json_build_object('can_log_in', count(*)) FROM pg_catalog.pg_roles WHERE rolcanlogin AND rolname = '{}'",
            database.admin.user.replace('\'', "''")
        );
        return Ok(world.copy.console.ask("postgres", &sql).await?["can_log_in"].as_i64() > Some(0));
    }
    Ok(roles["can_log_in"].as_i64() > Some(0))
}

async fn new_takes_writes(world: &World) -> Result<bool> {
    let aws = &world.spec.site.aws.database;
    let roles = world.rds.console.ask("postgres", &application_roles(&[&aws.master.user])).await?;
    Ok(roles["can_log_in"].as_i64() > Some(0))
}

/// Holds the ledger against the table the writes end up in.
async fn check(world: &World, console: &Console, database: &str) -> Result<Value> {
    world.visit.ledger().flush().await?;
    let (table, column) = (quoted(&world.spec.writes.table), quoted(&world.spec.writes.column));
    let sql = format!("SELECT {column}, count(*) FROM {table} GROUP BY 1");
    let rows = console.text(database, &sql).await?;
    let rows = rows.lines().filter_map(|row| {
        let (id, count) = row.rsplit_once('|')?;
        Some((id, count.parse::<u64>().ok()?))
    });
    Ok(json!(world.visit.ledger().check(rows)))
}

/// `schema.table` with each part quoted.
fn quoted(name: &str) -> String {
    name.split('.').map(|part| format!("\"{part}\"")).collect::<Vec<_>>().join(".")
}
