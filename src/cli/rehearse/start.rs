//! Starts the world as a process of its own, which outlives this one, and ends it.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde_json::json;
use tokio::io::AsyncBufReadExt as _;
use tokio::process::Command;

use crate::cli::args::Rehearse;
use crate::cli::failure::Failure;
use crate::cli::out;
use crate::cli::world::World;
use crate::rehearsal::world::control::Request;
use crate::site::Site;

/// The file that says that the world stays up afterwards.
pub const KEEP: &str = "keep";

/// The longest a world may take to come up. A copy of much data takes long; without news for so long it is stuck.
const PATIENCE: Duration = Duration::from_mins(5);

/// Writes the world's orders, starts it, and waits until it is ready.
pub async fn start(dir: &Path, id: &str, site: &Site, args: &Rehearse) -> Result<World, Failure> {
    let wrong = |what: &str, e: &dyn std::error::Error| {
        Failure::of(crate::cli::failure::Code::BadInput, format!("the rehearsal could not {what}"), e)
    };
    std::fs::create_dir_all(dir).map_err(|e| wrong("make its directory", &e))?;
    let spec = dir.join("spec.json");
    let walkers = args.visitors.div_ceil(2);
    let orders = json!({
        "id": id,
        "dir": dir,
        "site": site,
        "host-image": "outgrow-demo/host",
        "visitors": { "walkers": walkers, "mobile": args.visitors - walkers, "pause": 50 },
        "extra-names": [site.names.api_base.old.host],
        "rds-master-password-file": dir.join("rds-master"),
        "lease": 7200,
    });
    crate::plan::seal::write_whole(&spec, orders.to_string().as_bytes()).map_err(|e| wrong("write its orders", &e))?;
    if args.keep {
        std::fs::write(dir.join(KEEP), "").map_err(|e| wrong("write into its directory", &e))?;
    }
    let log_path = dir.join("world.err");
    let log = std::fs::File::create(&log_path).map_err(|e| wrong("make its log", &e))?;
    let program = std::env::current_exe().map_err(|e| wrong("find its own program", &e))?;
    let mut world = Command::new(program)
        .arg("world")
        .arg(dir)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(log)
        // A group of its own: Ctrl-C at the terminal is for the run, not for its world.
        .process_group(0)
        .spawn()
        .map_err(|e| wrong("start its world", &e))?;
    let ready = async {
        let Some(stdout) = world.stdout.take() else { return false };
        let mut lines = tokio::io::BufReader::new(stdout).lines();
        matches!(lines.next_line().await, Ok(Some(_)))
    };
    let ready = tokio::select! {
        ready = tokio::time::timeout(PATIENCE, ready) => ready.unwrap_or(false),
        () = tell(&log_path) => false,
    };
    if ready {
        return World::read(dir);
    }
    let _ = world.start_kill();
    let log = std::fs::read_to_string(&log_path).unwrap_or_default();
    let last = log.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it said nothing").to_owned();
    Err(Failure::bad_input("the rehearsal's world did not come up; the box was not touched").because(last).hint(
        format!(
            "see {}; is the demo up (scripts/demo-box up), and the image outgrow-demo/host there?",
            log_path.display()
        ),
    ))
}

/// Passes on what the world says of its own making; never ends by itself.
async fn tell(log: &Path) {
    let mut told = 0;
    loop {
        tokio::time::sleep(Duration::from_millis(200)).await;
        let text = std::fs::read_to_string(log).unwrap_or_default();
        for line in text.lines().skip(told).take_while(|_| text.ends_with('\n')) {
            out::say(&format!("  {line}"));
            told += 1;
        }
    }
}

/// Ends the world with everything in it.
pub async fn end(world: &World) {
    if let Err(failure) = world.ask(&Request::Stop).await {
        out::say(&format!("the rehearsal's world could not be ended: {}", failure.render()));
        out::say("its containers carry the label outgrow.rehearsal; the next rehearsal removes them");
    }
}

/// How to look at a world that is kept.
pub fn how_to_look(world: &World, dir: &Path) -> String {
    format!(
        "everything is kept: AWS at {} (key and secret in {}), names at {}; to end it: outgrow world --stop {}",
        world.ready.aws_endpoint,
        dir.join("world.json").display(),
        world.ready.dns,
        dir.display()
    )
}
