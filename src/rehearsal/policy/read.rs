//! Reading a policy, as strictly as `PutBucketPolicy` does.

use serde_json::Value;

use super::condition::Test;
use super::{Matched, Policy, Statement, Who};

/// The largest bucket policy. Source: S3 guide, "Policies and permissions in Amazon S3".
const LARGEST: usize = 20 << 10;

impl Policy {
    /// Reads a policy, or says in AWS's words why it is none.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if text.len() > LARGEST {
            return Err("Policy exceeds the maximum allowed document size.".into());
        }
        let not_json = || "Policies must be valid JSON and the first byte must be '{'".to_owned();
        let document: Value = serde_json::from_str(text).map_err(|_| not_json())?;
        if !document.is_object() {
            return Err(not_json());
        }
        match document["Version"].as_str() {
            None | Some("2012-10-17" | "2008-10-17") => {}
            Some(_) => return Err("The policy must contain a valid version string".into()),
        }
        let statements = match &document["Statement"] {
            Value::Null => return Err("Missing required field Statement".into()),
            one_or_many => many(one_or_many),
        };
        if statements.is_empty() {
            return Err("Could not parse the policy: Statement is empty!".into());
        }
        Ok(Self { statements: statements.iter().map(statement).collect::<Result<_, _>>()? })
    }
}

fn statement(value: &Value) -> Result<Statement, String> {
    let allows = match value["Effect"].as_str() {
        Some("Allow") => true,
        Some("Deny") => false,
        Some(other) => return Err(format!("Invalid effect: {other}")),
        None => return Err("Missing required field Effect".into()),
    };
    let who = match (&value["Principal"], &value["NotPrincipal"]) {
        (Value::Null, Value::Null) => return Err("Missing required field Principal".into()),
        (Value::Null, but) => Who { but: true, ..principals(but)? },
        (given, _) => principals(given)?,
    };
    let actions = matched(value, "Action", "NotAction")?;
    if actions.patterns.iter().any(|a| a != "*" && !a.contains(':')) {
        return Err("Policy has invalid action".into());
    }
    let resources = matched(value, "Resource", "NotResource")?;
    Ok(Statement { allows, who, actions, resources, tests: Test::read(&value["Condition"])? })
}

fn matched(value: &Value, name: &str, not_name: &str) -> Result<Matched, String> {
    let (given, but) = match (texts(&value[name]), texts(&value[not_name])) {
        (given, _) if !given.is_empty() => (given, false),
        (_, given) if !given.is_empty() => (given, true),
        _ => return Err(format!("Missing required field {name}")),
    };
    Ok(Matched { patterns: given, but })
}

fn principals(value: &Value) -> Result<Who, String> {
    let invalid = || Err("Invalid principal in policy".to_owned());
    let mut who = Who::default();
    if value == "*" {
        who.anyone = true;
        return Ok(who);
    }
    let Some(kinds) = value.as_object() else { return invalid() };
    for (kind, names) in kinds {
        let names = texts(names);
        match kind.as_str() {
            "AWS" => {
                who.anyone |= names.iter().any(|n| n == "*");
                for name in names.into_iter().filter(|n| n != "*") {
                    let number = name.len() == 12 && name.bytes().all(|b| b.is_ascii_digit());
                    let arn = name.split(':').count() >= 6 && name.starts_with("arn:") && !name.contains('*');
                    if !number && !arn {
                        return invalid();
                    }
                    who.accounts.push(name);
                }
            }
            "Service" => who.services.extend(names),
            // Nobody signs in so in a rehearsal: they match no request.
            "Federated" | "CanonicalUser" => {}
            _ => return invalid(),
        }
    }
    Ok(who)
}

pub(super) fn many(value: &Value) -> &[Value] {
    match value {
        Value::Array(many) => many,
        Value::Null => &[],
        one => std::slice::from_ref(one),
    }
}

pub(super) fn texts(value: &Value) -> Vec<String> {
    let text = |v: &Value| match v {
        Value::String(s) => Some(s.clone()),
        Value::Bool(b) => Some(b.to_string()),
        Value::Number(n) => Some(n.to_string()),
        _ => None,
    };
    many(value).iter().filter_map(text).collect()
}
