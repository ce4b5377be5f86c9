//! Runs the entries of a schema on the receiving side as a role that is no superuser: owners are set where our role may,
//! and what only a superuser could do is noted and left out.

use std::collections::{BTreeMap, BTreeSet};

use super::Skipped;
use super::script::Entry;
use crate::clients::postgres::{self, Session};
use crate::postgres::Result;
use crate::postgres::large_objects::may_become;
use crate::postgres::name::ident;

/// Kinds without which the rest still stands.
const OPTIONAL: [&str; 22] = [
    "ACL",
    "DEFAULT ACL",
    "COMMENT",
    "SECURITY LABEL",
    "EXTENSION",
    "EVENT TRIGGER",
    "PUBLICATION",
    "PUBLICATION TABLE",
    "PUBLICATION TABLES IN SCHEMA",
    "LANGUAGE",
    "PROCEDURAL LANGUAGE",
    "FOREIGN DATA WRAPPER",
    "SERVER",
    "USER MAPPING",
    "CAST",
    "TRANSFORM",
    "ACCESS METHOD",
    "FOREIGN TABLE",
    "OPERATOR CLASS",
    "OPERATOR FAMILY",
    "TEXT SEARCH PARSER",
    "TEXT SEARCH TEMPLATE",
];

/// Kinds that a server may well refuse, and which would take others of their batch along.
const FRAGILE: [&str; 11] = [
    "EXTENSION",
    "EVENT TRIGGER",
    "PUBLICATION",
    "PUBLICATION TABLE",
    "PUBLICATION TABLES IN SCHEMA",
    "FOREIGN DATA WRAPPER",
    "FOREIGN TABLE",
    "SERVER",
    "USER MAPPING",
    "SECURITY LABEL",
    "SCHEMA",
];
/// How many entries are made at once; each holds a few locks until then.
const BATCH: usize = 64;

/// Builds entries in one session.
pub(super) struct Schema<'a> {
    session: &'a Session,
    skipped: &'a mut Vec<Skipped>,
    may: BTreeMap<String, bool>,
    granted: BTreeSet<(String, String)>,
    seen: BTreeSet<(String, String)>,
}

impl<'a> Schema<'a> {
    pub(super) fn new(session: &'a Session, skipped: &'a mut Vec<Skipped>) -> Self {
        Self { session, skipped, may: BTreeMap::new(), granted: BTreeSet::new(), seen: BTreeSet::new() }
    }

    /// Makes all of these, many at once; where that fails, one by one.
    pub(super) async fn build_all(&mut self, entries: &[Entry]) -> Result<()> {
        let (mut batch, mut sql) = (Vec::new(), String::new());
        for entry in entries {
            let fragile = FRAGILE.contains(&entry.kind.as_str()) || entry.name.starts_with("EXTENSION ");
            let known = entry.owners.iter().all(|(_, owner)| {
                self.may.get(owner) == Some(&true) && self.seen.contains(&(entry.schema.clone(), owner.clone()))
            });
            if fragile || !known || batch.len() >= BATCH {
                self.flush(&mut batch, &mut sql).await?;
            }
            if fragile || !known {
                self.build(entry).await?;
                continue;
            }
            sql.push_str(&entry.sql);
            sql.push('\n');
            for (statement, _) in &entry.owners {
                sql.push_str(statement);
                sql.push('\n');
            }
            batch.push(entry);
        }
        self.flush(&mut batch, &mut sql).await
    }

    async fn flush(&mut self, batch: &mut Vec<&Entry>, sql: &mut String) -> Result<()> {
        let (batch, sql) = (std::mem::take(batch), std::mem::take(sql));
        if batch.is_empty() {
            return Ok(());
        }
        match self.session.run(&format!("BEGIN;\n{sql}\nCOMMIT")).await {
            Err(error) if error.is_lost() => Err(error.into()),
            Err(_) => {
                self.session.run("ROLLBACK").await?;
                for entry in batch {
                    self.build(entry).await?;
                }
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }

    /// Makes one object and gives it to its owner.
    pub(super) async fn build(&mut self, entry: &Entry) -> Result<()> {
        if let Err(error) = self.session.run(&entry.sql).await {
            if !tolerable(entry, &error) {
                return Err(error.into());
            }
            self.skip(entry, error.to_string());
            return Ok(());
        }
        for (statement, owner) in &entry.owners {
            if !self.may_become(owner).await? {
                self.skip(entry, format!("it belongs to {} instead of {owner}", self.session.endpoint().user));
                continue;
            }
            self.let_create(&entry.schema, owner).await?;
            match self.session.run(statement).await {
                Err(error) if error.code().is_some() => self.skip(entry, error.to_string()),
                other => other?,
            }
        }
        Ok(())
    }

    fn skip(&mut self, entry: &Entry, why: String) {
        self.skipped.push(Skipped { what: format!("{} {}", entry.kind.to_lowercase(), entry.name), why });
    }

    async fn may_become(&mut self, role: &str) -> Result<bool> {
        if let Some(known) = self.may.get(role) {
            return Ok(*known);
        }
        let may = may_become(self.session, role).await?;
        self.may.insert(role.to_owned(), may);
        Ok(may)
    }

    /// A new owner must be able to create in the schema (a schema's, in the database); where it cannot, it may for the
    /// time of the copy.
    async fn let_create(&mut self, schema: &str, owner: &str) -> Result<()> {
        if !self.seen.insert((schema.to_owned(), owner.to_owned())) {
            return Ok(());
        }
        let database = &self.session.endpoint().database;
        let (may, place): (bool, String) = if schema == "-" {
            let sql = "SELECT has_database_privilege($1::text::name, current_database(), 'CREATE')";
            (self.session.value(sql, &[&owner]).await?, format!("DATABASE {}", ident(database)))
        } else {
            let sql = "SELECT has_schema_privilege($1::text::name, $2::text, 'CREATE')";
            (self.session.value(sql, &[&owner, &schema]).await?, format!("SCHEMA {}", ident(schema)))
        };
        if !may {
            match self.session.run(&format!("GRANT CREATE ON {place} TO {}", ident(owner))).await {
                Err(error) if error.is_lost() => return Err(error.into()),
                // The change of owner will say what is missing.
                Err(_) => {}
                Ok(()) => {
                    self.granted.insert((place, owner.to_owned()));
                }
            }
        }
        Ok(())
    }

    /// Takes back what [`Self::let_create`] gave.
    pub(super) async fn settle(self) -> Result<()> {
        for (place, owner) in &self.granted {
            self.session.run(&format!("REVOKE CREATE ON {place} FROM {}", ident(owner))).await?;
        }
        Ok(())
    }
}

/// Whether an entry that failed this way can be left out: not allowed, not there, or no such role.
fn tolerable(entry: &Entry, error: &postgres::Error) -> bool {
    let Some(code) = error.code() else { return false };
    let refused = ["42501", "42704", "42883", "42P01", "0A000", "58P01", "42710"].contains(&code);
    let public = entry.kind == "SCHEMA" && entry.name == "public" && code == "42P06";
    public || (refused && OPTIONAL.contains(&entry.kind.as_str()))
}
