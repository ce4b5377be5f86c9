//! Names: what Route 53 keeps.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::SystemTime;

/// A hosted zone.
#[derive(Debug, Clone, Default)]
pub struct Zone {
    /// Fully qualified, lower case, without the final dot.
    pub name: String,
    /// Every record set of the zone.
    pub records: Vec<RecordSet>,
    /// Whether the registrar, which is outside of this cloud, points to this zone's servers. A zone below another of
    /// this cloud may be delegated to by that one's NS records instead (law R9).
    pub delegated: bool,
}

impl Zone {
    /// The name servers it names itself, as its NS record at the apex says.
    pub fn servers(&self) -> &[String] {
        match self.records.iter().find(|r| r.kind == "NS" && r.name == self.name).map(|r| &r.answer) {
            Some(Answer::Values(values)) => values,
            _ => &[],
        }
    }
}

/// A resource record set. Its name is kept lower case and without the final dot; every byte but `a-z0-9-_*` stands as
/// an octal escape, as in `a\041b.shop.test`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordSet {
    /// Fully qualified, lower case, without the final dot.
    pub name: String,
    /// `A`, `AAAA`, `CNAME`, …
    pub kind: String,
    /// Seconds; an alias has none of its own (law R5).
    pub ttl: Option<u32>,
    /// What it answers.
    pub answer: Answer,
    /// How it is chosen among those of its name and type.
    pub routing: Routing,
    /// Health check id, if any.
    pub health_check: Option<String>,
}

/// A routing policy. Source: Route 53 developer guide, "Choosing a routing policy".
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Routing {
    /// The only one of its name and type.
    #[default]
    Simple,
    /// By weight.
    Weighted {
        /// Set identifier.
        id: String,
        /// 0 to 255.
        weight: u8,
    },
    /// The primary while it is healthy, else the secondary.
    Failover {
        /// Set identifier.
        id: String,
        /// Primary, not secondary.
        primary: bool,
    },
    /// Up to eight of the healthy ones.
    Multivalue {
        /// Set identifier.
        id: String,
    },
}

impl Routing {
    /// The set identifier.
    pub fn id(&self) -> Option<&str> {
        match self {
            Self::Simple => None,
            Self::Weighted { id, .. } | Self::Failover { id, .. } | Self::Multivalue { id } => Some(id),
        }
    }

    /// In Route 53's words, as its messages have it.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Simple => "simple",
            Self::Weighted { .. } => "weighted",
            Self::Failover { .. } => "failover",
            Self::Multivalue { .. } => "multivalue answer",
        }
    }
}

/// What a record set answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Plain values.
    Values(Vec<String>),
    /// An alias to a balancer, a distribution or another record of the zone.
    Alias {
        /// The other's DNS name, lower case, without the final dot.
        name: String,
        /// The other's hosted zone id.
        zone: String,
        /// Whether the other's health counts.
        evaluate_health: bool,
    },
}

/// A Route 53 health check: what to ask, and what was found. Source: Route 53 API reference, `HealthCheckConfig`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools)] // they are AWS's own, each set by itself
pub struct Checkup {
    /// The caller's reference.
    pub reference: String,
    /// Counts every update.
    pub version: u64,
    /// `HTTP`, `HTTPS`, `HTTP_STR_MATCH`, `HTTPS_STR_MATCH`, `TCP` or `CALCULATED`.
    pub kind: String,
    /// Where to ask; without one, the address of `host`.
    pub address: Option<IpAddr>,
    /// The port.
    pub port: Option<u16>,
    /// The path, with a leading slash.
    pub path: Option<String>,
    /// What the `Host` header says, or where to ask.
    pub host: Option<String>,
    /// What the first 5,120 bytes of the body must hold.
    pub search: Option<String>,
    /// Seconds between two checks: 10 or 30.
    pub interval: u32,
    /// Checks in a row that change its mind: 1 to 10.
    pub threshold: u32,
    /// Healthy is unhealthy and the other way round.
    pub inverted: bool,
    /// Not checked, and taken for healthy.
    pub disabled: bool,
    /// Whether latency is measured; kept, not acted on.
    pub latency: bool,
    /// Whether the host's name is sent in TLS.
    pub sni: bool,
    /// How many children must be healthy.
    pub children_healthy: Option<u32>,
    /// The health checks a calculated one looks at.
    pub children: Vec<String>,
    /// The regions of its checkers.
    pub regions: Vec<String>,
    /// What was found.
    pub found: Found,
}

/// What a health check found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// The endpoint failed as often as the threshold says. A new check is taken for healthy.
    pub failing: bool,
    /// The last check: when, and how it went in Route 53's words.
    pub last: Option<(SystemTime, String)>,
    /// The last check that failed.
    pub last_failure: Option<(SystemTime, String)>,
}

/// How deep calculated checks may look at calculated checks before it is taken for a circle.
const DEPTH: u8 = 8;

/// Whether a health check says healthy; one that is gone says so too.
pub fn is_well(checkups: &BTreeMap<String, Checkup>, id: &str) -> bool {
    well(checkups, id, DEPTH)
}

fn well(checkups: &BTreeMap<String, Checkup>, id: &str, left: u8) -> bool {
    let Some(check) = checkups.get(id) else { return true };
    let well = if check.disabled || left == 0 {
        true
    } else if check.kind == "CALCULATED" {
        let healthy = check.children.iter().filter(|child| well(checkups, child, left - 1)).count();
        healthy >= check.children_healthy.unwrap_or(0) as usize
    } else {
        !check.found.failing
    };
    well != check.inverted
}
