//! `ListMetrics`.

use std::time::Duration;

use super::super::super::metrics::Id;
use super::super::Cloud;
use super::super::wire::operation::Output;
use super::super::wire::{ApiError, Node};
use super::asked::{invalid, namespace, text};

/// The most metrics of one answer.
const PAGE: usize = 500;
/// What `RecentlyActive` means.
const RECENT: Duration = Duration::from_hours(3);

pub(super) fn list(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    let space = input.child("Namespace").map(|_| namespace(input, "")).transpose()?;
    let name = input.child("MetricName").map(|_| text(input, "MetricName", "", 255)).transpose()?;
    let mut dimensions = Vec::new();
    for (n, filter) in input.items("Dimensions").enumerate() {
        dimensions.push((text(filter, "Name", &format!("Dimensions.member.{}.", n + 1), 255)?, filter.get("Value")));
    }
    if dimensions.len() > 10 {
        return Err(invalid("The collection Dimensions must not have a size greater than 10."));
    }
    let recent = match input.get("RecentlyActive") {
        None => false,
        Some("PT3H") => true,
        Some(other) => return Err(invalid(format!("The value {other} for parameter RecentlyActive is invalid."))),
    };
    let from = match input.get("NextToken") {
        Some(token) => token.parse().map_err(|_| invalid("The NextToken is invalid."))?,
        None => 0_usize,
    };
    let (metrics, now) = (&cloud.shared().metrics, cloud.shared().clock.now());
    let fits = |id: &Id| {
        space.is_none_or(|space| id.namespace == space)
            && name.is_none_or(|name| id.metric == name)
            && dimensions.iter().all(|(name, value)| {
                id.dimensions.get(*name).is_some_and(|held| value.is_none_or(|value| value == held))
            })
            && (!recent || !metrics.series(&id.namespace, &id.metric, &id.dimensions, now - RECENT, now).is_empty())
    };
    let found: Vec<_> = metrics.list().into_iter().filter(fits).collect();
    let next = (from + PAGE < found.len()).then(|| (from + PAGE).to_string());
    let page = found.iter().skip(from).take(PAGE).map(node);
    Ok(Node::default().list("Metrics", "member", page).put_some("NextToken", next).into())
}

fn node(id: &Id) -> Node {
    let dimensions = id.dimensions.iter().map(|(name, value)| Node::default().put("Name", name).put("Value", value));
    Node::default().put("Namespace", &id.namespace).put("MetricName", &id.metric).list(
        "Dimensions",
        "member",
        dimensions,
    )
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Rig, refused};
    use super::*;

    #[test]
    fn metrics_are_found_by_namespace_name_and_dimensions() {
        let rig = Rig::new();
        rig.count("RequestCount", 1, 1);
        rig.count("NewConnectionCount", 300, 1);
        let count = |input: &Node| rig.call("ListMetrics", input).unwrap().items("Metrics").count();
        let dimension = |name: &str, value: Option<&str>| {
            let filter = Node::default().put("Name", name).put_some("Value", value);
            Node::default().list("Dimensions", "member", [filter])
        };
        assert_eq!(count(&Node::default()), 2);
        assert_eq!(count(&Node::default().put("RecentlyActive", "PT3H")), 1);
        assert_eq!(count(&Node::default().put("Namespace", "AWS/ApplicationELB").put("MetricName", "RequestCount")), 1);
        assert_eq!(count(&Node::default().put("Namespace", "Shop")), 0);
        assert_eq!(count(&dimension("LoadBalancer", None)), 2);
        assert_eq!(count(&dimension("LoadBalancer", Some("app/other/1"))), 0);
        assert_eq!(count(&dimension("TargetGroup", None)), 0);
        refused(rig.call("ListMetrics", &Node::default().put("NextToken", "x")), "InvalidParameterValue");
        refused(rig.call("ListMetrics", &Node::default().put("RecentlyActive", "PT1H")), "InvalidParameterValue");
    }
}
