//! PgBouncer in front of the database: it takes over the database's name in the box's network, makes clients wait while
//! the writes are handed over, and sends them on to the other side.
//!
//! * [`Ini`], [`userlist_text`] what it reads
//! * [`Pooler`] the [`Hold`] of a handover, over its admin console
//! * [`kept`] what lies beside one that outgrow made
//! * [`look`] what the application does that a pooler gets in the way of, and the mode that follows
//!
//! It may run anywhere: its console is an [`Endpoint`], its files are written by whoever can.

mod console;
mod ini;
pub mod kept;
mod look;

use std::fmt;
use std::io;
use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::Mutex;

use crate::clients::postgres::{Endpoint, Session};
use crate::world::Side;

use super::handover::Hold;
use super::{Error, Result};

pub use console::{Console, PoolState};
pub use ini::{Ini, Mode, Target, User, userlist_text};
pub use look::{Look, keeps_statements_apart, look};

/// Writes the pooler's configuration where it reads it.
#[async_trait]
pub trait WriteIni: Send + Sync + fmt::Debug {
    /// Puts this text in place of `pgbouncer.ini`, at once and whole.
    async fn write(&self, text: &str) -> io::Result<()>;
}

/// The pooler in front of both databases.
#[derive(Debug)]
pub struct Pooler {
    console: Endpoint,
    files: Arc<dyn WriteIni>,
    ini: Ini,
    old: Target,
    new: Target,
    open: Mutex<Open>,
}

/// What is known of the running pooler.
#[derive(Debug, Default)]
struct Open {
    console: Option<Session>,
    written: Option<Side>,
}

impl Pooler {
    /// `console` is its port with the database `pgbouncer` and a user of [`Ini::admins`].
    pub fn new(console: Endpoint, files: Arc<dyn WriteIni>, ini: Ini, old: Target, new: Target) -> Self {
        Self { console, files, ini, old, new, open: Mutex::default() }
    }

    /// The configuration that sends clients to this side.
    pub fn text(&self, side: Side) -> String {
        self.ini.text(match side {
            Side::Old => &self.old,
            Side::New => &self.new,
        })
    }

    async fn write(&self, open: &mut Open, side: Side) -> Result<()> {
        if open.written != Some(side) {
            open.written = None;
            self.files
                .write(&self.text(side))
                .await
                .map_err(|source| Error::Local { doing: "write the pooler's configuration".to_owned(), source })?;
            open.written = Some(side);
        }
        Ok(())
    }

    async fn console(&self, open: &mut Open) -> Result<Console> {
        // Taken out: a question that is broken off leaves a console in the middle of something behind.
        match open.console.take() {
            Some(session) => Ok(Console::on(session)),
            None => Console::open(&self.console).await,
        }
    }
}

#[async_trait]
impl Hold for Pooler {
    /// The configuration is written already, and read only when the clients are released: should the pooler start anew
    /// in between, it finds the other side shut, and the release mends that.
    async fn prepare(&self, to: Side) -> Result<()> {
        let mut open = self.open.lock().await;
        self.write(&mut open, to).await?;
        let console = self.console(&mut open).await?;
        console.pools().await?;
        open.console = Some(console.into_session());
        Ok(())
    }

    async fn hold(&self) -> Result<()> {
        let mut open = self.open.lock().await;
        let console = self.console(&mut open).await?;
        match self.ini.mode {
            Mode::Transaction => console.pause().await?,
            // A session ends when its client goes: these clients lose their connection, and wait with a new one.
            Mode::Session => console.kill(&self.ini.database).await?,
        }
        open.console = Some(console.into_session());
        Ok(())
    }

    async fn release_to(&self, side: Side) -> Result<()> {
        let mut open = self.open.lock().await;
        self.write(&mut open, side).await?;
        let mut console = self.console(&mut open).await?;
        if console.reload().await.is_err() {
            // It was cut, or is that of a pooler that has gone since.
            console = Console::open(&self.console).await?;
            console.reload().await?;
        }
        console.resume(&self.ini.database).await?;
        open.console = Some(console.into_session());
        Ok(())
    }
}
