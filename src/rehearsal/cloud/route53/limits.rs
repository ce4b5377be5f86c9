//! Quotas, as they are without an increase. Source: Route 53 developer guide, "Quotas".

use super::super::Cloud;
use super::super::wire::operation::Output;
use super::super::wire::{ApiError, Node, refuse};
use super::input::{need, one_of};
use super::{bare, batch, within_rate, zones};

/// Health checks of an account.
pub(super) const MOST_CHECKS: usize = 200;
/// Hosted zones of an account.
pub(super) const MOST_ZONES: usize = 500;

pub(super) fn of_zone(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    within_rate(cloud)?;
    let kind = one_of(need(input, "Type")?, "type", &["MAX_RRSETS_BY_ZONE", "MAX_VPCS_ASSOCIATED_BY_ZONE"])?;
    let state = cloud.shared().lock();
    let zone = zones::zone(&state, bare(need(input, "Id")?))?;
    if kind == "MAX_VPCS_ASSOCIATED_BY_ZONE" {
        return Err(refuse("HostedZoneNotPrivate", "The specified hosted zone is not a private hosted zone"));
    }
    Ok(describe("GetHostedZoneLimitResponse", kind, batch::MOST_SETS, zone.records.len()))
}

pub(super) fn of_account(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    const KINDS: &[&str] = &[
        "MAX_HEALTH_CHECKS_BY_OWNER",
        "MAX_HOSTED_ZONES_BY_OWNER",
        "MAX_TRAFFIC_POLICY_INSTANCES_BY_OWNER",
        "MAX_REUSABLE_DELEGATION_SETS_BY_OWNER",
        "MAX_TRAFFIC_POLICIES_BY_OWNER",
    ];
    within_rate(cloud)?;
    let kind = one_of(need(input, "Type")?, "type", KINDS)?;
    let state = cloud.shared().lock();
    let (most, count) = match kind {
        "MAX_HEALTH_CHECKS_BY_OWNER" => (MOST_CHECKS, state.checkups.len()),
        "MAX_HOSTED_ZONES_BY_OWNER" => (MOST_ZONES, state.zones.len()),
        "MAX_TRAFFIC_POLICY_INSTANCES_BY_OWNER" => (5, 0),
        "MAX_REUSABLE_DELEGATION_SETS_BY_OWNER" => (100, 0),
        _ => (50, 0),
    };
    Ok(describe("GetAccountLimitResponse", kind, most, count))
}

fn describe(root: &str, kind: &str, most: usize, count: usize) -> Output {
    let limit = Node::new("Limit").put("Type", kind).put("Value", most);
    Node::new(root).with(limit).put("Count", count).into()
}
