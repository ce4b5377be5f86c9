//! Elastic addresses.

use std::net::Ipv4Addr;

use super::super::super::state::{ACCOUNT, Address};
use super::kind::Kind;
use super::{
    Answer, ApiError, Cloud, Node, State, alter, beyond, done, filter, gateways, instances, interfaces, missing,
    new_id, page, refuse, tags, texts, view,
};

/// The most Elastic addresses of a region (EC2 guide: elastic-ip-addresses-eip).
const MOST: usize = 5;

pub(super) const KIND: Kind = Kind {
    name: "elastic-ip",
    id: ("AllocationId", "allocationId"),
    set: "addressesSet",
    prefix: "eipalloc-",
    missing: "InvalidAllocationID.NotFound",
    malformed: None,
    words: "allocation ID",
    nodes,
    filters: &[
        ("allocation-id", "allocationId"),
        ("association-id", "associationId"),
        ("public-ip", "publicIp"),
        ("private-ip-address", "privateIpAddress"),
        ("instance-id", "instanceId"),
        ("network-interface-id", "networkInterfaceId"),
        ("domain", "domain"),
    ],
};

fn nodes(state: &State) -> Vec<Node> {
    let one = |(id, address): (&String, &Address)| {
        let node = Node::default().put("allocationId", id).put("publicIp", address.ip).put("domain", "vpc");
        let node = node.put("publicIpv4Pool", "amazon");
        let Some((association, interface)) = &address.association else { return node };
        let held = state.network.interfaces.get(interface);
        let instance = held.map(|i| &i.holder).filter(|holder| state.network.instances.contains_key(*holder));
        node.put("associationId", association)
            .put("networkInterfaceId", interface)
            .put("networkInterfaceOwnerId", ACCOUNT)
            .put_some("privateIpAddress", held.map(|i| i.address))
            .put_some("instanceId", instance)
    };
    state.network.addresses.iter().map(one).collect()
}

/// An address that must be there.
pub(super) fn find<'a>(state: &'a State, id: &str) -> Result<&'a Address, ApiError> {
    state.network.addresses.get(id).ok_or_else(|| KIND.not_found(id))
}

/// A public address that nobody has, of the range that is kept for documentation (RFC 5737).
pub(super) fn public(state: &State) -> Ipv4Addr {
    let elastic = state.network.addresses.values().map(|a| a.ip);
    let used: Vec<_> = elastic.chain(state.network.interfaces.values().filter_map(|i| i.public)).collect();
    let all = (1..=254).map(|n| Ipv4Addr::new(203, 0, 113, n)).chain((1..=254).map(|n| Ipv4Addr::new(198, 51, 100, n)));
    all.into_iter().find(|ip| !used.contains(ip)).unwrap_or(Ipv4Addr::new(203, 0, 113, 254))
}

/// Ties an address to an interface; gives the association.
pub(super) fn bind(state: &mut State, id: &str, interface: &str) -> String {
    let association = new_id("eipassoc-");
    if let Some(address) = state.network.addresses.get_mut(id) {
        address.association = Some((association.clone(), interface.to_owned()));
    }
    association
}

pub(super) fn allocate(cloud: &Cloud, input: &Node) -> Answer {
    if !matches!(input.get("Domain"), None | Some("vpc")) {
        return Err(beyond("addresses outside of VPCs"));
    }
    if ["Address", "PublicIpv4Pool", "IpamPoolId"].iter().any(|name| input.get(name).is_some_and(|v| v != "amazon")) {
        return Err(beyond("address pools of your own"));
    }
    alter(cloud, input, |state| {
        if state.network.addresses.len() >= MOST {
            let why = "The maximum number of addresses has been reached.";
            return Err(refuse("AddressLimitExceeded", why));
        }
        let id = new_id(KIND.prefix);
        let ip = public(state);
        state.network.addresses.insert(id.clone(), Address { ip, association: None });
        tags::at_birth(state, input, &KIND, &id)?;
        let node = Node::default().put("publicIp", ip).put("domain", "vpc").put("allocationId", id);
        Ok(node.put("publicIpv4Pool", "amazon").put("networkBorderGroup", cloud.region()))
    })
}

pub(super) fn describe(cloud: &Cloud, input: &Node) -> Answer {
    let ips = texts(input, "PublicIp");
    view(cloud, input, |state| {
        let mut found = KIND.select(state, input)?;
        if let Some(unknown) = ips.iter().find(|ip| !found.iter().any(|node| node.get("publicIp") == Some(ip))) {
            return Err(refuse("InvalidAddress.NotFound", format!("Address '{unknown}' not found.")));
        }
        found.retain(|node| ips.is_empty() || ips.iter().any(|ip| node.get("publicIp") == Some(ip)));
        Ok(page::of(input, KIND.set, filter::keep(KIND.filters, input, found)?, true)?.into())
    })
}

pub(super) fn associate(cloud: &Cloud, input: &Node) -> Answer {
    let id = input.get("AllocationId").ok_or_else(|| missing("allocationId"))?;
    // Moving an address is allowed unless that is said (EC2 API: AssociateAddress).
    let again = input.flag("AllowReassociation")? != Some(false);
    alter(cloud, input, |state| {
        let address = find(state, id)?.clone();
        let interface = match (input.get("InstanceId"), input.get("NetworkInterfaceId")) {
            (Some(instance), None) => {
                let found = state.network.instances.get(instance);
                let found = found.ok_or_else(|| instances::KIND.not_found(instance))?;
                if !matches!(found.phase.now, "running" | "stopped") {
                    let why = format!("The pending instance '{instance}' is not in a valid state for this operation.");
                    return Err(refuse("InvalidInstanceID", why));
                }
                found.interface.clone()
            }
            (None, Some(interface)) => interface.to_owned(),
            (None, None) => return Err(missing("instanceId")),
            (Some(_), Some(_)) => {
                let why = "You may specify either the instance or the network interface, not both";
                return Err(refuse("InvalidParameterCombination", why));
            }
        };
        let held = state.network.interfaces.get(&interface).ok_or_else(|| interfaces::KIND.not_found(&interface))?;
        let vpc = state.subnets.get(&held.subnet).map(|s| s.vpc.clone()).unwrap_or_default();
        if gateways::attached(state, &vpc).is_none() {
            let why = format!("Network {vpc} is not attached to any internet gateway");
            return Err(refuse("Gateway.NotAttached", why));
        }
        if let Some((association, other)) = address.association {
            if other == interface {
                return Ok(done().put("associationId", association));
            }
            if !again {
                let why = format!("resource {id} is already associated with associate-id {association}");
                return Err(refuse("Resource.AlreadyAssociated", why));
            }
        }
        let taken = |a: &&mut Address| a.association.as_ref().is_some_and(|(_, i)| *i == interface);
        if let Some(before) = state.network.addresses.values_mut().find(taken) {
            if !again {
                let why = format!("resource {interface} is already associated with an Elastic IP address");
                return Err(refuse("Resource.AlreadyAssociated", why));
            }
            before.association = None;
        }
        Ok(done().put("associationId", bind(state, id, &interface)))
    })
}

pub(super) fn disassociate(cloud: &Cloud, input: &Node) -> Answer {
    let id = input.get("AssociationId").ok_or_else(|| missing("associationId"))?;
    alter(cloud, input, |state| {
        let tied = |a: &&mut Address| a.association.as_ref().is_some_and(|(association, _)| association == id);
        let Some(address) = state.network.addresses.values_mut().find(tied) else {
            let why = format!("The association ID '{id}' does not exist");
            return Err(refuse("InvalidAssociationID.NotFound", why));
        };
        let interface = address.association.take().map(|(_, interface)| interface).unwrap_or_default();
        let of_gateway = state.network.nat_gateways.values().any(|n| n.interface == interface);
        if of_gateway {
            let why = "You do not have permission to access the specified resource.";
            return Err(refuse("AuthFailure", why));
        }
        Ok(done())
    })
}

pub(super) fn release(cloud: &Cloud, input: &Node) -> Answer {
    let id = input.get("AllocationId").ok_or_else(|| missing("allocationId"))?;
    alter(cloud, input, |state| {
        let address = find(state, id)?;
        if address.association.is_some() {
            return Err(refuse("InvalidIPAddress.InUse", format!("Address {} is in use.", address.ip)));
        }
        state.network.addresses.remove(id);
        state.tags.remove(id);
        Ok(done())
    })
}
