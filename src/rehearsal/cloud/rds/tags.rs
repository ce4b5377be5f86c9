//! Tags of database instances.

use super::super::super::state::State;
use super::super::Cloud;
use super::super::wire::operation::Output;
use super::super::wire::{ApiError, Node, refuse};
use super::instances::not_found;

/// Checks that the instance an ARN names is there.
fn named<'a>(state: &State, input: &'a Node) -> Result<&'a str, ApiError> {
    let arn = input.need("ResourceName")?;
    match arn.rsplit_once(":db:") {
        Some((_, id)) if state.databases.contains_key(id) => Ok(arn),
        Some((_, id)) => Err(not_found(id)),
        None => Err(refuse("InvalidParameterValue", format!("Unexpected ARN format: {arn}"))),
    }
}

pub(super) fn add(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    cloud.change(|state| {
        let arn = named(state, input)?.to_owned();
        let tags =
            input.items("Tags").map(|t| Ok((t.need("Key")?.to_owned(), t.get("Value").unwrap_or_default().to_owned())));
        let tags = tags.collect::<Result<Vec<_>, ApiError>>()?;
        state.tags.entry(arn).or_default().extend(tags);
        Ok(Node::default().into())
    })
}

pub(super) fn remove(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    let keys = input.texts("TagKeys");
    cloud.change(|state| {
        let arn = named(state, input)?;
        if let Some(tags) = state.tags.get_mut(arn) {
            tags.retain(|key, _| !keys.contains(key));
        }
        Ok(Node::default().into())
    })
}

pub(super) fn list(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    let state = cloud.shared().lock();
    let arn = named(&state, input)?;
    let tags = state.tags.get(arn).into_iter().flatten();
    let tags: Vec<_> = tags.map(|(k, v)| Node::default().put("Key", k).put("Value", v)).collect();
    Ok(Node::default().list("TagList", "Tag", tags).into())
}
