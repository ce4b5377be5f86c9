//! Whether a bucket policy lets one distribution read (law C2: `cloudfront.amazonaws.com` with `AWS:SourceArn`).

use serde_json::Value;

use crate::rehearsal::edge::glob;

/// The service principal of origin access control.
const SERVICE: &str = "cloudfront.amazonaws.com";

/// The statements of a bucket policy that speak of one distribution's reads.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    allow: Vec<String>,
    deny: Vec<String>,
}

impl Policy {
    /// What `policy` (JSON) lets the distribution of `arn` read. A policy that is no JSON lets nobody read.
    pub fn parse(policy: &str, arn: &str) -> Self {
        let Ok(document) = serde_json::from_str::<Value>(policy) else { return Self::default() };
        let mut parsed = Self::default();
        for statement in one_or_many(&document["Statement"]) {
            let reads = texts(&statement["Action"]).iter().any(|a| glob::matches(a, "s3:GetObject", true));
            if !reads {
                continue;
            }
            let resources = texts(&statement["Resource"]);
            match statement["Effect"].as_str() {
                Some("Allow") if principal(statement, false) && allowed_by(&statement["Condition"], arn) => {
                    parsed.allow.extend(resources);
                }
                Some("Deny") if principal(statement, true) && denied_by(&statement["Condition"], arn) => {
                    parsed.deny.extend(resources);
                }
                _ => {}
            }
        }
        parsed
    }

    /// Whether the object at `key` of `bucket` may be read.
    pub fn lets_read(&self, bucket: &str, key: &str) -> bool {
        if self.allow.is_empty() {
            return false;
        }
        let resource = format!("arn:aws:s3:::{bucket}/{key}");
        let any = |patterns: &[String]| patterns.iter().any(|p| glob::matches(p, &resource, false));
        any(&self.allow) && !any(&self.deny)
    }
}

fn principal(statement: &Value, or_everyone: bool) -> bool {
    let principal = &statement["Principal"];
    let everyone = principal == "*" || principal["AWS"] == "*";
    texts(&principal["Service"]).iter().any(|s| s == SERVICE) || (or_everyone && everyone)
}

/// An allowance counts only with `AWS:SourceArn` of this distribution, and with no condition we cannot judge.
fn allowed_by(condition: &Value, arn: &str) -> bool {
    let tests = tests(condition);
    tests.iter().any(|test| test.key == "aws:sourcearn") && tests.iter().all(|test| test.holds(arn) == Some(true))
}

/// A denial counts unless one of its conditions is known not to hold.
fn denied_by(condition: &Value, arn: &str) -> bool {
    tests(condition).iter().all(|test| test.holds(arn) != Some(false))
}

struct Test {
    operator: String,
    key: String,
    values: Vec<String>,
}

impl Test {
    /// Whether it holds for a read by the distribution of `arn`; `None` where it cannot be judged here.
    fn holds(&self, arn: &str) -> Option<bool> {
        let equals = || self.values.iter().any(|v| v == arn);
        let like = || self.values.iter().any(|v| glob::matches(v, arn, false));
        match (self.operator.as_str(), self.key.as_str()) {
            ("stringequals", "aws:sourcearn") => Some(equals()),
            ("stringlike" | "arnequals" | "arnlike", "aws:sourcearn") => Some(like()),
            ("stringnotequals", "aws:sourcearn") => Some(!equals()),
            ("stringnotlike" | "arnnotequals" | "arnnotlike", "aws:sourcearn") => Some(!like()),
            // the CDN always reads over TLS
            ("bool", "aws:securetransport") => Some(self.values.iter().any(|v| v == "true")),
            ("stringequals", "aws:sourceaccount") => {
                Some(self.values.iter().any(|v| v == crate::rehearsal::state::ACCOUNT))
            }
            _ => None,
        }
    }
}

fn tests(condition: &Value) -> Vec<Test> {
    let operators = condition.as_object().into_iter().flatten();
    operators
        .flat_map(|(operator, keys)| {
            keys.as_object().into_iter().flatten().map(|(key, values)| Test {
                operator: operator.to_ascii_lowercase(),
                key: key.to_ascii_lowercase(),
                values: texts(values),
            })
        })
        .collect()
}

fn one_or_many(value: &Value) -> &[Value] {
    match value {
        Value::Array(many) => many,
        Value::Null => &[],
        one => std::slice::from_ref(one),
    }
}

fn texts(value: &Value) -> Vec<String> {
    let text = |v: &Value| match v {
        Value::String(s) => Some(s.clone()),
        Value::Bool(b) => Some(b.to_string()),
        _ => None,
    };
    one_or_many(value).iter().filter_map(text).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ARN: &str = "arn:aws:cloudfront::000000000000:distribution/E1";

    fn reads(policy: &Value) -> bool {
        Policy::parse(&policy.to_string(), ARN).lets_read("pages", "new/index.html")
    }

    fn allow() -> Value {
        json!({"Effect": "Allow", "Principal": {"Service": "cloudfront.amazonaws.com"}, "Action": "s3:GetObject",
            "Resource": "arn:aws:s3:::pages/*", "Condition": {"StringEquals": {"AWS:SourceArn": ARN}}})
    }

    #[test]
    fn law_c2_only_the_named_distribution_reads() {
        assert!(reads(&json!({"Statement": [allow()]})));
        assert!(reads(&json!({"Statement": allow()})), "a single statement may stand without a list");
        for (pointer, value) in [
            ("/Condition/StringEquals/AWS:SourceArn", json!("arn:aws:cloudfront::000000000000:distribution/E2")),
            ("/Condition", json!(null)),
            ("/Principal/Service", json!("elasticmapreduce.amazonaws.com")),
            ("/Action", json!("s3:PutObject")),
            ("/Resource", json!("arn:aws:s3:::other/*")),
            ("/Effect", json!("Deny")),
        ] {
            let mut other = allow();
            *other.pointer_mut(pointer).unwrap() = value;
            assert!(!reads(&json!({"Statement": [other]})), "{pointer}");
        }
        assert!(!Policy::parse("no json", ARN).lets_read("pages", "index.html"));
    }

    #[test]
    fn a_denial_wins_unless_its_condition_is_known_not_to_hold() {
        let deny = |condition: Value| {
            json!({"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::pages/*",
                "Condition": condition})
        };
        assert!(!reads(&json!({"Statement": [allow(), deny(json!(null))]})));
        assert!(reads(&json!({"Statement": [allow(), deny(json!({"Bool": {"aws:SecureTransport": "false"}}))]})));
        assert!(!reads(&json!({"Statement": [allow(), deny(json!({"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}))]})));
    }
}
