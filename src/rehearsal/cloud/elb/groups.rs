//! Target groups.

use std::collections::BTreeMap;

use super::super::super::state::{ACCOUNT, State, TargetGroup};
use super::super::wire::operation::Output;
use super::super::wire::{ApiError, Node, refuse};
use super::super::{Cloud, fresh};
use super::{group_settings, named, not_found, one_of, page, tags, users_of};

/// The target group of an ARN.
pub(super) fn find<'a>(state: &'a mut State, arn: &str) -> Result<&'a mut TargetGroup, ApiError> {
    state.target_groups.get_mut(arn).ok_or_else(|| not_found("TargetGroupNotFound", "target groups"))
}

/// The VPC a group lies in.
pub(super) fn vpc_of<'a>(state: &'a State, arn: &str) -> &'a str {
    state.facts.get(arn).and_then(|f| f.get("vpc")).map(String::as_str).unwrap_or_default()
}

fn node(state: &State, arn: &str, group: &TargetGroup) -> Node {
    let check = &group.health_check;
    let mut users: Vec<_> = users_of(state, arn).collect();
    users.dedup();
    Node::default()
        .put("TargetGroupArn", arn)
        .put("TargetGroupName", &group.name)
        .put("Protocol", &group.protocol)
        .put("ProtocolVersion", "HTTP1")
        .put("Port", group.port)
        .put_some("VpcId", Some(vpc_of(state, arn)).filter(|v| !v.is_empty()))
        .put("HealthCheckProtocol", &check.protocol)
        .put("HealthCheckPort", check.port.map_or_else(|| "traffic-port".to_owned(), |p| p.to_string()))
        .put("HealthCheckEnabled", true)
        .put("HealthCheckIntervalSeconds", check.interval)
        .put("HealthCheckTimeoutSeconds", check.timeout)
        .put("HealthyThresholdCount", check.healthy)
        .put("UnhealthyThresholdCount", check.unhealthy)
        .put("HealthCheckPath", &check.path)
        .with(Node::new("Matcher").put("HttpCode", &check.matcher))
        .texts_list("LoadBalancerArns", "member", users)
        .put("TargetType", &group.target_type)
        .put("IpAddressType", "ipv4")
}

/// The edge speaks HTTP/1.1 to targets over IPv4, and nothing else.
fn one_of_versions(input: &Node) -> Result<(), ApiError> {
    if let Some(version @ ("HTTP2" | "GRPC")) = one_of(input, "ProtocolVersion", &["HTTP1", "HTTP2", "GRPC"])? {
        let why = format!("the rehearsal cloud has no target groups of protocol version '{version}'");
        return Err(refuse("ValidationError", why));
    }
    match one_of(input, "IpAddressType", &["ipv4", "ipv6"])? {
        Some("ipv6") => Err(refuse("ValidationError", "the rehearsal cloud has no IPv6 target groups")),
        _ => Ok(()),
    }
}

pub(super) fn create(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    let name = input.need("Name")?;
    named(name, "Target group")?;
    let protocol = match input.get("Protocol") {
        Some(protocol @ ("HTTP" | "HTTPS")) => protocol.to_owned(),
        Some(other) => {
            return Err(refuse(
                "ValidationError",
                format!("the rehearsal cloud has no target groups of protocol '{other}'"),
            ));
        }
        None => return Err(refuse("ValidationError", "A protocol must be specified")),
    };
    one_of_versions(input)?;
    let port = input.number::<u16>("Port")?.filter(|p| *p > 0);
    let port = port.ok_or_else(|| refuse("ValidationError", "A port must be specified"))?;
    let target_type = match input.get("TargetType").unwrap_or("instance") {
        kind @ ("instance" | "ip") => kind.to_owned(),
        other => return Err(refuse("ValidationError", format!("the rehearsal cloud has no '{other}' targets"))),
    };
    let vpc = input.get("VpcId").ok_or_else(|| refuse("ValidationError", "A VPC ID must be specified"))?;
    let health_check = group_settings::check(input, &group_settings::default_check())?;
    let tags = tags::read(input)?;
    let group = TargetGroup {
        name: name.to_owned(),
        protocol,
        port,
        target_type,
        health_check,
        attributes: BTreeMap::new(),
        targets: BTreeMap::new(),
        tags,
    };
    cloud.change(|state| {
        if !state.network.vpcs.contains_key(vpc) {
            return Err(refuse("ValidationError", format!("The VPC ID '{vpc}' is not found")));
        }
        let same_name = state.target_groups.iter().find(|(_, g)| g.name == name);
        let arn = match same_name {
            // Asked twice for the same thing: the one that is there (ELBv2 API: "This operation is idempotent").
            Some((arn, there)) if group_settings::alike(there, &group) && vpc_of(state, arn) == vpc => arn.clone(),
            Some(_) => {
                let message = format!("A target group with the same name '{name}' exists, but with different settings");
                return Err(refuse("DuplicateTargetGroupName", message));
            }
            None => {
                let region = &cloud.settings().region;
                let arn = format!("arn:aws:elasticloadbalancing:{region}:{ACCOUNT}:targetgroup/{name}/{}", fresh());
                state.facts.insert(arn.clone(), [("vpc".to_owned(), vpc.to_owned())].into());
                state.target_groups.insert(arn.clone(), group);
                arn
            }
        };
        let made = state.target_groups.get(&arn).map(|g| node(state, &arn, g));
        Ok(Node::default().list("TargetGroups", "member", made).into())
    })
}

pub(super) fn describe(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    let (arns, names) = (input.texts("TargetGroupArns"), input.texts("Names"));
    let balancer = input.get("LoadBalancerArn");
    let state = cloud.shared().lock();
    if balancer.is_some_and(|b| !state.balancers.contains_key(b)) {
        return Err(not_found("LoadBalancerNotFound", "load balancers"));
    }
    let unknown = arns.iter().any(|a| !state.target_groups.contains_key(a))
        || names.iter().any(|n| !state.target_groups.values().any(|g| g.name == *n));
    if unknown {
        return Err(not_found("TargetGroupNotFound", "target groups"));
    }
    let wanted = |arn: &str, group: &TargetGroup| match balancer {
        Some(balancer) => users_of(&state, arn).any(|user| user == balancer),
        None if arns.is_empty() && names.is_empty() => true,
        None => arns.iter().any(|a| a == arn) || names.contains(&group.name),
    };
    let groups = state.target_groups.iter().filter(|(arn, group)| wanted(arn, group));
    let found = groups.map(|(arn, group)| node(&state, arn, group)).collect();
    Ok(page(input, "TargetGroups", found)?.into())
}

pub(super) fn modify(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    let arn = input.need("TargetGroupArn")?;
    cloud.change(|state| {
        let group = find(state, arn)?;
        group.health_check = group_settings::check(input, &group.health_check)?;
        let modified = state.target_groups.get(arn).map(|g| node(state, arn, g));
        Ok(Node::default().list("TargetGroups", "member", modified).into())
    })
}

pub(super) fn delete(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    let arn = input.need("TargetGroupArn")?;
    cloud.change(|state| {
        if users_of(state, arn).next().is_some() {
            let message = format!("Target group '{arn}' is currently in use by a listener or a rule");
            return Err(refuse("ResourceInUse", message));
        }
        state.target_groups.remove(arn);
        state.facts.remove(arn);
        Ok(Node::default().into())
    })
}
