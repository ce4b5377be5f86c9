//! Changes: PENDING until the rehearsal's clock says that every authoritative server has them (law R7).

use super::super::super::state::State;
use super::super::wire::operation::Output;
use super::super::wire::{ApiError, Node, refuse};
use super::super::{Cloud, fresh};
use super::input::need;
use super::{bare, within_rate};

/// Notes a new change and describes it.
pub(super) fn begin(cloud: &Cloud, state: &mut State, comment: Option<&str>) -> Node {
    let id = format!("C{}", fresh().to_uppercase());
    let due = cloud.shared().clock.now() + cloud.settings().insync_after;
    state.changes.insert(id.clone(), due);
    if let Some(comment) = comment {
        state.facts.entry(id.clone()).or_default().insert("comment".into(), comment.into());
    }
    describe(cloud, state, &id, due)
}

fn describe(cloud: &Cloud, state: &State, id: &str, due: std::time::SystemTime) -> Node {
    let status = if cloud.shared().clock.now() >= due { "INSYNC" } else { "PENDING" };
    Node::new("ChangeInfo")
        .put("Id", format!("/change/{id}"))
        .put("Status", status)
        .put("SubmittedAt", due - cloud.settings().insync_after)
        .put_some("Comment", state.facts.get(id).and_then(|facts| facts.get("comment")))
}

pub(super) fn get(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    within_rate(cloud)?;
    let id = bare(need(input, "Id")?);
    let state = cloud.shared().lock();
    let missing = || refuse("NoSuchChange", format!("Could not find resource with ID: {id}")).status(404);
    let due = state.changes.get(id).copied().ok_or_else(missing)?;
    Ok(Node::new("GetChangeResponse").with(describe(cloud, &state, id, due)).into())
}
