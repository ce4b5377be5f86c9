//! `targets`: the old box and the new hosts become target groups of the balancer, and the paths the box's proxy sends
//! to the app become its rules. Everything still goes to the old side: old 100, new 0.

mod apply;
mod check;
mod own;
mod paths;
pub(super) mod proxy;
#[cfg(test)]
pub(crate) mod tests;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::clients::balancer::{GroupSpec, Listener, RuleSpec};
use crate::step::{Act, Change, Fault, Finding, Look, Planned, Reversal, Step, StepResult, Verdict};
use crate::steps::{tags, timing};
use crate::world::World;

pub(super) use own::{group_names, our_rules, sick};

/// How long the old side may take to be found healthy: two checks, and AWS's first look.
const HEALTHY_WITHIN: Duration = Duration::from_mins(2);
/// Seconds between two health checks.
const HEALTH_INTERVAL: u32 = 10;
/// Seconds of draining on deregistration (law L4); requests of the app are short.
const DRAIN: u32 = 30;

/// The step. It has no parameters: all of it is in the site file and on the box.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Targets {}

/// Two groups, and rules on the listeners.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetsChange {
    /// The balancer's name.
    pub balancer: String,
    /// The old side, then the new one.
    pub groups: Vec<PlannedGroup>,
    /// What each listener gets.
    pub rules: Vec<PlannedRule>,
}

/// A target group and its members.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedGroup {
    /// What it is made with.
    pub spec: GroupSpec,
    /// Its members' addresses.
    pub targets: Vec<String>,
    /// The weight every rule gives it.
    pub weight: u16,
}

/// A rule; which groups it forwards to is known once they are there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedRule {
    /// The listener's ARN.
    pub listener: String,
    /// `HTTPS 443`
    pub listener_name: String,
    /// Everything but the forward.
    pub spec: RuleSpec,
}

impl Change for TargetsChange {
    fn lines(&self) -> Vec<String> {
        let groups = self.groups.iter().map(|group| {
            let spec = &group.spec;
            let members = group.targets.join(", ");
            let health = &spec.health_path;
            format!("+ target group {}: {} {} to {members}, health by {health}", spec.name, spec.protocol, spec.port)
        });
        let forward: Vec<String> = self.groups.iter().map(|g| format!("{} {}", g.spec.name, g.weight)).collect();
        let forward = forward.join(", ");
        let rules = self.rules.iter().map(|rule| {
            let paths = if rule.spec.paths.is_empty() { "every path".to_owned() } else { rule.spec.paths.join(" ") };
            let hosts = rule.spec.hosts.join(" ");
            format!("+ rule {} on {}: {hosts}, {paths} → {forward}", rule.spec.priority, rule.listener_name)
        });
        groups.chain(rules).collect()
    }

    fn reversal(&self) -> Reversal {
        Reversal::Exact
    }
}

impl Step for Targets {
    const KIND: &'static str = "targets";
    type Change = TargetsChange;

    fn title(&self) -> String {
        "make the old box and the new hosts targets of the balancer".to_owned()
    }

    fn explain(&self) -> String {
        "The balancer learns of both sides and of the paths that belong to the app, with health checks. Every request \
         still goes to the old box: weight 100 against 0."
            .to_owned()
    }

    fn model(&self, world: &mut World) {
        world.targets = true;
        world.balancer_to_new = 0;
    }

    fn reads_may_lag(&self) -> bool {
        true
    }

    async fn check(&self, look: &Look) -> StepResult<Vec<Finding>> {
        check::findings(look).await
    }

    async fn plan(&self, look: &Look) -> StepResult<Planned<TargetsChange>> {
        let change = planned(look).await?;
        let here = own::state(look, &change).await?;
        Ok(if here.complete { Planned::AlreadySo } else { Planned::Change(change) })
    }

    async fn apply(&self, act: &Act, change: &TargetsChange) -> StepResult<()> {
        apply::apply(act, change).await
    }

    async fn verify(&self, look: &Look, change: &TargetsChange) -> StepResult<Verdict> {
        let here = own::state(look, change).await?;
        if let Some(drift) = here.drift {
            return Ok(Verdict::Drifted(drift));
        }
        if !here.complete {
            let wrong = Verdict::Broken(format!("on the balancer {} is missing", here.missing.join(", ")));
            return Ok(timing::may_not_show_yet(look, wrong));
        }
        let Some(old) = look.balancer.group(&change.groups[0].spec.name).await? else {
            return Ok(Verdict::Broken("the old side's target group is gone".to_owned()));
        };
        let sick = own::sick(&look.balancer.health(&old.arn).await?);
        Ok(match sick {
            None => Verdict::Holds,
            Some(why) => timing::grace(look, HEALTHY_WITHIN, format!("the balancer does not reach the box: {why}")),
        })
    }

    async fn undo(&self, act: &Act, change: &TargetsChange) -> StepResult<()> {
        apply::undo(act, change).await
    }
}

/// The change as things are now.
async fn planned(look: &Look) -> StepResult<TargetsChange> {
    let site = &look.site;
    let balancer = look.balancer.balancer(&site.aws.balancer).await?;
    let listeners = forwarding(&balancer.listeners);
    if listeners.is_empty() {
        return Err(Fault::failed_with(
            format!("the balancer {} has no listener", site.aws.balancer),
            "add an HTTPS listener with the site's certificate",
        ));
    }
    let paths = paths::of_app(look).await?.patterns;
    let groups: Vec<PlannedGroup> = [
        (vec![site.old.address.to_string()], 100),
        (site.app.hosts.iter().map(|host| host.address.to_string()).collect(), 0),
    ]
    .into_iter()
    .zip(group_names(look))
    .map(|((targets, weight), name)| PlannedGroup {
        spec: GroupSpec {
            name,
            protocol: site.app.listen.protocol.upper().to_owned(),
            port: site.app.listen.port,
            vpc: balancer.vpc.clone(),
            health_path: site.app.health.clone(),
            health_interval: HEALTH_INTERVAL,
            drain_seconds: DRAIN,
            tags: tags::of(look),
        },
        targets,
        weight,
    })
    .collect();
    let mut rules = Vec::new();
    for listener in listeners {
        let conditions = paths::conditions(&site.names.api, &paths);
        // A rule of ours keeps its number, so that a plan made anew says the same.
        let foreign = listener.rules.iter().filter(|rule| !tags::is_ours(look, &rule.tags));
        let taken: Vec<u32> = foreign.map(|rule| rule.priority).collect();
        let free = (1..=50_000).filter(|priority| !taken.contains(priority));
        for ((hosts, paths), priority) in conditions.into_iter().zip(free) {
            let spec = RuleSpec { priority, hosts, paths, forward: Vec::new(), tags: tags::of(look) };
            let listener_name = format!("{} {}", listener.protocol, listener.port);
            rules.push(PlannedRule { listener: listener.arn.clone(), listener_name, spec });
        }
    }
    Ok(TargetsChange { balancer: site.aws.balancer.clone(), groups, rules })
}

/// The listeners that forward: those with TLS, or where there is none the plain ones.
fn forwarding(listeners: &[Listener]) -> Vec<&Listener> {
    let tls: Vec<&Listener> = listeners.iter().filter(|listener| listener.protocol == "HTTPS").collect();
    if tls.is_empty() { listeners.iter().collect() } else { tls }
}
