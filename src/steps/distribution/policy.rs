//! The bucket's policy: the one distribution may read it (law C2), beside whatever else stands there.

use serde_json::{Value, json};

use super::DistributionChange;
use crate::step::{Act, Fault, Look, StepResult};
use crate::steps::cdn;

/// The name of our statement.
const SID: &str = "OutgrowDistribution";

/// The policy with a statement that lets the distribution of this ARN read.
fn with(before: Option<&str>, bucket: &str, arn: &str) -> StepResult<Value> {
    let statement = json!({
        "Sid": SID,
        "Effect": "Allow",
        "Principal": { "Service": "cloudfront.amazonaws.com" },
        "Action": "s3:GetObject",
        "Resource": format!("arn:aws:s3:::{bucket}/*"),
        "Condition": { "StringEquals": { "AWS:SourceArn": arn } },
    });
    let Some(before) = before else {
        return Ok(json!({ "Version": "2012-10-17", "Statement": [statement] }));
    };
    let mut policy = parsed(before, bucket)?;
    if allows(&policy, bucket, arn) {
        return Ok(policy);
    }
    let statements = match policy.get("Statement").cloned() {
        Some(Value::Array(all)) => all,
        Some(one) => vec![one],
        None => Vec::new(),
    };
    // One of ours for a distribution that is gone is of no use to anybody.
    let others = statements.into_iter().filter(|one| one.get("Sid").and_then(Value::as_str) != Some(SID));
    policy["Statement"] = others.chain([statement]).collect();
    Ok(policy)
}

fn parsed(text: &str, bucket: &str) -> StepResult<Value> {
    serde_json::from_str(text).map_err(|e| Fault::failed(format!("the policy of the bucket {bucket} is no JSON: {e}")))
}

/// Whether a policy lets the distribution read every object, whoever wrote it.
fn allows(policy: &Value, bucket: &str, arn: &str) -> bool {
    let one_of = |value: Option<&Value>, wanted: &[&str]| match value {
        Some(Value::String(text)) => wanted.contains(&text.as_str()),
        Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).any(|text| wanted.contains(&text)),
        _ => false,
    };
    let objects = format!("arn:aws:s3:::{bucket}/*");
    let fits = |one: &Value| {
        let source = one.get("Condition").and_then(|c| c.get("StringEquals")).and_then(|c| {
            let named = c.as_object()?.iter().find(|(key, _)| key.eq_ignore_ascii_case("aws:SourceArn"))?;
            Some(named.1.clone())
        });
        one.get("Effect").and_then(Value::as_str) == Some("Allow")
            && one_of(one.get("Principal").and_then(|p| p.get("Service")), &["cloudfront.amazonaws.com"])
            && one_of(one.get("Action"), &["s3:GetObject", "s3:Get*", "s3:*"])
            && one_of(one.get("Resource"), &[objects.as_str()])
            && one_of(source.as_ref(), &[arn])
    };
    match policy.get("Statement") {
        Some(Value::Array(all)) => all.iter().any(fits),
        Some(one) => fits(one),
        None => false,
    }
}

/// The policy as it is.
async fn live(look: &Look, bucket: &str) -> StepResult<Option<String>> {
    Ok(look.objects.bucket(bucket).await?.and_then(|state| state.policy))
}

/// Whether the site's distribution may read already.
pub(super) async fn lets_read(look: &Look, change: &DistributionChange) -> StepResult<bool> {
    let Some(listed) = cdn::distribution(look).await? else { return Ok(false) };
    is_set(look, change, &listed.arn).await
}

/// Whether the distribution of this ARN may read.
pub(super) async fn is_set(look: &Look, change: &DistributionChange, arn: &str) -> StepResult<bool> {
    let Some(text) = live(look, &change.bucket).await? else { return Ok(false) };
    Ok(allows(&parsed(&text, &change.bucket)?, &change.bucket, arn))
}

/// Lets it read.
pub(super) async fn set(act: &Act, change: &DistributionChange, arn: &str) -> StepResult<()> {
    let bucket = &change.bucket;
    if act.look.objects.bucket(bucket).await?.is_none() {
        let what = format!("there is no bucket {bucket}");
        return Err(Fault::failed_with(what, "put static-site before distribution: it makes the bucket"));
    }
    let now = live(&act.look, bucket).await?;
    if let Some(now) = &now
        && allows(&parsed(now, bucket)?, bucket, arn)
    {
        return Ok(());
    }
    if !alike(now.as_deref(), change.policy.as_deref()) {
        return Err(drift(change, change.policy.as_deref(), now.as_deref()));
    }
    let wanted = with(now.as_deref(), bucket, arn)?;
    Ok(act.reach.objects.set_policy(bucket, Some(&wanted.to_string())).await?)
}

/// Gives the bucket the policy it had, if it has the one that was set or that one already.
pub(super) async fn restore(act: &Act, change: &DistributionChange, arn: &str) -> StepResult<()> {
    let bucket = &change.bucket;
    let now = live(&act.look, bucket).await?;
    if alike(now.as_deref(), change.policy.as_deref()) {
        return Ok(());
    }
    let set = with(change.policy.as_deref(), bucket, arn)?.to_string();
    if !alike(now.as_deref(), Some(&set)) {
        return Err(drift(change, Some(&set), now.as_deref()));
    }
    Ok(act.reach.objects.set_policy(bucket, change.policy.as_deref()).await?)
}

fn drift(change: &DistributionChange, expected: Option<&str>, found: Option<&str>) -> Fault {
    let say = |text: Option<&str>| text.unwrap_or("none").to_owned();
    Fault::drifted(format!("the policy of the bucket {}", change.bucket), say(expected), say(found))
}

/// The same policy, however it is spaced.
fn alike(one: Option<&str>, other: Option<&str>) -> bool {
    let read = |text: &str| serde_json::from_str::<Value>(text).ok();
    match (one, other) {
        (Some(one), Some(other)) => one == other || (read(one).is_some() && read(one) == read(other)),
        (one, other) => one == other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARN: &str = "arn:aws:cloudfront::1:distribution/E1";

    #[test]
    fn the_statement_goes_beside_what_is_there_once() {
        let fresh = with(None, "pages", ARN).unwrap();
        assert!(allows(&fresh, "pages", ARN));
        assert!(!allows(&fresh, "pages", "arn:aws:cloudfront::1:distribution/E2") && !allows(&fresh, "other", ARN));
        let other = r#"{"Version":"2012-10-17","Statement":{"Sid":"x","Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*"}}"#;
        let both = with(Some(other), "pages", ARN).unwrap();
        assert_eq!(both["Statement"].as_array().unwrap().len(), 2);
        assert_eq!(with(Some(&both.to_string()), "pages", ARN).unwrap(), both, "again");
        let next = with(Some(&both.to_string()), "pages", "arn:aws:cloudfront::1:distribution/E2").unwrap();
        assert_eq!(next["Statement"].as_array().unwrap().len(), 2, "ours for another one is taken away");
        assert!(with(Some("no json"), "pages", ARN).is_err());
    }

    #[test]
    fn what_others_wrote_for_the_same_end_will_do() {
        let theirs = json!({"Statement": [{
            "Effect": "Allow", "Principal": {"Service": ["cloudfront.amazonaws.com"]}, "Action": ["s3:GetObject"],
            "Resource": ["arn:aws:s3:::pages/*"], "Condition": {"StringEquals": {"aws:SourceArn": [ARN]}}
        }]});
        assert!(allows(&theirs, "pages", ARN));
        let wide = json!({"Statement": [{
            "Effect": "Allow", "Principal": {"Service": "cloudfront.amazonaws.com"}, "Action": "s3:GetObject",
            "Resource": "arn:aws:s3:::pages/*"
        }]});
        assert!(!allows(&wide, "pages", ARN), "any distribution of anybody");
    }
}
