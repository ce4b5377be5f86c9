//! TLS to a database server, by rustls.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::clients::any_certificate::AnyCertificate;

/// Encrypts, and checks the server against these authorities, or not at all where there are none.
pub(super) fn connector(authorities: Option<&str>) -> Result<MakeRustlsConnect, String> {
    config(authorities).map(MakeRustlsConnect::new)
}

/// The same for who does the handshake himself.
pub(super) fn config(authorities: Option<&str>) -> Result<ClientConfig, String> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    let made = match authorities {
        Some(pem) => {
            let mut roots = RootCertStore::empty();
            for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
                let certificate =
                    certificate.map_err(|error| format!("the authorities' PEM does not parse: {error}"))?;
                roots.add(certificate).map_err(|error| error.to_string())?;
            }
            if roots.is_empty() {
                return Err("the authorities' PEM holds no certificate".to_owned());
            }
            builder.with_root_certificates(roots).with_no_client_auth()
        }
        // libpq's `sslmode=require`: the name and issuer are not looked at (containers sign their own certificates).
        None => builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(AnyCertificate(provider)))
            .with_no_client_auth(),
    };
    Ok(made)
}
