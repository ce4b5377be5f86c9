//! `DescribeCertificate` and `GetCertificate`.

use std::sync::PoisonError;

use super::super::super::state::{Certificate, State};
use super::super::Cloud;
use super::super::wire::operation::Output;
use super::super::wire::{ApiError, Node, refuse};
use super::{fact, find, key_algorithm, users, validation, validity};

/// The purposes of a public certificate, with their object identifiers.
pub(super) const PURPOSES: &[(&str, &str)] = &[("TLS_WEB_SERVER_AUTHENTICATION", "1.3.6.1.5.5.7.3.1")];

/// What a certificate's key is used for.
pub(super) fn key_usages(algorithm: &str) -> &'static [&'static str] {
    if algorithm.starts_with("RSA") { &["DIGITAL_SIGNATURE", "KEY_ENCIPHERMENT"] } else { &["DIGITAL_SIGNATURE"] }
}

/// Who makes the certificates that the data plane presents.
pub trait CertificateIssuer: Send + Sync {
    /// The certificate for these names as PEM, and the chain above it.
    ///
    /// # Errors
    /// What kept it from being made.
    fn chain(&self, names: &[String]) -> Result<(String, String), String>;
}

pub(super) fn describe(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    let state = cloud.shared().lock();
    let (arn, certificate) = find(cloud, &state, input)?;
    let detail = Node { name: "Certificate".into(), ..detail(&state, &arn, certificate) };
    Ok(Node::default().with(detail).into())
}

fn detail(state: &State, arn: &str, certificate: &Certificate) -> Node {
    let users = users(state, arn);
    let algorithm = key_algorithm(state, arn);
    let options = certificate.validation.iter().map(|proof| option(state, certificate, proof));
    let node = Node::default()
        .put("CertificateArn", arn)
        .put("DomainName", &certificate.domain)
        .texts_list("SubjectAlternativeNames", "member", &certificate.names)
        .list("DomainValidationOptions", "member", options)
        .put("Subject", format!("CN={}", certificate.domain))
        .put("Issuer", "Amazon")
        .put("CreatedAt", certificate.created)
        .put("Status", &certificate.status)
        .put("KeyAlgorithm", algorithm)
        .put("SignatureAlgorithm", if algorithm.starts_with("EC") { "SHA256WITHECDSA" } else { "SHA256WITHRSA" })
        .texts_list("InUseBy", "member", &users)
        .put("Type", "AMAZON_ISSUED")
        .put("RenewalEligibility", if issued(certificate) && !users.is_empty() { "ELIGIBLE" } else { "INELIGIBLE" })
        .put_some("FailureReason", fact(state, arn, "failure"))
        .with(
            Node::new("Options").put("CertificateTransparencyLoggingPreference", "ENABLED").put("Export", "DISABLED"),
        );
    let Some(at) = certificate.issued.filter(|_| issued(certificate)) else {
        return node.list("KeyUsages", "member", []).list("ExtendedKeyUsages", "member", []);
    };
    let (from, until) = validity(at);
    let usages = key_usages(algorithm).iter().map(|name| Node::default().put("Name", *name));
    let purposes = PURPOSES.iter().map(|(name, oid)| Node::default().put("Name", *name).put("OID", *oid));
    node.put("IssuedAt", at)
        .put("NotBefore", from)
        .put("NotAfter", until)
        .put("Serial", serial(arn))
        .list("KeyUsages", "member", usages)
        .list("ExtendedKeyUsages", "member", purposes)
}

fn issued(certificate: &Certificate) -> bool {
    certificate.status == "ISSUED"
}

/// A serial number in AWS's writing, the same whenever it is asked for.
fn serial(arn: &str) -> String {
    let digits: String = arn.rsplit('/').next().unwrap_or_default().chars().filter(char::is_ascii_hexdigit).collect();
    digits.as_bytes().chunks(2).map(String::from_utf8_lossy).collect::<Vec<_>>().join(":")
}

fn option(state: &State, certificate: &Certificate, proof: &(String, String, String)) -> Node {
    let (name, record, value) = proof;
    let status = match certificate.status.as_str() {
        "ISSUED" => "SUCCESS",
        "PENDING_VALIDATION" if validation::proven(state, proof) => "SUCCESS",
        "PENDING_VALIDATION" => "PENDING_VALIDATION",
        _ => "FAILED",
    };
    Node::default()
        .put("DomainName", name)
        .put("ValidationDomain", name)
        .put("ValidationStatus", status)
        .with(Node::new("ResourceRecord").put("Name", record).put("Type", "CNAME").put("Value", value))
        .put("ValidationMethod", "DNS")
}

pub(super) fn get(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    let names = {
        let state = cloud.shared().lock();
        let (arn, certificate) = find(cloud, &state, input)?;
        match certificate.status.as_str() {
            "ISSUED" => certificate.names.clone(),
            "PENDING_VALIDATION" => {
                return Err(refuse("RequestInProgressException", format!("Certificate {arn} request is in progress.")));
            }
            // there is nothing to get, and never will be
            other => {
                let message = format!("Certificate {arn} was never issued: it is {other}.");
                return Err(refuse("ResourceNotFoundException", message));
            }
        }
    };
    let issuer = cloud.inner.certificate_issuer.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let issuer = issuer.ok_or_else(|| {
        refuse("InternalFailure", "the rehearsal cloud has no data plane here whose certificates it could show")
            .status(500)
    })?;
    let (leaf, chain) = issuer.chain(&names).map_err(|why| refuse("InternalFailure", why).status(500))?;
    Ok(Node::default().put("Certificate", leaf).put("CertificateChain", chain).into())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::super::testing::{Rig, ask, refused};
    use super::*;

    struct Fake;

    impl CertificateIssuer for Fake {
        fn chain(&self, names: &[String]) -> Result<(String, String), String> {
            Ok((format!("leaf of {}", names.join(" ")), "chain".into()))
        }
    }

    #[test]
    fn a_new_certificate_tells_the_record_it_waits_for() {
        let rig = Rig::new();
        let arn = rig.asked(&ask("*.Shop.test").put("KeyAlgorithm", "EC_prime256v1"));
        let described = rig.describe(&arn);
        assert_eq!(described.get("DomainName"), Some("*.shop.test"));
        assert_eq!(described.texts("SubjectAlternativeNames"), ["*.shop.test"]);
        assert_eq!(
            (described.get("KeyAlgorithm"), described.get("Type")),
            (Some("EC_prime256v1"), Some("AMAZON_ISSUED"))
        );
        assert!(described.get("IssuedAt").is_none() && described.get("NotAfter").is_none());
        let option = described.items("DomainValidationOptions").next().unwrap();
        let record = option.child("ResourceRecord").unwrap();
        assert_eq!(record.get("Type"), Some("CNAME"));
        assert_eq!(record.get("Name").map(str::to_owned), Some(validation::proof("shop.test").0));
        assert_eq!(option.get("ValidationStatus"), Some("PENDING_VALIDATION"));
    }

    #[test]
    fn an_issued_certificate_tells_when_and_until_when() {
        let rig = Rig::new();
        let arn = rig.issued("shop.test");
        let described = rig.describe(&arn);
        let certificate = rig.cloud.shared().lock().certificates[&arn].clone();
        let (from, until) = validity(certificate.issued.unwrap());
        assert_eq!(until.duration_since(from).unwrap(), Duration::from_hours(198 * 24) - Duration::from_secs(1));
        assert_eq!(described.get("NotAfter").map(str::to_owned), Some(super::super::super::iso(until)));
        assert_eq!(described.items("KeyUsages").count(), 2);
        assert_eq!(described.get("Serial").unwrap().len(), 16 * 3 - 1);
    }

    #[test]
    fn the_chain_is_there_once_it_is_issued() {
        let rig = Rig::new();
        rig.cloud.set_certificate_issuer(Arc::new(Fake));
        let pending = rig.request("www.shop.test");
        refused(rig.call("GetCertificate", &rig.of(&pending)), "RequestInProgressException");
        let arn = rig.issued("shop.test");
        let got = rig.call("GetCertificate", &rig.of(&arn)).unwrap();
        assert_eq!(got.get("Certificate"), Some("leaf of shop.test"));
    }
}
