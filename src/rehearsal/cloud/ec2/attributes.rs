//! Attributes of VPCs and subnets.

use super::{Answer, Cloud, Node, State, alter, beyond, done, invalid, missing, need, subnets, view, vpcs};

fn truth(input: &Node, name: &str) -> Result<Option<bool>, super::ApiError> {
    input.child(name).map(|n| n.flag("Value")).transpose().map(Option::flatten)
}

pub(super) fn of_vpc(cloud: &Cloud, input: &Node) -> Answer {
    let (id, asked) = (need(input, "VpcId")?, need(input, "Attribute")?);
    view(cloud, input, |state| {
        let vpc = vpcs::find(state, id)?;
        let value = match asked {
            "enableDnsSupport" => vpc.dns_support,
            "enableDnsHostnames" => vpc.dns_hostnames,
            "enableNetworkAddressUsageMetrics" => false,
            other => return Err(invalid("attribute", other, "Unknown VPC attribute.")),
        };
        let told = Node::new(asked).put("value", value);
        Ok(Node::default().put("vpcId", id).with(told).into())
    })
}

/// One attribute a call (EC2 API: `ModifyVpcAttribute`).
pub(super) fn modify_vpc(cloud: &Cloud, input: &Node) -> Answer {
    let id = need(input, "VpcId")?;
    let (support, hostnames) = (truth(input, "EnableDnsSupport")?, truth(input, "EnableDnsHostnames")?);
    if support.is_some() && hostnames.is_some() {
        let why = "Fields for multiple attribute types specified: enableDnsSupport, enableDnsHostnames";
        return Err(super::refuse("InvalidParameterCombination", why));
    }
    if support.is_none() && hostnames.is_none() {
        return Err(missing("attribute"));
    }
    alter(cloud, input, |state| {
        vpcs::find(state, id)?;
        if let Some(vpc) = state.network.vpcs.get_mut(id) {
            vpc.dns_support = support.unwrap_or(vpc.dns_support);
            vpc.dns_hostnames = hostnames.unwrap_or(vpc.dns_hostnames);
        }
        Ok(done())
    })
}

const PUBLIC: &str = "map-public-ip-on-launch";

/// Whether what is launched in a subnet gets a public address by itself.
pub(super) fn gives_public(state: &State, subnet: &str) -> bool {
    state.facts.get(subnet).is_some_and(|facts| facts.contains_key(PUBLIC))
}

/// Says whether what is launched in a subnet gets a public address by itself.
pub(super) fn set_public(state: &mut State, subnet: &str, public: bool) {
    let facts = state.facts.entry(subnet.to_owned()).or_default();
    if public {
        facts.insert(PUBLIC.into(), String::new());
    } else {
        facts.remove(PUBLIC);
    }
}

pub(super) fn modify_subnet(cloud: &Cloud, input: &Node) -> Answer {
    let id = need(input, "SubnetId")?;
    let Some(public) = truth(input, "MapPublicIpOnLaunch")? else {
        return Err(beyond("other attribute of a subnet to modify than MapPublicIpOnLaunch"));
    };
    alter(cloud, input, |state| {
        subnets::find(state, id)?;
        set_public(state, id, public);
        Ok(done())
    })
}
