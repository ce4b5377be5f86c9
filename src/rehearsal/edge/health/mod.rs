//! Health checks: one task a target, on real time, writing what they find back into the state in AWS's words.
//!
//! `initial` → `healthy` at the first success, → `unhealthy` after as many failures in a row as the threshold says; from
//! the first check on, `initial` says that it is being checked.
//! A group that no listener or rule uses shows `unused` and is not checked; a draining target is left alone until its
//! time is over and then gone (law L4). An `instance` target that does not run shows `Target.InvalidState`.

mod count;
mod probe;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime};

use tokio::task::AbortHandle;
use tokio_rustls::TlsConnector;
use tokio_util::sync::CancellationToken;

use super::balancer;
use crate::rehearsal::state::{Shared, State, Target};
pub use count::count;
use probe::Question;

/// A target's place in the state: group ARN, id, port.
type Place = (String, String, u16);

/// What one checker works by; a change of it starts another.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Order {
    question: Question,
    interval: Duration,
    healthy: u32,
    unhealthy: u32,
}

/// A running checker, stopped when dropped.
struct Checker {
    order: Order,
    task: AbortHandle,
}

impl Drop for Checker {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Keeps the checkers in step with the state until `stop`.
pub async fn run(shared: Shared, tls: TlsConnector, stop: CancellationToken) {
    let mut watch = shared.watch();
    let mut checkers: BTreeMap<Place, Checker> = BTreeMap::new();
    loop {
        watch.borrow_and_update();
        let (orders, next_gone, touched) = {
            let mut state = shared.lock();
            settle(&mut state, shared.clock.now())
        };
        if touched {
            shared.changed();
        }
        checkers.retain(|place, checker| orders.get(place) == Some(&checker.order));
        for (place, order) in orders {
            checkers.entry(place.clone()).or_insert_with(|| {
                let task = tokio::spawn(check(shared.clone(), tls.clone(), place, order.clone())).abort_handle();
                Checker { order, task }
            });
        }
        let gone = async {
            match next_gone {
                Some(moment) => shared.clock.until(moment).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = gone => {}
            changed = watch.changed() => if changed.is_err() { return },
        }
    }
}

/// Brings the states of all targets up to what follows from the state itself; says what is to be checked, when the next
/// draining target is gone, and whether anything was changed.
fn settle(state: &mut State, now: SystemTime) -> (BTreeMap<Place, Order>, Option<SystemTime>, bool) {
    let used = used(state);
    let (mut orders, mut next_gone, mut touched) = (BTreeMap::new(), None, false);
    for (arn, group) in &mut state.target_groups {
        let before = group.targets.len();
        group.targets.retain(|_, t| !(t.state == "draining" && t.gone_at.is_some_and(|at| at <= now)));
        touched |= group.targets.len() != before;
        let check = &group.health_check;
        for ((id, port), target) in &mut group.targets {
            if target.state == "draining" {
                next_gone = [next_gone, target.gone_at].into_iter().flatten().min();
                continue;
            }
            if !used.contains(arn) {
                touched |= set(target, "unused", "Target.NotInUse");
                continue;
            }
            let Some(mut address) = balancer::address(&state.network, id, *port) else {
                touched |= set(target, "unused", "Target.InvalidState");
                continue;
            };
            if !matches!(target.state.as_str(), "healthy" | "unhealthy" | "initial") {
                touched |= set(target, "initial", "Elb.RegistrationInProgress");
            }
            if let Some(port) = check.port {
                address.set_port(port);
            }
            let order = Order {
                question: Question {
                    address,
                    tls: check.protocol == "HTTPS",
                    path: check.path.clone(),
                    timeout: Duration::from_secs(check.timeout.max(1).into()),
                    matcher: check.matcher.clone(),
                },
                interval: Duration::from_secs(check.interval.max(1).into()) / PACE,
                healthy: check.healthy.max(1),
                unhealthy: check.unhealthy.max(1),
            };
            orders.insert((arn.clone(), id.clone(), *port), order);
        }
    }
    (orders, next_gone, touched)
}

/// The groups that a listener or rule of an existing balancer forwards to, whatever the weight.
fn used(state: &State) -> BTreeSet<String> {
    users(state).into_keys().map(str::to_owned).collect()
}

/// The groups that are in use, and the balancer that uses each: a group has one at most.
pub fn users(state: &State) -> BTreeMap<&str, &str> {
    let listeners = state.listeners.values().filter(|listener| state.balancers.contains_key(&listener.balancer));
    listeners
        .flat_map(|listener| listener.forwards_to().map(|arn| (arn.as_str(), listener.balancer.as_str())))
        .collect()
}

fn set(target: &mut Target, state: &str, reason: &str) -> bool {
    if target.state == state && target.reason == reason {
        return false;
    }
    state.clone_into(&mut target.state);
    reason.clone_into(&mut target.reason);
    true
}

/// A rehearsal's checks come so many times as often as configured: they are real requests to real targets, which no
/// clock that skips ahead would wait for.
const PACE: u32 = 5;

/// Checks one target for ever.
async fn check(shared: Shared, tls: TlsConnector, place: Place, order: Order) {
    let mut every = tokio::time::interval(order.interval);
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let (mut good, mut bad) = (0_u32, 0_u32);
    loop {
        every.tick().await;
        let outcome = probe::ask(&order.question, &tls).await;
        (good, bad) = if outcome.is_ok() { (good.saturating_add(1), 0) } else { (0, bad.saturating_add(1)) };
        let touched = {
            let mut state = shared.lock();
            let target = state.target_groups.get_mut(&place.0).and_then(|g| {
                g.targets.get_mut(&(place.1.clone(), place.2)).filter(|t| t.state != "draining" && t.state != "unused")
            });
            match (target, outcome) {
                (Some(target), Ok(())) => {
                    let enough = if target.state == "initial" { 1 } else { order.healthy };
                    good >= enough && set(target, "healthy", "")
                }
                (Some(target), Err(reason)) if bad >= order.unhealthy => set(target, "unhealthy", reason),
                (Some(target), Err(_)) => {
                    target.state == "initial" && set(target, "initial", "Elb.InitialHealthChecking")
                }
                (None, _) => false,
            }
        };
        if touched {
            shared.changed();
        }
    }
}
