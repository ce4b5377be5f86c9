//! `GetSecretValue` and `BatchGetSecretValue`: the only answers that hold a value.

use secrecy::ExposeSecret as _;

use super::super::super::state::State;
use super::super::Cloud;
use super::super::wire::operation::Output;
use super::super::wire::{ApiError, Node, constraint, refuse};
use super::{CURRENT, arn_of, find, list, live};

/// The most secrets of one batch.
const BATCH: i64 = 20;

pub(super) fn get(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    let version = constraint::some_text(input, "VersionId", 32..=64)?;
    let label = constraint::some_text(input, "VersionStage", 1..=256)?;
    let mut state = cloud.shared().lock();
    let arn = find(cloud, &state, input)?;
    Ok(value(cloud, &mut state, &arn, version, label)?.into())
}

fn value(
    cloud: &Cloud,
    state: &mut State,
    arn: &str,
    version: Option<&str>,
    label: Option<&str>,
) -> Result<Node, ApiError> {
    let secret = live(state, arn)?;
    let missing = |by: String| {
        let message = format!("Secrets Manager can't find the specified secret value for {by}");
        refuse("ResourceNotFoundException", message)
    };
    let (id, kept) = if let Some(version) = version {
        let kept = secret.versions.get_key_value(version).ok_or_else(|| missing(format!("VersionId: {version}")))?;
        if label.is_some_and(|label| !kept.1.stages.contains(label)) {
            let message = "You provided a VersionStage that is not associated to the provided VersionId.";
            return Err(refuse("InvalidRequestException", message));
        }
        kept
    } else {
        let label = label.unwrap_or(CURRENT);
        let staged = secret.versions.iter().find(|(_, version)| version.stages.contains(label));
        staged.ok_or_else(|| missing(format!("staging label: {label}")))?
    };
    let member = if kept.binary { "SecretBinary" } else { "SecretString" };
    let node = Node::default()
        .put("ARN", arn)
        .put("Name", &secret.name)
        .put("VersionId", id)
        .put(member, kept.value.expose_secret())
        .texts_list("VersionStages", "member", &kept.stages)
        .put("CreatedDate", kept.created);
    secret.accessed = Some(cloud.shared().clock.now());
    Ok(node)
}

pub(super) fn batch(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    let ids = input.texts("SecretIdList");
    let filtered = input.items("Filters").next().is_some();
    if ids.is_empty() != filtered {
        let message = "You must give either SecretIdList or Filters, and not both.";
        return Err(refuse("InvalidParameterException", message));
    }
    if ids.len() > usize::try_from(BATCH).unwrap_or_default() {
        let given = format!("[{}]", ids.join(", "));
        return Err(constraint::broken(
            Some(&given),
            "SecretIdList",
            format!("have length less than or equal to {BATCH}"),
        ));
    }
    let mut state = cloud.shared().lock();
    let (asked, next) = if filtered {
        let (arns, next) = list::page(cloud, &state, input, BATCH)?;
        (arns.into_iter().map(|arn| (arn.clone(), Ok(arn))).collect(), next)
    } else {
        (ids.into_iter().map(|id| (id.clone(), arn_of(cloud, &state, &id))).collect::<Vec<_>>(), None)
    };
    let (mut values, mut errors) = (Vec::new(), Vec::new());
    for (id, arn) in asked {
        match arn.and_then(|arn| value(cloud, &mut state, &arn, None, None)) {
            Ok(value) => values.push(value),
            Err(error) => {
                let error =
                    Node::default().put("SecretId", id).put("ErrorCode", error.code).put("Message", error.message);
                errors.push(error);
            }
        }
    }
    let node = Node::default().list("SecretValues", "member", values).list("Errors", "member", errors);
    Ok(node.put_some("NextToken", next).into())
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Rig, refused, token};
    use super::*;

    #[test]
    fn a_version_is_read_by_its_id_and_must_have_the_stage_that_is_named() {
        let rig = Rig::new();
        rig.create("db", "one");
        let second = rig.put("db", "two").unwrap().get("VersionId").unwrap().to_owned();
        let by = |id: &str| rig.of("db").put("VersionId", id);
        let got = rig.call("GetSecretValue", &by(&second)).unwrap();
        assert_eq!((got.get("SecretString"), got.texts("VersionStages")), (Some("two"), vec![CURRENT.to_owned()]));
        refused(rig.call("GetSecretValue", &by(&token())), "ResourceNotFoundException");
        let mismatch = by(&second).put("VersionStage", super::super::PREVIOUS);
        refused(rig.call("GetSecretValue", &mismatch), "InvalidRequestException");
    }

    #[test]
    fn bytes_come_back_as_bytes() {
        let rig = Rig::new();
        let bytes = Node::default().put("Name", "key").put("SecretBinary", "AAEC").put("ClientRequestToken", token());
        rig.call("CreateSecret", &bytes).unwrap();
        let got = rig.call("GetSecretValue", &rig.of("key")).unwrap();
        assert_eq!((got.get("SecretBinary"), got.get("SecretString")), (Some("AAEC"), None));
        let torn = Node::default().put("Name", "t").put("SecretBinary", "A").put("ClientRequestToken", token());
        refused(rig.call("CreateSecret", &torn), "SerializationException");
    }

    #[test]
    fn a_batch_tells_what_it_found_and_what_it_did_not() {
        let rig = Rig::new();
        rig.create("a", "1");
        rig.create("b", "2");
        let ids = Node::default().texts_list("SecretIdList", "member", ["a", "gone", "b"]);
        let got = rig.call("BatchGetSecretValue", &ids).unwrap();
        let values: Vec<_> = got.items("SecretValues").map(|v| v.get("SecretString").unwrap()).collect();
        assert_eq!(values, ["1", "2"]);
        let error = got.items("Errors").next().unwrap();
        assert_eq!((error.get("SecretId"), error.get("ErrorCode")), (Some("gone"), Some("ResourceNotFoundException")));
        refused(rig.call("BatchGetSecretValue", &Node::default()), "InvalidParameterException");
    }
}
