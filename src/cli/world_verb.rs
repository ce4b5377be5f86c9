//! `outgrow world`, hidden: the other process of a rehearsal, see [`crate::rehearsal::world`].

use std::fs::OpenOptions;
use std::io::{Write as _, stderr, stdout};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;

use tracing_subscriber::EnvFilter;

use super::args::World;
use super::failure::{Failure, Outcome};
use crate::rehearsal::world::control::Request;
use crate::rehearsal::world::{self as rehearsed, Progress, Ready, Spec, WorldError};

/// `outgrow world`.
pub async fn world(args: &World) -> Outcome {
    let failed = |e: WorldError| Failure::bad_input(e.to_string());
    match &args.dir {
        None => clean().await.map_err(failed)?,
        Some(dir) if args.stop => stop(dir).await?,
        Some(dir) => run(dir.join("spec.json")).await.map_err(failed)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// `outgrow world --stop`: ends a world that was kept.
async fn stop(dir: &Path) -> Result<(), Failure> {
    super::world::World::read(dir)?.ask(&Request::Stop).await.map(|_| ())
}

/// Runs a world from its specification until it is told to end. One JSON line on standard output says that it is up;
/// what it is doing goes to standard error and, with more detail, to `world.log` in its directory.
pub async fn run(spec: PathBuf) -> Result<(), WorldError> {
    let spec = Spec::read(&spec)?;
    log_to(&spec.dir)?;
    rehearsed::run(spec, Progress::new(say), told).await
}

/// `outgrow world` without a directory: removes what killed worlds left behind.
pub async fn clean() -> Result<(), WorldError> {
    for id in rehearsed::clean().await? {
        say(&format!("removed what the rehearsal {id} had left behind"));
    }
    Ok(())
}

/// Nobody may be listening any more: the parent can die before its world.
fn say(line: &str) {
    let _ = writeln!(stderr(), "{line}");
}

fn told(ready: &Ready) {
    if let Ok(line) = serde_json::to_string(ready) {
        let mut out = stdout().lock();
        let _ = writeln!(out, "{line}").and_then(|()| out.flush());
    }
}

fn log_to(dir: &Path) -> Result<(), WorldError> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(WorldError::file("make", dir))?;
    let path = dir.join("world.log");
    let file = OpenOptions::new().append(true).create(true).mode(0o600).open(&path);
    let file = file.map_err(WorldError::file("write", &path))?;
    let wanted = EnvFilter::try_from_env("OUTGROW_LOG").unwrap_or_else(|_| EnvFilter::new("warn,outgrow=info"));
    let log = tracing_subscriber::fmt().with_writer(Mutex::new(file)).with_ansi(false).with_env_filter(wanted);
    // One that is set already, as in a test, stays.
    let _ = log.try_init();
    Ok(())
}
