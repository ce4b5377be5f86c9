//! The copied box as its visitors meet it: whom its certificate comes from, and whether the app answers behind it.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use base64::Engine as _;
use bytes::Bytes;
use http::{Request, header};
use http_body_util::Empty;
use hyper_util::rt::TokioIo;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use super::patience::until;
use super::{Result, WorldError};
use crate::rehearsal::edge::{TlsError, balancer};

/// How long the copied app may take to be well.
const START: Duration = Duration::from_secs(90);

/// A proxy and the name it is asked for.
#[derive(Debug, Clone)]
pub struct Front {
    /// The proxy's address; it listens on 443.
    pub address: Ipv4Addr,
    /// The name.
    pub name: String,
}

impl Front {
    /// Waits until `path` answers 200 through the proxy.
    pub async fn well(&self, path: &str) -> Result<()> {
        until(&format!("https://{}{path} on the box's copy was not well", self.name), START, || self.once(path)).await
    }

    /// The authority to trust for this proxy, as PEM: the last certificate of the chain it presents.
    pub async fn authority(&self) -> Result<String> {
        let stream = self.connect().await.map_err(|why| self.failed(&why))?;
        let chain = stream.get_ref().1.peer_certificates().unwrap_or_default();
        let last = chain.last().ok_or_else(|| self.failed("it presents no certificate"))?;
        Ok(pem(last))
    }

    async fn once(&self, path: &str) -> std::result::Result<(), String> {
        let stream = self.connect().await?;
        let handshake = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
        let (mut sender, connection) = handshake.map_err(|e| e.to_string())?;
        let request = Request::get(path)
            .header(header::HOST, &self.name)
            .header(header::CONNECTION, "close")
            .body(Empty::<Bytes>::new())
            .map_err(|e| e.to_string())?;
        let mut answered = std::pin::pin!(sender.send_request(request));
        let answered = tokio::select! {
            answered = &mut answered => answered,
            // The connection may end in the very moment it hands the answer over.
            _ = connection => answered.await,
        };
        match answered.map_err(|e| e.to_string())?.status() {
            http::StatusCode::OK => Ok(()),
            other => Err(format!("status {}", other.as_u16())),
        }
    }

    async fn connect(&self) -> std::result::Result<TlsStream<TcpStream>, String> {
        let tls = balancer::connector().map_err(|e| e.to_string())?;
        let name = ServerName::try_from(self.name.clone()).map_err(|e| e.to_string())?;
        let tcp = TcpStream::connect(SocketAddr::from((self.address, 443))).await.map_err(|e| e.to_string())?;
        tls.connect(name, tcp).await.map_err(|e| e.to_string())
    }

    fn failed(&self, why: &str) -> WorldError {
        WorldError::Box(format!("its proxy does not answer for {} by TLS: {why}", self.name))
    }
}

/// Trusts nothing it should not: what is read back must be a certificate.
pub fn trustable(pem: &str) -> Result<()> {
    use rustls::pki_types::pem::PemObject as _;
    let mut roots = rustls::RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        let certificate = certificate.map_err(|e| WorldError::Box(format!("its proxy's certificate: {e}")))?;
        roots.add(certificate).map_err(TlsError::from)?;
    }
    Ok(())
}

fn pem(certificate: &CertificateDer<'_>) -> String {
    let text = base64::engine::general_purpose::STANDARD.encode(certificate);
    let mut pem = String::from("-----BEGIN CERTIFICATE-----\n");
    for line in text.as_bytes().chunks(64) {
        pem.push_str(&String::from_utf8_lossy(line));
        pem.push('\n');
    }
    pem + "-----END CERTIFICATE-----\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_written_as_it_was_read() {
        let key = rcgen::KeyPair::generate().unwrap();
        let made = rcgen::CertificateParams::new(vec!["shop.test".into()]).unwrap().self_signed(&key).unwrap();
        let written = pem(made.der());
        assert_eq!(written.replace("\r\n", "\n"), made.pem().replace("\r\n", "\n"));
        trustable(&written).unwrap();
    }
}
