//! Network interfaces: made by what they belong to, and described.

use std::net::Ipv4Addr;

use super::super::super::state::{ACCOUNT, Interface};
use super::kind::Kind;
use super::{Answer, ApiError, Cloud, Node, State, attributes, cidr, new_id, places, refuse};

pub(super) const KIND: Kind = Kind {
    name: "network-interface",
    id: ("NetworkInterfaceId", "networkInterfaceId"),
    set: "networkInterfaceSet",
    prefix: "eni-",
    missing: "InvalidNetworkInterfaceID.NotFound",
    malformed: Some("InvalidNetworkInterfaceId.Malformed"),
    words: "networkInterface ID",
    nodes,
    filters: &[
        ("network-interface-id", "networkInterfaceId"),
        ("subnet-id", "subnetId"),
        ("vpc-id", "vpcId"),
        ("availability-zone", "availabilityZone"),
        ("description", "description"),
        ("group-id", "groupSet.item.groupId"),
        ("group-name", "groupSet.item.groupName"),
        ("attachment.instance-id", "attachment.instanceId"),
        ("attachment.status", "attachment.status"),
        ("addresses.private-ip-address", "privateIpAddress"),
        ("private-ip-address", "privateIpAddress"),
        ("association.public-ip", "association.publicIp"),
        ("interface-type", "interfaceType"),
        ("requester-id", "requesterId"),
        ("requester-managed", "requesterManaged"),
        ("status", "status"),
        ("owner-id", "ownerId"),
    ],
};

fn nodes(state: &State) -> Vec<Node> {
    let one = |(id, interface): (&String, &Interface)| {
        let subnet = state.subnets.get(&interface.subnet);
        let of_instance = state.network.instances.contains_key(&interface.holder);
        let (kind, requester) = match interface.holder.as_str() {
            _ if of_instance => ("interface", None),
            nat if nat.starts_with("nat-") => ("nat_gateway", Some("amazon-nat")),
            arn if arn.contains(":elasticloadbalancing:") => ("interface", Some("amazon-elb")),
            _ => ("interface", Some("amazon-rds")),
        };
        let node = Node::default()
            .put("networkInterfaceId", id)
            .put("subnetId", &interface.subnet)
            .put_some("vpcId", subnet.map(|s| &s.vpc))
            .put_some("availabilityZone", subnet.map(|s| &s.zone))
            .put("description", &interface.description)
            .put("ownerId", ACCOUNT)
            .put_some("requesterId", requester)
            .put("requesterManaged", requester.is_some())
            .put("status", "in-use")
            .put("interfaceType", kind)
            .put("macAddress", mac(interface.address))
            .put("sourceDestCheck", kind != "nat_gateway")
            .put("privateIpAddress", interface.address)
            .put("privateDnsName", private_name(state, interface))
            .list("groupSet", "item", groups(state, interface));
        let attachment = Node::new("attachment")
            .put("attachmentId", id.replacen("eni-", "eni-attach-", 1))
            .put("deviceIndex", u8::from(!of_instance))
            .put("status", "attached")
            .put("deleteOnTermination", of_instance)
            .put_some("instanceId", of_instance.then_some(&interface.holder));
        let address = Node::default().put("privateIpAddress", interface.address).put("primary", true);
        let node = node.with(attachment);
        match association(state, id, interface) {
            Some(tied) => node.with(tied.clone()).list("privateIpAddressesSet", "item", [address.with(tied)]),
            None => node.list("privateIpAddressesSet", "item", [address]),
        }
    };
    state.network.interfaces.iter().map(one).collect()
}

/// The groups of an interface, with their names.
pub(super) fn groups(state: &State, interface: &Interface) -> Vec<Node> {
    let one = |id: &String| {
        let name = state.network.groups.get(id).map(|g| &g.name);
        Node::default().put("groupId", id).put_some("groupName", name)
    };
    interface.groups.iter().map(one).collect()
}

/// Its public address, an Elastic one or its subnet's gift.
pub(super) fn association(state: &State, id: &str, interface: &Interface) -> Option<Node> {
    let tied = state.network.addresses.iter().find(|(_, a)| a.association.as_ref().is_some_and(|(_, i)| i == id));
    let node = Node::new("association");
    match tied {
        Some((allocation, address)) => {
            let association = address.association.as_ref().map(|(id, _)| id);
            let node = node.put("publicIp", address.ip).put("ipOwnerId", ACCOUNT).put("allocationId", allocation);
            Some(node.put_some("associationId", association))
        }
        None => interface.public.map(|ip| node.put("publicIp", ip).put("ipOwnerId", "amazon")),
    }
}

/// The name inside the VPC (VPC guide: vpc-dns).
pub(super) fn private_name(state: &State, interface: &Interface) -> String {
    let region = state.subnets.get(&interface.subnet).map(|s| places::region_of(&s.zone).to_owned());
    let domain = match region.as_deref() {
        Some("us-east-1") => "ec2.internal".to_owned(),
        region => format!("{}.compute.internal", region.unwrap_or_default()),
    };
    format!("ip-{}.{domain}", interface.address.to_string().replace('.', "-"))
}

fn mac(address: Ipv4Addr) -> String {
    let [a, b, c, d] = address.octets();
    format!("02:00:{a:02x}:{b:02x}:{c:02x}:{d:02x}")
}

/// How many addresses of a subnet are free.
pub(in super::super) fn free(state: &State, subnet: &str) -> u32 {
    let used = state.network.interfaces.values().filter(|i| i.subnet == subnet).count();
    let room = state.subnets.get(subnet).map_or(0, |s| cidr::room(s.cidr));
    room.saturating_sub(u32::try_from(used).unwrap_or(u32::MAX))
}

/// Gives something an interface in a subnet; its address is the highest that is free.
pub(in super::super) fn attach(
    state: &mut State,
    subnet: &str,
    groups: &[String],
    description: &str,
    holder: &str,
) -> Result<String, ApiError> {
    let whole = state.subnets.get(subnet).map_or((Ipv4Addr::UNSPECIFIED, 32), |s| s.cidr);
    let first = u32::from(whole.0);
    let used: std::collections::BTreeSet<_> = state.network.interfaces.values().map(|i| u32::from(i.address)).collect();
    // The first four and the last are the subnet's own.
    let last = first.saturating_add(cidr::room(whole)).saturating_add(cidr::KEPT - 2);
    let found = (first.saturating_add(cidr::KEPT - 1)..=last).rev().find(|address| !used.contains(address));
    let Some(address) = found.filter(|_| cidr::room(whole) > 0) else {
        let why = format!(
            "There are not enough free addresses in subnet '{subnet}' to satisfy the requested number of instances."
        );
        return Err(refuse("InsufficientFreeAddressesInSubnet", why));
    };
    Ok(place(state, subnet, Ipv4Addr::from(address), groups, description, holder))
}

/// Gives something an interface at an address.
pub(super) fn place(
    state: &mut State,
    subnet: &str,
    address: Ipv4Addr,
    groups: &[String],
    description: &str,
    holder: &str,
) -> String {
    let id = new_id(KIND.prefix);
    let of_instance = holder.starts_with("i-");
    let public = (of_instance && attributes::gives_public(state, subnet)).then(|| super::addresses::public(state));
    let interface = Interface {
        subnet: subnet.into(),
        address,
        public,
        groups: groups.to_vec(),
        description: description.into(),
        holder: holder.into(),
    };
    state.network.interfaces.insert(id.clone(), interface);
    id
}

/// Takes an interface away, and unties its Elastic address.
pub(super) fn drop_one(state: &mut State, id: &str) {
    state.network.interfaces.remove(id);
    state.tags.remove(id);
    for address in state.network.addresses.values_mut() {
        if address.association.as_ref().is_some_and(|(_, interface)| interface == id) {
            address.association = None;
        }
    }
}

/// Takes away every interface of something.
pub(in super::super) fn release(state: &mut State, holder: &str) {
    let held = state.network.interfaces.iter().filter(|(_, i)| i.holder == holder).map(|(id, _)| id.clone());
    let held: Vec<_> = held.collect();
    for id in held {
        drop_one(state, &id);
    }
}

pub(super) fn describe(cloud: &Cloud, input: &Node) -> Answer {
    KIND.describe(cloud, input)
}
