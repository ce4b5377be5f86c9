//! Tags: at creation, afterwards, and described.

use std::collections::BTreeMap;

use super::kind::Kind;
use super::{Answer, ApiError, Cloud, Node, State, alter, done, filter, need, page, refuse, view};

type Tags = BTreeMap<String, String>;

/// Everything that can have tags.
const TAGGED: &[&Kind] = &[
    &super::vpcs::KIND,
    &super::subnets::KIND,
    &super::groups::KIND,
    &super::rules::KIND,
    &super::acls::KIND,
    &super::route_tables::KIND,
    &super::gateways::KIND,
    &super::nat::KIND,
    &super::addresses::KIND,
    &super::interfaces::KIND,
    &super::instances::KIND,
    &super::keys::KIND,
];

fn read(input: &Node) -> Result<Tags, ApiError> {
    let mut tags = Tags::new();
    for tag in input.all("Tag") {
        let (key, value) = (need(tag, "Key")?.to_owned(), tag.get("Value").unwrap_or_default().to_owned());
        if key.chars().count() > 128 {
            return Err(refuse("InvalidParameterValue", "Tag key exceeds the maximum length of 128 characters"));
        }
        if value.chars().count() > 256 {
            return Err(refuse("InvalidParameterValue", "Tag value exceeds the maximum length of 256 characters"));
        }
        if key.to_ascii_lowercase().starts_with("aws:") {
            let why = format!(
                "Value ( {key} ) for parameter key is invalid. Tag keys starting with 'aws:' are reserved for internal use"
            );
            return Err(refuse("InvalidParameterValue", why));
        }
        if tags.insert(key.clone(), value).is_some() {
            return Err(refuse("InvalidParameterValue", format!("Duplicate tag key '{key}' specified.")));
        }
    }
    Ok(tags)
}

fn put(state: &mut State, id: &str, tags: Tags) -> Result<(), ApiError> {
    let own = state.tags.entry(id.to_owned()).or_default();
    own.extend(tags);
    if own.len() > 50 {
        return Err(refuse("TagLimitExceeded", "The maximum number of Tags for a resource has been reached."));
    }
    Ok(())
}

/// Refuses tag specifications of other types than what an operation makes.
pub(super) fn only(input: &Node, types: &[&str]) -> Result<(), ApiError> {
    for spec in input.all("TagSpecification") {
        let kind = need(spec, "ResourceType")?;
        if !types.contains(&kind) {
            let why = format!("'{kind}' is not a valid taggable resource type for this operation.");
            return Err(refuse("InvalidParameterValue", why));
        }
        read(spec)?;
    }
    Ok(())
}

/// Gives something new the tags that a request specifies for its type.
pub(super) fn tag(state: &mut State, input: &Node, kind: &str, id: &str) -> Result<(), ApiError> {
    for spec in input.all("TagSpecification").filter(|s| s.get("ResourceType") == Some(kind)) {
        put(state, id, read(spec)?)?;
    }
    Ok(())
}

/// As [`tag`], for an operation that makes one kind of thing only.
pub(super) fn at_birth(state: &mut State, input: &Node, kind: &Kind, id: &str) -> Result<(), ApiError> {
    only(input, &[kind.name])?;
    tag(state, input, kind.name, id)
}

fn there(state: &State, id: &str) -> Result<&'static Kind, ApiError> {
    // The longest prefix: `eipalloc-` is no `eip-`, and `sgr-` no `sg-`.
    let kind = TAGGED.iter().filter(|kind| id.starts_with(kind.prefix)).max_by_key(|kind| kind.prefix.len());
    let kind = kind.ok_or_else(|| refuse("InvalidID", format!("The ID '{id}' is not valid")))?;
    if kind.holds(state, id) { Ok(kind) } else { Err(kind.not_found(id)) }
}

fn resources(input: &Node) -> Result<Vec<String>, ApiError> {
    let ids = super::texts(input, "ResourceId");
    if ids.is_empty() { Err(super::missing("resourceIdSet")) } else { Ok(ids) }
}

pub(super) fn create(cloud: &Cloud, input: &Node) -> Answer {
    let (ids, tags) = (resources(input)?, read(input)?);
    if tags.is_empty() {
        return Err(super::missing("tagSet"));
    }
    alter(cloud, input, |state| {
        for id in &ids {
            there(state, id)?;
            put(state, id, tags.clone())?;
        }
        Ok(done())
    })
}

pub(super) fn delete(cloud: &Cloud, input: &Node) -> Answer {
    let ids = resources(input)?;
    alter(cloud, input, |state| {
        for id in &ids {
            there(state, id)?;
            let own = state.tags.entry(id.clone()).or_default();
            if input.all("Tag").next().is_none() {
                own.clear();
            }
            for tag in input.all("Tag") {
                // With a value, only that very tag goes (EC2 API: DeleteTags).
                let (key, value) = (need(tag, "Key")?, tag.child("Value").map(|v| v.text.as_str()));
                own.retain(|k, v| k != key || value.is_some_and(|value| value != v));
            }
        }
        Ok(done())
    })
}

const FILTERS: &[(&str, &str)] =
    &[("resource-id", "resourceId"), ("resource-type", "resourceType"), ("key", "key"), ("value", "value")];

pub(super) fn describe(cloud: &Cloud, input: &Node) -> Answer {
    view(cloud, input, |state| {
        let of = |kind: &&Kind| {
            let nodes = kind.all(state).into_iter().flat_map(|node| {
                let id = node.get(kind.id.1).unwrap_or_default().to_owned();
                let named = move |tag: &Node| {
                    let (key, value) = (tag.get("key").unwrap_or_default(), tag.get("value").unwrap_or_default());
                    let node = Node::default().put("resourceId", &id).put("resourceType", kind.name);
                    node.put("key", key).put("value", value)
                };
                node.items("tagSet").map(named).collect::<Vec<_>>()
            });
            nodes.collect::<Vec<_>>()
        };
        let all = TAGGED.iter().flat_map(of).collect();
        Ok(page::of(input, "tagSet", filter::keep(FILTERS, input, all)?, false)?.into())
    })
}
