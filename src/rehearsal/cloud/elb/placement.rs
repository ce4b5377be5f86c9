//! Where a balancer lies: its subnets, its security groups, its addresses.

use std::collections::BTreeSet;

use super::super::super::state::State;
use super::super::law::Law;
use super::super::wire::operation::Output;
use super::super::wire::{ApiError, Node, refuse};
use super::super::{Cloud, ec2};
use super::{balancers, facts, one_of};

/// The narrowest subnet a balancer takes, and the free addresses it needs in it (ELB guide: application-load-balancers).
const NARROWEST: u8 = 27;
const FREE: u32 = 8;
/// The most security groups of a balancer (ELB guide: load-balancer-limits).
const MOST_GROUPS: usize = 5;

/// The subnets a request names.
pub(super) fn subnets(input: &Node) -> Result<Vec<String>, ApiError> {
    let (named, mapped) = (input.texts("Subnets"), input.items("SubnetMappings").collect::<Vec<_>>());
    if !named.is_empty() && !mapped.is_empty() {
        return Err(refuse("ValidationError", "You cannot specify both subnets and subnet mappings"));
    }
    if mapped.iter().any(|m| m.get("AllocationId").is_some() || m.get("PrivateIPv4Address").is_some()) {
        let why = "Addresses cannot be specified for the subnets of a load balancer of type 'application'";
        return Err(refuse("InvalidConfigurationRequest", why));
    }
    let mapped = mapped.into_iter().map(|m| m.need("SubnetId").map(str::to_owned)).collect::<Result<Vec<_>, _>>()?;
    Ok(if named.is_empty() { mapped } else { named })
}

/// Only IPv4 is there: the networks of the rehearsal have no other addresses.
pub(super) fn ip_type(input: &Node) -> Result<(), ApiError> {
    match one_of(input, "IpAddressType", &["ipv4", "dualstack", "dualstack-without-public-ipv4"])? {
        None | Some("ipv4") => Ok(()),
        Some(_) => Err(refuse("InvalidSubnet", "You must specify subnets with an associated IPv6 CIDR block.")),
    }
}

/// Two subnets with room in two zones of one VPC (law L5), with a way out for one that faces the internet; gives the
/// VPC. `arn` is whose addresses in them are free again.
pub(super) fn fits(state: &State, subnets: &[String], scheme: &str, arn: &str) -> Result<String, ApiError> {
    let found = subnets.iter().map(|id| {
        let subnet = state.subnets.get(id);
        subnet.ok_or_else(|| refuse("SubnetNotFound", format!("The subnet ID '{id}' is not valid")))
    });
    let found = found.collect::<Result<Vec<_>, _>>()?;
    let zones: BTreeSet<_> = found.iter().map(|s| &s.zone).collect();
    if zones.len() < found.len() {
        let message = "A load balancer cannot be attached to multiple subnets in the same Availability Zone";
        return Err(refuse("InvalidConfigurationRequest", message).by(Law::L5));
    }
    if zones.len() < 2 {
        let message = "At least two subnets in two different Availability Zones must be specified";
        return Err(refuse("ValidationError", message).by(Law::L5));
    }
    let vpcs: BTreeSet<_> = found.iter().map(|s| s.vpc.clone()).collect();
    let (1, Some(vpc)) = (vpcs.len(), vpcs.into_iter().next()) else {
        let message = "All subnets must belong to the same VPC";
        return Err(refuse("InvalidConfigurationRequest", message).by(Law::L5));
    };
    for (id, subnet) in subnets.iter().zip(&found) {
        let own = state.network.interfaces.values().filter(|i| i.holder == arn && i.subnet == *id).count();
        let free = ec2::free_addresses(state, id).saturating_add(u32::try_from(own).unwrap_or_default());
        if subnet.cidr.1 > NARROWEST || free < FREE {
            let why = format!(
                "Not enough IP space available in {id}. ELB requires at least {FREE} free IP addresses in each subnet, \
                 and a subnet of at least a /{NARROWEST}."
            );
            return Err(refuse("InvalidSubnet", why).by(Law::L5));
        }
    }
    if scheme == "internet-facing" && ec2::internet_gateway_of(state, &vpc).is_none() {
        return Err(refuse("InvalidSubnet", format!("VPC {vpc} has no internet gateway")));
    }
    Ok(vpc)
}

/// The security groups asked for, or the VPC's default one.
pub(super) fn groups(state: &State, asked: Vec<String>, vpc: &str) -> Result<Vec<String>, ApiError> {
    if asked.is_empty() {
        return Ok(ec2::default_group(state, vpc).cloned().into_iter().collect());
    }
    for id in &asked {
        match state.network.groups.get(id) {
            None => return Err(refuse("InvalidSecurityGroup", format!("The security group '{id}' does not exist"))),
            Some(group) if group.vpc != vpc => {
                let why = format!("One or more security groups are invalid: '{id}' is not in VPC '{vpc}'");
                return Err(refuse("InvalidConfigurationRequest", why));
            }
            Some(_) => {}
        }
    }
    if asked.len() > MOST_GROUPS {
        let why = format!("A load balancer has at most {MOST_GROUPS} security groups");
        return Err(refuse("InvalidConfigurationRequest", why));
    }
    Ok(asked)
}

/// Gives a balancer an interface in each of its subnets, in place of those it has.
pub(in super::super) fn take_addresses(state: &mut State, arn: &str) -> Result<(), ApiError> {
    ec2::release(state, arn);
    let (subnets, groups) = (facts::list(state, arn, "subnets"), facts::list(state, arn, "security_groups"));
    let description = format!("ELB {}", arn.split_once("loadbalancer/").map_or(arn, |(_, name)| name));
    for subnet in subnets {
        ec2::attach(state, &subnet, &groups, &description, arn)?;
    }
    Ok(())
}

pub(super) fn set_subnets(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    let arn = input.need("LoadBalancerArn")?;
    ip_type(input)?;
    let subnets = subnets(input)?;
    cloud.change_whole(false, |state| {
        ec2::settle(state, cloud.shared().clock.now());
        balancers::find(state, arn)?;
        let vpc = fits(state, &subnets, facts::text(state, arn, "scheme"), arn)?;
        if vpc != facts::text(state, arn, "vpc") {
            let why = "All subnets must belong to the VPC of the load balancer";
            return Err(refuse("InvalidConfigurationRequest", why));
        }
        facts::set(state, arn, "subnets", subnets.join(","));
        take_addresses(state, arn)?;
        let zones = balancers::zones(state, arn);
        Ok(Node::default().list("AvailabilityZones", "member", zones).put("IpAddressType", "ipv4").into())
    })
}

pub(super) fn set_groups(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    let arn = input.need("LoadBalancerArn")?;
    let asked = input.texts("SecurityGroups");
    if asked.is_empty() {
        return Err(refuse("ValidationError", "At least one security group must be specified"));
    }
    cloud.change_whole(false, |state| {
        balancers::find(state, arn)?;
        let groups = groups(state, asked, facts::text(state, arn, "vpc"))?;
        for interface in state.network.interfaces.values_mut().filter(|i| i.holder == arn) {
            interface.groups.clone_from(&groups);
        }
        facts::set(state, arn, "security_groups", groups.join(","));
        Ok(Node::default().texts_list("SecurityGroupIds", "member", groups).into())
    })
}

pub(super) fn set_ip_type(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    let arn = input.need("LoadBalancerArn")?;
    input.need("IpAddressType")?;
    let mut state = cloud.shared().lock();
    balancers::find(&mut state, arn)?;
    ip_type(input)?;
    Ok(Node::default().put("IpAddressType", "ipv4").into())
}
