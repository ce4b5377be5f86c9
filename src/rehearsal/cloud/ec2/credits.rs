//! `DescribeInstanceCreditSpecifications`: a burstable instance runs on CPU credits (law M2), unlimited unless it is
//! told otherwise. Source: EC2 guide, burstable-performance-instances.

use super::super::wire::{Node, refuse};
use super::{Answer, Cloud, texts, view};

/// The families that run on credits; the rehearsal's images start no T2, whose default is another.
const BURSTABLE: [&str; 3] = ["t3.", "t3a.", "t4g."];

pub(super) fn describe(cloud: &Cloud, input: &Node) -> Answer {
    let asked = texts(input, "InstanceId");
    view(cloud, input, |state| {
        if let Some(gone) = asked.iter().find(|id| !state.network.instances.contains_key(*id)) {
            let why = format!("The instance ID '{gone}' does not exist");
            return Err(refuse("InvalidInstanceID.NotFound", why));
        }
        let of = |id: &String| asked.is_empty() || asked.contains(id);
        let burstable = state.network.instances.iter().filter(|(id, i)| {
            of(id) && i.phase.now != "terminated" && BURSTABLE.iter().any(|family| i.class.starts_with(family))
        });
        let told = burstable.map(|(id, _)| Node::default().put("instanceId", id).put("cpuCredits", "unlimited"));
        Ok(Node::default().list("instanceCreditSpecificationSet", "item", told.collect::<Vec<_>>()).into())
    })
}
