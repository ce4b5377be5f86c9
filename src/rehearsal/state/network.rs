//! Networks: what EC2 keeps.

/// A subnet of a VPC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subnet {
    /// The VPC's id.
    pub vpc: String,
    /// The Availability Zone's name.
    pub zone: String,
    /// First address and prefix length.
    pub cidr: (std::net::Ipv4Addr, u8),
}

impl Subnet {
    /// Whether an address lies in it.
    pub fn holds(&self, address: std::net::Ipv4Addr) -> bool {
        let mask = u32::MAX.checked_shl(32 - u32::from(self.cidr.1.min(32))).unwrap_or(0);
        u32::from(address) & mask == u32::from(self.cidr.0) & mask
    }
}
