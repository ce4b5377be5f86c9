//! Security groups.

use std::net::Ipv4Addr;

use super::super::super::state::{ACCOUNT, Peer, SecurityGroup, SecurityRule};
use super::kind::Kind;
use super::{
    Answer, ApiError, Cloud, Node, State, alter, arn, invalid, need, new_id, page, permissions, refuse, tags, texts,
    view, vpcs,
};

/// The name of the group every VPC has.
pub(super) const DEFAULT: &str = "default";

pub(super) const KIND: Kind = Kind {
    name: "security-group",
    id: ("GroupId", "groupId"),
    set: "securityGroupInfo",
    prefix: "sg-",
    missing: "InvalidGroup.NotFound",
    malformed: Some("InvalidGroupId.Malformed"),
    words: "security group",
    nodes,
    filters: &[
        ("group-id", "groupId"),
        ("group-name", "groupName"),
        ("vpc-id", "vpcId"),
        ("description", "groupDescription"),
        ("owner-id", "ownerId"),
        ("ip-permission.cidr", "ipPermissions.item.ipRanges.item.cidrIp"),
        ("ip-permission.from-port", "ipPermissions.item.fromPort"),
        ("ip-permission.to-port", "ipPermissions.item.toPort"),
        ("ip-permission.protocol", "ipPermissions.item.ipProtocol"),
        ("ip-permission.group-id", "ipPermissions.item.groups.item.groupId"),
        ("egress.ip-permission.cidr", "ipPermissionsEgress.item.ipRanges.item.cidrIp"),
        ("egress.ip-permission.from-port", "ipPermissionsEgress.item.fromPort"),
        ("egress.ip-permission.to-port", "ipPermissionsEgress.item.toPort"),
        ("egress.ip-permission.protocol", "ipPermissionsEgress.item.ipProtocol"),
        ("egress.ip-permission.group-id", "ipPermissionsEgress.item.groups.item.groupId"),
    ],
};

fn nodes(state: &State) -> Vec<Node> {
    let one = |(id, group): (&String, &SecurityGroup)| {
        let of = |egress: bool| {
            let rules = state.network.rules.values().filter(|r| r.group == *id && r.egress == egress);
            permissions::nodes(rules)
        };
        Node::default()
            .put("groupId", id)
            .put("securityGroupArn", arn(&region(state, &group.vpc), "security-group", id))
            .put("groupName", &group.name)
            .put("groupDescription", &group.description)
            .put("vpcId", &group.vpc)
            .put("ownerId", ACCOUNT)
            .list("ipPermissions", "item", of(false))
            .list("ipPermissionsEgress", "item", of(true))
    };
    state.network.groups.iter().map(one).collect()
}

/// The region a VPC lies in, as its subnets tell; an empty one does not tell.
fn region(state: &State, vpc: &str) -> String {
    let subnet = state.subnets.values().find(|s| s.vpc == vpc);
    subnet.map(|s| super::places::region_of(&s.zone).to_owned()).unwrap_or_default()
}

/// A group that must be there.
pub(super) fn find<'a>(state: &'a State, id: &str) -> Result<&'a SecurityGroup, ApiError> {
    state.network.groups.get(id).ok_or_else(|| KIND.not_found(id))
}

/// Enters a group, which lets everything out as every new one does; gives its id.
pub(super) fn enter(state: &mut State, group: SecurityGroup) -> String {
    let id = new_id("sg-");
    state.network.groups.insert(id.clone(), group);
    let everybody = Peer::V4((Ipv4Addr::UNSPECIFIED, 0));
    state.network.rules.insert(new_id("sgr-"), all_traffic(&id, true, everybody));
    id
}

/// Lets a group's members reach each other, as a default group does.
pub(super) fn let_in(state: &mut State, id: &str) {
    state.network.rules.insert(new_id("sgr-"), all_traffic(id, false, Peer::Group(id.into())));
}

fn all_traffic(group: &str, egress: bool, peer: Peer) -> SecurityRule {
    SecurityRule { group: group.into(), egress, protocol: "-1".into(), from: -1, to: -1, peer, description: None }
}

/// The default group of a VPC.
pub(in super::super) fn default_of<'a>(state: &'a State, vpc: &str) -> Option<&'a String> {
    state.network.groups.iter().find(|(_, g)| g.vpc == vpc && g.name == DEFAULT).map(|(id, _)| id)
}

/// What names and descriptions may hold (EC2 API: `CreateSecurityGroup`).
fn plain(text: &str) -> bool {
    text.chars().count() <= 255
        && text.chars().all(|c| c.is_ascii_alphanumeric() || " ._-:/()#,@[]+=&;{}!$*".contains(c))
}

pub(super) fn create(cloud: &Cloud, input: &Node) -> Answer {
    let (name, description) = (need(input, "GroupName")?, need(input, "GroupDescription")?);
    if !plain(name) {
        return Err(invalid("groupName", name, "Character sets beyond ASCII are not supported."));
    }
    if name.starts_with("sg-") {
        return Err(invalid("groupName", name, "Group names may not be in the format sg-*"));
    }
    if name == DEFAULT {
        let why = format!("Cannot use reserved security group name: {name}");
        return Err(refuse("InvalidParameterValue", why));
    }
    if !plain(description) {
        let why = format!(
            "Value ({description}) for parameter GroupDescription is invalid. Character sets beyond ASCII are not supported."
        );
        return Err(refuse("InvalidParameterValue", why));
    }
    alter(cloud, input, |state| {
        let vpc = match input.get("VpcId") {
            Some(id) => vpcs::find(state, id).map(|_| id.to_owned())?,
            None => default_vpc(state)?,
        };
        if state.network.groups.values().any(|g| g.vpc == vpc && g.name == name) {
            let why = format!("The security group '{name}' already exists for VPC '{vpc}'");
            return Err(refuse("InvalidGroup.Duplicate", why));
        }
        let id = enter(state, SecurityGroup { name: name.into(), description: description.into(), vpc });
        tags::at_birth(state, input, &KIND, &id)?;
        let made = KIND.one(state, &id, "");
        let arn = made.get("securityGroupArn").unwrap_or_default();
        let answer = super::done().put("groupId", &id).put("securityGroupArn", arn);
        Ok(match made.child("tagSet") {
            Some(tags) => answer.with(tags.clone()),
            None => answer,
        })
    })
}

/// The default VPC, where a call names none.
pub(super) fn default_vpc(state: &State) -> Result<String, ApiError> {
    let found = vpcs::default(state).cloned();
    found.ok_or_else(|| refuse("VPCIdNotSpecified", "No default VPC for this user"))
}

pub(super) fn describe(cloud: &Cloud, input: &Node) -> Answer {
    let names = texts(input, "GroupName");
    view(cloud, input, |state| {
        let mut found = KIND.select(state, input)?;
        if !names.is_empty() {
            // Names find groups of the default VPC only (EC2 API: DescribeSecurityGroups).
            let vpc = vpcs::default(state).map_or("", String::as_str);
            let has =
                |name: &String| found.iter().any(|n| n.get("groupName") == Some(name) && n.get("vpcId") == Some(vpc));
            if let Some(unknown) = names.iter().find(|name| !has(name)) {
                let why = format!("The security group '{unknown}' does not exist in default VPC '{vpc}'");
                return Err(refuse("InvalidGroup.NotFound", why));
            }
            found.retain(|n| n.get("vpcId") == Some(vpc) && names.iter().any(|name| n.get("groupName") == Some(name)));
        }
        let by_id = input.all("GroupId").next().is_some();
        Ok(page::of(input, KIND.set, found, by_id)?.into())
    })
}

/// The group a call names by id, or by name in the default VPC.
pub(super) fn named(state: &State, input: &Node) -> Result<String, ApiError> {
    match (input.get("GroupId"), input.get("GroupName")) {
        (Some(id), _) => find(state, id).map(|_| id.to_owned()),
        (None, Some(name)) => {
            let vpc = default_vpc(state)?;
            let found = state.network.groups.iter().find(|(_, g)| g.vpc == vpc && g.name == name);
            let why = format!("The security group '{name}' does not exist in default VPC '{vpc}'");
            found.map(|(id, _)| id.clone()).ok_or_else(|| refuse("InvalidGroup.NotFound", why))
        }
        (None, None) => Err(refuse("MissingParameter", "The request must contain the parameter groupName or groupId")),
    }
}

pub(super) fn delete(cloud: &Cloud, input: &Node) -> Answer {
    alter(cloud, input, |state| {
        let id = named(state, input)?;
        let group = find(state, &id)?;
        if group.name == DEFAULT {
            let why = format!("the specified group: \"{id}\" name: \"{DEFAULT}\" cannot be deleted by a user");
            return Err(refuse("CannotDelete", why));
        }
        let network = &state.network;
        let referred = network.rules.values().any(|r| r.group != id && r.peer == Peer::Group(id.clone()));
        if referred || network.interfaces.values().any(|i| i.groups.contains(&id)) {
            return Err(refuse("DependencyViolation", format!("resource {id} has a dependent object")));
        }
        state.network.groups.remove(&id);
        state.network.rules.retain(|_, rule| rule.group != id);
        state.tags.remove(&id);
        Ok(super::done().put("groupId", id))
    })
}
