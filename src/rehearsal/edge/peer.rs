//! The client at the other end of a connection to the edge.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use rustls::ServerConnection;

/// A client's connection.
#[derive(Debug)]
pub struct Peer {
    /// Where it comes from.
    pub from: SocketAddr,
    /// What was agreed on, over TLS.
    pub tls: Option<Tls>,
    since: Instant,
    /// The last minute of the rehearsal's clock it sent a request in.
    active: AtomicU64,
}

/// What a TLS handshake agreed on, in the words of OpenSSL, which AWS uses.
#[derive(Debug)]
pub struct Tls {
    /// Such as `TLSv1.3`.
    pub protocol: &'static str,
    /// Such as `ECDHE-RSA-AES128-GCM-SHA256`.
    pub cipher: String,
    /// The server name the client asked for.
    pub name: Option<String>,
}

impl Peer {
    /// A client on a plain connection.
    pub fn plain(from: SocketAddr) -> Self {
        Self { from, tls: None, since: Instant::now(), active: AtomicU64::new(0) }
    }

    /// A client that has just shaken hands.
    pub fn over_tls(from: SocketAddr, session: &ServerConnection) -> Self {
        let protocol = match session.protocol_version() {
            Some(rustls::ProtocolVersion::TLSv1_3) => "TLSv1.3",
            Some(rustls::ProtocolVersion::TLSv1_2) => "TLSv1.2",
            _ => "-",
        };
        let cipher = session.negotiated_cipher_suite().and_then(|suite| suite.suite().as_str()).unwrap_or("-");
        let name = session.server_name().map(str::to_ascii_lowercase);
        Self { tls: Some(Tls { protocol, cipher: in_openssl(cipher), name }), ..Self::plain(from) }
    }

    /// How long the connection has stood.
    pub fn age(&self) -> Duration {
        self.since.elapsed()
    }

    /// Whether this is its first request in `minute`.
    pub fn first_in(&self, minute: u64) -> bool {
        self.active.load(Relaxed) != minute && self.active.swap(minute, Relaxed) != minute
    }
}

/// A cipher suite's name as OpenSSL writes it. Source: ALB user guide, "Security policies".
fn in_openssl(suite: &str) -> String {
    match (suite.strip_prefix("TLS13_"), suite.strip_prefix("TLS_")) {
        (Some(suite), _) => format!("TLS_{suite}"),
        (_, Some(suite)) => suite.replace("_WITH", "").replace("AES_", "AES").replace('_', "-"),
        _ => suite.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ciphers_are_named_as_in_access_logs() {
        assert_eq!(in_openssl("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"), "ECDHE-RSA-AES128-GCM-SHA256");
        assert_eq!(in_openssl("TLS13_AES_128_GCM_SHA256"), "TLS_AES_128_GCM_SHA256");
    }

    #[test]
    fn a_connection_is_active_once_a_minute() {
        let peer = Peer::plain("127.0.0.1:1".parse().unwrap());
        assert_eq!([7, 7, 8, 8, 9].map(|minute| peer.first_in(minute)), [true, false, true, false, true]);
    }
}
