//! `DeleteSecret`, which takes days unless forced, and `RestoreSecret`.

use std::time::Duration;

use super::super::Cloud;
use super::super::wire::operation::Output;
use super::super::wire::{ApiError, Node, refuse};
use super::{find, missing};

/// How many days a deleted secret can be had back unless told otherwise.
const WINDOW: u64 = 30;

pub(super) fn delete(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    let window = input.number::<u64>("RecoveryWindowInDays")?;
    let force = input.flag("ForceDeleteWithoutRecovery")?.unwrap_or(false);
    let wrong = |message: &str| refuse("InvalidParameterException", message);
    if force && window.is_some() {
        return Err(wrong("You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays."));
    }
    if window.is_some_and(|days| !(7..=30).contains(&days)) {
        return Err(wrong("The RecoveryWindowInDays value must be between 7 and 30 days (inclusive)."));
    }
    let now = cloud.shared().clock.now();
    cloud.change(|state| {
        let arn = match find(cloud, state, input) {
            // to force what is not there is no error (Secrets Manager API: DeleteSecret)
            Err(error) if force && error.code == "ResourceNotFoundException" => {
                let id = input.get("SecretId").unwrap_or_default();
                let name = id.split(":secret:").nth(1).unwrap_or(id);
                return Ok(Node::default().put("ARN", id).put("Name", name).put("DeletionDate", now).into());
            }
            found => found?,
        };
        let secret = state.secrets.get_mut(&arn).ok_or_else(missing)?;
        if secret.deleted.is_some() && !force {
            let message =
                "You can't perform this operation on the secret because it was already scheduled for deletion.";
            return Err(refuse("InvalidRequestException", message));
        }
        let at = if force { now } else { now + Duration::from_hours(24 * window.unwrap_or(WINDOW)) };
        secret.deleted = Some(at);
        let node = Node::default().put("ARN", &arn).put("Name", &secret.name).put("DeletionDate", at);
        super::expire(state, now);
        Ok(node.into())
    })
}

pub(super) fn restore(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    cloud.change(|state| {
        let arn = find(cloud, state, input)?;
        let secret = state.secrets.get_mut(&arn).ok_or_else(missing)?;
        secret.deleted = None;
        Ok(Node::default().put("ARN", &arn).put("Name", &secret.name).into())
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Rig, refused};
    use super::*;

    #[test]
    fn a_deleted_secret_is_not_read_can_be_had_back_and_goes_in_the_end() {
        let rig = Rig::new();
        let arn = rig.create("db", "x");
        rig.call("DeleteSecret", &rig.of("db").put("RecoveryWindowInDays", 7)).unwrap();
        refused(rig.call("GetSecretValue", &rig.of("db")), "InvalidRequestException");
        refused(rig.put("db", "y"), "InvalidRequestException");
        refused(rig.call("DeleteSecret", &rig.of("db")), "InvalidRequestException");
        let message = refused(rig.call("CreateSecret", &rig.new_secret("db", "y")), "InvalidRequestException");
        assert!(message.contains("already scheduled for deletion"), "{message}");
        assert!(rig.call("DescribeSecret", &rig.of("db")).unwrap().get("DeletedDate").is_some());
        assert_eq!(rig.call("ListSecrets", &Node::default()).unwrap().items("SecretList").count(), 0);
        rig.call("RestoreSecret", &rig.of("db")).unwrap();
        rig.call("GetSecretValue", &rig.of("db")).unwrap();
        rig.call("DeleteSecret", &rig.of("db").put("RecoveryWindowInDays", 7)).unwrap();
        rig.clock.advance(Duration::from_hours(7 * 24));
        refused(rig.call("DescribeSecret", &rig.of("db")), "ResourceNotFoundException");
        assert_ne!(rig.create("db", "x"), arn);
    }

    #[test]
    fn force_takes_it_at_once_and_minds_nothing_that_is_not_there() {
        let rig = Rig::new();
        rig.create("db", "x");
        let forced = || rig.of("db").put("ForceDeleteWithoutRecovery", true);
        refused(rig.call("DeleteSecret", &forced().put("RecoveryWindowInDays", 7)), "InvalidParameterException");
        refused(rig.call("DeleteSecret", &rig.of("db").put("RecoveryWindowInDays", 6)), "InvalidParameterException");
        rig.call("DeleteSecret", &forced()).unwrap();
        refused(rig.call("DescribeSecret", &rig.of("db")), "ResourceNotFoundException");
        rig.call("DeleteSecret", &forced()).unwrap();
        refused(rig.call("DeleteSecret", &rig.of("db")), "ResourceNotFoundException");
    }
}
