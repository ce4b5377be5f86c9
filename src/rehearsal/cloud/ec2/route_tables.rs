//! Route tables, and the subnets they are for.

use std::collections::BTreeMap;

use super::super::super::state::{ACCOUNT, RouteTable};
use super::cidr::show;
use super::kind::Kind;
use super::{
    Answer, ApiError, Cloud, Node, State, alter, beyond, done, made_before, need, new_id, refuse, remember, routes,
    subnets, tags, vpcs,
};

pub(super) const KIND: Kind = Kind {
    name: "route-table",
    id: ("RouteTableId", "routeTableId"),
    set: "routeTableSet",
    prefix: "rtb-",
    missing: "InvalidRouteTableID.NotFound",
    malformed: None,
    words: "routeTable ID",
    nodes,
    filters: &[
        ("route-table-id", "routeTableId"),
        ("vpc-id", "vpcId"),
        ("owner-id", "ownerId"),
        ("association.route-table-association-id", "associationSet.item.routeTableAssociationId"),
        ("association.route-table-id", "associationSet.item.routeTableId"),
        ("association.subnet-id", "associationSet.item.subnetId"),
        ("association.main", "associationSet.item.main"),
        ("route.destination-cidr-block", "routeSet.item.destinationCidrBlock"),
        ("route.gateway-id", "routeSet.item.gatewayId"),
        ("route.nat-gateway-id", "routeSet.item.natGatewayId"),
        ("route.instance-id", "routeSet.item.instanceId"),
        ("route.origin", "routeSet.item.origin"),
        ("route.state", "routeSet.item.state"),
    ],
};

fn nodes(state: &State) -> Vec<Node> {
    let one = |(id, table): (&String, &RouteTable)| {
        let whole = state.network.vpcs.get(&table.vpc).into_iter().flat_map(|vpc| &vpc.cidrs);
        let local = whole.map(|(_, cidr)| {
            let node = Node::default().put("destinationCidrBlock", show(*cidr)).put("gatewayId", "local");
            node.put("state", "active").put("origin", "CreateRouteTable")
        });
        let others = table.routes.iter().map(|(to, target)| routes::node(state, *to, target));
        let main = table.main.iter().map(|association| (association, None));
        let associations = main.chain(table.associations.iter().map(|(a, subnet)| (a, Some(subnet))));
        let associations = associations.map(|(association, subnet)| {
            Node::default()
                .put("routeTableAssociationId", association)
                .put("routeTableId", id)
                .put("main", subnet.is_none())
                .put_some("subnetId", subnet)
                .with(Node::new("associationState").put("state", "associated"))
        });
        Node::default()
            .put("routeTableId", id)
            .put("vpcId", &table.vpc)
            .put("ownerId", ACCOUNT)
            .list("routeSet", "item", local.chain(others).collect::<Vec<_>>())
            .list("associationSet", "item", associations.collect::<Vec<_>>())
            .list("propagatingVgwSet", "item", [])
    };
    state.network.route_tables.iter().map(one).collect()
}

/// A route table that must be there.
pub(super) fn find<'a>(state: &'a mut State, id: &str) -> Result<&'a mut RouteTable, ApiError> {
    state.network.route_tables.get_mut(id).ok_or_else(|| KIND.not_found(id))
}

pub(super) fn create(cloud: &Cloud, input: &Node) -> Answer {
    let vpc = need(input, "VpcId")?;
    alter(cloud, input, |state| {
        vpcs::find(state, vpc)?;
        let id = if let Some(id) = made_before(state, input, KIND.name) {
            id
        } else {
            let id = new_id(KIND.prefix);
            let (routes, associations) = (BTreeMap::new(), BTreeMap::new());
            let table = RouteTable { vpc: vpc.into(), main: None, routes, associations };
            state.network.route_tables.insert(id.clone(), table);
            tags::at_birth(state, input, &KIND, &id)?;
            remember(state, input, KIND.name, &id);
            id
        };
        Ok(Node::default().with(KIND.one(state, &id, "routeTable")).put_some("clientToken", input.get("ClientToken")))
    })
}

pub(super) fn describe(cloud: &Cloud, input: &Node) -> Answer {
    KIND.describe(cloud, input)
}

pub(super) fn delete(cloud: &Cloud, input: &Node) -> Answer {
    let id = need(input, "RouteTableId")?;
    alter(cloud, input, |state| {
        let table = find(state, id)?;
        if table.main.is_some() || !table.associations.is_empty() {
            let why = format!("The routeTable '{id}' has dependencies and cannot be deleted.");
            return Err(refuse("DependencyViolation", why));
        }
        state.network.route_tables.remove(id);
        state.tags.remove(id);
        Ok(done())
    })
}

fn associated(id: &str, name: &str) -> Node {
    Node::default().put(name, id).with(Node::new("associationState").put("state", "associated"))
}

pub(super) fn associate(cloud: &Cloud, input: &Node) -> Answer {
    let id = need(input, "RouteTableId")?;
    if input.get("GatewayId").is_some() {
        return Err(beyond("route tables of gateways"));
    }
    let subnet = need(input, "SubnetId")?;
    alter(cloud, input, |state| {
        let vpc = find(state, id)?.vpc.clone();
        if subnets::find(state, subnet)?.vpc != vpc {
            let why = format!("Route table {id} and subnet {subnet} belong to different networks");
            return Err(refuse("InvalidParameterValue", why));
        }
        for (table, held) in &state.network.route_tables {
            match held.associations.iter().find(|(_, s)| *s == subnet) {
                // The same again gives the association that is there.
                Some((association, _)) if table == id => return Ok(associated(association, "associationId")),
                Some(_) => {
                    let why = format!(
                        "the specified association for route table {id} conflicts with an existing association"
                    );
                    return Err(refuse("Resource.AlreadyAssociated", why));
                }
                None => {}
            }
        }
        let association = new_id("rtbassoc-");
        find(state, id)?.associations.insert(association.clone(), subnet.into());
        Ok(associated(&association, "associationId"))
    })
}

fn holder(state: &State, association: &str) -> Result<String, ApiError> {
    let holds = |t: &RouteTable| t.main.as_deref() == Some(association) || t.associations.contains_key(association);
    let found = state.network.route_tables.iter().find(|(_, table)| holds(table));
    found.map(|(id, _)| id.clone()).ok_or_else(|| {
        let why = format!("The association ID '{association}' does not exist");
        refuse("InvalidAssociationID.NotFound", why)
    })
}

/// Puts a subnet, or for the main association the whole VPC, under another table.
pub(super) fn replace(cloud: &Cloud, input: &Node) -> Answer {
    let (association, to) = (need(input, "AssociationId")?, need(input, "RouteTableId")?);
    alter(cloud, input, |state| {
        let vpc = find(state, to)?.vpc.clone();
        let from = holder(state, association)?;
        let table = find(state, &from)?;
        if table.vpc != vpc {
            let why = format!("Route tables {from} and {to} belong to different networks");
            return Err(refuse("InvalidParameterValue", why));
        }
        let fresh = new_id("rtbassoc-");
        if let Some(subnet) = table.associations.remove(association) {
            find(state, to)?.associations.insert(fresh.clone(), subnet);
        } else {
            table.main = None;
            find(state, to)?.main = Some(fresh.clone());
        }
        Ok(associated(&fresh, "newAssociationId"))
    })
}

pub(super) fn disassociate(cloud: &Cloud, input: &Node) -> Answer {
    let association = need(input, "AssociationId")?;
    alter(cloud, input, |state| {
        let table = holder(state, association)?;
        let table = find(state, &table)?;
        if table.main.as_deref() == Some(association) {
            let why = format!("cannot disassociate the main route table association {association}");
            return Err(refuse("InvalidParameterValue", why));
        }
        table.associations.remove(association);
        Ok(done())
    })
}
