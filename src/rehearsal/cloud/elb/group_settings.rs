//! A target group's health check: read from a request over what it was before, and checked.

use super::super::super::state::{HealthCheck, TargetGroup};
use super::super::wire::{ApiError, Node, refuse};

/// The health check an Application Load Balancer's target group starts with (`ELBv2` API: `CreateTargetGroup`).
pub(super) fn default_check() -> HealthCheck {
    HealthCheck {
        protocol: "HTTP".into(),
        port: None,
        path: "/".into(),
        interval: 30,
        timeout: 5,
        healthy: 5,
        unhealthy: 2,
        matcher: "200".into(),
    }
}

fn number(input: &Node, name: &str, from: u32, to: u32, before: u32) -> Result<u32, ApiError> {
    match input.get(name) {
        None => Ok(before),
        Some(text) => text
            .parse()
            .ok()
            .filter(|n| (from..=to).contains(n))
            .ok_or_else(|| refuse("ValidationError", format!("{name} '{text}' must be between {from} and {to}"))),
    }
}

/// Reads what a request says of the health check over `before`.
pub(super) fn check(input: &Node, before: &HealthCheck) -> Result<HealthCheck, ApiError> {
    let mut check = before.clone();
    if input.flag("HealthCheckEnabled")? == Some(false) {
        let why = "Health checks cannot be disabled for target groups with the target types 'instance' and 'ip'";
        return Err(refuse("ValidationError", why));
    }
    if input.child("Matcher").is_some_and(|m| m.get("GrpcCode").is_some()) {
        return Err(refuse("ValidationError", "A gRPC code can only be specified with the protocol version GRPC"));
    }
    check.interval = number(input, "HealthCheckIntervalSeconds", 5, 300, before.interval)?;
    check.timeout = number(input, "HealthCheckTimeoutSeconds", 2, 120, before.timeout)?;
    check.healthy = number(input, "HealthyThresholdCount", 2, 10, before.healthy)?;
    check.unhealthy = number(input, "UnhealthyThresholdCount", 2, 10, before.unhealthy)?;
    if check.timeout >= check.interval {
        let message =
            format!("Health check timeout '{}' must be smaller than the interval '{}'", check.timeout, check.interval);
        return Err(refuse("ValidationError", message));
    }
    match input.get("HealthCheckProtocol") {
        Some(protocol @ ("HTTP" | "HTTPS")) => protocol.clone_into(&mut check.protocol),
        Some(other) => {
            return Err(refuse(
                "ValidationError",
                format!("Health check protocol '{other}' must be one of '[HTTP, HTTPS]'"),
            ));
        }
        None => {}
    }
    match input.get("HealthCheckPort") {
        None => {}
        Some("traffic-port") => check.port = None,
        Some(text) => {
            let port = text.parse::<u16>().ok().filter(|p| *p > 0);
            let wrong = || {
                refuse(
                    "ValidationError",
                    format!("Health check port '{text}' must be 'traffic-port' or between 1 and 65535"),
                )
            };
            check.port = Some(port.ok_or_else(wrong)?);
        }
    }
    if let Some(path) = input.get("HealthCheckPath") {
        if !path.starts_with('/') || path.len() > 1024 {
            let message = format!("Health check path '{path}' must begin with '/' and have at most 1024 characters");
            return Err(refuse("ValidationError", message));
        }
        path.clone_into(&mut check.path);
    }
    if let Some(codes) = input.child("Matcher").and_then(|m| m.get("HttpCode")) {
        let code = |text: &str| text.trim().parse::<u16>().is_ok_and(|c| (200..=499).contains(&c));
        let fits = codes.split(',').all(|part| match part.split_once('-') {
            Some((from, to)) => code(from) && code(to) && from.trim() <= to.trim(),
            None => code(part),
        });
        if !fits {
            return Err(refuse(
                "ValidationError",
                format!("Health check matcher HTTP code '{codes}' must be within '200-499' inclusive"),
            ));
        }
        codes.clone_into(&mut check.matcher);
    }
    Ok(check)
}

/// Whether two groups were made alike, as far as `CreateTargetGroup` can say.
pub(super) fn alike(a: &TargetGroup, b: &TargetGroup) -> bool {
    let of = |g: &TargetGroup| {
        let c = &g.health_check;
        let words = [&g.protocol, &g.target_type, &c.protocol, &c.path, &c.matcher].map(Clone::clone);
        (words, g.port, c.port, [c.interval, c.timeout, c.healthy, c.unhealthy])
    };
    of(a) == of(b)
}
