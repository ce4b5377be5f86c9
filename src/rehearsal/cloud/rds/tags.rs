//! Tags of everything RDS has.

use super::super::super::state::State;
use super::super::Cloud;
use super::super::wire::operation::Output;
use super::super::wire::{ApiError, Node, refuse};
use super::page::{Filters, invalid, need};
use super::{groups, instances, snapshots, subnet_groups};

/// The most tags a thing may have. Source: RDS user guide, "Tagging Amazon RDS resources".
const MOST: usize = 50;

/// Checks that the thing an ARN names is there.
fn named<'a>(state: &State, input: &'a Node) -> Result<&'a str, ApiError> {
    let arn = need(input, "ResourceName")?;
    let wrong = || invalid(format!("Unexpected ARN format: {arn}"));
    let (kind, name) = arn
        .strip_prefix("arn:aws:rds:")
        .and_then(|rest| rest.split(':').nth(2).zip(rest.splitn(4, ':').nth(3)))
        .ok_or_else(wrong)?;
    let (there, missing): (bool, fn(&str) -> ApiError) = match kind {
        "db" => (state.databases.contains_key(name), instances::not_found),
        "pg" => (state.parameter_groups.contains_key(name), groups::not_found),
        "subgrp" => (state.subnet_groups.contains_key(name), subnet_groups::not_found),
        "snapshot" => (state.snapshots.contains_key(name), snapshots::not_found),
        _ => return Err(wrong()),
    };
    if there { Ok(arn) } else { Err(missing(name)) }
}

/// The `Tags` of a request, put to a thing.
pub(super) fn put(state: &mut State, arn: &str, input: &Node) -> Result<(), ApiError> {
    let mut tags = state.tags.get(arn).cloned().unwrap_or_default();
    for tag in input.items("Tags") {
        let key = need(tag, "Key")?;
        let value = tag.get("Value").unwrap_or_default();
        if key.starts_with("aws:") {
            return Err(invalid("System tag keys (aws:) cannot be set or removed."));
        }
        if key.chars().count() > 128 || value.chars().count() > 256 {
            return Err(invalid(format!("The tag {key} is too long: 128 characters for a key, 256 for a value.")));
        }
        tags.insert(key.to_owned(), value.to_owned());
    }
    if tags.len() > MOST {
        return Err(refuse("TagQuotaPerResourceExceeded", format!("a resource has at most {MOST} tags")));
    }
    if !tags.is_empty() {
        state.tags.insert(arn.to_owned(), tags);
    }
    Ok(())
}

/// The tags of a thing, as its description has them.
pub(super) fn of(state: &State, arn: &str) -> Vec<Node> {
    let tags = state.tags.get(arn).into_iter().flatten();
    tags.map(|(k, v)| Node::default().put("Key", k).put("Value", v)).collect()
}

pub(super) fn add(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    cloud.change(|state| {
        let arn = named(state, input)?.to_owned();
        put(state, &arn, input)?;
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
    Filters::read(input, &[])?;
    let state = cloud.shared().lock();
    let arn = named(&state, input)?;
    Ok(Node::default().list("TagList", "Tag", of(&state, arn)).into())
}
