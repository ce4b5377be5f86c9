//! Record values as Route 53 writes them, into the bytes of the wire; what it would refuse is refused.
//! Source: Route 53 developer guide, "Supported DNS record types".

mod svcb;
#[cfg(test)]
mod tests;

use std::net::{Ipv4Addr, Ipv6Addr};

use super::{Fault, name, strings};

/// The record types Route 53 has, and their numbers. Source: Route 53 API, `RRType`; IANA, DNS parameters.
pub const KINDS: &[(&str, u16)] = &[
    ("SOA", 6),
    ("A", 1),
    ("TXT", 16),
    ("NS", 2),
    ("CNAME", 5),
    ("MX", 15),
    ("NAPTR", 35),
    ("PTR", 12),
    ("SRV", 33),
    ("SPF", 99),
    ("AAAA", 28),
    ("CAA", 257),
    ("DS", 43),
    ("TLSA", 52),
    ("SSHFP", 44),
    ("SVCB", 64),
    ("HTTPS", 65),
];

/// The number of a record type.
pub fn kind_number(kind: &str) -> Option<u16> {
    KINDS.iter().find(|(known, _)| *known == kind).map(|(_, number)| *number)
}

/// The data of a record as it goes over the wire, names not compressed.
pub fn encode(kind: &str, value: &str) -> Result<Vec<u8>, Fault> {
    let value = value.trim();
    match kind {
        "A" => {
            let address: Result<Ipv4Addr, _> = value.parse();
            let illegal = fault("ARRDATAIllegalIPv4Address", "Value is not a valid IPv4 address", value);
            address.map(|a| a.octets().to_vec()).map_err(|_| illegal)
        }
        "AAAA" => {
            let address: Result<Ipv6Addr, _> = value.parse();
            let illegal = fault("AAAARRDATAIllegalIPv6Address", "Value is not a valid IPv6 address", value);
            address.map(|a| a.octets().to_vec()).map_err(|_| illegal)
        }
        "NS" | "CNAME" | "PTR" => name::wire(value),
        "TXT" | "SPF" => strings::wire(value),
        "MX" => {
            let [preference, exchange] =
                fields(value, fault("MXRRDATANotTwoFields", "MX record doesn't have 2 fields", value))?;
            let mut out = number::<u16>(preference, value)?.to_be_bytes().to_vec();
            out.extend(name::wire(exchange)?);
            Ok(out)
        }
        "SRV" => {
            let [priority, weight, port, target] =
                fields(value, fault("SRVRRDATANotFourFields", "SRV record doesn't have 4 fields", value))?;
            let mut out = Vec::new();
            for field in [priority, weight, port] {
                out.extend(number::<u16>(field, value)?.to_be_bytes());
            }
            out.extend(name::wire(target)?);
            Ok(out)
        }
        "SOA" => {
            let [server, mailbox, numbers @ ..]: [&str; 7] =
                fields(value, fault("SOARRDATANotSevenFields", "SOA record doesn't have 7 fields", value))?;
            let mut out = name::wire(server)?;
            out.extend(name::wire(mailbox)?);
            for field in numbers {
                out.extend(number::<u32>(field, value)?.to_be_bytes());
            }
            Ok(out)
        }
        "CAA" => caa(value),
        "NAPTR" => naptr(value),
        "DS" | "TLSA" | "SSHFP" => digest(kind, value),
        "SVCB" | "HTTPS" => svcb::encode(value),
        _ => Err(fault("UnsupportedRRType", "Record type is not supported", value)),
    }
}

fn fault(code: &'static str, why: &'static str, value: &str) -> Fault {
    Fault { code, why, value: value.to_owned() }
}

fn fields<const N: usize>(value: &str, otherwise: Fault) -> Result<[&str; N], Fault> {
    let all: Vec<_> = value.split_ascii_whitespace().collect();
    all.try_into().map_err(|_| otherwise)
}

fn number<T: std::str::FromStr>(field: &str, value: &str) -> Result<T, Fault> {
    // no sign, as `u16::from_str` would take one
    let digits = field.bytes().all(|b| b.is_ascii_digit());
    let parsed = if digits { field.parse().ok() } else { None };
    parsed.ok_or_else(|| fault("UnparseableNumericField", "Field is not a number in range", value))
}

/// `0 issue "ca.example.net"`.
fn caa(value: &str) -> Result<Vec<u8>, Fault> {
    let wrong = || fault("CAARRDATANotThreeFields", "CAA record doesn't have 3 fields", value);
    let mut parts = value.splitn(3, |c: char| c.is_ascii_whitespace());
    let (Some(flags), Some(tag), Some(text)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(wrong());
    };
    if tag.is_empty() || tag.len() > 15 || !tag.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return Err(fault("CAARRDATAInvalidTag", "CAA record's tag is not valid", value));
    }
    let mut out = vec![number::<u8>(flags, value)?];
    strings::push(&mut out, tag.as_bytes(), value)?;
    let strings = strings::quoted(text)?;
    let [text] = strings.as_slice() else { return Err(wrong()) };
    out.extend_from_slice(text);
    Ok(out)
}

/// `100 50 "u" "E2U+sip" "!^.*$!sip:info@example.com!" .`
fn naptr(value: &str) -> Result<Vec<u8>, Fault> {
    let wrong = || fault("NAPTRRRDATANotSixFields", "NAPTR record doesn't have 6 fields", value);
    let mut parts = value.splitn(3, |c: char| c.is_ascii_whitespace());
    let (Some(order), Some(preference), Some(rest)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(wrong());
    };
    let (strings, replacement) = rest.rsplit_once(|c: char| c.is_ascii_whitespace()).ok_or_else(wrong)?;
    let mut out = number::<u16>(order, value)?.to_be_bytes().to_vec();
    out.extend(number::<u16>(preference, value)?.to_be_bytes());
    let strings = strings::quoted(strings)?;
    if strings.len() != 3 {
        return Err(wrong());
    }
    for string in strings {
        strings::push(&mut out, &string, value)?;
    }
    out.extend(name::wire(replacement)?);
    Ok(out)
}

/// Numbers and a hexadecimal digest: `12345 13 2 AB…` of DS, `3 1 1 AB…` of TLSA, `4 2 AB…` of SSHFP.
fn digest(kind: &str, value: &str) -> Result<Vec<u8>, Fault> {
    let wrong = || fault("RRDATANotEnoughFields", "Record doesn't have all of its fields", value);
    let mut parts = value.split_ascii_whitespace();
    let mut next = || parts.next().ok_or_else(wrong);
    let mut out = Vec::new();
    if kind == "DS" {
        out.extend(number::<u16>(next()?, value)?.to_be_bytes());
    } else {
        out.push(number::<u8>(next()?, value)?);
    }
    out.push(number::<u8>(next()?, value)?);
    if kind != "SSHFP" {
        out.push(number::<u8>(next()?, value)?);
    }
    let bytes = hex::decode(parts.collect::<String>())
        .map_err(|_| fault("InvalidHexString", "Value is not hexadecimal", value))?;
    if bytes.is_empty() {
        return Err(wrong());
    }
    out.extend(bytes);
    Ok(out)
}
