//! Security group rules, out of and onto the wire.

use std::collections::BTreeMap;

use super::super::super::state::{ACCOUNT, Peer, SecurityRule};
use super::cidr::{self, show};
use super::{ApiError, Node, State, beyond, groups, invalid, missing, refuse};

/// Reads the rules a request names, one for each peer of each permission.
pub(super) fn read(state: &State, input: &Node, group: &str, egress: bool) -> Result<Vec<SecurityRule>, ApiError> {
    let mut rules = Vec::new();
    for permission in input.all("IpPermissions") {
        let shape = shape(permission)?;
        for (peer, description) in peers(state, permission, group)? {
            rules.push(rule(group, egress, &shape, peer, description));
        }
    }
    // The short form of one rule: the same members at the top.
    if rules.is_empty() && input.get("CidrIp").is_some() {
        let peer = Peer::V4(range(input.get("CidrIp").unwrap_or_default())?);
        rules.push(rule(group, egress, &shape(input)?, peer, None));
    }
    if rules.is_empty() {
        return Err(missing("ipPermissions"));
    }
    Ok(rules)
}

type Shape = (String, i32, i32);

fn rule(group: &str, egress: bool, shape: &Shape, peer: Peer, description: Option<String>) -> SecurityRule {
    let (protocol, from, to) = shape.clone();
    SecurityRule { group: group.into(), egress, protocol, from, to, peer, description }
}

/// Protocol and ports of a permission.
fn shape(permission: &Node) -> Result<Shape, ApiError> {
    let protocol = match permission.get("IpProtocol").ok_or_else(|| missing("ipProtocol"))? {
        "6" => "tcp".to_owned(),
        "17" => "udp".to_owned(),
        "1" => "icmp".to_owned(),
        "58" => "icmpv6".to_owned(),
        "all" => "-1".to_owned(),
        name => name.to_ascii_lowercase(),
    };
    let number = |name: &str| {
        let wrong = |text: &str| invalid(name, text, "It is no number.");
        permission.get(name).map(|text| text.parse::<i32>().map_err(|_| wrong(text))).transpose()
    };
    let (from, to) = (number("FromPort")?, number("ToPort")?);
    match protocol.as_str() {
        "tcp" | "udp" => {
            let (Some(from), Some(to)) = (from, to) else {
                let why = "Invalid value 'Must specify both from and to ports with TCP/UDP.' for portRange.";
                return Err(refuse("InvalidParameterValue", why));
            };
            let upper = protocol.to_ascii_uppercase();
            if (from, to) == (-1, -1) {
                return Ok((protocol, 0, 65_535));
            }
            if !(0..=65_535).contains(&from) || !(0..=65_535).contains(&to) || from > to {
                let why = format!("Invalid {upper} port range ({from}, {to})");
                return Err(refuse("InvalidParameterValue", why));
            }
            Ok((protocol, from, to))
        }
        "icmp" | "icmpv6" => Ok((protocol, from.unwrap_or(-1), to.unwrap_or(-1))),
        _ => {
            if let Ok(-1..=255) = protocol.parse::<i32>() {
                Ok((protocol, -1, -1))
            } else {
                let why = format!("Invalid value '{protocol}' for IP protocol. Unknown protocol.");
                Err(refuse("InvalidParameterValue", why))
            }
        }
    }
}

fn range(text: &str) -> Result<super::super::super::state::Cidr, ApiError> {
    cidr::parse(text).ok_or_else(|| refuse("InvalidParameterValue", format!("CIDR block {text} is malformed")))
}

fn peers(state: &State, permission: &Node, own: &str) -> Result<Vec<(Peer, Option<String>)>, ApiError> {
    let mut peers = Vec::new();
    let told = |node: &Node| node.get("Description").map(str::to_owned);
    for one in permission.all("IpRanges") {
        peers.push((Peer::V4(range(one.get("CidrIp").unwrap_or_default())?), told(one)));
    }
    for one in permission.all("Ipv6Ranges") {
        let text = one.get("CidrIpv6").unwrap_or_default();
        let parts = text.split_once('/').map(|(ip, n)| (ip.parse::<std::net::Ipv6Addr>(), n.parse::<u8>()));
        if !matches!(parts, Some((Ok(_), Ok(0..=128)))) {
            return Err(refuse("InvalidParameterValue", format!("CIDR block {text} is malformed")));
        }
        peers.push((Peer::V6(text.into()), told(one)));
    }
    if permission.all("PrefixListIds").next().is_some() {
        return Err(beyond("prefix lists"));
    }
    for one in permission.all("Groups") {
        let vpc = &groups::find(state, own)?.vpc;
        let id = match (one.get("GroupId"), one.get("GroupName")) {
            (Some(id), _) => id.to_owned(),
            (None, Some(name)) => {
                let found = state.network.groups.iter().find(|(_, g)| g.vpc == *vpc && g.name == name);
                let why = format!("The security group '{name}' does not exist");
                found.map(|(id, _)| id.clone()).ok_or_else(|| refuse("InvalidGroup.NotFound", why))?
            }
            (None, None) => return Err(missing("groupId")),
        };
        if groups::find(state, &id)?.vpc != *vpc {
            let why = format!("You have specified two resources that belong to different networks: {own}, {id}.");
            return Err(refuse("InvalidGroup.NotFound", why));
        }
        peers.push((Peer::Group(id), told(one)));
    }
    Ok(peers)
}

/// Rules as `DescribeSecurityGroups` has them: those of one protocol and one range of ports together.
pub(super) fn nodes<'a>(rules: impl Iterator<Item = &'a SecurityRule>) -> Vec<Node> {
    let mut by_shape: BTreeMap<(&str, i32, i32), Vec<&SecurityRule>> = BTreeMap::new();
    for rule in rules {
        by_shape.entry((&rule.protocol, rule.from, rule.to)).or_default().push(rule);
    }
    let one = |((protocol, from, to), rules): ((&str, i32, i32), Vec<&SecurityRule>)| {
        let of = |pick: fn(&Peer) -> Option<Node>| {
            let peers =
                rules.iter().filter_map(|r| Some(pick(&r.peer)?.put_some("description", r.description.as_ref())));
            peers.collect::<Vec<_>>()
        };
        let node = Node::default().put("ipProtocol", protocol);
        let node = if protocol == "-1" { node } else { node.put("fromPort", from).put("toPort", to) };
        node.list(
            "groups",
            "item",
            of(|peer| match peer {
                Peer::Group(id) => Some(Node::default().put("userId", ACCOUNT).put("groupId", id)),
                _ => None,
            }),
        )
        .list(
            "ipRanges",
            "item",
            of(|peer| match peer {
                Peer::V4(cidr) => Some(Node::default().put("cidrIp", show(*cidr))),
                _ => None,
            }),
        )
        .list(
            "ipv6Ranges",
            "item",
            of(|peer| match peer {
                Peer::V6(cidr) => Some(Node::default().put("cidrIpv6", cidr)),
                _ => None,
            }),
        )
        .list("prefixListIds", "item", [])
    };
    by_shape.into_iter().map(one).collect()
}

/// A rule in the words of a refusal.
pub(super) fn in_words(rule: &SecurityRule) -> String {
    let peer = match &rule.peer {
        Peer::V4(cidr) => show(*cidr),
        Peer::V6(cidr) => cidr.clone(),
        Peer::Group(id) => id.clone(),
    };
    match rule.protocol.as_str() {
        "-1" => format!("peer: {peer}, ALL, ALLOW"),
        name => {
            let (name, from, to) = (name.to_ascii_uppercase(), rule.from, rule.to);
            format!("peer: {peer}, {name}, from port: {from}, to port: {to}, ALLOW")
        }
    }
}
