//! `SetRulePriorities`: several rules change places at once.

use std::collections::BTreeMap;

use super::super::Cloud;
use super::super::wire::operation::Output;
use super::super::wire::{ApiError, Node, refuse};
use super::{listeners, rules};

pub(super) fn set(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    let pairs = input.items("RulePriorities").map(|p| Ok((p.need("RuleArn")?, rules::priority(p)?)));
    let wanted: BTreeMap<&str, u32> = pairs.collect::<Result<_, ApiError>>()?;
    let first = wanted.keys().next().ok_or_else(|| refuse("ValidationError", "No rule priority was given"))?;
    cloud.change(|state| {
        for rule in wanted.keys() {
            rules::not_default(state, rule, "reprioritized")?;
        }
        let holder = rules::holder(state, first)?;
        for rule in wanted.keys() {
            if rules::holder(state, rule)? != holder {
                return Err(refuse("ValidationError", "All rules must belong to the same listener"));
            }
        }
        let held = listeners::find(state, &holder)?;
        let mut after: Vec<_> =
            held.rules.iter().map(|(arn, rule)| wanted.get(arn.as_str()).copied().unwrap_or(rule.priority)).collect();
        after.sort_unstable();
        if let Some([twice, _]) = after.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(refuse("PriorityInUse", format!("Priority '{twice}' is currently in use")));
        }
        if let Some(held) = state.listeners.get_mut(&holder) {
            for (arn, rule) in &mut held.rules {
                rule.priority = wanted.get(arn.as_str()).copied().unwrap_or(rule.priority);
            }
        }
        let described = rules::nodes(&holder, listeners::find(state, &holder)?);
        let named = |n: &Node| n.get("RuleArn").is_some_and(|arn| wanted.contains_key(arn));
        Ok(Node::default().list("Rules", "member", described.into_iter().filter(named)).into())
    })
}
