//! Metric math: numbers, the ids of other queries, `+ - * / ^`, brackets, and the functions that a gate on a balancer's
//! metrics needs. What else CloudWatch knows (comparisons, SEARCH, anomaly bands, Metrics Insights) is refused plainly.

use super::math::{Series, Value, apply, fill, fold, map};
use super::period::Span;

/// How deep brackets and functions may lie in each other.
const DEEPEST: usize = 32;

/// What an expression is worked out from.
pub(super) trait Known {
    /// The value of another query.
    fn query(&self, id: &str, depth: usize) -> Result<Value, String>;
    /// The metrics of the request (not its expressions) whose ids hold this text.
    fn metrics(&self, holding: &str) -> Result<Vec<Series>, String>;
    /// The periods asked for.
    fn span(&self) -> Span;
}

/// The value of an expression. `depth` counts the expressions it is part of.
pub(super) fn value(text: &str, known: &dyn Known, depth: usize) -> Result<Value, String> {
    let mut parser = Parser { rest: text.trim_start(), known, depth };
    let value = parser.sum()?;
    match parser.rest.chars().next() {
        None => Ok(value),
        Some(c) => {
            Err(format!("unexpected '{c}'; the rehearsal cloud knows numbers, ids, + - * / ^ and some functions"))
        }
    }
}

struct Parser<'a> {
    rest: &'a str,
    known: &'a dyn Known,
    depth: usize,
}

impl Parser<'_> {
    fn take(&mut self, token: char) -> bool {
        let Some(rest) = self.rest.strip_prefix(token) else { return false };
        self.rest = rest.trim_start();
        true
    }

    fn need(&mut self, token: char) -> Result<(), String> {
        if self.take(token) { Ok(()) } else { Err(format!("'{token}' is missing")) }
    }

    /// The longest beginning of such characters.
    fn word(&mut self, part: fn(char) -> bool) -> &str {
        let end = self.rest.find(|c| !part(c)).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest.trim_start();
        word
    }

    fn sum(&mut self) -> Result<Value, String> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err("it is nested too deeply, or refers to itself".into());
        }
        let mut left = self.product()?;
        loop {
            left = if self.take('+') {
                apply(left, self.product()?, |a, b| a + b)
            } else if self.take('-') {
                apply(left, self.product()?, |a, b| a - b)
            } else {
                self.depth -= 1;
                return Ok(left);
            };
        }
    }

    fn product(&mut self) -> Result<Value, String> {
        let mut left = self.power()?;
        loop {
            left = if self.take('*') {
                apply(left, self.power()?, |a, b| a * b)
            } else if self.take('/') {
                apply(left, self.power()?, |a, b| a / b)
            } else {
                return Ok(left);
            };
        }
    }

    fn power(&mut self) -> Result<Value, String> {
        if self.take('-') {
            self.depth += 1;
            if self.depth > DEEPEST {
                return Err("it is nested too deeply".into());
            }
            let value = self.power()?;
            self.depth -= 1;
            return Ok(map(value, |a| -a));
        }
        let base = self.atom()?;
        if self.take('^') { Ok(apply(base, self.atom()?, f64::powf)) } else { Ok(base) }
    }

    fn atom(&mut self) -> Result<Value, String> {
        if self.take('(') {
            let value = self.sum()?;
            self.need(')')?;
            return Ok(value);
        }
        if self.take('[') {
            let mut all = Vec::new();
            loop {
                match self.sum()? {
                    Value::Series(series) => all.push(series),
                    Value::Many(many) => all.extend(many),
                    Value::Scalar(_) => return Err("a number stands in a list of metrics".into()),
                }
                if !self.take(',') {
                    break;
                }
            }
            self.need(']')?;
            return Ok(Value::Many(all));
        }
        let starts = self.rest.chars().next().unwrap_or('\0');
        if starts.is_ascii_digit() || starts == '.' {
            let digits = self.word(|c| c.is_ascii_digit() || c == '.').to_owned();
            return digits.parse().map(Value::Scalar).map_err(|_| format!("'{digits}' is no number"));
        }
        let word = self.word(|c| c.is_ascii_alphanumeric() || c == '_').to_owned();
        match word.chars().next() {
            Some(first) if first.is_ascii_uppercase() => self.function(&word),
            Some(_) => self.known.query(&word, self.depth),
            None if starts == '\0' => Err("it ends too early".into()),
            None => Err(format!("unexpected '{starts}'")),
        }
    }

    fn function(&mut self, name: &str) -> Result<Value, String> {
        self.need('(')?;
        let value = match name {
            "METRICS" => {
                let holding = if self.take('"') {
                    let holding = self.word(|c| c != '"').to_owned();
                    self.need('"')?;
                    holding
                } else {
                    String::new()
                };
                Value::Many(self.known.metrics(&holding)?)
            }
            "SUM" => fold(self.sum()?, |all| all.iter().sum()),
            "AVG" => fold(self.sum()?, mean),
            "MIN" => fold(self.sum()?, |all| all.iter().copied().fold(f64::INFINITY, f64::min)),
            "MAX" => fold(self.sum()?, |all| all.iter().copied().fold(f64::NEG_INFINITY, f64::max)),
            "ABS" => map(self.sum()?, f64::abs),
            "CEIL" => map(self.sum()?, f64::ceil),
            "FLOOR" => map(self.sum()?, f64::floor),
            "TIME_SERIES" => match self.sum()? {
                Value::Scalar(number) => Value::Series(self.known.span().starts().map(|at| (at, number)).collect()),
                other => other,
            },
            "FILL" => self.fill()?,
            _ => return Err(format!("the rehearsal cloud does not know the function {name}")),
        };
        self.need(')')?;
        Ok(value)
    }

    fn fill(&mut self) -> Result<Value, String> {
        let value = self.sum()?;
        self.need(',')?;
        let with = if let Some(rest) = self.rest.strip_prefix("REPEAT") {
            self.rest = rest.trim_start();
            None
        } else {
            match self.sum()? {
                Value::Scalar(number) => Some(number),
                _ => return Err("FILL takes a number or REPEAT".into()),
            }
        };
        let span = self.known.span();
        match value {
            Value::Series(series) => Ok(Value::Series(fill(&series, with, span.starts()))),
            Value::Many(all) => Ok(Value::Many(all.iter().map(|s| fill(s, with, span.starts())).collect())),
            Value::Scalar(_) => Err("FILL takes a metric".into()),
        }
    }
}

#[allow(clippy::cast_precision_loss)] // a handful of metrics, or the periods of a request
fn mean(all: &[f64]) -> f64 {
    all.iter().sum::<f64>() / all.len() as f64
}

#[cfg(test)]
mod tests {
    use super::super::period::moment;
    use super::*;

    struct Two;

    impl Known for Two {
        fn query(&self, id: &str, depth: usize) -> Result<Value, String> {
            match id {
                "m1" => Ok(Value::Series([(0, 1.0), (60, 2.0)].into())),
                "m2" => Ok(Value::Series([(60, 4.0), (120, 0.0)].into())),
                "loop" => value("loop + 1", self, depth),
                _ => Err(format!("there is no {id}")),
            }
        }

        fn metrics(&self, holding: &str) -> Result<Vec<Series>, String> {
            ["m1", "m2"]
                .iter()
                .filter(|id| id.contains(holding))
                .map(|id| match self.query(id, 0)? {
                    Value::Series(series) => Ok(series),
                    _ => Err(String::new()),
                })
                .collect()
        }

        fn span(&self) -> Span {
            Span::new(moment(0), moment(180), 60, moment(180)).unwrap()
        }
    }

    #[test]
    fn expressions_are_worked_out_moment_by_moment() {
        let series = |all: &[(u64, f64)]| Value::Series(all.iter().copied().collect());
        for (text, wanted) in [
            ("m1", series(&[(0, 1.0), (60, 2.0)])),
            ("100 * m1 / m2", series(&[(60, 50.0)])),
            ("1 / m2", series(&[(60, 0.25)])),
            ("m1 - -1", series(&[(0, 2.0), (60, 3.0)])),
            ("(m1 + 1) * 2 ^ 3", series(&[(0, 16.0), (60, 24.0)])),
            ("SUM(METRICS())", series(&[(0, 1.0), (60, 6.0), (120, 0.0)])),
            ("MAX( [ m1, m2 ] )", series(&[(0, 1.0), (60, 4.0), (120, 0.0)])),
            ("AVG(METRICS(\"m1\")) + SUM(m1)", series(&[(0, 4.0), (60, 5.0)])),
            ("FILL(m1, 0)", series(&[(0, 1.0), (60, 2.0), (120, 0.0)])),
            ("FILL(m2, REPEAT)", series(&[(60, 4.0), (120, 0.0)])),
            ("TIME_SERIES(7)", series(&[(0, 7.0), (60, 7.0), (120, 7.0)])),
            ("2 + 3 * 4", Value::Scalar(14.0)),
        ] {
            assert_eq!(value(text, &Two, 0).as_ref(), Ok(&wanted), "{text}");
        }
    }

    #[test]
    fn what_is_not_known_is_said() {
        for (text, why) in [
            ("", "ends too early"),
            ("m3", "no m3"),
            ("m1 m2", "unexpected 'm'"),
            ("m1 >", "unexpected '>'"),
            ("(m1", "')' is missing"),
            ("SEARCH(1)", "does not know the function SEARCH"),
            ("FILL(m1, m2)", "a number or REPEAT"),
            ("loop", "nested too deeply"),
            (&"(".repeat(1000), "nested too deeply"),
            (&"-".repeat(1000), "nested too deeply"),
        ] {
            let error = value(text, &Two, 0).unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}
