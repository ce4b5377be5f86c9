//! The certificate viewers see, and the alternate names it has to cover (law C1).

use std::collections::BTreeSet;

use super::super::super::state::State;
use super::super::law::Law;
use super::super::wire::{ApiError, Node, refuse};
use super::{cannot, invalid};

/// The region a distribution's certificate has to be in.
const REGION: &str = "us-east-1";

/// Source: CloudFront API reference, `ViewerCertificate`, `MinimumProtocolVersion`.
const VERSIONS: &[&str] = &[
    "TLSv1",
    "TLSv1_2016",
    "TLSv1.1_2016",
    "TLSv1.2_2018",
    "TLSv1.2_2019",
    "TLSv1.2_2021",
    "TLSv1.2_2025",
    "TLSv1.3_2025",
];

/// The structure as AWS shows it.
pub(super) fn shown(given: Option<&Node>) -> Result<Node, ApiError> {
    let node = Node::new("ViewerCertificate");
    let arn = given.and_then(|g| g.get("ACMCertificateArn"));
    if given.and_then(|g| g.get("IAMCertificateId")).is_some() {
        return Err(cannot("has no certificates of IAM; take one of ACM"));
    }
    let default = given.is_some_and(|g| g.flag("CloudFrontDefaultCertificate").is_ok_and(|f| f == Some(true)));
    let Some(arn) = arn else {
        return Ok(node
            .put("CloudFrontDefaultCertificate", true)
            .put("SSLSupportMethod", "vip")
            .put("MinimumProtocolVersion", "TLSv1")
            .put("CertificateSource", "cloudfront"));
    };
    if default {
        let message = "CloudFrontDefaultCertificate and ACMCertificateArn exclude each other.";
        return Err(refuse("InvalidViewerCertificate", message));
    }
    let method = given.and_then(|g| g.get("SSLSupportMethod"));
    let method =
        method.ok_or_else(|| invalid("The parameter SSLSupportMethod is required with ACMCertificateArn.".into()))?;
    if method != "sni-only" {
        return Err(match method {
            "vip" | "static-ip" => cannot("has no dedicated addresses; take the SSLSupportMethod sni-only"),
            _ => invalid(format!("The parameter SSLSupportMethod has no value {method}.")),
        });
    }
    let version = given.and_then(|g| g.get("MinimumProtocolVersion")).unwrap_or("TLSv1");
    if !VERSIONS.contains(&version) {
        let message = format!("The specified minimum protocol version is not valid: {version}");
        return Err(refuse("InvalidMinimumProtocolVersion", message));
    }
    Ok(node
        .put("CloudFrontDefaultCertificate", false)
        .put("ACMCertificateArn", arn)
        .put("SSLSupportMethod", method)
        .put("MinimumProtocolVersion", version)
        .put("Certificate", arn)
        .put("CertificateSource", "acm"))
}

/// The certificate's ARN, if it is one that covers every alias; nothing for CloudFront's own.
pub(super) fn read(state: &State, config: &Node, aliases: &BTreeSet<String>) -> Result<Option<String>, ApiError> {
    let wrong = |message: &str| refuse("InvalidViewerCertificate", message).by(Law::C1);
    let Some(arn) = config.child("ViewerCertificate").and_then(|c| c.get("ACMCertificateArn")) else {
        if aliases.is_empty() {
            return Ok(None);
        }
        return Err(wrong(
            "To add an alternate domain name (CNAME) to a CloudFront distribution, you must attach a trusted certificate that validates your authorization to use the domain name.",
        ));
    };
    let unusable = "The specified SSL certificate doesn't exist, isn't in us-east-1 region, isn't valid, or doesn't include a valid certificate chain.";
    let region = arn.split(':').nth(3).unwrap_or_default();
    let certificate = state.certificates.get(arn).filter(|c| region == REGION && c.status == "ISSUED");
    let certificate = certificate.ok_or_else(|| wrong(unusable))?;
    if let Some(bare) = aliases.iter().find(|alias| !certificate.names.iter().any(|name| covers(name, alias))) {
        return Err(wrong(&format!(
            "The certificate that is attached to your distribution doesn't cover the alternate domain name (CNAME) that you're trying to add: {bare}"
        )));
    }
    Ok(Some(arn.to_owned()))
}

/// Whether a certificate's name holds for a host: a leading `*.` stands for one label.
pub(super) fn covers(name: &str, host: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name == host
        || name
            .strip_prefix("*.")
            .is_some_and(|parent| host.split_once('.').is_some_and(|(first, rest)| first != "*" && rest == parent))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_one_label() {
        for (name, host, covered) in [
            ("www.shop.test", "www.shop.test", true),
            ("*.shop.test", "www.shop.test", true),
            ("*.shop.test", "*.shop.test", true),
            ("*.shop.test", "shop.test", false),
            ("*.shop.test", "a.b.shop.test", false),
            ("www.shop.test", "*.shop.test", false),
        ] {
            assert_eq!(covers(name, host), covered, "{name} for {host}");
        }
    }

    #[test]
    fn the_shown_certificate_says_where_it_comes_from() {
        let own = shown(None).unwrap();
        assert_eq!(
            (own.get("CertificateSource"), own.get("MinimumProtocolVersion")),
            (Some("cloudfront"), Some("TLSv1"))
        );
        let acm = Node::new("ViewerCertificate").put("ACMCertificateArn", "arn:x");
        assert_eq!(shown(Some(&acm)).unwrap_err().code, "InvalidArgument", "without SSLSupportMethod");
        let acm = acm.put("SSLSupportMethod", "sni-only");
        assert_eq!(shown(Some(&acm)).unwrap().get("Certificate"), Some("arn:x"));
        let old = acm.put("MinimumProtocolVersion", "SSLv3");
        assert_eq!(shown(Some(&old)).unwrap_err().code, "InvalidMinimumProtocolVersion");
    }
}
