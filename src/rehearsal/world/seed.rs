//! What the site's owner has in AWS before a run: a zone that names the box, a balancer that answers nothing yet, an
//! empty private bucket, behind a distribution where the site names one, a database instance, and the new hosts as running instances.

use std::net::{IpAddr, Ipv4Addr};

use super::hosts::Host;
use super::rds::Rds;
use super::spec::Spec;
use super::{Result, WorldError};
use crate::clients::docker::lab::Subnet;
use crate::rehearsal::cloud::Cloud;
use crate::rehearsal::edge::edge_port;
use crate::rehearsal::state::{Action, Answer, RecordSet, Routing};

/// The TTL of the box's records.
const TTL: u32 = 300;

/// What was put there.
#[derive(Debug, Clone)]
pub struct Seeded {
    /// The hosted zone's id.
    pub zone: String,
    /// The balancer's ARN.
    pub balancer: String,
    /// The domain name of the distribution that is there already, if the site file names one.
    pub distribution: Option<String>,
}

/// Puts it there.
pub fn seed(cloud: &Cloud, spec: &Spec, vpc: Subnet, proxy: Ipv4Addr, rds: &Rds, hosts: &[Host]) -> Result<Seeded> {
    let (names, aws) = (&spec.site.names, &spec.site.aws);
    let records = spec.names().into_iter().map(|name| RecordSet {
        name: name.to_ascii_lowercase(),
        kind: "A".into(),
        ttl: Some(TTL),
        answer: Answer::Values(vec![proxy.to_string()]),
        routing: Routing::Simple,
        health_check: None,
    });
    let zone = cloud.seed_zone(&names.zone.to_ascii_lowercase(), records);
    let subnets = cloud.seed_network(&format!("vpc-{}", spec.id), (vpc.base, vpc.prefix));
    for host in hosts {
        if let IpAddr::V4(address) = host.address {
            cloud.seed_instance(&host.name, address);
        }
    }
    let balancer = cloud.seed_balancer(&aws.balancer, free_edge()?, &subnets);
    let to_https = Action::Redirect {
        protocol: "HTTPS".into(),
        host: "#{host}".into(),
        port: "443".into(),
        path: "/#{path}".into(),
        query: "#{query}".into(),
        status: 301,
    };
    let nothing =
        Action::Fixed { status: 404, content_type: "text/plain".into(), body: "no rule for this yet\n".into() };
    cloud.seed_listener(&balancer, 80, None, to_https);
    let all: Vec<&str> = names.api.iter().chain(&names.pages).map(String::as_str).collect();
    cloud.seed_listener(&balancer, 443, Some(&cloud.seed_certificate(&all)), nothing);
    let aliases: Vec<&str> = names.pages.iter().map(String::as_str).collect();
    // One that the run is to make is not there yet, and neither is its certificate.
    let distribution = match aws.named_distribution() {
        Some(_) => Some(cloud.seed_distribution(&aws.bucket, "", &aliases, free_edge()?)),
        None => None,
    };
    cloud
        .seed_bucket(&aws.bucket, distribution.as_deref())
        .map_err(|error| WorldError::Spec(format!("the bucket {} could not be made: {error}", aws.bucket)))?;
    cloud.seed_database(&aws.database.instance.to_ascii_lowercase(), rds.instance());
    Ok(Seeded { zone, balancer, distribution })
}

/// An address of the edges' range whose ports nobody holds. Another world may take it in the same moment; the edge
/// would tell of that, and the range has four million of them.
fn free_edge() -> Result<IpAddr> {
    for _ in 0..32 {
        let address = IpAddr::V4(Ipv4Addr::from(0x7F40_0000 | (rand::random::<u32>() & 0x003F_FFFE) | 1));
        if [80, 443].iter().all(|port| std::net::TcpListener::bind((address, edge_port(*port))).is_ok()) {
            return Ok(address);
        }
    }
    let why =
        "no loopback address in 127.64.0.0/10 has its ports 8080 and 8443 free: something listens on all addresses";
    Err(WorldError::Spec(why.into()))
}
