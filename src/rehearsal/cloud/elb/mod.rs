//! Elastic Load Balancing v2: balancers, listeners, rules, target groups, targets.

mod actions;
mod attributes;
mod balancers;
mod certificates;
mod conditions;
mod facts;
mod group_settings;
mod groups;
mod limits;
mod listeners;
mod placement;
mod policies;
mod priorities;
mod rules;
mod tags;
mod targets;

use super::super::state::{Action, State};
use super::fresh;
use super::law::Law::{C1, L1, L2, L4, L5, L8};
use super::wire::operation::{Service, query};
use super::wire::protocol::Protocol;
use super::wire::{ApiError, Node, refuse};

pub(super) use balancers::{free_address, new_balancer};
pub(super) use placement::take_addresses;

/// The service.
pub(super) const SERVICE: Service = Service {
    name: "elasticloadbalancing",
    protocol: Protocol::Query("http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/"),
    operations: &[
        query("CreateLoadBalancer", balancers::create, &[L5]),
        query("DescribeLoadBalancers", balancers::describe, &[]),
        query("DeleteLoadBalancer", balancers::delete, &[]),
        query("SetSubnets", placement::set_subnets, &[L5]),
        query("SetSecurityGroups", placement::set_groups, &[]),
        query("SetIpAddressType", placement::set_ip_type, &[]),
        query("DescribeLoadBalancerAttributes", attributes::of_balancer, &[]),
        query("ModifyLoadBalancerAttributes", attributes::modify_balancer, &[]),
        query("CreateListener", listeners::create, &[C1, L2]),
        query("DescribeListeners", listeners::describe, &[]),
        query("ModifyListener", listeners::modify, &[C1, L2]),
        query("DeleteListener", listeners::delete, &[]),
        query("DescribeListenerAttributes", attributes::of_listener, &[]),
        query("AddListenerCertificates", certificates::add, &[C1]),
        query("RemoveListenerCertificates", certificates::remove, &[]),
        query("DescribeListenerCertificates", certificates::describe, &[]),
        query("DescribeSSLPolicies", policies::describe, &[]),
        query("CreateRule", rules::create, &[L2]),
        query("DescribeRules", rules::describe, &[]),
        query("ModifyRule", rules::modify, &[L2]),
        query("DeleteRule", rules::delete, &[]),
        query("SetRulePriorities", priorities::set, &[]),
        query("CreateTargetGroup", groups::create, &[]),
        query("DescribeTargetGroups", groups::describe, &[]),
        query("ModifyTargetGroup", groups::modify, &[]),
        query("DeleteTargetGroup", groups::delete, &[]),
        query("DescribeTargetGroupAttributes", attributes::of_group, &[]),
        query("ModifyTargetGroupAttributes", attributes::modify_group, &[]),
        query("RegisterTargets", targets::register, &[L1, L8]),
        query("DeregisterTargets", targets::deregister, &[L4]),
        query("DescribeTargetHealth", targets::health, &[L4]),
        query("AddTags", tags::add, &[]),
        query("RemoveTags", tags::remove, &[]),
        query("DescribeTags", tags::describe, &[]),
        query("DescribeAccountLimits", limits::describe, &[]),
    ],
};

/// A new ARN below another: a listener's below its balancer's, a rule's below its listener's.
pub(super) fn arn_below(arn: &str, kind: &str) -> String {
    let (above, rest) = arn.split_once('/').unwrap_or((arn, ""));
    let stem = above.rsplit_once(':').map_or(above, |(stem, _)| stem);
    format!("{stem}:{kind}/{rest}/{}", fresh())
}

/// AWS's rule for names of balancers and target groups: 32 letters, digits and hyphens, no hyphen at either end.
fn named(name: &str, what: &str) -> Result<(), ApiError> {
    let refused = |why: &str| Err(refuse("ValidationError", format!("{what} name '{name}' {why}")));
    if name.chars().count() > 32 {
        refused("cannot be longer than '32' characters")
    } else if !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
        refused("can only contain characters that are alphanumeric characters or hyphens(-)")
    } else if name.starts_with('-') || name.ends_with('-') {
        refused("cannot begin or end with '-'")
    } else {
        Ok(())
    }
}

/// A parameter that takes one of a few words.
fn one_of<'a>(input: &'a Node, name: &str, words: &[&str]) -> Result<Option<&'a str>, ApiError> {
    match input.get(name) {
        Some(other) if !words.contains(&other) => {
            let mut at: String = name.into();
            at[..1].make_ascii_lowercase();
            let why = format!(
                "1 validation error detected: Value '{other}' at '{at}' failed to satisfy constraint: Member must \
                 satisfy enum value set: [{}]",
                words.join(", ")
            );
            Err(refuse("ValidationError", why))
        }
        word => Ok(word),
    }
}

fn not_found(code: &'static str, what: &str) -> ApiError {
    refuse(code, format!("One or more {what} not found"))
}

/// The target groups an action forwards to.
fn forwards_to(action: &Action) -> impl Iterator<Item = &str> {
    let groups: &[(String, u16)] = match action {
        Action::Forward { groups, .. } => groups,
        _ => &[],
    };
    groups.iter().map(|(arn, _)| arn.as_str())
}

/// The balancers whose listeners and rules use a target group.
fn users_of<'a>(state: &'a State, group: &'a str) -> impl Iterator<Item = &'a str> {
    state.listeners.values().filter_map(move |listener| {
        let mut actions = std::iter::once(&listener.default_action).chain(listener.rules.values().map(|r| &r.action));
        let used = actions.any(|action| forwards_to(action).any(|arn| arn == group));
        used.then_some(listener.balancer.as_str())
    })
}

/// One page of a listing: `Marker` and `PageSize` in, the items and `NextMarker` out.
fn page(input: &Node, list: &str, items: Vec<Node>) -> Result<Node, ApiError> {
    let size = input.number::<usize>("PageSize")?.unwrap_or(400);
    if !(1..=400).contains(&size) {
        return Err(refuse("ValidationError", format!("Page size '{size}' must be between 1 and 400")));
    }
    let from = input.number::<usize>("Marker")?.unwrap_or(0);
    let next = (from + size < items.len()).then_some(from + size);
    let node = Node::default().list(list, "member", items.into_iter().skip(from).take(size));
    Ok(node.put_some("NextMarker", next))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arns_go_down_from_balancer_to_rule() {
        let listener = arn_below("arn:aws:elasticloadbalancing:r:0:loadbalancer/app/shop/1", "listener");
        assert!(listener.starts_with("arn:aws:elasticloadbalancing:r:0:listener/app/shop/1/"));
        assert!(arn_below(&listener, "listener-rule").contains(":listener-rule/app/shop/1/"));
    }

    #[test]
    fn names_are_ascii_letters_digits_and_inner_hyphens() {
        assert!(named("shop-new", "Target group").is_ok());
        for bad in ["-shop", "shop-", "shop_new", "상점", &"a".repeat(33)] {
            assert!(named(bad, "Target group").is_err(), "{bad}");
        }
    }
}
