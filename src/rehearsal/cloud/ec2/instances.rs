//! Instances, described.

use std::net::Ipv4Addr;
use std::time::{Duration, SystemTime};

use super::super::super::state::{ACCOUNT, Instance, Interface, Phase};
use super::kind::Kind;
use super::{
    Answer, ApiError, Cloud, Node, State, filter, groups, images, interfaces, new_id, page, places, refuse, types, view,
};

/// How long the checks of an instance take after it was started.
const CHECKING: Duration = Duration::from_secs(10);

pub(super) const KIND: Kind = Kind {
    name: "instance",
    id: ("InstanceId", "instanceId"),
    set: "instancesSet",
    prefix: "i-",
    missing: "InvalidInstanceID.NotFound",
    malformed: Some("InvalidInstanceID.Malformed"),
    words: "instance ID",
    nodes,
    filters: &[
        ("instance-id", "instanceId"),
        ("instance-state-name", "instanceState.name"),
        ("instance-state-code", "instanceState.code"),
        ("instance-type", "instanceType"),
        ("image-id", "imageId"),
        ("vpc-id", "vpcId"),
        ("subnet-id", "subnetId"),
        ("availability-zone", "placement.availabilityZone"),
        ("architecture", "architecture"),
        ("key-name", "keyName"),
        ("private-ip-address", "privateIpAddress"),
        ("ip-address", "ipAddress"),
        ("private-dns-name", "privateDnsName"),
        ("dns-name", "dnsName"),
        ("instance.group-id", "groupSet.item.groupId"),
        ("instance.group-name", "groupSet.item.groupName"),
        ("group-id", "groupSet.item.groupId"),
        ("network-interface.network-interface-id", "networkInterfaceSet.item.networkInterfaceId"),
        ("network-interface.subnet-id", "networkInterfaceSet.item.subnetId"),
        ("network-interface.addresses.private-ip-address", "networkInterfaceSet.item.privateIpAddress"),
        ("reservation-id", "reservation"),
        ("root-device-type", "rootDeviceType"),
        ("virtualization-type", "virtualizationType"),
    ],
};

/// A state with its code (EC2 API: `InstanceState`).
pub(super) fn state_node(name: &str, state: &str) -> Node {
    let code = match state {
        "pending" => 0,
        "running" => 16,
        "shutting-down" => 32,
        "terminated" => 48,
        "stopping" => 64,
        _ => 80_u8,
    };
    Node::new(name).put("code", code).put("name", state)
}

fn nodes(state: &State) -> Vec<Node> {
    state.network.instances.iter().map(|(id, instance)| node(state, id, instance)).collect()
}

fn node(state: &State, id: &str, instance: &Instance) -> Node {
    let image = images::find(&instance.image).ok();
    let architecture = types::architecture(&instance.class).unwrap_or("x86_64");
    let threads = if architecture == "arm64" { 1 } else { types::cpus(&instance.class).min(2) };
    let cpu = Node::new("cpuOptions").put("coreCount", types::cpus(&instance.class) / threads);
    let metadata = Node::new("metadataOptions").put("state", "applied").put("httpTokens", "required");
    let node = Node::default()
        .put("instanceId", id)
        // Not of the answer: what the reservation is found by.
        .put("reservation", &instance.reservation)
        .put("imageId", &instance.image)
        .with(state_node("instanceState", instance.phase.now))
        .put("instanceType", &instance.class)
        .put_some("keyName", instance.key.as_ref())
        .put("amiLaunchIndex", 0_u8)
        .put("launchTime", instance.launched)
        .put("architecture", architecture)
        .put("rootDeviceType", "ebs")
        .put("rootDeviceName", image.map_or("/dev/xvda", |i| i.root))
        .put("virtualizationType", "hvm")
        .put("hypervisor", "xen")
        .put("enaSupport", true)
        .put("ebsOptimized", false)
        .put("sourceDestCheck", true)
        .with(Node::new("monitoring").put("state", "disabled"))
        .with(cpu.put("threadsPerCore", threads))
        .with(metadata.put("httpPutResponseHopLimit", 2_u8).put("httpEndpoint", "enabled"));
    let Some(interface) = state.network.interfaces.get(&instance.interface) else { return node };
    on_network(state, node, &instance.interface, interface)
}

fn on_network(state: &State, node: Node, id: &str, interface: &Interface) -> Node {
    let Some(subnet) = state.subnets.get(&interface.subnet) else { return node };
    let association = interfaces::association(state, id, interface);
    let public = association.as_ref().and_then(|a| a.get("publicIp")).map(str::to_owned);
    let region = places::region_of(&subnet.zone);
    let dns = state.network.vpcs.get(&subnet.vpc).is_some_and(|vpc| vpc.dns_hostnames);
    let name = |ip: &String| format!("ec2-{}.{region}.compute.amazonaws.com", ip.replace('.', "-"));
    let attachment = Node::new("attachment")
        .put("attachmentId", id.replacen("eni-", "eni-attach-", 1))
        .put("deviceIndex", 0_u8)
        .put("status", "attached")
        .put("deleteOnTermination", true);
    let own = Node::default()
        .put("networkInterfaceId", id)
        .put("subnetId", &interface.subnet)
        .put("vpcId", &subnet.vpc)
        .put("ownerId", ACCOUNT)
        .put("status", "in-use")
        .put("privateIpAddress", interface.address)
        .put("sourceDestCheck", true)
        .put("interfaceType", "interface")
        .list("groupSet", "item", interfaces::groups(state, interface))
        .with(attachment);
    let own = association.into_iter().fold(own, Node::with);
    node.put("privateIpAddress", interface.address)
        .put("privateDnsName", interfaces::private_name(state, interface))
        .put("dnsName", public.as_ref().filter(|_| dns).map(name).unwrap_or_default())
        .put_some("ipAddress", public)
        .put("subnetId", &interface.subnet)
        .put("vpcId", &subnet.vpc)
        .with(Node::new("placement").put("availabilityZone", &subnet.zone).put("tenancy", "default"))
        .list("groupSet", "item", interfaces::groups(state, interface))
        .list("networkInterfaceSet", "item", [own])
}

/// Instances under the reservations that made them.
pub(super) fn reservations(found: Vec<Node>) -> Vec<Node> {
    let mut by_id: Vec<(String, Vec<Node>)> = Vec::new();
    for mut instance in found {
        let id = instance.get("reservation").unwrap_or_default().to_owned();
        instance.children.retain(|child| child.name != "reservation");
        match by_id.iter_mut().find(|(known, _)| *known == id) {
            Some((_, list)) => list.push(instance),
            None => by_id.push((id, vec![instance])),
        }
    }
    let one = |(id, instances): (String, Vec<Node>)| {
        let node = Node::default().put("reservationId", id).put("ownerId", ACCOUNT);
        node.list("groupSet", "item", []).list("instancesSet", "item", instances)
    };
    by_id.into_iter().map(one).collect()
}

pub(super) fn describe(cloud: &Cloud, input: &Node) -> Answer {
    view(cloud, input, |state| {
        let found = reservations(KIND.select(state, input)?);
        let by_id = input.all("InstanceId").next().is_some();
        Ok(page::of(input, "reservationSet", found, by_id)?.into())
    })
}

pub(super) fn status(cloud: &Cloud, input: &Node) -> Answer {
    const FILTERS: &[(&str, &str)] = &[
        ("instance-state-name", "instanceState.name"),
        ("instance-status.status", "instanceStatus.status"),
        ("system-status.status", "systemStatus.status"),
        ("availability-zone", "availabilityZone"),
    ];
    let every = input.flag("IncludeAllInstances")? == Some(true);
    let now = cloud.shared().clock.now();
    let asked = Node { children: input.all("InstanceId").cloned().collect(), ..Node::default() };
    view(cloud, input, |state| {
        let one = |node: Node| {
            let id = node.get("instanceId")?.to_owned();
            let instance = state.network.instances.get(&id)?;
            let running = instance.phase.now == "running";
            if !running && !every {
                return None;
            }
            let told = match now.duration_since(instance.launched) {
                _ if !running => "not-applicable",
                Ok(since) if since >= CHECKING => "ok",
                _ => "initializing",
            };
            let reached = if told == "ok" { "passed" } else { "initializing" };
            let check = |name: &str| {
                let detail = Node::default().put("name", "reachability").put("status", reached);
                Node::new(name).put("status", told).list("details", "item", running.then_some(detail))
            };
            let zone = node.child("placement").and_then(|p| p.get("availabilityZone")).map(str::to_owned);
            let told = Node::default().put("instanceId", &id).put_some("availabilityZone", zone);
            let told = told.with(state_node("instanceState", instance.phase.now));
            Some(told.with(check("systemStatus")).with(check("instanceStatus")))
        };
        let found = KIND.select(state, &asked)?.into_iter().filter_map(one).collect();
        let by_id = !asked.children.is_empty();
        Ok(page::of(input, "instanceStatusSet", filter::keep(FILTERS, input, found)?, by_id)?.into())
    })
}

/// The instances a request names, all of which must be there.
pub(super) fn named(state: &State, input: &Node) -> Result<Vec<String>, ApiError> {
    let ids = super::texts(input, "InstanceId");
    if ids.is_empty() {
        return Err(super::missing("instanceIdSet"));
    }
    let unknown: Vec<_> = ids.iter().filter(|id| !state.network.instances.contains_key(*id)).collect();
    match unknown.as_slice() {
        [] => Ok(ids),
        [one] => Err(KIND.not_found(one)),
        many => {
            let list = many.iter().map(|id| id.as_str()).collect::<Vec<_>>().join(", ");
            Err(refuse("InvalidInstanceID.NotFound", format!("The instance IDs '{list}' do not exist")))
        }
    }
}

/// Enters a running instance that is there already, at its address; gives its id, or none when no subnet holds it.
pub(in super::super) fn seed(state: &mut State, name: &str, address: Ipv4Addr, now: SystemTime) -> Option<String> {
    let (subnet, vpc) =
        state.subnets.iter().find(|(_, s)| s.holds(address)).map(|(id, s)| (id.clone(), s.vpc.clone()))?;
    let (architecture, class) =
        if cfg!(target_arch = "aarch64") { ("arm64", "t4g.small") } else { ("x86_64", "t3a.small") };
    let id = new_id(KIND.prefix);
    let own = groups::default_of(state, &vpc).cloned().into_iter().collect::<Vec<_>>();
    let interface = interfaces::place(state, &subnet, address, &own, "", &id);
    let instance = Instance {
        image: images::debian(architecture).into(),
        class: class.into(),
        interface,
        key: None,
        phase: Phase::settled("running"),
        launched: now,
        reservation: new_id("r-"),
        protected: false,
    };
    state.network.instances.insert(id.clone(), instance);
    state.tags.insert(id.clone(), [("Name".to_owned(), name.to_owned())].into());
    Some(id)
}
