//! The weights a shift goes through, in percent of the visitors.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize};

/// At least one weight, each above the one before, 1 to 100 percent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Stages(Vec<u8>);

/// The list is no list of stages.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotStages {
    /// Nothing in it.
    #[error("stages are empty: write the weights in percent, `[100]` at least")]
    Empty,
    /// Beyond the range.
    #[error("a stage of {0} is out of range: stages are percents from 1 to 100")]
    OutOfRange(i64),
    /// Not growing.
    #[error("stages must grow, but {after} comes after {before}: write them like `[1, 10, 50, 100]`")]
    NotGrowing {
        /// The one before.
        before: u8,
        /// The one that is not above it.
        after: u8,
    },
}

impl Stages {
    /// Checks a list.
    pub fn new(list: &[i64]) -> Result<Self, NotStages> {
        let mut stages: Vec<u8> = Vec::with_capacity(list.len());
        for &stage in list {
            let weight = u8::try_from(stage).ok().filter(|w| (1..=100).contains(w));
            let weight = weight.ok_or(NotStages::OutOfRange(stage))?;
            if let Some(&before) = stages.last()
                && weight <= before
            {
                return Err(NotStages::NotGrowing { before, after: weight });
            }
            stages.push(weight);
        }
        if stages.is_empty() { Err(NotStages::Empty) } else { Ok(Self(stages)) }
    }

    /// Everything at once.
    pub fn all_at_once() -> Self {
        Self(vec![100])
    }

    /// The weights in percent.
    pub fn as_slice(&self) -> &[u8] {
        &self.0
    }

    /// The last weight.
    pub fn last(&self) -> u8 {
        self.0.last().copied().unwrap_or(0)
    }
}

impl fmt::Display for Stages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list: Vec<_> = self.0.iter().map(u8::to_string).collect();
        write!(f, "[{}]", list.join(", "))
    }
}

impl<'de> Deserialize<'de> for Stages {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Self::new(&Vec::<i64>::deserialize(from)?).map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Stages {
    fn schema_name() -> Cow<'static, str> {
        "Stages".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "array",
            "items": { "type": "integer", "minimum": 1, "maximum": 100 },
            "minItems": 1,
            "uniqueItems": true,
            "description": "The weights a shift goes through, in percent, each above the one before."
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growing_percents_are_stages() {
        for list in [&[100][..], &[1, 5, 25, 50, 100], &[10, 50]] {
            let stages = Stages::new(list).unwrap();
            assert_eq!(stages.as_slice().iter().map(|w| i64::from(*w)).collect::<Vec<_>>(), list);
        }
        assert_eq!(Stages::new(&[10, 50]).unwrap().to_string(), "[10, 50]");
    }

    #[test]
    fn others_are_refused() {
        assert_eq!(Stages::new(&[]), Err(NotStages::Empty));
        for out in [0, 101, -5, i64::MAX, 256 + 50] {
            assert_eq!(Stages::new(&[out]), Err(NotStages::OutOfRange(out)));
        }
        assert_eq!(Stages::new(&[50, 25]), Err(NotStages::NotGrowing { before: 50, after: 25 }));
        assert_eq!(Stages::new(&[50, 50]), Err(NotStages::NotGrowing { before: 50, after: 50 }));
    }
}
