//! The port to what a balancer measures of its traffic (`CloudWatch`).

use std::time::SystemTime;

use async_trait::async_trait;

use super::ClientResult;

/// Whose figures are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Measured {
    /// The balancer's ARN.
    pub balancer: String,
    /// The ARNs of the two groups, the old side's first.
    pub groups: [String; 2],
}

/// A stretch of whole minutes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Where it begins: at the start of a minute.
    pub from: SystemTime,
    /// Where it ends, exclusive: at the start of a minute.
    pub to: SystemTime,
}

/// What was counted of one group.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    /// Requests for which one of its targets was chosen.
    pub requests: u64,
    /// Of these, those that a target answered with 5xx, and those whose target took no connection.
    pub errors: u64,
}

impl std::ops::Add for Count {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { requests: self.requests + other.requests, errors: self.errors + other.errors }
    }
}

/// One minute with data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Minute {
    /// Its start.
    pub at: SystemTime,
    /// The old side's, then the new side's.
    pub sides: [Count; 2],
    /// What the balancer itself answered with 5xx; it does not say for which group.
    pub balancer_errors: u64,
}

/// What can be looked up.
#[async_trait]
pub trait MetricsRead: Send + Sync {
    /// The minutes of the window in which anything was counted, the oldest first. No data is not zero: a minute without
    /// any is not there.
    async fn traffic(&self, of: &Measured, window: Window) -> ClientResult<Vec<Minute>>;

    /// Response times of one side (0: old, 1: new) over the window, in seconds: one for each of `percents` (0 to 100),
    /// `None` where there is no data. The service may cut a window in two; of a percentile that comes twice, both count:
    /// the least and the greatest are given.
    async fn response_times(
        &self,
        of: &Measured,
        side: usize,
        window: Window,
        percents: &[f64],
    ) -> ClientResult<Vec<Option<(f64, f64)>>>;
}
