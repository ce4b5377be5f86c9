//! How many targets are healthy, as metrics.
//!
//! Source: ALB user guide, "`CloudWatch` metrics for your Application Load Balancer": by target group and balancer, for
//! groups that have targets.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::users;
use crate::rehearsal::edge::balancer::{balancer_dimension, group_dimension};
use crate::rehearsal::metrics::{APPLICATION_ELB, Id, Kind, Series};
use crate::rehearsal::state::{Shared, TargetGroup};

/// How often it is looked, on real time: a minute that is skipped over has no data.
const EVERY: Duration = Duration::from_secs(1);

/// A metric, and the target states that count for it.
const METRICS: [(&str, &str); 2] = [("HealthyHostCount", "healthy"), ("UnHealthyHostCount", "unhealthy")];

/// Counts until `stop`, and at once when something changes.
pub async fn count(shared: Shared, stop: CancellationToken) {
    let mut watch = shared.watch();
    let mut every = tokio::time::interval(EVERY);
    let mut known = HashMap::new();
    loop {
        let minute = shared.metrics.minute();
        for (series, targets) in counted(&shared, &mut known) {
            series.observe(minute, targets * 1_000_000);
        }
        tokio::select! {
            () = stop.cancelled() => return,
            _ = every.tick() => {}
            changed = watch.changed() => if changed.is_err() { return },
        }
    }
}

type Known = HashMap<(String, String), [Arc<Series>; 2]>;

fn counted(shared: &Shared, known: &mut Known) -> Vec<(Arc<Series>, u64)> {
    let state = shared.lock();
    let mut counted = Vec::new();
    for (arn, balancer) in users(&state) {
        let Some(group) = state.target_groups.get(arn).filter(|group| !group.targets.is_empty()) else { continue };
        let series = known.entry((arn.to_owned(), balancer.to_owned())).or_insert_with(|| {
            let dimensions = [("TargetGroup", group_dimension(arn)), ("LoadBalancer", balancer_dimension(balancer))];
            METRICS.map(|(metric, _)| shared.metrics.of(Id::new(APPLICATION_ELB, metric, dimensions), Kind::Values))
        });
        for (series, (_, wanted)) in series.iter().zip(METRICS) {
            counted.push((series.clone(), in_state(group, wanted)));
        }
    }
    counted
}

fn in_state(group: &TargetGroup, wanted: &str) -> u64 {
    group.targets.values().filter(|target| target.state == wanted).count() as u64
}
