//! Listener rules.

use super::super::super::state::{Listener, Rule, State};
use super::super::Cloud;
use super::super::wire::operation::Output;
use super::super::wire::{ApiError, Node, refuse};
use super::actions::{self, Side};
use super::{arn_below, conditions, listeners, not_found, page, tags};

/// The most rules of a balancer beside the default ones (ELB guide: load-balancer-limits).
const MOST: usize = 100;

fn side(listener: &Listener) -> Side<'_> {
    Side { balancer: &listener.balancer, protocol: &listener.protocol, port: listener.port }
}

/// The ARN of the rule a listener always has: its default action.
fn default_arn(listener: &str) -> String {
    format!("{}/{:016}", listener.replace(":listener/", ":listener-rule/"), 0)
}

fn node(arn: &str, rule: &Rule) -> Node {
    Node::default()
        .put("RuleArn", arn)
        .put("Priority", rule.priority)
        .list("Conditions", "member", rule.conditions.iter().map(conditions::node))
        .list("Actions", "member", [actions::node(&rule.action)])
        .put("IsDefault", false)
}

fn default_node(arn: &str, listener: &Listener) -> Node {
    Node::default()
        .put("RuleArn", default_arn(arn))
        .put("Priority", "default")
        .list("Conditions", "member", [])
        .list("Actions", "member", [actions::node(&listener.default_action)])
        .put("IsDefault", true)
}

/// A listener's rules by priority, the default one last.
pub(super) fn nodes(arn: &str, listener: &Listener) -> Vec<Node> {
    let mut rules: Vec<_> = listener.rules.iter().collect();
    rules.sort_by_key(|(_, rule)| rule.priority);
    let rules = rules.into_iter().map(|(arn, rule)| node(arn, rule));
    rules.chain([default_node(arn, listener)]).collect()
}

/// The listener that holds a rule.
pub(super) fn holder(state: &State, rule: &str) -> Result<String, ApiError> {
    let found = state.listeners.iter().find(|(_, listener)| listener.rules.contains_key(rule));
    found.map(|(arn, _)| arn.clone()).ok_or_else(|| not_found("RuleNotFound", "rules"))
}

/// Refuses a change of a default rule.
pub(super) fn not_default(state: &State, rule: &str, verb: &str) -> Result<(), ApiError> {
    if state.listeners.keys().any(|arn| default_arn(arn) == rule) {
        return Err(refuse("OperationNotPermitted", format!("Default rule '{rule}' cannot be {verb}")));
    }
    Ok(())
}

fn no_transforms(input: &Node) -> Result<(), ApiError> {
    if input.items("Transforms").next().is_some() {
        return Err(refuse("ValidationError", "the rehearsal cloud has no transforms of rules"));
    }
    Ok(())
}

/// Reads a priority: 1 to 50,000.
pub(super) fn priority(node: &Node) -> Result<u32, ApiError> {
    let text = node.need("Priority")?;
    text.parse()
        .ok()
        .filter(|p| (1..=50_000).contains(p))
        .ok_or_else(|| refuse("ValidationError", format!("Priority '{text}' must be between 1 and 50000")))
}

pub(super) fn create(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    let listener = input.need("ListenerArn")?;
    no_transforms(input)?;
    let priority = priority(input)?;
    let conditions = conditions::read(input)?;
    let tags = tags::read(input)?;
    cloud.change(|state| {
        let held = listeners::find(state, listener)?;
        if held.rules.values().any(|r| r.priority == priority) {
            return Err(refuse("PriorityInUse", format!("Priority '{priority}' is currently in use")));
        }
        let of_balancer = state.listeners.values().filter(|l| l.balancer == held.balancer);
        if of_balancer.map(|l| l.rules.len()).sum::<usize>() >= MOST {
            let why = format!("A load balancer has at most {MOST} rules beside the default ones");
            return Err(refuse("TooManyRules", why));
        }
        let action = actions::read(state, &side(held), input, "Actions")?;
        let arn = arn_below(listener, "listener-rule");
        let rule = Rule { priority, conditions, action, tags };
        let described = node(&arn, &rule);
        if let Some(held) = state.listeners.get_mut(listener) {
            held.rules.insert(arn, rule);
        }
        Ok(Node::default().list("Rules", "member", [described]).into())
    })
}

pub(super) fn describe(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    let arns = input.texts("RuleArns");
    let state = cloud.shared().lock();
    let found = match input.get("ListenerArn") {
        Some(_) if !arns.is_empty() => {
            return Err(refuse("ValidationError", "You cannot specify both rule ARNs and a listener ARN"));
        }
        Some(listener) => nodes(listener, listeners::find(&state, listener)?),
        None if arns.is_empty() => {
            return Err(refuse("ValidationError", "You must specify either rule ARNs or a listener ARN"));
        }
        None => {
            let all: Vec<_> = state.listeners.iter().flat_map(|(arn, listener)| nodes(arn, listener)).collect();
            let one = |arn: &String| {
                let found = all.iter().find(|n| n.get("RuleArn") == Some(arn.as_str())).cloned();
                found.ok_or_else(|| not_found("RuleNotFound", "rules"))
            };
            arns.iter().map(one).collect::<Result<_, _>>()?
        }
    };
    Ok(page(input, "Rules", found)?.into())
}

pub(super) fn modify(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    let arn = input.need("RuleArn")?;
    no_transforms(input)?;
    cloud.change(|state| {
        not_default(state, arn, "modified")?;
        let listener = holder(state, arn)?;
        let held = listeners::find(state, &listener)?;
        let some = |list: &str| input.items(list).next().is_some();
        let action = some("Actions").then(|| actions::read(state, &side(held), input, "Actions")).transpose()?;
        let conditions = some("Conditions").then(|| conditions::read(input)).transpose()?;
        let rule = state.listeners.get_mut(&listener).and_then(|l| l.rules.get_mut(arn));
        let rule = rule.ok_or_else(|| not_found("RuleNotFound", "rules"))?;
        rule.action = action.unwrap_or_else(|| rule.action.clone());
        rule.conditions = conditions.unwrap_or_else(|| rule.conditions.clone());
        Ok(Node::default().list("Rules", "member", [node(arn, rule)]).into())
    })
}

pub(super) fn delete(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    let arn = input.need("RuleArn")?;
    cloud.change(|state| {
        not_default(state, arn, "deleted")?;
        let listener = holder(state, arn)?;
        state.listeners.get_mut(&listener).and_then(|l| l.rules.remove(arn));
        Ok(Node::default().into())
    })
}
