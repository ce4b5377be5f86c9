//! Regions and Availability Zones.
//! Source: AWS global infrastructure, "AWS Regions" and "AZ IDs".

use super::{Answer, Cloud, Node, filter, invalid, page, refuse, texts, view};

/// The regions that are enabled in every account.
const REGIONS: [&str; 17] = [
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ca-central-1",
    "eu-central-1",
    "eu-north-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
];

/// The letters of a region's zones.
pub(super) fn letters(region: &str) -> &'static str {
    match region {
        "us-east-1" => "abcdef",
        "ap-northeast-2" | "us-west-2" => "abcd",
        _ => "abc",
    }
}

/// The names of a region's zones.
pub(super) fn names(region: &str) -> Vec<String> {
    letters(region).chars().map(|letter| format!("{region}{letter}")).collect()
}

/// The region a zone lies in.
pub(super) fn region_of(zone: &str) -> &str {
    zone.trim_end_matches(|c: char| c.is_ascii_lowercase())
}

/// A zone's id, such as `apne2-az1`. On AWS the letters are dealt out anew in each account; here `a` is 1.
pub(super) fn zone_id(zone: &str) -> String {
    let region = region_of(zone);
    let number = zone.bytes().last().map_or(1, |letter| u32::from(letter.saturating_sub(b'a')) + 1);
    let mut parts = region.split('-');
    let (area, side, n) = (parts.next(), parts.next(), parts.next());
    let side: String = match side.unwrap_or_default() {
        "northeast" => "ne".into(),
        "northwest" => "nw".into(),
        "southeast" => "se".into(),
        "southwest" => "sw".into(),
        one => one.chars().take(1).collect(),
    };
    format!("{}{side}{}-az{number}", area.unwrap_or_default(), n.unwrap_or_default())
}

const OF_ZONES: &[(&str, &str)] = &[
    ("zone-name", "zoneName"),
    ("zone-id", "zoneId"),
    ("zone-type", "zoneType"),
    ("region-name", "regionName"),
    ("state", "zoneState"),
    ("group-name", "groupName"),
    ("opt-in-status", "optInStatus"),
];

pub(super) fn zones(cloud: &Cloud, input: &Node) -> Answer {
    let region = cloud.region();
    let one = |name: String| {
        Node::default()
            .put("zoneName", &name)
            .put("zoneId", zone_id(&name))
            .put("zoneState", "available")
            .put("zoneType", "availability-zone")
            .put("regionName", region)
            .put("groupName", format!("{region}-zg-1"))
            .put("networkBorderGroup", region)
            .put("optInStatus", "opt-in-not-required")
            .list("messageSet", "item", [])
    };
    let mut all: Vec<_> = names(region).into_iter().map(one).collect();
    for (parameter, element) in [("ZoneName", "zoneName"), ("ZoneId", "zoneId")] {
        let wanted = texts(input, parameter);
        let known = |zone: &String| all.iter().any(|node| node.get(element) == Some(zone));
        if let Some(unknown) = wanted.iter().find(|zone| !known(zone)) {
            return Err(invalid(element, unknown, "Unknown Availability Zone."));
        }
        all.retain(|node| wanted.is_empty() || node.get(element).is_some_and(|z| wanted.iter().any(|w| w == z)));
    }
    view(cloud, input, |_| {
        Ok(page::of(input, "availabilityZoneInfo", filter::keep(OF_ZONES, input, all)?, true)?.into())
    })
}

const OF_REGIONS: &[(&str, &str)] =
    &[("region-name", "regionName"), ("endpoint", "regionEndpoint"), ("opt-in-status", "optInStatus")];

pub(super) fn regions(cloud: &Cloud, input: &Node) -> Answer {
    let wanted = texts(input, "RegionName");
    if let Some(unknown) = wanted.iter().find(|region| !REGIONS.contains(&region.as_str())) {
        return Err(refuse("InvalidParameterValue", format!("Invalid region provided: [{unknown}]")));
    }
    let own = cloud.settings().region.as_str();
    let others = REGIONS.iter().copied().filter(|region| *region != own);
    let all =
        std::iter::once(own).chain(others).filter(|region| wanted.is_empty() || wanted.iter().any(|w| w == region));
    let all = all.map(|region| {
        let node = Node::default().put("regionName", region);
        node.put("regionEndpoint", format!("ec2.{region}.amazonaws.com")).put("optInStatus", "opt-in-not-required")
    });
    let all = all.collect();
    view(cloud, input, |_| Ok(page::of(input, "regionInfo", filter::keep(OF_REGIONS, input, all)?, true)?.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zone_ids_are_made_of_the_regions_parts() {
        for (zone, id) in [("ap-northeast-2a", "apne2-az1"), ("us-east-1f", "use1-az6"), ("eu-central-1b", "euc1-az2")]
        {
            assert_eq!(zone_id(zone), id);
        }
        assert_eq!(region_of("ap-northeast-2c"), "ap-northeast-2");
    }
}
