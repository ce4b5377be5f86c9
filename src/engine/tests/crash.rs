//! Every pair of places where a process can die, then a person resumes or rolls back: the end state or the start state,
//! nothing else.

use serde_json::Value;

use super::life::{Play, Wish};
use crate::clients::fake::When;
use crate::clients::fake::stage::Stage;
use crate::engine::Options;
use crate::event::Outcome;
use crate::steps::contract::same;
use crate::steps::testing::{self, Kind};

/// How many schedules a kind is worth, more or less; one of many calls gets fewer second deaths for each first.
const SCHEDULES: usize = 700;

/// What a process's number is called on tags, labels and objects.
const EPOCHS: [&str; 3] = ["outgrow:epoch", "outgrow.epoch", "outgrow-epoch"];

struct Known {
    start: Value,
    end: Value,
    calls: usize,
}

async fn undisturbed(kind: &Kind) -> Known {
    let play = stand(kind).await;
    let start = world(&play.stage);
    let before = play.stage.fuse.calls();
    assert_eq!(play.process(Wish::Forward, Options::default()).await, Some(Outcome::Done), "{}", kind.name);
    let end = world(&play.stage);
    let calls = play.stage.fuse.calls() - before;
    assert!(calls > 3, "{} changes nothing, so its test would prove nothing", kind.name);
    assert_eq!(play.process(Wish::Back, Options::default()).await, Some(Outcome::RolledBack), "{}", kind.name);
    same(&world(&play.stage), &start, &format!("{}: rolling back a finished run", kind.name));
    Known { start, end, calls }
}

/// The whole world. Which of a run's processes made a thing is written on it, and here it may be any.
fn world(stage: &Stage) -> Value {
    let mut world = stage.snapshot();
    forget_epochs(&mut world);
    world
}

fn forget_epochs(value: &mut Value) {
    match value {
        Value::Array(pair) if pair.first().is_some_and(|key| EPOCHS.iter().any(|epoch| key == epoch)) => {
            pair.truncate(1);
        }
        Value::Array(all) => all.iter_mut().for_each(forget_epochs),
        Value::Object(all) => {
            all.retain(|key, _| !EPOCHS.contains(&key.as_str()));
            all.values_mut().for_each(forget_epochs);
        }
        _ => {}
    }
}

async fn stand(kind: &Kind) -> Play {
    let (stage, steps) = (kind.set)().await;
    Play::new(stage, steps).await
}

/// Dies once or twice, then a third process finishes; returns how many schedules were played.
async fn all_schedules(kind: &Kind) -> usize {
    let known = undisturbed(kind).await;
    let seconds = (SCHEDULES / (known.calls * 6)).clamp(2, 9);
    let mut played = 0;
    for first in 0..known.calls {
        for when in [When::Before, When::After] {
            for wishes in [(Wish::Forward, Wish::Forward), (Wish::Forward, Wish::Back), (Wish::Back, Wish::Back)] {
                for second in 0..seconds {
                    let tears = second % 2 == 0;
                    play_one(kind, &known, (first, when), (second * 27 / seconds + first % 3, when), wishes, tears)
                        .await;
                    played += 1;
                }
            }
        }
    }
    played
}

async fn play_one(
    kind: &Kind,
    known: &Known,
    first: (usize, When),
    second: (usize, When),
    (then, last): (Wish, Wish),
    tears: bool,
) {
    let name = format!("{}: dies at {first:?}, {then:?}, dies at {second:?}, {last:?}, tears {tears}", kind.name);
    let mut play = stand(kind).await;
    play.tears = tears;
    let process = async |wish, death: Option<(usize, When)>| {
        play.stage.fuse.arm_next(death);
        play.process(wish, Options::default()).await
    };
    let mut outcome = process(Wish::Forward, Some(first)).await;
    assert_eq!(outcome, None, "{name}: did not die");
    outcome = process(then, Some(second)).await;
    if outcome.is_none() {
        outcome = process(last, None).await;
    }
    let back = play.state().direction == crate::journal::Direction::Back;
    let (wanted, goal) = if back { (Outcome::RolledBack, &known.start) } else { (Outcome::Done, &known.end) };
    assert_eq!(outcome, Some(wanted), "{name}: {:?}", play.state());
    same(&world(&play.stage), goal, &name);
}

#[tokio::test]
async fn wherever_the_process_dies_resume_reaches_the_end_and_rollback_the_start() {
    let mut played = 0;
    for kind in testing::kinds() {
        played += all_schedules(&kind).await;
    }
    assert!(played > 2_000, "only {played} schedules were played");
}

/// A step that fails for sure, at each step of each kind's chain: everything before it is taken back.
#[tokio::test]
async fn each_step_made_to_fail_unwinds_to_the_start() {
    for kind in testing::kinds() {
        let steps: Vec<String> = (kind.set)().await.1.iter().map(|s| s.id()).collect();
        for step in steps {
            let play = stand(&kind).await;
            let start = world(&play.stage);
            let options = Options { fail_at: Some(step.clone()), ..Options::default() };
            let outcome = play.process(Wish::Forward, options).await;
            assert_eq!(outcome, Some(Outcome::RolledBack), "{} failing at {step}", kind.name);
            same(&world(&play.stage), &start, &format!("{} failing at {step}", kind.name));
        }
    }
}

/// Every changing call loses its answer once, before or after its effect: in doubt, looked at, and the run ends well.
#[tokio::test]
async fn a_lost_answer_is_a_doubt_and_not_a_failure() {
    for kind in testing::kinds() {
        let known = undisturbed(&kind).await;
        for call in 0..known.calls {
            for when in [When::Before, When::After] {
                let play = stand(&kind).await;
                play.stage.fuse.lose_answer_at(call, when);
                let outcome = play.process(Wish::Forward, Options::default()).await;
                let told = format!("{} call {call} {when:?}", kind.name);
                match outcome {
                    Some(Outcome::Done) => same(&world(&play.stage), &known.end, &told),
                    Some(Outcome::RolledBack) => same(&world(&play.stage), &known.start, &told),
                    other => panic!("{told}: {other:?}"),
                }
            }
        }
    }
}
