//! `GetMetricData`.

use std::collections::BTreeMap;
use std::time::SystemTime;

use super::super::super::metrics::{Id, Metrics};
use super::super::super::state::State;
use super::super::Cloud;
use super::super::wire::operation::Output;
use super::super::wire::{ApiError, Node, refuse};
use super::asked::{Statistic, metric, moment, text, unit, unit_of, validation};
use super::expression::{self, Known};
use super::math::{Series, Value};
use super::period::{self, Span};

/// The most queries of one request.
const MOST: usize = 500;
/// The most data points of one answer, unless fewer are asked for.
const POINTS: usize = 100_800;

/// A query of a request.
struct Query {
    id: String,
    label: String,
    returned: bool,
    what: What,
}

enum What {
    Metric { id: Id, statistic: Statistic, span: Span, counts: bool },
    Expression { text: String, span: Span },
}

pub(super) fn get(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    let time = |name: &str| {
        let at = moment(input, name).map_err(|e| validation(e.message))?;
        at.ok_or_else(|| validation(format!("The parameter {name} is required.")))
    };
    let (from, until) = (time("StartTime")?, time("EndTime")?);
    if from == until {
        return Err(validation("The parameter StartTime must not equal parameter EndTime."));
    }
    if from > until {
        return Err(validation("The parameter StartTime must be less than the parameter EndTime."));
    }
    let ascending = match input.get("ScanBy") {
        None | Some("TimestampDescending") => false,
        Some("TimestampAscending") => true,
        Some(other) => return Err(validation(format!("The value {other} for parameter ScanBy is invalid."))),
    };
    let most = input.number::<usize>("MaxDatapoints")?.unwrap_or(POINTS).clamp(1, POINTS);
    let skip = match input.get("NextToken") {
        Some(token) => token.parse::<usize>().map_err(|_| refuse("InvalidNextToken", "The NextToken is invalid."))?,
        None => 0,
    };
    let given: Vec<_> = input.items("MetricDataQueries").collect();
    if given.is_empty() {
        return Err(validation("The parameter MetricDataQueries is required."));
    }
    if given.len() > MOST {
        return Err(validation(format!("The collection MetricDataQueries must not have a size greater than {MOST}.")));
    }
    let queries = read_all(cloud, &given, from, until)?;
    let all = All { queries: &queries, metrics: &cloud.shared().metrics, span: finest(&queries) };
    let mut page = Page { skip, left: most, more: false };
    let mut results = Vec::new();
    for query in queries.iter().filter(|q| q.returned) {
        results.push(result(query, all.series(query)?, ascending, &mut page));
    }
    let node = Node::default().list("MetricDataResults", "member", results).list("Messages", "member", []);
    Ok(node.put_some("NextToken", page.more.then(|| (skip + most).to_string())).into())
}

fn read_all(cloud: &Cloud, given: &[&Node], from: SystemTime, until: SystemTime) -> Result<Vec<Query>, ApiError> {
    let now = cloud.shared().clock.now();
    let state = cloud.shared().lock();
    let mut queries: Vec<Query> = Vec::new();
    let finest = given.iter().filter_map(|q| q.child("MetricStat")?.get("Period")?.parse().ok()).min().unwrap_or(60);
    for (n, node) in given.iter().enumerate() {
        let at = format!("MetricDataQueries.member.{}.", n + 1);
        let span = |period: u64, member: &str| {
            Span::new(from, until, period, now).map_err(|why| validation(format!("The parameter {at}{member} {why}.")))
        };
        let query = read(&state, node, &at, finest, &span).map_err(|error| validation(error.message))?;
        if queries.iter().any(|q| q.id == query.id) {
            let message = format!("The values for parameter Id in MetricDataQueries are not unique: {}.", query.id);
            return Err(validation(message));
        }
        queries.push(query);
    }
    Ok(queries)
}

fn read(
    state: &State,
    node: &Node,
    at: &str,
    finest: u64,
    span: &dyn Fn(u64, &str) -> Result<Span, ApiError>,
) -> Result<Query, ApiError> {
    let id = text(node, "Id", at, 255)?.to_owned();
    let part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if !id.starts_with(|c: char| c.is_ascii_lowercase()) || !id.chars().all(part) {
        let message =
            format!("The value {id} for parameter {at}Id is not matching the expected pattern ^[a-z][a-zA-Z0-9_]*$.");
        return Err(validation(message));
    }
    let (what, label) = match (node.child("MetricStat"), node.get("Expression")) {
        (Some(_), Some(_)) => {
            let message = format!(
                "The parameters {at}Expression and {at}MetricStat are mutually exclusive and you have specified both."
            );
            return Err(validation(message));
        }
        (None, None) => {
            let message =
                format!("At least one of the parameters {at}Expression and {at}MetricStat must be specified.");
            return Err(validation(message));
        }
        (None, Some(expression)) => {
            if expression.len() > 2048 {
                return Err(validation(format!("The parameter {at}Expression must be shorter than 2049 characters.")));
            }
            let period = node.number("Period")?.unwrap_or(finest);
            (What::Expression { text: expression.to_owned(), span: span(period, "Period")? }, id.clone())
        }
        (Some(stat), None) => {
            let at = format!("{at}MetricStat.");
            let empty = Node::default();
            let metric = metric(stat.child("Metric").unwrap_or(&empty), &format!("{at}Metric."))?;
            let period =
                stat.number("Period")?.ok_or_else(|| validation(format!("The parameter {at}Period is required.")))?;
            let name = text(stat, "Stat", &at, 255)?;
            let statistic = Statistic::read(name).ok_or_else(|| {
                let message = format!("The value {name} for parameter {at}Stat is not supported (the rehearsal cloud knows Sum, Average, Minimum, Maximum, SampleCount and pNN).");
                validation(message)
            })?;
            // a metric has data in its own unit only
            let counts = unit(stat, &at)?.is_none_or(|unit| unit == unit_of(state, &metric));
            let label = metric.metric.clone();
            (What::Metric { id: metric, statistic, span: span(period, "MetricStat.Period")?, counts }, label)
        }
    };
    let label = node.get("Label").map_or(label, str::to_owned);
    Ok(Query { id, label, returned: node.flag("ReturnData")?.unwrap_or(true), what })
}

/// The span whose periods the expressions' functions fill: the one of the first metric.
fn finest(queries: &[Query]) -> Span {
    let of = |query: &Query| match &query.what {
        What::Metric { span, .. } | What::Expression { span, .. } => *span,
    };
    let metric = queries.iter().find(|q| matches!(q.what, What::Metric { .. }));
    metric.or(queries.first()).map_or_else(Span::default, of)
}

/// The queries of a request, for its expressions.
struct All<'a> {
    queries: &'a [Query],
    metrics: &'a Metrics,
    span: Span,
}

impl All<'_> {
    fn series(&self, query: &Query) -> Result<Series, ApiError> {
        let wrong = |why: String| validation(format!("Error in expression '{}': {why}", query.id));
        match self.value(query, 0).map_err(wrong)? {
            Value::Series(series) => Ok(series),
            Value::Scalar(_) => Err(wrong("it is one number and not a series; TIME_SERIES makes one of it".into())),
            Value::Many(_) => Err(wrong("the rehearsal cloud gives back one series of an expression".into())),
        }
    }

    fn value(&self, query: &Query, depth: usize) -> Result<Value, String> {
        match &query.what {
            What::Expression { text, .. } => expression::value(text, self, depth),
            What::Metric { counts: false, .. } => Ok(Value::Series(BTreeMap::new())),
            What::Metric { id, statistic, span, .. } => {
                let gathered = span.gather(self.metrics, id).into_iter();
                Ok(Value::Series(gathered.filter_map(|(at, stat)| Some((at, statistic.of(&stat)?))).collect()))
            }
        }
    }
}

impl Known for All<'_> {
    fn query(&self, id: &str, depth: usize) -> Result<Value, String> {
        let found = self.queries.iter().find(|query| query.id == id);
        self.value(found.ok_or_else(|| format!("there is no query with the id {id}"))?, depth)
    }

    fn metrics(&self, holding: &str) -> Result<Vec<Series>, String> {
        let metrics = self.queries.iter().filter(|q| matches!(q.what, What::Metric { .. }) && q.id.contains(holding));
        let series = metrics.map(|query| match self.value(query, 0)? {
            Value::Series(series) => Ok(series),
            _ => Ok(Series::new()),
        });
        series.collect()
    }

    fn span(&self) -> Span {
        self.span
    }
}

/// What of the data points goes into this answer.
struct Page {
    skip: usize,
    left: usize,
    more: bool,
}

fn result(query: &Query, series: Series, ascending: bool, page: &mut Page) -> Node {
    let mut points: Vec<_> = series.into_iter().collect();
    if !ascending {
        points.reverse();
    }
    let skipped = page.skip.min(points.len());
    page.skip -= skipped;
    let mut points = points.split_off(skipped);
    let partial = points.len() > page.left;
    points.truncate(page.left);
    page.left -= points.len();
    page.more |= partial;
    Node::default()
        .put("Id", &query.id)
        .put("Label", &query.label)
        .texts_list("Timestamps", "member", points.iter().map(|(at, _)| period::moment(*at)))
        .texts_list("Values", "member", points.iter().map(|(_, value)| *value))
        .put("StatusCode", if partial { "PartialData" } else { "Complete" })
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Rig, refused};
    use super::*;

    fn values(result: &Node) -> Vec<f64> {
        result.items("Values").map(|v| v.text.parse().unwrap()).collect()
    }

    #[test]
    fn metrics_and_expressions_are_answered_newest_first() {
        let rig = Rig::new();
        for (minutes_ago, requests, errors) in [(3, 10, 1), (2, 20, 0), (1, 40, 10)] {
            rig.count("RequestCount", minutes_ago, requests);
            rig.count("HTTPCode_Target_5XX_Count", minutes_ago, errors);
        }
        let queries = [
            rig.metric("m1", "RequestCount", "Sum"),
            rig.metric("m2", "HTTPCode_Target_5XX_Count", "Sum").put("ReturnData", false),
            rig.expression("e1", "100 * FILL(m2, 0) / m1").put("Label", "errors in %"),
        ];
        let got = rig.call("GetMetricData", &rig.data(queries)).unwrap();
        let results: Vec<_> = got.items("MetricDataResults").collect();
        assert_eq!(results.iter().map(|r| r.get("Id").unwrap()).collect::<Vec<_>>(), ["m1", "e1"]);
        assert_eq!(values(results[0]), [40.0, 20.0, 10.0]);
        assert_eq!(values(results[1]), [25.0, 0.0, 10.0]);
        assert_eq!(results[1].get("Label"), Some("errors in %"));
        assert_eq!(results[0].get("StatusCode"), Some("Complete"));
        assert_eq!(results[0].items("Timestamps").count(), 3);
    }

    #[test]
    fn no_data_is_an_empty_result() {
        let rig = Rig::new();
        let got = rig.call("GetMetricData", &rig.data([rig.metric("m1", "RequestCount", "Sum")])).unwrap();
        let result = got.items("MetricDataResults").next().unwrap();
        assert_eq!((values(result).len(), result.get("StatusCode")), (0, Some("Complete")));
    }

    #[test]
    fn an_answer_that_is_too_long_goes_on_in_the_next() {
        let rig = Rig::new();
        for minutes_ago in 1..=3 {
            rig.count("RequestCount", minutes_ago, minutes_ago);
        }
        let ask = || {
            let queries = ["m1", "m2"].map(|id| rig.metric(id, "RequestCount", "Sum"));
            rig.data(queries).put("MaxDatapoints", 4).put("ScanBy", "TimestampAscending")
        };
        let first = rig.call("GetMetricData", &ask()).unwrap();
        let of = |got: &Node| {
            got.items("MetricDataResults")
                .map(|r| (values(r), r.get("StatusCode").unwrap().to_owned()))
                .collect::<Vec<_>>()
        };
        let (complete, partial) = ("Complete".to_owned(), "PartialData".to_owned());
        assert_eq!(of(&first), [(vec![3.0, 2.0, 1.0], complete.clone()), (vec![3.0], partial)]);
        let second = rig.call("GetMetricData", &ask().put("NextToken", first.get("NextToken").unwrap())).unwrap();
        assert_eq!(of(&second), [(vec![], complete.clone()), (vec![2.0, 1.0], complete)]);
        assert_eq!(second.get("NextToken"), None);
    }

    #[test]
    fn what_aws_refuses_is_refused() {
        let rig = Rig::new();
        let ok = || rig.metric("m1", "RequestCount", "Sum");
        let wrong = |query: Node| rig.call("GetMetricData", &rig.data([query]));
        for (answer, told) in [
            (wrong(ok().put("Expression", "m1")), "mutually exclusive"),
            (wrong(Node::default().put("Id", "m1")), "must be specified"),
            (wrong(rig.metric("M1", "RequestCount", "Sum")), "expected pattern"),
            (wrong(rig.metric("m1", "RequestCount", "TM(10%:90%)")), "not supported"),
            (wrong(rig.period("m1", 45)), "multiple of 60"),
            (wrong(rig.expression("e1", "e1")), "refers to itself"),
            (wrong(rig.expression("e1", "1 + 1")), "not a series"),
            (wrong(rig.expression("e1", "SEARCH(1)")), "SEARCH"),
            (rig.call("GetMetricData", &rig.data([ok(), ok()])), "not unique"),
            (rig.call("GetMetricData", &rig.data([])), "required"),
            (
                rig.call("GetMetricData", &rig.data((0..501).map(|n| rig.metric(&format!("m{n}"), "X", "Sum")))),
                "greater than 500",
            ),
        ] {
            let message = refused(answer, "ValidationError");
            assert!(message.contains(told), "{message}");
        }
        let now = rig.clock.now();
        let none =
            Node::default().put("StartTime", now).put("EndTime", now).list("MetricDataQueries", "member", [ok()]);
        refused(rig.call("GetMetricData", &none), "ValidationError");
        refused(rig.call("GetMetricData", &rig.data([ok()]).put("NextToken", "x")), "InvalidNextToken");
    }
}
