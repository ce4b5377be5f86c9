//! The balancer's listeners, rules and groups, read into the port's words.

use std::collections::BTreeMap;

use aws_sdk_elasticloadbalancingv2::Client;
use aws_sdk_elasticloadbalancingv2::types::{self, ActionTypeEnum, RuleCondition};

use super::error::explain;
use crate::clients::balancer::{Balancer, Listener, Rule};
use crate::clients::{ClientError, ClientResult, Kind};

/// How often a listener's rules are read while others delete some.
const READS: usize = 4;

/// Tags are asked for at most so many resources at a time.
/// Source: Elastic Load Balancing API reference, `DescribeTags`.
const TAGGED_AT_ONCE: usize = 20;

/// The balancer of this name with all its listeners.
pub(super) async fn balancer(client: &Client, name: &str) -> ClientResult<Balancer> {
    let what = || format!("look up the load balancer {name}");
    let page = client
        .describe_load_balancers()
        .names(name)
        .send()
        .await
        .map_err(|e| explain(what(), "elasticloadbalancing:DescribeLoadBalancers", e))?;
    let found = page
        .load_balancers()
        .first()
        .ok_or_else(|| ClientError::new(Kind::NotFound, what(), "there is no load balancer of this name"))?;
    let arn = text(found.load_balancer_arn());
    let mut listeners = Vec::new();
    let mut pages = client.describe_listeners().load_balancer_arn(&arn).into_paginator().send();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|e| explain(what(), "elasticloadbalancing:DescribeListeners", e))?;
        for listener in page.listeners() {
            let arn = text(listener.listener_arn());
            listeners.push(Listener {
                rules: rules(client, &arn).await?,
                arn,
                protocol: listener.protocol().map(|p| p.as_str().to_owned()).unwrap_or_default(),
                port: port(listener.port()),
            });
        }
    }
    Ok(Balancer {
        arn,
        dns_name: super::record::plain(&text(found.dns_name())),
        zone: text(found.canonical_hosted_zone_id()),
        vpc: text(found.vpc_id()),
        listeners,
    })
}

/// A listener's rules. One that somebody deletes between the list and its tags is not found there: then all are read again.
async fn rules(client: &Client, listener: &str) -> ClientResult<Vec<Rule>> {
    for _ in 1..READS {
        match rules_once(client, listener).await {
            Err(error) if error.kind == Kind::NotFound => {}
            read => return read,
        }
    }
    rules_once(client, listener).await
}

async fn rules_once(client: &Client, listener: &str) -> ClientResult<Vec<Rule>> {
    let what = || format!("read the rules of {listener}");
    let mut rules = Vec::new();
    let mut marker = None;
    loop {
        let page = client
            .describe_rules()
            .listener_arn(listener)
            .set_marker(marker)
            .send()
            .await
            .map_err(|e| explain(what(), "elasticloadbalancing:DescribeRules", e))?;
        rules.extend(page.rules().iter().filter(|rule| rule.is_default() != Some(true)).map(rule));
        marker = page.next_marker().map(str::to_owned);
        if marker.is_none() {
            break;
        }
    }
    let arns: Vec<String> = rules.iter().map(|rule| rule.arn.clone()).collect();
    let mut tags = tags(client, &arns).await?;
    for rule in &mut rules {
        rule.tags = tags.remove(&rule.arn).unwrap_or_default();
    }
    rules.sort_by_key(|rule| rule.priority);
    Ok(rules)
}

fn rule(found: &types::Rule) -> Rule {
    let mut rule = Rule {
        arn: text(found.rule_arn()),
        priority: found.priority().and_then(|p| p.parse().ok()).unwrap_or(0),
        hosts: Vec::new(),
        paths: Vec::new(),
        others: Vec::new(),
        forward: forward(found.actions()),
        tags: Vec::new(),
    };
    for condition in found.conditions() {
        match condition.field() {
            Some("host-header") => rule.hosts.extend(hosts(condition)),
            Some("path-pattern") => rule.paths.extend(paths(condition)),
            other => rule.others.push(format!("{} {:?}", other.unwrap_or("condition"), condition.values())),
        }
    }
    rule
}

fn hosts(condition: &RuleCondition) -> Vec<String> {
    condition.host_header_config().map_or_else(|| condition.values(), |config| config.values()).to_vec()
}

fn paths(condition: &RuleCondition) -> Vec<String> {
    condition.path_pattern_config().map_or_else(|| condition.values(), |config| config.values()).to_vec()
}

/// Target groups and weights of a forward; empty for any other action. A forward to one group has no weight: 1.
fn forward(actions: &[types::Action]) -> Vec<(String, u16)> {
    let Some(action) = actions.iter().find(|action| action.r#type() == Some(&ActionTypeEnum::Forward)) else {
        return Vec::new();
    };
    match action.forward_config() {
        Some(config) if !config.target_groups().is_empty() => config
            .target_groups()
            .iter()
            .map(|tuple| {
                let weight = tuple.weight().and_then(|weight| u16::try_from(weight).ok()).unwrap_or(1);
                (text(tuple.target_group_arn()), weight)
            })
            .collect(),
        _ => action.target_group_arn().map(|arn| (arn.to_owned(), 1)).into_iter().collect(),
    }
}

/// The tags of each resource.
pub(super) async fn tags(client: &Client, arns: &[String]) -> ClientResult<BTreeMap<String, Vec<(String, String)>>> {
    let mut found = BTreeMap::new();
    for some in arns.chunks(TAGGED_AT_ONCE) {
        let answer =
            client.describe_tags().set_resource_arns(Some(some.to_vec())).send().await.map_err(|e| {
                explain("read the tags of the balancer's parts", "elasticloadbalancing:DescribeTags", e)
            })?;
        for one in answer.tag_descriptions() {
            let tags = one.tags().iter().map(|tag| (text(tag.key()), text(tag.value()))).collect();
            found.insert(text(one.resource_arn()), tags);
        }
    }
    Ok(found)
}

pub(super) fn text(value: Option<&str>) -> String {
    value.unwrap_or_default().to_owned()
}

pub(super) fn port(value: Option<i32>) -> u16 {
    value.and_then(|port| u16::try_from(port).ok()).unwrap_or(0)
}
