//! An engine's certificates: an authority of its own, one certificate for the engine and one for its clients.

use std::net::Ipv4Addr;

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, Error, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose,
};

/// A certificate and its key, as PEM.
pub struct Pair {
    pub certificate: String,
    pub key: String,
}

/// All that one host needs.
pub struct Certificates {
    /// The authority's certificate; its key is thrown away.
    pub authority: String,
    pub server: Pair,
    pub client: Pair,
}

/// Makes them for the engine at `address`.
pub fn make(address: Ipv4Addr) -> Result<Certificates, Error> {
    let mut params = named("outgrow rehearsal engine CA");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let key = KeyPair::generate()?;
    let authority = params.self_signed(&key)?.pem();
    let issuer = Issuer::new(params, key);
    let mut server = CertificateParams::new(vec![address.to_string()])?;
    server.distinguished_name = named("engine").distinguished_name;
    server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let mut client = named("outgrow");
    client.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    Ok(Certificates { authority, server: signed(&server, &issuer)?, client: signed(&client, &issuer)? })
}

fn named(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params
}

fn signed(params: &CertificateParams, issuer: &Issuer<'static, KeyPair>) -> Result<Pair, Error> {
    let key = KeyPair::generate()?;
    Ok(Pair { certificate: params.signed_by(&key, issuer)?.pem(), key: key.serialize_pem() })
}
