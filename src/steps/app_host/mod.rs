//! Step `app-host`: the app, its pages' container and the proxy go from the box's engine to a new host's, images and
//! files streamed from engine to engine, and start there with the new database's address.
//!
//! The proxy's configuration names the containers behind it, so all three go, with their names in their network.

mod bring;
mod change;
mod mounts;
mod observe;
mod preflight;
#[cfg(test)]
pub(crate) mod tests;

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use change::{AppHostChange, Brought, How, Moved, Placed};

use super::app_config::{self, Health, RUN_LABEL};
use crate::clients::hosts::HostRead;
use crate::step::{Act, Fault, Finding, Look, Planned, Step, StepResult, Verdict};
use crate::world::{Side, Way, World};

/// The step for one new host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct AppHost {
    /// The host's name in the site file.
    pub name: String,
}

/// One step for every new host of the site.
pub fn expand(look: &Look) -> Vec<AppHost> {
    look.site.app.hosts.iter().map(|host| AppHost { name: host.name.clone() }).collect()
}

impl AppHost {
    /// Its place in the site file.
    fn place<'s>(&self, look: &'s Look) -> StepResult<&'s crate::site::AppHost> {
        let found = look.site.app.hosts.iter().find(|host| host.name == self.name);
        found.ok_or_else(|| Fault::failed(format!("the site file has no app host {} any more", self.name)))
    }

    /// Its engine.
    fn engine(&self, look: &Look) -> StepResult<Arc<dyn HostRead>> {
        look.hosts.get(&self.name).cloned().ok_or_else(|| Fault::failed(format!("no engine of {} is known", self.name)))
    }
}

impl Step for AppHost {
    const KIND: &'static str = "app-host";
    type Change = AppHostChange;

    fn id(&self) -> String {
        format!("{}:{}", Self::KIND, self.name)
    }

    fn title(&self) -> String {
        format!("set up the app on {}", self.name)
    }

    fn explain(&self) -> String {
        format!(
            "The app and its proxy are brought from the box to {} as they are, images and files straight from engine to \
             engine, and started there with the new database's address. Nobody is sent there yet.",
            self.name
        )
    }

    fn model(&self, world: &mut World) {
        world.new_app = Some(Way::Straight(Side::New));
    }

    async fn check(&self, look: &Look) -> StepResult<Vec<Finding>> {
        preflight::check(self, look).await
    }

    async fn plan(&self, look: &Look) -> StepResult<Planned<AppHostChange>> {
        let change = observe::change(self, look).await?;
        let engine = self.engine(look)?;
        for moved in &change.containers {
            let there = engine.container(&moved.name).await?;
            if !there.is_some_and(|c| c.running && c.labels.contains_key(RUN_LABEL)) {
                return Ok(Planned::Change(change));
            }
        }
        // All are there, put there by a run: configured as they should be?
        let app = engine.container(&look.site.old.app.container).await?;
        if let Some(app) = app
            && let Ok(app_config::Settings::AlreadySo) =
                app_config::observe(look, engine.as_ref(), &app, app_config::Goal::New).await
        {
            return Ok(Planned::AlreadySo);
        }
        Ok(Planned::Change(change))
    }

    async fn apply(&self, act: &Act, change: &AppHostChange) -> StepResult<()> {
        bring::apply(self, act, change).await
    }

    async fn verify(&self, look: &Look, change: &AppHostChange) -> StepResult<Verdict> {
        let engine = self.engine(look)?;
        for moved in &change.containers {
            match engine.container(&moved.name).await? {
                Some(there) if there.labels.get(RUN_LABEL) != Some(&change.run) => {
                    return Ok(Verdict::Drifted(format!("{} on {} was not made by this run", moved.name, self.name)));
                }
                Some(there) if there.running => {}
                Some(there) => {
                    let logs = app_config::last_words(engine.as_ref(), &there.id).await;
                    return Ok(Verdict::Broken(format!("{} on {} does not run{logs}", moved.name, self.name)));
                }
                None => return Ok(Verdict::Drifted(format!("{} on {} is gone", moved.name, self.name))),
            }
        }
        let address = self.place(look)?.address;
        match app_config::proxied(look, address).await? {
            Health::Up | Health::Closed => {}
            Health::Down(why) if app_config::late(look) => {
                let mut why = format!("{} does not answer: {why}", self.name);
                for moved in &change.containers {
                    why.push_str(&app_config::last_words(engine.as_ref(), &moved.name).await);
                }
                return Ok(Verdict::Broken(why));
            }
            Health::Down(why) => return Ok(Verdict::Wait { why, again_in: Duration::from_secs(1) }),
        }
        for origin in look.site.page_origins() {
            let path = app_config::api_path(look);
            let probe = app_config::probe(look, address, "OPTIONS", &path, &app_config::cors(&origin));
            match look.web.send(&probe).await {
                Ok(answer) => {
                    if let Err(fault) = app_config::allows(&answer, &origin) {
                        return Ok(Verdict::Broken(fault.to_string()));
                    }
                }
                Err(e) => return Ok(Verdict::Wait { why: e.to_string(), again_in: Duration::from_secs(1) }),
            }
        }
        Ok(Verdict::Holds)
    }

    async fn undo(&self, act: &Act, change: &AppHostChange) -> StepResult<()> {
        bring::undo(self, act, change).await
    }
}
