//! A stage at 25 percent on the balancer in memory, under every weather.

use std::sync::Arc;

use super::*;
use crate::clients::fake::Stage as World;
use crate::clients::fake::metrics::Weather;
use crate::clients::web::Answered;
use crate::event::{Finding, Judgement};
use crate::step::{Planned, Step, Verdict};
use crate::steps::contract::unjudged;
use crate::steps::shift_targets::{ShiftChange, ShiftTargets, expand};
use crate::steps::targets::Targets;

const BAKE: Duration = Duration::from_mins(10);

struct Scene {
    world: World,
    step: ShiftTargets,
    change: ShiftChange,
    look: Look,
}

/// The stage, just shifted, under these gates.
async fn shifted(gates: Gates) -> Scene {
    let world = World::new();
    world.web.all_is_well();
    let Planned::Change(change) = Targets {}.plan(&world.look()).await.unwrap() else { panic!("nothing to do") };
    Targets {}.apply(&world.act(), &change).await.unwrap();
    let step = expand(&[25], BAKE).remove(0).under(&gates);
    let Planned::Change(change) = step.plan(&world.look()).await.unwrap() else { panic!("nothing to do") };
    step.apply(&world.act(), &change).await.unwrap();
    let look = world.look_applied();
    world.metrics.set(|weather| weather.shifted_at = look.applied_at);
    Scene { world, step, change, look }
}

impl Scene {
    fn weather(self, with: impl FnOnce(&mut Weather)) -> Self {
        self.world.metrics.set(with);
        self
    }

    async fn look(&self) -> (Judgement, Verdict) {
        match self.step.verify(&self.look, &self.change).await.unwrap() {
            Verdict::Judged(judgement, then) => (*judgement, unjudged(*then)),
            other => panic!("not judged: {other:?}"),
        }
    }

    /// Looks as often as the stage asks for, until it says something else; gives how long that took.
    async fn end(&self) -> (Judgement, Verdict, Duration) {
        let began = self.look.clock.now();
        for _ in 0..500 {
            let (judgement, verdict) = self.look().await;
            let Verdict::Wait { again_in, .. } = verdict else {
                return (judgement, verdict, self.look.clock.now().duration_since(began).unwrap());
            };
            self.world.clock.advance(again_in);
        }
        panic!("it waits for ever");
    }
}

fn gate<'a>(judgement: &'a Judgement, name: &str) -> &'a crate::event::Gate {
    judgement.gates.iter().find(|gate| gate.gate == name).unwrap()
}

#[tokio::test]
async fn a_good_new_side_passes_after_settling_and_the_whole_bake() {
    let (judgement, verdict, took) = shifted(Gates::default()).await.end().await;
    assert_eq!((verdict, judgement.verdict), (Verdict::Holds, Finding::Passed));
    assert!(took >= BAKE && took <= BAKE + Duration::from_mins(3), "{took:?}");
    assert_eq!((judgement.measured_share, judgement.samples[1] >= 10_000), (Some(25.0), true));
    assert!(judgement.gates.iter().all(|gate| gate.finding == Finding::Passed), "{judgement:#?}");
    assert!(judgement.reason.contains("every gate passed"), "{}", judgement.reason);
}

#[tokio::test]
async fn errors_take_it_back_within_three_minutes_and_say_so() {
    let scene = shifted(Gates::default()).await.weather(|w| w.errors = [0, 20]);
    let (judgement, verdict, took) = scene.end().await;
    let Verdict::Broken(why) = verdict else { panic!("{verdict:?}") };
    assert!(why.contains("at 25 %, errors failed: 30 of 1500 (2.00 %) against 0 of 4500"), "{why}");
    assert_eq!((judgement.verdict, judgement.reason), (Finding::Failed, why));
    assert!(took <= Duration::from_mins(3), "{took:?}");
    let (_, verdict, _) = shifted(Gates::default()).await.weather(|w| w.errors = [20, 20]).end().await;
    assert_eq!(verdict, Verdict::Holds, "as bad as the old side is no reason");
}

#[tokio::test]
async fn a_slow_tail_takes_it_back() {
    let scene = shifted(Gates::default()).await.weather(|w| w.slow = [0.05, 0.25]);
    let (judgement, verdict, _) = scene.end().await;
    assert!(matches!(&verdict, Verdict::Broken(why) if why.contains("latency failed")), "{verdict:?}");
    assert!(gate(&judgement, "latency").figures.contains("p99 250 ms against 50 ms"), "{judgement:#?}");
}

#[tokio::test]
async fn a_side_that_gets_nothing_holds_and_never_passes() {
    let (judgement, verdict, took) = shifted(Gates::default()).await.weather(|w| w.deaf = true).end().await;
    let Verdict::Undecided(why) = verdict else { panic!("{verdict:?}") };
    assert!(why.contains("gets 0 of") && why.contains("25 % are meant"), "{why}");
    assert_eq!((judgement.measured_share, judgement.verdict), (Some(0.0), Finding::Inconclusive));
    assert!(took < Duration::from_mins(8), "{took:?}");
}

#[tokio::test]
async fn what_cannot_be_measured_holds_and_never_passes() {
    let (judgement, verdict, took) = shifted(Gates::default()).await.weather(|w| w.dark = true).end().await;
    assert!(matches!(&verdict, Verdict::Undecided(why) if why.contains("nothing is to be seen")), "{verdict:?}");
    assert_eq!((judgement.verdict, gate(&judgement, "traffic").finding), (Finding::Error, Finding::Error));
    assert!(took > BAKE, "{took:?}");
}

#[tokio::test]
async fn a_quiet_site_says_so_and_is_carried_by_probes_or_holds() {
    for requests in [0, 8] {
        let (judgement, verdict, _) = shifted(Gates::default()).await.weather(|w| w.requests = requests).end().await;
        assert_eq!(verdict, Verdict::Holds, "{requests}");
        assert!(judgement.reason.contains("a quiet site") && judgement.reason.contains("30 probes"), "{judgement:#?}");
    }
    let scene = shifted(Gates::default()).await.weather(|w| w.requests = 0);
    scene.world.web.answer_with(|_| None);
    let (judgement, verdict, _) = scene.end().await;
    assert!(matches!(&verdict, Verdict::Undecided(why) if why.contains("probes error")), "{verdict:?}");
    assert_eq!(gate(&judgement, "probes").finding, Finding::Error);
}

#[tokio::test]
async fn a_few_errors_among_few_requests_are_not_carried() {
    let scene = shifted(Gates { undecided_for: Duration::from_mins(2), ..Gates::default() }).await;
    let scene = scene.weather(|w| (w.requests, w.errors) = (20, [150, 200]));
    let (_, verdict, _) = scene.end().await;
    assert!(matches!(&verdict, Verdict::Undecided(why) if why.contains("errors inconclusive")), "{verdict:?}");
}

/// How both sides answer a probe of a path that is asked for on a new host.
async fn probed(new: impl Fn(&str) -> Answered + Send + Sync + 'static) -> (Judgement, Verdict) {
    let scene = shifted(Gates::default()).await;
    scene.world.web.answer_with(move |probe| {
        let plain = |status| Answered { status, headers: Vec::new(), body: String::new() };
        let at_new = probe.connect_to.is_some_and(|at| at.ip().to_string() == "10.0.2.7");
        let origin = probe.headers.iter().find(|(name, _)| name == "origin").map(|(_, origin)| origin.as_str());
        let kind = if origin.is_some() { "cors" } else { probe.url.rsplit("shop.test").next().unwrap_or_default() };
        Some(match (at_new, kind) {
            (true, kind) => new(kind),
            (false, "/healthz") => plain(200),
            (false, _) => plain(404),
        })
    });
    scene.look().await
}

fn answer(kind: &str) -> Answered {
    let origin = ("access-control-allow-origin".to_owned(), "https://www.shop.test".to_owned());
    let status = match kind {
        "/healthz" => 200,
        "cors" => 204,
        _ => 404,
    };
    Answered { status, headers: vec![origin], body: String::new() }
}

#[tokio::test]
async fn own_probes_find_a_redirect_loop_and_a_wrong_origin_at_the_first_look() {
    let (_, verdict) = probed(answer).await;
    assert!(matches!(verdict, Verdict::Wait { .. }), "{verdict:?}");
    let looping = |kind: &str| match kind {
        "/api/" => Answered {
            status: 302,
            headers: vec![("location".into(), "https://api.shop.test/api/".into())],
            body: String::new(),
        },
        other => answer(other),
    };
    let (_, verdict) = probed(looping).await;
    assert!(matches!(&verdict, Verdict::Broken(why) if why.contains("redirect loop")), "{verdict:?}");
    let wrong = |kind: &str| {
        let mut answer = answer(kind);
        answer.headers = vec![("access-control-allow-origin".into(), "https://staging.shop.test".into())];
        answer
    };
    let (_, verdict) = probed(wrong).await;
    assert!(matches!(&verdict, Verdict::Broken(why) if why.contains("does not allow the origin")), "{verdict:?}");
    let broken = |kind: &str| Answered { status: if kind == "/api/" { 500 } else { 200 }, ..answer(kind) };
    let (_, verdict) = probed(broken).await;
    assert!(matches!(&verdict, Verdict::Broken(why) if why.contains("answers 500, and 404 on the old side")));
}

#[tokio::test]
async fn a_journey_of_the_operators_is_held_to_its_words() {
    let journey = Journey {
        path: "/api/products".into(),
        status: 200,
        body: Some("sku".into()),
        headers: [("content-type".to_owned(), "json".to_owned())].into(),
    };
    let scene = shifted(Gates { probes: vec![journey], ..Gates::default() }).await;
    let (_, verdict) = scene.look().await;
    assert!(matches!(&verdict, Verdict::Broken(why) if why.contains("/api/products answers 404, not 200")));
}

#[tokio::test]
async fn a_command_gets_the_figures_and_has_a_veto() {
    let scene = shifted(Gates { hook: Some("./ask".into()), ..Gates::default() }).await;
    let said = Arc::clone(&scene.world.hooks.said);
    assert!(matches!(scene.look().await.1, Verdict::Wait { .. }));
    said.lock().unwrap().0 = Some(1);
    let (judgement, verdict) = scene.look().await;
    assert!(matches!(&verdict, Verdict::Broken(why) if why.contains("`./ask` says no (exit code 1)")), "{verdict:?}");
    assert_eq!(gate(&judgement, "hook").finding, Finding::Failed);
    let asked = said.lock().unwrap().1[0].clone();
    assert_eq!(asked.facts["OUTGROW_WEIGHT"], "25");
    assert!(asked.json.contains("\"weight\":25"), "{}", asked.json);
}

#[tokio::test]
async fn a_dry_run_only_reports() {
    let gates = Gates { dry_run: true, ..Gates::default() };
    let (judgement, verdict, took) = shifted(gates).await.weather(|w| w.errors = [0, 20]).end().await;
    assert_eq!((verdict, took), (Verdict::Holds, BAKE));
    assert!(judgement.dry_run && judgement.reason.contains("the gates only report; errors failed"), "{judgement:#?}");
}

#[tokio::test]
async fn whoever_may_not_measure_is_told_before_anything_moves() {
    let world = World::new();
    world.metrics.set(|weather| weather.dark = true);
    assert!(may_measure(&world.look()).await.unwrap().is_empty(), "what is out of reach now may be there later");
    world.metrics.set(|weather| weather.denied = true);
    let found = may_measure(&world.look()).await.unwrap();
    assert!(found[0].what.contains("cannot be read") && found[0].todo.contains("cloudwatch:GetMetricData"));
}
