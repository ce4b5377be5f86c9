//! `CreateSecret` and `PutSecretValue`.

use std::collections::{BTreeMap, BTreeSet};
use std::time::SystemTime;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use secrecy::{ExposeSecret as _, SecretString};

use super::super::super::state::{ACCOUNT, Secret, SecretVersion};
use super::super::Cloud;
use super::super::wire::operation::Output;
use super::super::wire::{ApiError, Node, constraint, refuse};
use super::{CURRENT, PREVIOUS, arn_of, find, live};

/// The longest value, in bytes (Secrets Manager guide: quotas).
const LONGEST: usize = 65_536;
/// The most tags of a secret.
const MOST_TAGS: usize = 50;

pub(super) fn create(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    let name = constraint::text(input, "Name", 1..=512)?;
    if !name.bytes().all(|b| b.is_ascii_alphanumeric() || b"/_+=.@-!".contains(&b)) {
        let message = "Invalid name. Must be a valid name containing alphanumeric characters, or any of the \
            following: -/_+=.@!";
        return Err(refuse("ValidationException", message));
    }
    let description = constraint::some_text(input, "Description", 0..=2048)?.map(str::to_owned);
    for (member, what) in [("AddReplicaRegions", "replicates no secrets"), ("Type", "has no managed external secrets")]
    {
        if input.child(member).is_some() {
            return Err(refuse("InvalidParameterException", format!("the rehearsal cloud {what}")));
        }
    }
    let (value, tags) = (value(input)?, tags(input)?);
    let token = token(input)?;
    let now = cloud.shared().clock.now();
    cloud.change(|state| {
        let existing =
            arn_of(cloud, state, name).ok().filter(|arn| state.secrets.get(arn).is_some_and(|s| s.name == name));
        if let Some(arn) = existing {
            let secret = live(state, &arn).map_err(|error| {
                let message = "You can't create this secret because a secret with this name is already scheduled for \
                    deletion.";
                refuse(error.code, message)
            })?;
            // The same request once more: its answer may have been lost.
            return match (secret.versions.get(token), &value) {
                (Some(kept), Some(value)) if same(kept, value) => Ok(told(&arn, &secret.name, Some(token)).into()),
                _ => {
                    let message = format!("The operation failed because the secret {name} already exists.");
                    Err(refuse("ResourceExistsException", message))
                }
            };
        }
        let arn = format!("arn:aws:secretsmanager:{}:{ACCOUNT}:secret:{name}-{}", cloud.region(), ending());
        let stages = BTreeSet::from([CURRENT.to_owned()]);
        let version = value.map(|value| (token.to_owned(), value.version(stages, now)));
        let id = version.as_ref().map(|(id, _)| id.as_str());
        let answer = told(&arn, name, id);
        let secret = Secret {
            name: name.to_owned(),
            description,
            created: now,
            changed: now,
            accessed: None,
            deleted: None,
            versions: version.into_iter().collect(),
        };
        state.secrets.insert(arn.clone(), secret);
        state.tags.insert(arn, tags);
        Ok(answer.into())
    })
}

pub(super) fn put(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    let value = value(input)?
        .ok_or_else(|| refuse("InvalidRequestException", "You must provide either SecretString or SecretBinary."))?;
    let token = token(input)?;
    let mut stages: BTreeSet<String> = input.texts("VersionStages").into_iter().collect();
    if stages.is_empty() {
        stages.insert(CURRENT.into());
    }
    if stages.len() > 20 || stages.iter().any(|s| s.is_empty() || s.chars().count() > 256) {
        let must = "have 1 to 20 labels of 1 to 256 characters";
        return Err(constraint::broken(Some(&format!("{stages:?}")), "VersionStages", must));
    }
    let now = cloud.shared().clock.now();
    cloud.change(|state| {
        let arn = find(cloud, state, input)?;
        let secret = live(state, &arn)?;
        if let Some(kept) = secret.versions.get(token) {
            if !same(kept, &value) {
                let message = format!(
                    "You can't use ClientRequestToken {token} because that value is already in use for a version of \
                     secret {arn}."
                );
                return Err(refuse("ResourceExistsException", message));
            }
            let answer = told(&arn, &secret.name, Some(token));
            return Ok(answer.texts_list("VersionStages", "member", &kept.stages).into());
        }
        if secret.versions.is_empty() {
            // the first version of a secret always counts
            stages.insert(CURRENT.into());
        }
        take_stages(&mut secret.versions, &stages);
        secret.versions.insert(token.to_owned(), value.version(stages.clone(), now));
        secret.changed = now;
        let answer = told(&arn, &secret.name, Some(token));
        Ok(answer.texts_list("VersionStages", "member", &stages).into())
    })
}

/// Takes the labels of a new version off the others: the one that was current is the previous one now.
fn take_stages(versions: &mut BTreeMap<String, SecretVersion>, stages: &BTreeSet<String>) {
    let current = versions.iter().find(|(_, v)| v.stages.contains(CURRENT)).map(|(id, _)| id.clone());
    for version in versions.values_mut() {
        version.stages.retain(|stage| !stages.contains(stage));
    }
    let Some(current) = current.filter(|_| stages.contains(CURRENT)) else { return };
    for version in versions.values_mut() {
        version.stages.remove(PREVIOUS);
    }
    if let Some(version) = versions.get_mut(&current) {
        version.stages.insert(PREVIOUS.into());
    }
}

/// A value that came in.
struct Value {
    text: SecretString,
    binary: bool,
}

impl Value {
    fn version(self, stages: BTreeSet<String>, created: SystemTime) -> SecretVersion {
        SecretVersion { value: self.text, binary: self.binary, stages, created }
    }
}

fn same(kept: &SecretVersion, value: &Value) -> bool {
    kept.binary == value.binary && kept.value.expose_secret() == value.text.expose_secret()
}

fn value(input: &Node) -> Result<Option<Value>, ApiError> {
    // No refusal may hold the value, so that the common checks, which tell it, are not for it.
    let (text, bytes) = (input.get("SecretString"), input.get("SecretBinary"));
    let too_long = |member: &str| {
        let message = format!(
            "1 validation error detected: Value at '{member}' failed to satisfy constraint: Member must have length \
             less than or equal to {LONGEST}"
        );
        refuse("ValidationException", message)
    };
    match (text, bytes) {
        (Some(_), Some(_)) => {
            let message = "You can't specify both a binary secret value and a string secret value in the same secret.";
            Err(refuse("InvalidParameterException", message))
        }
        (Some(text), None) if text.len() > LONGEST => Err(too_long("secretString")),
        (Some(text), None) => Ok(Some(Value { text: text.into(), binary: false })),
        (None, Some(bytes)) => match BASE64_STANDARD.decode(bytes) {
            Ok(plain) if plain.len() > LONGEST => Err(too_long("secretBinary")),
            Ok(_) => Ok(Some(Value { text: bytes.into(), binary: true })),
            Err(_) => Err(refuse("SerializationException", "SecretBinary is not base64")),
        },
        (None, None) => Ok(None),
    }
}

fn token(input: &Node) -> Result<&str, ApiError> {
    if input.get("ClientRequestToken").is_none() {
        let message = "You must provide a ClientRequestToken value. We recommend a UUID-type value.";
        return Err(refuse("InvalidParameterException", message));
    }
    constraint::text(input, "ClientRequestToken", 32..=64)
}

fn tags(input: &Node) -> Result<BTreeMap<String, String>, ApiError> {
    let mut tags = BTreeMap::new();
    for tag in input.items("Tags") {
        let key = constraint::text(tag, "Key", 1..=128)?;
        let value = constraint::some_text(tag, "Value", 0..=256)?.unwrap_or_default();
        if key.starts_with("aws:") {
            return Err(refuse(
                "InvalidParameterException",
                format!("The tag key {key} starts with aws:, which is AWS's own."),
            ));
        }
        tags.insert(key.to_owned(), value.to_owned());
    }
    if tags.len() > MOST_TAGS {
        return Err(refuse("InvalidParameterException", format!("A secret has at most {MOST_TAGS} tags.")));
    }
    Ok(tags)
}

fn told(arn: &str, name: &str, version: Option<&str>) -> Node {
    Node::default().put("ARN", arn).put("Name", name).put_some("VersionId", version)
}

/// The six characters that end a secret's ARN, so that one made again under its name is another.
fn ending() -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    (0..6).map(|_| char::from(LETTERS[usize::from(rand::random::<u16>()) % LETTERS.len()])).collect()
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Rig, refused, token};
    use super::*;

    #[test]
    fn a_new_value_is_current_and_the_one_before_previous() {
        let rig = Rig::new();
        rig.create("db", "one");
        for value in ["two", "three"] {
            rig.put("db", value).unwrap();
        }
        let at = |stage: &str| {
            let got = rig.call("GetSecretValue", &rig.of("db").put("VersionStage", stage));
            got.map(|got| got.get("SecretString").unwrap().to_owned())
        };
        assert_eq!((at(CURRENT).unwrap(), at(PREVIOUS).unwrap()), ("three".into(), "two".into()));
        let described = rig.call("DescribeSecret", &rig.of("db")).unwrap();
        assert_eq!(described.child("VersionIdsToStages").unwrap().children.len(), 2, "the first has no stage left");
        let staged = rig.of("db").put("SecretString", "four").put("ClientRequestToken", token());
        rig.call("PutSecretValue", &staged.texts_list("VersionStages", "member", ["NEXT"])).unwrap();
        assert_eq!((at("NEXT").unwrap(), at(CURRENT).unwrap()), ("four".into(), "three".into()));
    }

    #[test]
    fn a_token_is_good_for_one_value() {
        let rig = Rig::new();
        let first = rig.new_secret("db", "one");
        let arn = rig.call("CreateSecret", &first).unwrap().get("ARN").unwrap().to_owned();
        assert_eq!(rig.call("CreateSecret", &first).unwrap().get("ARN"), Some(arn.as_str()));
        refused(rig.call("CreateSecret", &rig.new_secret("db", "one")), "ResourceExistsException");
        let put = |value: &str, token: &str| {
            rig.call("PutSecretValue", &rig.of("db").put("SecretString", value).put("ClientRequestToken", token))
        };
        let token = token();
        put("two", &token).unwrap();
        put("two", &token).unwrap();
        assert!(!refused(put("another", &token), "ResourceExistsException").contains("another"));
        refused(put("x", "short"), "ValidationException");
        let bare = rig.of("db").put("SecretString", "x");
        refused(rig.call("PutSecretValue", &bare), "InvalidParameterException");
    }

    #[test]
    fn what_is_no_name_or_no_value_is_refused() {
        let rig = Rig::new();
        refused(rig.call("CreateSecret", &rig.new_secret("no spaces", "x")), "ValidationException");
        let empty = Node::default().put("Name", "empty").put("ClientRequestToken", token());
        rig.call("CreateSecret", &empty).unwrap();
        let message = refused(rig.call("GetSecretValue", &rig.of("empty")), "ResourceNotFoundException");
        assert!(message.contains("staging label: AWSCURRENT"), "{message}");
        let nothing = rig.of("empty").put("ClientRequestToken", token());
        refused(rig.call("PutSecretValue", &nothing), "InvalidRequestException");
        rig.put("empty", "now").unwrap();
        rig.call("GetSecretValue", &rig.of("empty")).unwrap();
        refused(rig.put("gone", "x"), "ResourceNotFoundException");
    }
}
