//! Step `app-config`: the app on the box is told of the new database, or of the pooler before both, and of the site's
//! origins.
//!
//! A container's environment cannot be changed, so it is made again beside the old one, checked there, and only then
//! takes the old one's names; the old one stays, stopped, and *is* the undo. Where a run stands is read from names,
//! labels and ids, never remembered.

mod answers;
mod beside;
mod change;
mod files;
mod preflight;
mod settings;
mod state;
mod swap;
#[cfg(test)]
pub(crate) mod tests;
mod undo;

use std::time::Duration;

use serde::{Deserialize, Serialize};

pub(in crate::steps) use answers::{Health, allows, api_path, last_words, late, preflight as cors, probe, proxied};
pub use change::AppConfigChange;
pub(in crate::steps) use files::{copy, is_mounted, put_file};
pub(in crate::steps) use preflight::own_files;
pub(in crate::steps) use settings::{Goal, NO_POOLER, Settings, edits, no_pooler, observe, with_env};
pub(in crate::steps) use state::REPLACES;

use crate::clients::hosts::Container;
use crate::step::{Act, Fault, Finding, Look, Planned, Step, StepResult, Verdict};
use crate::world::{Side, Way, World};
use state::State;

/// Until an app that was started must answer.
pub(in crate::steps) const START: Duration = Duration::from_mins(1);
/// The label that names the run a container, network or image belongs to.
pub(in crate::steps) const RUN_LABEL: &str = "outgrow.run";

/// The step. What it writes is in the site.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct AppConfig {
    /// Whether the app is pointed to the pooler, which sends it to whichever database takes the writes.
    #[serde(default)]
    pub pooled: bool,
}

impl AppConfig {
    fn goal(&self) -> Goal {
        if self.pooled { Goal::Pooler } else { Goal::New }
    }
}

impl Step for AppConfig {
    const KIND: &'static str = "app-config";
    type Change = AppConfigChange;

    fn title(&self) -> String {
        let to = if self.pooled { "pooler" } else { "new database" };
        format!("point the box's app to the {to}")
    }

    fn explain(&self) -> String {
        if self.pooled {
            return "The app server on the box gets the pooler's name for its database's and the site's origins in its \
                    environment and its configuration files. Its container is made again beside the old one, checked \
                    through the pooler while the old database goes on as before, and then swapped in; the old one stays, \
                    stopped, to go back to."
                .to_owned();
        }
        "The app server on the box gets the new database's address and the site's origins in its environment and its \
         configuration files. Its container is made again beside the old one, checked, and then swapped in; the old \
         one stays, stopped, to go back to."
            .to_owned()
    }

    fn model(&self, world: &mut World) {
        world.old_app = if self.pooled { Way::Pooler } else { Way::Straight(Side::New) };
    }

    /// Half-way, no app may be running at all.
    fn may_be_broken_off(&self) -> bool {
        false
    }

    async fn check(&self, look: &Look) -> StepResult<Vec<Finding>> {
        preflight::check(look, self.goal()).await
    }

    async fn plan(&self, look: &Look) -> StepResult<Planned<AppConfigChange>> {
        let app = app(look).await?;
        match observe(look, look.old.as_ref(), &app, self.goal()).await? {
            Settings::AlreadySo => Ok(Planned::AlreadySo),
            Settings::Change(plan) => {
                if !app.running {
                    return Err(Fault::failed_with(
                        format!("the container {} does not run", app.name),
                        "start it, so that it can be seen to work before it is changed",
                    ));
                }
                Ok(Planned::Change(AppConfigChange::new(look, &app, &plan, self.pooled)?))
            }
        }
    }

    async fn apply(&self, act: &Act, change: &AppConfigChange) -> StepResult<()> {
        swap::apply(act, change).await
    }

    async fn verify(&self, look: &Look, change: &AppConfigChange) -> StepResult<Verdict> {
        let state = State::observe(look.old.as_ref(), change).await?;
        let Some(new) = state.new.filter(|new| new.name == change.container) else {
            return Ok(Verdict::Drifted(format!("{} is not the container this run made", change.container)));
        };
        if !new.running {
            let logs = last_words(look.old.as_ref(), &new.id).await;
            return Ok(Verdict::Broken(format!("the container {} does not run{logs}", new.name)));
        }
        if let Settings::Change(plan) = observe(look, look.old.as_ref(), &new, self.goal()).await? {
            return Ok(Verdict::Drifted(format!("{} is configured otherwise: {}", new.name, edits(&plan).join("; "))));
        }
        let why = match answers::health(look, look.old.as_ref(), &new.id).await?.but_not_closed(self.pooled) {
            Health::Down(why) => why,
            Health::Up | Health::Closed => {
                match proxied(look, look.site.old.address).await?.but_not_closed(self.pooled) {
                    Health::Down(why) => format!("through the proxy: {why}"),
                    Health::Up | Health::Closed => {
                        match answers::origins_allowed(look, look.old.as_ref(), &new.id).await {
                            Ok(()) => return Ok(Verdict::Holds),
                            Err(fault) => return Ok(Verdict::Broken(fault.to_string())),
                        }
                    }
                }
            }
        };
        if late(look) {
            let logs = last_words(look.old.as_ref(), &new.id).await;
            return Ok(Verdict::Broken(format!("{why}{logs}")));
        }
        Ok(Verdict::Wait { why, again_in: Duration::from_secs(1) })
    }

    async fn undo(&self, act: &Act, change: &AppConfigChange) -> StepResult<()> {
        undo::undo(act, change).await
    }
}

/// The app's container on the box, as it is now.
pub(in crate::steps) async fn app(look: &Look) -> StepResult<Container> {
    let name = &look.site.old.app.container;
    look.old.container(name).await?.ok_or_else(|| {
        Fault::failed_with(
            format!("there is no container {name} on {}", look.old.address()),
            "correct `box.app.container` in the site file",
        )
    })
}
