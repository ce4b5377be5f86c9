//! What a health check is asked to do: read, refused where Route 53 would, and shown.
//! Source: Route 53 API reference, `HealthCheckConfig`.

use std::net::IpAddr;

use super::super::super::state::{Checkup, Found, State};
use super::super::wire::{ApiError, Node};
use super::input::{at_most, flag, invalid, need, number, one_of};

/// The regions of the checkers.
pub(super) const REGIONS: &[&str] = &[
    "us-east-1",
    "us-west-1",
    "us-west-2",
    "eu-west-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-northeast-1",
    "sa-east-1",
];

/// A parameter that does not fit the others.
fn wrong(why: &str) -> ApiError {
    invalid(format!("Invalid parameter : {why}"))
}

/// A new health check.
pub(super) fn read(state: &State, config: &Node, reference: &str) -> Result<Checkup, ApiError> {
    const KINDS: &[&str] = &[
        "HTTP",
        "HTTPS",
        "HTTP_STR_MATCH",
        "HTTPS_STR_MATCH",
        "TCP",
        "CALCULATED",
        "CLOUDWATCH_METRIC",
        "RECOVERY_CONTROL",
    ];
    let kind = one_of(need(config, "Type")?, "healthCheckConfig.type", KINDS)?;
    if matches!(kind, "CLOUDWATCH_METRIC" | "RECOVERY_CONTROL") {
        return Err(invalid(format!(
            "The rehearsal cloud has no alarms and no routing controls for a {kind} health check"
        )));
    }
    if config.child("AlarmIdentifier").is_some() {
        return Err(wrong("Basic health checks must not have an metric region specified."));
    }
    let interval = number(config, "RequestInterval", "healthCheckConfig.requestInterval", (10, 30_u32))?.unwrap_or(30);
    if interval != 10 && interval != 30 {
        return Err(wrong("The request interval must be 10 or 30 seconds."));
    }
    let blank = Checkup {
        reference: reference.to_owned(),
        version: 1,
        kind: kind.to_owned(),
        address: None,
        port: None,
        path: None,
        host: None,
        search: None,
        interval,
        threshold: 3,
        inverted: false,
        disabled: false,
        latency: flag(config, "MeasureLatency")?.unwrap_or(false),
        sni: kind.starts_with("HTTPS"),
        children_healthy: None,
        children: Vec::new(),
        regions: Vec::new(),
        found: Found::default(),
    };
    let mut check = merged(blank, config)?;
    if check.port.is_none() && kind != "CALCULATED" && kind != "TCP" {
        check.port = Some(if kind.starts_with("HTTPS") { 443 } else { 80 });
    }
    fits(state, &check)?;
    Ok(check)
}

/// A health check with the members of `given` in the place of its own; those that are not there stay.
pub(super) fn merged(mut check: Checkup, given: &Node) -> Result<Checkup, ApiError> {
    let at = |name: &str| format!("healthCheckConfig.{name}");
    if let Some(text) = given.get("IPAddress") {
        check.address = Some(endpoint(text)?);
    }
    check.port = number(given, "Port", &at("port"), (1, 65_535_u16))?.or(check.port);
    let text = |name: &str, own: Option<String>| match given.get(name) {
        Some(text) => at_most(text, &at(name), 255).map(|text| Some(text.to_owned())),
        None => Ok(own),
    };
    check.path = text("ResourcePath", check.path)?;
    check.host = text("FullyQualifiedDomainName", check.host)?;
    check.search = text("SearchString", check.search)?;
    check.threshold =
        number(given, "FailureThreshold", &at("failureThreshold"), (1, 10_u32))?.unwrap_or(check.threshold);
    check.inverted = flag(given, "Inverted")?.unwrap_or(check.inverted);
    check.disabled = flag(given, "Disabled")?.unwrap_or(check.disabled);
    check.sni = flag(given, "EnableSNI")?.unwrap_or(check.sni);
    check.children_healthy =
        number(given, "HealthThreshold", &at("healthThreshold"), (0, 256_u32))?.or(check.children_healthy);
    if given.child("ChildHealthChecks").is_some() {
        check.children = given.texts("ChildHealthChecks");
    }
    if given.child("Regions").is_some() {
        check.regions = given.texts("Regions");
    }
    Ok(check)
}

/// Health checkers stand outside of every network: they reach public addresses only. In a rehearsal those of the edge's
/// loopback range stand for public ones.
fn endpoint(text: &str) -> Result<IpAddr, ApiError> {
    let address: IpAddr = text.parse().map_err(|_| wrong("IPAddress is not a valid IPv4 or IPv6 address."))?;
    let reserved = match address {
        IpAddr::V4(v4) => {
            let edge = u32::from(v4) & 0xFFC0_0000 == 0x7F40_0000;
            v4.is_private()
                || v4.is_loopback() && !edge
                || v4.is_link_local()
                || v4.is_multicast()
                || v4.is_unspecified()
        }
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local() || v6.is_multicast(),
    };
    if reserved {
        return Err(wrong("IPAddress must not be in a local, private, non-routable, or multicast range."));
    }
    Ok(address)
}

/// Whether the members of a health check go together.
pub(super) fn fits(state: &State, check: &Checkup) -> Result<(), ApiError> {
    let kind = check.kind.as_str();
    for region in &check.regions {
        one_of(region, "healthCheckConfig.regions.member", REGIONS)?;
    }
    if (1..3).contains(&check.regions.len()) {
        return Err(wrong("At least three regions must be specified."));
    }
    if kind == "CALCULATED" {
        if check.address.is_some() || check.host.is_some() || check.port.is_some() || check.path.is_some() {
            return Err(wrong("Calculated health checks must not have an endpoint specified."));
        }
        if check.children.is_empty() || check.children.len() > 256 {
            return Err(wrong("Calculated health checks must have between 1 and 256 child health checks."));
        }
        if check.children_healthy.is_none() {
            return Err(wrong("Calculated health checks must have a health threshold specified."));
        }
        return match check.children.iter().find(|child| !state.checkups.contains_key(*child)) {
            Some(child) => Err(wrong(&format!("The child health check {child} was not found."))),
            None => Ok(()),
        };
    }
    if !check.children.is_empty() || check.children_healthy.is_some() {
        return Err(wrong("Basic health checks must not have child health checks specified."));
    }
    if check.address.is_none() && check.host.is_none() {
        return Err(wrong("Basic health checks must have an IP address or a fully qualified domain name specified."));
    }
    if kind == "TCP" {
        if check.address.is_some() && check.host.is_some() {
            let why = "TCP health checks that have IP address must not have a fully qualified domain name specified.";
            return Err(invalid(why));
        }
        if check.port.is_none() {
            return Err(wrong("TCP health checks must have a port specified."));
        }
        if check.path.is_some() {
            return Err(wrong("TCP health checks must not have a resource path specified."));
        }
    }
    if kind.ends_with("_STR_MATCH") != check.search.is_some() {
        return Err(wrong("A search string must be specified for string match health checks, and for no others."));
    }
    if check.sni && !kind.starts_with("HTTPS") {
        return Err(wrong("SNI can be enabled for HTTPS health checks only."));
    }
    Ok(())
}

pub(super) fn describe(id: &str, check: &Checkup) -> Node {
    let basic = check.kind != "CALCULATED";
    let mut config = Node::new("HealthCheckConfig")
        .put_some("IPAddress", check.address)
        .put_some("Port", check.port)
        .put("Type", &check.kind)
        .put_some("ResourcePath", check.path.as_ref())
        .put_some("FullyQualifiedDomainName", check.host.as_ref())
        .put_some("SearchString", check.search.as_ref());
    if basic {
        config = config
            .put("RequestInterval", check.interval)
            .put("FailureThreshold", check.threshold)
            .put("MeasureLatency", check.latency);
    }
    config = config
        .put("Inverted", check.inverted)
        .put("Disabled", check.disabled)
        .put_some("HealthThreshold", check.children_healthy);
    if !basic {
        config = config.texts_list("ChildHealthChecks", "ChildHealthCheck", &check.children);
    }
    if check.kind != "TCP" && basic {
        config = config.put("EnableSNI", check.sni);
    }
    if !check.regions.is_empty() {
        config = config.texts_list("Regions", "Region", &check.regions);
    }
    Node::new("HealthCheck")
        .put("Id", id)
        .put("CallerReference", &check.reference)
        .with(config)
        .put("HealthCheckVersion", check.version)
}
