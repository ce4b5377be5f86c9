//! Security group rules, one by one: authorized, revoked, described.

use super::super::super::state::{ACCOUNT, Peer, SecurityRule};
use super::cidr::show;
use super::kind::Kind;
use super::{
    Answer, ApiError, Cloud, Node, State, alter, done, groups, need, new_id, permissions, refuse, tags, texts,
};

/// The most rules of a group in one direction (VPC guide: amazon-vpc-limits).
const MOST: usize = 60;

pub(super) const KIND: Kind = Kind {
    name: "security-group-rule",
    id: ("SecurityGroupRuleId", "securityGroupRuleId"),
    set: "securityGroupRuleSet",
    prefix: "sgr-",
    missing: "InvalidSecurityGroupRuleId.NotFound",
    malformed: Some("InvalidSecurityGroupRuleId.Malformed"),
    words: "security group rule ID",
    nodes,
    filters: &[("group-id", "groupId"), ("security-group-rule-id", "securityGroupRuleId")],
};

fn nodes(state: &State) -> Vec<Node> {
    state.network.rules.iter().map(|(id, rule)| node(state, id, rule)).collect()
}

fn node(state: &State, id: &str, rule: &SecurityRule) -> Node {
    let node = Node::default()
        .put("securityGroupRuleId", id)
        .put("groupId", &rule.group)
        .put("groupOwnerId", ACCOUNT)
        .put("isEgress", rule.egress)
        .put("ipProtocol", &rule.protocol)
        .put("fromPort", rule.from)
        .put("toPort", rule.to)
        .put_some("description", rule.description.as_ref());
    match &rule.peer {
        Peer::V4(cidr) => node.put("cidrIpv4", show(*cidr)),
        Peer::V6(cidr) => node.put("cidrIpv6", cidr),
        Peer::Group(group) => {
            let vpc = state.network.groups.get(group).map(|g| &g.vpc);
            let info = Node::new("referencedGroupInfo").put("groupId", group).put("userId", ACCOUNT);
            node.with(info.put_some("vpcId", vpc))
        }
    }
}

pub(super) fn describe(cloud: &Cloud, input: &Node) -> Answer {
    KIND.describe(cloud, input)
}

pub(super) fn authorize_ingress(cloud: &Cloud, input: &Node) -> Answer {
    authorize(cloud, input, false)
}

pub(super) fn authorize_egress(cloud: &Cloud, input: &Node) -> Answer {
    authorize(cloud, input, true)
}

fn alike(a: &SecurityRule, b: &SecurityRule) -> bool {
    let of = |r: &SecurityRule| (r.group.clone(), r.egress, r.protocol.clone(), r.from, r.to, r.peer.clone());
    of(a) == of(b)
}

fn authorize(cloud: &Cloud, input: &Node, egress: bool) -> Answer {
    alter(cloud, input, |state| {
        if egress {
            need(input, "GroupId")?;
        }
        let group = groups::named(state, input)?;
        tags::only(input, &[KIND.name])?;
        let mut made = Vec::new();
        for rule in permissions::read(state, input, &group, egress)? {
            if state.network.rules.values().any(|there| alike(there, &rule)) {
                let why = format!("the specified rule \"{}\" already exists", permissions::in_words(&rule));
                return Err(refuse("InvalidPermission.Duplicate", why));
            }
            let id = new_id("sgr-");
            state.network.rules.insert(id.clone(), rule);
            tags::tag(state, input, KIND.name, &id)?;
            made.push(id);
        }
        let held = state.network.rules.values().filter(|r| r.group == group && r.egress == egress).count();
        if held > MOST {
            let why = "The maximum number of rules per security group has been reached.";
            return Err(refuse("RulesPerSecurityGroupLimitExceeded", why));
        }
        let described = made.iter().map(|id| KIND.one(state, id, "item")).collect::<Vec<_>>();
        Ok(done().list("securityGroupRuleSet", "item", described))
    })
}

pub(super) fn revoke_ingress(cloud: &Cloud, input: &Node) -> Answer {
    revoke(cloud, input, false)
}

pub(super) fn revoke_egress(cloud: &Cloud, input: &Node) -> Answer {
    revoke(cloud, input, true)
}

fn revoke(cloud: &Cloud, input: &Node, egress: bool) -> Answer {
    alter(cloud, input, |state| {
        let group = groups::named(state, input)?;
        let ids = match texts(input, "SecurityGroupRuleId") {
            ids if ids.is_empty() => by_shape(state, input, &group, egress)?,
            ids => by_id(state, ids, &group, egress)?,
        };
        let gone = ids.into_iter().filter_map(|id| {
            state.tags.remove(&id);
            let rule = state.network.rules.remove(&id)?;
            let described = node(state, &id, &rule);
            Some(revoked(described, rule.peer))
        });
        let gone: Vec<_> = gone.collect();
        Ok(done().list("revokedSecurityGroupRuleSet", "item", gone))
    })
}

/// A rule as it is told once it is gone: flatter than while it was there (EC2 API: `RevokedSecurityGroupRule`).
fn revoked(mut described: Node, peer: Peer) -> Node {
    described.children.retain(|c| !["groupOwnerId", "referencedGroupInfo", "tagSet"].contains(&c.name.as_str()));
    match peer {
        Peer::Group(referred) => described.put("referencedGroupId", referred),
        _ => described,
    }
}

fn by_shape(state: &State, input: &Node, group: &str, egress: bool) -> Result<Vec<String>, ApiError> {
    let wanted = permissions::read(state, input, group, egress)?;
    let one = |rule: SecurityRule| {
        let found = state.network.rules.iter().find(|(_, there)| alike(there, &rule));
        found.map(|(id, _)| id.clone()).ok_or_else(|| {
            refuse("InvalidPermission.NotFound", "The specified rule does not exist in this security group.")
        })
    };
    wanted.into_iter().map(one).collect()
}

fn by_id(state: &State, ids: Vec<String>, group: &str, egress: bool) -> Result<Vec<String>, ApiError> {
    for id in &ids {
        let there = state.network.rules.get(id).is_some_and(|r| r.group == group && r.egress == egress);
        if !there {
            return Err(KIND.not_found(id));
        }
    }
    Ok(ids)
}
