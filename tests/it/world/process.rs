//! A world in a process of its own: this very test binary, asked to run one.

use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Stdio;

use outgrow::rehearsal::world::{Progress, Spec, run};
use tokio::process::Child;

use super::command;

/// What stands before the line that says the world is up.
pub const READY: &str = "ready: ";
const SPEC: &str = "OUTGROW_TEST_WORLD";

/// Starts it in a process group of its own, as `rehearse` does.
pub fn spawn(spec: &Spec, dir: &Path) -> Child {
    let path = dir.join("spec.json");
    std::fs::write(&path, serde_json::to_vec(spec).unwrap()).unwrap();
    let mut command = command("world::process::a_world");
    command.env(SPEC, path).stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true);
    command.as_std_mut().process_group(0);
    command.spawn().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "not a test: the process that the tests beside it start"]
async fn a_world() {
    let Some(spec) = std::env::var_os(SPEC) else { return };
    let spec = Spec::read(Path::new(&spec)).unwrap();
    let log = std::fs::File::create(spec.dir.with_extension("log")).unwrap();
    let _ = tracing_subscriber::fmt().with_writer(std::sync::Mutex::new(log)).with_ansi(false).try_init();
    let progress = Progress::new(|line| eprintln!("{line}"));
    run(spec, progress, |ready| println!("\n{READY}{}", serde_json::to_string(ready).unwrap())).await.unwrap();
}
