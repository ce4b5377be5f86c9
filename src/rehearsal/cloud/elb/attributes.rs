//! Attributes of balancers and target groups: the defaults, and what a value may be.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use super::super::Cloud;
use super::super::wire::operation::Output;
use super::super::wire::{ApiError, Node, refuse};
use super::{balancers, groups};

/// What a value may be.
enum Value {
    Switch,
    Number(RangeInclusive<u32>),
    OneOf(&'static [&'static str]),
    Text,
}

type Known = (&'static str, &'static str, Value);

/// A balancer's attributes (`ELBv2` API: `LoadBalancerAttribute`).
const OF_BALANCER: &[Known] = &[
    ("access_logs.s3.enabled", "false", Value::Switch),
    ("access_logs.s3.bucket", "", Value::Text),
    ("access_logs.s3.prefix", "", Value::Text),
    ("client_keep_alive.seconds", "3600", Value::Number(60..=604_800)),
    ("deletion_protection.enabled", "false", Value::Switch),
    ("idle_timeout.timeout_seconds", "60", Value::Number(1..=4000)),
    ("load_balancing.cross_zone.enabled", "true", Value::Switch),
    ("routing.http.desync_mitigation_mode", "defensive", Value::OneOf(&["monitor", "defensive", "strictest"])),
    ("routing.http.drop_invalid_header_fields.enabled", "false", Value::Switch),
    ("routing.http.preserve_host_header.enabled", "false", Value::Switch),
    ("routing.http.x_amzn_tls_version_and_cipher_suite.enabled", "false", Value::Switch),
    ("routing.http.xff_client_port.enabled", "false", Value::Switch),
    ("routing.http.xff_header_processing.mode", "append", Value::OneOf(&["append", "preserve", "remove"])),
    ("routing.http2.enabled", "true", Value::Switch),
    ("waf.fail_open.enabled", "false", Value::Switch),
];

/// A target group's attributes (`ELBv2` API: `TargetGroupAttribute`).
const OF_GROUP: &[Known] = &[
    ("deregistration_delay.timeout_seconds", "300", Value::Number(0..=3600)),
    (
        "load_balancing.algorithm.type",
        "round_robin",
        Value::OneOf(&["round_robin", "least_outstanding_requests", "weighted_random"]),
    ),
    ("load_balancing.cross_zone.enabled", "use_load_balancer_configuration", Value::Text),
    ("slow_start.duration_seconds", "0", Value::Number(0..=900)),
    ("stickiness.app_cookie.cookie_name", "", Value::Text),
    ("stickiness.app_cookie.duration_seconds", "86400", Value::Number(1..=604_800)),
    ("stickiness.enabled", "false", Value::Switch),
    ("stickiness.lb_cookie.duration_seconds", "86400", Value::Number(1..=604_800)),
    ("stickiness.type", "lb_cookie", Value::OneOf(&["lb_cookie", "app_cookie"])),
    ("target_group_health.dns_failover.minimum_healthy_targets.count", "1", Value::Text),
    ("target_group_health.unhealthy_state_routing.minimum_healthy_targets.count", "1", Value::Text),
];

fn all(known: &[Known], set: &BTreeMap<String, String>) -> Node {
    let pairs = known.iter().map(|(key, default, _)| {
        Node::default().put("Key", key).put("Value", set.get(*key).map_or(*default, String::as_str))
    });
    Node::default().list("Attributes", "member", pairs)
}

fn read(known: &[Known], input: &Node, what: &str) -> Result<Vec<(String, String)>, ApiError> {
    input
        .items("Attributes")
        .map(|pair| {
            let (key, value) = (pair.need("Key")?, pair.get("Value").unwrap_or_default());
            let Some((_, _, shape)) = known.iter().find(|(name, _, _)| *name == key) else {
                return Err(refuse("ValidationError", format!("{what} attribute key '{key}' is not recognized")));
            };
            let fits = match shape {
                Value::Switch => matches!(value, "true" | "false"),
                Value::Number(range) => value.parse::<u32>().is_ok_and(|n| range.contains(&n)),
                Value::OneOf(values) => values.contains(&value),
                Value::Text => true,
            };
            if fits {
                return Ok((key.to_owned(), value.to_owned()));
            }
            let range = match shape {
                Value::Number(range) => format!("; it must be from {} to {}", range.start(), range.end()),
                _ => String::new(),
            };
            Err(refuse("InvalidConfigurationRequest", format!("{what} attribute '{key}' cannot be '{value}'{range}")))
        })
        .collect()
}

pub(super) fn of_balancer(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    let mut state = cloud.shared().lock();
    Ok(all(OF_BALANCER, &balancers::find(&mut state, input.need("LoadBalancerArn")?)?.attributes).into())
}

pub(super) fn modify_balancer(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    let pairs = read(OF_BALANCER, input, "Load balancer")?;
    cloud.change(|state| {
        let attributes = &mut balancers::find(state, input.need("LoadBalancerArn")?)?.attributes;
        attributes.extend(pairs);
        Ok(all(OF_BALANCER, attributes).into())
    })
}

pub(super) fn of_group(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    let mut state = cloud.shared().lock();
    Ok(all(OF_GROUP, &groups::find(&mut state, input.need("TargetGroupArn")?)?.attributes).into())
}

pub(super) fn modify_group(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    let pairs = read(OF_GROUP, input, "Target group")?;
    cloud.change(|state| {
        let attributes = &mut groups::find(state, input.need("TargetGroupArn")?)?.attributes;
        attributes.extend(pairs);
        Ok(all(OF_GROUP, attributes).into())
    })
}
