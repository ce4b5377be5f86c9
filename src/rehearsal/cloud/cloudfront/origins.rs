//! The origins of a distribution: buckets and web servers.

use std::collections::BTreeMap;
use std::time::Duration;

use super::super::super::state::{Origin, OriginKind, State};
use super::super::wire::{ApiError, Node, refuse};
use super::{cannot, invalid};

/// Source: CloudFront guide, cloudfront-limits, "Origins per distribution".
const MOST: usize = 100;
/// Source: CloudFront guide, cloudfront-limits, "Custom headers: maximum number per origin".
const MOST_HEADERS: usize = 30;

/// The origins of a complete configuration.
pub(super) fn read(state: &State, config: &Node) -> Result<BTreeMap<String, Origin>, ApiError> {
    let mut origins = BTreeMap::new();
    let given = config.child("Origins");
    for node in given.into_iter().flat_map(|o| o.items("Items")) {
        let id = node.get("Id").ok_or_else(|| invalid("The parameter origin Id is required.".into()))?;
        if origins.insert(id.to_owned(), origin(state, node)?).is_some() {
            return Err(invalid(format!("The parameter Origins holds the id {id} twice.")));
        }
    }
    match origins.len() {
        0 => Err(invalid("The parameter Origins must hold at least one origin.".into())),
        1..=MOST => Ok(origins),
        many => Err(refuse(
            "TooManyOrigins",
            format!("Your request contains {many} origins; a distribution may have {MOST}."),
        )),
    }
}

fn origin(state: &State, node: &Node) -> Result<Origin, ApiError> {
    let domain = node.get("DomainName").unwrap_or_default().to_ascii_lowercase();
    let is_name = domain.contains('.') && domain.parse::<std::net::IpAddr>().is_err();
    let letters = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    if !is_name || !domain.chars().all(letters) {
        return Err(invalid(format!("The parameter origin name must be a domain name: {domain}")));
    }
    let path = node.get("OriginPath").unwrap_or_default();
    if !path.is_empty() && (!path.starts_with('/') || path.ends_with('/')) {
        return Err(invalid("The parameter OriginPath must begin with / and not end with it.".into()));
    }
    let headers: Vec<_> = node
        .child("CustomHeaders")
        .into_iter()
        .flat_map(|h| h.items("Items"))
        .map(|h| {
            (h.get("HeaderName").unwrap_or_default().to_owned(), h.get("HeaderValue").unwrap_or_default().to_owned())
        })
        .collect();
    if headers.len() > MOST_HEADERS {
        return Err(refuse("TooManyOriginCustomHeaders", "Your request contains too many origin custom headers."));
    }
    if node.child("OriginShield").is_some_and(|s| s.get("Enabled") == Some("true")) {
        return Err(cannot("has no Origin Shield"));
    }
    let kind = match (node.child("S3OriginConfig"), node.child("CustomOriginConfig")) {
        (Some(s3), None) => bucket(state, node, s3, &domain)?,
        (None, Some(custom)) => web_server(node, custom)?,
        _ => {
            let message = "Exactly one of CustomOriginConfig, VpcOriginConfig and S3OriginConfig must be specified";
            return Err(invalid(message.into()));
        }
    };
    Ok(Origin { domain, path: path.to_owned(), headers, kind })
}

fn bucket(state: &State, node: &Node, s3: &Node, domain: &str) -> Result<OriginKind, ApiError> {
    let name = bucket_of(domain)
        .ok_or_else(|| invalid("The parameter Origin DomainName does not refer to a valid S3 bucket.".into()))?;
    let access = node.get("OriginAccessControlId");
    if s3.get("OriginAccessIdentity").is_some() {
        if access.is_some() {
            let message =
                "An origin cannot contain both an origin access control (OAC) and an origin access identity (OAI).";
            return Err(refuse("IllegalOriginAccessConfiguration", message));
        }
        return Err(cannot("has no origin access identities; take an origin access control"));
    }
    let signed = match access {
        None => false,
        Some(id) => {
            let control = state.cdn.access_controls.get(id).filter(|c| c.origin_type == "s3");
            let message = format!("The origin access control is not valid: {id}");
            control.ok_or_else(|| refuse("InvalidOriginAccessControl", message))?.signing != "never"
        }
    };
    Ok(OriginKind::Bucket { bucket: name.to_owned(), access: access.map(str::to_owned), signed })
}

/// The bucket of a REST endpoint: `NAME.s3.amazonaws.com`, `NAME.s3.REGION.amazonaws.com`, `NAME.s3-REGION.…`.
fn bucket_of(domain: &str) -> Option<&str> {
    let before = domain.strip_suffix(".amazonaws.com")?;
    let at = before.rfind(".s3")?;
    let (name, rest) = (&before[..at], &before[at + 3..]);
    let region = rest.is_empty() || (rest.starts_with(['.', '-']) && !rest[1..].contains('.') && rest.len() > 1);
    let is_website = rest.starts_with("-website");
    (!name.is_empty() && region && !is_website).then_some(name)
}

fn web_server(node: &Node, custom: &Node) -> Result<OriginKind, ApiError> {
    if node.get("OriginAccessControlId").is_some() {
        let message = "The origin access control is for another type of origin than this domain name's.";
        return Err(refuse("InvalidDomainNameForOriginAccessControl", message));
    }
    let port = |name: &str| -> Result<u16, ApiError> {
        match custom.number::<u16>(name).ok().flatten() {
            Some(port) if matches!(port, 80 | 443) || port >= 1024 => Ok(port),
            _ => Err(invalid(format!("The parameter {name} must be 80, 443 or 1024 to 65535."))),
        }
    };
    let protocol = custom.get("OriginProtocolPolicy").unwrap_or_default();
    if !["http-only", "https-only", "match-viewer"].contains(&protocol) {
        return Err(invalid(format!("The parameter OriginProtocolPolicy has no value {protocol}.")));
    }
    let seconds = |name: &str, code, most| match custom.number::<u64>(name).ok().flatten() {
        Some(seconds) if (1..=most).contains(&seconds) => Ok(seconds),
        _ => Err(refuse(code, format!("The parameter {name} must be 1 to {most} seconds."))),
    };
    let patience = seconds("OriginReadTimeout", "InvalidOriginReadTimeout", 120)?;
    seconds("OriginKeepaliveTimeout", "InvalidOriginKeepaliveTimeout", 120)?;
    Ok(OriginKind::Custom {
        http_port: port("HTTPPort")?,
        https_port: port("HTTPSPort")?,
        protocol: protocol.to_owned(),
        patience: Duration::from_secs(patience),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_is_read_out_of_its_domain_name() {
        for (domain, bucket) in [
            ("pages.s3.amazonaws.com", Some("pages")),
            ("pages.s3.ap-northeast-2.amazonaws.com", Some("pages")),
            ("pages.s3-eu-west-1.amazonaws.com", Some("pages")),
            ("a.b.s3.amazonaws.com", Some("a.b")),
            ("pages.s3-website-eu-west-1.amazonaws.com", None),
            ("shop-1.ap-northeast-2.elb.amazonaws.com", None),
            ("s3.amazonaws.com", None),
        ] {
            assert_eq!(bucket_of(domain), bucket, "{domain}");
        }
    }
}
