//! Routes of route tables.

use super::super::super::state::Cidr;
use super::cidr::{self, show};
use super::route_tables::find;
use super::{
    Answer, ApiError, Cloud, Node, State, alter, beyond, done, instances, interfaces, missing, nat, need, refuse,
};

/// The most routes of a table (VPC guide: amazon-vpc-limits).
const MOST: usize = 50;

/// A route as it is described. One whose target is gone is a black hole.
pub(super) fn node(state: &State, to: Cidr, target: &str) -> Node {
    let network = &state.network;
    let element = match target.split_once('-').map(|(kind, _)| kind) {
        Some("nat") => "natGatewayId",
        Some("i") => "instanceId",
        Some("eni") => "networkInterfaceId",
        _ => "gatewayId",
    };
    let alive = match element {
        "natGatewayId" => network.nat_gateways.get(target).is_some_and(|n| n.phase.now == "available"),
        "instanceId" => network.instances.get(target).is_some_and(|i| i.phase.now == "running"),
        "networkInterfaceId" => network.interfaces.contains_key(target),
        _ => network.internet_gateways.get(target).is_some_and(Option::is_some),
    };
    Node::default()
        .put("destinationCidrBlock", show(to))
        .put(element, target)
        .put("state", if alive { "active" } else { "blackhole" })
        .put("origin", "CreateRoute")
}

/// The one target a request names, which must be there and of the table's VPC.
fn target(state: &State, input: &Node, table: &str, vpc: &str) -> Result<String, ApiError> {
    const OTHERS: [&str; 8] = [
        "VpcEndpointId",
        "TransitGatewayId",
        "LocalGatewayId",
        "CarrierGatewayId",
        "CoreNetworkArn",
        "OdbNetworkArn",
        "EgressOnlyInternetGatewayId",
        "VpcPeeringConnectionId",
    ];
    if let Some(other) = OTHERS.iter().find(|name| input.get(name).is_some()) {
        return Err(beyond(&format!("routes to a {other}")));
    }
    let named = ["GatewayId", "NatGatewayId", "InstanceId", "NetworkInterfaceId"];
    let mut given = named.iter().filter_map(|name| Some((*name, input.get(name)?)));
    let (name, id) = given.next().ok_or_else(|| missing("gatewayId"))?;
    if given.next().is_some() {
        let why = "The request must contain exactly one of gatewayId, natGatewayId, networkInterfaceId, \
                   vpcPeeringConnectionId, instanceId";
        return Err(refuse("InvalidParameterCombination", why));
    }
    let network = &state.network;
    let subnet_of = |interface: &str| network.interfaces.get(interface).map(|i| i.subnet.clone());
    let of_subnet = |id: Option<String>| id.and_then(|id| state.subnets.get(&id)).map(|s| s.vpc.clone());
    let its_vpc = match name {
        "GatewayId" if id == "local" => return Err(beyond("routes back to the VPC itself to make")),
        "GatewayId" => network
            .internet_gateways
            .get(id)
            .cloned()
            .ok_or_else(|| refuse("InvalidGatewayID.NotFound", format!("The gateway ID '{id}' does not exist")))?,
        "NatGatewayId" => {
            let gateway = network.nat_gateways.get(id).ok_or_else(|| nat::KIND.not_found(id))?;
            of_subnet(Some(gateway.subnet.clone()))
        }
        "InstanceId" => {
            let instance = network.instances.get(id).ok_or_else(|| instances::KIND.not_found(id))?;
            of_subnet(subnet_of(&instance.interface))
        }
        _ => {
            network.interfaces.get(id).ok_or_else(|| interfaces::KIND.not_found(id))?;
            of_subnet(subnet_of(id))
        }
    };
    if its_vpc.as_deref() != Some(vpc) {
        let why = format!("route table {table} and network gateway {id} belong to different networks");
        return Err(refuse("InvalidParameterValue", why));
    }
    Ok(id.to_owned())
}

fn destination(input: &Node) -> Result<Cidr, ApiError> {
    for other in ["DestinationIpv6CidrBlock", "DestinationPrefixListId"] {
        if input.get(other).is_some() {
            return Err(beyond("routes to IPv6 ranges and prefix lists"));
        }
    }
    cidr::read(need(input, "DestinationCidrBlock")?, "destinationCidrBlock")
}

fn local(state: &State, vpc: &str, to: Cidr) -> bool {
    state.network.vpcs.get(vpc).is_some_and(|vpc| vpc.cidrs.iter().any(|(_, own)| *own == to))
}

pub(super) fn create(cloud: &Cloud, input: &Node) -> Answer {
    let (id, to) = (need(input, "RouteTableId")?, destination(input)?);
    alter(cloud, input, |state| {
        let vpc = find(state, id)?.vpc.clone();
        let target = target(state, input, id, &vpc)?;
        let taken = local(state, &vpc, to);
        let routes = &mut find(state, id)?.routes;
        match routes.get(&to) {
            Some(there) if *there == target => return Ok(done()),
            None if !taken => {}
            _ => {
                let why = format!("The route identified by {} already exists.", show(to));
                return Err(refuse("RouteAlreadyExists", why));
            }
        }
        if routes.len() >= MOST {
            return Err(refuse("RouteLimitExceeded", "The maximum number of routes has been reached."));
        }
        routes.insert(to, target);
        Ok(done())
    })
}

fn not_there(id: &str, to: Cidr) -> ApiError {
    let why = format!("no route with destination-cidr-block {} in route table {id}", show(to));
    refuse("InvalidRoute.NotFound", why)
}

pub(super) fn replace(cloud: &Cloud, input: &Node) -> Answer {
    let (id, to) = (need(input, "RouteTableId")?, destination(input)?);
    alter(cloud, input, |state| {
        let vpc = find(state, id)?.vpc.clone();
        let target = target(state, input, id, &vpc)?;
        let held = find(state, id)?.routes.get_mut(&to);
        *held.ok_or_else(|| not_there(id, to))? = target;
        Ok(done())
    })
}

pub(super) fn delete(cloud: &Cloud, input: &Node) -> Answer {
    let (id, to) = (need(input, "RouteTableId")?, destination(input)?);
    alter(cloud, input, |state| {
        let vpc = find(state, id)?.vpc.clone();
        if local(state, &vpc, to) {
            let why = format!("cannot remove local route {} in route table {id}", show(to));
            return Err(refuse("InvalidParameterValue", why));
        }
        let gone = find(state, id)?.routes.remove(&to);
        gone.map(|_| done()).ok_or_else(|| not_there(id, to))
    })
}
