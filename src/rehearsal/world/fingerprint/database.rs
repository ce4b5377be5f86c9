//! The databases: rows, sequences and roles of the old one, whether the new one is empty.

use serde_json::{Value, json};

use crate::rehearsal::world::{Result, World};

/// What the old database holds.
pub struct Old {
    /// Tables and roles.
    pub content: Value,
    /// Where the sequences stand. They go on with every write and never back, so they tell a moment and no difference.
    pub sequences: Value,
}

/// Tables and materialised views, each with its name as it is written in SQL.
const RELATIONS: &str = "SELECT coalesce(json_agg(json_build_array(format('%I.%I', nspname, relname), relkind) ORDER BY 1), '[]') \
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = relnamespace \
    WHERE relkind IN ('r', 'm', 'S') AND relpersistence = 'p' AND nspname !~ '^pg_' AND nspname <> 'information_schema'";

/// What a role may do, whose member it is, and what is set for it.
const ROLES: &str = "SELECT json_agg(to_jsonb(r) - 'oid' - 'rolpassword' || jsonb_build_object('password', md5(a.rolpassword), \
      'member_of', (SELECT coalesce(json_agg(g.rolname ORDER BY 1), '[]') FROM pg_catalog.pg_auth_members m \
        JOIN pg_catalog.pg_roles g ON g.oid = m.roleid WHERE m.member = r.oid)) ORDER BY r.rolname) \
    FROM pg_catalog.pg_roles r JOIN pg_catalog.pg_authid a USING (oid) WHERE r.rolname !~ '^pg_'";

/// Databases and who may connect.
const DATABASES: &str = "SELECT json_agg(json_build_array(datname, datallowconn, datconnlimit, datacl::text, \
      pg_catalog.pg_get_userbyid(datdba)) ORDER BY datname) FROM pg_catalog.pg_database";

/// Looks at the old database. The first look also keeps a hash of every row; a `later` one says of a table that has
/// grown that it is as before if every row of then is there still, unchanged: what visitors wrote is no difference.
pub async fn old(world: &World, later: bool) -> Result<Old> {
    let (console, name) = (&world.copy.console, &world.spec.site.old.database.name);
    let (relations, roles, databases) =
        tokio::try_join!(console.ask(name, RELATIONS), console.ask(name, ROLES), console.ask(name, DATABASES))?;
    let named = relations.as_array().into_iter().flatten();
    let named = named.filter_map(|relation| Some((relation[0].as_str()?, relation[1].as_str()?)));
    let (sequences, tables): (Vec<_>, Vec<_>) = named.partition(|(_, kind)| *kind == "S");
    // What a materialized view holds follows from the tables.
    let (derived, tables): (Vec<_>, Vec<_>) = tables.into_iter().partition(|(_, kind)| *kind == "m");
    let sequences = object(sequences.iter().map(|(name, _)| {
        format!("'{}', (SELECT json_build_array(last_value, is_called) FROM {name})", name.replace('\'', "''"))
    }));
    let looks = object(tables.iter().map(|(name, _)| look(name)));
    // All in one statement: the digests are of one moment.
    let sql = format!("SELECT json_build_array({looks}, {sequences})");
    let mut found = console.ask(name, &sql).await?;
    let tables: Vec<&str> = tables.iter().map(|(name, _)| *name).collect();
    if later {
        world.rows.forgive(console, name, &mut found[0]).await?;
    } else {
        world.rows.keep(console, name, &tables, &found[0]).await?;
    }
    let derived: Vec<&str> = derived.iter().map(|(name, _)| *name).collect();
    let content = json!({"tables": found[0], "derived": derived, "roles": roles, "databases": databases});
    Ok(Old { content, sequences: found[1].clone() })
}

/// Names and values as one JSON object. A function takes a hundred arguments, no more: hence the parts.
fn object(pairs: impl Iterator<Item = String>) -> String {
    let pairs: Vec<String> = pairs.collect();
    let parts: Vec<String> = pairs.chunks(40).map(|some| format!("jsonb_build_object({})", some.join(", "))).collect();
    if parts.is_empty() { "'{}'::jsonb".to_owned() } else { parts.join(" || ") }
}

/// A table's name, and a scalar query for its rows and the sum of their hashes, in which their order does not matter.
fn look(relation: &str) -> String {
    let name = relation.replace('\'', "''");
    format!(
        "'{name}', (SELECT json_build_array(count(*), \
         coalesce(sum(pg_catalog.hashtextextended(t::text, 0)::numeric), 0)::text) FROM {relation} t)"
    )
}

/// Whether the new database is there, and what is in it.
pub async fn new(world: &World) -> Result<Value> {
    let (console, name) = (&world.rds.console, &world.spec.site.aws.database.name);
    let quoted = name.replace('\'', "''");
    let whether = format!("SELECT to_json(true) FROM pg_catalog.pg_database WHERE datname = '{quoted}'");
    let who = "SELECT json_agg(rolname ORDER BY 1) FROM pg_catalog.pg_roles WHERE rolname !~ '^pg_'";
    let (there, roles) = tokio::try_join!(console.ask("postgres", &whether), console.ask("postgres", who))?;
    if there.is_null() {
        return Ok(json!({"there": false, "empty": true, "relations": [], "roles": roles}));
    }
    let relations = console.ask(name, RELATIONS).await?;
    let empty = relations.as_array().is_none_or(Vec::is_empty);
    Ok(json!({"there": true, "empty": empty, "relations": relations, "roles": roles}))
}
