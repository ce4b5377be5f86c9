//! Tags of hosted zones and health checks.

use super::super::super::state::State;
use super::super::Cloud;
use super::super::wire::operation::Output;
use super::super::wire::{ApiError, Node};
use super::input::{at_most, invalid, need, one_of};
use super::{bare, checks, within_rate, zones};

/// Tags of a thing, and things of a request, at most.
const MOST: usize = 10;

/// The kind and the id of a tagged thing that is there.
fn thing<'a>(state: &State, kind: &'a str, id: &'a str) -> Result<(&'a str, &'a str), ApiError> {
    let kind = one_of(kind, "resourceType", &["healthcheck", "hostedzone"])?;
    let id = bare(id);
    match kind {
        "hostedzone" => zones::zone(state, id).map(drop)?,
        _ => checks::check(state, id).map(drop)?,
    }
    Ok((kind, id))
}

fn describe(state: &State, (kind, id): (&str, &str)) -> Node {
    let tags = state.tags.get(id).into_iter().flatten();
    let tags = tags.map(|(key, value)| Node::new("Tag").put("Key", key).put("Value", value));
    Node::new("ResourceTagSet").put("ResourceType", kind).put("ResourceId", id).list("Tags", "Tag", tags)
}

pub(super) fn list(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    within_rate(cloud)?;
    let state = cloud.shared().lock();
    let thing = thing(&state, need(input, "ResourceType")?, need(input, "ResourceId")?)?;
    Ok(Node::new("ListTagsForResourceResponse").with(describe(&state, thing)).into())
}

pub(super) fn list_many(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    within_rate(cloud)?;
    let (kind, ids) = (need(input, "ResourceType")?, input.texts("ResourceIds"));
    if ids.is_empty() || ids.len() > MOST {
        return Err(invalid(format!("Between 1 and {MOST} resource ids can be asked for, not {}", ids.len())));
    }
    let state = cloud.shared().lock();
    let sets = ids.iter().map(|id| Ok(describe(&state, thing(&state, kind, id)?)));
    let sets = sets.collect::<Result<Vec<_>, ApiError>>()?;
    Ok(Node::new("ListTagsForResourcesResponse").list("ResourceTagSets", "ResourceTagSet", sets).into())
}

pub(super) fn change(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    within_rate(cloud)?;
    let mut add = Vec::new();
    for tag in input.items("AddTags") {
        let key = at_most(need(tag, "Key")?, "addTags.member.key", 128)?;
        add.push((
            key.to_owned(),
            at_most(tag.get("Value").unwrap_or_default(), "addTags.member.value", 256)?.to_owned(),
        ));
    }
    let remove = input.texts("RemoveTagKeys");
    if add.is_empty() && remove.is_empty() {
        return Err(invalid("At least one of AddTags and RemoveTagKeys must be given"));
    }
    if remove.iter().any(|key| add.iter().any(|(added, _)| added == key)) {
        return Err(invalid("A tag cannot be added and removed in one request"));
    }
    cloud.change(|state| {
        let (_, id) = thing(state, need(input, "ResourceType")?, need(input, "ResourceId")?)?;
        let mut tags = state.tags.get(id).cloned().unwrap_or_default();
        tags.retain(|key, _| !remove.contains(key));
        tags.extend(add);
        if tags.len() > MOST {
            return Err(invalid(format!("A resource can have {MOST} tags at most")));
        }
        state.tags.insert(id.to_owned(), tags);
        Ok(Node::new("ChangeTagsForResourceResponse").into())
    })
}
