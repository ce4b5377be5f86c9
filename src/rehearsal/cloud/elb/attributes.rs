//! Attributes of balancers and target groups: the defaults, and what a value may be.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use super::super::super::state::State;
use super::super::Cloud;
use super::super::wire::operation::Output;
use super::super::wire::{ApiError, Node, refuse};
use super::{balancers, groups};

/// What a value may be.
enum Value {
    Switch,
    Number(RangeInclusive<u32>),
    /// Zero, or a number.
    ZeroOr(RangeInclusive<u32>),
    /// `off`, or a number.
    OffOr(RangeInclusive<u32>),
    OneOf(&'static [&'static str]),
    Text,
}

impl Value {
    fn fits(&self, value: &str) -> bool {
        let within = |range: &RangeInclusive<u32>| value.parse::<u32>().is_ok_and(|n| range.contains(&n));
        match self {
            Self::Switch => matches!(value, "true" | "false"),
            Self::Number(range) => within(range),
            Self::ZeroOr(range) => value == "0" || within(range),
            Self::OffOr(range) => value == "off" || within(range),
            Self::OneOf(values) => values.contains(&value),
            Self::Text => true,
        }
    }

    fn told(&self) -> String {
        let range = |range: &RangeInclusive<u32>| format!("from {} to {}", range.start(), range.end());
        match self {
            Self::Switch => "it must be true or false".into(),
            Self::Number(r) => format!("it must be {}", range(r)),
            Self::ZeroOr(r) => format!("it must be 0 or {}", range(r)),
            Self::OffOr(r) => format!("it must be off or {}", range(r)),
            Self::OneOf(values) => format!("it must be one of {}", values.join(", ")),
            Self::Text => String::new(),
        }
    }
}

type Known = (&'static str, &'static str, Value);

/// A balancer's attributes (`ELBv2` API: `LoadBalancerAttribute`).
const OF_BALANCER: &[Known] = &[
    ("access_logs.s3.enabled", "false", Value::Switch),
    ("access_logs.s3.bucket", "", Value::Text),
    ("access_logs.s3.prefix", "", Value::Text),
    ("client_keep_alive.seconds", "3600", Value::Number(60..=604_800)),
    ("connection_logs.s3.enabled", "false", Value::Switch),
    ("connection_logs.s3.bucket", "", Value::Text),
    ("connection_logs.s3.prefix", "", Value::Text),
    ("deletion_protection.enabled", "false", Value::Switch),
    ("health_check_logs.s3.enabled", "false", Value::Switch),
    ("health_check_logs.s3.bucket", "", Value::Text),
    ("health_check_logs.s3.prefix", "", Value::Text),
    ("idle_timeout.timeout_seconds", "60", Value::Number(1..=4000)),
    ("ipv6.deny_all_igw_traffic", "false", Value::Switch),
    // Cannot be changed for an Application Load Balancer.
    ("load_balancing.cross_zone.enabled", "true", Value::OneOf(&["true"])),
    ("routing.http.desync_mitigation_mode", "defensive", Value::OneOf(&["monitor", "defensive", "strictest"])),
    ("routing.http.drop_invalid_header_fields.enabled", "false", Value::Switch),
    ("routing.http.preserve_host_header.enabled", "false", Value::Switch),
    ("routing.http.x_amzn_tls_version_and_cipher_suite.enabled", "false", Value::Switch),
    ("routing.http.xff_client_port.enabled", "false", Value::Switch),
    ("routing.http.xff_header_processing.mode", "append", Value::OneOf(&["append", "preserve", "remove"])),
    ("routing.http2.enabled", "true", Value::Switch),
    ("waf.fail_open.enabled", "false", Value::Switch),
    ("zonal_shift.config.enabled", "false", Value::Switch),
];

/// A target group's attributes (`ELBv2` API: `TargetGroupAttribute`).
const OF_GROUP: &[Known] = &[
    ("deregistration_delay.timeout_seconds", "300", Value::Number(0..=3600)),
    ("load_balancing.algorithm.anomaly_mitigation", "off", Value::OneOf(&["on", "off"])),
    (
        "load_balancing.algorithm.type",
        "round_robin",
        Value::OneOf(&["round_robin", "least_outstanding_requests", "weighted_random"]),
    ),
    (
        "load_balancing.cross_zone.enabled",
        "use_load_balancer_configuration",
        Value::OneOf(&["true", "false", "use_load_balancer_configuration"]),
    ),
    ("slow_start.duration_seconds", "0", Value::ZeroOr(30..=900)),
    ("stickiness.app_cookie.cookie_name", "", Value::Text),
    ("stickiness.app_cookie.duration_seconds", "86400", Value::Number(1..=604_800)),
    ("stickiness.enabled", "false", Value::Switch),
    ("stickiness.lb_cookie.duration_seconds", "86400", Value::Number(1..=604_800)),
    ("stickiness.type", "lb_cookie", Value::OneOf(&["lb_cookie", "app_cookie"])),
    ("target_group_health.dns_failover.minimum_healthy_targets.count", "1", Value::OffOr(1..=1000)),
    ("target_group_health.dns_failover.minimum_healthy_targets.percentage", "off", Value::OffOr(1..=100)),
    ("target_group_health.unhealthy_state_routing.minimum_healthy_targets.count", "1", Value::Number(1..=1000)),
    ("target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage", "off", Value::OffOr(1..=100)),
];

/// A listener's attributes, as far as the edge does what they say (`ELBv2` API: `ListenerAttribute`).
const OF_LISTENER: &[Known] = &[("routing.http.response.server.enabled", "true", Value::Switch)];

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
            if shape.fits(value) {
                return Ok((key.to_owned(), value.to_owned()));
            }
            let why = format!("{what} attribute '{key}' cannot be '{value}'; {}", shape.told());
            Err(refuse("InvalidConfigurationRequest", why))
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
        let attributes = balancers::find(state, input.need("LoadBalancerArn")?)?.attributes.clone();
        let after: BTreeMap<_, _> = attributes.into_iter().chain(pairs).collect();
        logs_somewhere(state, &after)?;
        let attributes = &mut balancers::find(state, input.need("LoadBalancerArn")?)?.attributes;
        *attributes = after;
        Ok(all(OF_BALANCER, attributes).into())
    })
}

/// Logs that are on need a bucket that is there.
fn logs_somewhere(state: &State, attributes: &BTreeMap<String, String>) -> Result<(), ApiError> {
    for kind in ["access_logs", "connection_logs", "health_check_logs"] {
        let get = |name: &str| attributes.get(&format!("{kind}.s3.{name}")).map(String::as_str).unwrap_or_default();
        if get("enabled") != "true" {
            continue;
        }
        let bucket = get("bucket");
        if bucket.is_empty() {
            let why = format!("The value of '{kind}.s3.bucket' cannot be empty");
            return Err(refuse("InvalidConfigurationRequest", why));
        }
        if !state.buckets.contains_key(bucket) {
            let why = format!("Access Denied for bucket: {bucket}. Please check S3bucket permission");
            return Err(refuse("InvalidConfigurationRequest", why));
        }
    }
    Ok(())
}

/// What a group's attributes may not be together.
fn together(attributes: &BTreeMap<String, String>) -> Result<(), ApiError> {
    let get = |name: &str| {
        let default = OF_GROUP.iter().find(|(key, _, _)| *key == name).map_or("", |(_, default, _)| *default);
        attributes.get(name).map_or(default, String::as_str)
    };
    let refused = |why: &str| Err(refuse("InvalidConfigurationRequest", why));
    let algorithm = get("load_balancing.algorithm.type");
    if get("slow_start.duration_seconds") != "0" && algorithm != "round_robin" {
        return refused("Slow start is only there with the load balancing algorithm round_robin");
    }
    if get("load_balancing.algorithm.anomaly_mitigation") == "on" && algorithm != "weighted_random" {
        return refused("Anomaly mitigation is only there with the load balancing algorithm weighted_random");
    }
    let cookie = get("stickiness.app_cookie.cookie_name");
    if get("stickiness.type") == "app_cookie" && cookie.is_empty() {
        return refused("The stickiness type app_cookie needs stickiness.app_cookie.cookie_name");
    }
    if cookie.starts_with("AWSALB") {
        return refused("A cookie name cannot begin with AWSALB, AWSALBAPP or AWSALBTG, which are the load balancer's");
    }
    Ok(())
}

pub(super) fn of_listener(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    let state = cloud.shared().lock();
    super::listeners::find(&state, input.need("ListenerArn")?)?;
    Ok(all(OF_LISTENER, &BTreeMap::new()).into())
}

pub(super) fn of_group(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    let mut state = cloud.shared().lock();
    Ok(all(OF_GROUP, &groups::find(&mut state, input.need("TargetGroupArn")?)?.attributes).into())
}

pub(super) fn modify_group(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    let pairs = read(OF_GROUP, input, "Target group")?;
    cloud.change(|state| {
        let attributes = &mut groups::find(state, input.need("TargetGroupArn")?)?.attributes;
        let after: BTreeMap<_, _> = attributes.clone().into_iter().chain(pairs).collect();
        together(&after)?;
        *attributes = after;
        Ok(all(OF_GROUP, attributes).into())
    })
}
