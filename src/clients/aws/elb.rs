//! Elastic Load Balancing v2.

use async_trait::async_trait;
use aws_sdk_elasticloadbalancingv2::Client;
use aws_sdk_elasticloadbalancingv2::types::{
    Action, ActionTypeEnum, ForwardActionConfig, HostHeaderConditionConfig, PathPatternConditionConfig, ProtocolEnum,
    RuleCondition, Tag, TargetDescription, TargetGroupAttribute, TargetGroupTuple, TargetTypeEnum,
};

use super::elb_read::{self, port, text};
use super::error::{explain, unless_missing};
use crate::clients::balancer::{Balancer, BalancerRead, BalancerWrite, Group, GroupSpec, Health, RuleSpec};
use crate::clients::{ClientError, ClientResult, Kind};

/// The Application Load Balancer.
pub(super) struct Elb {
    client: Client,
}

impl Elb {
    pub(super) fn new(client: Client) -> Self {
        Self { client }
    }

    async fn add_target(&self, group: &str, target: TargetDescription) -> ClientResult<()> {
        let what = format!("register {} in {group}", text(target.id()));
        let sent = self.client.register_targets().target_group_arn(group).targets(target).send().await;
        sent.map_err(|e| explain(what, "elasticloadbalancing:RegisterTargets", e))?;
        Ok(())
    }
}

#[async_trait]
impl BalancerRead for Elb {
    async fn balancer(&self, name: &str) -> ClientResult<Balancer> {
        elb_read::balancer(&self.client, name).await
    }

    async fn group(&self, name: &str) -> ClientResult<Option<Group>> {
        let answer = self.client.describe_target_groups().names(name).send().await;
        let answer = answer.map_err(|e| {
            explain(format!("look up the target group {name}"), "elasticloadbalancing:DescribeTargetGroups", e)
        });
        let Some(page) = unless_missing(answer)? else { return Ok(None) };
        let Some(found) = page.target_groups().first() else { return Ok(None) };
        let arn = text(found.target_group_arn());
        let tags = elb_read::tags(&self.client, std::slice::from_ref(&arn)).await?.remove(&arn).unwrap_or_default();
        Ok(Some(Group {
            arn,
            name: text(found.target_group_name()),
            protocol: found.protocol().map(|p| p.as_str().to_owned()).unwrap_or_default(),
            port: port(found.port()),
            tags,
        }))
    }

    async fn health(&self, group_arn: &str) -> ClientResult<Vec<Health>> {
        let what = format!("read the health of {group_arn}");
        let answer = self.client.describe_target_health().target_group_arn(group_arn).send().await;
        let answer = answer.map_err(|e| explain(what, "elasticloadbalancing:DescribeTargetHealth", e))?;
        let health = answer.target_health_descriptions().iter().filter_map(|one| {
            let (target, health) = (one.target()?, one.target_health()?);
            let reason = [
                health.reason().map(aws_sdk_elasticloadbalancingv2::types::TargetHealthReasonEnum::as_str),
                health.description(),
            ];
            Some(Health {
                address: text(target.id()),
                port: port(target.port()),
                state: health.state().map(|s| s.as_str().to_owned()).unwrap_or_default(),
                reason: reason.into_iter().flatten().collect::<Vec<_>>().join(": "),
            })
        });
        Ok(health.collect())
    }
}

#[async_trait]
impl BalancerWrite for Elb {
    async fn create_group(&self, spec: &GroupSpec) -> ClientResult<String> {
        let what = || format!("create the target group {}", spec.name);
        let protocol = ProtocolEnum::from(spec.protocol.as_str());
        let sent = self
            .client
            .create_target_group()
            .name(&spec.name)
            .target_type(TargetTypeEnum::Ip)
            .protocol(protocol.clone())
            .port(i32::from(spec.port))
            .vpc_id(&spec.vpc)
            .health_check_protocol(protocol)
            .health_check_path(&spec.health_path)
            .health_check_interval_seconds(seconds(spec.health_interval))
            // AWS's least; the time-out must stay below the interval.
            .health_check_timeout_seconds(seconds(spec.health_interval.saturating_sub(1).clamp(2, 5)))
            .healthy_threshold_count(2)
            .unhealthy_threshold_count(2)
            .set_tags(Some(tags(&spec.tags)))
            .send()
            .await
            .map_err(|e| explain(what(), "elasticloadbalancing:CreateTargetGroup", e));
        let arn = match sent {
            Ok(answer) => answer.target_groups().first().map(|group| text(group.target_group_arn())),
            // A call whose answer was lost is sent again by the SDK: then the group is there, with these very tags.
            Err(error) if error.kind == Kind::Conflict => match self.group(&spec.name).await? {
                Some(group) if same(&group, spec) => Some(group.arn),
                _ => return Err(error),
            },
            Err(error) => return Err(error),
        };
        let arn = arn.ok_or_else(|| ClientError::new(Kind::Unanswered, what(), "the answer names no group"))?;
        let delay = TargetGroupAttribute::builder()
            .key("deregistration_delay.timeout_seconds")
            .value(spec.drain_seconds.to_string());
        let sent = self.client.modify_target_group_attributes().target_group_arn(&arn).attributes(delay.build()).send();
        sent.await.map_err(|e| explain(what(), "elasticloadbalancing:ModifyTargetGroupAttributes", e))?;
        Ok(arn)
    }

    async fn delete_group(&self, arn: &str) -> ClientResult<()> {
        let sent = self.client.delete_target_group().target_group_arn(arn).send().await;
        unless_missing(sent.map_err(|e| {
            explain(format!("delete the target group {arn}"), "elasticloadbalancing:DeleteTargetGroup", e)
        }))?;
        Ok(())
    }

    async fn register(&self, group_arn: &str, address: &str, port: u16) -> ClientResult<()> {
        let target = TargetDescription::builder().id(address).port(i32::from(port));
        match self.add_target(group_arn, target.clone().build()).await {
            // Law L1: outside the VPC the zone is `all`, inside it must not be, and only AWS knows which it is.
            Err(error) if error.kind == Kind::Refused && error.why.contains("Availability Zone") => {
                self.add_target(group_arn, target.availability_zone("all").build()).await
            }
            other => other,
        }
    }

    async fn deregister(&self, group_arn: &str, address: &str, port: u16) -> ClientResult<()> {
        let target = TargetDescription::builder().id(address).port(i32::from(port)).build();
        let sent = self.client.deregister_targets().target_group_arn(group_arn).targets(target).send().await;
        unless_missing(sent.map_err(|e| {
            explain(format!("deregister {address} from {group_arn}"), "elasticloadbalancing:DeregisterTargets", e)
        }))?;
        Ok(())
    }

    async fn create_rule(&self, listener_arn: &str, spec: &RuleSpec) -> ClientResult<String> {
        let what = || format!("create the rule of priority {} on {listener_arn}", spec.priority);
        let mut conditions = Vec::new();
        if !spec.hosts.is_empty() {
            let config = HostHeaderConditionConfig::builder().set_values(Some(spec.hosts.clone())).build();
            conditions.push(RuleCondition::builder().field("host-header").host_header_config(config).build());
        }
        if !spec.paths.is_empty() {
            let config = PathPatternConditionConfig::builder().set_values(Some(spec.paths.clone())).build();
            conditions.push(RuleCondition::builder().field("path-pattern").path_pattern_config(config).build());
        }
        let answer = self
            .client
            .create_rule()
            .listener_arn(listener_arn)
            .priority(i32::try_from(spec.priority).unwrap_or(i32::MAX))
            .set_conditions(Some(conditions))
            .actions(weighted(&spec.forward))
            .set_tags(Some(tags(&spec.tags)))
            .send()
            .await
            .map_err(|e| explain(what(), "elasticloadbalancing:CreateRule", e))?;
        let arn = answer.rules().first().map(|rule| text(rule.rule_arn()));
        arn.ok_or_else(|| ClientError::new(Kind::Unanswered, what(), "the answer names no rule"))
    }

    async fn delete_rule(&self, arn: &str) -> ClientResult<()> {
        let sent = self.client.delete_rule().rule_arn(arn).send().await;
        unless_missing(
            sent.map_err(|e| explain(format!("delete the rule {arn}"), "elasticloadbalancing:DeleteRule", e)),
        )?;
        Ok(())
    }

    async fn set_weights(&self, rule_arn: &str, forward: &[(String, u16)]) -> ClientResult<()> {
        let sent = self.client.modify_rule().rule_arn(rule_arn).actions(weighted(forward)).send().await;
        sent.map_err(|e| explain(format!("set the weights of {rule_arn}"), "elasticloadbalancing:ModifyRule", e))?;
        Ok(())
    }
}

fn same(group: &Group, spec: &GroupSpec) -> bool {
    let sorted = |tags: &[(String, String)]| {
        let mut tags = tags.to_vec();
        tags.sort_unstable();
        tags
    };
    group.protocol == spec.protocol && group.port == spec.port && sorted(&group.tags) == sorted(&spec.tags)
}

fn weighted(forward: &[(String, u16)]) -> Action {
    let groups = forward
        .iter()
        .map(|(arn, weight)| TargetGroupTuple::builder().target_group_arn(arn).weight(i32::from(*weight)).build());
    let config = ForwardActionConfig::builder().set_target_groups(Some(groups.collect())).build();
    Action::builder().r#type(ActionTypeEnum::Forward).forward_config(config).build()
}

fn tags(tags: &[(String, String)]) -> Vec<Tag> {
    tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
}

fn seconds(value: u32) -> i32 {
    i32::try_from(value).unwrap_or(i32::MAX)
}
