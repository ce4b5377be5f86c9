//! What the tests of CloudWatch share: a balancer's metrics of some minutes ago, and queries for them.

use std::ops::Deref;
use std::time::Duration;

use super::super::super::metrics::{APPLICATION_ELB, Id, Stat};
use super::super::rig;
use super::super::wire::{ApiError, Node};
use super::SERVICE;

pub(super) use rig::refused;

const BALANCER: &str = "app/shop/1";

/// A cloud of its own.
pub(super) struct Rig(rig::Rig);

impl Deref for Rig {
    type Target = rig::Rig;

    fn deref(&self) -> &rig::Rig {
        &self.0
    }
}

#[allow(clippy::unused_self)] // what a test says reads as the rig's
impl Rig {
    pub fn new() -> Self {
        Self(rig::Rig::new())
    }

    pub fn call(&self, name: &str, input: &Node) -> Result<Node, ApiError> {
        self.0.ask(&SERVICE, name, input)
    }

    fn put(&self, metric: &str, minutes_ago: u64, stat: &Stat) {
        let at = self.clock.now() - Duration::from_mins(minutes_ago);
        let id = Id::new(APPLICATION_ELB, metric, [("LoadBalancer", BALANCER)]);
        self.cloud.shared().metrics.put(id, at, stat);
    }

    /// So many samples of 1.
    pub fn count(&self, metric: &str, minutes_ago: u64, samples: u64) {
        let sum = u32::try_from(samples).unwrap().into();
        self.put(metric, minutes_ago, &Stat::of_set(samples, sum, 1.0, 1.0));
    }

    pub fn observe(&self, metric: &str, minutes_ago: u64, value: f64) {
        self.put(metric, minutes_ago, &Stat::of(value));
    }

    fn named(metric: &str) -> Node {
        let dimension = Node::default().put("Name", "LoadBalancer").put("Value", BALANCER);
        Node::default().put("Namespace", APPLICATION_ELB).put("MetricName", metric).list(
            "Dimensions",
            "member",
            [dimension],
        )
    }

    fn stat(id: &str, metric: &str, stat: &str, period: u32) -> Node {
        let metric = Node { name: "Metric".into(), ..Self::named(metric) };
        let stat = Node::new("MetricStat").with(metric).put("Period", period).put("Stat", stat);
        Node::default().put("Id", id).with(stat)
    }

    pub fn metric(&self, id: &str, metric: &str, stat: &str) -> Node {
        Self::stat(id, metric, stat, 60)
    }

    pub fn period(&self, id: &str, period: u32) -> Node {
        Self::stat(id, "RequestCount", "Sum", period)
    }

    pub fn expression(&self, id: &str, text: &str) -> Node {
        Node::default().put("Id", id).put("Expression", text)
    }

    /// The last ten minutes of these.
    pub fn data(&self, queries: impl IntoIterator<Item = Node>) -> Node {
        let now = self.clock.now();
        Node::default().put("StartTime", now - Duration::from_mins(10)).put("EndTime", now).list(
            "MetricDataQueries",
            "member",
            queries,
        )
    }

    pub fn statistics(&self, metric: &str, period: u32, names: &[&str]) -> Node {
        // from a whole five minutes on, so that one period holds the last ones
        let now = self.clock.now();
        Self::named(metric)
            .put("StartTime", now - Duration::from_mins(4))
            .put("EndTime", now)
            .put("Period", period)
            .texts_list("Statistics", "member", names)
    }
}
