//! `CloudWatch`, as far as a balancer's traffic is looked up.
//!
//! Source: ALB user guide, "`CloudWatch` metrics for your Application Load Balancer" (names and dimensions);
//! `CloudWatch` API reference, `GetMetricData`.

use std::collections::{BTreeMap, HashMap};
use std::time::SystemTime;

use async_trait::async_trait;
use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::types::{Dimension, Metric, MetricDataQuery, MetricStat};
use aws_smithy_types::DateTime;

use super::error::explain;
use crate::clients::ClientResult;
use crate::clients::metrics::{Count, Measured, MetricsRead, Minute, Window};

const NAMESPACE: &str = "AWS/ApplicationELB";
/// A balancer measures by the minute, and no finer.
const MINUTE: i32 = 60;

/// What the data plane measured.
pub(super) struct CloudWatch {
    client: Client,
}

/// A value and the start of the period it belongs to.
type Point = (SystemTime, f64);

impl CloudWatch {
    pub(super) fn new(client: Client) -> Self {
        Self { client }
    }

    async fn ask(&self, queries: Vec<MetricDataQuery>, window: Window) -> ClientResult<HashMap<String, Vec<Point>>> {
        let mut found: HashMap<String, Vec<Point>> = HashMap::new();
        let mut token = None;
        loop {
            let page = self
                .client
                .get_metric_data()
                .set_metric_data_queries(Some(queries.clone()))
                .start_time(DateTime::from(window.from))
                .end_time(DateTime::from(window.to))
                .set_next_token(token)
                .send()
                .await
                .map_err(|e| explain("read what the balancer measured", "cloudwatch:GetMetricData", e))?;
            for result in page.metric_data_results() {
                let at = result.timestamps().iter().filter_map(|at| SystemTime::try_from(*at).ok());
                let points = at.zip(result.values().iter().copied());
                found.entry(result.id().unwrap_or_default().to_owned()).or_default().extend(points);
            }
            token = page.next_token().map(str::to_owned);
            if token.is_none() {
                return Ok(found);
            }
        }
    }
}

#[async_trait]
impl MetricsRead for CloudWatch {
    async fn traffic(&self, of: &Measured, window: Window) -> ClientResult<Vec<Minute>> {
        let mut queries = Vec::new();
        for (side, group) in of.groups.iter().enumerate() {
            for (kind, metric) in COUNTED {
                queries.push(query(format!("{kind}{side}"), metric, of, Some(group), "Sum", MINUTE));
            }
        }
        queries.push(query("balancer".to_owned(), "HTTPCode_ELB_5XX_Count", of, None, "Sum", MINUTE));
        let found = self.ask(queries, window).await?;
        let mut minutes: BTreeMap<SystemTime, Minute> = BTreeMap::new();
        for (id, points) in found {
            for (at, value) in points {
                let empty = Minute { at, sides: [Count::default(); 2], balancer_errors: 0 };
                enter(minutes.entry(at).or_insert(empty), &id, whole(value));
            }
        }
        Ok(minutes.into_values().collect())
    }

    async fn response_times(
        &self,
        of: &Measured,
        side: usize,
        window: Window,
        percents: &[f64],
    ) -> ClientResult<Vec<Option<(f64, f64)>>> {
        let length = window.to.duration_since(window.from).unwrap_or_default();
        let period = i32::try_from(length.as_secs()).unwrap_or(MINUTE).clamp(MINUTE, DAY);
        let group = of.groups.get(side).map(String::as_str);
        let queries = percents
            .iter()
            .enumerate()
            .map(|(n, percent)| query(format!("p{n}"), "TargetResponseTime", of, group, &statistic(*percent), period));
        let found = self.ask(queries.collect(), window).await?;
        let one = |n: usize| {
            let values = found.get(&format!("p{n}")).into_iter().flatten().map(|(_, value)| *value);
            values.fold(None, |kept: Option<(f64, f64)>, value| {
                Some(kept.map_or((value, value), |(least, most)| (least.min(value), most.max(value))))
            })
        };
        Ok((0..percents.len()).map(one).collect())
    }
}

/// What is counted of a group, by the first letter of its query.
const COUNTED: [(&str, &str); 3] = [
    ("requests", "RequestCount"),
    ("answered", "HTTPCode_Target_5XX_Count"),
    ("refused", "TargetConnectionErrorCount"),
];

/// The longest period there is.
const DAY: i32 = 86_400;

fn enter(minute: &mut Minute, id: &str, value: u64) {
    let [old, new] = &mut minute.sides;
    match id {
        "requests0" => old.requests += value,
        "requests1" => new.requests += value,
        "answered0" | "refused0" => old.errors += value,
        "answered1" | "refused1" => new.errors += value,
        _ => minute.balancer_errors += value,
    }
}

fn query(id: String, metric: &str, of: &Measured, group: Option<&str>, stat: &str, period: i32) -> MetricDataQuery {
    let dimension = |name: &str, value: &str| Dimension::builder().name(name).value(value).build();
    let metric = Metric::builder()
        .namespace(NAMESPACE)
        .metric_name(metric)
        .set_dimensions(Some(
            group
                .map(|arn| dimension("TargetGroup", of_group(arn)))
                .into_iter()
                .chain([dimension("LoadBalancer", of_balancer(&of.balancer))])
                .collect(),
        ))
        .build();
    let stat = MetricStat::builder().metric(metric).stat(stat).period(period).build();
    MetricDataQuery::builder().id(id).metric_stat(stat).build()
}

/// `app/NAME/ID`, the last part of a balancer's ARN.
fn of_balancer(arn: &str) -> &str {
    arn.split_once(":loadbalancer/").map_or(arn, |(_, name)| name)
}

/// `targetgroup/NAME/ID`, the last part of a group's ARN.
fn of_group(arn: &str) -> &str {
    arn.rsplit_once(':').map_or(arn, |(_, name)| name)
}

/// A percentile's name: at most ten places behind the point; two are more than the measurement is worth.
fn statistic(percent: f64) -> String {
    let text = format!("{:.2}", percent.clamp(0.0, 100.0));
    format!("p{}", text.trim_end_matches('0').trim_end_matches('.'))
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates, which is what is wanted")]
fn whole(value: f64) -> u64 {
    value.round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_guide() {
        let arn = "arn:aws:elasticloadbalancing:r:1:loadbalancer/app/shop/50dc6c495c0c9188";
        assert_eq!(of_balancer(arn), "app/shop/50dc6c495c0c9188");
        let arn = "arn:aws:elasticloadbalancing:r:1:targetgroup/shop-new/73e2d6bc24d8a067";
        assert_eq!(of_group(arn), "targetgroup/shop-new/73e2d6bc24d8a067");
        assert_eq!([99.0, 97.234, 50.0, 100.0, 0.0].map(statistic), ["p99", "p97.23", "p50", "p100", "p0"]);
    }
}
