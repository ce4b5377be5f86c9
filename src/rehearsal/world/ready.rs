//! What a world tells about itself when it is up: `world.json`, and the one line on standard output.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::hosts::Host;
use super::progress::Part;

/// Everything another process needs to meet the world.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Ready {
    /// The rehearsal's id.
    pub id: String,
    /// The world's process.
    pub pid: u32,
    /// The socket that takes [`super::control::Request`]s.
    pub control: PathBuf,
    /// The endpoint of every AWS API.
    pub aws_endpoint: String,
    /// The access key id it knows.
    pub access_key: String,
    /// Its secret. It opens nothing but this rehearsal.
    pub secret_key: String,
    /// The region.
    pub region: String,
    /// The name server of every zone, on UDP and TCP.
    pub dns: SocketAddr,
    /// PEM files with the authorities to trust: the edge's and the box's.
    pub ca_files: Vec<PathBuf>,
    /// Names that only the rehearsal's networks know, and their addresses.
    pub resolve: BTreeMap<String, IpAddr>,
    /// The box's copy.
    #[serde(rename = "box")]
    pub copy: BoxReady,
    /// The new hosts.
    pub hosts: Vec<Host>,
    /// The database instance.
    pub database: DatabaseReady,
    /// The domain name of the distribution that was there, if the site file names one.
    pub distribution: Option<String>,
    /// The balancer's DNS name.
    pub balancer: String,
    /// The hosted zone's id.
    pub zone: String,
    /// What of the box could not be copied as it is.
    pub notes: Vec<String>,
    /// How long it took to come up.
    pub seconds: f64,
    /// What of it took how long.
    pub parts: Vec<Part>,
}

/// The box's copy.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct BoxReady {
    /// The proxy's address: what the box's records hold.
    pub address: IpAddr,
    /// The container of the proxy.
    pub proxy: String,
    /// The container of the pages.
    pub web: String,
    /// The container of the app.
    pub app: String,
    /// The container of the database.
    pub database: String,
    /// The database's address on that network.
    pub database_address: IpAddr,
    /// Every copied container, by the original's name.
    pub containers: BTreeMap<String, String>,
    /// The network they are on.
    pub network: String,
}

/// The database instance.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DatabaseReady {
    /// The endpoint's host.
    pub host: String,
    /// Its address.
    pub ip: IpAddr,
    /// Its port.
    pub port: u16,
    /// The master user.
    pub master: String,
    /// The file with the master user's password.
    pub master_password_file: PathBuf,
}
