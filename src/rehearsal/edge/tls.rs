//! The rehearsal's certificate authority: kept in a directory, issues a certificate for whatever name a client asks.
//!
//! The steps, the visitors and the app hosts trust it by its PEM; nothing outside the rehearsal ever should.

use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::certificates::Presented;

/// More names than any site has; past it the cache starts anew, so that a scan cannot fill the memory.
const NAMES_KEPT: usize = 1024;

/// Why the authority could not be opened or could not issue.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file could not be read or written.
    #[error("the rehearsal's certificate authority could not use {path}: {source}; make the directory writable")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The key on disk is not one, or the library refused.
    #[error("the rehearsal's certificate authority is unusable: {0}; remove ca.pem and ca.key to start a new one")]
    Rcgen(#[from] rcgen::Error),
    /// The TLS library refused.
    #[error("the rehearsal's certificate was refused: {0}")]
    Rustls(#[from] rustls::Error),
}

/// The provider all of the rehearsal's TLS runs on.
pub fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

/// The certificate authority, and the certificates it has issued.
#[derive(Debug)]
pub struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
    /// One key serves all names: making one is what takes time.
    server_key: KeyPair,
    provider: Arc<CryptoProvider>,
    issued: RwLock<HashMap<Vec<String>, Arc<CertifiedKey>>>,
}

impl Authority {
    /// Opens the authority kept in `dir` (`ca.pem`, `ca.key`), or makes it there.
    pub fn open(dir: &Path) -> Result<Arc<Self>, TlsError> {
        let (pem_path, key_path) = (dir.join("ca.pem"), dir.join("ca.key"));
        let kept = (read(&pem_path)?, read(&key_path)?);
        let (pem, key) = if let (Some(pem), Some(key)) = kept {
            (pem, KeyPair::from_pem(&key)?)
        } else {
            std::fs::create_dir_all(dir).map_err(|source| TlsError::File { path: dir.to_owned(), source })?;
            let key = KeyPair::generate()?;
            let pem = authority_params().self_signed(&key)?.pem();
            // The key first: a certificate without its key would be no use, and is then made anew.
            write(&key_path, &key.serialize_pem(), 0o600)?;
            write(&pem_path, &pem, 0o644)?;
            (pem, key)
        };
        Ok(Arc::new(Self {
            pem,
            issuer: Issuer::new(authority_params(), key),
            server_key: KeyPair::generate()?,
            provider: provider(),
            issued: RwLock::default(),
        }))
    }

    /// The authority's own certificate, for clients to trust.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// A TLS acceptor for the listener at `address`. What it presents is up to `presented`, at each handshake; where
    /// that has nothing, a certificate for the name the client sent, or for the address.
    pub fn acceptor(self: &Arc<Self>, address: IpAddr, presented: Arc<Presented>) -> Result<TlsAcceptor, TlsError> {
        self.acceptor_by(ByName { authority: self.clone(), address, presented, allows: Box::new(|_| true) })
    }

    /// A TLS acceptor that gives a certificate for the name the client sent, if `allows` does: one that sends another
    /// gets none.
    pub fn acceptor_where(
        self: &Arc<Self>,
        address: IpAddr,
        allows: impl Fn(&str) -> bool + Send + Sync + 'static,
    ) -> Result<TlsAcceptor, TlsError> {
        let (authority, allows) = (self.clone(), Box::new(allows));
        self.acceptor_by(ByName { authority, address, presented: Arc::default(), allows })
    }

    fn acceptor_by(&self, names: ByName) -> Result<TlsAcceptor, TlsError> {
        let mut config = ServerConfig::builder_with_provider(self.provider.clone())
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(names));
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(TlsAcceptor::from(Arc::new(config)))
    }

    /// A connector that trusts this authority and no other: how CloudFront looks at its origins' certificates.
    pub fn connector(&self) -> Result<TlsConnector, TlsError> {
        let mut roots = RootCertStore::empty();
        let own = CertificateDer::from_pem_slice(self.pem.as_bytes());
        let own = own.map_err(|_| rustls::Error::General("the authority's certificate cannot be read".into()))?;
        roots.add(own)?;
        let mut config = ClientConfig::builder_with_provider(self.provider.clone())
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(TlsConnector::from(Arc::new(config)))
    }

    /// A certificate chain and its key for `name` (a DNS name or an address), as PEM: for the box's copy and app hosts.
    pub fn issue_pem(&self, name: &str) -> Result<(String, String), TlsError> {
        let key = KeyPair::generate()?;
        let certificate = server_params(&[name.to_owned()])?.signed_by(&key, &self.issuer)?;
        Ok((certificate.pem() + &self.pem, key.serialize_pem()))
    }

    /// The certificate that listeners present for these names, and the one above it, as PEM.
    pub fn presented_pem(&self, names: &[String]) -> Result<(String, String), TlsError> {
        let certified = self.certified(names)?;
        let leaf = BASE64_STANDARD.encode(certified.cert.first().map(AsRef::as_ref).unwrap_or_default());
        let lines: Vec<_> = leaf.as_bytes().chunks(64).map(String::from_utf8_lossy).collect();
        let leaf = format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"));
        Ok((leaf, self.pem.clone()))
    }

    fn certified(&self, names: &[String]) -> Result<Arc<CertifiedKey>, TlsError> {
        if let Some(kept) = self.issued.read().unwrap_or_else(PoisonError::into_inner).get(names) {
            return Ok(kept.clone());
        }
        let certificate = server_params(names)?.signed_by(&self.server_key, &self.issuer)?;
        let chain = vec![CertificateDer::from(certificate.der().to_vec())];
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(self.server_key.serialize_der()));
        let certified = Arc::new(CertifiedKey::from_der(chain, key, &self.provider)?);
        let mut issued = self.issued.write().unwrap_or_else(PoisonError::into_inner);
        if issued.len() >= NAMES_KEPT {
            issued.clear();
        }
        issued.insert(names.to_vec(), certified.clone());
        Ok(certified)
    }
}

/// Fixed, so that an authority read from disk issues under the same name.
fn authority_params() -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, "outgrow rehearsal CA");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

fn server_params(names: &[String]) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name = DistinguishedName::new();
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    Ok(params)
}

fn read(path: &Path) -> Result<Option<String>, TlsError> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(TlsError::File { path: path.to_owned(), source }),
    }
}

/// Written beside and renamed, so that a crash leaves no half key.
fn write(path: &Path, text: &str, mode: u32) -> Result<(), TlsError> {
    let failed = |source| TlsError::File { path: path.to_owned(), source };
    let beside = path.with_extension("new");
    let mut file =
        std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(&beside).map_err(failed)?;
    io::Write::write_all(&mut file, text.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)?;
    std::fs::rename(&beside, path).map_err(failed)
}

struct ByName {
    authority: Arc<Authority>,
    address: IpAddr,
    presented: Arc<Presented>,
    allows: Box<dyn Fn(&str) -> bool + Send + Sync>,
}

impl std::fmt::Debug for ByName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ByName").field("address", &self.address).finish_non_exhaustive()
    }
}

impl ResolvesServerCert for ByName {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let asked = hello.server_name().map(str::to_ascii_lowercase);
        if asked.as_deref().is_some_and(|name| !(self.allows)(name)) {
            return None;
        }
        let names = match self.presented.choose(asked.as_deref()) {
            Some(held) => held.names,
            None => vec![asked.unwrap_or_else(|| self.address.to_string())],
        };
        let certified = self.authority.certified(&names);
        certified.inspect_err(|error| tracing::warn!(%error, "no certificate for a client of the edge")).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_authority_survives_a_restart_and_a_lost_half_is_made_anew() {
        let dir = tempfile::tempdir().unwrap();
        let first = Authority::open(dir.path()).unwrap().pem().to_owned();
        assert_eq!(Authority::open(dir.path()).unwrap().pem(), first);
        std::fs::remove_file(dir.path().join("ca.pem")).unwrap();
        assert_ne!(Authority::open(dir.path()).unwrap().pem(), first);
    }

    #[test]
    fn what_is_shown_is_what_is_presented() {
        let dir = tempfile::tempdir().unwrap();
        let authority = Authority::open(dir.path()).unwrap();
        let names = ["shop.test".to_owned(), "*.shop.test".to_owned()];
        let (leaf, above) = authority.presented_pem(&names).unwrap();
        let read = <CertificateDer<'_> as rustls::pki_types::pem::PemObject>::from_pem_slice(leaf.as_bytes()).unwrap();
        assert_eq!(read, authority.certified(&names).unwrap().cert[0]);
        assert_eq!(above, authority.pem());
    }

    #[test]
    fn a_damaged_key_is_refused_and_left_as_it_is() {
        let dir = tempfile::tempdir().unwrap();
        Authority::open(dir.path()).unwrap();
        std::fs::write(dir.path().join("ca.key"), "no key").unwrap();
        assert!(matches!(Authority::open(dir.path()), Err(TlsError::Rcgen(_))));
        assert_eq!(std::fs::read_to_string(dir.path().join("ca.key")).unwrap(), "no key");
    }
}
