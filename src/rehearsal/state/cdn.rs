//! Distributions: what CloudFront keeps.

use std::collections::BTreeSet;
use std::net::IpAddr;

/// A CloudFront distribution, read from one private bucket.
#[derive(Debug, Clone)]
pub struct Distribution {
    /// Its id (`E…`).
    pub id: String,
    /// The alternate domain names it answers to.
    pub aliases: BTreeSet<String>,
    /// The bucket it reads.
    pub bucket: String,
    /// The key prefix put before every path, without a final slash; empty for none.
    pub origin_path: String,
    /// What `/` becomes.
    pub default_root: String,
    /// The loopback address its edge listens on; port 80 is served on 8080 and 443 on 8443 there.
    pub address: IpAddr,
}
