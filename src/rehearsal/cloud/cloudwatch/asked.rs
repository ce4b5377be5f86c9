//! What CloudWatch's requests have in common: moments, metrics, statistics, and its words of refusal.

use std::time::{Duration, SystemTime};

use super::super::super::metrics::{APPLICATION_ELB, Id, Stat};
use super::super::super::state::State;
use super::super::wire::{ApiError, Node, refuse};

const UNITS: &[&str] = &[
    "Seconds",
    "Microseconds",
    "Milliseconds",
    "Bytes",
    "Kilobytes",
    "Megabytes",
    "Gigabytes",
    "Terabytes",
    "Bits",
    "Kilobits",
    "Megabits",
    "Gigabits",
    "Terabits",
    "Percent",
    "Count",
    "Bytes/Second",
    "Kilobytes/Second",
    "Megabytes/Second",
    "Gigabytes/Second",
    "Terabytes/Second",
    "Bits/Second",
    "Kilobits/Second",
    "Megabits/Second",
    "Gigabits/Second",
    "Terabits/Second",
    "Count/Second",
    "None",
];
/// The most dimensions of a metric.
const DIMENSIONS: usize = 30;

/// A parameter that must be there and is not.
pub(super) fn missing(member: &str) -> ApiError {
    refuse("MissingParameter", format!("The parameter {member} is required."))
}

/// A value that is not allowed.
pub(super) fn invalid(message: impl Into<String>) -> ApiError {
    refuse("InvalidParameterValue", message)
}

/// Values that do not go together.
pub(super) fn combination(message: impl Into<String>) -> ApiError {
    refuse("InvalidParameterCombination", message)
}

/// What `GetMetricData` says of whatever is wrong with a request.
pub(super) fn validation(message: impl Into<String>) -> ApiError {
    refuse("ValidationError", message)
}

/// A text of 1 to `most` characters.
pub(super) fn text<'a>(input: &'a Node, name: &str, at: &str, most: usize) -> Result<&'a str, ApiError> {
    let text = input.get(name).ok_or_else(|| missing(&format!("{at}{name}")))?;
    if text.chars().count() > most {
        return Err(invalid(format!("The parameter {at}{name} must be shorter than {} characters.", most + 1)));
    }
    Ok(text)
}

/// A moment: seconds since 1970 in CBOR.
pub(super) fn moment(input: &Node, name: &str) -> Result<Option<SystemTime>, ApiError> {
    let Some(text) = input.get(name) else { return Ok(None) };
    let wrong = || invalid(format!("The value {text} for parameter {name} is not a moment."));
    if let Ok(seconds) = text.parse::<f64>() {
        let since = Duration::try_from_secs_f64(seconds).map_err(|_| wrong())?;
        return Ok(Some(SystemTime::UNIX_EPOCH + since));
    }
    let at: jiff::Timestamp = text.parse().map_err(|_| wrong())?;
    Ok(Some(at.into()))
}

/// A namespace.
pub(super) fn namespace<'a>(input: &'a Node, at: &str) -> Result<&'a str, ApiError> {
    let namespace = text(input, "Namespace", at, 255)?;
    if namespace.starts_with(':') {
        return Err(invalid(format!("The value {namespace} for parameter {at}Namespace is invalid.")));
    }
    Ok(namespace)
}

/// A metric by namespace, name and dimensions; `at` is where in the request it stands.
pub(super) fn metric(input: &Node, at: &str) -> Result<Id, ApiError> {
    let namespace = namespace(input, at)?;
    named(input, namespace, at)
}

/// A metric of that namespace by name and dimensions.
pub(super) fn named(input: &Node, namespace: &str, at: &str) -> Result<Id, ApiError> {
    let name = text(input, "MetricName", at, 255)?;
    let mut id = Id::new(namespace, name, []);
    let count = input.items("Dimensions").count();
    if count > DIMENSIONS {
        return Err(invalid(format!("The collection {at}Dimensions must not have a size greater than {DIMENSIONS}.")));
    }
    for (n, dimension) in input.items("Dimensions").enumerate() {
        let at = format!("{at}Dimensions.member.{}.", n + 1);
        let (name, value) = (text(dimension, "Name", &at, 255)?, text(dimension, "Value", &at, 1024)?);
        if id.dimensions.insert(name.to_owned(), value.to_owned()).is_some() {
            return Err(invalid(format!("No duplicate dimension names: {name} is there twice.")));
        }
    }
    Ok(id)
}

/// A unit, if one is named.
pub(super) fn unit<'a>(input: &'a Node, at: &str) -> Result<Option<&'a str>, ApiError> {
    match input.get("Unit") {
        Some(unit) if !UNITS.contains(&unit) => {
            Err(invalid(format!("The value {unit} for parameter {at}Unit is invalid.")))
        }
        unit => Ok(unit),
    }
}

/// The unit of a metric (ALB guide: CloudWatch metrics), or the one it was put in with.
pub(super) fn unit_of(state: &State, id: &Id) -> String {
    let put = || state.facts.get(&unit_key(id)).and_then(|facts| facts.get("unit")).cloned();
    match id.metric.as_str() {
        _ if id.namespace != APPLICATION_ELB => put().unwrap_or_else(|| "None".to_owned()),
        name if name.ends_with("Bytes") => "Bytes".to_owned(),
        name if name.ends_with("Time") => "Seconds".to_owned(),
        _ => "Count".to_owned(),
    }
}

/// Where the unit of a caller's own metric is kept.
pub(super) fn unit_key(id: &Id) -> String {
    format!("metric {} {} {:?}", id.namespace, id.metric, id.dimensions)
}

/// A statistic by name.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Statistic {
    /// How many samples.
    SampleCount,
    /// Their sum.
    Sum,
    /// Their mean.
    Average,
    /// The least.
    Minimum,
    /// The greatest.
    Maximum,
    /// What so many percent do not exceed.
    Percentile(f64),
}

impl Statistic {
    /// Reads `Sum`, `p99`, `p99.9`; the others that CloudWatch knows (trimmed means and so on) are not here.
    pub(super) fn read(name: &str) -> Option<Self> {
        Some(match name {
            "SampleCount" => Self::SampleCount,
            "Sum" => Self::Sum,
            "Average" => Self::Average,
            "Minimum" => Self::Minimum,
            "Maximum" => Self::Maximum,
            _ => {
                let digits = name.strip_prefix(['p', 'P'])?;
                let plain = digits.starts_with(|c: char| c.is_ascii_digit());
                Self::Percentile(digits.parse().ok().filter(|p| plain && (0.0..=100.0).contains(p))?)
            }
        })
    }

    /// Its value; none where there is no data, or not enough for a percentile.
    #[allow(clippy::cast_precision_loss)] // there are fewer than 2⁵³ samples
    pub(super) fn of(self, stat: &Stat) -> Option<f64> {
        match self {
            _ if stat.samples == 0 => None,
            Self::SampleCount => Some(stat.samples as f64),
            Self::Sum => Some(stat.sum),
            Self::Average => stat.average(),
            Self::Minimum => Some(stat.min),
            Self::Maximum => Some(stat.max),
            Self::Percentile(percent) => stat.percentile(percent),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statistics_are_read_by_name() {
        assert_eq!(Statistic::read("p99.9"), Some(Statistic::Percentile(99.9)));
        assert_eq!(Statistic::read("p100"), Some(Statistic::Percentile(100.0)));
        for unknown in ["p101", "p-1", "p", "pinf", "sum", "TM(10%:90%)", "IQM"] {
            assert_eq!(Statistic::read(unknown), None, "{unknown}");
        }
        let stat = Stat::of_set(4, 10.0, 1.0, 4.0);
        let all =
            ["SampleCount", "Sum", "Average", "Minimum", "Maximum"].map(|n| Statistic::read(n).unwrap().of(&stat));
        assert_eq!(all, [4.0, 10.0, 2.5, 1.0, 4.0].map(Some));
    }

    #[test]
    fn moments_come_as_seconds_or_in_writing() {
        let input = Node::default().put("A", 1.5).put("B", SystemTime::UNIX_EPOCH).put("C", "soon").put("D", -1.0);
        let at = |name: &str| moment(&input, name);
        assert_eq!(at("A").unwrap(), Some(SystemTime::UNIX_EPOCH + Duration::from_millis(1500)));
        assert_eq!(at("B").unwrap(), Some(SystemTime::UNIX_EPOCH));
        assert_eq!(at("None").unwrap(), None);
        assert!(at("C").is_err() && at("D").is_err());
    }
}
