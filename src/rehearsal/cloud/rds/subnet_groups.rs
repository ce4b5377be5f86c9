//! Subnet groups (law D1). Source: RDS API, `CreateDBSubnetGroup` and its kin.

use std::collections::BTreeSet;

use super::super::super::state::{State, SubnetGroup};
use super::super::Cloud;
use super::super::law::Law::D1;
use super::super::wire::operation::Output;
use super::super::wire::{ApiError, Node, refuse};
use super::page::{Filters, invalid, need, page};
use super::{names, tags};

pub(super) fn not_found(name: &str) -> ApiError {
    refuse("DBSubnetGroupNotFoundFault", format!("DB subnet group '{name}' does not exist.")).status(404)
}

/// The group an instance names; none is the account's default one: all its subnets.
pub(super) fn find(state: &State, name: &str) -> Result<SubnetGroup, ApiError> {
    if !name.is_empty() && name != "default" {
        return state.subnet_groups.get(name).cloned().ok_or_else(|| not_found(name));
    }
    let vpc = state.subnets.values().next().map(|s| s.vpc.clone()).unwrap_or_default();
    let subnets = state.subnets.iter().filter(|(_, s)| s.vpc == vpc).map(|(id, _)| id.clone()).collect();
    Ok(SubnetGroup { description: "default".into(), vpc, subnets })
}

/// A group as it is described.
pub(super) fn node(cloud: &Cloud, state: &State, name: &str, group: &SubnetGroup) -> Node {
    let subnets = group.subnets.iter().filter_map(|id| {
        let zone = Node::new("SubnetAvailabilityZone").put("Name", &state.subnets.get(id)?.zone);
        let subnet = Node::default().put("SubnetIdentifier", id).with(zone);
        Some(subnet.with(Node::new("SubnetOutpost")).put("SubnetStatus", "Active"))
    });
    Node::new("DBSubnetGroup")
        .put("DBSubnetGroupName", name)
        .put("DBSubnetGroupDescription", &group.description)
        .put("VpcId", &group.vpc)
        .put("SubnetGroupStatus", "Complete")
        .list("Subnets", "Subnet", subnets.collect::<Vec<_>>())
        .put("DBSubnetGroupArn", names::arn(cloud, "subgrp", name))
        .texts_list("SupportedNetworkTypes", "member", ["IPV4"])
}

/// The subnets of a request: there, of one VPC, and over two zones.
fn subnets(state: &State, input: &Node) -> Result<(String, BTreeSet<String>), ApiError> {
    let ids: BTreeSet<String> = input.texts("SubnetIds").into_iter().collect();
    if ids.is_empty() {
        return Err(refuse("MissingParameter", "The request must contain the parameter SubnetIds"));
    }
    let missing: Vec<_> = ids.iter().filter(|id| !state.subnets.contains_key(*id)).map(String::as_str).collect();
    if !missing.is_empty() {
        return Err(invalid(format!("Some input subnets in :[{}] are invalid.", missing.join(", "))));
    }
    let found: Vec<_> = ids.iter().filter_map(|id| state.subnets.get(id)).collect();
    let vpcs: BTreeSet<_> = found.iter().map(|s| s.vpc.as_str()).collect();
    if vpcs.len() > 1 {
        return Err(refuse("InvalidSubnet", "The DB subnet group's subnets must all be in the same VPC."));
    }
    let zones: BTreeSet<_> = found.iter().map(|s| s.zone.as_str()).collect();
    if zones.len() < 2 {
        let message = format!(
            "The DB subnet group doesn't meet Availability Zone (AZ) coverage requirement. Current AZ coverage: {}. Add \
             subnets to cover at least 2 AZs.",
            zones.into_iter().collect::<Vec<_>>().join(", ")
        );
        return Err(refuse("DBSubnetGroupDoesNotCoverEnoughAZs", message).by(D1));
    }
    Ok((vpcs.into_iter().collect(), ids.clone()))
}

pub(super) fn create(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    let name = names::subnet_group(input)?;
    let description = need(input, "DBSubnetGroupDescription")?.to_owned();
    if name == "default" {
        return Err(invalid("The parameter DBSubnetGroupName must not be \"default\"."));
    }
    cloud.change(|state| {
        if state.subnet_groups.contains_key(&name) {
            let message = format!("The DB subnet group '{name}' already exists.");
            return Err(refuse("DBSubnetGroupAlreadyExists", message));
        }
        let (vpc, subnets) = subnets(state, input)?;
        let group = SubnetGroup { description, vpc, subnets };
        tags::put(state, &names::arn(cloud, "subgrp", &name), input)?;
        let answer = node(cloud, state, &name, &group);
        state.subnet_groups.insert(name, group);
        Ok(Node::default().with(answer).into())
    })
}

pub(super) fn describe(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    Filters::read(input, &[])?;
    let state = cloud.shared().lock();
    let wanted = input.get("DBSubnetGroupName").map(str::to_ascii_lowercase);
    if let Some(name) = wanted.as_ref().filter(|name| !state.subnet_groups.contains_key(*name)) {
        return Err(not_found(name));
    }
    let found = state.subnet_groups.iter().filter(|(name, _)| wanted.as_ref().is_none_or(|w| w == *name));
    let found = found.map(|(name, group)| (name.clone(), node(cloud, &state, name, group)));
    page(input, "DBSubnetGroups", "DBSubnetGroup", found.collect())
}

pub(super) fn modify(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    let name = names::subnet_group(input)?;
    cloud.change(|state| {
        let mut group = state.subnet_groups.get(&name).cloned().ok_or_else(|| not_found(&name))?;
        let (vpc, subnets) = subnets(state, input)?;
        if vpc != group.vpc {
            let message = format!("The new subnets are not in the same VPC as the DB subnet group '{name}'.");
            return Err(refuse("InvalidSubnet", message));
        }
        group.subnets = subnets;
        if let Some(description) = input.get("DBSubnetGroupDescription") {
            group.description = description.into();
        }
        let answer = node(cloud, state, &name, &group);
        state.subnet_groups.insert(name, group);
        Ok(Node::default().with(answer).into())
    })
}

pub(super) fn delete(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    let name = names::subnet_group(input)?;
    cloud.change(|state| {
        if !state.subnet_groups.contains_key(&name) {
            return Err(not_found(&name));
        }
        if let Some((id, _)) = state.databases.iter().find(|(_, instance)| instance.subnet_group == name) {
            let message = format!(
                "Cannot delete the subnet group '{name}' because at least one database instance: {id} is still using it."
            );
            return Err(refuse("InvalidDBSubnetGroupStateFault", message));
        }
        state.subnet_groups.remove(&name);
        state.tags.remove(&names::arn(cloud, "subgrp", &name));
        Ok(Node::default().into())
    })
}
