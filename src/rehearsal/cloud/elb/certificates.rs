//! Certificates of HTTPS listeners: a default one, and more for other names.

use super::super::super::state::State;
use super::super::Cloud;
use super::super::law::Law;
use super::super::wire::operation::Output;
use super::super::wire::{ApiError, Node, refuse};
use super::{listeners, page};

/// The most certificates of a balancer beside the default ones (ELB guide: load-balancer-limits).
const MOST: usize = 25;

/// The certificates a request names.
pub(super) fn given(input: &Node) -> Vec<String> {
    input.items("Certificates").filter_map(|c| c.get("CertificateArn")).map(str::to_owned).collect()
}

/// A certificate that a balancer of the region can use: there, of the region (law C1), and issued.
pub(super) fn usable(cloud: &Cloud, state: &State, arn: &str) -> Result<(), ApiError> {
    let here = format!("arn:aws:acm:{}:", cloud.settings().region);
    if !arn.starts_with(&here) {
        return Err(refuse("CertificateNotFound", format!("Certificate ARN '{arn}' is not valid")).by(Law::C1));
    }
    match state.certificates.get(arn) {
        None => Err(refuse("CertificateNotFound", format!("Certificate '{arn}' not found")).by(Law::C1)),
        Some(certificate) if certificate.status != "ISSUED" => {
            let why = format!(
                "The certificate '{arn}' must have a fully-qualified domain name, a supported signature, and a \
                 supported key size. Its status is {}.",
                certificate.status
            );
            Err(refuse("UnsupportedCertificate", why).by(Law::C1))
        }
        Some(_) => Ok(()),
    }
}

/// The one certificate an HTTPS listener is made with; an HTTP one must not have any.
pub(super) fn for_listener(
    cloud: &Cloud,
    state: &State,
    protocol: &str,
    given: Vec<String>,
) -> Result<Vec<String>, ApiError> {
    match (protocol, given.as_slice()) {
        ("HTTPS", []) => Err(refuse("ValidationError", "A certificate must be specified for HTTPS listeners")),
        ("HTTPS", [one]) => usable(cloud, state, one).map(|()| given.clone()),
        ("HTTPS", many) => {
            let why = format!("Up to '1' certificate ARNs can be specified, but '{}' were specified", many.len());
            Err(refuse("ValidationError", why))
        }
        ("HTTP", []) => Ok(given),
        ("HTTP", _) => Err(refuse("ValidationError", "A certificate cannot be specified for HTTP listeners")),
        (other, _) => {
            let why = format!("an application load balancer has no listener protocol '{other}'");
            Err(refuse("UnsupportedProtocol", why))
        }
    }
}

fn node(arn: &str, is_default: bool) -> Node {
    Node::default().put("CertificateArn", arn).put("IsDefault", is_default)
}

fn of_https(state: &State, arn: &str) -> Result<(), ApiError> {
    if listeners::find(state, arn)?.protocol == "HTTPS" {
        return Ok(());
    }
    Err(refuse("UnsupportedProtocol", format!("The listener '{arn}' is no HTTPS listener, which has no certificates")))
}

pub(super) fn add(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    let (arn, given) = (input.need("ListenerArn")?, given(input));
    if given.is_empty() {
        return Err(refuse("ValidationError", "At least one certificate must be specified"));
    }
    cloud.change_whole(false, |state| {
        of_https(state, arn)?;
        for certificate in &given {
            usable(cloud, state, certificate)?;
        }
        if let Some(listener) = state.listeners.get_mut(arn) {
            for certificate in &given {
                if !listener.certificates.contains(certificate) {
                    listener.certificates.push(certificate.clone());
                }
            }
            if listener.certificates.len() > MOST + 1 {
                let why = format!("A load balancer has at most {MOST} certificates beside the default ones");
                return Err(refuse("TooManyCertificates", why));
            }
        }
        Ok(Node::default().list("Certificates", "member", given.iter().map(|arn| node(arn, false))).into())
    })
}

pub(super) fn remove(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    let (arn, given) = (input.need("ListenerArn")?, given(input));
    cloud.change_whole(false, |state| {
        let own = &listeners::find(state, arn)?.certificates;
        if own.first().is_some_and(|default| given.contains(default)) {
            return Err(refuse("OperationNotPermitted", "Default certificate cannot be removed from a listener"));
        }
        if let Some(listener) = state.listeners.get_mut(arn) {
            listener.certificates.retain(|certificate| !given.contains(certificate));
        }
        Ok(Node::default().into())
    })
}

pub(super) fn describe(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    let state = cloud.shared().lock();
    let own = &listeners::find(&state, input.need("ListenerArn")?)?.certificates;
    let found = own.iter().enumerate().map(|(n, arn)| node(arn, n == 0)).collect();
    Ok(page(input, "Certificates", found)?.into())
}
