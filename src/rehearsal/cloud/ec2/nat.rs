//! NAT gateways.

use super::super::super::state::{NatGateway, Phase};
use super::kind::Kind;
use super::{
    Answer, ApiError, Cloud, Node, State, addresses, alter, beyond, clock, gateways, interfaces, invalid, made_before,
    need, new_id, remember, subnets, tags,
};

pub(super) const KIND: Kind = Kind {
    name: "natgateway",
    id: ("NatGatewayId", "natGatewayId"),
    set: "natGatewaySet",
    prefix: "nat-",
    missing: "NatGatewayNotFound",
    malformed: Some("NatGatewayMalformed"),
    words: "NAT gateway",
    nodes,
    filters: &[("nat-gateway-id", "natGatewayId"), ("state", "state"), ("subnet-id", "subnetId"), ("vpc-id", "vpcId")],
};

fn nodes(state: &State) -> Vec<Node> {
    let one = |(id, gateway): (&String, &NatGateway)| {
        let interface = state.network.interfaces.get(&gateway.interface);
        let elastic = gateway.allocation.as_ref().and_then(|a| state.network.addresses.get(a));
        let elastic = elastic.filter(|a| a.association.as_ref().is_some_and(|(_, i)| *i == gateway.interface));
        let address = Node::default()
            .put_some("allocationId", gateway.allocation.as_ref())
            .put_some("associationId", elastic.and_then(|a| a.association.as_ref()).map(|(id, _)| id))
            .put_some("networkInterfaceId", interface.map(|_| &gateway.interface))
            .put_some("privateIp", interface.map(|i| i.address))
            .put_some("publicIp", elastic.map(|a| a.ip))
            .put("isPrimary", true);
        let failure = gateway.failure.as_ref();
        let kind = if gateway.allocation.is_some() { "public" } else { "private" };
        Node::default()
            .put("natGatewayId", id)
            .put("state", gateway.phase.now)
            .put("subnetId", &gateway.subnet)
            .put_some("vpcId", state.subnets.get(&gateway.subnet).map(|s| &s.vpc))
            .put("connectivityType", kind)
            .put("createTime", gateway.created)
            .put_some("failureCode", failure.map(|(code, _)| code))
            .put_some("failureMessage", failure.map(|(_, message)| message))
            .list("natGatewayAddressSet", "item", [address])
    };
    state.network.nat_gateways.iter().map(one).collect()
}

pub(super) fn create(cloud: &Cloud, input: &Node) -> Answer {
    let subnet = need(input, "SubnetId")?;
    let public = match input.get("ConnectivityType").unwrap_or("public") {
        "public" => true,
        "private" => false,
        other => return Err(invalid("connectivityType", other, "It is public or private.")),
    };
    if ["SecondaryAllocationId", "SecondaryPrivateIpAddress"].iter().any(|name| input.all(name).next().is_some()) {
        return Err(beyond("secondary addresses of NAT gateways"));
    }
    let allocation = if public { Some(need(input, "AllocationId")?) } else { None };
    let now = cloud.shared().clock.now();
    alter(cloud, input, |state| {
        let id = match made_before(state, input, KIND.name) {
            Some(id) => id,
            None => make(state, input, subnet, allocation, now)?,
        };
        Ok(Node::default().with(KIND.one(state, &id, "natGateway")).put_some("clientToken", input.get("ClientToken")))
    })
}

fn make(
    state: &mut State,
    input: &Node,
    subnet: &str,
    allocation: Option<&str>,
    now: std::time::SystemTime,
) -> Result<String, ApiError> {
    let vpc = subnets::find(state, subnet)?.vpc.clone();
    let id = new_id(KIND.prefix);
    let description = format!("Interface for NAT Gateway {id}");
    let interface = interfaces::attach(state, subnet, &[], &description, &id)?;
    // What is wrong with its address shows only later: it is made, and fails (EC2 API: NatGateway, failureCode).
    let failure = match allocation {
        None => None,
        Some(allocation) => {
            let address = addresses::find(state, allocation)?;
            if address.association.is_some() {
                let why = format!("Elastic IP address {allocation} is already associated");
                Some(("Resource.AlreadyAssociated", why))
            } else if gateways::attached(state, &vpc).is_none() {
                Some(("Gateway.NotAttached", format!("Network {vpc} has no Internet gateway attached")))
            } else {
                addresses::bind(state, allocation, &interface);
                None
            }
        }
    };
    let next = if failure.is_some() { "failed" } else { "available" };
    let gateway = NatGateway {
        subnet: subnet.into(),
        allocation: allocation.map(str::to_owned),
        interface,
        phase: clock::passing("pending", next, now),
        failure: failure.map(|(code, why)| (code.to_owned(), why)),
        created: now,
    };
    state.network.nat_gateways.insert(id.clone(), gateway);
    tags::at_birth(state, input, &KIND, &id)?;
    remember(state, input, KIND.name, &id);
    Ok(id)
}

pub(super) fn describe(cloud: &Cloud, input: &Node) -> Answer {
    KIND.describe(cloud, input)
}

pub(super) fn delete(cloud: &Cloud, input: &Node) -> Answer {
    let id = need(input, "NatGatewayId")?;
    let now = cloud.shared().clock.now();
    alter(cloud, input, |state| {
        let gateway = state.network.nat_gateways.get_mut(id).ok_or_else(|| KIND.not_found(id))?;
        let phase: &mut Phase = &mut gateway.phase;
        if !matches!(phase.now, "deleting" | "deleted") {
            *phase = clock::passing("deleting", "deleted", now);
        }
        Ok(Node::default().put("natGatewayId", id))
    })
}
