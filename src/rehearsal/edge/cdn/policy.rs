//! Whether a bucket policy lets one distribution read (law C2: `cloudfront.amazonaws.com` with `AWS:SourceArn`).

use crate::rehearsal::policy::{self, Asked, Context, Principal, Verdict};
use crate::rehearsal::state::ACCOUNT;

/// The service principal of origin access control.
const SERVICE: &str = "cloudfront.amazonaws.com";

/// A bucket policy, with what it knows of one distribution's reads.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    policy: policy::Policy,
    context: Context,
}

impl Policy {
    /// What `policy` (JSON) lets the distribution of `arn` read. A policy that is no JSON lets nobody read.
    pub fn parse(policy: &str, arn: &str) -> Self {
        let Ok(mut policy) = policy::Policy::parse(policy) else { return Self::default() };
        // An allowance counts only with `AWS:SourceArn`: without, any distribution of anybody could read.
        policy.statements.retain(|s| !s.allows || s.tests.iter().any(|test| test.key == "aws:sourcearn"));
        // The CDN always reads over TLS; its own address, for example, is not known here.
        let mut context = Context { rest_unknown: true, ..Context::default() };
        context.set("aws:SourceArn", arn);
        context.set("aws:SourceAccount", ACCOUNT);
        context.set("aws:SecureTransport", "true");
        context.set("aws:PrincipalIsAWSService", "true");
        context.set("aws:PrincipalServiceName", SERVICE);
        Self { policy, context }
    }

    /// Whether the object at `key` of `bucket` may be read.
    pub fn lets_read(&self, bucket: &str, key: &str) -> bool {
        let resource = format!("arn:aws:s3:::{bucket}/{key}");
        let asked = Asked { principal: Principal::Service(SERVICE), action: "s3:GetObject", resource: &resource };
        self.policy.judge(asked, &self.context) == Verdict::Allowed
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

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
