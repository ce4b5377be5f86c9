//! Health transitions against real targets, on real time with the shortest interval.

use std::sync::Arc;
use std::time::Duration;

use crate::rehearsal::edge::testing::{NoObjects, TinyTarget, balance, edge, edge_address, forward, group, shared};
use crate::rehearsal::state::Shared;

async fn becomes(shared: &Shared, target: &TinyTarget, state: &str, reason: &str) {
    let mut watch = shared.watch();
    let now = || {
        let state = shared.lock();
        let target = &state.target_groups["g"].targets[&target.key()];
        (target.state.clone(), target.reason.clone())
    };
    let reached = watch.wait_for(|_| now() == (state.to_owned(), reason.to_owned()));
    let reached = tokio::time::timeout(Duration::from_secs(15), reached).await.is_ok();
    assert!(reached, "{:?} and not {state} {reason}", now());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_goes_through_the_states_aws_knows() {
    let (shared, target) = (shared(), TinyTarget::start("t").await);
    shared.lock().target_groups.insert("g".into(), group(&[(&target, "initial")]));
    let (edge, _dir) = edge(&shared, Arc::new(NoObjects)).await;
    becomes(&shared, &target, "unused", "Target.NotInUse").await;
    balance(&shared, edge_address(), ("HTTP", 80), forward(&[("g", 0)], None));
    becomes(&shared, &target, "healthy", "").await;
    target.answer_with(503);
    becomes(&shared, &target, "unhealthy", "Target.ResponseCodeMismatch").await;
    target.answer_with(200);
    becomes(&shared, &target, "healthy", "").await;
    shared.lock().target_groups.get_mut("g").unwrap().health_check.path = "/slow".into();
    shared.changed();
    becomes(&shared, &target, "unhealthy", "Target.Timeout").await;
    shared.lock().target_groups.get_mut("g").unwrap().health_check.path = "/healthz".into();
    shared.changed();
    becomes(&shared, &target, "healthy", "").await;
    target.die();
    becomes(&shared, &target, "unhealthy", "Target.FailedHealthChecks").await;
    shared.lock().listeners.clear();
    shared.changed();
    becomes(&shared, &target, "unused", "Target.NotInUse").await;
    edge.stop().await;
}

#[tokio::test]
async fn a_target_just_registered_says_so() {
    let (shared, target) = (shared(), TinyTarget::start("t").await);
    let mut silent = group(&[(&target, "unused")]);
    silent.health_check.path = "/slow".into();
    shared.lock().target_groups.insert("g".into(), silent);
    balance(&shared, edge_address(), ("HTTP", 80), forward(&[("g", 1)], None));
    let (_edge, _dir) = edge(&shared, Arc::new(NoObjects)).await;
    becomes(&shared, &target, "initial", "Elb.RegistrationInProgress").await;
    becomes(&shared, &target, "initial", "Elb.InitialHealthChecking").await;
    becomes(&shared, &target, "unhealthy", "Target.Timeout").await;
}
