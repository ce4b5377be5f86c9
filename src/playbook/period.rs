//! A length of time as a person writes it: `10m`, `500ms`, `1h30m`. Always with a unit.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The units, with their length in milliseconds.
const UNITS: [(&str, u64); 5] = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

/// A length of time, written back as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Period {
    written: String,
    length: Duration,
}

/// The text is no period.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotAPeriod {
    /// Ninety what?
    #[error("`{0}` has no unit: write `{0}s` for seconds, or one of ms, s, m, h, d")]
    NoUnit(String),
    /// The unit is unknown.
    #[error("`{text}` has an unknown unit `{unit}`: write ms, s, m, h or d, as in `10m`")]
    UnknownUnit {
        /// All of it.
        text: String,
        /// The unit.
        unit: String,
    },
    /// Anything else.
    #[error("`{0}` is no length of time: write whole numbers with a unit (ms, s, m, h, d), as in `90s` or `1h30m`")]
    Unreadable(String),
}

impl Period {
    /// The period as a duration.
    pub fn duration(&self) -> Duration {
        self.length
    }

    /// Whether it is no time at all.
    pub fn is_zero(&self) -> bool {
        self.length.is_zero()
    }
}

impl std::str::FromStr for Period {
    type Err = NotAPeriod;

    fn from_str(text: &str) -> Result<Self, NotAPeriod> {
        let unreadable = || NotAPeriod::Unreadable(text.to_owned());
        let mut rest = text;
        let mut total: u64 = 0;
        while !rest.is_empty() || total == 0 && rest.len() == text.len() {
            let (digits, after) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len()));
            let (unit, next) = after.split_at(after.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after.len()));
            let number: u64 = digits.parse().map_err(|_| unreadable())?;
            if after.is_empty() {
                return Err(if digits == text { NotAPeriod::NoUnit(text.to_owned()) } else { unreadable() });
            }
            if unit.is_empty() {
                return Err(unreadable());
            }
            let (_, length) = UNITS
                .iter()
                .find(|(name, _)| *name == unit)
                .ok_or_else(|| NotAPeriod::UnknownUnit { text: text.to_owned(), unit: unit.to_owned() })?;
            total = number.checked_mul(*length).and_then(|part| total.checked_add(part)).ok_or_else(unreadable)?;
            rest = next;
        }
        Ok(Self { written: text.to_owned(), length: Duration::from_millis(total) })
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}

impl Serialize for Period {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.written)
    }
}

impl<'de> Deserialize<'de> for Period {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Period {
    fn schema_name() -> Cow<'static, str> {
        "Period".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": "^([0-9]+(ms|s|m|h|d))+$",
            "description": "A length of time with its unit: ms, s, m, h or d, as in `90s`, `10m`, `1h30m`."
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_are_read_and_written_back_as_written() {
        for (text, millis) in [("0s", 0), ("500ms", 500), ("90s", 90_000), ("1h30m", 5_400_000), ("7d", 604_800_000)] {
            let period: Period = text.parse().unwrap();
            assert_eq!(period.duration(), Duration::from_millis(millis), "{text}");
            assert_eq!(period.to_string(), text);
            assert_eq!(serde_json::from_str::<Period>(&serde_json::to_string(&period).unwrap()).unwrap(), period);
        }
    }

    #[test]
    fn what_is_no_period_is_refused_with_advice() {
        let wrong = ["90", "", "m", "10 m", "1.5h", "-1s", "10min", "1h30", "99999999999999999999d", "900000000000d"];
        let told: Vec<_> = wrong.iter().map(|text| text.parse::<Period>().unwrap_err().to_string()).collect();
        insta::assert_snapshot!(told.join("\n"));
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[0-9a-z. -]{0,12}") {
            let _ = text.parse::<Period>();
        }
    }
}
