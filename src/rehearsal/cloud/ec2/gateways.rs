//! Internet gateways.

use super::super::super::state::ACCOUNT;
use super::kind::Kind;
use super::{Answer, ApiError, Cloud, Node, State, alter, done, need, new_id, refuse, tags, vpcs};

pub(super) const KIND: Kind = Kind {
    name: "internet-gateway",
    id: ("InternetGatewayId", "internetGatewayId"),
    set: "internetGatewaySet",
    prefix: "igw-",
    missing: "InvalidInternetGatewayID.NotFound",
    malformed: None,
    words: "internetGateway ID",
    nodes,
    filters: &[
        ("internet-gateway-id", "internetGatewayId"),
        ("attachment.vpc-id", "attachmentSet.item.vpcId"),
        ("attachment.state", "attachmentSet.item.state"),
        ("owner-id", "ownerId"),
    ],
};

fn nodes(state: &State) -> Vec<Node> {
    let one = |(id, vpc): (&String, &Option<String>)| {
        let attached = vpc.iter().map(|vpc| Node::default().put("vpcId", vpc).put("state", "available"));
        let node = Node::default().put("internetGatewayId", id).put("ownerId", ACCOUNT);
        node.list("attachmentSet", "item", attached.collect::<Vec<_>>())
    };
    state.network.internet_gateways.iter().map(one).collect()
}

/// The internet gateway of a VPC.
pub(in super::super) fn attached<'a>(state: &'a State, vpc: &str) -> Option<&'a String> {
    state.network.internet_gateways.iter().find(|(_, held)| held.as_deref() == Some(vpc)).map(|(id, _)| id)
}

/// Gives a VPC an internet gateway, and its main route table the route to it.
pub(in super::super) fn seed(state: &mut State, vpc: &str) {
    let id = new_id(KIND.prefix);
    state.network.internet_gateways.insert(id.clone(), Some(vpc.into()));
    let mut tables = state.network.route_tables.values_mut();
    if let Some(main) = tables.find(|t| t.vpc == vpc && t.main.is_some()) {
        main.routes.insert((std::net::Ipv4Addr::UNSPECIFIED, 0), id);
    }
}

fn find<'a>(state: &'a mut State, id: &str) -> Result<&'a mut Option<String>, ApiError> {
    state.network.internet_gateways.get_mut(id).ok_or_else(|| KIND.not_found(id))
}

pub(super) fn create(cloud: &Cloud, input: &Node) -> Answer {
    alter(cloud, input, |state| {
        // As many as there may be VPCs (VPC guide: amazon-vpc-limits).
        if state.network.internet_gateways.len() >= 5 {
            let why = "The maximum number of internet gateways has been reached.";
            return Err(refuse("InternetGatewayLimitExceeded", why));
        }
        let id = new_id(KIND.prefix);
        state.network.internet_gateways.insert(id.clone(), None);
        tags::at_birth(state, input, &KIND, &id)?;
        Ok(Node::default().with(KIND.one(state, &id, "internetGateway")))
    })
}

pub(super) fn describe(cloud: &Cloud, input: &Node) -> Answer {
    KIND.describe(cloud, input)
}

pub(super) fn attach(cloud: &Cloud, input: &Node) -> Answer {
    let (id, vpc) = (need(input, "InternetGatewayId")?, need(input, "VpcId")?);
    alter(cloud, input, |state| {
        vpcs::find(state, vpc)?;
        let has = attached(state, vpc).cloned();
        let held = find(state, id)?;
        if let Some(other) = held {
            let why = format!("resource {id} is already attached to network {other}");
            return Err(refuse("Resource.AlreadyAssociated", why));
        }
        if has.is_some() {
            let why = format!("Network {vpc} already has an internet gateway attached");
            return Err(refuse("InvalidParameterValue", why));
        }
        *held = Some(vpc.into());
        Ok(done())
    })
}

pub(super) fn detach(cloud: &Cloud, input: &Node) -> Answer {
    let (id, vpc) = (need(input, "InternetGatewayId")?, need(input, "VpcId")?);
    alter(cloud, input, |state| {
        vpcs::find(state, vpc)?;
        let inside = |interface: &String| {
            let subnet = state.network.interfaces.get(interface).and_then(|i| state.subnets.get(&i.subnet));
            subnet.is_some_and(|s| s.vpc == vpc)
        };
        let elastic = state.network.addresses.values().filter_map(|a| a.association.as_ref());
        let open = state.balancers.keys().any(|arn| {
            let fact = |name: &str| state.facts.get(arn).and_then(|f| f.get(name)).map(String::as_str);
            fact("vpc") == Some(vpc) && fact("scheme") == Some("internet-facing")
        });
        let public = state.network.interfaces.iter().filter(|(_, i)| i.public.is_some()).map(|(id, _)| id);
        let mapped = elastic.map(|(_, interface)| interface).chain(public).any(inside) || open;
        let held = find(state, id)?;
        if held.as_deref() != Some(vpc) {
            let why = format!("resource {id} is not attached to network {vpc}");
            return Err(refuse("Gateway.NotAttached", why));
        }
        if mapped {
            let why = format!(
                "Network {vpc} has some mapped public address(es). Please unmap those public address(es) before \
                 detaching the gateway."
            );
            return Err(refuse("DependencyViolation", why));
        }
        *held = None;
        Ok(done())
    })
}

pub(super) fn delete(cloud: &Cloud, input: &Node) -> Answer {
    let id = need(input, "InternetGatewayId")?;
    alter(cloud, input, |state| {
        if find(state, id)?.is_some() {
            let why = format!("The internetGateway '{id}' has dependencies and cannot be deleted.");
            return Err(refuse("DependencyViolation", why));
        }
        state.network.internet_gateways.remove(id);
        state.tags.remove(id);
        Ok(done())
    })
}
