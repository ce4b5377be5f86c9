//! Networks whose subnet is known beforehand, so that addresses in it can be given out.

use std::collections::HashMap;
use std::net::Ipv4Addr;

use bollard::errors::Error;
use bollard::models::{Ipam, IpamConfig, NetworkCreateRequest};
use bollard::query_parameters::InspectNetworkOptions;

use super::{Engine, Lab, Labels, hashed};
use crate::clients::{ClientError, ClientResult, Kind};

/// How often a subnet may be snatched away between asking for a free one and taking it.
const TRIES: usize = 5;

/// An IPv4 subnet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subnet {
    /// Its first address.
    pub base: Ipv4Addr,
    /// Its prefix length.
    pub prefix: u8,
}

impl Subnet {
    /// The address `n` places after the first one. The engine itself takes 1, and gives out the others from below.
    pub fn nth(&self, n: u32) -> Ipv4Addr {
        Ipv4Addr::from(u32::from(self.base).wrapping_add(n))
    }

    /// How many addresses it has, its first and last included.
    pub fn size(&self) -> u32 {
        1_u32.checked_shl(u32::from(32_u8.saturating_sub(self.prefix))).unwrap_or(u32::MAX)
    }

    fn parse(text: &str) -> Option<Self> {
        let (base, prefix) = text.split_once('/')?;
        Some(Self { base: base.parse().ok()?, prefix: prefix.parse().ok().filter(|p| *p <= 32)? })
    }
}

impl std::fmt::Display for Subnet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.base, self.prefix)
    }
}

impl Lab {
    /// Makes a network. An `inside` one has no way out to other networks; this machine reaches its containers anyway.
    ///
    /// The engine picks the subnet, as it knows which are free, and is then told to take exactly that one: only then
    /// does it let containers ask for an address.
    ///
    /// # Errors
    /// [`Kind::Conflict`] when there is a network of that name, [`Kind::Refused`] when no subnet is left.
    pub async fn make_network(&self, name: &str, labels: &Labels, inside: bool) -> ClientResult<Subnet> {
        let (name, labels) = (name.to_owned(), hashed(labels));
        self.finish(move |engine| async move { engine.make_network(&name, &labels, inside).await }).await
    }
}

impl Engine {
    async fn make_network(&self, name: &str, labels: &HashMap<String, String>, inside: bool) -> ClientResult<Subnet> {
        let what = format!("make the network {name}");
        let engine = self;
        match engine.docker.inspect_network(name, None::<InspectNetworkOptions>).await {
            Ok(_) => return Err(ClientError::new(Kind::Conflict, what, "there is a network of that name")),
            Err(Error::DockerResponseServerError { status_code: 404, .. }) => {}
            Err(error) => return Err(engine.failed(what)(error)),
        }
        for _ in 0..TRIES {
            self.create_network(name, labels, inside, None).await.map_err(engine.failed(&what))?;
            let found = engine.docker.inspect_network(name, None::<InspectNetworkOptions>).await;
            let ipam = found.map_err(engine.failed(&what))?.ipam.and_then(|i| i.config).unwrap_or_default();
            let subnet = ipam.iter().find_map(|c| Subnet::parse(c.subnet.as_deref()?));
            let Some(subnet) = subnet else {
                return Err(ClientError::new(Kind::Refused, what, "the engine gave it no IPv4 subnet"));
            };
            engine.docker.remove_network(name).await.map_err(engine.failed(&what))?;
            match self.create_network(name, labels, inside, Some(subnet)).await {
                Ok(()) => return Ok(subnet),
                // Somebody else was given it in the meantime.
                Err(Error::DockerResponseServerError { message, .. }) if message.contains("overlap") => {}
                Err(error) => return Err(engine.failed(what)(error)),
            }
        }
        Err(ClientError::new(Kind::Refused, what, "others take every free subnet first; try again"))
    }

    async fn create_network(
        &self,
        name: &str,
        labels: &HashMap<String, String>,
        inside: bool,
        subnet: Option<Subnet>,
    ) -> Result<(), Error> {
        let ipam = subnet.map(|subnet| Ipam {
            config: Some(vec![IpamConfig { subnet: Some(subnet.to_string()), ..IpamConfig::default() }]),
            ..Ipam::default()
        });
        let request = NetworkCreateRequest {
            name: name.to_owned(),
            internal: Some(inside),
            labels: Some(labels.clone()),
            ipam,
            ..NetworkCreateRequest::default()
        };
        self.docker.create_network(request).await.map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_counted_from_the_first() {
        let subnet = Subnet::parse("172.29.0.0/16").unwrap();
        assert_eq!(subnet.nth(0x0102), Ipv4Addr::new(172, 29, 1, 2));
        assert_eq!((subnet.size(), subnet.to_string().as_str()), (65_536, "172.29.0.0/16"));
        assert_eq!(Subnet::parse("10.0.0.0/33"), None);
        assert_eq!(Subnet::parse("fd00::/64"), None);
    }
}
