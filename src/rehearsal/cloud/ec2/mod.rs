//! EC2, as far as preflight and app hosts need it: networks, security groups, gateways, addresses, instances, images.
//!
//! What can be described is declared as a [`Kind`](kind::Kind): how its ids look, what it answers, and which filter
//! looks at which part of the answer. Changes are all or nothing, and `DryRun` tries them on a copy.

mod acl_entries;
mod acls;
mod addresses;
mod attributes;
mod cidr;
mod clock;
mod credits;
mod filter;
mod gateways;
mod groups;
mod images;
mod instances;
mod interfaces;
mod keys;
mod kind;
mod nat;
mod page;
mod permissions;
mod places;
mod power;
mod route_tables;
mod routes;
mod rules;
mod run;
mod subnets;
mod tags;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod types;
mod vpcs;

use super::super::state::{ACCOUNT, State};
use super::law::Law;
use super::wire::operation::{Operation, Output, Service, query};
use super::wire::protocol::Protocol;
use super::wire::{ApiError, Node, refuse};
use super::{Cloud, fresh};

pub(super) use clock::settle;
pub(super) use gateways::{attached as internet_gateway_of, seed as seed_gateway};
pub(super) use groups::default_of as default_group;
pub(super) use instances::seed as seed_instance;
pub(super) use interfaces::{attach, free as free_addresses, release};
pub(super) use subnets::enter as new_subnet;
pub(super) use vpcs::{make as new_vpc, make_default as new_default_vpc};

/// What an operation gives.
type Answer = Result<Output, ApiError>;

/// The service.
pub(super) const SERVICE: Service = Service {
    name: "ec2",
    protocol: Protocol::Ec2("http://ec2.amazonaws.com/doc/2016-11-15/"),
    operations: OPERATIONS,
};

const OPERATIONS: &[Operation] = &[
    query("DescribeRegions", places::regions, &[]),
    query("DescribeAvailabilityZones", places::zones, &[]),
    query("CreateVpc", vpcs::create, &[]),
    query("CreateDefaultVpc", vpcs::create_default, &[]),
    query("DescribeVpcs", vpcs::describe, &[]),
    query("DeleteVpc", vpcs::delete, &[]),
    query("DescribeVpcAttribute", attributes::of_vpc, &[]),
    query("ModifyVpcAttribute", attributes::modify_vpc, &[]),
    query("CreateSubnet", subnets::create, &[]),
    query("DescribeSubnets", subnets::describe, &[]),
    query("DeleteSubnet", subnets::delete, &[]),
    query("ModifySubnetAttribute", attributes::modify_subnet, &[]),
    query("CreateSecurityGroup", groups::create, &[]),
    query("DescribeSecurityGroups", groups::describe, &[]),
    query("DeleteSecurityGroup", groups::delete, &[]),
    query("DescribeSecurityGroupRules", rules::describe, &[]),
    query("AuthorizeSecurityGroupIngress", rules::authorize_ingress, &[]),
    query("AuthorizeSecurityGroupEgress", rules::authorize_egress, &[]),
    query("RevokeSecurityGroupIngress", rules::revoke_ingress, &[]),
    query("RevokeSecurityGroupEgress", rules::revoke_egress, &[]),
    query("CreateNetworkAcl", acls::create, &[]),
    query("DescribeNetworkAcls", acls::describe, &[]),
    query("DeleteNetworkAcl", acls::delete, &[]),
    query("ReplaceNetworkAclAssociation", acls::associate, &[]),
    query("CreateNetworkAclEntry", acl_entries::create, &[]),
    query("ReplaceNetworkAclEntry", acl_entries::replace, &[]),
    query("DeleteNetworkAclEntry", acl_entries::delete, &[]),
    query("CreateRouteTable", route_tables::create, &[]),
    query("DescribeRouteTables", route_tables::describe, &[]),
    query("DeleteRouteTable", route_tables::delete, &[]),
    query("AssociateRouteTable", route_tables::associate, &[]),
    query("ReplaceRouteTableAssociation", route_tables::replace, &[]),
    query("DisassociateRouteTable", route_tables::disassociate, &[]),
    query("CreateRoute", routes::create, &[]),
    query("ReplaceRoute", routes::replace, &[]),
    query("DeleteRoute", routes::delete, &[]),
    query("CreateInternetGateway", gateways::create, &[]),
    query("DescribeInternetGateways", gateways::describe, &[]),
    query("AttachInternetGateway", gateways::attach, &[]),
    query("DetachInternetGateway", gateways::detach, &[]),
    query("DeleteInternetGateway", gateways::delete, &[]),
    query("CreateNatGateway", nat::create, &[]),
    query("DescribeNatGateways", nat::describe, &[]),
    query("DeleteNatGateway", nat::delete, &[]),
    query("AllocateAddress", addresses::allocate, &[]),
    query("DescribeAddresses", addresses::describe, &[]),
    query("AssociateAddress", addresses::associate, &[]),
    query("DisassociateAddress", addresses::disassociate, &[]),
    query("ReleaseAddress", addresses::release, &[]),
    query("DescribeNetworkInterfaces", interfaces::describe, &[]),
    query("DescribeImages", images::describe, &[]),
    query("DescribeInstanceTypes", types::describe, &[]),
    query("DescribeInstanceTypeOfferings", types::offerings, &[]),
    query("ImportKeyPair", keys::import, &[]),
    query("DescribeKeyPairs", keys::describe, &[]),
    query("DeleteKeyPair", keys::delete, &[]),
    query("RunInstances", run::run, &[Law::L8]),
    query("DescribeInstances", instances::describe, &[]),
    query("DescribeInstanceStatus", instances::status, &[]),
    query("DescribeInstanceCreditSpecifications", credits::describe, &[]),
    query("StartInstances", power::start, &[]),
    query("StopInstances", power::stop, &[]),
    query("RebootInstances", power::reboot, &[]),
    query("TerminateInstances", power::terminate, &[]),
    query("CreateTags", tags::create, &[]),
    query("DeleteTags", tags::delete, &[]),
    query("DescribeTags", tags::describe, &[]),
];

/// Looks at the state as it is now. Networks lie in the home region: any other has none.
fn view<T>(cloud: &Cloud, input: &Node, f: impl FnOnce(&State) -> Result<T, ApiError>) -> Result<T, ApiError> {
    if input.flag("DryRun")? == Some(true) {
        return Err(would_have());
    }
    if !at_home(cloud) {
        return f(&State::default());
    }
    let mut state = cloud.shared().lock();
    settle(&mut state, cloud.shared().clock.now());
    f(&state)
}

/// Changes the state, all or nothing; a dry run changes a copy and says so.
fn alter(cloud: &Cloud, input: &Node, f: impl FnOnce(&mut State) -> Result<Node, ApiError>) -> Answer {
    let dry = input.flag("DryRun")? == Some(true);
    if !at_home(cloud) {
        let (here, home) = (cloud.region(), &cloud.settings().region);
        let why = format!("the rehearsal cloud has networks and instances in {home} only, not in {here}");
        return Err(refuse("UnsupportedOperation", why));
    }
    let done = cloud.change_whole(dry, |state| {
        settle(state, cloud.shared().clock.now());
        f(state)
    })?;
    if dry { Err(would_have()) } else { Ok(done.into()) }
}

fn at_home(cloud: &Cloud) -> bool {
    cloud.region() == cloud.settings().region
}

fn would_have() -> ApiError {
    refuse("DryRunOperation", "Request would have succeeded, but DryRun flag is set.").status(412)
}

/// The answer of what has nothing else to say.
fn done() -> Node {
    Node::default().put("return", true)
}

/// A new id: the prefix and seventeen hexadecimal digits.
fn new_id(prefix: &str) -> String {
    format!("{prefix}0{}", fresh())
}

/// A parameter that must be there.
fn need<'a>(input: &'a Node, name: &str) -> Result<&'a str, ApiError> {
    input.get(name).ok_or_else(|| missing(name))
}

fn missing(name: &str) -> ApiError {
    let mut letters = name.chars();
    let first = letters.next().map(|c| c.to_ascii_lowercase()).into_iter();
    let name: String = first.chain(letters).collect();
    refuse("MissingParameter", format!("The request must contain the parameter {name}"))
}

/// A value that cannot be.
fn invalid(name: &str, value: &str, why: &str) -> ApiError {
    refuse("InvalidParameterValue", format!("Value ({value}) for parameter {name} is invalid. {why}"))
}

/// What the rehearsal does not do.
fn beyond(what: &str) -> ApiError {
    refuse("UnsupportedOperation", format!("the rehearsal cloud has no {what}"))
}

/// The texts of a repeated parameter.
fn texts(input: &Node, name: &str) -> Vec<String> {
    input.all(name).map(|n| n.text.clone()).filter(|t| !t.is_empty()).collect()
}

/// The ARN of something of EC2's.
fn arn(region: &str, kind: &str, id: &str) -> String {
    format!("arn:aws:ec2:{region}:{ACCOUNT}:{kind}/{id}")
}

/// What an earlier call with the same `ClientToken` made, if there was one.
fn made_before(state: &State, input: &Node, operation: &str) -> Option<String> {
    let key = format!("{operation}/{}", input.get("ClientToken")?);
    state.facts.get(TOKENS)?.get(&key).cloned()
}

/// Remembers what a call with a `ClientToken` made.
fn remember(state: &mut State, input: &Node, operation: &str, id: &str) {
    if let Some(token) = input.get("ClientToken") {
        state.facts.entry(TOKENS.into()).or_default().insert(format!("{operation}/{token}"), id.into());
    }
}

/// Where the client tokens are kept among the facts.
const TOKENS: &str = "ec2:client-tokens";
