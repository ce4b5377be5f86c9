//! What the tests of Secrets Manager share.

use std::ops::Deref;

use super::super::wire::{ApiError, Node};
use super::super::{rig, uuid};
use super::SERVICE;

pub(super) use rig::refused;

/// A cloud of its own.
pub(super) struct Rig(rig::Rig);

impl Deref for Rig {
    type Target = rig::Rig;

    fn deref(&self) -> &rig::Rig {
        &self.0
    }
}

/// A token nobody has used.
pub(super) fn token() -> String {
    uuid()
}

#[allow(clippy::unused_self)] // what a test says reads as the rig's
impl Rig {
    pub fn new() -> Self {
        Self(rig::Rig::new())
    }

    pub fn within(&self, region: &str) -> Self {
        Self(self.0.within(region))
    }

    pub fn call(&self, name: &str, input: &Node) -> Result<Node, ApiError> {
        self.0.ask(&SERVICE, name, input)
    }

    pub fn of(&self, id: &str) -> Node {
        Node::default().put("SecretId", id)
    }

    pub fn new_secret(&self, name: &str, value: &str) -> Node {
        Node::default().put("Name", name).put("SecretString", value).put("ClientRequestToken", token())
    }

    pub fn create(&self, name: &str, value: &str) -> String {
        self.call("CreateSecret", &self.new_secret(name, value)).unwrap().get("ARN").unwrap().to_owned()
    }

    pub fn put(&self, id: &str, value: &str) -> Result<Node, ApiError> {
        self.call("PutSecretValue", &self.of(id).put("SecretString", value).put("ClientRequestToken", token()))
    }
}
