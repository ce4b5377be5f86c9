//! Subnets.

use super::super::super::state::{ACCOUNT, Cidr, Subnet};
use super::cidr::{self, show};
use super::kind::Kind;
use super::{
    Answer, ApiError, Cloud, Node, State, alter, arn, attributes, done, interfaces, invalid, need, new_id, places,
    refuse, tags, vpcs,
};

/// The most subnets of a VPC (VPC guide: amazon-vpc-limits).
const MOST: usize = 200;

pub(super) const KIND: Kind = Kind {
    name: "subnet",
    id: ("SubnetId", "subnetId"),
    set: "subnetSet",
    prefix: "subnet-",
    missing: "InvalidSubnetID.NotFound",
    malformed: None,
    words: "subnet ID",
    nodes,
    filters: &[
        ("subnet-id", "subnetId"),
        ("vpc-id", "vpcId"),
        ("state", "state"),
        ("cidr-block", "cidrBlock"),
        ("cidr", "cidrBlock"),
        ("cidrBlock", "cidrBlock"),
        ("availability-zone", "availabilityZone"),
        ("availabilityZone", "availabilityZone"),
        ("availability-zone-id", "availabilityZoneId"),
        ("available-ip-address-count", "availableIpAddressCount"),
        ("default-for-az", "defaultForAz"),
        ("defaultForAz", "defaultForAz"),
        ("map-public-ip-on-launch", "mapPublicIpOnLaunch"),
        ("owner-id", "ownerId"),
        ("subnet-arn", "subnetArn"),
    ],
};

fn nodes(state: &State) -> Vec<Node> {
    let one = |(id, subnet): (&String, &Subnet)| {
        let region = places::region_of(&subnet.zone);
        let own_default = state.network.vpcs.get(&subnet.vpc).is_some_and(|vpc| vpc.is_default);
        Node::default()
            .put("subnetId", id)
            .put("subnetArn", arn(region, "subnet", id))
            .put("state", "available")
            .put("vpcId", &subnet.vpc)
            .put("ownerId", ACCOUNT)
            .put("cidrBlock", show(subnet.cidr))
            .put("availableIpAddressCount", interfaces::free(state, id))
            .put("availabilityZone", &subnet.zone)
            .put("availabilityZoneId", places::zone_id(&subnet.zone))
            .put("defaultForAz", own_default)
            .put("mapPublicIpOnLaunch", attributes::gives_public(state, id))
            .put("assignIpv6AddressOnCreation", false)
            .list("ipv6CidrBlockAssociationSet", "item", [])
    };
    state.subnets.iter().map(one).collect()
}

/// A subnet that must be there.
pub(super) fn find<'a>(state: &'a State, id: &str) -> Result<&'a Subnet, ApiError> {
    state.subnets.get(id).ok_or_else(|| KIND.not_found(id))
}

/// Enters a subnet and puts it under its VPC's default network ACL; gives its id.
pub(in super::super) fn enter(state: &mut State, vpc: &str, zone: &str, cidr: Cidr) -> String {
    let id = new_id("subnet-");
    state.subnets.insert(id.clone(), Subnet { vpc: vpc.into(), zone: zone.into(), cidr });
    super::acls::adopt(state, vpc, &id);
    id
}

pub(super) fn create(cloud: &Cloud, input: &Node) -> Answer {
    let (vpc, text) = (need(input, "VpcId")?, need(input, "CidrBlock")?);
    let cidr = cidr::read(text, "cidrBlock")?;
    let region = cloud.region();
    let zones = places::names(region);
    let zone = match (input.get("AvailabilityZone"), input.get("AvailabilityZoneId")) {
        (Some(zone), _) => zones.iter().find(|z| *z == zone).ok_or_else(|| {
            let only = zones.join(", ");
            let why = format!("Subnets can currently only be created in the following availability zones: {only}.");
            invalid("availabilityZone", zone, &why)
        })?,
        (None, Some(id)) => zones
            .iter()
            .find(|z| places::zone_id(z) == id)
            .ok_or_else(|| invalid("availabilityZoneId", id, "Unknown Availability Zone."))?,
        (None, None) => &zones[0],
    };
    alter(cloud, input, |state| {
        let held = vpcs::find(state, vpc)?;
        let inside = held.cidrs.iter().any(|(_, whole)| cidr::holds(*whole, cidr));
        if !inside || cidr.1 > 28 {
            return Err(refuse("InvalidSubnet.Range", format!("The CIDR '{text}' is invalid.")));
        }
        let mut others = state.subnets.values().filter(|s| s.vpc == vpc);
        if others.any(|s| cidr::overlap(s.cidr, cidr)) {
            let why = format!("The CIDR '{text}' conflicts with another subnet");
            return Err(refuse("InvalidSubnet.Conflict", why));
        }
        if state.subnets.values().filter(|s| s.vpc == vpc).count() >= MOST {
            return Err(refuse("SubnetLimitExceeded", "The maximum number of subnets has been reached."));
        }
        let id = enter(state, vpc, zone, cidr);
        tags::at_birth(state, input, &KIND, &id)?;
        Ok(Node::default().with(KIND.one(state, &id, "subnet")))
    })
}

pub(super) fn describe(cloud: &Cloud, input: &Node) -> Answer {
    KIND.describe(cloud, input)
}

pub(super) fn delete(cloud: &Cloud, input: &Node) -> Answer {
    let id = need(input, "SubnetId")?;
    alter(cloud, input, |state| {
        find(state, id)?;
        if state.network.interfaces.values().any(|i| i.subnet == id) {
            let why = format!("The subnet '{id}' has dependencies and cannot be deleted.");
            return Err(refuse("DependencyViolation", why));
        }
        state.subnets.remove(id);
        for table in state.network.route_tables.values_mut() {
            table.associations.retain(|_, subnet| subnet != id);
        }
        for acl in state.network.acls.values_mut() {
            acl.associations.retain(|_, subnet| subnet != id);
        }
        state.tags.remove(id);
        state.facts.remove(id);
        Ok(done())
    })
}
