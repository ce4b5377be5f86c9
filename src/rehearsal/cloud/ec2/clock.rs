//! What happens by itself as time goes on.

use std::time::{Duration, SystemTime};

use super::super::super::state::{Phase, State};

/// How long an instance or a NAT gateway stays in a state that passes.
const PASSING: Duration = Duration::from_secs(5);
/// How long what is gone can still be described (EC2 guide: terminating-instances; VPC guide: nat gateways).
const REMEMBERED: Duration = Duration::from_hours(1);

/// A state that becomes another in a moment.
pub(super) fn passing(now: &'static str, then: &'static str, at: SystemTime) -> Phase {
    Phase { now, then: Some((then, at + PASSING)) }
}

/// Brings the states of instances and NAT gateways up to a moment, and gives back what those held that are gone.
pub(in super::super) fn settle(state: &mut State, now: SystemTime) {
    let network = &mut state.network;
    let phases = network.instances.values_mut().map(|i| &mut i.phase);
    for phase in phases.chain(network.nat_gateways.values_mut().map(|n| &mut n.phase)) {
        if let Some((then, at)) = phase.then.filter(|(_, at)| *at <= now) {
            // Kept for an hour after: then the state is the empty one, and it is forgotten.
            let gone = matches!(then, "terminated" | "deleted" | "failed");
            *phase = Phase { now: then, then: gone.then(|| ("", at + REMEMBERED)) };
        }
    }
    let gone = |phase: &Phase| matches!(phase.now, "terminated" | "deleted" | "failed" | "");
    let instances = network.instances.values().filter(|i| gone(&i.phase)).map(|i| i.interface.clone());
    let gateways = network.nat_gateways.values().filter(|n| gone(&n.phase)).map(|n| n.interface.clone());
    let interfaces: Vec<String> = instances.chain(gateways).collect();
    for interface in interfaces {
        super::interfaces::drop_one(state, &interface);
    }
    let network = &mut state.network;
    let tags = &mut state.tags;
    network.instances.retain(|id, instance| keep(tags, id, &instance.phase));
    network.nat_gateways.retain(|id, gateway| keep(tags, id, &gateway.phase));
}

type Tags = std::collections::BTreeMap<String, std::collections::BTreeMap<String, String>>;

fn keep(tags: &mut Tags, id: &str, phase: &Phase) -> bool {
    if phase.now.is_empty() {
        tags.remove(id);
    }
    !phase.now.is_empty()
}
