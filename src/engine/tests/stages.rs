//! Stages that are judged: what a failed gate, an open one and a person's resume lead to, and what is on record.

use super::life::{Play, Wish};
use crate::clients::fake::metrics::Weather;
use crate::engine::Options;
use crate::engine::status::Status;
use crate::event::{Finding, Outcome};
use crate::journal::{Fact, line};
use crate::steps::testing;

async fn play(with: impl FnOnce(&mut Weather)) -> Play {
    let kind = testing::kinds().into_iter().find(|kind| kind.name == "targets and shift").unwrap();
    let (stage, steps) = (kind.set)().await;
    stage.metrics.set(with);
    Play::new(stage, steps).await
}

fn judged(play: &Play) -> Vec<(u8, Finding)> {
    let text = play.disk.lock().unwrap().clone();
    let facts = line::read(&text).unwrap().records.into_iter().map(|record| record.fact);
    let one = |fact| if let Fact::Judged { judgement, .. } = fact { Some(judgement) } else { None };
    facts.filter_map(one).map(|judgement| (judgement.weight, judgement.verdict)).collect()
}

#[tokio::test]
async fn a_stage_that_passed_is_on_record_and_says_so_once() {
    let play = play(|_| ()).await;
    assert_eq!(play.process(Wish::Forward, Options::default()).await, Some(Outcome::Done));
    let judged = judged(&play);
    assert!(judged.contains(&(25, Finding::Passed)) && judged.contains(&(100, Finding::Passed)), "{judged:?}");
    assert!(judged.len() <= 8, "every look is on record: {judged:?}");
}

#[tokio::test]
async fn a_failed_gate_takes_everything_back_and_its_figures_stay() {
    let play = play(|weather| weather.errors = [0, 50]).await;
    let start = play.stage.snapshot();
    assert_eq!(play.process(Wish::Forward, Options::default()).await, Some(Outcome::RolledBack));
    assert_eq!(play.stage.snapshot(), start);
    let state = play.state();
    assert!(state.back_because.as_ref().unwrap().contains("errors failed"), "{state:?}");
    let status = Status::of(&state, false, None);
    let (step, last) = status.stage.unwrap();
    assert_eq!((step.as_str(), last.weight, last.verdict), ("shift-targets:25", 25, Finding::Failed));
    assert!(last.samples[1] > 1000 && last.window_seconds >= 60, "{last:?}");
}

#[tokio::test]
async fn a_stage_that_nobody_can_tell_of_holds_and_has_its_patience_again_when_it_is_sent_on() {
    let play = play(|weather| weather.deaf = true).await;
    for _ in 0..2 {
        let before = play.stage.reach().clock.now();
        assert_eq!(play.process(Wish::Forward, Options::default()).await, Some(Outcome::OnHold));
        let held = play.state().held.unwrap().0;
        assert!(held.contains("the new side gets 0 of"), "{held}");
        let waited = play.stage.reach().clock.now().duration_since(before).unwrap();
        assert!(waited.as_secs() >= 300, "{waited:?}");
    }
    play.stage.metrics.set(|weather| weather.deaf = false);
    assert_eq!(play.process(Wish::Forward, Options::default()).await, Some(Outcome::Done));
}
