//! Network ACLs.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use super::super::super::state::{ACCOUNT, Acl, AclEntry};
use super::cidr::show;
use super::kind::Kind;
use super::{
    Answer, ApiError, Cloud, Node, State, alter, done, made_before, need, new_id, refuse, remember, tags, vpcs,
};

/// The number of the entry that denies what no other lets through.
pub(super) const LAST: u16 = 32_767;

pub(super) const KIND: Kind = Kind {
    name: "network-acl",
    id: ("NetworkAclId", "networkAclId"),
    set: "networkAclSet",
    prefix: "acl-",
    missing: "InvalidNetworkAclID.NotFound",
    malformed: None,
    words: "networkAcl ID",
    nodes,
    filters: &[
        ("network-acl-id", "networkAclId"),
        ("vpc-id", "vpcId"),
        ("default", "default"),
        ("owner-id", "ownerId"),
        ("association.association-id", "associationSet.item.networkAclAssociationId"),
        ("association.network-acl-id", "associationSet.item.networkAclId"),
        ("association.subnet-id", "associationSet.item.subnetId"),
        ("entry.cidr", "entrySet.item.cidrBlock"),
        ("entry.protocol", "entrySet.item.protocol"),
        ("entry.rule-action", "entrySet.item.ruleAction"),
        ("entry.egress", "entrySet.item.egress"),
        ("entry.rule-number", "entrySet.item.ruleNumber"),
    ],
};

fn nodes(state: &State) -> Vec<Node> {
    let one = |(id, acl): (&String, &Acl)| {
        let entries = acl.entries.iter().map(|((egress, number), entry)| {
            let ports = entry.ports.map(|(from, to)| Node::new("portRange").put("from", from).put("to", to));
            let node = Node::default()
                .put("ruleNumber", *number)
                .put("protocol", &entry.protocol)
                .put("ruleAction", if entry.allow { "allow" } else { "deny" })
                .put("egress", *egress)
                .put("cidrBlock", show(entry.cidr));
            ports.into_iter().fold(node, Node::with)
        });
        let associations = acl.associations.iter().map(|(association, subnet)| {
            let node = Node::default().put("networkAclAssociationId", association);
            node.put("networkAclId", id).put("subnetId", subnet)
        });
        Node::default()
            .put("networkAclId", id)
            .put("vpcId", &acl.vpc)
            .put("ownerId", ACCOUNT)
            .put("default", acl.is_default)
            .list("entrySet", "item", entries.collect::<Vec<_>>())
            .list("associationSet", "item", associations.collect::<Vec<_>>())
    };
    state.network.acls.iter().map(one).collect()
}

/// The entries that stand at the end of every ACL.
pub(super) fn denying() -> BTreeMap<(bool, u16), AclEntry> {
    let deny = || AclEntry { protocol: "-1".into(), allow: false, cidr: (Ipv4Addr::UNSPECIFIED, 0), ports: None };
    [((false, LAST), deny()), ((true, LAST), deny())].into()
}

/// Puts a new subnet under its VPC's default ACL.
pub(super) fn adopt(state: &mut State, vpc: &str, subnet: &str) {
    if let Some(acl) = state.network.acls.values_mut().find(|a| a.vpc == vpc && a.is_default) {
        acl.associations.insert(new_id("aclassoc-"), subnet.into());
    }
}

/// An ACL that must be there.
pub(super) fn find<'a>(state: &'a mut State, id: &str) -> Result<&'a mut Acl, ApiError> {
    state.network.acls.get_mut(id).ok_or_else(|| KIND.not_found(id))
}

pub(super) fn create(cloud: &Cloud, input: &Node) -> Answer {
    let vpc = need(input, "VpcId")?;
    alter(cloud, input, |state| {
        vpcs::find(state, vpc)?;
        let id = if let Some(id) = made_before(state, input, KIND.name) {
            id
        } else {
            let id = new_id(KIND.prefix);
            let acl = Acl { vpc: vpc.into(), is_default: false, entries: denying(), associations: BTreeMap::new() };
            state.network.acls.insert(id.clone(), acl);
            tags::at_birth(state, input, &KIND, &id)?;
            remember(state, input, KIND.name, &id);
            id
        };
        Ok(Node::default().with(KIND.one(state, &id, "networkAcl")).put_some("clientToken", input.get("ClientToken")))
    })
}

pub(super) fn describe(cloud: &Cloud, input: &Node) -> Answer {
    KIND.describe(cloud, input)
}

pub(super) fn delete(cloud: &Cloud, input: &Node) -> Answer {
    let id = need(input, "NetworkAclId")?;
    alter(cloud, input, |state| {
        let acl = find(state, id)?;
        if acl.is_default {
            return Err(refuse("InvalidParameterValue", format!("cannot delete default network ACL {id}")));
        }
        if !acl.associations.is_empty() {
            let why = format!("The networkAcl '{id}' has dependencies and cannot be deleted.");
            return Err(refuse("DependencyViolation", why));
        }
        state.network.acls.remove(id);
        state.tags.remove(id);
        Ok(done())
    })
}

/// Moves a subnet from one ACL under another: every subnet is under exactly one.
pub(super) fn associate(cloud: &Cloud, input: &Node) -> Answer {
    let (association, to) = (need(input, "AssociationId")?, need(input, "NetworkAclId")?);
    alter(cloud, input, |state| {
        let vpc = find(state, to)?.vpc.clone();
        let holder = state.network.acls.values_mut().find(|a| a.associations.contains_key(association));
        let holder = holder.ok_or_else(|| {
            let why = format!("The association ID '{association}' does not exist");
            refuse("InvalidAssociationID.NotFound", why)
        })?;
        if holder.vpc != vpc {
            let why = format!("network ACL {to} and the subnet of {association} belong to different networks");
            return Err(refuse("InvalidParameterValue", why));
        }
        let subnet = holder.associations.remove(association).unwrap_or_default();
        let fresh = new_id("aclassoc-");
        find(state, to)?.associations.insert(fresh.clone(), subnet);
        Ok(Node::default().put("newAssociationId", fresh))
    })
}
