//! `DescribeAccountLimits`: what one account may have in a region.
//! Source: ELB guide, "Quotas for your Application Load Balancers".

use super::super::Cloud;
use super::super::wire::operation::Output;
use super::super::wire::{ApiError, Node};
use super::page;

const LIMITS: [(&str, u32); 13] = [
    ("application-load-balancers", 50),
    ("target-groups", 3000),
    ("target-groups-per-application-load-balancer", 100),
    ("target-groups-per-action-on-application-load-balancer", 5),
    ("targets-per-application-load-balancer", 1000),
    ("targets-per-target-group", 1000),
    ("targets-per-availability-zone-per-network-load-balancer", 500),
    ("listeners-per-application-load-balancer", 50),
    ("rules-per-application-load-balancer", 100),
    ("certificates-per-application-load-balancer", 25),
    ("condition-values-per-alb-rule", 5),
    ("condition-wildcards-per-alb-rule", 6),
    ("application-load-balancer-capacity-units", 1500),
];

pub(super) fn describe(_: &Cloud, input: &Node) -> Result<Output, ApiError> {
    let limits = LIMITS.iter().map(|(name, most)| Node::default().put("Name", name).put("Max", most.to_string()));
    Ok(page(input, "Limits", limits.collect())?.into())
}
