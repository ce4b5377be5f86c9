//! Load balancers.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, SystemTime};

use super::super::super::state::{ACCOUNT, Balancer, State};
use super::super::wire::operation::Output;
use super::super::wire::{ApiError, Node, refuse};
use super::super::{Cloud, ec2, fresh, iso};
use super::{facts, named, not_found, one_of, page, placement, tags};

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

/// The most balancers of a region (ELB guide: load-balancer-limits).
const MOST: usize = 50;
/// How long a balancer is `provisioning`, on the rehearsal's clock. Its edge listens at once.
const PROVISIONING: Duration = Duration::from_secs(5);

pub(super) fn create(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    let name = input.need("Name")?;
    named(name, "Load balancer")?;
    if name.starts_with("internal-") {
        let why = format!("Load balancer name '{name}' cannot begin with 'internal-'");
        return Err(refuse("ValidationError", why));
    }
    one_of(input, "Type", &["application", "network", "gateway"])?;
    if let Some(kind @ ("network" | "gateway")) = input.get("Type") {
        return Err(refuse("ValidationError", format!("the rehearsal cloud has no {kind} load balancers")));
    }
    let scheme = one_of(input, "Scheme", &["internet-facing", "internal"])?.unwrap_or("internet-facing");
    let tags = tags::read(input)?;
    let now = cloud.shared().clock.now();
    cloud.change_whole(false, |state| {
        ec2::settle(state, now);
        placement::ip_type(input)?;
        let subnets = placement::subnets(input)?;
        if let Some((arn, there)) = state.balancers.iter().find(|(_, b)| b.name == name) {
            // Asked twice for the same thing: the one that is there.
            let mut held = facts::list(state, arn, "subnets");
            let mut asked = subnets.clone();
            held.sort_unstable();
            asked.sort_unstable();
            if held == asked && facts::text(state, arn, "scheme") == scheme {
                return Ok(Node::default().list("LoadBalancers", "member", [node(state, arn, there)]).into());
            }
            let message = format!("A load balancer with the same name '{name}' exists, but with different settings");
            return Err(refuse("DuplicateLoadBalancerName", message));
        }
        if state.balancers.len() >= MOST {
            return Err(refuse("TooManyLoadBalancers", "The limit on application load balancers has been reached"));
        }
        let vpc = placement::fits(state, &subnets, scheme, "")?;
        let groups = placement::groups(state, input.texts("SecurityGroups"), &vpc)?;
        let (arn, mut balancer) = new_balancer(&cloud.settings().region, name, free_address(state));
        if scheme == "internal" {
            balancer.dns_name = format!("internal-{}", balancer.dns_name);
        }
        let facts = [
            ("created", iso(now)),
            ("active", iso(now + PROVISIONING)),
            ("subnets", subnets.join(",")),
            ("vpc", vpc),
            ("scheme", scheme.to_owned()),
            ("security_groups", groups.join(",")),
        ];
        state.facts.insert(arn.clone(), facts.map(|(k, v)| (k.to_owned(), v)).into());
        state.tags.insert(arn.clone(), tags);
        state.balancers.insert(arn.clone(), balancer);
        placement::take_addresses(state, &arn)?;
        let made = state.balancers.get(&arn).map(|b| node(state, &arn, b));
        Ok(Node::default().list("LoadBalancers", "member", made).into())
    })
}

/// Makes those active that have been provisioned long enough.
fn settle(state: &mut State, now: SystemTime) {
    let now = iso(now);
    for (arn, balancer) in &mut state.balancers {
        let due = state.facts.get(arn).and_then(|f| f.get("active")).is_none_or(|at| *at <= now);
        if balancer.state == "provisioning" && due {
            balancer.state = "active".into();
        }
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

/// The subnets of a balancer with their zones.
pub(super) fn zones(state: &State, arn: &str) -> Vec<Node> {
    let one = |id: String| {
        let subnet = state.subnets.get(&id)?;
        Some(Node::default().put("ZoneName", &subnet.zone).put("SubnetId", id).list(
            "LoadBalancerAddresses",
            "member",
            [],
        ))
    };
    facts::list(state, arn, "subnets").into_iter().filter_map(one).collect()
}

fn node(state: &State, arn: &str, balancer: &Balancer) -> Node {
    let fact = |name: &str| facts::text(state, arn, name);
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
        .list("AvailabilityZones", "member", zones(state, arn))
        .texts_list("SecurityGroups", "member", facts::list(state, arn, "security_groups"))
        .put("IpAddressType", "ipv4")
}

pub(super) fn describe(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    let (arns, names) = (input.texts("LoadBalancerArns"), input.texts("Names"));
    if !arns.is_empty() && !names.is_empty() {
        let why = "Load balancer names and load balancer ARNs cannot be specified at the same time";
        return Err(refuse("ValidationError", why));
    }
    let mut state = cloud.shared().lock();
    settle(&mut state, cloud.shared().clock.now());
    let state = state;
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
        ec2::release(state, arn);
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
