//! The world model's judge: goes every way that a plan can take through [`World`], forward and back, and refuses a
//! playbook that would come to a moment in which visitors or data could come to harm. Pure.

mod invariant;
mod search;
mod walk;

#[cfg(test)]
pub(crate) mod tests;

use std::fmt;

use crate::step::AnyStep;
use crate::world::World;

pub use invariant::{Invariant, broken};
pub use walk::{Row, walk};

/// A moment at which an invariant does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsafe {
    /// The step's id.
    pub step: String,
    /// What has happened with it, if it was not just done: a moment in its middle, or that it was taken back.
    pub when: String,
    /// The site then.
    pub world: World,
    /// Which invariant.
    pub invariant: Invariant,
    /// How it breaks.
    pub what: &'static str,
    /// What would be right.
    pub todo: &'static str,
}

impl fmt::Display for Unsafe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { step, when, what, invariant, .. } = self;
        let place = if when.is_empty() { format!("after {step}") } else { format!("{step}, {when}") };
        write!(f, "{place}: {what} (safety model, {}: {})", invariant.number(), invariant.title())
    }
}

/// Every way in which a plan is unsafe, each told by the first moment that shows it.
pub fn judge(steps: &[Box<dyn AnyStep>]) -> Vec<Unsafe> {
    let told = |found: search::Found| Unsafe {
        step: found.step,
        when: found.when,
        world: found.world,
        invariant: found.wrong.invariant,
        what: found.wrong.what,
        todo: found.wrong.todo,
    };
    search::search(steps).into_iter().map(told).collect()
}
