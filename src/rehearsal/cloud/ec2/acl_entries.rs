//! Entries of network ACLs.

use super::super::super::state::AclEntry;
use super::acls::{LAST, find};
use super::{Answer, ApiError, Cloud, Node, alter, beyond, cidr, done, invalid, missing, need, refuse};

/// Direction (outbound is true) and number of an entry.
fn place(input: &Node) -> Result<(bool, u16), ApiError> {
    let egress = input.flag("Egress")?.ok_or_else(|| missing("Egress"))?;
    let text = need(input, "RuleNumber")?;
    let number = text.parse().ok().filter(|n| (1..LAST).contains(n));
    let number = number.ok_or_else(|| invalid("ruleNumber", text, "Must be between 1 and 32766."))?;
    Ok((egress, number))
}

fn entry(input: &Node) -> Result<AclEntry, ApiError> {
    let protocol = match need(input, "Protocol")? {
        "tcp" => "6",
        "udp" => "17",
        "icmp" => "1",
        "all" => "-1",
        other => other,
    };
    if !protocol.parse::<i16>().is_ok_and(|n| (-1..=255).contains(&n)) {
        return Err(invalid("protocol", protocol, "Unknown protocol."));
    }
    let allow = match need(input, "RuleAction")? {
        "allow" => true,
        "deny" => false,
        other => return Err(invalid("ruleAction", other, "Must be allow or deny.")),
    };
    if input.get("Ipv6CidrBlock").is_some() {
        return Err(beyond("IPv6 entries of network ACLs"));
    }
    let cidr = cidr::read(need(input, "CidrBlock")?, "cidrBlock")?;
    let ports = match (protocol, input.child("PortRange")) {
        ("6" | "17", Some(range)) => {
            let number = |name: &str| need(range, name)?.parse::<u16>().map_err(|_| invalid(name, "", "No port."));
            let (from, to) = (number("From")?, number("To")?);
            if from > to {
                return Err(invalid("portRange", &format!("{from}-{to}"), "It ends before it begins."));
            }
            Some((from, to))
        }
        ("6" | "17", None) => return Err(missing("portRange")),
        _ => None,
    };
    Ok(AclEntry { protocol: protocol.into(), allow, cidr, ports })
}

pub(super) fn create(cloud: &Cloud, input: &Node) -> Answer {
    let (id, place, entry) = (need(input, "NetworkAclId")?, place(input)?, entry(input)?);
    alter(cloud, input, |state| {
        let entries = &mut find(state, id)?.entries;
        if entries.contains_key(&place) {
            let why = format!("The network acl entry identified by {} already exists.", place.1);
            return Err(refuse("NetworkAclEntryAlreadyExists", why));
        }
        // Twenty in each direction, and the last that denies (VPC guide: amazon-vpc-limits).
        if entries.keys().filter(|(egress, _)| *egress == place.0).count() > 20 {
            let why = "The maximum number of network ACL entries has been reached.";
            return Err(refuse("NetworkAclEntryLimitExceeded", why));
        }
        entries.insert(place, entry);
        Ok(done())
    })
}

fn not_there(number: u16) -> ApiError {
    let why = format!("The network acl entry identified by {number} does not exist.");
    refuse("InvalidNetworkAclEntry.NotFound", why)
}

pub(super) fn replace(cloud: &Cloud, input: &Node) -> Answer {
    let (id, place, entry) = (need(input, "NetworkAclId")?, place(input)?, entry(input)?);
    alter(cloud, input, |state| {
        let held = find(state, id)?.entries.get_mut(&place);
        *held.ok_or_else(|| not_there(place.1))? = entry;
        Ok(done())
    })
}

pub(super) fn delete(cloud: &Cloud, input: &Node) -> Answer {
    let (id, place) = (need(input, "NetworkAclId")?, place(input)?);
    alter(cloud, input, |state| {
        let gone = find(state, id)?.entries.remove(&place);
        gone.map(|_| done()).ok_or_else(|| not_there(place.1))
    })
}
