//! TLS to targets, whose certificates an Application Load Balancer does not validate.
//!
//! Source: ALB user guide, "Target groups", routing configuration: "load balancers do not validate these certificates".

use std::sync::Arc;

use rustls::{ClientConfig, Error};
use tokio_rustls::TlsConnector;

use crate::clients::any_certificate::AnyCertificate;
use crate::rehearsal::edge::tls::provider;

/// A connector that takes any certificate; the signature over the handshake is still checked.
pub fn connector() -> Result<TlsConnector, Error> {
    let provider = provider();
    let mut config = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AnyCertificate(provider)))
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsConnector::from(Arc::new(config)))
}
