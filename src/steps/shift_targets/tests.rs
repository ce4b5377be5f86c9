//! The stages against the balancer in memory.

use futures::FutureExt;

use super::*;
use crate::clients::fake::Stage;
use crate::steps::contract::{Boxed, Case, unjudged};
use crate::steps::targets::Targets;

const BAKE: Duration = Duration::from_mins(10);

async fn ready() -> Stage {
    let stage = Stage::new();
    stage.web.all_is_well();
    let Planned::Change(change) = Targets {}.plan(&stage.look()).await.unwrap() else { panic!("nothing to do") };
    Targets {}.apply(&stage.act(), &change).await.unwrap();
    stage
}

pub(crate) fn cases() -> Vec<Case> {
    vec![Case {
        name: "shift-targets",
        set: || async { (ready().await, Box::new(expand(&[25], Duration::from_mins(1)).remove(0)) as Boxed) }.boxed(),
    }]
}

fn stage_of(share: u8) -> ShiftTargets {
    expand(&[share], BAKE).remove(0)
}

async fn applied(stage: &Stage, step: &ShiftTargets) -> ShiftChange {
    let Planned::Change(change) = step.plan(&stage.look()).await.unwrap() else { panic!("nothing to do") };
    step.apply(&stage.act(), &change).await.unwrap();
    change
}

#[test]
fn a_ramp_is_one_step_a_stage() {
    let steps = expand(&[1, 25, 100], BAKE);
    assert_eq!(
        steps.iter().map(Step::id).collect::<Vec<_>>(),
        ["shift-targets:1", "shift-targets:25", "shift-targets:100"]
    );
    assert_eq!((steps[2].from, steps[2].to), (25, 100));
}

#[tokio::test]
async fn the_ramp_goes_up_and_back() {
    let stage = ready().await;
    let start = stage.snapshot();
    let steps = expand(&[10, 100], BAKE);
    let mut changes = Vec::new();
    for step in &steps {
        changes.push(applied(&stage, step).await);
    }
    assert!(stage.snapshot().to_string().contains("[[\"arn:group/shop-old\",0],[\"arn:group/shop-new\",100]]"));
    // The first step back leads all the way; the others find nothing to do.
    for (step, change) in steps.iter().zip(&changes).rev() {
        step.undo(&stage.act(), change).await.unwrap();
        assert_eq!(stage.snapshot(), start);
    }
}

#[tokio::test]
async fn a_stage_bakes_from_when_it_was_applied_and_breaks_when_the_new_side_falls_ill() {
    let stage = ready().await;
    let step = stage_of(25);
    let change = applied(&stage, &step).await;
    let look = stage.look_applied();
    let verify = async || unjudged(step.verify(&look, &change).await.unwrap());
    assert!(matches!(verify().await, Verdict::Wait { .. }));
    stage.clock.advance(Duration::from_mins(20));
    stage.balancer.set_healthy("10.0.2.7", false);
    let verdict = verify().await;
    assert!(matches!(&verdict, Verdict::Broken(why) if why.contains("10.0.2.7")), "{verdict:?}");
    stage.balancer.set_healthy("10.0.2.7", true);
    stage.clock.advance(Duration::from_mins(7));
    assert_eq!(verify().await, Verdict::Holds);
}

#[tokio::test]
async fn other_weights_are_drift_forward_and_back() {
    let stage = ready().await;
    let step = stage_of(25);
    let change = applied(&stage, &step).await;
    stage.balancer.meddle(443, |rules| rules[0].forward[1].1 = 77);
    let before = stage.snapshot();
    assert!(matches!(step.verify(&stage.look(), &change).await.unwrap(), Verdict::Drifted(_)));
    assert!(matches!(step.apply(&stage.act(), &change).await, Err(Fault::Drifted { .. })));
    assert!(matches!(step.undo(&stage.act(), &change).await, Err(Fault::Drifted { .. })));
    assert_eq!(stage.snapshot(), before);
}

#[tokio::test]
async fn without_targets_there_is_nothing_to_shift_and_nothing_to_undo() {
    let stage = Stage::new();
    let step = stage_of(25);
    let Planned::Change(change) = step.plan(&stage.look()).await.unwrap() else { panic!("nothing to do") };
    assert!(matches!(step.apply(&stage.act(), &change).await, Err(Fault::Failed { .. })));
    step.undo(&stage.act(), &change).await.unwrap();
}
