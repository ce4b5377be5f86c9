//! A run in this process: its lock, its journal, its log, its socket and its signals around the engine.

use std::path::PathBuf;
use std::sync::Arc;

use super::failure::{Code, Failure};
use super::{reaching, world::World};
use crate::engine::control::{Command, Lever};
use crate::engine::socket::Server;
use crate::engine::{Companion, Engine, Item, Options};
use crate::event::{Outcome, Sink};
use crate::home::{Home, RunDir, whoami};
use crate::journal;
use crate::journal::lock::{Holder, Lock};
use crate::plan::{Plan, Sealed};
use crate::step::Reach;

/// What a process does with a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish {
    /// Begin it.
    Begin,
    /// Go on in the direction it has.
    Resume,
    /// Take it back.
    RollBack(String),
}

/// How the run shall behave.
#[derive(Clone, Default)]
pub struct How {
    /// The step that is made to fail.
    pub fail_at: Option<String>,
    /// The operator agreed to lose writes.
    pub may_lose_writes: bool,
    /// Asked before each step.
    pub companion: Option<Arc<dyn Companion>>,
}

/// A run that is ready to go: locked, its journal open, every client connected.
pub struct Session {
    engine: Engine,
    lock: Lock,
    lever: Lever,
    run: RunDir,
    plan: Plan,
    digest: String,
}

/// Where the run's own administrator key lies.
pub fn key_of(run: &RunDir) -> PathBuf {
    run.secrets().join("fence-key")
}

impl Session {
    /// Takes the lock, opens the journal, and connects. Nothing of the site is changed.
    pub async fn open(home: &Home, run: RunDir, how: How, events: Sink) -> Result<Self, Failure> {
        let sealed = Sealed::load(&run.plan()).map_err(|e| bad("the run's plan cannot be read", &e))?;
        let world = World::of_plan(&sealed.plan)?;
        let reach = reaching::connect(&sealed.plan.site, world.as_ref(), &key_of(&run)).await?;
        let events = match &world {
            Some(world) => super::rehearse::faults::telling(&sealed.plan, world, events),
            None => events,
        };
        Self::with(home, run, sealed, reach, how, events)
    }

    /// The same with clients that are connected already.
    pub fn with(
        home: &Home,
        run: RunDir,
        sealed: Sealed,
        reach: Reach,
        how: How,
        events: Sink,
    ) -> Result<Self, Failure> {
        let Sealed { plan, digest, .. } = sealed;
        let holder =
            Holder { run: run.id.clone(), by: whoami(), pid: std::process::id(), since: jiff::Timestamp::now() };
        let lock = Lock::take(&home.lock(&lock_name(&plan)), &holder).map_err(|e| bad("the site is not free", &e))?;
        let journal = journal::file::open(&run.journal())
            .map_err(|e| Failure::of(Code::NeedsAPerson, "the run's journal cannot be used; nothing was done", &e))?;
        let seen = journal.state();
        let as_recorded = seen.steps.iter().map(|s| &s.id).eq(plan.steps.iter().map(|p| &p.id));
        if !seen.run.is_empty() && (seen.plan != digest || seen.run != plan.id || !as_recorded) {
            return Err(Failure::new(Code::NeedsAPerson, "the run's plan is not the one its journal was begun with")
                .hint("put the run's plan.json back as it was; nothing was done"));
        }
        super::log::to(&run.log());
        let items = plan.items().map_err(Failure::from)?;
        let items = items.into_iter().map(|(planned, step)| Item { planned, step }).collect();
        let options = Options {
            hold_on_failure: !plan.roll_back_on_failure,
            fail_at: how.fail_at,
            may_lose_writes: how.may_lose_writes,
            companion: how.companion,
        };
        let lever = Lever::default();
        let engine = Engine::new(items, journal, reach, Arc::new(plan.site.clone()), options, lever.clone(), events);
        Ok(Self { engine, lock, lever, run, plan, digest })
    }

    /// The plan it executes.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Drives the run until it is over or on hold. The first Ctrl-C (or SIGTERM) holds it in the next safe place.
    pub async fn drive(mut self, wish: Wish) -> Result<Outcome, Failure> {
        if wish != Wish::Begin && self.engine.state().run.is_empty() {
            return Err(Failure::bad_input(format!("run {} never began", self.run.id)).hint("plan anew, and run that"));
        }
        if let (Wish::RollBack(_), Some(why)) = (&wish, self.engine.point_passed()) {
            if self.engine.state().ended.is_some() {
                let _ = self.lock.release();
            }
            return Err(Failure::bad_input(why).hint(format!("outgrow status {}", self.run.id)));
        }
        let server = Server::start(&self.run.id, &self.run.path, self.lever.clone())
            .map_err(|e| Failure::of(Code::BadInput, "the run's socket could not be made; nothing was done", &e))?;
        let signals = tokio::spawn(hold_on_signal(self.lever.clone()));
        let outcome = self.go(wish).await;
        signals.abort();
        drop(server);
        let outcome = outcome.map_err(|e| {
            Failure::of(Code::NeedsAPerson, "the run stopped, because its journal cannot be written", &e)
                .hint(format!("the last effect is on record before it happened: outgrow resume {}", self.run.id))
        })?;
        if matches!(outcome, Outcome::Done | Outcome::RolledBack) {
            // A lock that cannot be written only makes the next run ask about this one.
            if let Err(error) = self.lock.release() {
                tracing::warn!(%error, "the lock was not released");
            }
        }
        Ok(outcome)
    }

    async fn go(&mut self, wish: Wish) -> Result<Outcome, journal::JournalError> {
        let by = whoami();
        if self.engine.state().run.is_empty() {
            self.engine.begin(&self.plan.id, &self.digest, &by)?;
        } else {
            self.engine.take_up(&by)?;
        }
        match (wish, self.engine.state().ended) {
            (Wish::RollBack(_), Some(Outcome::RolledBack)) | (Wish::Resume | Wish::Begin, Some(_)) => {
                Ok(self.engine.state().ended.unwrap_or(Outcome::Done))
            }
            (Wish::RollBack(why), _) => {
                self.engine.turn_back(&why)?;
                self.engine.run().await
            }
            _ => self.engine.run().await,
        }
    }
}

/// A rehearsal never keeps the real site waiting, nor the other way round.
fn lock_name(plan: &Plan) -> String {
    match &plan.rehearsal {
        Some(_) => format!("rehearsal-{}", plan.id),
        None => plan.site.site.clone(),
    }
}

fn bad(message: &str, error: &dyn std::error::Error) -> Failure {
    Failure::of(Code::BadInput, message, error)
}

async fn hold_on_signal(lever: Lever) {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return;
    };
    loop {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        lever.pull(Command::Pause);
    }
}
