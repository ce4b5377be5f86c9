//! APIs whose answers lag behind what they were told.

use std::time::Duration;

use super::life::{Play, Wish};
use crate::engine::Options;
use crate::event::Outcome;
use crate::steps::testing;

async fn play(lag: u64) -> Play {
    let kind = testing::kinds().into_iter().find(|kind| kind.name == "targets and shift").unwrap();
    let (stage, steps) = (kind.set)().await;
    stage.balancer.lag(&stage.clock, Duration::from_secs(lag));
    Play::new(stage, steps).await
}

#[tokio::test]
async fn a_move_goes_on_though_what_was_changed_does_not_show_yet() {
    let play = play(10).await;
    assert_eq!(play.process(Wish::Forward, Options::default()).await, Some(Outcome::Done));
}

#[tokio::test]
async fn an_undo_right_after_the_change_leaves_nothing_behind() {
    for at in ["targets", "shift-targets:25", "shift-targets:100"] {
        let play = play(10).await;
        let start = play.stage.snapshot();
        let options = Options { fail_at: Some(at.to_owned()), ..Options::default() };
        assert_eq!(play.process(Wish::Forward, options).await, Some(Outcome::RolledBack), "{at}");
        assert_eq!(play.stage.snapshot(), start, "{at}");
    }
}
