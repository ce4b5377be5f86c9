//! Tags of balancers, listeners, rules and target groups.

use std::collections::BTreeMap;

use super::super::super::state::State;
use super::super::Cloud;
use super::super::wire::operation::Output;
use super::super::wire::{ApiError, Node, refuse};
use super::not_found;

type Tags = BTreeMap<String, String>;

/// The tags a request carries.
pub(super) fn read(input: &Node) -> Result<Tags, ApiError> {
    let mut tags = Tags::new();
    for tag in input.items("Tags") {
        let key = tag.need("Key")?.to_owned();
        let value = tag.get("Value").unwrap_or_default().to_owned();
        if key.chars().count() > 128 || value.chars().count() > 256 || key.starts_with("aws:") {
            return Err(refuse("ValidationError", format!("Tag '{key}' is not valid")));
        }
        if tags.insert(key.clone(), value).is_some() {
            return Err(refuse("DuplicateTagKeys", format!("Tag keys must be unique, and '{key}' is there twice")));
        }
    }
    if tags.len() > 50 {
        return Err(refuse("TooManyTags", "A resource has at most 50 tags"));
    }
    Ok(tags)
}

/// The tags of whatever an ARN names.
fn of<'a>(state: &'a mut State, arn: &str) -> Result<&'a mut Tags, ApiError> {
    if state.target_groups.contains_key(arn) {
        return Ok(&mut super::groups::find(state, arn)?.tags);
    }
    if let Ok(listener) = super::rules::holder(state, arn) {
        let rule = state.listeners.get_mut(&listener).and_then(|l| l.rules.get_mut(arn));
        return rule.map(|r| &mut r.tags).ok_or_else(|| not_found("RuleNotFound", "rules"));
    }
    if state.balancers.contains_key(arn) || state.listeners.contains_key(arn) {
        return Ok(state.tags.entry(arn.to_owned()).or_default());
    }
    Err(match arn {
        _ if arn.contains(":targetgroup/") => not_found("TargetGroupNotFound", "target groups"),
        _ if arn.contains(":listener-rule/") => not_found("RuleNotFound", "rules"),
        _ if arn.contains(":listener/") => not_found("ListenerNotFound", "listeners"),
        _ if arn.contains(":loadbalancer/") => not_found("LoadBalancerNotFound", "load balancers"),
        _ => refuse("ValidationError", format!("'{arn}' is not a valid ELB resource ARN")),
    })
}

pub(super) fn add(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    let tags = read(input)?;
    cloud.change(|state| {
        let arns = input.texts("ResourceArns");
        for arn in &arns {
            of(state, arn)?;
        }
        for arn in &arns {
            of(state, arn)?.extend(tags.clone());
        }
        Ok(Node::default().into())
    })
}

pub(super) fn remove(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    let keys = input.texts("TagKeys");
    cloud.change(|state| {
        for arn in input.texts("ResourceArns") {
            of(state, &arn)?.retain(|key, _| !keys.contains(key));
        }
        Ok(Node::default().into())
    })
}

pub(super) fn describe(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    // ELBv2 API: DescribeTags, up to 20 resources.
    let asked = input.items("ResourceArns").count();
    if !(1..=20).contains(&asked) {
        let why = format!("The number of resources must be from 1 to 20, and '{asked}' were specified");
        return Err(refuse("ValidationError", why));
    }
    let mut state = cloud.shared().lock();
    let one = |arn: String| {
        let tags = of(&mut state, &arn)?.iter().map(|(k, v)| Node::default().put("Key", k).put("Value", v));
        Ok(Node::default().put("ResourceArn", &arn).list("Tags", "member", tags.collect::<Vec<_>>()))
    };
    let described = input.texts("ResourceArns").into_iter().map(one).collect::<Result<Vec<_>, ApiError>>()?;
    Ok(Node::default().list("TagDescriptions", "member", described).into())
}
