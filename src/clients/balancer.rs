//! The port to the Application Load Balancer (Elastic Load Balancing v2).

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::ClientResult;

/// A load balancer with its listeners.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Balancer {
    /// Its ARN.
    pub arn: String,
    /// Its DNS name.
    pub dns_name: String,
    /// The hosted zone id an alias to it names.
    pub zone: String,
    /// The VPC it lives in, in which target groups are made.
    pub vpc: String,
    /// Its listeners.
    pub listeners: Vec<Listener>,
}

/// A listener and its rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listener {
    /// Its ARN.
    pub arn: String,
    /// `HTTP` or `HTTPS`.
    pub protocol: String,
    /// The port.
    pub port: u16,
    /// Rules in priority order, without the default.
    pub rules: Vec<Rule>,
}

/// A listener rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// Its ARN.
    pub arn: String,
    /// 1 to 50,000.
    pub priority: u32,
    /// Host patterns; empty for any.
    pub hosts: Vec<String>,
    /// Path patterns; empty for any.
    pub paths: Vec<String>,
    /// Conditions outgrow does not write itself (header, method, …), as text.
    pub others: Vec<String>,
    /// Target group ARN and weight; empty for an action that is no forward.
    pub forward: Vec<(String, u16)>,
    /// Tags.
    pub tags: Vec<(String, String)>,
}

/// What a target group is made with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupSpec {
    /// At most 32 letters, digits and hyphens.
    pub name: String,
    /// `HTTP` or `HTTPS`.
    pub protocol: String,
    /// The port.
    pub port: u16,
    /// The VPC.
    pub vpc: String,
    /// The health check's path.
    pub health_path: String,
    /// Seconds between two checks.
    pub health_interval: u32,
    /// Seconds of draining on deregistration (law L4).
    pub drain_seconds: u32,
    /// Tags.
    pub tags: Vec<(String, String)>,
}

/// A target group as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// Its ARN.
    pub arn: String,
    /// Its name.
    pub name: String,
    /// `HTTP` or `HTTPS`.
    pub protocol: String,
    /// The port.
    pub port: u16,
    /// Its tags.
    pub tags: Vec<(String, String)>,
}

/// A target's health.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// The target's address.
    pub address: String,
    /// Its port.
    pub port: u16,
    /// `initial`, `healthy`, `unhealthy`, `unused`, `draining`, `unavailable` (law L4).
    pub state: String,
    /// AWS's description, when not healthy.
    pub reason: String,
}

/// What a rule is made with: a weighted forward for some hosts and paths.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleSpec {
    /// 1 to 50,000, free on the listener.
    pub priority: u32,
    /// Host patterns; empty for any.
    pub hosts: Vec<String>,
    /// Path patterns; empty for any.
    pub paths: Vec<String>,
    /// Target group ARN and weight (law L2: 0 to 999).
    pub forward: Vec<(String, u16)>,
    /// Tags.
    pub tags: Vec<(String, String)>,
}

/// What can be looked up.
#[async_trait]
pub trait BalancerRead: Send + Sync {
    /// The balancer of this name with its listeners and rules.
    async fn balancer(&self, name: &str) -> ClientResult<Balancer>;

    /// The target group of this name, if there is one.
    async fn group(&self, name: &str) -> ClientResult<Option<Group>>;

    /// The health of each target of the group.
    async fn health(&self, group_arn: &str) -> ClientResult<Vec<Health>>;
}

/// What can be changed.
#[async_trait]
pub trait BalancerWrite: BalancerRead {
    /// Makes a target group and returns its ARN.
    async fn create_group(&self, spec: &GroupSpec) -> ClientResult<String>;

    /// Deletes a target group. One that is gone already is no error; one in use is [`super::Kind::Conflict`].
    async fn delete_group(&self, arn: &str) -> ClientResult<()>;

    /// Registers an address (law L1: a private one).
    async fn register(&self, group_arn: &str, address: &str, port: u16) -> ClientResult<()>;

    /// Deregisters an address.
    async fn deregister(&self, group_arn: &str, address: &str, port: u16) -> ClientResult<()>;

    /// Makes a rule and returns its ARN.
    async fn create_rule(&self, listener_arn: &str, spec: &RuleSpec) -> ClientResult<String>;

    /// Deletes a rule. One that is gone already is no error.
    async fn delete_rule(&self, arn: &str) -> ClientResult<()>;

    /// Sets the weights of a rule's forward action.
    async fn set_weights(&self, rule_arn: &str, forward: &[(String, u16)]) -> ClientResult<()>;
}
