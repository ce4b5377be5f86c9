//! The world model's judge: plays the steps through [`World`] and refuses a playbook that would reach a state in
//! which visitors or data could come to harm. Pure.

use crate::step::AnyStep;
use crate::world::{Side, World};

/// A step after which an invariant does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("after {step}: {what}; {todo}")]
pub struct Unsafe {
    /// The step's id.
    pub step: String,
    /// The invariant that breaks, and how.
    pub what: String,
    /// What would be right.
    pub todo: String,
}

/// The states between the steps, the first before any of them.
pub fn walk(steps: &[Box<dyn AnyStep>]) -> Vec<World> {
    let mut world = World::default();
    let mut states = vec![world.clone()];
    for step in steps {
        step.model(&mut world);
        states.push(world.clone());
    }
    states
}

/// Every step after which something is wrong. A rollback passes the same states backwards, so each is judged once.
pub fn judge(steps: &[Box<dyn AnyStep>]) -> Vec<Unsafe> {
    let states = walk(steps);
    let mut found = Vec::new();
    for (step, state) in steps.iter().zip(states.windows(2)) {
        let [before, after] = state else { continue };
        let behind = |world: &World| world.writer == Some(Side::New) && world.old_app == Side::Old;
        if behind(before) && behind(after) {
            found.push(Unsafe {
                step: step.id(),
                what: "the box's app still points at the old database, which takes no writes any more".to_owned(),
                todo: "put app-config right after database-handover".to_owned(),
            });
        }
        for (what, todo) in wrong_with(before, after) {
            found.push(Unsafe { step: step.id(), what: what.to_owned(), todo: todo.to_owned() });
        }
    }
    found
}

type Wrong = (&'static str, &'static str);

/// What is wrong with a state that was not wrong with the one before it.
fn wrong_with(before: &World, after: &World) -> Vec<Wrong> {
    let old = faults(before);
    faults(after).into_iter().filter(|fault| !old.contains(fault)).collect()
}

fn faults(world: &World) -> Vec<Wrong> {
    let rules: [(bool, Wrong); 8] = [
        (
            world.writer == Some(Side::New) && !world.copied,
            ("the new database takes writes without the old one's rows", "put database-copy before database-handover"),
        ),
        (
            world.balancer_to_new > 0 && !world.new_app,
            ("the balancer sends requests to hosts on which no app runs", "put app-host before shift-targets"),
        ),
        (
            world.balancer_to_new > 0 && !world.targets,
            ("weights are shifted between target groups that are not there", "put targets before shift-targets"),
        ),
        (
            world.balancer_to_new > 0 && world.writer != Some(Side::New),
            ("the new app gets requests while its database is closed", "put database-handover before shift-targets"),
        ),
        (
            world.api_on_balancer > 0 && !world.targets,
            ("DNS sends the API to a balancer without targets", "put targets before dns-weights of api"),
        ),
        (
            world.pages_on_cdn > 0 && !world.pages_uploaded,
            ("DNS sends the pages to an empty bucket", "put static-site before dns-weights of pages"),
        ),
        (
            world.finalized && world.writer == Some(Side::New) && world.old_app == Side::Old,
            (
                "the old app is still reachable and points at the old database for good",
                "put app-config after database-handover",
            ),
        ),
        (
            world.finalized && !world.ttl_waited && world.api_on_balancer + world.pages_on_cdn > 0,
            ("names were moved without waiting out their old TTL", "let dns-weights lower the TTL first"),
        ),
    ];
    rules.into_iter().filter(|(broken, _)| *broken).map(|(_, wrong)| wrong).collect()
}
