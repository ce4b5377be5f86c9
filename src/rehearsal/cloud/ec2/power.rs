//! Instances started, stopped, rebooted and terminated.

use std::time::SystemTime;

use super::super::super::state::Instance;
use super::instances::{named, state_node};
use super::{Answer, ApiError, Cloud, Node, State, alter, clock, done, refuse};

/// What an act makes of an instance: nothing, another phase, or a refusal.
type Act = fn(&str, &mut Instance, SystemTime) -> Result<(), ApiError>;

fn all(cloud: &Cloud, input: &Node, act: Act) -> Answer {
    let now = cloud.shared().clock.now();
    alter(cloud, input, |state| {
        let changed = named(state, input)?.into_iter().map(|id| one(state, id, act, now));
        let changed = changed.collect::<Result<Vec<_>, ApiError>>()?;
        Ok(Node::default().list("instancesSet", "item", changed))
    })
}

fn one(state: &mut State, id: String, act: Act, now: SystemTime) -> Result<Node, ApiError> {
    let Some(instance) = state.network.instances.get_mut(&id) else { return Ok(Node::default()) };
    let before = instance.phase.now;
    act(&id, instance, now)?;
    let node = Node::default().put("instanceId", id);
    Ok(node.with(state_node("currentState", instance.phase.now)).with(state_node("previousState", before)))
}

fn cannot(id: &str, verb: &str) -> ApiError {
    let why = format!("The instance '{id}' is not in a state from which it can be {verb}.");
    refuse("IncorrectInstanceState", why)
}

pub(super) fn start(cloud: &Cloud, input: &Node) -> Answer {
    all(cloud, input, |id, instance, now| match instance.phase.now {
        "running" | "pending" => Ok(()),
        "stopped" => {
            instance.phase = clock::passing("pending", "running", now);
            instance.launched = now;
            Ok(())
        }
        _ => Err(cannot(id, "started")),
    })
}

pub(super) fn stop(cloud: &Cloud, input: &Node) -> Answer {
    all(cloud, input, |id, instance, now| match instance.phase.now {
        "stopped" | "stopping" => Ok(()),
        "running" => {
            instance.phase = clock::passing("stopping", "stopped", now);
            Ok(())
        }
        _ => Err(cannot(id, "stopped")),
    })
}

pub(super) fn terminate(cloud: &Cloud, input: &Node) -> Answer {
    all(cloud, input, |id, instance, now| match instance.phase.now {
        "terminated" | "shutting-down" => Ok(()),
        _ if instance.protected => {
            let why = format!(
                "The instance '{id}' may not be terminated. Modify its 'disableApiTermination' instance attribute \
                 and try again."
            );
            Err(refuse("OperationNotPermitted", why))
        }
        _ => {
            instance.phase = clock::passing("shutting-down", "terminated", now);
            Ok(())
        }
    })
}

pub(super) fn reboot(cloud: &Cloud, input: &Node) -> Answer {
    alter(cloud, input, |state| {
        for id in named(state, input)? {
            if state.network.instances.get(&id).is_none_or(|i| i.phase.now != "running") {
                return Err(cannot(&id, "rebooted"));
            }
        }
        Ok(done())
    })
}
