//! What a person at the lever can do, and a failing disk.

use super::life::{Play, Wish};
use crate::clients::fake::stage::Stage;
use crate::engine::Options;
use crate::engine::control::{Command, Lever};
use crate::event::Outcome;
use crate::steps::testing;

async fn play() -> Play {
    Play::new(Stage::new(), testing::database(false)).await
}

#[tokio::test]
async fn a_pause_holds_and_resume_goes_on() {
    let play = play().await;
    let lever = Lever::default();
    lever.pull(Command::Pause);
    assert_eq!(play.live(Wish::Forward, Options::default(), lever).await, Some(Outcome::OnHold));
    assert!(play.state().held.is_some());
    assert_eq!(play.process(Wish::Forward, Options::default()).await, Some(Outcome::Done));
}

#[tokio::test]
async fn an_abort_takes_everything_back_and_outlasts_a_pause() {
    let play = play().await;
    let start = play.stage.snapshot();
    let lever = Lever::default();
    lever.pull(Command::Abort);
    lever.pull(Command::Pause);
    assert_eq!(play.live(Wish::Forward, Options::default(), lever).await, Some(Outcome::RolledBack));
    assert_eq!(play.stage.snapshot(), start);
}

#[tokio::test]
async fn a_failure_can_hold_instead_and_be_taken_back_later() {
    let play = play().await;
    let start = play.stage.snapshot();
    let options =
        Options { hold_on_failure: true, fail_at: Some("database-handover".to_owned()), ..Options::default() };
    assert_eq!(play.process(Wish::Forward, options).await, Some(Outcome::OnHold));
    assert_eq!(play.process(Wish::Back, Options::default()).await, Some(Outcome::RolledBack));
    assert_eq!(play.stage.snapshot(), start);
}

#[tokio::test]
async fn writes_on_the_new_side_are_carried_back_by_a_rollback() {
    for follow in [false, true] {
        let play = Play::new(Stage::new(), testing::database(follow)).await;
        assert_eq!(play.process(Wish::Forward, Options::default()).await, Some(Outcome::Done));
        assert!(!play.stage.databases.app_writes(crate::world::Side::Old, 98), "the old side is fenced");
        assert!(play.stage.databases.app_writes(crate::world::Side::New, 99));
        assert_eq!(play.process(Wish::Back, Options::default()).await, Some(Outcome::RolledBack));
        let both = play.stage.databases.snapshot();
        assert!(both.old.tables["public.orders"].contains(&99), "an acknowledged write was lost");
        assert!(both.new.tables.is_empty() && both.stream.is_none());
    }
}
