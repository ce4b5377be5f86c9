//! Parameter groups. Source: RDS API, `CreateDBParameterGroup` and its kin.

use super::super::super::state::{DatabaseInstance, ParameterGroup, State};
use super::super::Cloud;
use super::super::wire::operation::Output;
use super::super::wire::{ApiError, Node, refuse};
use super::catalogue::{family_of, major_of, versions};
use super::page::{Filters, invalid, need, page};
use super::{names, tags};

/// The group an instance has: its own if one was named, else its version's default.
pub(super) fn of(instance: &DatabaseInstance) -> String {
    or_default(&instance.group, instance)
}

/// The group an instance last started with.
pub(super) fn in_force(instance: &DatabaseInstance) -> String {
    or_default(&instance.group_in_force, instance)
}

fn or_default(name: &str, instance: &DatabaseInstance) -> String {
    if name.is_empty() { format!("default.{}", family_of(&instance.engine_version)) } else { name.to_owned() }
}

pub(super) fn not_found(name: &str) -> ApiError {
    refuse("DBParameterGroupNotFound", format!("DBParameterGroup not found: {name}")).status(404)
}

/// The group of that name; the default ones set nothing.
pub(super) fn find(state: &State, name: &str) -> Result<ParameterGroup, ApiError> {
    if let Some(group) = state.parameter_groups.get(name) {
        return Ok(group.clone());
    }
    let family = name.strip_prefix("default.").filter(|family| major_of(family).is_some());
    let family = family.ok_or_else(|| not_found(name))?;
    let description = format!("Default parameter group for {family}");
    Ok(ParameterGroup { family: family.into(), description, ..ParameterGroup::default() })
}

/// A group that may be changed: not a default one.
pub(super) fn own<'a>(state: &'a mut State, name: &str) -> Result<&'a mut ParameterGroup, ApiError> {
    if find(state, name).is_ok() && !state.parameter_groups.contains_key(name) {
        let message =
            format!("The parameter group {name} is a default parameter group. Default groups cannot be changed.");
        return Err(refuse("InvalidDBParameterGroupState", message));
    }
    state.parameter_groups.get_mut(name).ok_or_else(|| not_found(name))
}

fn node(cloud: &Cloud, name: &str, group: &ParameterGroup) -> Node {
    Node::new("DBParameterGroup")
        .put("DBParameterGroupName", name)
        .put("DBParameterGroupFamily", &group.family)
        .put("Description", &group.description)
        .put("DBParameterGroupArn", names::arn(cloud, "pg", name))
}

pub(super) fn create(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    let name = names::identifier(input, "DBParameterGroupName", 255)?;
    let family = need(input, "DBParameterGroupFamily")?;
    if major_of(family).is_none() {
        return Err(invalid(format!("ParameterGroupFamily {family} is not a valid parameter group family")));
    }
    let description = need(input, "Description")?.to_owned();
    cloud.change(|state| {
        if state.parameter_groups.contains_key(&name) {
            let message = format!("Parameter group {name} already exists");
            return Err(refuse("DBParameterGroupAlreadyExists", message));
        }
        let group = ParameterGroup { family: family.into(), description, ..ParameterGroup::default() };
        tags::put(state, &names::arn(cloud, "pg", &name), input)?;
        let answer = node(cloud, &name, &group);
        state.parameter_groups.insert(name, group);
        Ok(Node::default().with(answer).into())
    })
}

pub(super) fn describe(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    Filters::read(input, &[])?;
    let state = cloud.shared().lock();
    let found = if let Some(name) = input.get("DBParameterGroupName") {
        let name = name.to_ascii_lowercase();
        let group = find(&state, &name)?;
        vec![(name.clone(), node(cloud, &name, &group))]
    } else {
        let defaults = versions::MAJORS.iter().map(|major| format!("default.postgres{major}"));
        let mut names: Vec<_> = defaults.chain(state.parameter_groups.keys().cloned()).collect();
        names.sort();
        names.into_iter().filter_map(|n| Some((n.clone(), node(cloud, &n, &find(&state, &n).ok()?)))).collect()
    };
    page(input, "DBParameterGroups", "DBParameterGroup", found)
}

pub(super) fn delete(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    let name = need(input, "DBParameterGroupName")?.to_ascii_lowercase();
    cloud.change(|state| {
        own(state, &name)?;
        if state.databases.values().any(|instance| of(instance) == name) {
            let message = format!(
                "One or more database instances are still members of this parameter group {name}, so the group cannot be deleted"
            );
            return Err(refuse("InvalidDBParameterGroupState", message));
        }
        state.parameter_groups.remove(&name);
        state.tags.remove(&names::arn(cloud, "pg", &name));
        Ok(Node::default().into())
    })
}
