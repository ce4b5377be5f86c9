//! What stands on the balancer of this run's groups and rules.

use crate::clients::balancer::{Balancer, Health, Rule};
use crate::step::{Look, StepResult};
use crate::steps::tags;

use super::{PlannedGroup, TargetsChange};

/// The names of the two groups, the old side's first.
pub fn group_names(look: &Look) -> [String; 2] {
    ["old", "new"].map(|side| format!("{}-{side}", look.site.site))
}

/// Every rule this run made, with its listener's ARN.
pub fn our_rules<'a>(look: &Look, balancer: &'a Balancer) -> Vec<(&'a str, &'a Rule)> {
    let all = balancer.listeners.iter().flat_map(|l| l.rules.iter().map(move |rule| (l.arn.as_str(), rule)));
    all.filter(|(_, rule)| tags::is_ours(look, &rule.tags)).collect()
}

/// How far the change has come.
#[derive(Debug, Default)]
pub(super) struct State {
    /// All of it stands.
    pub complete: bool,
    /// What does not stand.
    pub missing: Vec<String>,
    /// What somebody else changed.
    pub drift: Option<String>,
}

/// Looks how far the change has come.
pub(super) async fn state(look: &Look, change: &TargetsChange) -> StepResult<State> {
    let mut state = State::default();
    let mut arns = Vec::new();
    for PlannedGroup { spec, targets, weight } in &change.groups {
        let Some(group) = look.balancer.group(&spec.name).await? else {
            state.missing.push(format!("the target group {}", spec.name));
            continue;
        };
        if !tags::is_ours(look, &group.tags) {
            state.drift = Some(format!("the target group {} was made by {}", spec.name, tags::maker(&group.tags)));
            continue;
        }
        let health = look.balancer.health(&group.arn).await?;
        let members = present(&health, spec.port);
        state.missing.extend(targets.iter().filter(|t| !members.contains(&t.as_str())).map(|t| format!("target {t}")));
        if let Some(other) = members.iter().find(|m| !targets.iter().any(|t| t == *m)) {
            state.drift = Some(format!("the target group {} got the target {other}", spec.name));
        }
        arns.push((group.arn, *weight));
    }
    let balancer = look.balancer.balancer(&change.balancer).await?;
    let ours = our_rules(look, &balancer);
    for planned in &change.rules {
        let same = |(listener, rule): &&(&str, &Rule)| *listener == planned.listener && fits(rule, planned);
        match ours.iter().find(same) {
            None => state.missing.push(format!("rule {} on {}", planned.spec.priority, planned.listener_name)),
            Some((_, rule)) if arns.len() == change.groups.len() && !same_forward(&rule.forward, &arns) => {
                state.drift = Some(format!("rule {} forwards to {:?}", rule.priority, rule.forward));
            }
            Some(_) => {}
        }
    }
    state.complete = state.missing.is_empty() && state.drift.is_none();
    Ok(state)
}

/// Whether a rule is the planned one, whatever its number.
pub(super) fn fits(rule: &Rule, planned: &super::PlannedRule) -> bool {
    rule.hosts == planned.spec.hosts && rule.paths == planned.spec.paths && rule.others.is_empty()
}

/// Two forwards alike, in any order.
pub fn same_forward(a: &[(String, u16)], b: &[(String, u16)]) -> bool {
    a.len() == b.len() && a.iter().all(|one| b.contains(one))
}

/// The members that are in, and not on their way out.
pub(super) fn present(health: &[Health], port: u16) -> Vec<&str> {
    health.iter().filter(|h| h.state != "draining" && h.port == port).map(|h| h.address.as_str()).collect()
}

/// Why a group is not healthy as a whole; `None` if it is.
pub fn sick(health: &[Health]) -> Option<String> {
    if health.is_empty() {
        return Some("the group has no targets".to_owned());
    }
    let sick = health.iter().find(|h| h.state != "healthy" && h.state != "draining")?;
    let reason = if sick.reason.is_empty() { String::new() } else { format!(" ({})", sick.reason) };
    Some(format!("{}:{} is {}{reason}", sick.address, sick.port, sick.state))
}
