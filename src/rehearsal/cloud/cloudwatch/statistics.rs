//! `GetMetricStatistics`.

use super::super::Cloud;
use super::super::wire::operation::Output;
use super::super::wire::{ApiError, Node};
use super::asked::{Statistic, combination, invalid, metric, missing, moment, unit, unit_of};
use super::period::{Span, moment as at};

/// The most data points of one answer.
const MOST: u64 = 1440;
/// The statistics that are asked for without a number.
const PLAIN: &[&str] = &["SampleCount", "Average", "Sum", "Minimum", "Maximum"];

pub(super) fn get(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    let id = metric(input, "")?;
    let time = |name: &str| moment(input, name)?.ok_or_else(|| missing(name));
    let (from, until) = (time("StartTime")?, time("EndTime")?);
    if from >= until {
        return Err(combination("The parameter StartTime must be less than the parameter EndTime."));
    }
    let period = input.number::<u64>("Period")?.ok_or_else(|| missing("Period"))?;
    let span = Span::new(from, until, period, cloud.shared().clock.now())
        .map_err(|why| invalid(format!("The parameter Period {why}.")))?;
    if span.len() > MOST {
        let message = format!(
            "You have requested up to {} datapoints, which exceeds the limit of {MOST}. You may reduce the datapoints \
             requested by increasing Period, or decreasing the time range.",
            span.len()
        );
        return Err(combination(message));
    }
    let (plain, extended) = (input.texts("Statistics"), input.texts("ExtendedStatistics"));
    if plain.is_empty() && extended.is_empty() {
        return Err(combination("At least one of the parameters Statistics and ExtendedStatistics must be specified."));
    }
    let plain = statistics(&plain, "Statistics", |name| PLAIN.contains(&name))?;
    let extended = statistics(&extended, "ExtendedStatistics", |name| !PLAIN.contains(&name))?;
    let asked_unit = unit(input, "")?;
    let unit = unit_of(&cloud.shared().lock(), &id);
    let counts = asked_unit.is_none_or(|asked| asked == unit);
    let gathered = if counts { span.gather(&cloud.shared().metrics, &id) } else { Vec::new() };
    let points = gathered.iter().map(|(start, stat)| {
        let node = Node::default().put("Timestamp", at(*start)).put("Unit", &unit);
        let node = plain.iter().fold(node, |node, (name, s)| node.put_some(name, s.of(stat)));
        let percentiles = Node::new("ExtendedStatistics");
        let percentiles = extended.iter().fold(percentiles, |node, (name, s)| node.put_some(name, s.of(stat)));
        if percentiles.children.is_empty() { node } else { node.with(percentiles) }
    });
    Ok(Node::default().put("Label", &id.metric).list("Datapoints", "member", points).into())
}

fn statistics(names: &[String], member: &str, of_kind: fn(&str) -> bool) -> Result<Vec<(String, Statistic)>, ApiError> {
    let read = |(n, name): (usize, &String)| {
        let known = Some(name.as_str()).filter(|name| of_kind(name)).and_then(Statistic::read);
        let wrong = || invalid(format!("The value {name} for parameter {member}.member.{} is invalid.", n + 1));
        Ok((name.clone(), known.ok_or_else(wrong)?))
    };
    names.iter().enumerate().map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Rig, refused};
    use super::*;

    #[test]
    fn a_period_has_its_statistics_and_its_unit() {
        let rig = Rig::new();
        for (minutes_ago, seconds) in [(2, 0.1), (2, 0.2), (1, 0.3)] {
            rig.observe("TargetResponseTime", minutes_ago, seconds);
        }
        let ask = rig.statistics("TargetResponseTime", 300, &["Average", "SampleCount", "Maximum"]);
        let ask = ask.texts_list("ExtendedStatistics", "member", ["p50", "p100"]);
        let got = rig.call("GetMetricStatistics", &ask).unwrap();
        assert_eq!(got.get("Label"), Some("TargetResponseTime"));
        let point = got.items("Datapoints").next().unwrap();
        let number = |node: &Node, name: &str| node.get(name).unwrap().parse::<f64>().unwrap();
        assert!((number(point, "Average") - 0.2).abs() < 1e-6);
        assert_eq!((number(point, "SampleCount"), point.get("Unit"), point.get("Sum")), (3.0, Some("Seconds"), None));
        let percentiles = point.child("ExtendedStatistics").unwrap();
        assert!((number(percentiles, "p50") - 0.2).abs() < 0.005 && (number(percentiles, "p100") - 0.3).abs() < 0.01);
        let in_bytes = rig.statistics("TargetResponseTime", 300, &["Sum"]).put("Unit", "Bytes");
        assert_eq!(rig.call("GetMetricStatistics", &in_bytes).unwrap().items("Datapoints").count(), 0);
    }

    #[test]
    fn what_aws_refuses_is_refused() {
        let rig = Rig::new();
        let ask = |period, all: &[&str]| rig.statistics("RequestCount", period, all);
        let now = rig.clock.now();
        let day = std::time::Duration::from_hours(48);
        let long = Node::default()
            .put("Namespace", "AWS/ApplicationELB")
            .put("MetricName", "RequestCount")
            .put("StartTime", now - day)
            .put("EndTime", now)
            .put("Period", 60)
            .texts_list("Statistics", "member", ["Sum"]);
        for (input, code) in [
            (ask(45, &["Sum"]), "InvalidParameterValue"),
            (ask(60, &["p99"]), "InvalidParameterValue"),
            (ask(60, &[]), "InvalidParameterCombination"),
            (ask(60, &["Sum"]).put("Unit", "Furlongs"), "InvalidParameterValue"),
            (long, "InvalidParameterCombination"),
            (Node::default().put("Namespace", "X"), "MissingParameter"),
        ] {
            refused(rig.call("GetMetricStatistics", &input), code);
        }
    }
}
