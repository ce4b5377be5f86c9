//! Balancers: what `ELBv2` keeps.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::SystemTime;

/// An Application Load Balancer.
#[derive(Debug, Clone)]
pub struct Balancer {
    /// Its name.
    pub name: String,
    /// Its DNS name.
    pub dns_name: String,
    /// The zone id an alias to it must name.
    pub zone: String,
    /// The loopback address its edge listens on; port 80 is served on 8080 and 443 on 8443 there.
    pub address: IpAddr,
    /// `active` and so on.
    pub state: String,
    /// Load balancer attributes (`idle_timeout.timeout_seconds`, …).
    pub attributes: BTreeMap<String, String>,
}

/// A target group.
#[derive(Debug, Clone)]
pub struct TargetGroup {
    /// Its name.
    pub name: String,
    /// `HTTP` or `HTTPS`.
    pub protocol: String,
    /// The port a target gets traffic on unless it says otherwise.
    pub port: u16,
    /// `ip` or `instance`.
    pub target_type: String,
    /// How health is found out.
    pub health_check: HealthCheck,
    /// Target group attributes (`deregistration_delay.timeout_seconds`, `stickiness.enabled`, …).
    pub attributes: BTreeMap<String, String>,
    /// The registered targets, by (id, port).
    pub targets: BTreeMap<(String, u16), Target>,
    /// Tags.
    pub tags: BTreeMap<String, String>,
}

/// A target group's health check.
#[derive(Debug, Clone)]
pub struct HealthCheck {
    /// `HTTP` or `HTTPS`.
    pub protocol: String,
    /// `None` is the traffic port.
    pub port: Option<u16>,
    /// Path, with a leading slash.
    pub path: String,
    /// Seconds between two checks of one target.
    pub interval: u32,
    /// Seconds a check may take.
    pub timeout: u32,
    /// Checks in a row that make a target healthy.
    pub healthy: u32,
    /// Checks in a row that make a target unhealthy.
    pub unhealthy: u32,
    /// The codes that count as well, as AWS writes them: `200`, `200,302`, `200-299`.
    pub matcher: String,
}

/// A registered target.
#[derive(Debug, Clone)]
pub struct Target {
    /// `initial`, `healthy`, `unhealthy`, `unused`, `draining`, `unavailable`.
    pub state: String,
    /// AWS's reason code, such as `Target.ResponseCodeMismatch`; empty when healthy.
    pub reason: String,
    /// When a draining target is gone.
    pub gone_at: Option<SystemTime>,
}

/// A listener of a balancer.
#[derive(Debug, Clone)]
pub struct Listener {
    /// The balancer's ARN.
    pub balancer: String,
    /// `HTTP` or `HTTPS`.
    pub protocol: String,
    /// The port.
    pub port: u16,
    /// Certificate ARNs, the default one first.
    pub certificates: Vec<String>,
    /// What happens where no rule matches.
    pub default_action: Action,
    /// Rules by ARN.
    pub rules: BTreeMap<String, Rule>,
}

impl Listener {
    /// The ARNs of the target groups its rules and its default action forward to, each as often as it is named.
    pub fn forwards_to(&self) -> impl Iterator<Item = &String> {
        let actions = self.rules.values().map(|rule| &rule.action).chain(std::iter::once(&self.default_action));
        let groups =
            actions.filter_map(|action| if let Action::Forward { groups, .. } = action { Some(groups) } else { None });
        groups.flatten().map(|(arn, _)| arn)
    }
}

/// A listener rule.
#[derive(Debug, Clone)]
pub struct Rule {
    /// 1 to 50,000; the lowest that matches wins.
    pub priority: u32,
    /// All must match.
    pub conditions: Vec<Condition>,
    /// What happens then.
    pub action: Action,
    /// Tags.
    pub tags: BTreeMap<String, String>,
}

/// A condition of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// Any of these path patterns (`*` and `?`).
    Path(Vec<String>),
    /// Any of these host patterns.
    Host(Vec<String>),
    /// A header with any of these value patterns.
    Header(String, Vec<String>),
    /// Any of these methods.
    Method(Vec<String>),
    /// Any of these (key, value) patterns; a key may be left out.
    Query(Vec<(Option<String>, String)>),
}

/// What a listener does with a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// To target groups by weight (0 to 999 each, per request), sticky for so many seconds if given.
    Forward {
        /// Target group ARN and weight.
        groups: Vec<(String, u16)>,
        /// Target-group stickiness, in seconds.
        sticky: Option<u32>,
    },
    /// A redirect, in AWS's words (`#{host}` and so on are filled in).
    Redirect {
        /// `#{protocol}`, `HTTPS`, …
        protocol: String,
        /// `#{host}` or a name.
        host: String,
        /// `#{port}` or a number.
        port: String,
        /// `/#{path}`.
        path: String,
        /// `#{query}`.
        query: String,
        /// 301 or 302.
        status: u16,
    },
    /// A fixed response.
    Fixed {
        /// Status code.
        status: u16,
        /// Content type.
        content_type: String,
        /// Body.
        body: String,
    },
}
