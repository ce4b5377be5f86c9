//! Secrets Manager: secrets with their versions, each in the region it was made in.
//!
//! A value is taken out of its wrapper in one place (`read`), to go into an answer; no error and no log holds one.

mod delete;
mod list;
mod read;
#[cfg(test)]
mod testing;
mod write;

use std::time::SystemTime;

use super::super::state::{ACCOUNT, Secret, State};
use super::Cloud;
use super::wire::operation::{Service, query};
use super::wire::protocol::Protocol;
use super::wire::{ApiError, Node, constraint, refuse};

/// The stage of the version that counts.
const CURRENT: &str = "AWSCURRENT";
/// The stage of the version that counted before.
const PREVIOUS: &str = "AWSPREVIOUS";

/// The service.
pub(super) const SERVICE: Service = Service {
    name: "secretsmanager",
    protocol: Protocol::Json("secretsmanager"),
    operations: &[
        query("CreateSecret", write::create, &[]),
        query("PutSecretValue", write::put, &[]),
        query("GetSecretValue", read::get, &[]),
        query("BatchGetSecretValue", read::batch, &[]),
        query("DescribeSecret", list::describe, &[]),
        query("ListSecrets", list::list, &[]),
        query("DeleteSecret", delete::delete, &[]),
        query("RestoreSecret", delete::restore, &[]),
    ],
};

fn missing() -> ApiError {
    refuse("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
}

fn marked() -> ApiError {
    let message = "You can't perform this operation on the secret because it was marked for deletion.";
    refuse("InvalidRequestException", message)
}

/// The ARN of the call's region that an id stands for: an ARN, an ARN without its random end, or a name.
fn arn_of(cloud: &Cloud, state: &State, id: &str) -> Result<String, ApiError> {
    let here = format!("arn:aws:secretsmanager:{}:{ACCOUNT}:secret:", cloud.region());
    let mut own = state.secrets.iter().filter(|(arn, _)| arn.starts_with(&here));
    let name = id.strip_prefix(&here).unwrap_or(id);
    own.find(|(arn, secret)| arn.as_str() == id || secret.name == name).map(|(arn, _)| arn.clone()).ok_or_else(missing)
}

/// The secret a request names.
fn find(cloud: &Cloud, state: &State, input: &Node) -> Result<String, ApiError> {
    arn_of(cloud, state, constraint::text(input, "SecretId", 1..=2048)?)
}

/// A secret that is not on its way out.
fn live<'a>(state: &'a mut State, arn: &str) -> Result<&'a mut Secret, ApiError> {
    let secret = state.secrets.get_mut(arn).ok_or_else(missing)?;
    if secret.deleted.is_some() { Err(marked()) } else { Ok(secret) }
}

/// Removes the secrets whose recovery window is over.
pub(super) fn expire(state: &mut State, now: SystemTime) {
    let State { secrets, tags, .. } = state;
    secrets.retain(|arn, secret| {
        let kept = secret.deleted.is_none_or(|at| now < at);
        if !kept {
            tags.remove(arn);
        }
        kept
    });
}

#[cfg(test)]
mod tests {
    use super::testing::{Rig, refused};
    use super::*;

    #[test]
    fn a_secret_is_found_by_name_by_arn_and_by_arn_without_its_end_in_its_region() {
        let rig = Rig::new();
        let arn = rig.create("shop/db", "hunter2");
        let partial = &arn[..arn.len() - 7];
        assert!(partial.ends_with(":secret:shop/db"), "{arn}");
        for id in ["shop/db", arn.as_str(), partial] {
            let got = rig.call("GetSecretValue", &rig.of(id)).unwrap();
            assert_eq!((got.get("SecretString"), got.get("ARN")), (Some("hunter2"), Some(arn.as_str())), "{id}");
        }
        refused(rig.call("GetSecretValue", &rig.of("shop")), "ResourceNotFoundException");
        refused(rig.within("us-east-1").call("GetSecretValue", &rig.of(&arn)), "ResourceNotFoundException");
        refused(rig.call("GetSecretValue", &Node::default()), "ValidationException");
    }

    #[test]
    fn no_value_shows_where_it_was_not_asked_for() {
        let rig = Rig::new();
        let arn = rig.create("shop/db", "hunter2");
        assert!(!format!("{:?}", rig.cloud.shared().lock()).contains("hunter2"));
        for name in ["DescribeSecret", "ListSecrets", "DeleteSecret"] {
            let answer = rig.call(name, &rig.of(&arn)).unwrap();
            assert!(!format!("{answer:?}").contains("hunter2"), "{name}");
        }
        let long = format!("hunter2{}", "x".repeat(65_536));
        let message = refused(rig.call("CreateSecret", &rig.new_secret("big", &long)), "ValidationException");
        assert!(!message.contains("hunter2"), "{message}");
        let doubled = rig.new_secret("two", "hunter2").put("SecretBinary", "aHVudGVyMg==");
        assert!(!refused(rig.call("CreateSecret", &doubled), "InvalidParameterException").contains("hunter2"));
    }
}
