//! The parameters of a group: described, set and reset (law D3). Source: RDS API, `ModifyDBParameterGroup` and its kin;
//! RDS user guide, "Modifying parameters in a DB parameter group".

use std::collections::BTreeMap;

use super::super::super::state::ParameterGroup;
use super::super::Cloud;
use super::super::law::Law::D3;
use super::super::wire::operation::Output;
use super::super::wire::{ApiError, Node};
use super::apply::{self, Touched};
use super::catalogue::{Parameter, major_of, parameter, parameters};
use super::groups::{find, own};
use super::page::{Filters, combination, cut, invalid, need};

/// The most parameters a call may set.
const MOST: usize = 20;

fn node(group: &ParameterGroup, major: u32, of: &Parameter) -> (&'static str, Node) {
    let set = group.values.get(of.name);
    let default = of.default_for(major);
    let source = if set.is_some() {
        "user"
    } else if default.is_some() {
        "system"
    } else {
        "engine-default"
    };
    let value = set.map(|(value, _)| value.clone()).or(default);
    let node = Node::default()
        .put("ParameterName", of.name)
        .put_some("ParameterValue", value)
        .put("Description", of.description)
        .put("Source", source)
        .put("ApplyType", if of.fixed { "static" } else { "dynamic" })
        .put("DataType", of.kind)
        .put_some("AllowedValues", Some(of.allowed).filter(|a| !a.is_empty()))
        .put("IsModifiable", of.modifiable)
        .put("ApplyMethod", set.map_or("pending-reboot", |(_, method)| method));
    (source, node)
}

fn described(input: &Node, group: &ParameterGroup) -> Result<Node, ApiError> {
    let filters = Filters::read(input, &["parameter-name"])?;
    let wanted = input.get("Source");
    if let Some(odd) = wanted.filter(|s| !["user", "system", "engine-default"].contains(s)) {
        return Err(invalid(format!("Invalid value {odd} for Source. Must be one of user, system, engine-default")));
    }
    let major = major_of(&group.family).unwrap_or_default();
    let found = parameters(major)
        .filter(|p| filters.let_through("parameter-name", &[p.name]))
        .map(|p| (p.name.to_ascii_lowercase(), node(group, major, p)))
        .filter(|(_, (source, _))| wanted.is_none_or(|w| w == *source))
        .map(|(name, (_, node))| (name, node));
    cut(input, "Parameters", "Parameter", found.collect(), 100)
}

pub(super) fn describe(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    let name = need(input, "DBParameterGroupName")?.to_ascii_lowercase();
    let group = find(&cloud.shared().lock(), &name)?;
    Ok(described(input, &group)?.into())
}

#[allow(clippy::unnecessary_wraps)] // every operation has this shape
pub(super) fn engine_defaults(_: &Cloud, input: &Node) -> Result<Output, ApiError> {
    let family = need(input, "DBParameterGroupFamily")?;
    if major_of(family).is_none() {
        return Err(invalid(format!("ParameterGroupFamily {family} is not a valid parameter group family")));
    }
    let group = ParameterGroup { family: family.into(), ..ParameterGroup::default() };
    let defaults = Node { name: "EngineDefaults".into(), ..described(input, &group)? };
    Ok(Node::default().with(defaults.put("DBParameterGroupFamily", family)).into())
}

/// The parameters a call names, each with what it is to be, and when.
fn asked(input: &Node, group: &ParameterGroup, valued: bool) -> Result<Vec<(&'static str, String, String)>, ApiError> {
    let major = major_of(&group.family).unwrap_or_default();
    let given: Vec<&Node> = input.items("Parameters").collect();
    if given.is_empty() {
        return Err(invalid("At least one parameter must be given."));
    }
    if given.len() > MOST {
        return Err(invalid(format!("A maximum of {MOST} parameters can be modified in a single request.")));
    }
    let mut all = Vec::new();
    for given in given {
        let name = need(given, "ParameterName")?;
        let missing = || invalid(format!("Could not find parameter with name: {name}"));
        let of = parameter(major, name).ok_or_else(missing)?;
        let method = given.get("ApplyMethod").unwrap_or(if of.fixed { "pending-reboot" } else { "immediate" });
        if !["immediate", "pending-reboot"].contains(&method) {
            return Err(invalid(format!("Invalid apply method: {method}")));
        }
        if !of.modifiable {
            return Err(invalid(format!("The parameter {name} cannot be modified.")));
        }
        if of.fixed && method == "immediate" {
            return Err(combination("cannot use immediate apply method for static parameter").by(D3));
        }
        let value = if valued { need_value(given)? } else { "" };
        if valued && !of.takes(value) {
            let message = format!("Invalid parameter value: {value} for: {name} allowed values are: {}", of.allowed);
            return Err(invalid(message));
        }
        all.push((of.name, value.to_owned(), method.to_owned()));
    }
    Ok(all)
}

/// A value may be empty, but must be there.
fn need_value(given: &Node) -> Result<&str, ApiError> {
    match given.child("ParameterValue") {
        Some(value) => Ok(&value.text),
        None => need(given, "ParameterValue"),
    }
}

fn answer(name: &str) -> Output {
    Node::default().put("DBParameterGroupName", name).into()
}

pub(super) fn modify(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    let name = need(input, "DBParameterGroupName")?.to_ascii_lowercase();
    let touched = cloud.change(|state| {
        let group = own(state, &name)?;
        let asked = asked(input, group, true)?;
        let mut touched = Touched::new();
        for (parameter, value, method) in asked {
            if method == "immediate" {
                touched.insert(parameter.to_owned(), Some(value.clone()));
            }
            group.values.insert(parameter.to_owned(), (value, method));
        }
        Ok::<_, ApiError>(touched)
    })?;
    apply::at_once(cloud, &name, &touched);
    Ok(answer(&name))
}

pub(super) fn reset(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    let name = need(input, "DBParameterGroupName")?.to_ascii_lowercase();
    let all = input.flag("ResetAllParameters")?.unwrap_or(false);
    if all && input.items("Parameters").next().is_some() {
        return Err(combination("ResetAllParameters and Parameters cannot be given together."));
    }
    let touched = cloud.change(|state| {
        let group = own(state, &name)?;
        let touched: Touched = if all {
            let set = std::mem::take(&mut group.values);
            let major = major_of(&group.family).unwrap_or_default();
            let dynamic = set.into_keys().filter(|name| parameter(major, name).is_some_and(|p| !p.fixed));
            dynamic.map(|name| (name, None)).collect()
        } else {
            let mut touched = BTreeMap::new();
            for (parameter, _, method) in asked(input, group, false)? {
                group.values.remove(parameter);
                if method == "immediate" {
                    touched.insert(parameter.to_owned(), None);
                }
            }
            touched
        };
        Ok::<_, ApiError>(touched)
    })?;
    apply::at_once(cloud, &name, &touched);
    Ok(answer(&name))
}
