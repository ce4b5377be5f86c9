//! VPCs.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use super::super::super::state::{ACCOUNT, Acl, AclEntry, Cidr, RouteTable, SecurityGroup, Vpc};
use super::cidr::{self, show};
use super::kind::Kind;
use super::{Answer, ApiError, Cloud, Node, State, alter, beyond, done, groups, need, new_id, refuse, subnets, tags};

/// The most VPCs of a region (VPC guide: amazon-vpc-limits).
const MOST: usize = 5;
/// The options every VPC of the rehearsal has.
const DHCP: &str = "dopt-00000000000000001";

pub(super) const KIND: Kind = Kind {
    name: "vpc",
    id: ("VpcId", "vpcId"),
    set: "vpcSet",
    prefix: "vpc-",
    missing: "InvalidVpcID.NotFound",
    malformed: None,
    words: "vpc ID",
    nodes,
    filters: &[
        ("vpc-id", "vpcId"),
        ("state", "state"),
        ("cidr", "cidrBlock"),
        ("cidr-block-association.cidr-block", "cidrBlockAssociationSet.item.cidrBlock"),
        ("cidr-block-association.association-id", "cidrBlockAssociationSet.item.associationId"),
        ("cidr-block-association.state", "cidrBlockAssociationSet.item.cidrBlockState.state"),
        ("is-default", "isDefault"),
        ("isDefault", "isDefault"),
        ("owner-id", "ownerId"),
        ("dhcp-options-id", "dhcpOptionsId"),
    ],
};

fn nodes(state: &State) -> Vec<Node> {
    let one = |(id, vpc): (&String, &Vpc)| {
        let associations = vpc.cidrs.iter().map(|(id, cidr)| {
            let told = Node::new("cidrBlockState").put("state", "associated");
            Node::default().put("associationId", id).put("cidrBlock", show(*cidr)).with(told)
        });
        Node::default()
            .put("vpcId", id)
            .put("ownerId", ACCOUNT)
            .put("state", "available")
            .put_some("cidrBlock", vpc.cidrs.first().map(|(_, cidr)| show(*cidr)))
            .list("cidrBlockAssociationSet", "item", associations)
            .put("dhcpOptionsId", DHCP)
            .put("instanceTenancy", "default")
            .put("isDefault", vpc.is_default)
    };
    state.network.vpcs.iter().map(one).collect()
}

/// Makes a VPC with what every VPC has: a main route table, a default network ACL and a default security group.
pub(in super::super) fn make(state: &mut State, id: &str, cidr: Cidr, is_default: bool) {
    let network = &mut state.network;
    let cidrs = vec![(new_id("vpc-cidr-assoc-"), cidr)];
    network.vpcs.insert(id.into(), Vpc { cidrs, is_default, dns_support: true, dns_hostnames: is_default });
    let main = Some(new_id("rtbassoc-"));
    let table = RouteTable { vpc: id.into(), main, routes: BTreeMap::new(), associations: BTreeMap::new() };
    network.route_tables.insert(new_id("rtb-"), table);
    let everybody = (Ipv4Addr::UNSPECIFIED, 0);
    let allow = || AclEntry { protocol: "-1".into(), allow: true, cidr: everybody, ports: None };
    let mut entries = super::acls::denying();
    entries.extend([((false, 100), allow()), ((true, 100), allow())]);
    let acl = Acl { vpc: id.into(), is_default: true, entries, associations: BTreeMap::new() };
    network.acls.insert(new_id("acl-"), acl);
    let group = SecurityGroup {
        name: groups::DEFAULT.into(),
        description: "default VPC security group".into(),
        vpc: id.into(),
    };
    let within = groups::enter(state, group);
    groups::let_in(state, &within);
}

/// The region's default VPC.
pub(super) fn default(state: &State) -> Option<&String> {
    state.network.vpcs.iter().find(|(_, vpc)| vpc.is_default).map(|(id, _)| id)
}

/// A VPC that must be there.
pub(super) fn find<'a>(state: &'a State, id: &str) -> Result<&'a Vpc, ApiError> {
    state.network.vpcs.get(id).ok_or_else(|| KIND.not_found(id))
}

fn room_for_one(state: &State) -> Result<(), ApiError> {
    if state.network.vpcs.len() >= MOST {
        return Err(refuse("VpcLimitExceeded", "The maximum number of VPCs has been reached."));
    }
    Ok(())
}

pub(super) fn create(cloud: &Cloud, input: &Node) -> Answer {
    for not_here in ["Ipv6Pool", "Ipv6CidrBlock", "Ipv4IpamPoolId", "Ipv6IpamPoolId"] {
        if input.get(not_here).is_some() {
            return Err(beyond("IPv6 and no address pools"));
        }
    }
    if input.flag("AmazonProvidedIpv6CidrBlock")? == Some(true) {
        return Err(beyond("IPv6 and no address pools"));
    }
    let text = need(input, "CidrBlock")?;
    let cidr = cidr::read(text, "cidrBlock")?;
    if !(16..=28).contains(&cidr.1) {
        return Err(refuse("InvalidVpc.Range", format!("The CIDR '{text}' is invalid.")));
    }
    alter(cloud, input, |state| {
        room_for_one(state)?;
        let id = new_id("vpc-");
        make(state, &id, cidr, false);
        tags::at_birth(state, input, &KIND, &id)?;
        Ok(Node::default().with(KIND.one(state, &id, "vpc")))
    })
}

/// Makes a default VPC: a /16 with a public /20 in each zone, and an internet gateway (VPC guide: default-vpc).
pub(in super::super) fn make_default(state: &mut State, region: &str) -> String {
    let id = new_id("vpc-");
    make(state, &id, (Ipv4Addr::new(172, 31, 0, 0), 16), true);
    for (n, zone) in (0_u8..).zip(super::places::names(region)) {
        let first = Ipv4Addr::new(172, 31, n.saturating_mul(16), 0);
        let subnet = subnets::enter(state, &id, &zone, (first, 20));
        super::attributes::set_public(state, &subnet, true);
    }
    super::gateways::seed(state, &id);
    id
}

pub(super) fn create_default(cloud: &Cloud, input: &Node) -> Answer {
    alter(cloud, input, |state| {
        if let Some(id) = default(state) {
            let why = format!("A Default VPC already exists for this account in this region ({id}).");
            return Err(refuse("DefaultVpcAlreadyExists", why));
        }
        room_for_one(state)?;
        let id = make_default(state, cloud.region());
        Ok(Node::default().with(KIND.one(state, &id, "vpc")))
    })
}

pub(super) fn describe(cloud: &Cloud, input: &Node) -> Answer {
    KIND.describe(cloud, input)
}

pub(super) fn delete(cloud: &Cloud, input: &Node) -> Answer {
    let id = need(input, "VpcId")?;
    alter(cloud, input, |state| {
        find(state, id)?;
        let network = &state.network;
        let used = state.subnets.values().any(|s| s.vpc == id)
            || network.internet_gateways.values().any(|vpc| vpc.as_deref() == Some(id))
            || network.groups.values().any(|g| g.vpc == id && g.name != groups::DEFAULT)
            || network.route_tables.values().any(|t| t.vpc == id && t.main.is_none())
            || network.acls.values().any(|a| a.vpc == id && !a.is_default);
        if used {
            let why = format!("The vpc '{id}' has dependencies and cannot be deleted.");
            return Err(refuse("DependencyViolation", why));
        }
        let network = &mut state.network;
        network.vpcs.remove(id);
        network.route_tables.retain(|_, t| t.vpc != id);
        network.acls.retain(|_, a| a.vpc != id);
        network.groups.retain(|_, g| g.vpc != id);
        network.rules.retain(|_, r| network.groups.contains_key(&r.group));
        state.tags.remove(id);
        Ok(done())
    })
}
