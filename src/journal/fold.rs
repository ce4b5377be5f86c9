//! The one judge of transitions: what the records add up to, and which fact may follow. Asked on write and on replay,
//! so a journal that was written can always be read back, and one that was tampered with cannot.

use std::sync::Arc;
use std::time::SystemTime;

use serde_json::Value;

use super::{Fact, Record};
use crate::event::{Judgement, Outcome};

/// A fact that does not follow from those before it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("record {seq} ({fact}) does not follow: {why}")]
pub struct Illegal {
    /// The record's number.
    pub seq: u64,
    /// The fact's name.
    pub fact: String,
    /// Why not.
    pub why: String,
}

/// Which way the run goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Direction {
    /// Applying.
    #[default]
    Forward,
    /// Taking back; never forward again.
    Back,
}

/// How far a step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Not begun.
    Waiting,
    /// Announced; may have been applied, wholly or half.
    Intended,
    /// A call got no answer.
    InDoubt,
    /// `apply` came back.
    Applied,
    /// It is so.
    Verified,
    /// There was nothing to do.
    AlreadySo,
    /// It failed; may have been applied, wholly or half.
    Failed,
    /// Being taken back.
    Undoing,
    /// Taken back.
    Undone,
    /// Could not be taken back.
    UndoFailed,
}

impl Progress {
    /// Whether a rollback has something to take back here.
    pub fn wants_undo(self) -> bool {
        !matches!(self, Self::Waiting | Self::AlreadySo | Self::Undone)
    }

    /// Whether a run going forward is past this.
    pub fn is_finished(self) -> bool {
        matches!(self, Self::Verified | Self::AlreadySo)
    }
}

/// A step as the records tell it.
#[derive(Debug, Clone, PartialEq)]
pub struct StepState {
    /// Its id.
    pub id: String,
    /// How far it is.
    pub progress: Progress,
    /// Its change, once it was announced.
    pub change: Option<Arc<Value>>,
    /// When `apply` came back.
    pub applied_at: Option<SystemTime>,
}

/// What the records add up to.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct State {
    /// The run's id; empty before `begun`.
    pub run: String,
    /// The plan's digest.
    pub plan: String,
    /// The steps, in order.
    pub steps: Vec<StepState>,
    /// Which way the run goes.
    pub direction: Direction,
    /// Why the run goes back, if it does.
    pub back_because: Option<String>,
    /// Why the run is on hold, and what to do next, if it is.
    pub held: Option<(String, String)>,
    /// What was last measured of a stage, and of which step.
    pub judged: Option<(String, Judgement)>,
    /// When a person last sent the run on after a hold.
    pub sent_on_at: Option<SystemTime>,
    /// How it ended, if it did.
    pub ended: Option<Outcome>,
}

impl State {
    /// The first step that is not finished.
    pub fn current(&self) -> Option<usize> {
        self.steps.iter().position(|s| !s.progress.is_finished())
    }

    /// The last step that a rollback has to take back.
    pub fn last_to_undo(&self) -> Option<usize> {
        self.steps.iter().rposition(|s| s.progress.wants_undo())
    }

    /// The state after `record`, or why it may not follow.
    pub fn next(&self, record: &Record) -> Result<Self, Illegal> {
        let mut next = self.clone();
        next.take(record).map_err(|why| Illegal { seq: record.seq, fact: record.fact.name().to_owned(), why })?;
        Ok(next)
    }

    fn take(&mut self, record: &Record) -> Result<(), String> {
        use Progress::{AlreadySo, Applied, Failed, InDoubt, Intended, UndoFailed, Undoing, Undone, Verified, Waiting};
        if self.run.is_empty() != matches!(record.fact, Fact::Begun { .. }) {
            return Err("a journal begins with `begun`, once".into());
        }
        match &record.fact {
            Fact::Begun { run, plan, steps, .. } => self.begin(run, plan, steps)?,
            Fact::Intent { step, change } => {
                self.step_forward(step, &[Waiting], Intended)?.change = Some(Arc::new(change.clone()));
            }
            Fact::AlreadySo { step } => {
                self.step_forward(step, &[Waiting], AlreadySo)?;
            }
            Fact::Applied { step } => {
                let at = SystemTime::from(record.at);
                self.step_forward(step, &[Intended, InDoubt], Applied)?.applied_at = Some(at);
            }
            Fact::InDoubt { step, .. } => {
                self.step_forward(step, &[Intended, InDoubt], InDoubt)?;
            }
            Fact::Verified { step } => {
                self.step_forward(step, &[Applied], Verified)?;
            }
            Fact::Judged { step, judgement } => {
                self.step_forward(step, &[Applied], Applied)?;
                self.judged = Some((step.clone(), (**judgement).clone()));
            }
            Fact::Failed { step, .. } => {
                self.step_forward(step, &[Intended, InDoubt, Applied], Failed)?;
            }
            Fact::RollingBack { why } => self.turn_back(why)?,
            Fact::Undoing { step } => {
                let from = [Intended, InDoubt, Applied, Verified, Failed, Undoing, UndoFailed];
                self.step_back(step, &from, Undoing)?;
            }
            Fact::Undone { step } => self.step_back(step, &[Undoing], Undone)?,
            Fact::UndoFailed { step, .. } => self.step_back(step, &[Undoing], UndoFailed)?,
            Fact::Held { why, next } => {
                self.must_be_open()?;
                self.held = Some((why.clone(), next.clone()));
            }
            Fact::Resumed { .. } => {
                self.must_be_open()?;
                // A step that failed and was held over it is tried again; after a crash the run turns back instead.
                if self.held.take().is_some() && self.direction == Direction::Forward {
                    self.sent_on_at = Some(SystemTime::from(record.at));
                    for step in self.steps.iter_mut().filter(|s| s.progress == Failed) {
                        step.progress = InDoubt;
                    }
                }
            }
            Fact::Ended { outcome } => self.end(*outcome)?,
        }
        Ok(())
    }

    fn begin(&mut self, run: &str, plan: &str, steps: &[String]) -> Result<(), String> {
        let mut seen = std::collections::HashSet::new();
        if run.is_empty() || !steps.iter().all(|s| seen.insert(s)) {
            return Err("the run has no id, or a step occurs twice".into());
        }
        run.clone_into(&mut self.run);
        plan.clone_into(&mut self.plan);
        let waiting =
            |id: &String| StepState { id: id.clone(), progress: Progress::Waiting, change: None, applied_at: None };
        self.steps = steps.iter().map(waiting).collect();
        Ok(())
    }

    fn step_forward(&mut self, id: &str, from: &[Progress], to: Progress) -> Result<&mut StepState, String> {
        self.must_run()?;
        if self.direction == Direction::Back {
            return Err("the run goes back, and never forward again".into());
        }
        let current = self.current().ok_or("every step is finished")?;
        let step = &mut self.steps[current];
        if step.id != id {
            return Err(format!("it is the turn of {}", step.id));
        }
        move_on(step, from, to)?;
        Ok(step)
    }

    fn step_back(&mut self, id: &str, from: &[Progress], to: Progress) -> Result<(), String> {
        self.must_run()?;
        if self.direction == Direction::Forward {
            return Err("the run goes forward".into());
        }
        let last = self.last_to_undo().ok_or("nothing is left to take back")?;
        let step = &mut self.steps[last];
        if step.id != id {
            return Err(format!("it is the turn of {}", step.id));
        }
        move_on(step, from, to)
    }

    fn turn_back(&mut self, why: &str) -> Result<(), String> {
        // A finished run can be taken back (until finalize, which the engine knows); a rolled-back one cannot.
        if self.ended == Some(Outcome::RolledBack) || self.direction == Direction::Back {
            return Err("it goes back already, or has gone".into());
        }
        self.ended = None;
        self.held = None;
        self.direction = Direction::Back;
        self.back_because = Some(why.to_owned());
        Ok(())
    }

    fn end(&mut self, outcome: Outcome) -> Result<(), String> {
        self.must_run()?;
        let right = match outcome {
            Outcome::Done => self.direction == Direction::Forward && self.current().is_none(),
            Outcome::RolledBack => self.direction == Direction::Back && self.last_to_undo().is_none(),
            Outcome::NeedsAPerson | Outcome::OnHold => false,
        };
        if !right {
            return Err(format!("the run cannot have ended {outcome:?}"));
        }
        self.ended = Some(outcome);
        Ok(())
    }

    fn must_be_open(&self) -> Result<(), String> {
        if self.ended.is_some() { Err("the run is over".into()) } else { Ok(()) }
    }

    fn must_run(&self) -> Result<(), String> {
        self.must_be_open()?;
        if self.held.is_some() { Err("the run is on hold".into()) } else { Ok(()) }
    }
}

fn move_on(step: &mut StepState, from: &[Progress], to: Progress) -> Result<(), String> {
    if !from.contains(&step.progress) {
        return Err(format!("{} is {:?}", step.id, step.progress));
    }
    step.progress = to;
    Ok(())
}
