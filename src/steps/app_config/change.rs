//! What `app-config` will alter: names, ids and redacted lines, never a value of the environment.

use serde::{Deserialize, Serialize};

use super::files::Layout;
use super::settings::edits;
use crate::clients::hosts::{Attachment, Container};
use crate::rewrite::app::Plan;
use crate::step::{Change, Look, Reversal, StepResult};

/// What `app-config` will alter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct AppConfigChange {
    /// The container's name, which the new one takes over.
    pub container: String,
    /// The old container's id.
    pub old_id: String,
    /// The run that does it.
    pub run: String,
    /// The networks the old one is on, and its names there.
    pub networks: Vec<Attachment>,
    /// Whether old and new cannot run at a time (a published port, the host's network).
    pub alone: bool,
    /// What changes in environment and files, with passwords left out. What `apply` finds must come to the same.
    pub edits: Vec<String>,
    /// What is told besides.
    pub notes: Vec<String>,
    /// Mounts that the new one gets as a copy of its own, because a changed file lies in them.
    pub copied: Vec<String>,
    /// The compose project the container belongs to.
    pub compose: Option<String>,
    /// Whether it is pointed to the pooler.
    #[serde(default)]
    pub pooled: bool,
}

impl AppConfigChange {
    pub(super) fn new(look: &Look, app: &Container, plan: &Plan, pooled: bool) -> StepResult<Self> {
        let layout = Layout::of(app, plan)?;
        Ok(Self {
            container: app.name.clone(),
            old_id: app.id.clone(),
            run: look.run.clone(),
            networks: app.networks.clone(),
            alone: !app.ports.is_empty() || app.networks.is_empty(),
            edits: edits(plan),
            notes: plan.notes.clone(),
            copied: layout.told(app),
            compose: app.labels.get("com.docker.compose.project").cloned(),
            pooled,
        })
    }

    /// The new container's name until it takes over.
    pub(super) fn beside(&self) -> String {
        format!("{}.outgrow-{}", self.container, self.run)
    }

    /// The old container's name afterwards.
    pub(super) fn before(&self) -> String {
        format!("{}.before-{}", self.container, self.run)
    }

    /// Under which names the new one is reached: the old one's, and its name, so that both are known while they swap.
    pub(super) fn wanted(&self, attachment: &Attachment) -> Vec<String> {
        if attachment.network == "bridge" {
            return Vec::new();
        }
        let mut names = attachment.aliases.clone();
        names.push(self.container.clone());
        names.sort();
        names.dedup();
        names
    }
}

impl Change for AppConfigChange {
    fn lines(&self) -> Vec<String> {
        let mut lines: Vec<String> = self.edits.iter().map(|edit| format!("~ {}: {edit}", self.container)).collect();
        lines.push(format!(
            "~ the container {} is made again with this; the old one stays, stopped, as {}",
            self.container,
            self.before()
        ));
        if self.alone {
            lines.push(format!(
                "{} publishes a port or uses the host's network: old and new cannot run at a time, so the API is away \
                 until the new one has started",
                self.container
            ));
        }
        lines.extend(self.copied.iter().map(|mount| format!("~ {mount}")));
        if let Some(project) = &self.compose {
            lines.push(format!(
                "{} belongs to the compose project {project}: change its compose or env file too, or the next \
                 `docker compose up` undoes this",
                self.container
            ));
        }
        lines.extend(self.notes.iter().cloned());
        lines
    }

    fn reversal(&self) -> Reversal {
        Reversal::Exact
    }
}
