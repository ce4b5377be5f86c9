//! Where a run stands, read from names, labels and ids.

use super::RUN_LABEL;
use super::change::AppConfigChange;
use crate::clients::hosts::{Container, HostRead};
use crate::step::{Fault, StepResult};

/// Says of a container which one it replaces.
pub(in crate::steps) const REPLACES: &str = "outgrow.replaces";

/// The containers in question.
pub(super) struct State {
    /// The very container from before.
    pub old: Option<Container>,
    /// The one this run made.
    pub new: Option<Container>,
}

impl State {
    /// Looks. A third container under the name is drift: somebody made the app again meanwhile.
    pub(super) async fn observe(host: &dyn HostRead, change: &AppConfigChange) -> StepResult<Self> {
        let all = host.containers().await?;
        let ours = |c: &&Container| {
            c.labels.get(RUN_LABEL) == Some(&change.run) && c.labels.get(REPLACES) == Some(&change.old_id)
        };
        let state =
            Self { old: all.iter().find(|c| c.id == change.old_id).cloned(), new: all.iter().find(ours).cloned() };
        let known = |c: &Container| [&state.old, &state.new].into_iter().flatten().any(|k| k.id == c.id);
        match all.iter().find(|c| c.name == change.container && !known(c)) {
            Some(other) => Err(Fault::drifted(
                format!("the container {}", change.container),
                format!("the container {}, or the one made for it", short(&change.old_id)),
                format!("another one, {}", short(&other.id)),
            )),
            None => Ok(state),
        }
    }

    /// The old container; without it there is neither a way on nor a way back.
    pub(super) fn old(&self, change: &AppConfigChange) -> StepResult<&Container> {
        self.old.as_ref().ok_or_else(|| {
            Fault::drifted(
                format!("the container {}", change.container),
                format!("the container {} to be there", short(&change.old_id)),
                "it was removed".to_owned(),
            )
        })
    }
}

fn short(id: &str) -> &str {
    id.get(..12).unwrap_or(id)
}
