//! What a bucket policy lets one distribution read (law C2: `cloudfront.amazonaws.com` with `AWS:SourceArn`).
//! Source: IAM guide, `reference_policies_evaluation-logic` and `reference_policies_elements_condition_operators`.

use serde_json::Value;

use crate::rehearsal::edge::glob;
use crate::rehearsal::state::ACCOUNT;

/// The service principal of origin access control.
const SERVICE: &str = "cloudfront.amazonaws.com";

/// The statements of a bucket policy that speak of one reader.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    read: Says,
    list: Says,
}

/// Patterns of resources.
#[derive(Debug, Clone, Default)]
struct Says {
    allow: Vec<Resources>,
    deny: Vec<Resources>,
}

/// A statement's `Resource`, or its `NotResource`.
#[derive(Debug, Clone)]
struct Resources {
    patterns: Vec<String>,
    but: bool,
}

impl Policy {
    /// What `policy` (JSON) lets the distribution of an ARN read, or anybody at all. One that is no JSON lets nobody.
    pub fn parse(policy: &str, reader: Option<&str>) -> Self {
        let Ok(document) = serde_json::from_str::<Value>(policy) else { return Self::default() };
        let mut parsed = Self::default();
        for statement in one_or_many(&document["Statement"]) {
            let denies = statement["Effect"] == "Deny";
            if (!denies && statement["Effect"] != "Allow") || !is_for(statement, reader.is_some()) {
                continue;
            }
            let holds = |test: &Test| test.holds(reader);
            let tests = tests(&statement["Condition"]);
            // What cannot be judged allows nothing, and denies all the same.
            let applies = tests.iter().all(|test| holds(test).unwrap_or(denies));
            if !applies {
                continue;
            }
            let but = statement["Resource"].is_null();
            let resources =
                Resources { patterns: texts(&statement[if but { "NotResource" } else { "Resource" }]), but };
            for (says, action) in [(&mut parsed.read, "s3:GetObject"), (&mut parsed.list, "s3:ListBucket")] {
                if acts(statement, action) {
                    let side = if denies { &mut says.deny } else { &mut says.allow };
                    side.push(resources.clone());
                }
            }
        }
        parsed
    }

    /// Whether the object at `key` of `bucket` may be read.
    pub fn lets_read(&self, bucket: &str, key: &str) -> bool {
        !self.read.allow.is_empty() && self.read.lets(&format!("arn:aws:s3:::{bucket}/{key}"))
    }

    /// Whether it may be told that a key is not there (law C3).
    pub fn lets_list(&self, bucket: &str) -> bool {
        self.list.lets(&format!("arn:aws:s3:::{bucket}"))
    }
}

impl Says {
    /// A denial wins.
    fn lets(&self, resource: &str) -> bool {
        let any = |side: &[Resources]| side.iter().any(|r| r.are(resource));
        any(&self.allow) && !any(&self.deny)
    }
}

impl Resources {
    fn are(&self, resource: &str) -> bool {
        self.patterns.iter().any(|p| glob::matches(p, resource, false)) != self.but
    }
}

/// Whether a statement speaks of an action.
fn acts(statement: &Value, action: &str) -> bool {
    let named = |member: &str| texts(&statement[member]).iter().any(|a| glob::matches(a, action, true));
    if statement["Action"].is_null() {
        !statement["NotAction"].is_null() && !named("NotAction")
    } else {
        named("Action")
    }
}

/// Whether a statement speaks of the reader: CloudFront's service, or anybody without a name.
fn is_for(statement: &Value, is_service: bool) -> bool {
    let named = |principal: &Value| {
        let everyone = *principal == "*" || texts(&principal["AWS"]).iter().any(|p| p == "*");
        everyone || (is_service && texts(&principal["Service"]).iter().any(|s| s == SERVICE))
    };
    match (&statement["Principal"], &statement["NotPrincipal"]) {
        (Value::Null, Value::Null) => false,
        (Value::Null, other) => !named(other),
        (principal, _) => named(principal),
    }
}

struct Test {
    operator: String,
    key: String,
    values: Vec<String>,
}

impl Test {
    /// Whether it holds for a read; `None` where it cannot be judged here.
    fn holds(&self, reader: Option<&str>) -> Option<bool> {
        let live = match (self.key.as_str(), reader) {
            ("aws:sourcearn", Some(arn)) => Some(arn),
            ("aws:sourceaccount", Some(_)) => Some(ACCOUNT),
            ("aws:principalservicename", Some(_)) => Some(SERVICE),
            ("aws:principalisawsservice", reader) => Some(if reader.is_some() { "true" } else { "false" }),
            // the CDN always reads over TLS
            ("aws:securetransport", _) => Some("true"),
            // keys a service's request does not have
            (
                "aws:sourcearn"
                | "aws:sourceaccount"
                | "aws:principalservicename"
                | "aws:principalarn"
                | "aws:principalaccount"
                | "aws:principalorgid"
                | "aws:sourcevpc"
                | "aws:sourcevpce"
                | "aws:referer",
                _,
            ) => None,
            _ => return None,
        };
        let (operator, if_exists) = match self.operator.strip_suffix("ifexists") {
            Some(bare) => (bare, true),
            None => (self.operator.as_str(), false),
        };
        if operator == "null" {
            return Some(self.values.iter().any(|v| v == if live.is_none() { "true" } else { "false" }));
        }
        let any = |same: &dyn Fn(&str, &str) -> bool| live.map(|live| self.values.iter().any(|v| same(v, live)));
        let (found, negated) = match operator {
            "stringequals" => (any(&|v, l| v == l), false),
            "stringequalsignorecase" => (any(&|v, l| v.eq_ignore_ascii_case(l)), false),
            "stringlike" | "arnequals" | "arnlike" => (any(&|v, l| glob::matches(v, l, false)), false),
            "bool" => (any(&|v, l| v.eq_ignore_ascii_case(l)), false),
            "stringnotequals" => (any(&|v, l| v == l), true),
            "stringnotequalsignorecase" => (any(&|v, l| v.eq_ignore_ascii_case(l)), true),
            "stringnotlike" | "arnnotequals" | "arnnotlike" => (any(&|v, l| glob::matches(v, l, false)), true),
            _ => return None,
        };
        // A key that is not there fails a test, unless it is a negated one or says `IfExists`.
        Some(found.map_or(negated || if_exists, |found| found != negated))
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
        Policy::parse(&policy.to_string(), Some(ARN)).lets_read("pages", "new/index.html")
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
            ("/Condition/StringEquals", json!({"aws:SourceIp": "192.0.2.0"})),
            ("/Condition", json!({"Null": {"AWS:SourceArn": "true"}})),
            ("/Principal/Service", json!("elasticmapreduce.amazonaws.com")),
            ("/Action", json!("s3:PutObject")),
            ("/Resource", json!("arn:aws:s3:::other/*")),
            ("/Effect", json!("Deny")),
        ] {
            let mut other = allow();
            *other.pointer_mut(pointer).unwrap() = value;
            assert!(!reads(&json!({"Statement": [other]})), "{pointer}");
        }
        assert!(!Policy::parse("no json", Some(ARN)).lets_read("pages", "index.html"));
    }

    #[test]
    fn a_missing_key_is_told_only_to_who_may_list() {
        let list = json!({"Effect": "Allow", "Principal": {"Service": "cloudfront.amazonaws.com"},
            "Action": ["s3:ListBucket"], "Resource": "arn:aws:s3:::pages",
            "Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:cloudfront::000000000000:distribution/*"}}});
        let policy = |statements: Value| Policy::parse(&json!({"Statement": statements}).to_string(), Some(ARN));
        assert!(policy(json!([allow(), list])).lets_list("pages"));
        assert!(!policy(json!([allow()])).lets_list("pages"));
    }

    #[test]
    fn who_signs_nothing_reads_only_what_anybody_may() {
        let anonymous = |statement: Value| {
            Policy::parse(&json!({"Statement": statement}).to_string(), None).lets_read("pages", "index.html")
        };
        let mut public = allow();
        public["Principal"] = json!("*");
        assert!(!anonymous(allow()) && !anonymous(public.clone()), "nobody's ARN is that of the distribution");
        public["Condition"] = json!(null);
        assert!(anonymous(public));
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
