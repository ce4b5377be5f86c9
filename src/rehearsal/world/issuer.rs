//! The edge's certificates as ACM shows them.

use std::sync::Arc;

use crate::rehearsal::cloud::CertificateIssuer;
use crate::rehearsal::edge::Authority;

/// The authority whose certificates listeners and distributions present.
pub struct Issuer(pub Arc<Authority>);

impl CertificateIssuer for Issuer {
    fn chain(&self, names: &[String]) -> Result<(String, String), String> {
        self.0.presented_pem(names).map_err(|error| error.to_string())
    }
}
