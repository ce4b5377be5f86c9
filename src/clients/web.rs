//! The port to HTTP probes: health checks and CORS preflights sent as a visitor would send them.

use std::net::SocketAddr;

use async_trait::async_trait;

use super::ClientResult;

/// A probe.
#[derive(Debug, Clone)]
pub struct Probe {
    /// `GET`, `OPTIONS`, …
    pub method: String,
    /// The whole address; its host goes into SNI and `Host`.
    pub url: String,
    /// Where to connect instead of what the name resolves to.
    pub connect_to: Option<SocketAddr>,
    /// Headers.
    pub headers: Vec<(String, String)>,
}

/// What came back. Redirects are not followed.
#[derive(Debug, Clone)]
pub struct Answered {
    /// Status code.
    pub status: u16,
    /// Headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body's first 64 KiB.
    pub body: String,
}

impl Answered {
    /// A header's first value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }
}

/// Sends probes. They read; nothing outgrow probes changes state. A certificate that does not validate is told in
/// the answer of [`Web::send`] as an error unless `connect_to` names the host directly, as a balancer would.
#[async_trait]
pub trait Web: Send + Sync {
    /// Sends one probe with a limit of ten seconds.
    async fn send(&self, probe: &Probe) -> ClientResult<Answered>;
}
