//! `shift-targets`: the weights of the balancer's two groups move to the new side, one concrete step a stage. It
//! counts per request, without a TTL, and goes back in an instant.

#[cfg(test)]
pub(crate) mod tests;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::gates::{self, Gates};
use super::targets::{group_names, our_rules, sick};
use super::timing;
use crate::clients::balancer::Rule;
use crate::clients::metrics::Measured;
use crate::clients::{Kind, balancer::Balancer};
use crate::step::{Act, Change, Fault, Finding, Look, Planned, Reversal, Step, StepResult, Verdict};
use crate::world::World;

/// How long the new side may take to be found healthy before its first stage counts: after a handover its checks, which
/// failed as long as its database was closed, have to pass again.
const HEALTHY_WITHIN: Duration = Duration::from_mins(15);
/// The same at a later stage: it was healthy before, and three checks in a row say that it no longer is.
const HEALTHY_STILL: Duration = Duration::from_secs(30);
/// How long weights that go back are looked at until they show; and how often.
const SHOWN_WITHIN: Duration = Duration::from_secs(2);
const LOOK: Duration = Duration::from_millis(200);

/// One stage.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ShiftTargets {
    /// The new side's share before, in percent.
    pub from: u8,
    /// The new side's share from now on, in percent.
    pub to: u8,
    /// How long it is held before the next one.
    pub bake: Duration,
    /// What has to be measured meanwhile.
    pub gates: Gates,
}

/// The weights of both groups in every rule of this run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShiftChange {
    /// The balancer's name.
    pub balancer: String,
    /// The groups' names, the old side's first.
    pub groups: [String; 2],
    /// Their weights before the first stage. Going back leads there at once, and not from stage to stage.
    pub home: [u16; 2],
    /// Their weights before.
    pub from: [u16; 2],
    /// Their weights from now on.
    pub to: [u16; 2],
    /// How long it is held.
    pub bake: Duration,
}

/// One step a stage, from 0 percent on.
pub fn expand(stages: &[u8], bake: Duration) -> Vec<ShiftTargets> {
    let before = std::iter::once(&0).chain(stages);
    let one = |(from, to): (&u8, &u8)| ShiftTargets { from: *from, to: (*to).min(100), bake, gates: Gates::default() };
    before.zip(stages).map(one).collect()
}

impl ShiftTargets {
    /// The same, judged by these gates instead of the default ones.
    #[must_use]
    pub fn under(mut self, gates: &Gates) -> Self {
        self.gates.clone_from(gates);
        self
    }
}

fn weights(share: u8) -> [u16; 2] {
    [100 - u16::from(share.min(100)), u16::from(share.min(100))]
}

impl Change for ShiftChange {
    fn lines(&self) -> Vec<String> {
        let say = |weights: &[u16; 2]| format!("{} {}, {} {}", self.groups[0], weights[0], self.groups[1], weights[1]);
        vec![
            format!("- every rule of {} forwards by {}", self.balancer, say(&self.from)),
            format!("+ every rule of {} forwards by {}", self.balancer, say(&self.to)),
            format!("~ held for {}", timing::words(self.bake)),
        ]
    }

    fn reversal(&self) -> Reversal {
        Reversal::Exact
    }
}

impl Step for ShiftTargets {
    const KIND: &'static str = "shift-targets";
    type Change = ShiftChange;

    fn id(&self) -> String {
        format!("{}:{}", Self::KIND, self.to)
    }

    fn title(&self) -> String {
        format!("send {} % of the API's requests to the new hosts", self.to)
    }

    fn explain(&self) -> String {
        format!(
            "The balancer sends {} of 100 requests to the new hosts and the rest to the box. Once that is what is measured, \
             errors and response times of both sides are compared for {}; if the new side does worse, all goes back by \
             itself, with the next request.",
            self.to,
            timing::words(self.bake)
        )
    }

    fn model(&self, world: &mut World) {
        world.balancer_to_new = self.to;
    }

    fn reads_may_lag(&self) -> bool {
        true
    }

    async fn check(&self, look: &Look) -> StepResult<Vec<Finding>> {
        gates::may_measure(look).await
    }

    async fn plan(&self, look: &Look) -> StepResult<Planned<ShiftChange>> {
        if self.from == self.to {
            return Ok(Planned::AlreadySo);
        }
        Ok(Planned::Change(ShiftChange {
            balancer: look.site.aws.balancer.clone(),
            groups: group_names(look),
            home: weights(0),
            from: weights(self.from),
            to: weights(self.to),
            bake: self.bake,
        }))
    }

    async fn apply(&self, act: &Act, change: &ShiftChange) -> StepResult<()> {
        let (rules, _) = rules(&act.look, change).await?;
        if rules.is_empty() {
            return Err(Fault::failed_with(
                format!("the balancer {} has no rule of this run", change.balancer),
                "the step `targets` must come before `shift-targets`",
            ));
        }
        set(act, change, &rules, &[change.from], change.to).await
    }

    async fn verify(&self, look: &Look, change: &ShiftChange) -> StepResult<Verdict> {
        let (rules, measured) = rules(look, change).await?;
        if rules.is_empty() {
            return Ok(Verdict::Drifted(format!("the rules of this run on {} are gone", change.balancer)));
        }
        if let Some(rule) = rules.iter().find(|rule| rule.weights != Some(change.to)) {
            let drift = format!("rule {} forwards by {}, and {:?} was set", rule.priority, rule.told, change.to);
            let (drift, before) = (Verdict::Drifted(drift), rule.weights == Some(change.from));
            return Ok(if before { timing::may_not_show_yet(look, drift) } else { drift });
        }
        let Some(measured) = measured else {
            return Ok(Verdict::Drifted(format!("a target group of {} is gone", change.balancer)));
        };
        let stage = gates::Stage {
            weight: self.to,
            sick: sick(&look.balancer.health(&measured.groups[1]).await?),
            measured: &measured,
            bake: change.bake,
            healthy_within: if self.from == 0 { HEALTHY_WITHIN } else { HEALTHY_STILL },
        };
        Ok(gates::judge(look, &stage, &self.gates).await)
    }

    async fn undo(&self, act: &Act, change: &ShiftChange) -> StepResult<()> {
        let (found, _) = rules(&act.look, change).await?;
        set(act, change, &found, &[change.to, change.from], change.home).await?;
        // It counts once it is seen. An answer that lags longer is the engine's to look at again.
        let until = act.look.clock.now() + SHOWN_WITHIN;
        while !found.is_empty() && act.look.clock.now() < until {
            let (rules, _) = rules(&act.look, change).await?;
            if rules.iter().all(|rule| rule.weights == Some(change.home)) {
                act.note(format!(
                    "every rule forwards by {} {} again, as is read back",
                    change.groups[0], change.home[0]
                ));
                break;
            }
            act.look.clock.sleep(LOOK).await;
        }
        Ok(())
    }
}

/// A rule of this run, its weights in our order.
struct Weighed {
    arn: String,
    priority: u32,
    forward: Vec<(String, u16)>,
    /// `None` where it forwards to anything but our two groups.
    weights: Option<[u16; 2]>,
    told: String,
}

/// The rules of this run, and whose figures count.
async fn rules(look: &Look, change: &ShiftChange) -> StepResult<(Vec<Weighed>, Option<Measured>)> {
    let balancer = match look.balancer.balancer(&change.balancer).await {
        Ok(balancer) => balancer,
        Err(error) if error.kind == Kind::NotFound => return Ok((Vec::new(), None)),
        Err(error) => return Err(error.into()),
    };
    let mut arns = Vec::new();
    for name in &change.groups {
        arns.extend(look.balancer.group(name).await?.map(|group| group.arn));
    }
    let weighed = weighed(look, &balancer, &arns);
    let groups = <[String; 2]>::try_from(arns).ok();
    Ok((weighed, groups.map(|groups| Measured { balancer: balancer.arn, groups })))
}

fn weighed(look: &Look, balancer: &Balancer, arns: &[String]) -> Vec<Weighed> {
    let weight = |rule: &Rule, arn: Option<&String>| {
        let found = rule.forward.iter().find(|(group, _)| Some(group) == arn);
        found.map(|(_, weight)| *weight)
    };
    let one = |(_, rule): (&str, &Rule)| {
        let both = weight(rule, arns.first()).zip(weight(rule, arns.get(1))).map(|(old, new)| [old, new]);
        let shares: Vec<String> = rule.forward.iter().map(|(arn, weight)| format!("{arn} {weight}")).collect();
        Weighed {
            arn: rule.arn.clone(),
            priority: rule.priority,
            forward: arns.iter().map(|arn| (arn.clone(), 0)).collect(),
            weights: both.filter(|_| rule.forward.len() == 2),
            told: shares.join(", "),
        }
    };
    our_rules(look, balancer).into_iter().map(one).collect()
}

/// Sets the weights of the rules that have one of the former ones; any other weights are drift, found before anything is
/// set.
async fn set(act: &Act, change: &ShiftChange, rules: &[Weighed], from: &[[u16; 2]], to: [u16; 2]) -> StepResult<()> {
    let known = |weights: [u16; 2]| weights == to || from.contains(&weights);
    if let Some(rule) = rules.iter().find(|rule| !rule.weights.is_some_and(known)) {
        let [old, new] = from.first().copied().unwrap_or(to);
        return Err(Fault::drifted(
            format!("rule {} of {}", rule.priority, change.balancer),
            format!("{} {old}, {} {new}", change.groups[0], change.groups[1]),
            rule.told.clone(),
        ));
    }
    for rule in rules.iter().filter(|rule| rule.weights != Some(to)) {
        let forward: Vec<(String, u16)> = rule.forward.iter().zip(to).map(|((arn, _), w)| (arn.clone(), w)).collect();
        act.reach.balancer.set_weights(&rule.arn, &forward).await?;
    }
    Ok(())
}
