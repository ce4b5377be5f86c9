//! Load balancers.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};

use super::super::super::state::{ACCOUNT, Balancer, State};
use super::super::law::Law;
use super::super::wire::operation::Output;
use super::super::wire::{ApiError, Node, refuse};
use super::super::{Cloud, fresh, iso};
use super::{named, not_found, page, tags};

/// A balancer that is being made, and its ARN.
pub(in super::super) fn new_balancer(region: &str, name: &str, address: IpAddr) -> (String, Balancer) {
    let arn = format!("arn:aws:elasticloadbalancing:{region}:{ACCOUNT}:loadbalancer/app/{name}/{}", fresh());
    let number = u32::from_str_radix(&fresh()[..8], 16).unwrap_or_default();
    let balancer = Balancer {
        name: name.into(),
        dns_name: format!("{}-{number}.{region}.elb.amazonaws.com", name.to_ascii_lowercase()),
        zone: zone_of(region).into(),
        address,
        state: "provisioning".into(),
        attributes: BTreeMap::new(),
    };
    (arn, balancer)
}

/// The hosted zone of a region's Application Load Balancers (AWS general reference: elb).
fn zone_of(region: &str) -> &'static str {
    match region {
        "us-east-1" => "Z35SXDOTRQ7X7K",
        "us-west-2" => "Z1H1FL5HABSF5",
        "eu-west-1" => "Z32O12XQLNTSW2",
        "eu-central-1" => "Z215JYRZR1TBD5",
        "ap-northeast-1" => "Z14GRHDCWA56QT",
        "ap-southeast-1" => "Z1LMS91P8CMLE5",
        _ => "ZWKZPGTI48KDX",
    }
}

pub(super) fn create(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    let name = input.need("Name")?;
    named(name, "Load balancer")?;
    if let Some(kind @ ("network" | "gateway")) = input.get("Type") {
        return Err(refuse("ValidationError", format!("the rehearsal cloud has no {kind} load balancers")));
    }
    let mut subnets = input.texts("Subnets");
    subnets.extend(input.items("SubnetMappings").filter_map(|m| m.get("SubnetId")).map(str::to_owned));
    cloud.change(|state| {
        if state.balancers.values().any(|b| b.name == name) {
            let message = format!("A load balancer with the same name '{name}' exists, but with different settings");
            return Err(refuse("DuplicateLoadBalancerName", message));
        }
        let vpc = two_zones(state, &subnets)?;
        let (arn, balancer) = new_balancer(&cloud.settings().region, name, free_address(state));
        let facts = [
            ("created", iso(cloud.shared().clock.now())),
            ("subnets", subnets.join(",")),
            ("vpc", vpc),
            ("scheme", input.get("Scheme").unwrap_or("internet-facing").to_owned()),
            ("security_groups", input.texts("SecurityGroups").join(",")),
        ];
        state.facts.insert(arn.clone(), facts.map(|(k, v)| (k.to_owned(), v)).into());
        state.tags.insert(arn.clone(), tags::read(input)?);
        // The edge takes it up at once; on AWS the state stays `provisioning` for some minutes.
        state.balancers.insert(arn.clone(), Balancer { state: "active".into(), ..balancer });
        let made = state.balancers.get(&arn).map(|b| node(state, &arn, b));
        Ok(Node::default().list("LoadBalancers", "member", made).into())
    })
}

/// Two subnets in two zones of one VPC (law L5); gives the VPC.
fn two_zones(state: &State, subnets: &[String]) -> Result<String, ApiError> {
    let found = subnets.iter().map(|id| {
        state.subnets.get(id).ok_or_else(|| refuse("SubnetNotFound", format!("The subnet ID '{id}' is not valid")))
    });
    let found = found.collect::<Result<Vec<_>, _>>()?;
    let zones: BTreeSet<_> = found.iter().map(|s| &s.zone).collect();
    if zones.len() < 2 {
        let message = "At least two subnets in two different Availability Zones must be specified";
        return Err(refuse("ValidationError", message).by(Law::L5));
    }
    if zones.len() < found.len() {
        return Err(refuse(
            "InvalidConfigurationRequest",
            "A load balancer cannot be attached to multiple subnets in the same Availability Zone",
        )
        .by(Law::L5));
    }
    let vpcs: BTreeSet<_> = found.iter().map(|s| s.vpc.clone()).collect();
    match (vpcs.len(), vpcs.into_iter().next()) {
        (1, Some(vpc)) => Ok(vpc),
        _ => Err(refuse("InvalidConfigurationRequest", "All subnets must belong to the same VPC").by(Law::L5)),
    }
}

/// A loopback address no balancer and no distribution listens on.
pub(in super::super) fn free_address(state: &State) -> IpAddr {
    let used: BTreeSet<IpAddr> =
        state.balancers.values().map(|b| b.address).chain(state.distributions.values().map(|d| d.address)).collect();
    (1..=u16::MAX)
        .map(|n| IpAddr::V4(Ipv4Addr::new(127, 80, n.to_be_bytes()[0], n.to_be_bytes()[1])))
        .find(|address| !used.contains(address) && free_ports(*address))
        .unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST))
}

/// Whether the ports of an edge are free there: another cloud of this machine may have it.
fn free_ports(address: IpAddr) -> bool {
    [8080, 8443].iter().all(|port| std::net::TcpListener::bind((address, *port)).is_ok())
}

fn node(state: &State, arn: &str, balancer: &Balancer) -> Node {
    let fact = |name: &str| state.facts.get(arn).and_then(|f| f.get(name)).map(String::as_str).unwrap_or_default();
    let split = |text: &str| text.split(',').filter(|p| !p.is_empty()).map(str::to_owned).collect::<Vec<_>>();
    let zones = split(fact("subnets")).into_iter().filter_map(|id| {
        let subnet = state.subnets.get(&id)?;
        Some(Node::default().put("ZoneName", &subnet.zone).put("SubnetId", id))
    });
    let created = Some(fact("created")).filter(|c| !c.is_empty()).unwrap_or("1970-01-01T00:00:00.000Z");
    Node::default()
        .put("LoadBalancerArn", arn)
        .put("DNSName", &balancer.dns_name)
        .put("CanonicalHostedZoneId", &balancer.zone)
        .put("CreatedTime", created)
        .put("LoadBalancerName", &balancer.name)
        .put("Scheme", Some(fact("scheme")).filter(|s| !s.is_empty()).unwrap_or("internet-facing"))
        .put("VpcId", fact("vpc"))
        .with(Node::new("State").put("Code", &balancer.state))
        .put("Type", "application")
        .list("AvailabilityZones", "member", zones)
        .texts_list("SecurityGroups", "member", split(fact("security_groups")))
        .put("IpAddressType", "ipv4")
}

pub(super) fn describe(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    let (arns, names) = (input.texts("LoadBalancerArns"), input.texts("Names"));
    let state = cloud.shared().lock();
    let wanted = |arn: &String, b: &Balancer| {
        (arns.is_empty() && names.is_empty()) || arns.contains(arn) || names.contains(&b.name)
    };
    let found: Vec<_> =
        state.balancers.iter().filter(|(arn, b)| wanted(arn, b)).map(|(a, b)| node(&state, a, b)).collect();
    if let Some(name) = names.iter().find(|n| !state.balancers.values().any(|b| b.name == **n)) {
        return Err(refuse("LoadBalancerNotFound", format!("Load balancers '[{name}]' not found")));
    }
    if let Some(arn) = arns.iter().find(|a| !state.balancers.contains_key(*a)) {
        return Err(refuse("LoadBalancerNotFound", format!("Load balancers '[{arn}]' not found")));
    }
    Ok(page(input, "LoadBalancers", found)?.into())
}

pub(super) fn delete(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    let arn = input.need("LoadBalancerArn")?;
    cloud.change(|state| {
        let protected = |b: &Balancer| b.attributes.get("deletion_protection.enabled").is_some_and(|v| v == "true");
        if state.balancers.get(arn).is_some_and(protected) {
            let message = format!("Load balancer '{arn}' cannot be deleted because deletion protection is enabled");
            return Err(refuse("OperationNotPermitted", message));
        }
        // Deleting what is not there succeeds (ELBv2 API: DeleteLoadBalancer).
        state.balancers.remove(arn);
        state.listeners.retain(|_, listener| listener.balancer != arn);
        state.facts.remove(arn);
        state.tags.remove(arn);
        Ok(Node::default().into())
    })
}

/// The balancer of an ARN.
pub(super) fn find<'a>(state: &'a mut State, arn: &str) -> Result<&'a mut Balancer, ApiError> {
    state.balancers.get_mut(arn).ok_or_else(|| not_found("LoadBalancerNotFound", "load balancers"))
}
