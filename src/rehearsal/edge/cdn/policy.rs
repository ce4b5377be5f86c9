//! Whether a bucket policy lets one distribution read (law C2: `cloudfront.amazonaws.com` with `AWS:SourceArn`).

use crate::rehearsal::policy::{self, Asked, Context, Principal, Verdict};
use crate::rehearsal::state::ACCOUNT;

/// The service principal of origin access control.
const SERVICE: &str = "cloudfront.amazonaws.com";

/// A bucket policy, with what it knows of one reader.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    statements: policy::Policy,
    context: Context,
    signed: bool,
}

impl Policy {
    /// What `policy` (JSON) lets the distribution of an ARN read, or anybody at all where reads are not signed. A
    /// policy that is no JSON lets nobody read.
    pub fn parse(policy: &str, reader: Option<&str>) -> Self {
        let Ok(mut policy) = policy::Policy::parse(policy) else { return Self::default() };
        let Some(arn) = reader else {
            let mut context = Context { rest_unknown: true, ..Context::default() };
            context.set("aws:SecureTransport", "true");
            return Self { statements: policy, context, signed: false };
        };
        // An allowance counts only with `AWS:SourceArn`: without, any distribution of anybody could read.
        policy.statements.retain(|s| !s.allows || s.tests.iter().any(|test| test.key == "aws:sourcearn"));
        // The CDN always reads over TLS; its own address, for example, is not known here.
        let mut context = Context { rest_unknown: true, ..Context::default() };
        context.set("aws:SourceArn", arn);
        context.set("aws:SourceAccount", ACCOUNT);
        context.set("aws:SecureTransport", "true");
        context.set("aws:PrincipalIsAWSService", "true");
        context.set("aws:PrincipalServiceName", SERVICE);
        Self { statements: policy, context, signed: true }
    }

    /// Whether the object at `key` of `bucket` may be read.
    pub fn lets_read(&self, bucket: &str, key: &str) -> bool {
        self.lets("s3:GetObject", &format!("arn:aws:s3:::{bucket}/{key}"))
    }

    /// Whether it may be told that a key is not there (law C3).
    pub fn lets_list(&self, bucket: &str) -> bool {
        self.lets("s3:ListBucket", &format!("arn:aws:s3:::{bucket}"))
    }

    fn lets(&self, action: &str, resource: &str) -> bool {
        let principal = if self.signed { Principal::Service(SERVICE) } else { Principal::Anonymous };
        self.statements.judge(Asked { principal, action, resource }, &self.context) == Verdict::Allowed
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

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
        public["Condition"] = json!({});
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
