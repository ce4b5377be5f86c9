//! What the rehearsal cloud holds: written by the control plane (`cloud`), acted on by the data plane (`edge`).

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::SystemTime;

use tokio::sync::watch;

use super::clock::Clock;
use super::metrics::Metrics;

/// The account number every ARN of the rehearsal carries.
pub const ACCOUNT: &str = "000000000000";

/// The zone id every alias to a CloudFront distribution names.
/// Source: Route 53 API reference, `AliasTarget`.
pub const CLOUDFRONT_ZONE: &str = "Z2FDTNDATAQYW2";

/// A handle on the cloud's state; clones share it. Whoever changes it calls [`Shared::changed`].
#[derive(Clone)]
pub struct Shared {
    state: Arc<Mutex<State>>,
    version: watch::Sender<u64>,
    /// The rehearsal's clock.
    pub clock: Clock,
    /// What the data plane measures, on that clock.
    pub metrics: Metrics,
}

impl Shared {
    /// A cloud with nothing in it.
    pub fn new(clock: Clock) -> Self {
        let metrics = Metrics::new(clock.clone());
        Self { state: Arc::default(), version: watch::Sender::new(0), clock, metrics }
    }

    /// Locks the state for a short, synchronous look or change. Never hold it over an `await`.
    pub fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Tells the data plane that something changed.
    pub fn changed(&self) {
        self.version.send_modify(|v| *v += 1);
    }

    /// A receiver that wakes at every [`Shared::changed`].
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.version.subscribe()
    }
}

/// Everything the control plane keeps, but for the objects of S3, which lie in files.
#[derive(Debug, Default)]
pub struct State {
    /// Hosted zones by id (`Z…`, without the `/hostedzone/` prefix).
    pub zones: BTreeMap<String, Zone>,
    /// Route 53 changes by id, with the moment each becomes INSYNC.
    pub changes: BTreeMap<String, SystemTime>,
    /// Load balancers by ARN.
    pub balancers: BTreeMap<String, Balancer>,
    /// Target groups by ARN.
    pub target_groups: BTreeMap<String, TargetGroup>,
    /// Listeners by ARN.
    pub listeners: BTreeMap<String, Listener>,
    /// Database instances by identifier.
    pub databases: BTreeMap<String, DatabaseInstance>,
    /// Distributions by their domain name (`d….cloudfront.net`).
    pub distributions: BTreeMap<String, Distribution>,
    /// Buckets by name.
    pub buckets: BTreeMap<String, Bucket>,
    /// Subnets by id.
    pub subnets: BTreeMap<String, Subnet>,
    /// What only the APIs show of a thing (creation time, VPC, comment, …), by ARN or id. The data plane has no use for it.
    pub facts: BTreeMap<String, BTreeMap<String, String>>,
    /// Tags, by ARN, of the things that keep none themselves.
    pub tags: BTreeMap<String, BTreeMap<String, String>>,
}

/// A subnet of a VPC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subnet {
    /// The VPC's id.
    pub vpc: String,
    /// The Availability Zone's name.
    pub zone: String,
    /// First address and prefix length.
    pub cidr: (std::net::Ipv4Addr, u8),
}

impl Subnet {
    /// Whether an address lies in it.
    pub fn holds(&self, address: std::net::Ipv4Addr) -> bool {
        let mask = u32::MAX.checked_shl(32 - u32::from(self.cidr.1.min(32))).unwrap_or(0);
        u32::from(address) & mask == u32::from(self.cidr.0) & mask
    }
}

/// A hosted zone.
#[derive(Debug, Clone)]
pub struct Zone {
    /// Fully qualified, lower case, without the final dot.
    pub name: String,
    /// Every record set of the zone.
    pub records: Vec<RecordSet>,
}

/// A resource record set.
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
    /// Set identifier and weight (0 to 255), for a weighted record.
    pub weighted: Option<(String, u8)>,
    /// Health check id, if any.
    pub health_check: Option<String>,
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

/// An RDS instance: a real Postgres server in a container.
#[derive(Debug, Clone)]
pub struct DatabaseInstance {
    /// `available`, `rebooting`, …
    pub status: String,
    /// Engine version, such as `15.18`.
    pub engine_version: String,
    /// Instance class, such as `db.t4g.medium`.
    pub class: String,
    /// The address clients connect to (an address of its container).
    pub address: String,
    /// Its port.
    pub port: u16,
    /// Master user name.
    pub master: String,
    /// The database made with it, if any.
    pub database: Option<String>,
    /// Multi-AZ.
    pub multi_az: bool,
    /// Parameters as they take effect now.
    pub parameters: BTreeMap<String, String>,
}

/// A CloudFront distribution, read from one private bucket.
#[derive(Debug, Clone)]
pub struct Distribution {
    /// Its id (`E…`).
    pub id: String,
    /// The alternate domain names it answers to.
    pub aliases: BTreeSet<String>,
    /// The bucket it reads.
    pub bucket: String,
    /// The key prefix put before every path, without a final slash; empty for none.
    pub origin_path: String,
    /// What `/` becomes.
    pub default_root: String,
    /// The loopback address its edge listens on; port 80 is served on 8080 and 443 on 8443 there.
    pub address: IpAddr,
}

/// A bucket, without its objects.
#[derive(Debug, Clone, Default)]
pub struct Bucket {
    /// All four Block Public Access switches are on.
    pub block_public: bool,
    /// The bucket policy, if any.
    pub policy: Option<String>,
    /// Versioning is enabled.
    pub versioned: bool,
    /// Tags.
    pub tags: BTreeMap<String, String>,
}
