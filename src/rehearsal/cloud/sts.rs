//! STS: who am I.

use super::super::state::ACCOUNT;
use super::Cloud;
use super::wire::operation::{Output, Service, query};
use super::wire::protocol::Protocol;
use super::wire::{ApiError, Node};

/// The service.
pub(super) const SERVICE: Service = Service {
    name: "sts",
    protocol: Protocol::Query("https://sts.amazonaws.com/doc/2011-06-15/"),
    operations: &[query("GetCallerIdentity", identity, &[])],
};

#[allow(clippy::unnecessary_wraps)] // every operation has this shape
fn identity(cloud: &Cloud, _: &Node) -> Result<Output, ApiError> {
    let key = &cloud.settings().access_key;
    let arn = format!("arn:aws:iam::{ACCOUNT}:user/{key}");
    Ok(Node::default().put("Arn", arn).put("UserId", key).put("Account", ACCOUNT).into())
}
