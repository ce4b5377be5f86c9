//! SVCB and HTTPS: a priority, a target, and parameters. Source: RFC 9460.

use std::collections::BTreeMap;

use base64::Engine;

use super::super::{Fault, name, strings};
use super::{fault, number};

/// Parameters by the names people write, and their numbers.
const KEYS: &[(&str, u16)] =
    &[("mandatory", 0), ("alpn", 1), ("no-default-alpn", 2), ("port", 3), ("ipv4hint", 4), ("ech", 5), ("ipv6hint", 6)];

pub(super) fn encode(value: &str) -> Result<Vec<u8>, Fault> {
    let wrong = || fault("SVCBRRDATANotEnoughFields", "Record doesn't have a priority and a target", value);
    let mut parts = value.split_ascii_whitespace();
    let (Some(priority), Some(target)) = (parts.next(), parts.next()) else { return Err(wrong()) };
    let mut out = number::<u16>(priority, value)?.to_be_bytes().to_vec();
    out.extend(name::wire(target)?);
    let mut parameters = BTreeMap::new();
    for part in parts {
        let (key, text) = part.split_once('=').unwrap_or((part, ""));
        let bad = || fault("InvalidSvcParam", "Parameter is not valid", value);
        let number = key_number(key).ok_or_else(bad)?;
        let bytes = parameter(number, text.trim_matches('"'), value).ok_or_else(bad)?;
        if parameters.insert(number, bytes).is_some() {
            return Err(fault("DuplicateSvcParam", "Parameter is given twice", value));
        }
    }
    for (key, bytes) in parameters {
        out.extend(key.to_be_bytes());
        out.extend(u16::try_from(bytes.len()).unwrap_or(u16::MAX).to_be_bytes());
        out.extend(bytes);
    }
    Ok(out)
}

fn key_number(key: &str) -> Option<u16> {
    let known = KEYS.iter().find(|(known, _)| *known == key).map(|(_, number)| *number);
    known.or_else(|| key.strip_prefix("key")?.parse().ok())
}

fn parameter(key: u16, text: &str, value: &str) -> Option<Vec<u8>> {
    let each = || text.split(',');
    match key {
        0 => Some(each().map(key_number).collect::<Option<Vec<_>>>()?.into_iter().flat_map(u16::to_be_bytes).collect()),
        1 if !text.is_empty() => {
            let mut out = Vec::new();
            each().try_for_each(|id| strings::push(&mut out, id.as_bytes(), value)).ok()?;
            Some(out)
        }
        2 => text.is_empty().then(Vec::new),
        3 => Some(text.parse::<u16>().ok()?.to_be_bytes().to_vec()),
        4 => Some(each().map(|a| a.parse().ok()).collect::<Option<Vec<std::net::Ipv4Addr>>>()?)
            .map(|all| all.iter().flat_map(std::net::Ipv4Addr::octets).collect()),
        5 => base64::prelude::BASE64_STANDARD.decode(text).ok(),
        6 => Some(each().map(|a| a.parse().ok()).collect::<Option<Vec<std::net::Ipv6Addr>>>()?)
            .map(|all| all.iter().flat_map(std::net::Ipv6Addr::octets).collect()),
        7.. => Some(text.as_bytes().to_vec()),
        _ => None,
    }
}
