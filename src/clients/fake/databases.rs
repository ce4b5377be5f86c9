//! Two databases in memory: rows, roles that may log in, and the marks a run leaves.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use serde::Serialize;
use serde_json::{Value, json};

use super::Fuse;
use crate::clients::{ClientError, ClientResult, Kind};
use crate::postgres::port::{
    DatabasesRead, DatabasesWrite, Difference, Facts, FenceState, Moved, Progress, TableFacts,
};
use crate::world::Side;

/// The old and the new database.
#[derive(Clone)]
pub struct FakeDatabases {
    fuse: Fuse,
    state: Arc<Mutex<(Database, Database)>>,
}

/// What one holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Database {
    /// Tables with their rows.
    pub tables: BTreeMap<String, Vec<String>>,
    /// Roles, and whether they may log in.
    pub roles: BTreeMap<String, bool>,
    /// The run whose copy this is.
    pub copied_by: Option<String>,
    /// Whether outgrow left something of its own here.
    pub marked: bool,
}

impl FakeDatabases {
    /// The old one with rows, the new one empty.
    pub fn new(fuse: Fuse) -> Self {
        let rows = vec!["1".to_owned(), "2".to_owned()];
        let old = Database {
            tables: BTreeMap::from([("public.orders".to_owned(), rows)]),
            roles: BTreeMap::from([("shop".to_owned(), true)]),
            ..Database::default()
        };
        Self { fuse, state: Arc::new(Mutex::new((old, Database::default()))) }
    }

    /// What the application does, if it can: writes a row.
    pub fn write_row(&self, side: Side, row: &str) {
        self.with(side, |db| db.tables.entry("public.orders".into()).or_default().push(row.into()));
    }

    /// Everything, comparable.
    pub fn snapshot(&self) -> Value {
        json!(*self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, (Database, Database)> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn change(&self, what: &str, side: Side, effect: impl FnOnce(&mut Database)) -> ClientResult<()> {
        let effect = || {
            self.with(side, effect);
            Ok(())
        };
        self.fuse.act(what, effect).await
    }

    fn with<T>(&self, side: Side, f: impl FnOnce(&mut Database) -> T) -> T {
        let mut both = self.lock();
        f(match side {
            Side::Old => &mut both.0,
            Side::New => &mut both.1,
        })
    }
}

fn moved(db: &Database) -> Moved {
    let rows = db.tables.values().map(Vec::len).sum::<usize>() as u64;
    Moved { tables: db.tables.len() as u64, rows, bytes: rows }
}

#[async_trait]
impl DatabasesRead for FakeDatabases {
    async fn facts(&self, side: Side) -> ClientResult<Facts> {
        Ok(self.with(side, |db| Facts {
            version: "15.18".into(),
            bytes: moved(db).bytes,
            tables: db
                .tables
                .iter()
                .map(|(name, rows)| TableFacts {
                    name: name.clone(),
                    rows: rows.len() as u64,
                    bytes: rows.len() as u64,
                })
                .collect(),
            large_objects: (0, 0),
            app_roles: db.roles.keys().cloned().collect(),
            obstacles: Vec::new(),
            copied_by: db.copied_by.clone(),
            foreign_objects: db.copied_by.is_none() && !db.tables.is_empty(),
        }))
    }

    async fn is_fenced(&self, side: Side, roles: &[String]) -> ClientResult<bool> {
        Ok(self.with(side, |db| roles.iter().all(|role| db.roles.get(role) != Some(&true))))
    }

    async fn fence_state(&self, side: Side, roles: &[String]) -> ClientResult<FenceState> {
        let state = |db: &mut Database| {
            let of = |role: &String| db.roles.get(role).map(|login| (role.clone(), *login));
            FenceState { roles: roles.iter().filter_map(of).collect() }
        };
        Ok(self.with(side, state))
    }

    async fn differences(&self) -> ClientResult<Vec<Difference>> {
        let both = self.lock();
        let names = both.0.tables.keys().chain(both.1.tables.keys());
        let mut names: Vec<_> = names.filter(|name| both.0.tables.get(*name) != both.1.tables.get(*name)).collect();
        names.dedup();
        Ok(names.into_iter().map(|n| Difference { table: n.clone(), what: "rows differ".into() }).collect())
    }

    async fn changed_since(&self, side: Side, mark: &str) -> ClientResult<bool> {
        Ok(self.mark(side).await? != mark)
    }

    async fn mark(&self, side: Side) -> ClientResult<String> {
        Ok(self.with(side, |db| format!("{:?}", db.tables)))
    }
}

#[async_trait]
impl DatabasesWrite for FakeDatabases {
    async fn copy(&self, run: &str, progress: Progress<'_>) -> ClientResult<Moved> {
        let copied = self.fuse.act("copy", || {
            let mut both = self.lock();
            if both.1.copied_by.as_deref() != Some(run) && !both.1.tables.is_empty() {
                return Err(ClientError::new(Kind::Conflict, "copy", "the target holds other objects"));
            }
            both.1.tables = both.0.tables.clone();
            both.1.roles = both.0.roles.keys().map(|role| (role.clone(), false)).collect();
            both.1.copied_by = Some(run.to_owned());
            Ok(moved(&both.1))
        });
        let moved = copied.await?;
        progress("public.orders", moved.bytes, moved.bytes);
        Ok(moved)
    }

    async fn wipe(&self, run: &str) -> ClientResult<()> {
        self.fuse
            .act("wipe", || {
                self.with(Side::New, |db| {
                    if db.copied_by.as_deref() == Some(run) {
                        *db = Database::default();
                    }
                });
                Ok(())
            })
            .await
    }

    async fn catch_up(&self, from: Side, to: Side, progress: Progress<'_>) -> ClientResult<Moved> {
        let caught = self.fuse.act("catch up", || {
            let tables = self.with(from, |db| db.tables.clone());
            self.with(to, |db| db.tables = tables);
            Ok(self.with(to, |db| moved(db)))
        });
        let moved = caught.await?;
        progress("public.orders", moved.bytes, moved.bytes);
        Ok(moved)
    }

    async fn fence(&self, side: Side, roles: &[String]) -> ClientResult<()> {
        let shut = |db: &mut Database| {
            db.marked = true;
            db.roles.iter_mut().filter(|(role, _)| roles.contains(role)).for_each(|(_, login)| *login = false);
        };
        self.change("fence", side, shut).await
    }

    async fn unfence(&self, side: Side, state: &FenceState) -> ClientResult<()> {
        let open = |db: &mut Database| {
            for (role, login) in &state.roles {
                db.roles.entry(role.clone()).and_modify(|now| *now = *login);
            }
        };
        self.change("unfence", side, open).await
    }

    async fn tidy(&self, side: Side) -> ClientResult<()> {
        self.change("tidy", side, |db| db.marked = false).await
    }
}
