//! The new container, made beside the old one: same definition, new settings, none of its names.

use super::RUN_LABEL;
use super::change::AppConfigChange;
use super::files::{self, FOLDER, Layout};
use super::settings::{self, Goal, Settings, edits};
use super::state::REPLACES;
use crate::clients::hosts::Container;
use crate::rewrite::app::Plan;
use crate::step::{Act, Fault, StepResult};

/// Makes it, with its files, unless it is there and was started: then it is whole. Gives its id.
pub(super) async fn make(
    act: &Act,
    change: &AppConfigChange,
    old: &Container,
    there: Option<&Container>,
) -> StepResult<String> {
    let host = act.reach.old.as_ref();
    match there {
        Some(new) if new.running || new.name == change.container => return Ok(new.id.clone()),
        // One that does not run may lack its files: nothing is lost by making it again.
        Some(half) => host.remove(&half.id).await?,
        None => {}
    }
    let plan = planned(act, change, old).await?;
    let layout = Layout::of(old, &plan)?;
    let id = host.create(&definition(act, change, old, &plan, &layout)).await?;
    for folder in &layout.folders {
        files::copy((host, &old.id), (host, &id), folder, FOLDER, |_| ()).await?;
    }
    for path in &act.look.site.old.app.files {
        if let Some(file) = plan.files.iter().find(|file| file.path == *path) {
            files::put_file((host, &old.id), (host, &id), path, file.new_text.as_bytes()).await?;
        } else if !files::is_mounted(&layout.mounts, path) {
            // Unchanged, but perhaps not as the image has it.
            files::copy((host, &old.id), (host, &id), path, FOLDER, |_| ()).await?;
        }
    }
    Ok(id)
}

/// The rewriting as it comes out now; it must be the one that was shown and agreed to.
async fn planned(act: &Act, change: &AppConfigChange, old: &Container) -> StepResult<Plan> {
    let expected = change.edits.join("; ");
    let goal = if change.pooled { Goal::Pooler } else { Goal::New };
    match settings::observe(&act.look, act.reach.old.as_ref(), old, goal).await? {
        Settings::Change(plan) if edits(&plan) == change.edits => Ok(plan),
        Settings::Change(plan) => {
            Err(Fault::drifted(format!("the configuration of {}", old.name), expected, edits(&plan).join("; ")))
        }
        Settings::AlreadySo => {
            Err(Fault::drifted(format!("the configuration of {}", old.name), expected, "nothing to change"))
        }
    }
}

fn definition(act: &Act, change: &AppConfigChange, old: &Container, plan: &Plan, layout: &Layout) -> Container {
    let mut new = old.clone();
    new.name = change.beside();
    new.env = settings::with_env(&old.env, plan);
    new.mounts.clone_from(&layout.mounts);
    for place in &mut new.networks {
        place.aliases.clear();
        place.address.clear();
    }
    new.labels.insert(RUN_LABEL.to_owned(), change.run.clone());
    new.labels.insert(REPLACES.to_owned(), change.old_id.clone());
    new.labels.insert("outgrow.epoch".to_owned(), act.epoch.to_string());
    new
}
