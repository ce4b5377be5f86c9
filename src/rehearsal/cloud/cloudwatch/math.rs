//! The values of metric math: numbers, series, and several series.
//! Source: CloudWatch guide, "Using math expressions with CloudWatch metrics".

use std::collections::BTreeMap;

/// A series: values by seconds since 1970.
pub(super) type Series = BTreeMap<u64, f64>;

/// What an expression, or a part of one, is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    /// A number.
    Scalar(f64),
    /// Values over time.
    Series(Series),
    /// Several of them.
    Many(Vec<Series>),
}

/// Adds, multiplies and so on. Of two series only the moments both have count; what is no number is no data.
pub(super) fn apply(left: Value, right: Value, with: fn(f64, f64) -> f64) -> Value {
    use Value::{Many, Scalar, Series};
    match (left, right) {
        (Scalar(a), Scalar(b)) => Scalar(with(a, b)),
        (Scalar(a), Series(b)) => Series(each(&b, |b| with(a, b))),
        (Series(a), Scalar(b)) => Series(each(&a, |a| with(a, b))),
        (Series(a), Series(b)) => {
            let both = a.iter().filter_map(|(at, a)| Some((*at, with(*a, *b.get(at)?))));
            Series(both.filter(|(_, value)| value.is_finite()).collect())
        }
        (Many(all), one) => many(all, |series| apply(Series(series), one.clone(), with)),
        (one, Many(all)) => many(all, |series| apply(one.clone(), Series(series), with)),
    }
}

/// The same of every value.
pub(super) fn map(value: Value, with: fn(f64) -> f64) -> Value {
    match value {
        Value::Scalar(a) => Value::Scalar(with(a)),
        Value::Series(a) => Value::Series(each(&a, with)),
        Value::Many(all) => many(all, |series| map(Value::Series(series), with)),
    }
}

fn each(series: &Series, with: impl Fn(f64) -> f64) -> Series {
    series.iter().map(|(at, value)| (*at, with(*value))).filter(|(_, value)| value.is_finite()).collect()
}

fn many(all: Vec<Series>, with: impl Fn(Series) -> Value) -> Value {
    let each = all.into_iter().map(with).filter_map(|value| match value {
        Value::Series(series) => Some(series),
        _ => None,
    });
    Value::Many(each.collect())
}

/// One number of one series, or of several series one series: at each moment, of those that have data then.
pub(super) fn fold(value: Value, with: fn(&[f64]) -> f64) -> Value {
    match value {
        Value::Scalar(a) => Value::Scalar(with(&[a])),
        Value::Series(a) => Value::Scalar(with(&a.into_values().collect::<Vec<_>>())),
        Value::Many(all) => {
            let mut at: BTreeMap<u64, Vec<f64>> = BTreeMap::new();
            for (moment, value) in all.into_iter().flatten() {
                at.entry(moment).or_default().push(value);
            }
            Value::Series(at.into_iter().map(|(at, values)| (at, with(&values))).collect())
        }
    }
}

/// Puts a number, or the value before, where a series has no data.
pub(super) fn fill(series: &Series, with: Option<f64>, starts: impl Iterator<Item = u64>) -> Series {
    let mut before = None;
    let filled = starts.filter_map(|at| {
        before = series.get(&at).copied().or(before);
        series.get(&at).copied().or(with).or(before).map(|value| (at, value))
    });
    filled.collect()
}
