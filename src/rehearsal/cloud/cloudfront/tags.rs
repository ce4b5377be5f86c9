//! Tags of distributions.

use std::collections::BTreeMap;

use super::super::super::state::State;
use super::super::Cloud;
use super::super::wire::operation::Output;
use super::super::wire::{ApiError, Node, refuse};
use super::{distributions, gone, invalid};

/// Source: CloudFront guide, tagging-basics.
const MOST: usize = 50;

/// The tags of a list, their lengths checked.
pub(super) fn read(tags: Option<&Node>) -> Result<Vec<(String, String)>, ApiError> {
    let mut read = Vec::new();
    for tag in tags.into_iter().flat_map(|t| t.items("Items")) {
        let (key, value) = (tag.get("Key").unwrap_or_default(), tag.get("Value").unwrap_or_default());
        let too_long = key.chars().count() > 128 || value.chars().count() > 256;
        if key.is_empty() || too_long || key.to_ascii_lowercase().starts_with("aws:") {
            return Err(refuse("InvalidTagging", format!("The tagging specified is not valid: {key}")));
        }
        read.push((key.to_owned(), value.to_owned()));
    }
    Ok(read)
}

fn resource(state: &State, input: &Node) -> Result<String, ApiError> {
    let arn = input.get("Resource").unwrap_or_default();
    let Some(id) = arn.strip_prefix(&distributions::arn("")) else {
        return Err(invalid(format!("The parameter Resource is not the ARN of a distribution: {arn}")));
    };
    let missing = |_| refuse("NoSuchResource", "The specified resource does not exist.").status(404);
    distributions::find(state, id).map(|_| arn.to_owned()).map_err(missing)
}

pub(super) fn list(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    let state = cloud.shared().lock();
    let arn = resource(&state, input)?;
    let none = BTreeMap::new();
    let tags = state.tags.get(&arn).unwrap_or(&none).iter();
    let tags = tags.map(|(key, value)| Node::new("Tag").put("Key", key).put("Value", value));
    Ok(Node::new("Tags").list("Items", "Tag", tags).into())
}

pub(super) fn tag(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    let tags = read(Some(input))?;
    cloud.change(|state| {
        let arn = resource(state, input)?;
        let mut all = state.tags.get(&arn).cloned().unwrap_or_default();
        all.extend(tags);
        if all.len() > MOST {
            return Err(refuse("InvalidTagging", format!("A resource may have {MOST} tags.")));
        }
        state.tags.insert(arn, all);
        Ok(gone())
    })
}

pub(super) fn untag(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    let keys = input.texts("Items");
    cloud.change(|state| {
        let arn = resource(state, input)?;
        if let Some(tags) = state.tags.get_mut(&arn) {
            tags.retain(|key, _| !keys.contains(key));
        }
        Ok(gone())
    })
}
