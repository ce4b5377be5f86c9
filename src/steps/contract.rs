//! What the engine relies on, asked of every kind of step from one table:
//! applied twice is applied once · whichever call the process dies at, or loses the answer of, applying again reaches
//! the end and undoing reaches the start · undoing twice is undoing once · undoing what never landed changes nothing.
//!
//! A kind plugs in by a `cases()` beside its tests (the database's are in [`super::testing`]) and a line in [`table`].

use futures::future::BoxFuture;
use serde_json::Value;

use crate::clients::fake::{Stage, When};
use crate::step::{AnyStep, Fault, Look, StepResult, Verdict};

/// A step of any kind.
pub type Boxed = Box<dyn AnyStep>;

/// A step on a stage that is ready for it.
pub struct Case {
    /// For messages.
    pub name: &'static str,
    /// Makes the stage, with whatever must come before the step done, and the step.
    pub set: fn() -> BoxFuture<'static, (Stage, Boxed)>,
}

/// Every kind of step.
fn table() -> Vec<Case> {
    [
        super::targets::tests::cases(),
        super::shift_targets::tests::cases(),
        super::dns_weights::tests::cases(),
        super::static_site::tests::cases(),
        super::certificate::tests::cases(),
        super::distribution::tests::cases(),
        super::soak::tests::cases(),
        super::finalize::tests::cases(),
        super::testing::database_cases(),
        super::app_config::tests::cases(),
        super::pooler::tests::cases(),
        super::app_host::tests::cases(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// A case at its start.
struct Scene {
    stage: Stage,
    step: Boxed,
    change: Value,
    start: Value,
    /// Whether undo brings the start back; finalize has no way back.
    exact: bool,
}

async fn scene(case: &Case) -> Scene {
    let (stage, step) = (case.set)().await;
    let start = stage.snapshot();
    let draft = step.plan(&stage.look()).await.unwrap().unwrap_or_else(|| panic!("{}: nothing to do", case.name));
    same(&stage.snapshot(), &start, &format!("{}: planning changed something", case.name));
    let exact = !matches!(draft.reversal, crate::step::Reversal::PointOfNoReturn(_));
    assert!(!draft.lines.is_empty(), "{}: a change without words", case.name);
    Scene { stage, step, change: draft.change, start, exact }
}

impl Scene {
    async fn apply(&self) -> StepResult<()> {
        self.step.apply(&self.stage.act(), &self.change).await
    }

    async fn undo(&self) -> StepResult<()> {
        self.step.undo(&self.stage.act(), &self.change).await
    }

    /// What should be there, and what is.
    fn goal<'a>(&'a self, forward: bool, end: &'a Value) -> (&'a Value, Value) {
        if forward { (end, self.stage.snapshot()) } else { (&self.start, taken_back(&self.stage)) }
    }

    /// Verifies as the engine does, until it does not wait any more.
    async fn verify(&self) -> Verdict {
        let applied_at = Some(self.stage.reach().clock.now());
        for _ in 0..100_000 {
            let look = Look { applied_at, ..self.stage.look() };
            match unjudged(self.step.verify(&look, &self.change).await.unwrap()) {
                Verdict::Wait { again_in, .. } => look.clock.sleep(again_in).await,
                other => return other,
            }
        }
        panic!("{} waits for ever", self.step.id());
    }

    /// Applies, or undoes, until it ends or the process dies.
    async fn until_death(&self, forward: bool) {
        let act = async { if forward { self.apply().await } else { self.undo().await } };
        tokio::select! {
            biased;
            () = self.stage.fuse.died() => {}
            _ = act => {}
        }
        self.stage.fuse.revive();
    }
}

/// What follows from what was measured.
pub fn unjudged(verdict: Verdict) -> Verdict {
    match verdict {
        Verdict::Judged(_, then) => unjudged(*then),
        other => other,
    }
}

/// How many changing calls an apply makes, and the world after it.
async fn clean_run(case: &Case) -> (usize, Value) {
    let scene = scene(case).await;
    let before = scene.stage.fuse.calls();
    scene.apply().await.unwrap_or_else(|e| panic!("{}: {e}", case.name));
    (scene.stage.fuse.calls() - before, scene.stage.snapshot())
}

/// The world after an undo. The handover leaves its mark on the copy, with which the copy's undo takes it away.
fn taken_back(stage: &Stage) -> Value {
    let mut world = stage.snapshot();
    world["databases"]["new"]["caught_up_by"] = Value::Null;
    world
}

/// Compares two worlds and shows where they differ, not all of both.
pub fn same(found: &Value, wanted: &Value, told: &str) {
    if found == wanted {
        return;
    }
    let pretty = |value: &Value| serde_json::to_string_pretty(value).unwrap();
    let (wanted, found) = (pretty(wanted), pretty(found));
    let diff = similar::TextDiff::from_lines(&wanted, &found);
    panic!("{told}: not the world it should be\n{}", diff.unified_diff().context_radius(3).header("wanted", "found"));
}

/// So many second deaths are tried after each first one.
const SECONDS: usize = 4;

const SIDES: [When; 2] = [When::Before, When::After];

#[tokio::test]
async fn applied_twice_is_applied_once_and_holds() {
    for case in table() {
        let scene = scene(&case).await;
        scene.apply().await.unwrap();
        let once = scene.stage.snapshot();
        scene.apply().await.unwrap_or_else(|e| panic!("{}: {e}", case.name));
        same(&scene.stage.snapshot(), &once, &format!("{}: applied twice", case.name));
        assert_eq!(scene.verify().await, Verdict::Holds, "{}", case.name);
        same(&scene.stage.snapshot(), &once, &format!("{}: verifying changed something", case.name));
    }
}

#[tokio::test]
async fn undone_twice_is_undone_once() {
    for case in table() {
        let scene = scene(&case).await;
        scene.apply().await.unwrap();
        for time in ["once", "twice"] {
            let undone = scene.undo().await;
            if scene.exact {
                undone.unwrap_or_else(|e| panic!("{} undone {time}: {e}", case.name));
                same(&taken_back(&scene.stage), &scene.start, &format!("{} undone {time}", case.name));
            } else {
                assert!(matches!(undone, Err(Fault::NeedsConsent { .. } | Fault::Failed { .. })), "{}", case.name);
            }
        }
    }
}

#[tokio::test]
async fn undoing_what_never_landed_changes_nothing() {
    for case in table() {
        let scene = scene(&case).await;
        let undone = scene.undo().await;
        assert!(undone.is_ok() || !scene.exact, "{}: {undone:?}", case.name);
        same(&scene.stage.snapshot(), &scene.start, case.name);
    }
}

#[tokio::test]
async fn wherever_the_process_dies_forward_reaches_the_end_and_back_the_start() {
    for case in table() {
        let (calls, end) = clean_run(&case).await;
        let points: Vec<(usize, When)> = (0..calls).flat_map(|n| SIDES.map(|when| (n, when))).collect();
        for (number, &(first, side)) in points.iter().enumerate() {
            // The second death is counted from the revival; `None` is no second one. Of many points every so manieth
            // is the second, beginning elsewhere each time.
            let stride = points.len().div_ceil(SECONDS);
            let seconds = points.iter().skip(number % stride).step_by(stride).copied();
            for second in std::iter::once(None).chain(seconds.map(Some)) {
                for forward in [true, false] {
                    let scene = scene(&case).await;
                    if !scene.exact && !forward {
                        continue;
                    }
                    let told = || format!("{}: {first} {side:?}, then {second:?}, forward {forward}", case.name);
                    scene.stage.fuse.die_at(first, side);
                    scene.until_death(true).await;
                    if let Some((at, side)) = second {
                        scene.stage.fuse.die_at(at, side);
                        scene.until_death(forward).await;
                    }
                    let done = if forward { scene.apply().await } else { scene.undo().await };
                    done.unwrap_or_else(|e| panic!("{}: {e}", told()));
                    let (goal, found) = scene.goal(forward, &end);
                    same(&found, goal, &told());
                }
            }
        }
    }
}

#[tokio::test]
async fn whichever_answer_is_lost_forward_reaches_the_end_and_back_the_start() {
    for case in table() {
        let (calls, end) = clean_run(&case).await;
        for at in 0..calls {
            for side in SIDES {
                for forward in [true, false] {
                    let scene = scene(&case).await;
                    if !scene.exact && !forward {
                        continue;
                    }
                    scene.stage.fuse.lose_answer_at(at, side);
                    let first = scene.apply().await;
                    let told = format!("{}: {at} {side:?}, forward {forward}", case.name);
                    match first {
                        Ok(()) | Err(Fault::InDoubt(_)) => {}
                        // A step may also take itself back at once, for what must not stay half done.
                        Err(Fault::Failed { .. }) => same(&taken_back(&scene.stage), &scene.start, &told),
                        other => panic!("{told}: {other:?}"),
                    }
                    scene.stage.fuse.revive();
                    let done = if forward { scene.apply().await } else { scene.undo().await };
                    done.unwrap_or_else(|e| panic!("{told}: {e}"));
                    let (goal, found) = scene.goal(forward, &end);
                    same(&found, goal, &told);
                }
            }
        }
    }
}
