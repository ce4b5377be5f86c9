use serde_json::{Value, json};

use super::*;

const ME: &str = "arn:aws:iam::000000000000:user/outgrow";

fn policy(statements: &Value) -> Policy {
    Policy::parse(&json!({"Version": "2012-10-17", "Statement": statements}).to_string()).unwrap()
}

fn reads(principal: Principal<'_>) -> Asked<'_> {
    Asked { principal, action: "s3:GetObject", resource: "arn:aws:s3:::b/a/1" }
}

fn context(pairs: &[(&str, &str)]) -> Context {
    let mut context = Context::default();
    for (key, value) in pairs {
        context.set(key, *value);
    }
    context
}

#[allow(clippy::needless_pass_by_value)] // they come as they are written
fn statement(effect: &str, principal: Value, condition: Value) -> Value {
    json!({"Effect": effect, "Principal": principal, "Action": "s3:Get*", "Resource": "arn:aws:s3:::b/*", "Condition": condition})
}

#[test]
fn principals_are_told_apart() {
    let none = Context::default();
    let allow = |principal: Value| policy(&statement("Allow", principal, Value::Null));
    for (principal, anonymous, me, service) in [
        (json!("*"), true, true, true),
        (json!({"AWS": "*"}), true, true, true),
        (json!({"AWS": "000000000000"}), false, true, false),
        (json!({"AWS": ["arn:aws:iam::000000000000:root"]}), false, true, false),
        (json!({"AWS": ME}), false, true, false),
        (json!({"AWS": "111111111111"}), false, false, false),
        (json!({"Service": "cloudfront.amazonaws.com"}), false, false, true),
    ] {
        let policy = allow(principal.clone());
        let allowed = |p| policy.judge(reads(p), &none) == Verdict::Allowed;
        assert_eq!(
            (
                allowed(Principal::Anonymous),
                allowed(Principal::Identity(ME)),
                allowed(Principal::Service("cloudfront.amazonaws.com"))
            ),
            (anonymous, me, service),
            "{principal}"
        );
    }
}

#[test]
fn a_denial_wins_and_other_actions_are_not_spoken_of() {
    let both =
        policy(&json!([statement("Allow", json!("*"), Value::Null), statement("Deny", json!("*"), Value::Null)]));
    assert_eq!(both.judge(reads(Principal::Anonymous), &Context::default()), Verdict::Denied);
    let put = Asked { action: "s3:PutObject", ..reads(Principal::Anonymous) };
    assert_eq!(both.judge(put, &Context::default()), Verdict::Silent);
    let elsewhere = Asked { resource: "arn:aws:s3:::b", ..reads(Principal::Anonymous) };
    assert_eq!(both.judge(elsewhere, &Context::default()), Verdict::Silent);
    let not = policy(&json!({"Effect": "Deny", "NotPrincipal": {"AWS": ME}, "NotAction": "s3:Put*", "Resource": "*"}));
    assert_eq!(not.judge(reads(Principal::Anonymous), &Context::default()), Verdict::Denied);
    assert_eq!(not.judge(reads(Principal::Identity(ME)), &Context::default()), Verdict::Silent);
}

#[test]
fn conditions_hold_as_iam_says() {
    for (condition, given, expected) in [
        (json!({"Bool": {"aws:SecureTransport": "false"}}), ("aws:SecureTransport", "false"), true),
        (json!({"Bool": {"aws:SecureTransport": false}}), ("aws:SecureTransport", "true"), false),
        (json!({"StringEquals": {"s3:prefix": ["a", "b"]}}), ("s3:prefix", "b"), true),
        (json!({"StringNotEquals": {"s3:prefix": ["a", "b"]}}), ("s3:prefix", "b"), false),
        (json!({"StringNotEquals": {"s3:prefix": "a"}}), ("x", "y"), true),
        (json!({"StringEquals": {"s3:prefix": "a"}}), ("x", "y"), false),
        (json!({"StringEqualsIfExists": {"s3:prefix": "a"}}), ("x", "y"), true),
        (json!({"StringLike": {"aws:Referer": "https://shop.test/*"}}), ("aws:referer", "https://shop.test/a"), true),
        (
            json!({"ArnLike": {"AWS:SourceArn": "arn:aws:cloudfront::*:distribution/E1"}}),
            ("aws:SourceArn", "arn:aws:cloudfront::1:distribution/E1"),
            true,
        ),
        (json!({"IpAddress": {"aws:SourceIp": ["10.0.0.0/8", "192.0.2.7"]}}), ("aws:SourceIp", "192.0.2.7"), true),
        (json!({"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}), ("aws:SourceIp", "11.0.0.1"), false),
        (json!({"NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}}), ("aws:SourceIp", "11.0.0.1"), true),
        (json!({"IpAddress": {"aws:SourceIp": "2001:db8::/32"}}), ("aws:SourceIp", "2001:db8::1"), true),
        (json!({"Null": {"s3:if-none-match": "true"}}), ("x", "y"), true),
        (json!({"Null": {"s3:if-none-match": "true"}}), ("s3:if-none-match", "*"), false),
        (json!({"NumericLessThan": {"s3:TlsVersion": 1.2}}), ("s3:tlsversion", "1.1"), true),
        (
            json!({"DateGreaterThan": {"aws:CurrentTime": "2026-01-01T00:00:00Z"}}),
            ("aws:CurrentTime", "2026-06-01T00:00:00Z"),
            true,
        ),
        (json!({"ForAllValues:StringEquals": {"x": ["y", "z"]}}), ("x", "y"), true),
        (json!({"StringEquals": {"x": "y"}, "Bool": {"z": "true"}}), ("x", "y"), false),
    ] {
        let policy = policy(&statement("Allow", json!("*"), condition.clone()));
        let verdict = policy.judge(reads(Principal::Anonymous), &context(&[given]));
        assert_eq!(verdict == Verdict::Allowed, expected, "{condition} with {given:?}");
    }
}

#[test]
fn what_is_not_known_denies_and_does_not_allow() {
    let unknown = Context { rest_unknown: true, ..Context::default() };
    let condition = json!({"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}});
    for (effect, expected) in [("Allow", Verdict::Silent), ("Deny", Verdict::Denied)] {
        let policy = policy(&statement(effect, json!("*"), condition.clone()));
        assert_eq!(policy.judge(reads(Principal::Anonymous), &unknown), expected);
    }
}

#[test]
fn public_is_what_block_public_access_calls_so() {
    for (principal, condition, public) in [
        (json!("*"), json!({}), true),
        (json!({"AWS": "*"}), json!({}), true),
        (json!({"AWS": ME}), json!({}), false),
        (json!({"Service": "cloudfront.amazonaws.com"}), json!({}), false),
        (json!("*"), json!({"StringEquals": {"aws:SourceAccount": "1"}}), false),
        (json!("*"), json!({"StringNotEquals": {"aws:SourceAccount": "1"}}), true),
        (json!("*"), json!({"StringEqualsIfExists": {"aws:SourceVpc": "vpc-1"}}), true),
        (json!("*"), json!({"StringLike": {"aws:SourceArn": "*"}}), true),
        (json!("*"), json!({"StringLike": {"aws:Referer": "https://shop.test/"}}), true),
        (json!("*"), json!({"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}), false),
        (json!("*"), json!({"IpAddress": {"aws:SourceIp": ["192.0.2.0/24", "0.0.0.0/1"]}}), true),
        (json!("*"), json!({"Bool": {"aws:SecureTransport": "true"}}), true),
    ] {
        assert_eq!(
            policy(&statement("Allow", principal.clone(), condition.clone())).is_public(),
            public,
            "{principal} {condition}"
        );
    }
    assert!(!policy(&statement("Deny", json!("*"), json!({}))).is_public());
}

#[test]
fn nonsense_is_no_policy() {
    for (text, why) in [
        ("{", "valid JSON"),
        ("[]", "valid JSON"),
        (r#"{"Version":"2012-10-17"}"#, "Statement"),
        (r#"{"Version":"1","Statement":[]}"#, "version"),
        (r#"{"Statement":{"Effect":"Maybe","Principal":"*","Action":"s3:*","Resource":"*"}}"#, "effect"),
        (r#"{"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}"#, "Principal"),
        (r#"{"Statement":{"Effect":"Allow","Principal":"me","Action":"s3:*","Resource":"*"}}"#, "principal"),
        (r#"{"Statement":{"Effect":"Allow","Principal":{"AWS":"me"},"Action":"s3:*","Resource":"*"}}"#, "principal"),
        (r#"{"Statement":{"Effect":"Allow","Principal":"*","Resource":"*"}}"#, "Action"),
        (r#"{"Statement":{"Effect":"Allow","Principal":"*","Action":"GetObject","Resource":"*"}}"#, "action"),
        (r#"{"Statement":{"Effect":"Allow","Principal":"*","Action":"s3:*"}}"#, "Resource"),
        (
            r#"{"Statement":{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*","Condition":{"Is":{"a":"b"}}}}"#,
            "Condition",
        ),
    ] {
        let error = Policy::parse(text).unwrap_err();
        assert!(error.contains(why), "{text}: {error}");
    }
}
