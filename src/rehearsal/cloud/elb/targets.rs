//! Targets: registering, draining, health.

use std::net::Ipv4Addr;
use std::time::{Duration, SystemTime};

use super::super::super::state::{State, Target, TargetGroup};
use super::super::law::Law;
use super::super::wire::operation::Output;
use super::super::wire::{ApiError, Node, refuse};
use super::super::{Cloud, ec2};
use super::{groups, not_found, users_of};

type Id = (String, u16);

/// The targets a request names; without a port it is the group's.
fn named(input: &Node, group: &TargetGroup) -> Result<Vec<(Id, Option<String>)>, ApiError> {
    let one = |target: &Node| {
        let port = match target.get("Port") {
            None => group.port,
            Some(text) => text
                .parse::<u16>()
                .ok()
                .filter(|p| *p > 0)
                .ok_or_else(|| refuse("ValidationError", format!("Port '{text}' must be between 1 and 65535")))?,
        };
        Ok(((target.need("Id")?.to_owned(), port), target.get("AvailabilityZone").map(str::to_owned)))
    };
    input.items("Targets").map(one).collect()
}

/// The ranges an `ip` target may lie in beside the VPC's own (law L1).
fn private(ip: Ipv4Addr) -> bool {
    ip.is_private() || (ip.octets()[0] == 100 && (64..128).contains(&ip.octets()[1]))
}

/// The zone of the VPC an address lies in.
fn zone_of(state: &State, group: &str, ip: Ipv4Addr) -> Option<String> {
    let vpc = groups::vpc_of(state, group);
    state.subnets.values().find(|s| s.vpc == vpc && s.holds(ip)).map(|s| s.zone.clone())
}

fn fits(state: &State, arn: &str, kind: &str, id: &str, zone: Option<&str>) -> Result<(), ApiError> {
    if kind == "instance" {
        return instance_fits(state, arn, id);
    }
    let Ok(ip) = id.parse::<Ipv4Addr>() else {
        return Err(refuse("ValidationError", format!("The IP address '{id}' is not a valid IPv4 address")));
    };
    match (zone_of(state, arn, ip), zone) {
        (Some(own), Some("all")) => Err(refuse(
            "ValidationError",
            format!("The IP address '{id}' is within the VPC, and cannot have its Availability Zone overridden to 'all' from '{own}'"),
        )
        .by(Law::L1)),
        (None, _) if !private(ip) => Err(refuse(
            "InvalidTarget",
            format!(
                "The IP address '{id}' is not in the VPC and not in one of the ranges 10.0.0.0/8, 100.64.0.0/10, \
                 172.16.0.0/12, 192.168.0.0/16"
            ),
        )
        .by(Law::L1)),
        (Some(_), _) | (None, Some("all")) => Ok(()),
        (None, _) => Err(refuse(
            "ValidationError",
            format!("The Availability Zone is required for IP address '{id}' because it is not in the VPC"),
        )
        .by(Law::L1)),
    }
}

/// An instance is there, runs, and lies in the group's VPC (law L8).
fn instance_fits(state: &State, arn: &str, id: &str) -> Result<(), ApiError> {
    let digits = id.strip_prefix("i-").unwrap_or_default();
    if !matches!(digits.len(), 8 | 17) || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(refuse("ValidationError", format!("Instance ID '{id}' is not valid")).by(Law::L8));
    }
    let running = state.network.instances.get(id).filter(|i| i.phase.now == "running");
    let Some(instance) = running else {
        let why = format!("The following targets are not in a running state and cannot be registered: '{id}'");
        return Err(refuse("InvalidTarget", why).by(Law::L8));
    };
    let subnet = state.network.interfaces.get(&instance.interface).and_then(|i| state.subnets.get(&i.subnet));
    let vpc = groups::vpc_of(state, arn);
    if subnet.is_none_or(|s| s.vpc != vpc) {
        let why = format!("The following targets are not in the target group VPC '{vpc}': '{id}'");
        return Err(refuse("InvalidTarget", why).by(Law::L8));
    }
    Ok(())
}

/// The most targets of a group (ELB guide: load-balancer-limits).
const MOST: usize = 1000;

pub(super) fn register(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    let arn = input.need("TargetGroupArn")?;
    cloud.change(|state| {
        ec2::settle(state, cloud.shared().clock.now());
        let group = groups::find(state, arn)?;
        let (targets, kind) = (named(input, group)?, group.target_type.clone());
        if targets.is_empty() {
            return Err(refuse("ValidationError", "At least one target must be specified"));
        }
        for ((id, _), zone) in &targets {
            fits(state, arn, &kind, id, zone.as_deref())?;
        }
        let group = groups::find(state, arn)?;
        let new = targets.iter().filter(|(id, _)| !group.targets.contains_key(id)).count();
        if group.targets.len() + new > MOST {
            let why = format!("The maximum number of targets for target group '{arn}' is {MOST}");
            return Err(refuse("TooManyTargets", why));
        }
        for (id, _) in targets {
            // One that is there and not leaving stays as it is: registering twice changes nothing.
            if group.targets.get(&id).is_none_or(|t| t.gone_at.is_some()) {
                let (state, reason) = ("initial".into(), "Elb.RegistrationInProgress".into());
                group.targets.insert(id, Target { state, reason, gone_at: None });
            }
        }
        Ok(Node::default().into())
    })
}

pub(super) fn deregister(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    let arn = input.need("TargetGroupArn")?;
    let now = cloud.shared().clock.now();
    cloud.change(|state| {
        let used = users_of(state, arn).next().is_some();
        let group = groups::find(state, arn)?;
        let delay = group.attributes.get("deregistration_delay.timeout_seconds").and_then(|d| d.parse().ok());
        let delay = Duration::from_secs(delay.unwrap_or(300));
        for (id, _) in named(input, group)? {
            if !used || delay.is_zero() {
                group.targets.remove(&id);
            } else if let Some(target) = group.targets.get_mut(&id).filter(|t| t.gone_at.is_none()) {
                target.state = "draining".into();
                target.reason = "Target.DeregistrationInProgress".into();
                target.gone_at = Some(now + delay);
            }
        }
        Ok(Node::default().into())
    })
}

/// Takes out the targets whose draining is over.
fn sweep(group: &mut TargetGroup, now: SystemTime) -> bool {
    let before = group.targets.len();
    group.targets.retain(|_, t| t.gone_at.is_none_or(|at| at > now));
    group.targets.len() < before
}

pub(super) fn health(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    let arn = input.need("TargetGroupArn")?;
    let now = cloud.shared().clock.now();
    let mut state = cloud.shared().lock();
    ec2::settle(&mut state, now);
    let swept = sweep(groups::find(&mut state, arn)?, now);
    let group = state.target_groups.get(arn).ok_or_else(|| not_found("TargetGroupNotFound", "target groups"))?;
    let used = users_of(&state, arn).next().is_some();
    let asked = named(input, group)?;
    let ids: Vec<Id> = if asked.is_empty() {
        group.targets.keys().cloned().collect()
    } else {
        asked.into_iter().map(|(id, _)| id).collect()
    };
    let described: Vec<_> = ids.iter().map(|id| describe(&state, arn, group, id, used)).collect();
    drop(state);
    if swept {
        cloud.shared().changed();
    }
    Ok(Node::default().list("TargetHealthDescriptions", "member", described).into())
}

fn runs(state: &State, instance: &str) -> bool {
    state.network.instances.get(instance).is_some_and(|i| i.phase.now == "running")
}

fn describe(state: &State, arn: &str, group: &TargetGroup, id: &Id, used: bool) -> Node {
    let (health, reason) = match group.targets.get(id) {
        None => ("unused", "Target.NotRegistered"),
        Some(target) if !used && target.gone_at.is_none() => ("unused", "Target.NotInUse"),
        Some(_) if group.target_type == "instance" && !runs(state, &id.0) => ("unused", "Target.InvalidState"),
        Some(target) => (target.state.as_str(), target.reason.as_str()),
    };
    let zone = match id.0.parse() {
        Ok(ip) => Some(zone_of(state, arn, ip).unwrap_or_else(|| "all".into())),
        Err(_) => None,
    };
    let target = Node::new("Target").put("Id", &id.0).put("Port", id.1).put_some("AvailabilityZone", zone);
    let reason = Some(reason).filter(|r| !r.is_empty());
    let health = Node::new("TargetHealth")
        .put("State", health)
        .put_some("Reason", reason)
        .put_some("Description", reason.map(in_words));
    Node::default().with(target).put("HealthCheckPort", group.health_check.port.unwrap_or(id.1)).with(health)
}

/// A reason code in AWS's words (`ELBv2` API: `TargetHealth`).
fn in_words(reason: &str) -> &str {
    match reason {
        "Elb.RegistrationInProgress" => "Target registration is in progress",
        "Elb.InitialHealthChecking" => "Initial health checks in progress",
        "Target.ResponseCodeMismatch" => "Health checks failed with an unexpected status code",
        "Target.Timeout" => "Request timed out",
        "Target.FailedHealthChecks" => "Health checks failed",
        "Target.InvalidState" => "Target is in the stopped state",
        "Target.NotRegistered" => "Target is not registered to the target group",
        "Target.NotInUse" => "Target group is not configured to receive traffic from the load balancer",
        "Target.DeregistrationInProgress" => "Target deregistration is in progress",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_private_ranges_are_private() {
        for ip in ["10.0.0.1", "172.31.0.1", "192.168.1.1", "100.64.0.1", "100.127.255.255"] {
            assert!(private(ip.parse().unwrap()), "{ip}");
        }
        for ip in ["8.8.8.8", "172.32.0.1", "100.63.0.1", "100.128.0.1", "127.0.0.1", "169.254.0.1"] {
            assert!(!private(ip.parse().unwrap()), "{ip}");
        }
    }
}
