//! A target group at one moment: which of its targets takes a request.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::meter::Meter;
use super::settings::Stickiness;
use super::upstream::Upstream;
use crate::rehearsal::state::{Network, Target, TargetGroup};

/// Target groups by weight.
pub struct Forward {
    /// The groups and their weights; a group that is gone has no targets.
    pub groups: Vec<(Arc<Group>, u32)>,
    /// The sum of the weights.
    pub total: u32,
    /// Seconds of target-group stickiness.
    pub sticky: Option<u32>,
}

/// A target group.
pub struct Group {
    /// Its ARN.
    pub arn: String,
    /// What its stickiness cookie says, so that no ARN is shown to clients.
    pub token: String,
    /// How it keeps a client at one target, if it does.
    pub stickiness: Option<Stickiness>,
    /// What is counted of it.
    pub meter: Arc<Meter>,
    candidates: Vec<Arc<Upstream>>,
    least_busy: bool,
    turn: AtomicUsize,
}

impl Group {
    /// The group `arn`, whose requests go to `candidates`.
    pub fn new(arn: &str, group: &TargetGroup, candidates: Vec<Arc<Upstream>>, meter: Arc<Meter>) -> Self {
        let algorithm = group.attributes.get("load_balancing.algorithm.type");
        Self {
            arn: arn.to_owned(),
            token: token(arn),
            stickiness: Stickiness::of(&group.attributes),
            meter,
            least_busy: algorithm.is_some_and(|kind| kind == "least_outstanding_requests"),
            // Each balancer node starts its turn somewhere; a rebuilt group must not always start with the first.
            turn: AtomicUsize::new(rand::random_range(0..candidates.len().max(1))),
            candidates,
        }
    }

    /// The next target in turn, or the one with the fewest requests under way; `None` where no target takes requests.
    pub fn next(&self) -> Option<&Arc<Upstream>> {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let first = turn.checked_rem(self.candidates.len())?;
        if self.least_busy {
            // from where the turn is, so that equals are served in turn
            let (before, after) = self.candidates.split_at(first);
            return after.iter().chain(before).min_by_key(|target| target.under_way());
        }
        self.candidates.get(first)
    }

    /// The target of that token, if it takes requests.
    pub fn target(&self, token: &str) -> Option<&Arc<Upstream>> {
        self.candidates.iter().find(|target| target.token == token)
    }

    /// How many targets take requests.
    pub fn width(&self) -> usize {
        self.candidates.len()
    }
}

impl Forward {
    /// The group for one request: uniformly at random over the sum of the weights; `None` where all weights are zero.
    pub fn pick(&self) -> Option<&Arc<Group>> {
        if self.total == 0 {
            return None;
        }
        // one group, the common case, needs no dice
        if let [(group, _)] = self.groups.as_slice() {
            return Some(group);
        }
        let mut at = rand::random_range(0..self.total);
        self.groups.iter().find_map(|(group, weight)| match at.checked_sub(*weight) {
            None => Some(group),
            Some(rest) => {
                at = rest;
                None
            }
        })
    }
}

/// The targets that take new requests: the healthy ones, or, where there are none, all but the draining (law L3).
pub fn candidates(network: &Network, group: &TargetGroup) -> Vec<SocketAddr> {
    let of = |wanted: fn(&Target) -> bool| -> Vec<SocketAddr> {
        let wanted = group.targets.iter().filter(|(_, t)| wanted(t));
        wanted.filter_map(|((id, port), _)| address(network, id, *port)).collect()
    };
    let healthy = of(|t| t.state == "healthy");
    if healthy.is_empty() { of(|t| !matches!(t.state.as_str(), "draining" | "unavailable")) } else { healthy }
}

/// Where a target listens: at an address, or at that of a running instance (law L8).
pub fn address(network: &Network, id: &str, port: u16) -> Option<SocketAddr> {
    let ip = id.parse().ok().or_else(|| network.instance_address(id).map(IpAddr::V4));
    ip.map(|ip| SocketAddr::new(ip, port))
}

/// FNV-1a: stable over restarts, as a client's cookie must be.
pub fn token(of: &str) -> String {
    let hash = of.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
    format!("{hash:016x}")
}
