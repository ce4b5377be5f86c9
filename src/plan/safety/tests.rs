use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::step::{Act, Finding, Look, Planned, Reversal, Step, StepResult, Verdict};
use crate::steps::app_config::AppConfig;
use crate::steps::app_host::AppHost;
use crate::steps::database_copy::DatabaseCopy;
use crate::steps::database_handover::DatabaseHandover;
use crate::steps::dns_weights::{DnsChange, DnsWeights, Phase, Which};
use crate::steps::finalize::Finalize;
use crate::steps::pooler::Pooler;
use crate::steps::shift_targets;
use crate::steps::soak::Soak;
use crate::steps::static_site::StaticSite;
use crate::steps::targets::Targets;
use crate::world::{Moment, Side, WayBack};

type Steps = Vec<Box<dyn AnyStep>>;

fn copy() -> Box<dyn AnyStep> {
    Box::new(DatabaseCopy { follow: false })
}

fn handover() -> Box<dyn AnyStep> {
    Box::new(DatabaseHandover { hold_at_most: 30, follow: false, pooled: false })
}

fn app_config() -> Box<dyn AnyStep> {
    Box::new(AppConfig::default())
}

fn app_host() -> Box<dyn AnyStep> {
    Box::new(AppHost { name: "app-1".to_owned() })
}

fn shift(to: u8) -> Box<dyn AnyStep> {
    Box::new(shift_targets::expand(&[to], Duration::ZERO).remove(0))
}

fn dns(which: Which, phase: Phase) -> Box<dyn AnyStep> {
    let change = DnsChange {
        zone: "Z".to_owned(),
        names: Vec::new(),
        before: Vec::new(),
        after: Vec::new(),
        hold: Duration::ZERO,
        hold_why: String::new(),
        drain: Duration::ZERO,
    };
    Box::new(DnsWeights { which, phase, change, awaits: false })
}

fn soak() -> Box<dyn AnyStep> {
    Box::new(Soak { lasts: Duration::from_mins(1) })
}

/// A whole move in the right order.
pub(crate) fn whole() -> Steps {
    vec![
        Box::new(StaticSite {}),
        app_host(),
        copy(),
        Box::new(Targets {}),
        dns(Which::Api, Phase::Ttl),
        dns(Which::Api, Phase::Weight(100)),
        handover(),
        app_config(),
        shift(50),
        shift(100),
        dns(Which::Pages, Phase::Ttl),
        dns(Which::Pages, Phase::Weight(100)),
        soak(),
        Box::new(Finalize {}),
    ]
}

fn told(steps: &[Box<dyn AnyStep>]) -> Vec<(String, Invariant)> {
    judge(steps).into_iter().map(|found| (found.step, found.invariant)).collect()
}

/// A step of the tests' own: what it does to the world, and the moments on its way.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
struct Planted {
    mistake: Mistake,
}

#[derive(Debug, Clone, Copy, serde::Serialize, serde::Deserialize)]
enum Mistake {
    UnfenceBeforeFence,
    UnfenceOffTheRecord,
    HandoverWithoutWayBack,
    BackWithoutStream,
}

#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
struct Nothing;

impl crate::step::Change for Nothing {
    fn lines(&self) -> Vec<String> {
        Vec::new()
    }

    fn reversal(&self) -> Reversal {
        Reversal::Exact
    }
}

impl Step for Planted {
    const KIND: &'static str = "planted";
    type Change = Nothing;

    fn title(&self) -> String {
        format!("{:?}", self.mistake)
    }

    fn explain(&self) -> String {
        Step::title(self)
    }

    fn model(&self, world: &mut World) {
        Step::model(&DatabaseHandover { hold_at_most: 30, follow: true, pooled: false }, world);
        match self.mistake {
            Mistake::UnfenceOffTheRecord => world.on_record = false,
            Mistake::HandoverWithoutWayBack => world.way_back = WayBack::None,
            Mistake::UnfenceBeforeFence | Mistake::BackWithoutStream => {}
        }
    }

    fn on_the_way(&self, before: &World) -> Vec<Moment> {
        match self.mistake {
            Mistake::UnfenceBeforeFence => {
                let on_record = Moment::after(before, "the handover is on record", |world| world.on_record = true);
                let opened = Moment::after(&on_record.world, "the new one is opened", |world| {
                    (world.new_open, world.way_back) = (true, WayBack::Stream);
                });
                vec![on_record, opened]
            }
            _ => Vec::new(),
        }
    }

    fn model_back(&self, now: &World, before: &World) -> World {
        match self.mistake {
            Mistake::BackWithoutStream => now.taken_back_to(before),
            _ => World { new_has_writes: false, ..before.clone() },
        }
    }

    async fn check(&self, _: &Look) -> StepResult<Vec<Finding>> {
        Ok(Vec::new())
    }

    async fn plan(&self, _: &Look) -> StepResult<Planned<Nothing>> {
        Ok(Planned::AlreadySo)
    }

    async fn apply(&self, _: &Act, _: &Nothing) -> StepResult<()> {
        Ok(())
    }

    async fn verify(&self, _: &Look, _: &Nothing) -> StepResult<Verdict> {
        Ok(Verdict::Holds)
    }

    async fn undo(&self, _: &Act, _: &Nothing) -> StepResult<()> {
        Ok(())
    }
}

fn planted(mistake: Mistake) -> Vec<(String, Invariant)> {
    told(&[copy(), Box::new(Planted { mistake }), app_config()])
}

#[test]
fn the_right_order_is_not_complained_about() {
    assert_eq!(told(&whole()), []);
}

#[test]
fn planted_an_unfence_before_the_fence_is_two_writers() {
    let found = planted(Mistake::UnfenceBeforeFence);
    assert_eq!(found, [("planted".to_owned(), Invariant::OneWriter)]);
}

#[test]
fn planted_an_unfence_that_is_not_on_record_is_found() {
    assert_eq!(planted(Mistake::UnfenceOffTheRecord), [("planted".to_owned(), Invariant::FenceBeforeUnfence)]);
}

#[test]
fn planted_a_handover_without_a_way_back_is_found() {
    assert_eq!(planted(Mistake::HandoverWithoutWayBack), [("planted".to_owned(), Invariant::WayBack)]);
}

#[test]
fn planted_a_handover_back_without_a_verified_stream_loses_writes() {
    let found = judge(&[copy(), Box::new(Planted { mistake: Mistake::BackWithoutStream }), app_config()]);
    let [found] = &found[..] else { panic!("{found:?}") };
    assert_eq!((found.invariant, found.when.as_str()), (Invariant::NothingLeftBehind, "taken back"));
    assert_eq!(found.world.writer(), Some(Side::Old));
    assert!(found.to_string().starts_with("planted, taken back: the old database takes writes again"), "{found}");
}

#[test]
fn planted_a_canary_before_the_apps_share_a_database_is_found() {
    let found = judge(&[copy(), app_host(), Box::new(Targets {}), shift(5), shift(50), handover(), app_config()]);
    let [found] = &found[..] else { panic!("{found:?}") };
    assert_eq!((found.step.as_str(), found.invariant), ("shift-targets:50", Invariant::ReachesTheWriter));
    assert!(found.todo.contains("database-handover before shift-targets"), "{found}");
}

#[test]
fn planted_finalize_with_old_ttls_alive_is_found() {
    let mut steps = whole();
    steps.retain(|step| step.id() != dns(Which::Pages, Phase::Ttl).id());
    assert_eq!(told(&steps), [("finalize".to_owned(), Invariant::OldAnswersGone)]);
}

#[test]
fn a_handover_without_a_copy_is_refused() {
    let found = told(&[handover(), app_config()]);
    assert_eq!(found, [("database-handover".to_owned(), Invariant::NothingLeftBehind)]);
}

#[test]
fn the_boxs_app_is_not_left_behind_the_fence() {
    let late = told(&[copy(), handover(), soak(), app_config()]);
    assert_eq!(late, [("soak".to_owned(), Invariant::ReachesTheWriter)]);
    let never = told(&[copy(), handover(), Box::new(Finalize {})]);
    assert!(never.iter().any(|(step, _)| step == "finalize"), "{never:?}");
}

#[test]
fn through_a_pooler_the_app_may_go_first_and_only_through_one() {
    let config = |pooled| Box::new(AppConfig { pooled }) as Box<dyn AnyStep>;
    let pooler = || Box::new(Pooler {}) as Box<dyn AnyStep>;
    let handed = || Box::new(DatabaseHandover { hold_at_most: 30, follow: true, pooled: true }) as Box<dyn AnyStep>;
    assert_eq!(told(&[pooler(), copy(), config(true), handed(), soak(), Box::new(Finalize {})]), []);
    let todo = |steps: &[Box<dyn AnyStep>]| judge(steps).into_iter().map(|wrong| wrong.todo).collect::<Vec<_>>();
    let late = todo(&[pooler(), copy(), handed(), config(true), soak()]);
    assert!(late.iter().any(|todo| todo.contains("between pooler and database-handover")), "{late:?}");
    let without = todo(&[copy(), config(true), handed()]);
    assert!(without.contains(&"put pooler before app-config"), "{without:?}");
    let straight = todo(&[copy(), config(false), handover()]);
    assert!(straight.iter().any(|todo| todo.contains("a pooler step")), "{straight:?}");
    // A handover that does not know of the pooler would leave it sending clients to the fenced side.
    let unknown = told(&[pooler(), copy(), config(true), handover(), soak()]);
    assert_eq!(unknown, [("soak".to_owned(), Invariant::ReachesTheWriter)]);
}

#[test]
fn requests_do_not_go_where_nobody_is() {
    let without_app = told(&[copy(), Box::new(Targets {}), handover(), app_config(), shift(100)]);
    assert_eq!(without_app, [("shift-targets:100".to_owned(), Invariant::ReachesTheWriter)]);
    let without_targets = told(&[dns(Which::Api, Phase::Ttl), dns(Which::Api, Phase::Weight(10))]);
    assert_eq!(without_targets, [("dns-weights:api:10".to_owned(), Invariant::ReachesTheWriter)]);
    let without_pages = told(&[dns(Which::Pages, Phase::Weight(10))]);
    assert_eq!(without_pages, [("dns-weights:pages:10".to_owned(), Invariant::ReachesTheWriter)]);
}

#[test]
fn the_walk_says_who_writes_and_what_a_rollback_costs() {
    let rows = walk(&whole());
    assert_eq!(rows.len(), whole().len() + 1);
    let after = |step: &str| rows.iter().find(|row| row.after == step).unwrap();
    assert_eq!((after("now").writes, after("now").back.as_str()), ("box", "nothing"));
    let handed = after("database-handover");
    assert_eq!((handed.writes, handed.old_app), ("RDS", "box"));
    assert_eq!(handed.back, "a second fence; resolvers follow within a TTL");
    assert_eq!(after("shift-targets:50").api, "100 %, new 50 %");
    assert_eq!(after("finalize").back, "no way back");
}

/// The kinds that the random playbooks are made of.
fn kind(number: u8) -> Box<dyn AnyStep> {
    match number {
        0 => copy(),
        1 => handover(),
        2 => app_config(),
        3 => app_host(),
        4 => Box::new(Targets {}),
        5 => shift(50),
        6 => shift(100),
        7 => dns(Which::Api, Phase::Ttl),
        8 => dns(Which::Api, Phase::Weight(100)),
        9 => Box::new(StaticSite {}),
        10 => dns(Which::Pages, Phase::Ttl),
        11 => dns(Which::Pages, Phase::Weight(100)),
        _ => soak(),
    }
}

proptest! {
    /// Whatever order somebody writes: an accepted playbook holds every invariant after each step.
    #[test]
    fn what_the_judge_lets_pass_is_right_at_every_rest(numbers in proptest::collection::vec(0_u8..13, 1..14)) {
        let steps: Steps = numbers.iter().map(|number| kind(*number)).collect();
        if judge(&steps).is_empty() {
            let mut world = World::default();
            for step in &steps {
                step.model(&mut world);
                prop_assert!(broken(&world).iter().all(|wrong| wrong.passes), "{numbers:?}: {world:?}");
            }
        }
    }
}
