//! How a world ends: not with its parent's terminal, by a signal, and by another's start when it was killed.

use std::process::Command;
use std::time::Duration;

use outgrow::rehearsal::world::control::Request;
use outgrow::rehearsal::world::{Progress, Spec, clean, run};

use super::{Here, id, labelled, spec, the_box};

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_world_is_cleared_away_and_a_terminated_one_clears_itself_away() {
    let before = the_box();
    let mut here = Here::start(&id("ends")).await;
    let pid = here.ready.pid.to_string();
    signal("HUP", &pid);
    assert_eq!(here.ask(Request::Status).await["id"], id("ends").as_str(), "a hangup is not its end");
    // While it lives, nobody takes its id or its things away.
    let taken = run(again(&here), Progress::new(|_| {}), |_| panic!("two worlds of one id")).await;
    assert!(taken.unwrap_err().to_string().contains("under way"));
    assert!(!clean().await.unwrap().contains(&id("ends")));
    signal("KILL", &pid);
    here.child.wait().await.unwrap();
    assert!(labelled(&id("ends")).len() > 6, "a killed world leaves its things");
    // Others may clear it away first.
    let _ = clean().await.unwrap();
    assert_eq!(labelled(&id("ends")), Vec::<String>::new());

    let dir = tempfile::tempdir().unwrap();
    let mut early = super::process::spawn(&spec(&id("early"), dir.path()), dir.path());
    let began = async {
        while labelled(&id("early")).len() < 3 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), began).await.expect("it begins");
    signal("TERM", &early.id().unwrap().to_string());
    let ended = tokio::time::timeout(Duration::from_mins(1), early.wait()).await;
    assert!(ended.expect("it ends").unwrap().success());
    assert_eq!(labelled(&id("early")), Vec::<String>::new(), "ended half way up, nothing stays");
    assert_eq!(the_box(), before);
}

fn again(here: &Here) -> Spec {
    let dir = here.dir.path().join("again");
    std::fs::create_dir_all(&dir).unwrap();
    spec(&id("ends"), &dir)
}

fn signal(name: &str, pid: &str) {
    assert!(Command::new("kill").args(["-s", name, pid]).status().unwrap().success());
}
