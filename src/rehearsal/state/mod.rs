//! What the rehearsal cloud holds: written by the control plane (`cloud`), acted on by the data plane (`edge`).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::SystemTime;

use tokio::sync::watch;

mod balancer;
mod bucket;
mod cdn;
mod certificate;
mod database;
mod dns;
mod network;
mod secret;

pub use balancer::{Action, Balancer, Condition, HealthCheck, Listener, Rule, Target, TargetGroup};
pub use bucket::Bucket;
pub use cdn::{
    AccessControl, Behavior, CacheRules, Cdn, CdnPolicy, Cors, Distribution, DistributionConfig, ErrorPage, Function,
    FunctionStage, HeadersRules, Invalidation, Origin, OriginKind, RequestRules, SetHeader, Which,
};
pub use certificate::Certificate;
pub use database::{DatabaseEvent, DatabaseInstance, DatabaseSnapshot, ParameterGroup, SubnetGroup};
pub use dns::{Answer, Checkup, Found, RecordSet, Routing, Zone, is_well};
pub use network::{
    Acl, AclEntry, Address, Cidr, Instance, Interface, KeyPair, NatGateway, Network, Peer, Phase, RouteTable,
    SecurityGroup, SecurityRule, Subnet, Vpc,
};
pub use secret::{Secret, SecretVersion};

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

    /// A state of its own that nobody acts on: how things were once, on the same clock and with the same metrics.
    #[must_use]
    pub fn frozen(&self, state: State) -> Self {
        Self { state: Arc::new(Mutex::new(state)), version: watch::Sender::new(0), ..self.clone() }
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
#[derive(Debug, Clone, Default)]
pub struct State {
    /// Hosted zones by id (`Z…`, without the `/hostedzone/` prefix).
    pub zones: BTreeMap<String, Zone>,
    /// Route 53 changes by id, with the moment each becomes INSYNC.
    pub changes: BTreeMap<String, SystemTime>,
    /// Route 53 health checks by id.
    pub checkups: BTreeMap<String, Checkup>,
    /// Load balancers by ARN.
    pub balancers: BTreeMap<String, Balancer>,
    /// Target groups by ARN.
    pub target_groups: BTreeMap<String, TargetGroup>,
    /// The names of target groups that the balancer sends nothing to, whatever the weights: a rehearsal's trouble.
    pub silent: std::collections::BTreeSet<String>,
    /// Listeners by ARN.
    pub listeners: BTreeMap<String, Listener>,
    /// Database instances by identifier.
    pub databases: BTreeMap<String, DatabaseInstance>,
    /// Parameter groups of databases by name; the default ones are not among them.
    pub parameter_groups: BTreeMap<String, ParameterGroup>,
    /// Subnet groups of databases by name.
    pub subnet_groups: BTreeMap<String, SubnetGroup>,
    /// Snapshots of databases by identifier.
    pub snapshots: BTreeMap<String, DatabaseSnapshot>,
    /// What happened to databases, oldest first.
    pub database_events: Vec<DatabaseEvent>,
    /// Distributions by their domain name (`d….cloudfront.net`).
    pub distributions: BTreeMap<String, Distribution>,
    /// What CloudFront keeps beside them.
    pub cdn: Cdn,
    /// Certificates by ARN.
    pub certificates: BTreeMap<String, Certificate>,
    /// Secrets by ARN.
    pub secrets: BTreeMap<String, Secret>,
    /// Buckets by name.
    pub buckets: BTreeMap<String, Bucket>,
    /// Subnets by id.
    pub subnets: BTreeMap<String, Subnet>,
    /// What else there is of EC2: VPCs, security groups, route tables, instances, …
    pub network: Network,
    /// What only the APIs show of a thing (creation time, VPC, comment, …), by ARN or id. The data plane has no use for it.
    pub facts: BTreeMap<String, BTreeMap<String, String>>,
    /// Tags, by ARN, of the things that keep none themselves.
    pub tags: BTreeMap<String, BTreeMap<String, String>>,
}
