//! Whether a bucket policy makes the bucket public, as Block Public Access understands it.

use s3s::{S3ErrorCode, S3Result};
use serde_json::Value;

/// Condition keys that tie a statement to somebody known (S3 guide: access-control-block-public-access, "The meaning of public").
const FIXING: &[&str] = &[
    "aws:sourcearn",
    "aws:sourceaccount",
    "aws:sourceip",
    "aws:sourcevpc",
    "aws:sourcevpce",
    "aws:sourceowner",
    "aws:userid",
    "aws:principalorgid",
    "aws:principalarn",
    "s3:dataaccesspointarn",
];

/// Reads a policy; says whether any statement of it is public, or why it is none.
pub(super) fn is_public(bucket: &str, text: &str) -> S3Result<bool> {
    let malformed = |why: &str| s3s::S3Error::with_message(S3ErrorCode::MalformedPolicy, why.to_owned());
    let policy: Value = serde_json::from_str(text)
        .map_err(|_| malformed("Policies must be valid JSON and the first byte must be '{'"))?;
    let statements = match &policy["Statement"] {
        Value::Array(statements) => statements.iter().collect(),
        one @ Value::Object(_) => vec![one],
        _ => return Err(malformed("Missing required field Statement")),
    };
    let mut public = false;
    for statement in statements {
        if !matches!(statement["Effect"].as_str(), Some("Allow" | "Deny")) {
            return Err(malformed("Missing required field Effect"));
        }
        if statement["Principal"].is_null() && statement["NotPrincipal"].is_null() {
            return Err(malformed("Missing required field Principal"));
        }
        if texts(&statement["Action"]).is_empty() && texts(&statement["NotAction"]).is_empty() {
            return Err(malformed("Missing required field Action"));
        }
        let own = format!("arn:aws:s3:::{bucket}");
        let fits = |r: &str| r == own || r.starts_with(&format!("{own}/")) || r == "*";
        if !texts(&statement["Resource"]).iter().all(|r| fits(r)) {
            return Err(malformed("Policy has invalid resource"));
        }
        let anyone = statement["Principal"] == "*" || texts(&statement["Principal"]["AWS"]).contains(&"*");
        public |= statement["Effect"] == "Allow" && anyone && !is_fixed(&statement["Condition"]);
    }
    Ok(public)
}

fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect(),
        Value::String(one) => vec![one],
        _ => Vec::new(),
    }
}

/// Whether a condition ties the statement to a fixed value without wildcards.
fn is_fixed(condition: &Value) -> bool {
    let blocks = condition.as_object().into_iter().flatten();
    let mut keys = blocks.filter_map(|(_, block)| block.as_object()).flatten();
    keys.any(|(key, value)| {
        let values = texts(value);
        let fixed = !values.is_empty() && values.iter().all(|v| !v.contains('*') && *v != "0.0.0.0/0");
        FIXING.contains(&key.to_ascii_lowercase().as_str()) && fixed
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(principal: &str, condition: &str) -> String {
        format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{principal},"Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*","Condition":{condition}}}]}}"#
        )
    }

    #[test]
    fn anyone_is_public_and_a_distribution_is_not() {
        assert!(is_public("b", &policy("\"*\"", "{}")).unwrap());
        assert!(is_public("b", &policy(r#"{"AWS":"*"}"#, "{}")).unwrap());
        assert!(!is_public("b", &policy(r#"{"Service":"cloudfront.amazonaws.com"}"#, "{}")).unwrap());
        let fixed = r#"{"StringEquals":{"aws:SourceAccount":"1"}}"#;
        assert!(!is_public("b", &policy("\"*\"", fixed)).unwrap());
        let loose = r#"{"StringLike":{"aws:SourceArn":"*"}}"#;
        assert!(is_public("b", &policy("\"*\"", loose)).unwrap());
    }

    #[test]
    fn nonsense_is_malformed() {
        assert!(is_public("b", "{").is_err());
        assert!(is_public("other", &policy("\"*\"", "{}")).is_err());
    }
}
