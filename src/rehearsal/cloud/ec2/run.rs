//! `RunInstances`.

use std::net::Ipv4Addr;
use std::time::SystemTime;

use super::super::super::state::Instance;
use super::super::law::Law;
use super::{
    Answer, ApiError, Cloud, Node, State, alter, attributes, beyond, clock, groups, images, instances, interfaces,
    invalid, made_before, need, new_id, refuse, remember, subnets, tags, texts, types,
};

/// The type EC2 takes where none is named.
const UNLESS_NAMED: &str = "m1.small";
/// More than a rehearsal has use for; AWS counts vCPUs.
const MOST: u32 = 20;

/// Where an instance is put.
struct Place {
    subnet: String,
    groups: Vec<String>,
    address: Option<Ipv4Addr>,
    public: Option<bool>,
}

pub(super) fn run(cloud: &Cloud, input: &Node) -> Answer {
    for (parameter, what) in [
        ("LaunchTemplate", "launch templates"),
        ("InstanceMarketOptions", "spot market"),
        ("HibernationOptions", "hibernation"),
        ("IamInstanceProfile", "IAM, so no instance profiles"),
    ] {
        if input.child(parameter).is_some() {
            return Err(beyond(what));
        }
    }
    let count = |name: &str| {
        let text = need(input, name)?;
        text.parse::<u32>().ok().filter(|n| *n > 0).ok_or_else(|| invalid(name, text, "It must be at least 1."))
    };
    let (least, most) = (count("MinCount")?, count("MaxCount")?);
    if least > most {
        let why = "The value of MaxCount must be at least that of MinCount";
        return Err(refuse("InvalidParameterCombination", why));
    }
    let (image, class) = (need(input, "ImageId")?, input.get("InstanceType").unwrap_or(UNLESS_NAMED));
    let now = cloud.shared().clock.now();
    alter(cloud, input, |state| {
        let reservation = if let Some(id) = made_before(state, input, "reservation") {
            id
        } else {
            fits(image, class)?;
            if least > MOST {
                let why =
                    format!("You have requested more vCPU capacity than your current limit allows: {least} instances");
                return Err(refuse("VcpuLimitExceeded", why));
            }
            let place = place(state, input)?;
            make(state, input, (image, class), &place, most.min(MOST), now)?
        };
        let made = instances::KIND.all(state).into_iter().filter(|i| i.get("reservation") == Some(&reservation));
        let whole = instances::reservations(made.collect()).into_iter().next().unwrap_or_default();
        Ok(whole)
    })
}

/// An image runs on its own architecture only (law L8).
fn fits(image: &str, class: &str) -> Result<(), ApiError> {
    let (image, class) = (images::find(image)?.architecture, types::architecture(class)?);
    if image == class {
        return Ok(());
    }
    let why = format!(
        "The architecture '{class}' of the specified instance type does not match the architecture '{image}' of the \
         specified AMI. Specify an instance type and an AMI that have matching architectures, and try again. You can \
         use 'describe-instance-types' or 'describe-images' to discover the architecture of the instance type or AMI."
    );
    Err(refuse("InvalidParameterValue", why).by(Law::L8))
}

fn place(state: &State, input: &Node) -> Result<Place, ApiError> {
    let mut given = input.all("NetworkInterface");
    let interface = given.next();
    if given.next().is_some() || interface.is_some_and(|i| i.get("NetworkInterfaceId").is_some()) {
        return Err(beyond("instances of several or of ready-made network interfaces"));
    }
    let (subnet, mut groups, address, public) = match interface {
        Some(own) => {
            if input.get("SubnetId").is_some() || input.all("SecurityGroupId").next().is_some() {
                let why = "Network interfaces and an instance-level subnet ID or security groups may not be specified \
                           on the same request";
                return Err(refuse("InvalidParameterCombination", why));
            }
            let public = own.flag("AssociatePublicIpAddress")?;
            (own.get("SubnetId"), texts(own, "SecurityGroupId"), own.get("PrivateIpAddress"), public)
        }
        None => (input.get("SubnetId"), texts(input, "SecurityGroupId"), input.get("PrivateIpAddress"), None),
    };
    let subnet = match subnet {
        Some(id) => id.to_owned(),
        None => in_default_vpc(state, input.child("Placement").and_then(|p| p.get("AvailabilityZone")))?,
    };
    let vpc = &subnets::find(state, &subnet)?.vpc;
    for id in &groups {
        if groups::find(state, id)?.vpc != *vpc {
            let why = format!("Security group {id} and subnet {subnet} belong to different networks.");
            return Err(refuse("InvalidParameter", why));
        }
    }
    if groups.is_empty() {
        groups.extend(groups::default_of(state, vpc).cloned());
    }
    let address = address.map(|text| free(state, &subnet, text)).transpose()?;
    Ok(Place { subnet, groups, address, public })
}

fn in_default_vpc(state: &State, zone: Option<&str>) -> Result<String, ApiError> {
    let vpc = groups::default_vpc(state)?;
    let fits = |s: &&super::super::super::state::Subnet| s.vpc == vpc && zone.is_none_or(|zone| s.zone == zone);
    let found = state.subnets.iter().find(|(_, s)| fits(s)).map(|(id, _)| id.clone());
    found.ok_or_else(|| {
        let zone = zone.unwrap_or("any zone");
        refuse(
            "MissingInput",
            format!("No subnets found for the default VPC '{vpc}' in {zone}. Please specify a subnet."),
        )
    })
}

fn free(state: &State, subnet: &str, text: &str) -> Result<Ipv4Addr, ApiError> {
    let inside = text.parse::<Ipv4Addr>().ok().filter(|ip| state.subnets.get(subnet).is_some_and(|s| s.holds(*ip)));
    let address = inside.ok_or_else(|| {
        refuse("InvalidParameterValue", format!("Address {text} does not fall within the subnet's address range"))
    })?;
    if state.network.interfaces.values().any(|i| i.address == address) {
        return Err(refuse("InvalidIPAddress.InUse", format!("Address {text} is in use.")));
    }
    Ok(address)
}

fn make(
    state: &mut State,
    input: &Node,
    (image, class): (&str, &str),
    place: &Place,
    count: u32,
    now: SystemTime,
) -> Result<String, ApiError> {
    let key = input.get("KeyName");
    if let Some(unknown) = key.filter(|name| !state.network.key_pairs.contains_key(*name)) {
        return Err(refuse("InvalidKeyPair.NotFound", format!("The key pair '{unknown}' does not exist")));
    }
    tags::only(input, &["instance", "volume", "network-interface", "spot-instances-request"])?;
    let reservation = new_id("r-");
    for _ in 0..count {
        let id = new_id(instances::KIND.prefix);
        let interface = match place.address {
            Some(address) => interfaces::place(state, &place.subnet, address, &place.groups, "", &id),
            None => interfaces::attach(state, &place.subnet, &place.groups, "", &id)?,
        };
        let public = place.public.unwrap_or_else(|| attributes::gives_public(state, &place.subnet));
        let gift = public.then(|| super::addresses::public(state));
        if let Some(held) = state.network.interfaces.get_mut(&interface) {
            held.public = held.public.filter(|_| public).or(gift);
        }
        tags::tag(state, input, "network-interface", &interface)?;
        let instance = Instance {
            image: image.into(),
            class: class.into(),
            interface,
            key: key.map(str::to_owned),
            phase: clock::passing("pending", "running", now),
            launched: now,
            reservation: reservation.clone(),
            protected: input.flag("DisableApiTermination")? == Some(true),
        };
        state.network.instances.insert(id.clone(), instance);
        tags::tag(state, input, "instance", &id)?;
    }
    remember(state, input, "reservation", &reservation);
    Ok(reservation)
}
