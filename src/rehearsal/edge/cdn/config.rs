//! A distribution as its edges know it: made from the state when something changes, read by every request.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::policy::Policy;
use super::resolve::resolve;
use crate::clients::viewer_function::Rules;
use crate::rehearsal::edge::glob;
use crate::rehearsal::state::ACCOUNT;
use crate::rehearsal::state::{
    Behavior, Distribution, DistributionConfig, ErrorPage, Invalidation, Origin, OriginKind, State,
};

/// A distribution at one moment.
pub struct Config {
    domain: String,
    now: Arc<Plan>,
    /// What some edges go on by until the change is deployed (law C6).
    before: Option<Arc<Plan>>,
    deployed_at: SystemTime,
    invalidations: Vec<Invalidation>,
}

/// What an edge does.
pub struct Plan {
    /// The distribution's id.
    pub id: String,
    /// Its domain name.
    pub domain: String,
    /// Its configuration.
    pub config: DistributionConfig,
    /// The function of the default behaviour first, then those of the others in order.
    functions: Vec<Option<Rules>>,
    /// What may be read of each bucket, by the origin's id.
    policies: BTreeMap<String, Policy>,
    /// Where the web servers are, by the origin's id.
    servers: BTreeMap<String, IpAddr>,
    /// The names on its certificate.
    certified: Vec<String>,
}

impl Config {
    /// The distribution of `domain` as `state` has it.
    pub fn of(domain: &str, distribution: &Distribution, state: &State) -> Self {
        let plan = |config: &DistributionConfig| Arc::new(Plan::of(domain, &distribution.id, config, state));
        Self {
            domain: domain.to_ascii_lowercase(),
            now: plan(&distribution.config),
            before: distribution.before.as_deref().map(plan),
            deployed_at: distribution.deployed_at,
            invalidations: distribution.invalidations.clone(),
        }
    }

    /// What the edge that a client meets does: while a change is deployed, every second connection meets one that has
    /// not heard of it yet (law C6). A new distribution that is not deployed yet is there already.
    pub fn plan(&self, now: SystemTime, from: SocketAddr) -> &Arc<Plan> {
        match &self.before {
            Some(before) if now < self.deployed_at && (from.port() >> 1) & 1 == 1 => before,
            _ => &self.now,
        }
    }

    /// Whether clients may ask for this name over TLS: its certificate has to hold for it (law C1).
    pub fn has_name(&self, name: &str) -> bool {
        let plans = || [Some(&self.now), self.before.as_ref()].into_iter().flatten();
        name == self.domain || plans().any(|p| p.has_alias(name) && p.certified.iter().any(|own| stands_for(own, name)))
    }

    /// Whether what was stored then has been dropped since, by an invalidation that is completed now.
    pub fn dropped(&self, path: &str, stored: SystemTime, now: SystemTime) -> bool {
        let completed = self.invalidations.iter().rev().filter(|i| i.done_at <= now && stored <= i.done_at);
        let root = format!("/{}", self.now.config.default_root);
        let names = |pattern: &str| match pattern.strip_suffix('*') {
            Some(prefix) => path.starts_with(prefix),
            None => path == pattern || (pattern == "/" && path == root),
        };
        completed.into_iter().any(|i| i.paths.iter().any(|p| names(p)))
    }
}

impl Plan {
    fn of(domain: &str, id: &str, config: &DistributionConfig, state: &State) -> Self {
        let arn = format!("arn:aws:cloudfront::{ACCOUNT}:distribution/{id}");
        let (mut policies, mut servers) = (BTreeMap::new(), BTreeMap::new());
        for (name, origin) in &config.origins {
            match &origin.kind {
                OriginKind::Bucket { bucket, signed, .. } => {
                    let found = state.buckets.get(bucket);
                    // An unsigned read is anybody's, and a private bucket has nothing for anybody.
                    let policy = found.filter(|b| *signed || !b.block_public).and_then(|b| b.policy.as_deref());
                    let reader = signed.then_some(arn.as_str());
                    policies.insert(name.clone(), policy.map(|p| Policy::parse(p, reader)).unwrap_or_default());
                }
                OriginKind::Custom { .. } => {
                    servers.extend(resolve(state, &origin.domain).map(|address| (name.clone(), address)));
                }
            }
        }
        let all = std::iter::once(&config.default).chain(config.behaviors.iter().map(|(_, b)| b));
        let functions = all.map(|b| b.function.as_deref().and_then(Rules::read)).collect();
        let certified = config.certificate.as_ref().and_then(|arn| state.certificates.get(arn));
        let certified = certified.map(|c| c.names.iter().map(|n| n.to_ascii_lowercase()).collect()).unwrap_or_default();
        Self {
            id: id.to_owned(),
            domain: domain.to_ascii_lowercase(),
            config: config.clone(),
            functions,
            policies,
            servers,
            certified,
        }
    }

    /// Whether it answers to this host.
    pub fn is_for(&self, host: &str) -> bool {
        host == self.domain || self.has_alias(host)
    }

    fn has_alias(&self, host: &str) -> bool {
        self.config.aliases.iter().any(|alias| stands_for(alias, host))
    }

    /// The behaviour of a path and its function: the first pattern that matches, or the default.
    pub fn behavior(&self, path: &str) -> (&Behavior, Option<&Rules>) {
        let matches = |pattern: &str| {
            let slash = if pattern.starts_with(['/', '*']) { "" } else { "/" };
            glob::matches(&format!("{slash}{pattern}"), path, false)
        };
        let found = self.config.behaviors.iter().position(|(pattern, _)| matches(pattern));
        let (behavior, at) = match found {
            Some(at) => (&self.config.behaviors[at].1, at + 1),
            None => (&self.config.default, 0),
        };
        (behavior, self.functions.get(at).and_then(Option::as_ref))
    }

    /// The origin of an id. The control plane has seen that it is there.
    pub fn origin(&self, id: &str) -> Option<&Origin> {
        self.config.origins.get(id)
    }

    /// What may be read of an origin's bucket.
    pub fn policy(&self, origin: &str) -> Option<&Policy> {
        self.policies.get(origin)
    }

    /// The address of an origin that is a web server.
    pub fn server(&self, origin: &str) -> Option<IpAddr> {
        self.servers.get(origin).copied()
    }

    /// What becomes of an error.
    pub fn error_page(&self, status: u16) -> Option<&ErrorPage> {
        self.config.error_pages.get(&status)
    }
}

/// Whether a name with perhaps a leading `*.` is a host's.
fn stands_for(name: &str, host: &str) -> bool {
    name == host
        || name.strip_prefix("*.").is_some_and(|parent| host.split_once('.').is_some_and(|(_, rest)| rest == parent))
}

/// How long a connection to an edge may be idle.
pub const IDLE: Duration = Duration::from_mins(1);
