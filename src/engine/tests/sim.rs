//! The safety model played by the engine: steps of any kind that change nothing but the model's own world, one moment
//! after the other, while processes die, gates fail and people turn back. Whatever playbook the judge lets pass, no moment
//! breaks an invariant.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use proptest::prelude::*;
use serde_json::Value;

use super::life::{Build, Play, Wish};
use crate::clients::fake::stage::Stage;
use crate::clients::fake::{Fuse, When};
use crate::engine::Options;
use crate::event::Outcome;
use crate::plan::PlannedStep;
use crate::plan::safety::{broken, judge, tests::whole};
use crate::step::{Act, AnyStep, Draft, Fault, Finding, Look, Reversal, StepResult, Verdict};
use crate::world::{Moment, World};

/// The site as the model knows it, and what was seen of it.
#[derive(Default)]
struct Live {
    now: World,
    /// As it was before each step that has begun.
    before: BTreeMap<String, World>,
    broken: Vec<String>,
    /// The step whose gate fails.
    fails: Option<String>,
}

impl Live {
    fn come_to(&mut self, world: World, by: &str) {
        for wrong in broken(&world).iter().filter(|wrong| !wrong.passes) {
            self.broken.push(format!("{by}: {}", wrong.what));
        }
        self.now = world;
    }
}

/// A real step's model, and nothing else of it.
#[derive(Clone)]
struct Modelled {
    kind: Arc<Box<dyn AnyStep>>,
    live: Arc<Mutex<Live>>,
    fuse: Fuse,
}

impl std::fmt::Debug for Modelled {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.kind.fmt(f)
    }
}

impl Modelled {
    /// Comes to each of these in turn; a process that dies stays where it was.
    async fn go(&self, moments: Vec<Moment>) {
        for moment in moments {
            let by = format!("{}, {}", self.id(), moment.what);
            let gone = self.fuse.act_now(|| self.live.lock().unwrap().come_to(moment.world, &by));
            if gone.is_none() {
                std::future::pending::<()>().await;
            }
        }
    }
}

#[async_trait]
impl AnyStep for Modelled {
    fn kind(&self) -> &'static str {
        self.kind.kind()
    }

    fn id(&self) -> String {
        self.kind.id()
    }

    fn title(&self) -> String {
        self.kind.title()
    }

    fn explain(&self) -> String {
        self.kind.explain()
    }

    fn parameters(&self) -> Result<Value, Fault> {
        self.kind.parameters()
    }

    fn model(&self, world: &mut World) {
        self.kind.model(world);
    }

    fn on_the_way(&self, before: &World) -> Vec<Moment> {
        self.kind.on_the_way(before)
    }

    fn on_the_way_back(&self, now: &World) -> Vec<Moment> {
        self.kind.on_the_way_back(now)
    }

    fn model_back(&self, now: &World, before: &World) -> World {
        self.kind.model_back(now, before)
    }

    fn may_be_broken_off(&self) -> bool {
        self.kind.may_be_broken_off()
    }

    fn may_stop_after(&self) -> bool {
        self.kind.may_stop_after()
    }

    fn reads_may_lag(&self) -> bool {
        false
    }

    async fn check(&self, _: &Look) -> StepResult<Vec<Finding>> {
        Ok(Vec::new())
    }

    async fn plan(&self, _: &Look) -> StepResult<Option<Draft>> {
        Ok(Some(Draft { change: Value::Null, lines: Vec::new(), reversal: Reversal::Exact }))
    }

    async fn apply(&self, _: &Act, _: &Value) -> StepResult<()> {
        let before = {
            let mut live = self.live.lock().unwrap();
            let now = live.now.clone();
            live.before.entry(self.id()).or_insert(now).clone()
        };
        let mut after = before.clone();
        self.model(&mut after);
        let mut moments = self.on_the_way(&before);
        moments.push(Moment { what: "done", world: after });
        // A repeat goes on from where it was left.
        let now = self.live.lock().unwrap().now.clone();
        let there = moments.iter().position(|moment| moment.world == now);
        self.go(moments.split_off(there.unwrap_or(0))).await;
        Ok(())
    }

    async fn verify(&self, _: &Look, _: &Value) -> StepResult<Verdict> {
        let fails = self.live.lock().unwrap().fails.as_ref() == Some(&self.id());
        Ok(if fails { Verdict::Broken("its gate failed".to_owned()) } else { Verdict::Holds })
    }

    async fn undo(&self, _: &Act, _: &Value) -> StepResult<()> {
        let (now, before) = {
            let live = self.live.lock().unwrap();
            (live.now.clone(), live.before.get(&self.id()).cloned())
        };
        let Some(before) = before.filter(|before| *before != now) else { return Ok(()) };
        let mut moments = self.on_the_way_back(&now);
        moments.push(Moment { what: "taken back", world: self.model_back(&now, &before) });
        self.go(moments).await;
        Ok(())
    }
}

/// A whole move but for its end, somewhat out of order: pairs of neighbours swapped, some left out.
fn shaken(swaps: &[usize], without: &[usize]) -> Vec<Box<dyn AnyStep>> {
    let mut steps = whole();
    steps.pop();
    for at in without {
        steps.remove(at % steps.len());
    }
    for at in swaps {
        let at = at % (steps.len() - 1);
        steps.swap(at, at + 1);
    }
    steps
}

#[derive(Debug, Clone)]
struct Schedule {
    deaths: Vec<(usize, bool)>,
    wishes: Vec<bool>,
    fails: Option<usize>,
}

fn schedule() -> impl Strategy<Value = Schedule> {
    let death = (0_usize..60, any::<bool>());
    let deaths = proptest::collection::vec(death, 0..4);
    let wishes = proptest::collection::vec(any::<bool>(), 4);
    (deaths, wishes, proptest::option::of(0_usize..12)).prop_map(|(deaths, wishes, fails)| Schedule {
        deaths,
        wishes,
        fails,
    })
}

/// Plays it to its end; gives what was broken on the way, how it ended, and where.
async fn play(steps: Vec<Box<dyn AnyStep>>, schedule: &Schedule) -> (Vec<String>, Option<Outcome>, World, World) {
    let stage = Stage::new();
    let live = Arc::new(Mutex::new(Live::default()));
    let mut end = World::default();
    for step in &steps {
        step.model(&mut end);
    }
    live.lock().unwrap().fails = schedule.fails.map(|at| steps[at % steps.len()].id());
    let modelled = |step| Modelled { kind: Arc::new(step), live: Arc::clone(&live), fuse: stage.fuse.clone() };
    let steps: Vec<Modelled> = steps.into_iter().map(modelled).collect();
    let mut items = Vec::new();
    for step in &steps {
        items.push(PlannedStep::new(step, step.plan(&stage.look()).await.unwrap()).unwrap());
    }
    let build: Build = Arc::new(move |planned| {
        Box::new(steps.iter().find(|step| step.id() == planned.id).expect("a step of this run").clone())
    });
    let play = Play::of(stage, items, build);
    let mut outcome = None;
    let lives = schedule.deaths.iter().map(Some).chain([None]);
    for (life, death) in lives.enumerate() {
        let when = |after| if after { When::After } else { When::Before };
        play.stage.fuse.arm_next(death.map(|(call, after)| (*call, when(*after))));
        let back = life > 0 && schedule.wishes[life % schedule.wishes.len()];
        outcome = play.process(if back { Wish::Back } else { Wish::Forward }, Options::default()).await;
        if outcome.is_some() {
            break;
        }
    }
    let live = live.lock().unwrap();
    (live.broken.clone(), outcome, live.now.clone(), end)
}

#[test]
fn what_the_judge_lets_pass_never_breaks_however_the_run_goes() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let played = std::cell::Cell::new((0_u32, 0_u32));
    let swaps = proptest::collection::vec(0_usize..13, 0..4);
    let without = proptest::collection::vec(0_usize..13, 0..3);
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig { cases: 400, ..ProptestConfig::default() });
    runner
        .run(&(swaps, without, schedule()), |(swaps, without, schedule)| {
            let steps = shaken(&swaps, &without);
            let (accepted, refused) = played.get();
            if !judge(&steps).is_empty() {
                played.set((accepted, refused + 1));
                return Ok(());
            }
            played.set((accepted + 1, refused));
            let (wrong, outcome, now, end) = runtime.block_on(play(steps, &schedule));
            prop_assert!(wrong.is_empty(), "{wrong:?}");
            match outcome {
                Some(Outcome::Done) => prop_assert_eq!(now, end),
                Some(Outcome::RolledBack) => prop_assert_eq!(now, World::default()),
                other => prop_assert!(false, "ended with {other:?}"),
            }
            Ok(())
        })
        .unwrap();
    let (accepted, refused) = played.get();
    assert!(
        accepted > 50 && refused > 50,
        "{accepted} accepted, {refused} refused: too few of one kind to mean anything"
    );
}

/// The simulation would notice: a playbook that the judge refuses comes to the moment it was refused for.
#[test]
fn what_the_judge_refuses_breaks_when_it_is_played_all_the_same() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut steps = whole();
    steps.pop();
    steps.retain(|step| step.kind() != "database-copy");
    assert!(!judge(&steps).is_empty());
    let undisturbed = Schedule { deaths: Vec::new(), wishes: vec![false], fails: None };
    let (wrong, ..) = runtime.block_on(play(steps, &undisturbed));
    assert!(wrong.iter().any(|wrong| wrong.contains("without the old one's rows")), "{wrong:?}");
}
