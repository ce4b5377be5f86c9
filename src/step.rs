//! The step contract: what every kind of step promises to the planner and to the engine.
//!
//! A step is data (it serializes into the plan) with five acts. `plan` looks and says what it would alter, `apply`
//! alters it, `verify` looks again, `undo` takes it back. The engine journals the change before `apply`, so `apply`
//! is safe to repeat and `undo` is right even if `apply` never landed, or half did.

mod any;
mod fault;
mod patience;
mod reach;

use std::fmt::Debug;
use std::future::Future;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

pub use any::{AnyStep, Draft};
pub use fault::Fault;
pub use patience::Patience;
pub use reach::{Act, Clock, Look, Reach};

use crate::event::Judgement;
use crate::world::{Moment, World};

/// The result of a step's act.
pub type StepResult<T> = Result<T, Fault>;

/// What a step will alter. Journaled before `apply`, so it holds all that `undo` needs, and never a secret.
pub trait Change: Serialize + DeserializeOwned + Debug + Clone + Send + Sync + 'static {
    /// The diff a person reads: `- what is there`, `+ what will be`, `~ what changes`, or a plain line.
    fn lines(&self) -> Vec<String>;

    /// What taking it back means.
    fn reversal(&self) -> Reversal;
}

/// What taking a change back means.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind", content = "text")]
pub enum Reversal {
    /// All is as before.
    Exact,
    /// As before, but the writes since this point are lost or have to be carried back; the text says which and how.
    LosesWritesSince(String),
    /// There is no way back.
    PointOfNoReturn(String),
}

/// What `plan` found.
#[derive(Debug, Clone, PartialEq)]
pub enum Planned<C> {
    /// Nothing to do.
    AlreadySo,
    /// This is to be altered.
    Change(C),
}

/// What `verify` found.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// It is as it should be.
    Holds,
    /// Not yet.
    Wait {
        /// Why.
        why: String,
        /// When to look again.
        again_in: Duration,
    },
    /// It is not as it should be: the run goes back.
    Broken(String),
    /// Somebody else changed it: the run holds.
    Drifted(String),
    /// It cannot be told whether it is as it should be, and waiting no longer helps: the run holds.
    Undecided(String),
    /// What was measured, to be put on record, and what follows from it.
    Judged(Box<Judgement>, Box<Verdict>),
}

/// What a preflight check found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Whether the run may go on.
    pub severity: Severity,
    /// The law it comes from (`L1`), if any.
    pub law: Option<String>,
    /// What was found, and where.
    pub what: String,
    /// What to do about it.
    pub todo: String,
}

/// How grave a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Good to know.
    Note,
    /// May bite.
    Warning,
    /// The plan is refused.
    Blocker,
}

impl Finding {
    /// A finding.
    pub fn new(severity: Severity, what: impl Into<String>, todo: impl Into<String>) -> Self {
        Self { severity, law: None, what: what.into(), todo: todo.into() }
    }

    /// Names the law it comes from.
    #[must_use]
    pub fn law(mut self, id: &str) -> Self {
        self.law = Some(id.to_owned());
        self
    }
}

/// What AWS's APIs were just told may not show yet in what they answer (EC2 and ELB guides: eventual consistency). What
/// looks as if a change had not been made is looked at again for so long before it is believed.
pub const SHOWS_WITHIN: Duration = Duration::from_secs(15);

/// One kind of step. The value itself is the step's parameters, fixed when the plan is made.
pub trait Step: Serialize + DeserializeOwned + Debug + Send + Sync + 'static {
    /// The kind's name in a playbook, such as `static-site`.
    const KIND: &'static str;

    /// What it alters.
    type Change: Change;

    /// Unique in a plan: the kind, with a suffix where a kind occurs more than once (`dns-weights:api:100`).
    fn id(&self) -> String {
        Self::KIND.to_owned()
    }

    /// What it does, in one short line.
    fn title(&self) -> String;

    /// What it does and why, in a sentence or two, for the person at the terminal.
    fn explain(&self) -> String;

    /// What this does to who serves and who writes. Pure.
    fn model(&self, world: &mut World);

    /// The moments between `before` and what [`Step::model`] makes of it, where a death of the process leaves anything
    /// else. Pure.
    fn on_the_way(&self, before: &World) -> Vec<Moment> {
        let _ = before;
        Vec::new()
    }

    /// The same for taking it back, from `now` on.
    fn on_the_way_back(&self, now: &World) -> Vec<Moment> {
        let _ = now;
        Vec::new()
    }

    /// What taking it back makes of `now`, if it was `before` once. Pure.
    fn model_back(&self, now: &World, before: &World) -> World {
        now.taken_back_to(before)
    }

    /// Whether a person's pause or abort may break `apply` off half-way. Not where half-way is no place to stay, as
    /// under a fence; such a step bounds its own time.
    fn may_be_broken_off(&self) -> bool {
        true
    }

    /// Whether the run may rest here, on hold for as long as a person likes. Not where the site needs the next step.
    fn may_stop_after(&self) -> bool {
        true
    }

    /// Whether it reads from an API whose answers may lag behind what it was told ([`SHOWS_WITHIN`]): then the engine
    /// believes no drift, and no undo that may have found nothing to take back, before a second look.
    fn reads_may_lag(&self) -> bool {
        false
    }

    /// Preflight: what stands in the way. Changes nothing.
    fn check(&self, look: &Look) -> impl Future<Output = StepResult<Vec<Finding>>> + Send;

    /// What would be altered, as things are now.
    fn plan(&self, look: &Look) -> impl Future<Output = StepResult<Planned<Self::Change>>> + Send;

    /// Alters it. Safe to repeat, also after half of it was done.
    fn apply(&self, act: &Act, change: &Self::Change) -> impl Future<Output = StepResult<()>> + Send;

    /// Whether it is so now. May be asked many times.
    fn verify(&self, look: &Look, change: &Self::Change) -> impl Future<Output = StepResult<Verdict>> + Send;

    /// Takes it back. Right even if `apply` never landed, or half did; safe to repeat. Restores only what is as it
    /// was before or as `apply` set it; anything else is [`Fault::Drifted`].
    fn undo(&self, act: &Act, change: &Self::Change) -> impl Future<Output = StepResult<()>> + Send;
}
