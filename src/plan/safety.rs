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
    let rules: [(bool, Wrong); 10] = [
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
            world.pages_await_distribution && !world.distribution,
            (
                "DNS sends the pages to a distribution that does not answer to their names yet",
                "put certificate and distribution before dns-weights of pages, or correct `aws.distribution`",
            ),
        ),
        (
            world.uncertified,
            ("the distribution has no certificate for the pages' names", "put certificate before distribution"),
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::steps::app_config::AppConfig;
    use crate::steps::database_copy::DatabaseCopy;
    use crate::steps::database_handover::DatabaseHandover;
    use crate::steps::finalize::Finalize;
    use crate::steps::shift_targets;
    use crate::steps::soak::Soak;
    use crate::steps::targets::Targets;

    fn told(steps: &[Box<dyn AnyStep>]) -> Vec<(String, String)> {
        judge(steps).into_iter().map(|wrong| (wrong.step, wrong.todo)).collect()
    }

    fn copy() -> Box<dyn AnyStep> {
        Box::new(DatabaseCopy { follow: false })
    }

    fn handover() -> Box<dyn AnyStep> {
        Box::new(DatabaseHandover { hold_at_most: 30, follow: false })
    }

    fn soak() -> Box<dyn AnyStep> {
        Box::new(Soak { lasts: Duration::from_mins(1) })
    }

    #[test]
    fn the_right_order_is_not_complained_about() {
        assert_eq!(told(&[copy(), handover(), Box::new(AppConfig {}), soak(), Box::new(Finalize {})]), []);
    }

    #[test]
    fn a_handover_without_a_copy_is_refused() {
        let wrong = told(&[handover(), Box::new(AppConfig {})]);
        assert!(wrong.iter().any(|(step, todo)| step == "database-handover" && todo.contains("database-copy")));
    }

    #[test]
    fn the_boxs_app_is_not_left_behind_the_fence() {
        let wrong = told(&[copy(), handover(), soak(), Box::new(AppConfig {})]);
        assert!(wrong.iter().any(|(step, todo)| step == "soak" && todo.contains("right after")), "{wrong:?}");
        let never = told(&[copy(), handover(), Box::new(Finalize {})]);
        assert!(never.iter().any(|(step, _)| step == "finalize"), "{never:?}");
    }

    #[test]
    fn requests_do_not_go_to_an_app_whose_database_is_shut() {
        let shift = shift_targets::expand(&[100], Duration::ZERO).remove(0);
        let wrong = told(&[copy(), Box::new(Targets {}), Box::new(shift)]);
        let todos: Vec<&str> = wrong.iter().map(|(_, todo)| todo.as_str()).collect();
        assert!(todos.iter().any(|t| t.contains("app-host")), "{todos:?}");
        assert!(todos.iter().any(|t| t.contains("database-handover")), "{todos:?}");
    }
}
