//! The way back: the very container from before, under its own names.

use std::time::{Duration, Instant};

use super::answers;
use super::change::AppConfigChange;
use super::state::State;
use super::swap::{GRACE, reload, stand, take_name};
use crate::step::{Act, Fault, StepResult};

/// Does it, from wherever it stands.
pub(super) async fn undo(act: &Act, change: &AppConfigChange) -> StepResult<()> {
    let host = act.reach.old.as_ref();
    let state = State::observe(host, change).await?;
    let old = state.old(change)?;
    if old.name != change.container && old.name != change.before() {
        return Err(Fault::drifted(
            "the name of the old container",
            format!("{} or {}", change.container, change.before()),
            old.name.clone(),
        ));
    }
    if let Some(new) = &state.new {
        if new.name == change.container {
            take_name(host, &new.id, &change.beside()).await?;
        }
        if change.alone && new.running {
            host.stop(&new.id, GRACE).await?;
        }
    }
    take_name(host, &old.id, &change.container).await?;
    for place in &change.networks {
        stand(host, &old.id, place).await?;
    }
    let stopped = !old.running;
    if stopped {
        host.start(&old.id).await?;
    }
    if let Some(new) = &state.new {
        if stopped {
            until_reachable(act, &old.id).await?;
            reload(act).await?;
        }
        if new.running {
            host.stop(&new.id, GRACE).await?;
        }
        reload(act).await?;
        // Last: as long as it is there, an undo that was broken off knows that it has to reload.
        host.remove(&new.id).await?;
    }
    Ok(())
}

/// Waits until the old app takes requests again. Whether it is well is not asked: before the step it may have been fenced
/// off its database, and it is to be as it was.
async fn until_reachable(act: &Act, container: &str) -> StepResult<()> {
    let started = Instant::now();
    let host = act.reach.old.as_ref();
    while started.elapsed() < Duration::from_secs(30) {
        if answers::is_reachable(&act.look, host, container).await {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    act.note("the old app was started again but does not answer yet");
    Ok(())
}
