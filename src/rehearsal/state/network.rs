//! Networks: what EC2 keeps.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::time::SystemTime;

/// First address and prefix length.
pub type Cidr = (Ipv4Addr, u8);

/// Everything of EC2 but the subnets, by id.
#[derive(Debug, Clone, Default)]
pub struct Network {
    /// VPCs (`vpc-…`).
    pub vpcs: BTreeMap<String, Vpc>,
    /// Security groups (`sg-…`).
    pub groups: BTreeMap<String, SecurityGroup>,
    /// The rules of the security groups (`sgr-…`).
    pub rules: BTreeMap<String, SecurityRule>,
    /// Network ACLs (`acl-…`).
    pub acls: BTreeMap<String, Acl>,
    /// Route tables (`rtb-…`).
    pub route_tables: BTreeMap<String, RouteTable>,
    /// Internet gateways (`igw-…`), with the VPC each is attached to.
    pub internet_gateways: BTreeMap<String, Option<String>>,
    /// NAT gateways (`nat-…`).
    pub nat_gateways: BTreeMap<String, NatGateway>,
    /// Elastic addresses, by allocation id (`eipalloc-…`).
    pub addresses: BTreeMap<String, Address>,
    /// Network interfaces (`eni-…`): of instances, balancers and NAT gateways.
    pub interfaces: BTreeMap<String, Interface>,
    /// Instances (`i-…`).
    pub instances: BTreeMap<String, Instance>,
    /// Key pairs, by name.
    pub key_pairs: BTreeMap<String, KeyPair>,
}

impl Network {
    /// The address of a running instance, which is where an `instance` target is reached.
    pub fn instance_address(&self, id: &str) -> Option<Ipv4Addr> {
        let instance = self.instances.get(id).filter(|i| matches!(i.phase.now, "pending" | "running"))?;
        self.interfaces.get(&instance.interface).map(|i| i.address)
    }
}

/// A VPC.
#[derive(Debug, Clone)]
pub struct Vpc {
    /// Its address ranges by association id, the first one first.
    pub cidrs: Vec<(String, Cidr)>,
    /// Whether it is the region's default one.
    pub is_default: bool,
    /// `enableDnsSupport`.
    pub dns_support: bool,
    /// `enableDnsHostnames`.
    pub dns_hostnames: bool,
}

/// A subnet of a VPC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subnet {
    /// The VPC's id.
    pub vpc: String,
    /// The Availability Zone's name.
    pub zone: String,
    /// First address and prefix length.
    pub cidr: Cidr,
}

impl Subnet {
    /// Whether an address lies in it.
    pub fn holds(&self, address: Ipv4Addr) -> bool {
        let mask = u32::MAX.checked_shl(32 - u32::from(self.cidr.1.min(32))).unwrap_or(0);
        u32::from(address) & mask == u32::from(self.cidr.0) & mask
    }
}

/// A security group.
#[derive(Debug, Clone)]
pub struct SecurityGroup {
    /// Its name; `default` for the one every VPC has.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// The VPC's id.
    pub vpc: String,
}

/// A rule of a security group: one peer each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecurityRule {
    /// The group it belongs to.
    pub group: String,
    /// Of outbound traffic.
    pub egress: bool,
    /// `tcp`, `udp`, `icmp`, `icmpv6`, a number, or `-1` for all.
    pub protocol: String,
    /// First port (or ICMP type); -1 for all.
    pub from: i32,
    /// Last port (or ICMP code); -1 for all.
    pub to: i32,
    /// Who.
    pub peer: Peer,
    /// Description.
    pub description: Option<String>,
}

/// Whom a security group rule lets through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Peer {
    /// An IPv4 range.
    V4(Cidr),
    /// An IPv6 range, as it was given.
    V6(String),
    /// The members of a group.
    Group(String),
}

/// A network ACL.
#[derive(Debug, Clone)]
pub struct Acl {
    /// The VPC's id.
    pub vpc: String,
    /// Whether it is the VPC's own.
    pub is_default: bool,
    /// Entries by direction (outbound is true) and number; the last, 32767, denies all.
    pub entries: BTreeMap<(bool, u16), AclEntry>,
    /// Subnets by association id.
    pub associations: BTreeMap<String, String>,
}

/// An entry of a network ACL.
#[derive(Debug, Clone)]
pub struct AclEntry {
    /// A protocol number, or `-1` for all.
    pub protocol: String,
    /// Whether it allows.
    pub allow: bool,
    /// The range it is for.
    pub cidr: Cidr,
    /// Ports, for TCP and UDP.
    pub ports: Option<(u16, u16)>,
}

/// A route table.
#[derive(Debug, Clone)]
pub struct RouteTable {
    /// The VPC's id.
    pub vpc: String,
    /// The association that makes it its VPC's main table.
    pub main: Option<String>,
    /// Target ids (`igw-…`, `nat-…`, `i-…`, `eni-…`) by destination; the routes within the VPC are not kept.
    pub routes: BTreeMap<Cidr, String>,
    /// Subnets by association id.
    pub associations: BTreeMap<String, String>,
}

/// A NAT gateway.
#[derive(Debug, Clone)]
pub struct NatGateway {
    /// Its subnet's id.
    pub subnet: String,
    /// The allocation of its Elastic address; none for a private one.
    pub allocation: Option<String>,
    /// Its interface's id.
    pub interface: String,
    /// `pending`, `available`, `failed`, `deleting`, `deleted`.
    pub phase: Phase,
    /// Code and message of a failure.
    pub failure: Option<(String, String)>,
    /// When it was made.
    pub created: SystemTime,
}

/// An Elastic address.
#[derive(Debug, Clone)]
pub struct Address {
    /// The public address.
    pub ip: Ipv4Addr,
    /// Association id and interface, if it is in use.
    pub association: Option<(String, String)>,
}

/// A network interface.
#[derive(Debug, Clone)]
pub struct Interface {
    /// Its subnet's id.
    pub subnet: String,
    /// Its private address.
    pub address: Ipv4Addr,
    /// Its public address, if its subnet gives one by itself.
    pub public: Option<Ipv4Addr>,
    /// Security groups.
    pub groups: Vec<String>,
    /// What it is, such as `ELB app/shop/…`.
    pub description: String,
    /// What it belongs to: an instance's id, a balancer's ARN, a NAT gateway's id.
    pub holder: String,
}

/// An instance.
#[derive(Debug, Clone)]
pub struct Instance {
    /// The image it was made from.
    pub image: String,
    /// Its type, such as `t4g.small`.
    pub class: String,
    /// Its interface's id.
    pub interface: String,
    /// Its key pair's name.
    pub key: Option<String>,
    /// `pending`, `running`, `stopping`, `stopped`, `shutting-down`, `terminated`.
    pub phase: Phase,
    /// When it was started last.
    pub launched: SystemTime,
    /// The reservation it was made by.
    pub reservation: String,
    /// Whether the API refuses to terminate it.
    pub protected: bool,
}

/// A state that becomes another one by itself.
#[derive(Debug, Clone)]
pub struct Phase {
    /// The state now.
    pub now: &'static str,
    /// The state it becomes, and when, on the rehearsal's clock.
    pub then: Option<(&'static str, SystemTime)>,
}

impl Phase {
    /// A state that stays.
    pub const fn settled(now: &'static str) -> Self {
        Self { now, then: None }
    }
}

/// The public half of a key pair.
#[derive(Debug, Clone)]
pub struct KeyPair {
    /// Its id (`key-…`).
    pub id: String,
    /// `rsa` or `ed25519`.
    pub kind: &'static str,
    /// Fingerprint as EC2 shows it.
    pub fingerprint: String,
    /// When it was imported.
    pub created: SystemTime,
}
