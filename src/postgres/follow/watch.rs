//! The record of what is followed, and a look whether the application's schema changed since: logical replication does
//! not carry `ALTER TABLE`, and would stop at the first row that does not fit.

use std::collections::BTreeMap;

use super::{Followed, Result, Sides};
use crate::clients::postgres::Session;
use crate::postgres::catalog::USER_RELATIONS;
use crate::postgres::name::TableName;
use crate::world::Side;

/// Columns, types and constraints of every table that holds rows, as text. Types are told by name, so that both servers
/// tell alike.
pub(super) async fn shapes(session: &Session) -> Result<BTreeMap<TableName, String>> {
    let sql = format!(
        "SELECT n.nspname::text, c.relname::text, \
           coalesce((SELECT string_agg(format('%I %s%s%s', a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), \
             CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END, a.attgenerated), ', ' ORDER BY a.attname) \
             FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped), '') \
           || coalesce((SELECT '; ' || string_agg(format('%I %s', k.conname, pg_catalog.pg_get_constraintdef(k.oid)), ', ' \
             ORDER BY k.conname) FROM pg_catalog.pg_constraint k WHERE k.conrelid = c.oid AND k.contype <> 'n'), '') \
         FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
         WHERE c.relkind = 'r' AND {USER_RELATIONS}"
    );
    let rows = session.rows(&sql, &[]).await?;
    let name = |row: &tokio_postgres::Row| TableName::new(row.get::<_, String>(0), row.get::<_, String>(1));
    Ok(rows.iter().map(|row| (name(row), row.get(2))).collect())
}

/// Writes down what is followed and what each table looks like, in place of an earlier record.
pub(super) async fn record(session: &Session, tables: &[Followed], shapes: &BTreeMap<TableName, String>) -> Result<()> {
    session.run("BEGIN; LOCK TABLE outgrow.followed IN SHARE ROW EXCLUSIVE MODE").await?;
    let before = recorded(session).await?;
    session.run("DELETE FROM outgrow.followed").await?;
    for (place, table) in (0_i32..).zip(tables) {
        // A repeat finds the identity that an earlier try already set: what counts is the one from before it.
        let earlier = before.iter().find(|(known, _)| known.name == table.name).map(|(known, _)| known);
        let identity = earlier.map_or(&table.identity_before, |known| &known.identity_before);
        let treatment = match earlier {
            Some(known) if table.treatment == super::Treatment::AsIs => &known.treatment,
            _ => &table.treatment,
        };
        let treatment = serde_json::to_string(treatment).unwrap_or_default();
        let shape = shapes.get(&table.name).cloned().unwrap_or_default();
        let sql = "INSERT INTO outgrow.followed VALUES ($1, $2, $3, $4, $5, $6)";
        let name = &table.name;
        session.execute(sql, &[&place, &name.schema, &name.name, &treatment, identity, &shape]).await?;
    }
    Ok(session.run("COMMIT").await?)
}

/// What is followed, with what each table looked like when the follow was opened; empty where nothing is.
pub async fn recorded(session: &Session) -> Result<Vec<(Followed, String)>> {
    if !session.value::<bool>("SELECT to_regclass('outgrow.followed') IS NOT NULL", &[]).await? {
        return Ok(Vec::new());
    }
    let sql = "SELECT schema, name, treatment, identity_before, shape FROM outgrow.followed ORDER BY place";
    let table = |row: &tokio_postgres::Row| {
        let treatment: String = row.get(2);
        let followed = Followed {
            name: TableName::new(row.get::<_, String>(0), row.get::<_, String>(1)),
            bytes: 0,
            treatment: serde_json::from_str(&treatment).unwrap_or(super::Treatment::AsIs),
            identity_before: row.get(3),
        };
        (followed, row.get(4))
    };
    Ok(session.rows(sql, &[]).await?.iter().map(table).collect())
}

/// What is not as it was when the follow was opened, on the side that gives the stream; each with its table. Where this
/// names anything, hold: the stream would stop at the next row of such a table. Put the schema back, or copy anew.
///
/// # Errors
/// [`crate::postgres::Error::Follow`] if no follow was opened there.
pub async fn schema_changes(sides: &Sides, giver: Side) -> Result<Vec<String>> {
    let session = sides.session(giver).await?;
    let changes = changes(&session).await?;
    session.close();
    Ok(changes)
}

pub async fn changes(session: &Session) -> Result<Vec<String>> {
    let known = recorded(session).await?;
    if known.is_empty() {
        let what = "no follow was opened here";
        return Err(super::cannot(session.server(), what, "open it first"));
    }
    let mut now = shapes(session).await?;
    let mut changes = Vec::new();
    for (table, before) in known {
        match now.remove(&table.name) {
            None => changes.push(format!("table {} is gone", table.name)),
            Some(shape) if shape != before => {
                changes.push(format!("table {} changed from ({before}) to ({shape})", table.name));
            }
            Some(_) => {}
        }
    }
    changes.extend(now.into_keys().map(|name| format!("table {name} is new")));
    Ok(changes)
}
