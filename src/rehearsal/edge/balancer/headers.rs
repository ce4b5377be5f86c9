//! A request's headers on their way to a target, and an answer's on their way back.
//!
//! Source: ALB user guide, "HTTP headers and Application Load Balancers" and "Request tracing".

use std::fmt::Write;
use std::net::SocketAddr;
use std::time::UNIX_EPOCH;

use http::request::Parts;
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, HeaderValue, Uri, Version, header};

use super::settings::ForwardedFor;
use super::table::Table;
use crate::rehearsal::edge::listen::Peer;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const FORWARDED_PORT: HeaderName = HeaderName::from_static("x-forwarded-port");
/// What names a request on its whole way.
pub const TRACE: HeaderName = HeaderName::from_static("x-amzn-trace-id");
const TLS_VERSION: HeaderName = HeaderName::from_static("x-amzn-tls-version");
const TLS_CIPHER: HeaderName = HeaderName::from_static("x-amzn-tls-cipher-suite");

/// Headers that belong to one connection. Source: RFC 9110, 7.6.1.
const HOP_BY_HOP: [HeaderName; 6] = [
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// The most addresses a client's `X-Forwarded-For` may hold. Source: ALB user guide, "Troubleshoot", HTTP 463.
const MOST_ADDRESSES: usize = 30;

/// Makes the client's head the balancer's.
pub fn prepare(parts: &mut Parts, peer: &Peer, table: &Table, target: SocketAddr) {
    without_hops(&mut parts.headers);
    if table.settings.drop_invalid {
        without_odd_names(&mut parts.headers);
    }
    // a proxy-style request names the host in its target only
    if let Some(authority) = parts.uri.authority()
        && let Ok(host) = HeaderValue::try_from(authority.as_str())
    {
        parts.headers.insert(header::HOST, host);
    }
    if parts.uri.scheme().is_some() || parts.uri.authority().is_some() {
        let path = parts.uri.path_and_query().cloned();
        parts.uri = Uri::from(path.unwrap_or_else(|| PathAndQuery::from_static("/")));
    }
    parts.version = Version::HTTP_11;
    match parts.headers.get(header::HOST) {
        None => put(&mut parts.headers, header::HOST, target.to_string()),
        Some(host) if !table.settings.preserve_host => {
            if let Some(host) = host.to_str().ok().and_then(|host| with_port(host, table.port)) {
                put(&mut parts.headers, header::HOST, host);
            }
        }
        Some(_) => {}
    }
    match table.settings.forwarded_for {
        ForwardedFor::Append => {
            if let Some(seen) = forwarded_for(&parts.headers, peer.from, table.settings.client_port) {
                parts.headers.insert(FORWARDED_FOR, seen);
            }
        }
        ForwardedFor::Preserve => {}
        ForwardedFor::Remove => drop(parts.headers.remove(FORWARDED_FOR)),
    }
    let proto = if table.https { "https" } else { "http" };
    parts.headers.insert(FORWARDED_PROTO, HeaderValue::from_static(proto));
    parts.headers.insert(FORWARDED_PORT, HeaderValue::from(table.port));
    trace(&mut parts.headers, table);
    if let Some(tls) = peer.tls.as_ref().filter(|_| table.settings.tell_tls) {
        put(&mut parts.headers, TLS_VERSION, tls.protocol.to_owned());
        put(&mut parts.headers, TLS_CIPHER, tls.cipher.clone());
    }
}

fn put(headers: &mut HeaderMap, name: HeaderName, value: String) {
    if let Ok(value) = HeaderValue::try_from(value) {
        headers.insert(name, value);
    }
}

/// What the `Host` header becomes, if it changes: a listener on a port of its own puts the port there, the others take
/// it out. Source: ALB user guide, "Host header preservation".
fn with_port(host: &str, port: u16) -> Option<String> {
    let named = host.rsplit_once(':').filter(|(_, port)| !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()));
    match (named, port) {
        (Some((bare, _)), 80 | 443) => Some(bare.to_owned()),
        (None, 80 | 443) | (Some(_), _) => None,
        (None, port) => Some(format!("{host}:{port}")),
    }
}

/// What came in, with the client's address appended.
fn forwarded_for(headers: &HeaderMap, from: SocketAddr, with_port: bool) -> Option<HeaderValue> {
    let mut seen = String::with_capacity(40);
    for value in headers.get_all(FORWARDED_FOR) {
        seen.push_str(value.to_str().ok()?);
        seen.push_str(", ");
    }
    if with_port {
        write!(seen, "{from}").ok()?;
    } else {
        write!(seen, "{}", from.ip()).ok()?;
    }
    HeaderValue::try_from(seen).ok()
}

/// Whether a client claims to come from further than a balancer believes.
pub fn too_far(headers: &HeaderMap) -> bool {
    let addresses = headers.get_all(FORWARDED_FOR).iter().flat_map(|value| value.as_bytes().split(|b| *b == b','));
    addresses.count() > MOST_ADDRESSES
}

/// Gives the request its trace id, or puts the balancer's own beside the one it has.
fn trace(headers: &mut HeaderMap, table: &Table) {
    let seconds = table.clock.now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let id = format!("1-{seconds:08x}-{:024x}", rand::random::<u128>() >> 32);
    let traced = match headers.get(TRACE).and_then(|value| value.to_str().ok()) {
        None => format!("Root={id}"),
        Some(before) if before.contains("Root=") => {
            let rest = before.split(';').filter(|part| !part.trim_start().starts_with("Self="));
            rest.fold(format!("Self={id}"), |all, part| all + ";" + part.trim())
        }
        Some(before) => format!("Root={id};{before}"),
    };
    put(headers, TRACE, traced);
}

/// Takes out what belongs to the connection it came by.
pub fn without_hops(headers: &mut HeaderMap) {
    // headers the peer itself named as its connection's own
    if let Some(connection) = headers.remove(header::CONNECTION)
        && let Ok(named) = connection.to_str()
    {
        for name in named.split(',') {
            headers.remove(name.trim());
        }
    }
    for name in &HOP_BY_HOP {
        headers.remove(name);
    }
}

/// Source: Elastic Load Balancing API reference, `routing.http.drop_invalid_header_fields.enabled`: names are letters,
/// digits and hyphens.
fn without_odd_names(headers: &mut HeaderMap) {
    let odd = |name: &HeaderName| !name.as_str().bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let names: Vec<_> = headers.keys().filter(|name| odd(name)).cloned().collect();
    for name in names {
        headers.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_gets_a_port_of_its_own_and_loses_a_usual_one() {
        for (host, port, expected) in [
            ("a.test", 80, None),
            ("a.test:8080", 80, Some("a.test")),
            ("a.test:443", 443, Some("a.test")),
            ("a.test", 9000, Some("a.test:9000")),
            ("a.test:7", 9000, None),
            ("[::1]", 80, None),
        ] {
            assert_eq!(with_port(host, port).as_deref(), expected, "{host} on {port}");
        }
    }

    #[test]
    fn thirty_addresses_are_enough() {
        let headers =
            |n: usize| HeaderMap::from_iter([(FORWARDED_FOR, vec!["10.0.0.1"; n].join(", ").parse().unwrap())]);
        assert_eq!([30, 31].map(|n| too_far(&headers(n))), [false, true]);
        assert!(!too_far(&HeaderMap::new()));
    }
}
