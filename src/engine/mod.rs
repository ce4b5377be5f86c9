//! Drives a plan's steps: forward, or back, with the journal always ahead of the effect.
//!
//! ```text
//! forward:  Intent ─ apply ─ Applied ─ verify … ─ Verified ─ next step … ─ Ended(done)
//!                      └ no answer: InDoubt ─ apply again      └ broken: Failed ─ RollingBack
//! back:     Undoing ─ undo ─ Undone ─ the step before … ─ Ended(rolled back)
//!                      └ failed: UndoFailed ─ Held
//! ```
//! The engine knows steps only by their contract, and asks the journal's judge before everything it does.

mod back;
pub mod control;
mod forward;
mod lag;
pub mod socket;
pub mod status;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::SystemTime;

use async_trait::async_trait;

use crate::event::{Event, Outcome, Sink};
use crate::journal::{Direction, Fact, Journal, JournalError};
use crate::plan::PlannedStep;
use crate::site::Site;
use crate::step::{Act, AnyStep, Look, Reach};
use control::{Command, Lever};

/// A step as the engine drives it.
#[derive(Debug)]
pub struct Item {
    /// As planned.
    pub planned: PlannedStep,
    /// Brought to life.
    pub step: Box<dyn AnyStep>,
}

/// Somebody who is asked before each step (the guided migration). Without one, the engine goes on by itself.
#[async_trait]
pub trait Companion: Send + Sync {
    /// Asked before a step is begun.
    async fn may_begin(&self, item: &Item, number: usize, of: usize) -> Answer;
}

/// What the companion says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Go on.
    Go,
    /// Stop here, safely; the run can be resumed or rolled back.
    Hold,
    /// Take everything back.
    RollBack,
}

/// How the engine shall behave.
#[derive(Clone, Default)]
pub struct Options {
    /// A failed step holds instead of rolling back.
    pub hold_on_failure: bool,
    /// The step (its id or its kind) that is made to fail after it was applied.
    pub fail_at: Option<String>,
    /// The operator agreed to lose writes in a rollback.
    pub may_lose_writes: bool,
    /// Asked before each step.
    pub companion: Option<Arc<dyn Companion>>,
}

/// One run.
pub struct Engine {
    items: Vec<Item>,
    journal: Journal,
    reach: Reach,
    site: Arc<Site>,
    options: Options,
    lever: Lever,
    events: Sink,
    /// When an API with answers that may lag was told something last; a new process does not know, and takes now.
    told_at: SystemTime,
}

/// Where a stretch of the run ended.
enum Stretch {
    /// Over.
    Ended(Outcome),
    /// On hold.
    Held(Outcome),
    /// Forward no longer: back.
    TurnBack(String),
}

impl Engine {
    /// An engine over the plan's items and its journal, which may hold records already.
    pub fn new(
        items: Vec<Item>,
        journal: Journal,
        reach: Reach,
        site: Arc<Site>,
        options: Options,
        lever: Lever,
        events: Sink,
    ) -> Self {
        let told_at = reach.clock.now();
        Self { items, journal, reach, site, options, lever, events, told_at }
    }

    /// Begins a run that is not in the journal yet.
    pub fn begin(&mut self, run: &str, plan: &str, by: &str) -> Result<(), JournalError> {
        let steps = self.items.iter().map(|i| i.planned.id.clone()).collect();
        self.note(Fact::Begun { run: run.into(), plan: plan.into(), steps, by: by.into() })?;
        self.events.send(Event::RunStarted { run: run.into(), steps: self.items.len(), resumed: false });
        Ok(())
    }

    /// Takes up a run that stopped or crashed. It keeps its direction.
    pub fn take_up(&mut self, by: &str) -> Result<(), JournalError> {
        if self.journal.state().ended.is_none() {
            self.note(Fact::Resumed { by: by.into() })?;
        }
        let run = self.journal.state().run.clone();
        self.events.send(Event::RunStarted { run, steps: self.items.len(), resumed: true });
        Ok(())
    }

    /// Turns the run back; [`Engine::run`] then takes everything back.
    pub fn turn_back(&mut self, why: &str) -> Result<(), JournalError> {
        if self.journal.state().direction == Direction::Forward {
            self.note(Fact::RollingBack { why: why.into() })?;
        }
        self.events.send(Event::RollingBack { why: why.into() });
        Ok(())
    }

    /// Runs until the run is over or on hold. An error means the journal cannot be written: nothing more was done.
    pub async fn run(&mut self) -> Result<Outcome, JournalError> {
        loop {
            let stretch = match self.journal.state().direction {
                Direction::Forward => self.forward().await?,
                Direction::Back => self.back().await?,
            };
            match stretch {
                Stretch::Ended(outcome) => {
                    self.note(Fact::Ended { outcome })?;
                    return Ok(self.ended(outcome));
                }
                Stretch::Held(outcome) => return Ok(outcome),
                Stretch::TurnBack(why) => self.turn_back(&why)?,
            }
        }
    }

    /// The journal's state, for the caller's last words.
    pub fn state(&self) -> &crate::journal::State {
        self.journal.state()
    }

    fn ended(&self, outcome: Outcome) -> Outcome {
        let run = &self.journal.state().run;
        let next = match outcome {
            Outcome::Done => format!("to take it back: outgrow rollback {run}"),
            _ => "the box serves as before; mend the cause and plan again".to_owned(),
        };
        self.events.send(Event::Ended { outcome, next });
        outcome
    }

    fn hold(&mut self, why: &str, outcome: Outcome) -> Result<Stretch, JournalError> {
        let run = self.journal.state().run.clone();
        let next = match self.journal.state().direction {
            Direction::Forward => format!("go on: outgrow resume {run} · take it back: outgrow rollback {run}"),
            Direction::Back => format!("go on taking back: outgrow resume {run}"),
        };
        self.note(Fact::Held { why: why.into(), next: next.clone() })?;
        self.events.send(Event::Held { why: why.into(), next });
        Ok(Stretch::Held(outcome))
    }

    fn note(&mut self, fact: Fact) -> Result<(), JournalError> {
        tracing::info!(fact = fact.name(), "recorded");
        self.journal.write(self.reach.clock.now(), fact)?;
        self.lever.publish(self.journal.state());
        Ok(())
    }

    fn look(&self, index: usize) -> Look {
        let mut look = self.reach.look(Arc::clone(&self.site), self.journal.state().run.clone());
        look.applied_at = self.journal.state().steps[index].applied_at;
        look.sent_on_at = self.journal.state().sent_on_at;
        look
    }

    fn act(&self, index: usize) -> Act {
        Act {
            look: self.look(index),
            reach: self.reach.clone(),
            step: self.items[index].planned.id.clone(),
            epoch: self.journal.epoch(),
            may_lose_writes: self.options.may_lose_writes,
            events: self.events.clone(),
        }
    }

    /// What a person at the lever wants, if anything.
    fn wanted(&mut self) -> Result<Option<Stretch>, JournalError> {
        match self.lever.take() {
            Some(Command::Pause) => Ok(Some(self.hold("paused by a person", Outcome::OnHold)?)),
            Some(Command::Abort) if self.point_passed().is_some() => {
                Ok(Some(self.hold("aborted by a person, past the point of no return", Outcome::OnHold)?))
            }
            Some(Command::Abort) => Ok(Some(Stretch::TurnBack("aborted by a person".to_owned()))),
            None => Ok(None),
        }
    }
}
