//! `PutMetricData`: a caller's own metrics.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use super::super::super::metrics::{Id, Stat};
use super::super::Cloud;
use super::super::wire::operation::Output;
use super::super::wire::{ApiError, Node};
use super::asked::{combination, invalid, missing, moment, named, namespace, unit, unit_key};

/// The most metrics of one request.
const MOST: usize = 1000;
/// The most values of one metric.
const VALUES: usize = 150;
/// How old and how far ahead a value may be.
const REACH: (Duration, Duration) = (Duration::from_hours(14 * 24), Duration::from_hours(2));
/// More samples of one value than this are kept as a set, without their share in percentiles.
const EACH: u64 = 10_000;

pub(super) fn put(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    let space = namespace(input, "")?;
    if space.starts_with("AWS/") {
        return Err(invalid(format!("The value {space} for parameter Namespace is invalid: AWS/ is AWS's own.")));
    }
    if input.items("EntityMetricData").next().is_some() {
        return Err(invalid("the rehearsal cloud keeps no entities: put the metrics into MetricData"));
    }
    let count = input.items("MetricData").count();
    if count == 0 {
        return Err(missing("MetricData"));
    }
    if count > MOST {
        return Err(invalid(format!("The collection MetricData must not have a size greater than {MOST}.")));
    }
    let now = cloud.shared().clock.now();
    // All is read before any is entered: a request is taken whole or not at all.
    let read = input.items("MetricData").enumerate().map(|(n, datum)| {
        let at = format!("MetricData.member.{}.", n + 1);
        Ok((named(datum, space, &at)?, when(datum, &at, now)?, stat(datum, &at)?, unit(datum, &at)?))
    });
    let read = read.collect::<Result<Vec<(Id, SystemTime, Stat, Option<&str>)>, ApiError>>()?;
    for (id, at, stat, unit) in read {
        if let Some(unit) = unit {
            let facts = BTreeMap::from([("unit".to_owned(), unit.to_owned())]);
            cloud.shared().lock().facts.insert(unit_key(&id), facts);
        }
        cloud.shared().metrics.put(id, at, &stat);
    }
    Ok(Node::default().into())
}

fn when(datum: &Node, at: &str, now: SystemTime) -> Result<SystemTime, ApiError> {
    let when = moment(datum, "Timestamp")?.unwrap_or(now);
    if when + REACH.0 < now || when > now + REACH.1 {
        let message = format!(
            "The parameter {at}Timestamp must specify a time no more than two weeks in the past and no more than two \
             hours in the future."
        );
        return Err(invalid(message));
    }
    Ok(when)
}

fn stat(datum: &Node, at: &str) -> Result<Stat, ApiError> {
    let number = |node: &Node, name: &str| {
        let value = node.get(name).and_then(|text| text.parse::<f64>().ok());
        value
            .filter(|v| v.is_finite())
            .ok_or_else(|| invalid(format!("The value of the parameter {at}{name} is no number.")))
    };
    let values = datum.texts("Values");
    let given = [datum.child("Value").is_some(), datum.child("StatisticValues").is_some(), !values.is_empty()];
    match given {
        [true, false, false] => Ok(Stat::of(number(datum, "Value")?)),
        [false, true, false] => {
            let set = datum.child("StatisticValues").cloned().unwrap_or_default();
            let (sum, min, max) = (number(&set, "Sum")?, number(&set, "Minimum")?, number(&set, "Maximum")?);
            let samples = whole(number(&set, "SampleCount")?);
            if samples == 0 || min > max {
                return Err(combination(format!("The parameters of {at}StatisticValues contradict each other.")));
            }
            Ok(Stat::of_set(samples, sum, min, max))
        }
        [false, false, true] => of_values(&values, &datum.texts("Counts"), at),
        [false, false, false] => Err(missing(&format!("{at}Value"))),
        _ => {
            let message = format!(
                "The parameters {at}Value, {at}StatisticValues and {at}Values are mutually exclusive and you have specified more than one."
            );
            Err(combination(message))
        }
    }
}

fn of_values(values: &[String], counts: &[String], at: &str) -> Result<Stat, ApiError> {
    if values.len() > VALUES {
        return Err(invalid(format!("The collection {at}Values must not have a size greater than {VALUES}.")));
    }
    if !counts.is_empty() && counts.len() != values.len() {
        return Err(invalid(format!("The parameters {at}Values and {at}Counts must be of the same size.")));
    }
    let parse = |text: &String| text.parse::<f64>().ok().filter(|v| v.is_finite());
    let mut all = Stat::default();
    for (n, value) in values.iter().enumerate() {
        let count = counts.get(n).map_or(Some(1.0), parse);
        let (Some(value), Some(count)) = (parse(value), count) else {
            return Err(invalid(format!("The collections {at}Values and {at}Counts hold numbers only.")));
        };
        match whole(count) {
            few @ ..=EACH => (0..few).for_each(|_| all.merge(&Stat::of(value))),
            many => all.merge(&Stat::of_set(many, value * count, value, value)),
        }
    }
    Ok(all)
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // `as` saturates, which is what is wanted
fn whole(number: f64) -> u64 {
    number as u64
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Rig, refused};
    use super::*;

    fn data(datum: Node) -> Node {
        Node::default().put("Namespace", "Shop").list("MetricData", "member", [datum.put("MetricName", "Orders")])
    }

    #[test]
    fn what_is_put_in_comes_out_with_its_unit() {
        let rig = Rig::new();
        rig.call("PutMetricData", &data(Node::default().put("Value", 3.0).put("Unit", "Percent"))).unwrap();
        let many =
            Node::default().texts_list("Values", "member", [1.0, 5.0]).texts_list("Counts", "member", [2.0, 1.0]);
        rig.call("PutMetricData", &data(many)).unwrap();
        let set = Node::new("StatisticValues")
            .put("SampleCount", 2.0)
            .put("Sum", 9.0)
            .put("Minimum", 4.0)
            .put("Maximum", 5.0);
        rig.call("PutMetricData", &data(Node::default().with(set))).unwrap();
        let now = rig.clock.now();
        let ask = Node::default()
            .put("Namespace", "Shop")
            .put("MetricName", "Orders")
            .put("StartTime", now - Duration::from_mins(5))
            .put("EndTime", now + Duration::from_mins(1))
            .put("Period", 600)
            .texts_list("Statistics", "member", ["Sum", "SampleCount", "Minimum", "Maximum"]);
        let got = rig.call("GetMetricStatistics", &ask).unwrap();
        let point = got.items("Datapoints").next().unwrap();
        let all = ["Sum", "SampleCount", "Minimum", "Maximum", "Unit"].map(|name| point.get(name).unwrap());
        assert_eq!(all, ["19.0", "6.0", "1.0", "5.0", "Percent"]);
    }

    #[test]
    fn what_aws_refuses_is_refused_whole() {
        let rig = Rig::new();
        let value = || Node::default().put("Value", 1.0);
        let old = rig.clock.now() - Duration::from_hours(15 * 24);
        for (input, code) in [
            (Node::default().put("Namespace", "AWS/ApplicationELB"), "InvalidParameterValue"),
            (Node::default().put("Namespace", "Shop"), "MissingParameter"),
            (data(Node::default()), "MissingParameter"),
            (data(value().texts_list("Values", "member", [1.0])), "InvalidParameterCombination"),
            (data(Node::default().put("Value", f64::NAN)), "InvalidParameterValue"),
            (data(value().put("Timestamp", old)), "InvalidParameterValue"),
            (data(value().put("Unit", "Furlongs")), "InvalidParameterValue"),
        ] {
            refused(rig.call("PutMetricData", &input), code);
        }
        assert!(rig.cloud.shared().metrics.list().is_empty());
    }
}
