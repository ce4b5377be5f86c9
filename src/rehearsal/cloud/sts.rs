//! STS: who am I.

use super::super::state::ACCOUNT;
use super::Cloud;
use super::wire::operation::{Output, Service, query};
use super::wire::protocol::Protocol;
use super::wire::{ApiError, Node, constraint, refuse};

/// The service.
pub(super) const SERVICE: Service = Service {
    name: "sts",
    protocol: Protocol::Query("https://sts.amazonaws.com/doc/2011-06-15/"),
    operations: &[query("GetCallerIdentity", identity, &[]), query("GetAccessKeyInfo", key_info, &[])],
};

#[allow(clippy::unnecessary_wraps)] // every operation has this shape
fn identity(cloud: &Cloud, _: &Node) -> Result<Output, ApiError> {
    let key = &cloud.settings().access_key;
    let arn = format!("arn:aws:iam::{ACCOUNT}:user/{key}");
    Ok(Node::default().put("Arn", arn).put("UserId", key).put("Account", ACCOUNT).into())
}

/// The account of an access key. Source: STS API, `GetAccessKeyInfo`.
fn key_info(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    let invalid = |error: ApiError| refuse("ValidationError", error.message);
    let key = constraint::text(input, "AccessKeyId", 1..=128).map_err(invalid)?;
    if key == cloud.settings().access_key {
        return Ok(Node::default().put("Account", ACCOUNT).into());
    }
    // AWS reads the account out of any key; whose else's these are, the rehearsal cannot know
    if key.chars().count() < 16 {
        return Err(invalid(constraint::broken(Some(key), "AccessKeyId", "have length greater than or equal to 16")));
    }
    Err(refuse("AccessDenied", format!("Access key {key} is of an account the rehearsal cloud does not have"))
        .status(403))
}

#[cfg(test)]
mod tests {
    use super::super::rig::{Rig, refused};
    use super::*;

    #[test]
    fn a_key_tells_its_account() {
        let rig = Rig::new();
        let ask = |key: &str| rig.ask(&SERVICE, "GetAccessKeyInfo", &Node::default().put("AccessKeyId", key));
        assert_eq!(ask("outgrow").unwrap().get("Account"), Some(ACCOUNT));
        refused(ask("AKIAIOSFODNN7EXAMPLE"), "AccessDenied");
        refused(ask("AKIA"), "ValidationError");
        refused(rig.ask(&SERVICE, "GetAccessKeyInfo", &Node::default()), "ValidationError");
    }
}
