//! The attributes of a balancer and of a target group that the data plane goes by.
//!
//! Source: Elastic Load Balancing API reference, `LoadBalancerAttribute` and `TargetGroupAttribute`.

use std::collections::BTreeMap;
use std::time::Duration;

/// What becomes of the `X-Forwarded-For` header that a client sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ForwardedFor {
    /// The client's address is put to its end.
    Append,
    /// It goes on as it came, or not at all.
    Preserve,
    /// It is taken out.
    Remove,
}

/// A balancer's attributes.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "each is an attribute of AWS's with a name of its own")]
pub struct Settings {
    /// How long nothing may move on a connection (law L6).
    pub idle: Duration,
    /// How long a client's connection may stand.
    pub keep_alive: Duration,
    /// What becomes of `X-Forwarded-For`.
    pub forwarded_for: ForwardedFor,
    /// Whether `X-Forwarded-For` names the client's port as well.
    pub client_port: bool,
    /// Whether the `Host` header goes on exactly as it came.
    pub preserve_host: bool,
    /// Whether headers with odd names are taken out.
    pub drop_invalid: bool,
    /// Whether targets are told the TLS version and cipher.
    pub tell_tls: bool,
    /// Whether an access log is kept.
    pub log: bool,
}

impl Settings {
    /// What `attributes` say, and AWS's defaults.
    pub fn of(attributes: &BTreeMap<String, String>) -> Self {
        let on = |key: &str| attributes.get(key).is_some_and(|value| value == "true");
        Self {
            idle: seconds(attributes, "idle_timeout.timeout_seconds", 60),
            keep_alive: seconds(attributes, "client_keep_alive.seconds", 3600),
            forwarded_for: match attributes.get("routing.http.xff_header_processing.mode").map(String::as_str) {
                Some("preserve") => ForwardedFor::Preserve,
                Some("remove") => ForwardedFor::Remove,
                _ => ForwardedFor::Append,
            },
            client_port: on("routing.http.xff_client_port.enabled"),
            preserve_host: on("routing.http.preserve_host_header.enabled"),
            drop_invalid: on("routing.http.drop_invalid_header_fields.enabled"),
            tell_tls: on("routing.http.x_amzn_tls_version_and_cipher_suite.enabled"),
            log: on("access_logs.s3.enabled"),
        }
    }
}

/// How a group keeps a client at the target it was sent to first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stickiness {
    /// The application's cookie that stickiness follows; `None` where it is the balancer's alone.
    pub app_cookie: Option<String>,
    /// How long it lasts.
    pub lasts: Duration,
}

impl Stickiness {
    /// What a target group's `attributes` say; `None` where it is off.
    pub fn of(attributes: &BTreeMap<String, String>) -> Option<Self> {
        if attributes.get("stickiness.enabled").is_none_or(|on| on != "true") {
            return None;
        }
        if attributes.get("stickiness.type").is_some_and(|kind| kind == "app_cookie") {
            let name = attributes.get("stickiness.app_cookie.cookie_name").filter(|name| !name.is_empty())?;
            let lasts = seconds(attributes, "stickiness.app_cookie.duration_seconds", 86400);
            return Some(Self { app_cookie: Some(name.clone()), lasts });
        }
        Some(Self { app_cookie: None, lasts: seconds(attributes, "stickiness.lb_cookie.duration_seconds", 86400) })
    }
}

fn seconds(attributes: &BTreeMap<String, String>, key: &str, default: u64) -> Duration {
    Duration::from_secs(attributes.get(key).and_then(|value| value.parse().ok()).unwrap_or(default))
}
