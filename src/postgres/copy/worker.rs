//! Works off the list: rows pass through, indexes and constraints are built, over several connections to each side.

use std::sync::{Mutex, MutexGuard, PoisonError};

use futures::future::try_join_all;
use tokio::sync::Notify;

use super::pace::{Limits, Told};
use super::place::Placed;
use super::work::{Pages, Task, Work};
use super::{Event, Progress, record, rows};
use crate::clients::postgres::{Endpoint, Wire};
use crate::postgres::catalog::Table;
use crate::postgres::pinned::Pinned;
use crate::postgres::{Result, large_objects};

/// How often a statement is tried again when two sessions' locks crossed.
const DEADLOCK_TRIES: u32 = 8;

/// What every worker sees.
pub(super) struct Shop<'a> {
    pub pinned: &'a Pinned,
    pub target: &'a Endpoint,
    pub tables: &'a [Table],
    pub placed: &'a Placed,
    pub done: &'a std::collections::HashSet<String>,
    pub jobs: usize,
    pub limits: &'a Limits,
    pub progress: &'a dyn Progress,
    /// Told once the last row is there.
    pub moved: &'a Notify,
}

/// What the workers did.
#[derive(Debug, Default)]
pub(super) struct Worked {
    /// Rows of each table, by its place.
    pub rows: Vec<u64>,
    /// Bytes that travelled.
    pub bytes: u64,
    /// Large objects written.
    pub large_objects: usize,
}

/// Does all of it.
pub(super) async fn work(shop: &Shop<'_>, work: Work) -> Result<Worked> {
    let workers = shop.jobs.clamp(1, work.width().max(1));
    let (work, more) = (Mutex::new(work), Notify::new());
    let all = (0..workers).map(|_| Worker { shop, work: &work, more: &more, reader: None, writer: None }.run());
    let mut sum = Worked { rows: vec![0; shop.tables.len()], ..Worked::default() };
    for one in try_join_all(all).await? {
        sum.bytes += one.bytes;
        sum.large_objects += one.large_objects;
        for (all, rows) in sum.rows.iter_mut().zip(one.rows) {
            *all += rows;
        }
    }
    Ok(sum)
}

/// What a session that builds needs: no wait for the disk at every commit (the copy's end is durable, and all before it
/// with it), and memory for sorting, as much as the server's own says it can give.
pub(super) fn building(jobs: usize) -> String {
    format!(
        "SET synchronous_commit = off; SET check_function_bodies = off; \
         SELECT pg_catalog.set_config('maintenance_work_mem', \
           greatest(m.setting::bigint, least(1048576, s.setting::bigint * 8 / 4 / {jobs}))::text || 'kB', false), \
           pg_catalog.set_config('max_parallel_maintenance_workers', greatest(2, w.setting::int)::text, false) \
         FROM pg_catalog.pg_settings m, pg_catalog.pg_settings s, pg_catalog.pg_settings w WHERE \
         m.name = 'maintenance_work_mem' AND s.name = 'shared_buffers' AND w.name = 'max_parallel_maintenance_workers'"
    )
}

struct Worker<'a> {
    shop: &'a Shop<'a>,
    work: &'a Mutex<Work>,
    more: &'a Notify,
    reader: Option<Wire>,
    writer: Option<Wire>,
}

impl Worker<'_> {
    fn list(&self) -> MutexGuard<'_, Work> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn run(mut self) -> Result<Worked> {
        let mut worked = Worked { rows: vec![0; self.shop.tables.len()], ..Worked::default() };
        loop {
            // Asked for before the list is looked at, so that no word is missed in between.
            let mut woken = std::pin::pin!(self.more.notified());
            woken.as_mut().enable();
            let (task, over) = {
                let mut work = self.list();
                (work.next(), work.is_over())
            };
            let Some(task) = task else {
                if over {
                    break;
                }
                woken.await;
                continue;
            };
            self.patiently(&task, &mut worked).await?;
            let mut work = self.list();
            work.done(&task);
            if work.all_moved() {
                self.shop.moved.notify_one();
            }
            drop(work);
            self.more.notify_waiters();
        }
        for wire in [self.reader.take(), self.writer.take()].into_iter().flatten() {
            wire.close().await;
        }
        Ok(worked)
    }

    /// Two sessions on the same tables may wait for each other; the server ends one of them, which then goes again.
    async fn patiently(&mut self, task: &Task, worked: &mut Worked) -> Result<()> {
        for _ in 1..DEADLOCK_TRIES {
            match self.perform(task, worked).await {
                Err(error) if error.code() == Some("40P01") => (self.reader, self.writer) = (None, None),
                other => return other,
            }
        }
        self.perform(task, worked).await
    }

    async fn perform(&mut self, task: &Task, worked: &mut Worked) -> Result<()> {
        let placed = self.shop.placed;
        match task {
            Task::Together(tables) => self.together(tables, worked).await,
            Task::Rows(table, pages) => self.rows(*table, *pages, worked).await,
            Task::Key(table, number) => self.part(*table, &placed.of_table[*table].keys[*number]).await,
            Task::Index(table, number) => self.part(*table, &placed.of_table[*table].indexes[*number]).await,
            Task::Foreign(number) => {
                let foreign = &placed.foreign[*number];
                self.build(foreign.tables[0], &foreign.sql, record::foreign(&foreign.sql)).await
            }
            Task::Analyze(table) => {
                let table = &self.shop.tables[*table];
                let sql = format!("ANALYZE {}; {}", table.name, record::note(&[record::rows_of(table)]));
                self.writer().await?.run(&sql).await?;
                Ok(())
            }
            Task::LargeObjects => {
                worked.large_objects += bring_large_objects(self.shop).await?;
                Ok(())
            }
        }
    }

    async fn writer(&mut self) -> Result<&mut Wire> {
        let writer = match self.writer.take() {
            Some(writer) => writer,
            None => open_writer(self.shop).await?,
        };
        Ok(self.writer.insert(writer))
    }

    /// Both connections. The reader's transaction is begun anew for every lot, so that it never holds many locks.
    async fn both(&mut self) -> Result<(&mut Wire, &mut Wire)> {
        let reader = match self.reader.take() {
            Some(reader) => reader,
            None => self.shop.pinned.endpoint().wire().await?,
        };
        let (readers, writers) = (&mut self.reader, &mut self.writer);
        let writer = match writers.take() {
            Some(writer) => writer,
            None => open_writer(self.shop).await?,
        };
        Ok((readers.insert(reader), writers.insert(writer)))
    }

    /// Small tables: everything about them in one round trip and one transaction.
    async fn together(&mut self, places: &[usize], worked: &mut Worked) -> Result<()> {
        let shop = self.shop;
        let tables: Vec<&Table> = places.iter().map(|at| &shop.tables[*at]).collect();
        let (mut into, mut built) = (String::new(), 0);
        let mut notes: Vec<String> = tables.iter().map(|table| record::rows_of(table)).collect();
        for at in places {
            let after = &shop.placed.of_table[*at];
            for sql in after.keys.iter().chain(&after.indexes).filter(|sql| !self.is_done(sql)) {
                into.push_str(sql);
                into.push_str(";\n");
                notes.push(record::statement(sql));
                built += 1;
            }
        }
        let names: Vec<_> = tables.iter().map(|table| table.name.to_string()).collect();
        let end = format!("{into}ANALYZE {};\n{};\nCOMMIT", names.join(", "), record::note(&notes));
        let rows = self.relay(&tables, None, &end, worked).await?;
        for ((at, table), rows) in places.iter().zip(&tables).zip(rows) {
            worked.rows[*at] += rows;
            shop.progress.tell(Event::Rows { table: table.name.clone(), rows, complete: true });
        }
        if let Some(table) = tables.last().filter(|_| built > 0) {
            shop.progress.tell(Event::Built { table: table.name.clone(), indexes: built });
        }
        Ok(())
    }

    async fn rows(&mut self, at: usize, pages: Option<Pages>, worked: &mut Worked) -> Result<()> {
        let table = &self.shop.tables[at];
        let end = match pages {
            // A table in pieces is on record with what is built on it once the last one is there.
            Some(_) => "COMMIT".to_owned(),
            None => format!("{};\nCOMMIT", record::note(&[record::rows_of(table)])),
        };
        for rows in self.relay(&[table], pages, &end, worked).await? {
            worked.rows[at] += rows;
            let complete = self.list().is_last(at);
            self.shop.progress.tell(Event::Rows { table: table.name.clone(), rows, complete });
        }
        Ok(())
    }

    async fn relay(
        &mut self,
        tables: &[&Table],
        pages: Option<Pages>,
        end: &str,
        worked: &mut Worked,
    ) -> Result<Vec<u64>> {
        let shop = self.shop;
        shop.limits.calm().await;
        let begin = shop.pinned.begin_sql();
        let (reader, writer) = self.both().await?;
        let same = reader.version() == writer.version();
        let list = |of: &dyn Fn(&Table) -> String| tables.iter().map(|table| of(table) + ";\n").collect::<String>();
        let out = format!("COMMIT; {begin};\n{}", list(&|table| rows::copy_out(table, pages, same)));
        let into = format!("BEGIN;\n{}{end}", list(&|table| rows::copy_whole_into(table, pages, same)));
        let mut told = Told { tables, limits: shop.limits, progress: shop.progress };
        let relayed = reader.relay(&out, writer, &into, &mut told).await?;
        worked.bytes += relayed.bytes;
        Ok(relayed.rows)
    }

    fn is_done(&self, sql: &str) -> bool {
        !self.shop.done.is_empty() && self.shop.done.contains(&record::statement(sql))
    }

    async fn part(&mut self, table: usize, sql: &str) -> Result<()> {
        self.build(table, sql, record::statement(sql)).await
    }

    async fn build(&mut self, table: usize, sql: &str, what: String) -> Result<()> {
        let shop = self.shop;
        if !shop.done.contains(&what) {
            let notes = [record::rows_of(&shop.tables[table]), what];
            let sql = format!("BEGIN;\n{sql};\n{};\nCOMMIT", record::note(&notes));
            let writer = self.writer().await?;
            let built = writer.run(&sql).await;
            if built.is_err() {
                self.writer = None;
            }
            built?;
        }
        shop.progress.tell(Event::Built { table: shop.tables[table].name.clone(), indexes: 1 });
        Ok(())
    }
}

async fn bring_large_objects(shop: &Shop<'_>) -> Result<usize> {
    if shop.done.contains(record::LARGE_OBJECTS) {
        return Ok(0);
    }
    let (reader, writer) = tokio::try_join!(shop.pinned.session(), async { Ok(shop.target.connect().await?) })?;
    writer.run("BEGIN; SET LOCAL synchronous_commit = off").await?;
    let brought = large_objects::bring(&reader, &writer).await?;
    writer.run(&format!("{}; COMMIT", record::note(&[record::LARGE_OBJECTS.to_owned()]))).await?;
    reader.close();
    writer.close();
    Ok(brought.written)
}

async fn open_writer(shop: &Shop<'_>) -> Result<Wire> {
    let mut writer = shop.target.wire().await?;
    writer.run(&building(shop.jobs)).await?;
    Ok(writer)
}
