//! The conditions of a statement. Source: IAM guide, "IAM JSON policy elements: Condition operators".

use std::net::IpAddr;

use serde_json::Value;

use super::read::texts;
use super::{Values, glob};

/// What is known of a request, by condition key.
#[derive(Debug, Clone, Default)]
pub(crate) struct Context {
    /// The keys and their values.
    pub(crate) known: Values,
    /// A key that is not among them may have any value; else it is not there.
    pub(crate) rest_unknown: bool,
}

impl Context {
    /// Adds a key, in any case.
    pub(crate) fn set(&mut self, key: &str, value: impl Into<String>) {
        self.known.insert(key.to_ascii_lowercase(), vec![value.into()]);
    }
}

/// One key of one operator, with the values it is compared to.
#[derive(Debug, Clone)]
pub(crate) struct Test {
    operator: Operator,
    negated: bool,
    if_exists: bool,
    /// `ForAllValues:`; `Some(false)` is `ForAnyValue:`.
    every: Option<bool>,
    /// Lower case.
    pub(crate) key: String,
    pub(crate) values: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    Equals,
    EqualsIgnoreCase,
    Like,
    Arn,
    Bool,
    Ip,
    Numeric(Order),
    Date(Order),
    Null,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    Equals,
    Less,
    AtMost,
    More,
    AtLeast,
}

impl Operator {
    /// The operator of a name without prefix and suffix, and whether it is a negated one.
    fn of(name: &str) -> Option<(Self, bool)> {
        let order = |rest: &str| match rest {
            "equals" => Some((Order::Equals, false)),
            "notequals" => Some((Order::Equals, true)),
            "lessthan" => Some((Order::Less, false)),
            "lessthanequals" => Some((Order::AtMost, false)),
            "greaterthan" => Some((Order::More, false)),
            "greaterthanequals" => Some((Order::AtLeast, false)),
            _ => None,
        };
        let name = name.to_ascii_lowercase();
        if let Some(rest) = name.strip_prefix("numeric") {
            return order(rest).map(|(order, negated)| (Self::Numeric(order), negated));
        }
        if let Some(rest) = name.strip_prefix("date") {
            return order(rest).map(|(order, negated)| (Self::Date(order), negated));
        }
        Some(match name.as_str() {
            "stringequals" => (Self::Equals, false),
            "stringnotequals" => (Self::Equals, true),
            "stringequalsignorecase" => (Self::EqualsIgnoreCase, false),
            "stringnotequalsignorecase" => (Self::EqualsIgnoreCase, true),
            "stringlike" => (Self::Like, false),
            "stringnotlike" => (Self::Like, true),
            "arnequals" | "arnlike" => (Self::Arn, false),
            "arnnotequals" | "arnnotlike" => (Self::Arn, true),
            "bool" => (Self::Bool, false),
            "ipaddress" => (Self::Ip, false),
            "notipaddress" => (Self::Ip, true),
            "null" => (Self::Null, false),
            _ => return None,
        })
    }

    fn holds(self, wanted: &str, value: &str) -> bool {
        match self {
            Self::Equals => wanted == value,
            Self::EqualsIgnoreCase | Self::Bool | Self::Null => wanted.eq_ignore_ascii_case(value),
            Self::Like | Self::Arn => glob::matches(wanted, value, false),
            Self::Ip => value.parse().is_ok_and(|address| within(wanted, address)),
            Self::Numeric(order) => match (value.parse::<f64>(), wanted.parse::<f64>()) {
                (Ok(value), Ok(wanted)) => order.holds(value.partial_cmp(&wanted)),
                _ => false,
            },
            Self::Date(order) => match (moment(value), moment(wanted)) {
                (Some(value), Some(wanted)) => order.holds(Some(value.cmp(&wanted))),
                _ => false,
            },
        }
    }
}

impl Order {
    fn holds(self, ordering: Option<std::cmp::Ordering>) -> bool {
        ordering.is_some_and(|o| match self {
            Self::Equals => o.is_eq(),
            Self::Less => o.is_lt(),
            Self::AtMost => o.is_le(),
            Self::More => o.is_gt(),
            Self::AtLeast => o.is_ge(),
        })
    }
}

/// A date of ISO 8601, or seconds since 1970.
fn moment(text: &str) -> Option<i64> {
    text.parse().ok().or_else(|| text.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_second)).or_else(|| {
        let day = text.parse::<jiff::civil::Date>().ok()?;
        Some(day.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_second())
    })
}

/// The address and the length of a block such as `192.0.2.0/24`; an address alone is a block of one.
pub(super) fn block(cidr: &str) -> Option<(IpAddr, u32)> {
    let (address, length) = match cidr.split_once('/') {
        Some((address, length)) => (address.parse::<IpAddr>().ok()?, Some(length.parse::<u32>().ok()?)),
        None => (cidr.parse::<IpAddr>().ok()?, None),
    };
    let whole = if address.is_ipv4() { 32 } else { 128 };
    let length = length.unwrap_or(whole);
    (length <= whole).then_some((address, length))
}

fn within(cidr: &str, address: IpAddr) -> bool {
    let Some((base, length)) = block(cidr) else { return false };
    match (base, address) {
        (IpAddr::V4(base), IpAddr::V4(address)) => {
            let mask = u32::MAX.checked_shl(32 - length).unwrap_or(0);
            u32::from(base) & mask == u32::from(address) & mask
        }
        (IpAddr::V6(base), IpAddr::V6(address)) => {
            let mask = u128::MAX.checked_shl(128 - length).unwrap_or(0);
            u128::from(base) & mask == u128::from(address) & mask
        }
        _ => false,
    }
}

impl Test {
    /// Reads a `Condition` element.
    pub(super) fn read(condition: &Value) -> Result<Vec<Self>, String> {
        let blocks = match condition {
            Value::Null => return Ok(Vec::new()),
            Value::Object(blocks) => blocks,
            _ => return Err("Syntax errors in policy.".into()),
        };
        let mut tests = Vec::new();
        for (name, keys) in blocks {
            let (every, rest) = match name.split_once(':') {
                Some((set, rest)) if set.eq_ignore_ascii_case("ForAllValues") => (Some(true), rest),
                Some((set, rest)) if set.eq_ignore_ascii_case("ForAnyValue") => (Some(false), rest),
                _ => (None, name.as_str()),
            };
            let ends = rest.len().checked_sub("IfExists".len()).filter(|&at| rest.is_char_boundary(at));
            let (rest, if_exists) = match ends {
                Some(at) if rest[at..].eq_ignore_ascii_case("IfExists") => (&rest[..at], true),
                _ => (rest, false),
            };
            let (operator, negated) = Operator::of(rest).ok_or(format!("Invalid Condition type : {name}"))?;
            let keys = keys.as_object().ok_or("Syntax errors in policy.")?;
            for (key, values) in keys {
                let values = texts(values);
                if operator == Operator::Ip && values.iter().any(|v| block(v).is_none()) {
                    return Err("Policy has an invalid IP address or CIDR block in a condition".into());
                }
                tests.push(Self { operator, negated, if_exists, every, key: key.to_ascii_lowercase(), values });
            }
        }
        Ok(tests)
    }

    /// Whether it asks for one of its values, and a request without the key fails it.
    pub(super) fn insists(&self) -> bool {
        !self.negated && !self.if_exists && self.every != Some(true) && self.operator != Operator::Null
    }

    pub(super) fn is_of_addresses(&self) -> bool {
        self.operator == Operator::Ip
    }

    /// Whether it holds; `None` where the key's value is not known.
    fn holds(&self, context: &Context) -> Option<bool> {
        let given = context.known.get(&self.key);
        if given.is_none() && context.rest_unknown {
            return None;
        }
        if self.operator == Operator::Null {
            let missing = given.is_none().to_string();
            return Some(self.values.iter().any(|v| v.eq_ignore_ascii_case(&missing)));
        }
        let Some(given) = given else {
            // A negated operator holds without the key, as does a set operator over all of none.
            return Some(self.if_exists || self.negated || self.every == Some(true));
        };
        let one = |value: &String| self.values.iter().any(|wanted| self.operator.holds(wanted, value)) != self.negated;
        Some(if self.every == Some(true) || (self.every.is_none() && self.negated) {
            given.iter().all(one)
        } else {
            given.iter().any(one)
        })
    }
}

/// Whether all tests hold; `None` if none is known to fail and one is not known to hold.
pub(super) fn all(tests: &[Test], context: &Context) -> Option<bool> {
    let mut all = Some(true);
    for test in tests {
        match test.holds(context) {
            Some(true) => {}
            Some(false) => return Some(false),
            None => all = None,
        }
    }
    all
}
