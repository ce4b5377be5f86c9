//! Listeners.

use std::collections::BTreeMap;

use super::super::super::state::{Listener, State};
use super::super::Cloud;
use super::super::law::Law;
use super::super::wire::operation::Output;
use super::super::wire::{ApiError, Node, refuse};
use super::{actions, arn_below, balancers, not_found, page, tags};

/// The listener of an ARN.
pub(super) fn find<'a>(state: &'a State, arn: &str) -> Result<&'a Listener, ApiError> {
    state.listeners.get(arn).ok_or_else(|| not_found("ListenerNotFound", "listeners"))
}

fn node(arn: &str, listener: &Listener) -> Node {
    let certificates = listener.certificates.first().map(|c| Node::default().put("CertificateArn", c));
    let https = listener.protocol == "HTTPS";
    Node::default()
        .put("ListenerArn", arn)
        .put("LoadBalancerArn", &listener.balancer)
        .put("Port", listener.port)
        .put("Protocol", &listener.protocol)
        .list("Certificates", "member", certificates)
        .put_some("SslPolicy", https.then_some("ELBSecurityPolicy-2016-08"))
        .list("DefaultActions", "member", [actions::node(&listener.default_action)])
}

/// The certificates given, which an HTTPS listener needs and an HTTP one must not have.
fn certificates(cloud: &Cloud, protocol: &str, given: Vec<String>) -> Result<Vec<String>, ApiError> {
    match (protocol, given.first()) {
        ("HTTPS", None) => Err(refuse("ValidationError", "A certificate must be specified for HTTPS listeners")),
        ("HTTP", Some(_)) => Err(refuse("ValidationError", "A certificate cannot be specified for HTTP listeners")),
        ("HTTP" | "HTTPS", _) => {
            let here = format!("arn:aws:acm:{}:", cloud.settings().region);
            match given.iter().find(|arn| !arn.starts_with(&here) && !arn.starts_with("arn:aws:iam::")) {
                Some(arn) => {
                    let message = format!("Certificate ARN '{arn}' is not valid");
                    Err(refuse("CertificateNotFound", message).by(Law::C1))
                }
                None => Ok(given),
            }
        }
        (other, _) => Err(refuse(
            "UnsupportedProtocol",
            format!("an application load balancer has no listener protocol '{other}'"),
        )),
    }
}

fn given_certificates(input: &Node) -> Vec<String> {
    input.items("Certificates").filter_map(|c| c.get("CertificateArn")).map(str::to_owned).collect()
}

fn given_port(input: &Node) -> Result<Option<u16>, ApiError> {
    match input.number::<u16>("Port")? {
        Some(0) => Err(refuse("ValidationError", "Port '0' must be between 1 and 65535")),
        port => Ok(port),
    }
}

fn free_port(state: &State, balancer: &str, port: u16, but: &str) -> Result<(), ApiError> {
    let taken = state.listeners.iter().any(|(arn, l)| l.balancer == balancer && l.port == port && arn != but);
    if taken {
        let message = format!("A listener already exists on this port for this load balancer '{balancer}'");
        return Err(refuse("DuplicateListener", message));
    }
    Ok(())
}

pub(super) fn create(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    let balancer = input.need("LoadBalancerArn")?;
    let missing = |what: &str| refuse("ValidationError", format!("A listener {what} must be specified"));
    let port = given_port(input)?.ok_or_else(|| missing("port"))?;
    let protocol = input.get("Protocol").ok_or_else(|| missing("protocol"))?;
    let certificates = certificates(cloud, protocol, given_certificates(input))?;
    cloud.change(|state| {
        balancers::find(state, balancer)?;
        free_port(state, balancer, port, "")?;
        let default_action = actions::read(state, balancer, input, "DefaultActions")?;
        let arn = arn_below(balancer, "listener");
        state.tags.insert(arn.clone(), tags::read(input)?);
        let (balancer, protocol) = (balancer.to_owned(), protocol.to_owned());
        let listener = Listener { balancer, protocol, port, certificates, default_action, rules: BTreeMap::new() };
        let described = node(&arn, &listener);
        state.listeners.insert(arn, listener);
        Ok(Node::default().list("Listeners", "member", [described]).into())
    })
}

pub(super) fn describe(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    let (balancer, arns) = (input.get("LoadBalancerArn"), input.texts("ListenerArns"));
    let mut state = cloud.shared().lock();
    if let Some(balancer) = balancer {
        balancers::find(&mut state, balancer)?;
    } else if arns.is_empty() {
        return Err(refuse("ValidationError", "You must specify either listener ARNs or a load balancer ARN"));
    }
    for arn in &arns {
        find(&state, arn)?;
    }
    let wanted = |arn: &String, l: &Listener| arns.contains(arn) || balancer == Some(l.balancer.as_str());
    let found = state.listeners.iter().filter(|(arn, l)| wanted(arn, l)).map(|(arn, l)| node(arn, l)).collect();
    Ok(page(input, "Listeners", found)?.into())
}

pub(super) fn modify(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    let arn = input.need("ListenerArn")?;
    cloud.change(|state| {
        let mut listener = find(state, arn)?.clone();
        listener.port = given_port(input)?.unwrap_or(listener.port);
        free_port(state, &listener.balancer, listener.port, arn)?;
        if let Some(protocol) = input.get("Protocol") {
            protocol.clone_into(&mut listener.protocol);
        }
        let given = given_certificates(input);
        let kept = match listener.protocol.as_str() {
            _ if !given.is_empty() => given,
            "HTTPS" => listener.certificates,
            _ => Vec::new(),
        };
        listener.certificates = certificates(cloud, &listener.protocol, kept)?;
        if input.items("DefaultActions").next().is_some() {
            listener.default_action = actions::read(state, &listener.balancer, input, "DefaultActions")?;
        }
        let described = node(arn, &listener);
        state.listeners.insert(arn.to_owned(), listener);
        Ok(Node::default().list("Listeners", "member", [described]).into())
    })
}

pub(super) fn delete(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    let arn = input.need("ListenerArn")?;
    cloud.change(|state| {
        state.tags.remove(arn);
        let gone = state.listeners.remove(arn);
        gone.map(|_| Node::default().into()).ok_or_else(|| not_found("ListenerNotFound", "listeners"))
    })
}
