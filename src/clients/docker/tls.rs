//! Mutual TLS to an engine: its certificate must come from `ca.pem` and nothing else, ours is `cert.pem`.

use std::io;
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};

/// The client's side, from `ca.pem`, `cert.pem` and `key.pem` in a directory.
///
/// # Errors
/// Names the file that is missing, unreadable, or not what it should be.
pub(super) fn client(certs: &Path) -> io::Result<ClientConfig> {
    let mut roots = RootCertStore::empty();
    for cert in chain(&certs.join("ca.pem"))? {
        roots.add(cert).map_err(|e| wrong(&certs.join("ca.pem"), &e))?;
    }
    let own = chain(&certs.join("cert.pem"))?;
    let key_file = certs.join("key.pem");
    let key = PrivateKeyDer::from_pem_slice(&read(&key_file)?).map_err(|e| wrong(&key_file, &e))?;
    // The provider is named, so that no process-wide default has to be there.
    ClientConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|e| wrong(certs, &e))?
        .with_root_certificates(roots)
        .with_client_auth_cert(own, key)
        .map_err(|e| wrong(&key_file, &e))
}

fn chain(file: &Path) -> io::Result<Vec<CertificateDer<'static>>> {
    let found: Vec<_> =
        CertificateDer::pem_slice_iter(&read(file)?).collect::<Result<_, _>>().map_err(|e| wrong(file, &e))?;
    if found.is_empty() { Err(wrong(file, &"no certificate in it")) } else { Ok(found) }
}

fn read(file: &Path) -> io::Result<Vec<u8>> {
    std::fs::read(file).map_err(|e| io::Error::new(e.kind(), format!("{}: {e}", file.display())))
}

fn wrong(file: &Path, why: &dyn std::fmt::Display) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("{}: {why}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_or_wrong_file_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let missing = client(dir.path()).unwrap_err();
        assert!(missing.to_string().contains("ca.pem") && missing.kind() == io::ErrorKind::NotFound, "{missing}");
        std::fs::write(dir.path().join("ca.pem"), "not a certificate").unwrap();
        let wrong = client(dir.path()).unwrap_err();
        assert!(wrong.to_string().contains("ca.pem: no certificate in it"), "{wrong}");
    }
}
