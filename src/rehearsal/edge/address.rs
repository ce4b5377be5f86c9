//! Where the edges live: on loopback, the low ports shifted to ones that need no privilege.

use std::net::{IpAddr, Ipv4Addr};

/// The loopback range the edges live in: 127.64.0.0/10.
pub fn is_edge(address: IpAddr) -> bool {
    matches!(address, IpAddr::V4(v4) if u32::from(v4) & 0xFFC0_0000 == u32::from(Ipv4Addr::new(127, 64, 0, 0)))
}

/// The loopback port a listener's port is served on: 80 on 8080, 443 on 8443, other low ports 8000 higher.
pub fn edge_port(port: u16) -> u16 {
    match port {
        80 => 8080,
        443 => 8443,
        low @ 0..1024 => low + 8000,
        high => high,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_edge_range_is_a_slash_ten() {
        for (address, inside) in
            [("127.64.0.1", true), ("127.127.255.255", true), ("127.63.0.1", false), ("127.128.0.1", false)]
        {
            assert_eq!(is_edge(address.parse().unwrap()), inside, "{address}");
        }
    }

    #[test]
    fn low_ports_are_shifted() {
        assert_eq!([80, 443, 81, 9000].map(edge_port), [8080, 8443, 8081, 9000]);
    }
}
