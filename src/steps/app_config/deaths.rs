//! A process that dies at every point there is, for the steps that change containers.

use serde_json::Value;

use crate::clients::fake::{Stage, When};
use crate::step::{Planned, Step, Verdict};

/// What a person would call the same: addresses are the engine's choice at each connect.
pub(in crate::steps) fn seen(stage: &Stage) -> Value {
    let mut seen = stage.snapshot();
    for host in ["old", "new"] {
        for container in seen[host]["containers"].as_array_mut().expect("a list") {
            for place in container[0]["networks"].as_array_mut().expect("a list") {
                place["address"] = Value::Null;
            }
        }
    }
    seen
}

/// The change that the step plans on this stage.
pub(in crate::steps) async fn planned<S: Step>(step: &S, stage: &Stage) -> S::Change {
    match step.plan(&stage.look()).await.unwrap() {
        Planned::Change(change) => change,
        Planned::AlreadySo => panic!("nothing to change"),
    }
}

/// Dies before and after every changing call of `apply`, then goes on to the end, or back, with another death on the
/// way back. Gives the number of deaths.
pub(in crate::steps) async fn everywhere<S: Step>(step: &S, make: impl Fn() -> Stage) -> usize {
    let whole = make();
    let change = planned(step, &whole).await;
    let start = seen(&whole);
    step.apply(&whole.act(), &change).await.unwrap();
    let end = seen(&whole);
    assert_ne!(start, end);
    let mut deaths = 0;
    for nth in 0.. {
        let before = deaths;
        for (when, back) in [(When::Before, false), (When::After, false), (When::Before, true), (When::After, true)] {
            let stage = make();
            let change = planned(step, &stage).await;
            stage.fuse.die_at(nth, when);
            let act = stage.act();
            tokio::select! {
                biased;
                () = stage.fuse.died() => deaths += 1,
                done = step.apply(&act, &change) => done.unwrap(),
            }
            stage.fuse.revive();
            if back {
                stage.fuse.die_at(nth % 7, when);
                tokio::select! {
                    biased;
                    () = stage.fuse.died() => deaths += 1,
                    done = step.undo(&act, &change) => done.unwrap(),
                }
                stage.fuse.revive();
                step.undo(&stage.act(), &change).await.unwrap();
                assert_eq!(seen(&stage), start, "back from {when:?} call {nth}");
            } else {
                step.apply(&stage.act(), &change).await.unwrap();
                assert_eq!(seen(&stage), end, "on from {when:?} call {nth}");
                let verdict = step.verify(&stage.look_applied(), &change).await.unwrap();
                assert_eq!(verdict, Verdict::Holds, "{when:?} call {nth}");
            }
        }
        // Past the last call of `apply` only the way back can be died on.
        if deaths - before < 4 {
            break;
        }
    }
    deaths
}
