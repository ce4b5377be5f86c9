//! The old and the new database in memory, for the tests of steps and engine.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use serde::Serialize;

use super::follow::opposite;
use super::pooler::Mode;
use super::pooler::kept::{INI, path};
use super::port::{
    CaughtUp, Comparison, DatabasesRead, DatabasesWrite, Difference, Facts, FenceState, Handover, Moved, Obstacle,
    Pause, PoolerOrder, PoolerStand, Pooling, Progress, TableFacts,
};
use crate::clients::fake::Fuse;
use crate::clients::fake::hosts::FakeHost;
use crate::clients::hosts::HostRead;
use crate::clients::{ClientError, ClientResult, Kind};
use crate::world::Side;

/// Two databases with one table of rows each, roles, and outgrow's marks. A pooler's state is a file in its container, and
/// goes with it.
#[derive(Clone)]
pub struct FakeDatabases {
    fuse: Fuse,
    engine: FakeHost,
    both: Arc<Mutex<Both>>,
}

/// What they hold; comparable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Both {
    /// The box's.
    pub old: One,
    /// RDS.
    pub new: One,
    /// Who gives the stream between them, if one runs.
    pub stream: Option<Side>,
    /// Who was opened to the application last.
    pub writer: Side,
}

/// What one holds.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct One {
    /// Rows by table.
    pub tables: BTreeMap<String, Vec<u64>>,
    /// Roles, and whether they can log in.
    pub roles: BTreeMap<String, bool>,
    /// The run that copied.
    pub copied_by: Option<String>,
    /// The run that caught up, and whether the database was opened since.
    pub caught_up_by: Option<CaughtUp>,
}

impl FakeDatabases {
    /// The old one, on this engine, with some rows and an app role; the new one empty.
    pub fn new(fuse: Fuse, engine: FakeHost) -> Self {
        let old = One {
            tables: BTreeMap::from([("public.orders".to_owned(), vec![1, 2, 3])]),
            roles: BTreeMap::from([("shop".to_owned(), true), ("report".to_owned(), false)]),
            ..One::default()
        };
        let both = Both { old, new: One::default(), stream: None, writer: Side::Old };
        Self { fuse, engine, both: Arc::new(Mutex::new(both)) }
    }

    /// Where a pooler sends its clients, and whether they wait.
    async fn pooler_says(&self, pooler: &str) -> ClientResult<Option<String>> {
        match self.engine.read_file(pooler, &path(INI)).await {
            Ok(text) => Ok(Some(String::from_utf8_lossy(&text).into_owned())),
            Err(error) if error.kind == Kind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn set_pooler(&self, doing: &str, pooler: &str, text: &str) -> ClientResult<()> {
        self.fuse
            .act(doing, || {
                self.engine.text(pooler, &path(INI), text);
                Ok(())
            })
            .await
    }

    /// Everything both hold.
    pub fn snapshot(&self) -> Both {
        self.lock().clone()
    }

    /// Writes a row as the application would; whether it was acknowledged.
    pub fn app_writes(&self, side: Side, row: u64) -> bool {
        let mut both = self.lock();
        let one = both.side(side);
        let open = one.roles.get("shop") == Some(&true);
        if let (true, Some(rows)) = (open, one.tables.get_mut("public.orders")) {
            rows.push(row);
            if both.stream == Some(side) {
                let tables = both.side(side).tables.clone();
                both.side(opposite(side)).tables = tables;
            }
            return true;
        }
        false
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Both> {
        self.both.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Both {
    fn side(&mut self, side: Side) -> &mut One {
        match side {
            Side::Old => &mut self.old,
            Side::New => &mut self.new,
        }
    }

    /// Opens a side, once more or for the first time, in one transaction with its mark.
    fn open(&mut self, side: Side, run: &str, state: &FenceState) {
        self.writer = side;
        for (role, login) in &state.roles {
            if let Some(now) = self.side(side).roles.get_mut(role) {
                *now = *login;
            }
        }
        if self.new.copied_by.is_some() {
            let mark = CaughtUp { run: run.to_owned(), serving: true };
            self.new.caught_up_by = (side == Side::New).then_some(mark);
        }
    }
}

#[async_trait]
impl DatabasesRead for FakeDatabases {
    async fn facts(&self, side: Side) -> ClientResult<Facts> {
        let mut both = self.lock();
        let one = both.side(side);
        let table = |(name, rows): (&String, &Vec<u64>)| TableFacts {
            name: name.clone(),
            rows: rows.len() as u64,
            bytes: 8 * rows.len() as u64,
        };
        Ok(Facts {
            version: "15.18".into(),
            bytes: 1024,
            tables: one.tables.iter().map(table).collect(),
            large_objects: (0, 0),
            app_roles: one.roles.keys().cloned().collect(),
            obstacles: Vec::new(),
            copied_by: one.copied_by.clone(),
            foreign_objects: side == Side::New && one.copied_by.is_none() && !one.tables.is_empty(),
        })
    }

    async fn is_fenced(&self, side: Side, roles: &[String]) -> ClientResult<bool> {
        let mut both = self.lock();
        let one = both.side(side);
        Ok(roles.iter().all(|r| one.roles.get(r) != Some(&true)))
    }

    async fn fence_state(&self, side: Side, roles: &[String]) -> ClientResult<FenceState> {
        let mut both = self.lock();
        let one = both.side(side);
        Ok(FenceState {
            roles: roles.iter().map(|r| (r.clone(), one.roles.get(r).copied().unwrap_or(false))).collect(),
        })
    }

    async fn differences(&self) -> ClientResult<Vec<Difference>> {
        let both = self.lock();
        let differs = both.old.tables != both.new.tables;
        let difference = Difference { table: "public.orders".into(), what: "rows differ".into() };
        Ok(differs.then_some(difference).into_iter().collect())
    }

    async fn caught_up_by(&self) -> ClientResult<Option<CaughtUp>> {
        Ok(self.lock().new.caught_up_by.clone())
    }

    async fn follow_obstacles(&self, _: &str) -> ClientResult<Vec<Obstacle>> {
        Ok(Vec::new())
    }

    async fn stream_trouble(&self, _: &str, giver: Side) -> ClientResult<Option<String>> {
        Ok((self.lock().stream != Some(giver)).then(|| "there is no subscription".to_owned()))
    }

    async fn comparison(&self) -> Comparison {
        Comparison::None
    }

    async fn pooling(&self, roles: &[String]) -> ClientResult<Pooling> {
        let obstacles = roles.iter().filter(|role| *role == "nobody").map(|role| Obstacle {
            what: format!("the role {role} has no password"),
            todo: "give it one".to_owned(),
            blocks: true,
        });
        Ok(Pooling { mode: Mode::Transaction, why: Vec::new(), obstacles: obstacles.collect() })
    }

    async fn pooler(&self, pooler: &str) -> ClientResult<Option<PoolerStand>> {
        let Some(text) = self.pooler_says(pooler).await? else { return Ok(None) };
        if !self.engine.container(pooler).await?.is_some_and(|there| there.running) {
            return Err(ClientError::new(Kind::Unanswered, "ask the pooler", "connection refused"));
        }
        let sends_to = match text.as_str() {
            "old" => Some(Side::Old),
            "new" => Some(Side::New),
            _ => None,
        };
        Ok(Some(PoolerStand { version: "1.24.1".to_owned(), mode: Mode::Transaction, sends_to }))
    }
}

#[async_trait]
impl DatabasesWrite for FakeDatabases {
    async fn copy(&self, run: &str, progress: Progress<'_>) -> ClientResult<Moved> {
        progress("public.orders", 1, 1);
        // A copy is many effects; here it is three, so that a process can die between them.
        self.fuse
            .act("copy", || {
                let mut both = self.lock();
                if both.new.copied_by.as_deref().is_some_and(|by| by != run) {
                    return Err(ClientError::new(Kind::Conflict, "copy", "another run's copy is there"));
                }
                both.new.tables.clear();
                both.new.copied_by = Some(run.to_owned());
                Ok(())
            })
            .await?;
        self.fuse
            .act("copy", || {
                let mut both = self.lock();
                both.new.roles = both.old.roles.keys().map(|r| (r.clone(), false)).collect();
                Ok(())
            })
            .await?;
        self.fuse
            .act("copy", || {
                let mut both = self.lock();
                both.new.tables = both.old.tables.clone();
                Ok(Moved { tables: 1, rows: 3, bytes: 24 })
            })
            .await
    }

    async fn wipe(&self, run: &str) -> ClientResult<()> {
        self.fuse
            .act("wipe", || {
                let mut both = self.lock();
                if both.new.copied_by.as_deref() == Some(run) {
                    both.new = One::default();
                }
                Ok(())
            })
            .await
    }

    async fn catch_up(&self, run: &str, from: Side, progress: Progress<'_>) -> ClientResult<Moved> {
        progress("public.orders", 1, 1);
        self.fuse
            .act("catch up", || {
                let mut both = self.lock();
                let tables = both.side(from).tables.clone();
                match from {
                    Side::Old => {
                        both.new.tables = tables;
                        both.new.caught_up_by = Some(CaughtUp { run: run.to_owned(), serving: false });
                    }
                    Side::New => {
                        both.old.tables = tables;
                        // All it held is on the old side: the claim is taken back.
                        both.new.caught_up_by = None;
                    }
                }
                Ok(Moved::default())
            })
            .await
    }

    async fn forget_catch_up(&self) -> ClientResult<()> {
        self.fuse
            .act("forget", || {
                let mut both = self.lock();
                if both.new.caught_up_by.as_ref().is_none_or(|mark| mark.serving) {
                    return Err(ClientError::new(Kind::Conflict, "forget", "the database was opened since"));
                }
                both.new.caught_up_by = None;
                Ok(())
            })
            .await
    }

    async fn fence(&self, side: Side, roles: &[String]) -> ClientResult<()> {
        for role in roles {
            self.fuse
                .act("fence", || {
                    if let Some(login) = self.lock().side(side).roles.get_mut(role) {
                        *login = false;
                    }
                    Ok(())
                })
                .await?;
        }
        Ok(())
    }

    async fn unfence(&self, side: Side, state: &FenceState) -> ClientResult<()> {
        if side == Side::New {
            // One transaction, the mark with it.
            return self
                .fuse
                .act("unfence", || {
                    let mut both = self.lock();
                    match &mut both.new.caught_up_by {
                        Some(mark) => mark.serving = true,
                        None => return Err(ClientError::new(Kind::Conflict, "unfence", "nothing was caught up")),
                    }
                    both.writer = Side::New;
                    for (role, login) in &state.roles {
                        if let Some(now) = both.new.roles.get_mut(role) {
                            *now = *login;
                        }
                    }
                    Ok(())
                })
                .await;
        }
        for (role, login) in &state.roles {
            self.fuse
                .act("unfence", || {
                    self.lock().writer = side;
                    if let Some(now) = self.lock().side(side).roles.get_mut(role) {
                        *now = *login;
                    }
                    Ok(())
                })
                .await?;
        }
        Ok(())
    }

    async fn follow(&self, run: &str, progress: Progress<'_>) -> ClientResult<Moved> {
        if self.lock().stream == Some(Side::Old) {
            return Ok(Moved::default());
        }
        let moved = self.copy(run, progress).await?;
        self.fuse
            .act("subscribe", || {
                let mut both = self.lock();
                both.new.tables = both.old.tables.clone();
                both.stream = Some(Side::Old);
                Ok(moved)
            })
            .await
    }

    async fn unfollow(&self, _: &str) -> ClientResult<()> {
        self.fuse
            .act("unfollow", || {
                self.lock().stream = None;
                Ok(())
            })
            .await
    }

    async fn hand_over(
        &self,
        run: &str,
        from: Side,
        state: &FenceState,
        _: Duration,
        pooler: Option<&str>,
    ) -> ClientResult<Handover> {
        let roles: Vec<String> = state.roles.iter().map(|(role, _)| role.clone()).collect();
        if self.lock().stream != Some(from) {
            return Ok(Handover::Reopened("no stream runs".to_owned()));
        }
        if let Some(pooler) = pooler {
            self.hold_clients(pooler).await?;
        }
        self.fence(from, &roles).await?;
        self.fuse
            .act("open the receiver", || {
                let mut both = self.lock();
                both.open(opposite(from), run, state);
                both.stream = Some(opposite(from));
                Ok(())
            })
            .await?;
        if let Some(pooler) = pooler {
            self.send_clients(pooler, opposite(from)).await?;
        }
        Ok(Handover::Done(Pause::default()))
    }

    async fn settle(&self, run: &str, state: &FenceState, pooler: Option<&str>) -> ClientResult<Side> {
        let writer = self
            .fuse
            .act("settle", || {
                let mut both = self.lock();
                let writer = both.writer;
                both.open(writer, run, state);
                Ok(writer)
            })
            .await?;
        if let Some(pooler) = pooler {
            self.send_clients(pooler, writer).await?;
        }
        Ok(writer)
    }

    async fn arm_pooler(&self, pooler: &str, _: &PoolerOrder) -> ClientResult<()> {
        self.set_pooler("arm the pooler", pooler, "old").await
    }

    async fn fit_pooler(&self, pooler: &str, _: bool) -> ClientResult<PoolerStand> {
        let gone = || ClientError::new(Kind::NotFound, "fit the pooler", "it is not there");
        self.pooler(pooler).await?.ok_or_else(gone)
    }

    async fn hold_clients(&self, pooler: &str) -> ClientResult<()> {
        let now = self.pooler_says(pooler).await?.unwrap_or_default();
        self.set_pooler("hold the clients", pooler, &format!("{} held", now.trim_end_matches(" held"))).await
    }

    async fn send_clients(&self, pooler: &str, side: Side) -> ClientResult<()> {
        let to = match side {
            Side::Old => "old",
            Side::New => "new",
        };
        self.set_pooler("send the clients on", pooler, to).await
    }

    async fn tidy(&self, side: Side) -> ClientResult<()> {
        self.fuse
            .act("tidy", || {
                if side == Side::New {
                    let mut both = self.lock();
                    both.new.copied_by = None;
                    both.new.caught_up_by = None;
                }
                Ok(())
            })
            .await
    }
}
