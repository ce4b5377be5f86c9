//! What a cloud tells of itself when it is up.

use std::net::SocketAddr;
use std::path::PathBuf;

use serde::Serialize;

use super::Place;
use crate::rehearsal::cloud::{ACCESS_KEY, SECRET_KEY};

/// Everything another process needs to meet it.
#[derive(Debug, Clone, Serialize)]
pub struct Ready {
    /// The endpoint of every AWS API.
    pub endpoint: String,
    /// The name server of every zone, on UDP and TCP.
    pub dns: SocketAddr,
    /// The certificate that balancers and CDN are signed with, as PEM.
    pub ca: PathBuf,
    /// The directory with S3's objects and the certificate authority.
    pub dir: PathBuf,
    /// The process.
    pub pid: u32,
    /// What a client's environment must hold, by name, in the order it is best read.
    pub variables: Variables,
    /// What it must not hold: a profile or a session token of the real account would go before the keys, or with them.
    pub unset: [&'static str; 2],
}

/// The environment that AWS's CLI, SDKs and `OpenTofu` read.
/// Source: AWS SDKs and tools reference guide: settings reference.
#[derive(Debug, Clone, Serialize)]
#[serde(transparent)]
pub struct Variables(serde_json::Map<String, serde_json::Value>);

impl Variables {
    /// Name and value of each.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str().unwrap_or_default()))
    }
}

impl Ready {
    pub(super) fn new(endpoint: SocketAddr, dns: SocketAddr, place: &Place, region: &str) -> Self {
        let endpoint = format!("http://{endpoint}");
        let variables = [
            ("AWS_ENDPOINT_URL", endpoint.as_str()),
            ("AWS_ACCESS_KEY_ID", ACCESS_KEY),
            ("AWS_SECRET_ACCESS_KEY", SECRET_KEY),
            // Older tools know one of the two names only.
            ("AWS_REGION", region),
            ("AWS_DEFAULT_REGION", region),
            ("AWS_EC2_METADATA_DISABLED", "true"),
        ];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.into()));
        Self {
            endpoint,
            dns,
            ca: place.tls().join("ca.pem"),
            dir: place.path().to_owned(),
            pid: std::process::id(),
            variables: Variables(variables.into_iter().collect()),
            unset: ["AWS_PROFILE", "AWS_SESSION_TOKEN"],
        }
    }
}
