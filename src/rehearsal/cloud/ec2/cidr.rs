//! Address ranges.

use std::net::Ipv4Addr;

use super::super::super::state::Cidr;
use super::{ApiError, refuse};

/// The addresses a subnet keeps for itself: the first four and the last (VPC guide: subnet-sizing).
pub(super) const KEPT: u32 = 5;

/// Reads a range, its host bits cleared as EC2 does.
pub(super) fn read(text: &str, parameter: &str) -> Result<Cidr, ApiError> {
    parse(text).ok_or_else(|| {
        let why = format!("Value ({text}) for parameter {parameter} is invalid. This is not a valid CIDR block.");
        refuse("InvalidParameterValue", why)
    })
}

/// Reads a range if it is one.
pub(super) fn parse(text: &str) -> Option<Cidr> {
    let (first, prefix) = text.split_once('/')?;
    let (first, prefix) = (first.parse::<Ipv4Addr>().ok()?, prefix.parse::<u8>().ok().filter(|p| *p <= 32)?);
    Some((Ipv4Addr::from(u32::from(first) & mask(prefix)), prefix))
}

fn mask(prefix: u8) -> u32 {
    u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0)
}

/// A range as it is written.
pub(super) fn show(cidr: Cidr) -> String {
    format!("{}/{}", cidr.0, cidr.1)
}

/// Whether one range holds all of another.
pub(super) fn holds(outer: Cidr, inner: Cidr) -> bool {
    outer.1 <= inner.1 && u32::from(inner.0) & mask(outer.1) == u32::from(outer.0)
}

/// Whether two ranges share an address.
pub(super) fn overlap(a: Cidr, b: Cidr) -> bool {
    holds(a, b) || holds(b, a)
}

/// How many addresses a subnet has for its interfaces.
pub(super) fn room(cidr: Cidr) -> u32 {
    1_u32.checked_shl(32 - u32::from(cidr.1)).unwrap_or(u32::MAX).saturating_sub(KEPT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_cleared_and_compared() {
        assert_eq!(parse("10.0.1.9/24"), Some((Ipv4Addr::new(10, 0, 1, 0), 24)));
        assert_eq!(parse("0.0.0.0/0").map(show).as_deref(), Some("0.0.0.0/0"));
        for wrong in ["10.0.0.0", "10.0.0.0/33", "10.0.0/8", "300.0.0.0/8"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
        let of = |text| parse(text).unwrap();
        assert!(overlap(of("10.0.0.0/16"), of("10.0.3.0/24")) && !overlap(of("10.0.0.0/24"), of("10.0.1.0/24")));
        assert!(holds(of("0.0.0.0/0"), of("10.0.0.0/8")) && !holds(of("10.0.0.0/24"), of("10.0.0.0/16")));
        assert_eq!(room(of("10.0.0.0/28")), 11);
    }
}
