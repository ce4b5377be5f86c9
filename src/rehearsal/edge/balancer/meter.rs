//! What a balancer counts, in AWS's metrics and by AWS's dimensions.
//!
//! Source: ALB user guide, "`CloudWatch` metrics for your Application Load Balancer". By Availability Zone nothing is
//! counted: a rehearsal's balancer is one node.

use std::sync::Arc;
use std::time::Duration;

use crate::rehearsal::metrics::{APPLICATION_ELB, Id, Kind, Metrics, Series};

/// What is counted of a balancer, or of one of its target groups.
pub struct Meter {
    metrics: Metrics,
    requests: Arc<Series>,
    /// 2xx to 5xx.
    answers: [Arc<Series>; 4],
    response_time: Arc<Series>,
    connection_errors: Arc<Series>,
    /// Of a group: its share of a target, by group alone and by both.
    per_target: Vec<Arc<Series>>,
    /// Of a balancer.
    own: Option<Own>,
}

/// What only a balancer as a whole has.
struct Own {
    /// 3xx to 5xx.
    answers: [Arc<Series>; 3],
    /// 500, 502, 503 and 504 by themselves.
    errors: [(u16, Arc<Series>); 4],
    redirects: Arc<Series>,
    fixed: Arc<Series>,
    new_connections: Arc<Series>,
    active_connections: Arc<Series>,
    tls_errors: Arc<Series>,
}

impl Meter {
    /// The meter of the balancer of that ARN.
    pub fn of_balancer(metrics: &Metrics, balancer: &str) -> Self {
        let dimensions = [("LoadBalancer", balancer_dimension(balancer))];
        let series = |metric: &str, kind| metrics.of(Id::new(APPLICATION_ELB, metric, dimensions), kind);
        let ones = |metric: &str| series(metric, Kind::Ones);
        let own = Own {
            answers: [3, 4, 5].map(|class| ones(&format!("HTTPCode_ELB_{class}XX_Count"))),
            errors: [500, 502, 503, 504].map(|code| (code, ones(&format!("HTTPCode_ELB_{code}_Count")))),
            redirects: ones("HTTP_Redirect_Count"),
            fixed: ones("HTTP_Fixed_Response_Count"),
            new_connections: ones("NewConnectionCount"),
            active_connections: ones("ActiveConnectionCount"),
            tls_errors: ones("ClientTLSNegotiationErrorCount"),
        };
        Self { own: Some(own), ..Self::common(metrics, series) }
    }

    /// The meter of a target group of that balancer.
    pub fn of_group(metrics: &Metrics, balancer: &str, group: &str) -> Self {
        let (group, balancer) =
            (("TargetGroup", group_dimension(group)), ("LoadBalancer", balancer_dimension(balancer)));
        let by = |dimensions: &[_], metric: &str, kind| {
            metrics.of(Id::new(APPLICATION_ELB, metric, dimensions.iter().copied()), kind)
        };
        let per_target =
            [vec![group], vec![group, balancer]].map(|by_which| by(&by_which, "RequestCountPerTarget", Kind::Sums));
        let series = |metric: &str, kind| by(&[group, balancer], metric, kind);
        Self { per_target: per_target.into(), ..Self::common(metrics, series) }
    }

    fn common(metrics: &Metrics, series: impl Fn(&str, Kind) -> Arc<Series>) -> Self {
        Self {
            metrics: metrics.clone(),
            requests: series("RequestCount", Kind::Ones),
            answers: [2, 3, 4, 5].map(|class| series(&format!("HTTPCode_Target_{class}XX_Count"), Kind::Ones)),
            response_time: series("TargetResponseTime", Kind::Values),
            connection_errors: series("TargetConnectionErrorCount", Kind::Ones),
            per_target: Vec::new(),
            own: None,
        }
    }

    /// The present minute of the rehearsal: asked once for a request.
    pub fn minute(&self) -> u64 {
        self.metrics.minute()
    }

    /// A target was chosen for a request, one of `width`.
    pub fn requested(&self, minute: u64, width: usize) {
        self.requests.count(minute);
        let share = 1_000_000 / u64::try_from(width.max(1)).unwrap_or(1);
        for series in &self.per_target {
            series.observe(minute, share);
        }
    }

    /// A target answered with `status`, its head after `took`.
    pub fn answered(&self, minute: u64, status: u16, took: Duration) {
        if let Some(series) = usize::from(status / 100).checked_sub(2).and_then(|class| self.answers.get(class)) {
            series.count(minute);
        }
        self.response_time.observe(minute, u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
    }

    /// A target did not take a connection.
    pub fn not_connected(&self, minute: u64) {
        self.connection_errors.count(minute);
    }

    /// The balancer itself answered with `status`.
    pub fn answered_itself(&self, minute: u64, status: u16) {
        let Some(own) = &self.own else { return };
        if let Some(series) = usize::from(status / 100).checked_sub(3).and_then(|class| own.answers.get(class)) {
            series.count(minute);
        }
        if let Some((_, series)) = own.errors.iter().find(|(code, _)| *code == status) {
            series.count(minute);
        }
    }

    /// A redirect action answered.
    pub fn redirected(&self, minute: u64) {
        self.own.iter().for_each(|own| own.redirects.count(minute));
    }

    /// A fixed-response action answered.
    pub fn answered_as_fixed(&self, minute: u64) {
        self.own.iter().for_each(|own| own.fixed.count(minute));
    }

    /// A connection was made, from a client or to a target.
    pub fn connected(&self, minute: u64) {
        self.own.iter().for_each(|own| own.new_connections.count(minute));
    }

    /// A client's connection carries its first request of the minute.
    pub fn active(&self, minute: u64) {
        self.own.iter().for_each(|own| own.active_connections.count(minute));
    }

    /// A client's TLS handshake failed.
    pub fn not_negotiated(&self, minute: u64) {
        self.own.iter().for_each(|own| own.tls_errors.count(minute));
    }
}

/// `app/NAME/ID`, the last part of a balancer's ARN.
pub fn balancer_dimension(arn: &str) -> &str {
    arn.split_once(":loadbalancer/").map_or(arn, |(_, name)| name)
}

/// `targetgroup/NAME/ID`, the last part of a group's ARN.
pub fn group_dimension(arn: &str) -> &str {
    arn.rsplit_once(':').map_or(arn, |(_, name)| name)
}
