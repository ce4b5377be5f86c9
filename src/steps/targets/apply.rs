//! Groups first, then rules; back in the other order, and only what this run made.

use crate::clients::balancer::{Balancer, Group, GroupSpec, RuleSpec};
use crate::clients::{Kind, balancer::Rule};
use crate::step::{Act, Fault, StepResult};
use crate::steps::tags;

use super::own::{fits, our_rules, present};
use super::{PlannedGroup, PlannedRule, TargetsChange};

pub(super) async fn apply(act: &Act, change: &TargetsChange) -> StepResult<()> {
    let mut forward = Vec::new();
    for planned in &change.groups {
        forward.push((ensure_group(act, planned).await?, planned.weight));
    }
    let balancer = act.look.balancer.balancer(&change.balancer).await?;
    for planned in &change.rules {
        ensure_rule(act, &balancer, planned, &forward).await?;
    }
    Ok(())
}

async fn ensure_group(act: &Act, planned: &PlannedGroup) -> StepResult<String> {
    let tags = match act.look.balancer.group(&planned.spec.name).await? {
        Some(group) if !tags::is_ours(&act.look, &group.tags) => return Err(foreign(&group)),
        // Made again with its own tags: no second group, but whatever a crash left unset is set.
        Some(group) => group.tags,
        None => tags::with_epoch(act, &planned.spec.tags),
    };
    let spec = GroupSpec { tags, ..planned.spec.clone() };
    let arn = match act.reach.balancer.create_group(&spec).await {
        Err(error) if error.kind == Kind::Conflict => match act.look.balancer.group(&spec.name).await? {
            Some(group) if !tags::is_ours(&act.look, &group.tags) => return Err(foreign(&group)),
            _ => return Err(error.into()),
        },
        other => other?,
    };
    let health = act.look.balancer.health(&arn).await?;
    let members = present(&health, spec.port);
    for target in planned.targets.iter().filter(|target| !members.contains(&target.as_str())) {
        act.reach.balancer.register(&arn, target, spec.port).await?;
    }
    Ok(arn)
}

fn foreign(group: &Group) -> Fault {
    Fault::drifted(
        format!("the target group {}", group.name),
        "none, or one of this run",
        format!("one made by {}", tags::maker(&group.tags)),
    )
}

async fn ensure_rule(
    act: &Act,
    balancer: &Balancer,
    planned: &PlannedRule,
    forward: &[(String, u16)],
) -> StepResult<()> {
    let listener = balancer.listeners.iter().find(|l| l.arn == planned.listener);
    let listener = listener.ok_or_else(|| {
        Fault::drifted(format!("the listener {}", planned.listener_name), "there, as when the plan was made", "gone")
    })?;
    let ours = |rule: &&Rule| tags::is_ours(&act.look, &rule.tags);
    if listener.rules.iter().filter(ours).any(|rule| fits(rule, planned)) {
        return Ok(());
    }
    let tags = tags::with_epoch(act, &planned.spec.tags);
    let spec = RuleSpec { forward: forward.to_vec(), tags, ..planned.spec.clone() };
    match act.reach.balancer.create_rule(&planned.listener, &spec).await {
        Ok(_) => Ok(()),
        // The number is taken: by our own rule, if an answer was lost on the way and the call sent again.
        Err(error) if error.kind == Kind::Conflict => {
            let now = act.look.balancer.balancer(&act.look.site.aws.balancer).await?;
            let mine = our_rules(&act.look, &now);
            if mine.iter().any(|(listener, rule)| *listener == planned.listener && fits(rule, planned)) {
                return Ok(());
            }
            Err(Fault::drifted(
                format!("rule {} on {}", spec.priority, planned.listener_name),
                "free, as when the plan was made",
                "taken by a rule of somebody else",
            ))
        }
        Err(error) => Err(error.into()),
    }
}

pub(super) async fn undo(act: &Act, change: &TargetsChange) -> StepResult<()> {
    let balancer = match act.look.balancer.balancer(&change.balancer).await {
        Ok(balancer) => Some(balancer),
        // Rules go with their balancer, groups do not.
        Err(error) if error.kind == Kind::NotFound => None,
        Err(error) => return Err(error.into()),
    };
    for (_, rule) in balancer.iter().flat_map(|balancer| our_rules(&act.look, balancer)) {
        act.reach.balancer.delete_rule(&rule.arn).await?;
    }
    for planned in &change.groups {
        let Some(group) = act.look.balancer.group(&planned.spec.name).await? else { continue };
        if !tags::is_ours(&act.look, &group.tags) {
            continue;
        }
        if let Err(error) = act.reach.balancer.delete_group(&group.arn).await {
            if error.kind != Kind::Conflict {
                return Err(error.into());
            }
            return Err(Fault::drifted(
                format!("the target group {}", group.name),
                "used by this run's rules alone",
                "used by a rule of somebody else too",
            ));
        }
    }
    Ok(())
}
