//! What stands between a row and its table: triggers, rules, foreign keys. Put aside inside the receiving transaction
//! and put back exactly as they were.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::clients::postgres::Session;
use crate::postgres::Result;
use crate::postgres::catalog::Table;
use crate::postgres::name::{TableName, ident, literal};

/// Tries to make this transaction a replica's, in which foreign keys and ordinary triggers do not run.
pub(super) async fn act_as_replica(session: &Session) -> Result<bool> {
    session.run("SAVEPOINT outgrow_replica").await?;
    match session.run("SET LOCAL session_replication_role = replica").await {
        Ok(()) => Ok(true),
        Err(error) if error.code() == Some("42501") => {
            session.run("ROLLBACK TO SAVEPOINT outgrow_replica").await?;
            Ok(false)
        }
        Err(error) => Err(error.into()),
    }
}

/// Triggers and rules put aside; the statements that put them back.
pub(super) struct Guards(Vec<String>);

impl Guards {
    /// Disables what would run in this transaction.
    pub(super) async fn lower(session: &Session, tables: impl Iterator<Item = &Table>, replica: bool) -> Result<Self> {
        let (schemas, names) = split(tables);
        let sql = "SELECT n.nspname::text, c.relname::text, g.kind, g.name, g.enabled FROM ( \
              SELECT tgrelid AS relation, 'TRIGGER' AS kind, tgname::text AS name, tgenabled::text AS enabled \
              FROM pg_catalog.pg_trigger WHERE NOT tgisinternal UNION ALL \
              SELECT ev_class, 'RULE', rulename::text, ev_enabled::text FROM pg_catalog.pg_rewrite WHERE ev_type <> '1') g \
            JOIN pg_catalog.pg_class c ON c.oid = g.relation JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
            JOIN unnest($1::text[], $2::text[]) AS wanted(schema, name) ON wanted.schema = n.nspname \
              AND wanted.name = c.relname WHERE g.enabled = ANY ($3::text[]) ORDER BY 1, 2, 3, 4";
        let running: &[&str] = if replica { &["A", "R"] } else { &["O", "A"] };
        let (mut disable, mut enable) = (String::new(), Vec::new());
        for row in session.rows(sql, &[&schemas, &names, &running]).await? {
            let table = TableName::new(row.get::<_, String>(0), row.get::<_, String>(1));
            let (kind, name) = (row.get::<_, &str>(2), ident(row.get(3)));
            let how = match row.get::<_, &str>(4) {
                "A" => "ENABLE ALWAYS",
                "R" => "ENABLE REPLICA",
                _ => "ENABLE",
            };
            let _ = write!(disable, "ALTER TABLE ONLY {table} DISABLE {kind} {name};");
            enable.push(format!("ALTER TABLE ONLY {table} {how} {kind} {name};"));
        }
        session.run(&disable).await?;
        Ok(Self(enable))
    }

    /// Puts everything back.
    pub(super) async fn raise(self, session: &Session) -> Result<()> {
        Ok(session.run(&self.0.concat()).await?)
    }
}

/// Foreign keys that were dropped; the statements that make them again.
pub(super) struct ForeignKeys(Vec<String>);

const FOREIGN_KEYS: &str = "SELECT n.nspname::text, c.relname::text, k.conname::text, \
    pg_catalog.pg_get_constraintdef(k.oid), pg_catalog.obj_description(k.oid, 'pg_constraint') \
    FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_class c ON c.oid = k.conrelid \
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE k.contype = 'f' AND k.conparentid = 0 \
    AND EXISTS (SELECT 1 FROM unnest($1::text[], $2::text[]) AS wanted(schema, name) \
      JOIN pg_catalog.pg_namespace wn ON wn.nspname = wanted.schema \
      JOIN pg_catalog.pg_class w ON w.relnamespace = wn.oid AND w.relname = wanted.name \
      WHERE coalesce(pg_catalog.pg_partition_root(w.oid)::oid, w.oid) IN ( \
        coalesce(pg_catalog.pg_partition_root(k.conrelid)::oid, k.conrelid), \
        coalesce(pg_catalog.pg_partition_root(k.confrelid)::oid, k.confrelid)))";

/// Drops the foreign keys from and to these tables.
pub(super) async fn drop_foreign_keys(session: &Session, tables: impl Iterator<Item = &Table>) -> Result<ForeignKeys> {
    let (schemas, names) = split(tables);
    let (mut drop, mut make) = (String::new(), Vec::new());
    for row in session.rows(FOREIGN_KEYS, &[&schemas, &names]).await? {
        let table = TableName::new(row.get::<_, String>(0), row.get::<_, String>(1));
        let (name, definition) = (ident(row.get(2)), row.get::<_, &str>(3));
        let _ = write!(drop, "ALTER TABLE {table} DROP CONSTRAINT {name};");
        make.push(format!("ALTER TABLE {table} ADD CONSTRAINT {name} {definition};"));
        if let Some(comment) = row.get::<_, Option<&str>>(4) {
            make.push(format!("COMMENT ON CONSTRAINT {name} ON {table} IS {};", literal(comment)));
        }
    }
    session.run(&drop).await?;
    Ok(ForeignKeys(make))
}

impl ForeignKeys {
    /// Makes them again; the server checks every row.
    pub(super) async fn restore(self, session: &Session) -> Result<()> {
        Ok(session.run(&self.0.concat()).await?)
    }
}

/// The places of these tables, referenced ones before those that refer to them; within a cycle as they come.
pub(super) async fn parents_first(session: &Session, tables: impl Iterator<Item = &Table>) -> Result<Vec<usize>> {
    let (schemas, names) = split(tables);
    let sql = "WITH wanted AS (SELECT u.place::int AS place, coalesce(pg_catalog.pg_partition_root(c.oid)::oid, c.oid) AS root \
          FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS u(schema, name, place) \
          JOIN pg_catalog.pg_namespace n ON n.nspname = u.schema \
          JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = u.name) \
        SELECT DISTINCT child.place - 1, parent.place - 1 FROM pg_catalog.pg_constraint k \
        JOIN wanted child ON child.root = coalesce(pg_catalog.pg_partition_root(k.conrelid)::oid, k.conrelid) \
        JOIN wanted parent ON parent.root = coalesce(pg_catalog.pg_partition_root(k.confrelid)::oid, k.confrelid) \
        WHERE k.contype = 'f' AND child.root <> parent.root";
    let mut parents: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
    for row in session.rows(sql, &[&schemas, &names]).await? {
        let place = |number: i32| usize::try_from(number).unwrap_or_default();
        parents.entry(place(row.get(0))).or_default().insert(place(row.get(1)));
    }
    Ok(order(names.len(), &parents))
}

fn order(count: usize, parents: &BTreeMap<usize, BTreeSet<usize>>) -> Vec<usize> {
    let (mut left, mut order): (BTreeSet<usize>, Vec<usize>) = ((0..count).collect(), Vec::new());
    while let Some(&first) = left.first() {
        let free = |place: &&usize| parents.get(place).is_none_or(|of| of.is_disjoint(&left));
        let next = left.iter().find(free).copied().unwrap_or(first);
        left.remove(&next);
        order.push(next);
    }
    order
}

fn split<'a>(tables: impl Iterator<Item = &'a Table>) -> (Vec<String>, Vec<String>) {
    tables.map(|table| (table.name.schema.clone(), table.name.name.clone())).unzip()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parents_come_first_and_a_cycle_ends() {
        let parents = BTreeMap::from([(0, BTreeSet::from([2])), (2, BTreeSet::from([1]))]);
        assert_eq!(order(3, &parents), vec![1, 2, 0]);
        let cycle = BTreeMap::from([(0, BTreeSet::from([1])), (1, BTreeSet::from([0]))]);
        assert_eq!(order(2, &cycle), vec![0, 1]);
    }
}
