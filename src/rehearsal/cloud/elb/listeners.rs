//! Listeners.

use std::collections::BTreeMap;

use super::super::super::state::{Listener, State};
use super::super::Cloud;
use super::super::wire::operation::Output;
use super::super::wire::{ApiError, Node, refuse};
use super::actions::{self, Side};
use super::{arn_below, balancers, certificates, facts, not_found, page, policies, tags};

/// The most listeners of a balancer (ELB guide: load-balancer-limits).
const MOST: usize = 50;

/// The listener of an ARN.
pub(super) fn find<'a>(state: &'a State, arn: &str) -> Result<&'a Listener, ApiError> {
    state.listeners.get(arn).ok_or_else(|| not_found("ListenerNotFound", "listeners"))
}

fn node(state: &State, arn: &str, listener: &Listener) -> Node {
    let certificates = listener.certificates.first().map(|c| Node::default().put("CertificateArn", c));
    let https = listener.protocol == "HTTPS";
    let policy =
        Some(facts::text(state, arn, "ssl_policy")).filter(|p| !p.is_empty()).unwrap_or(policies::UNLESS_NAMED);
    Node::default()
        .put("ListenerArn", arn)
        .put("LoadBalancerArn", &listener.balancer)
        .put("Port", listener.port)
        .put("Protocol", &listener.protocol)
        .list("Certificates", "member", certificates)
        .put_some("SslPolicy", https.then_some(policy))
        .list("DefaultActions", "member", [actions::node(&listener.default_action)])
}

/// The security policy of an HTTPS listener; an HTTP one has none.
fn policy<'a>(protocol: &str, input: &'a Node) -> Result<Option<&'a str>, ApiError> {
    if input.child("MutualAuthentication").and_then(|m| m.get("Mode")).is_some_and(|mode| mode != "off") {
        return Err(refuse("ValidationError", "the rehearsal cloud has no mutual TLS"));
    }
    match (protocol, input.get("SslPolicy")) {
        ("HTTP", Some(_)) => Err(refuse("ValidationError", "An SSL policy cannot be specified for HTTP listeners")),
        (_, given) => given.map(policies::known).transpose(),
    }
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
    let policy = policy(protocol, input)?;
    let tags = tags::read(input)?;
    cloud.change_whole(false, |state| {
        balancers::find(state, balancer)?;
        let certificates = certificates::for_listener(cloud, state, protocol, certificates::given(input))?;
        free_port(state, balancer, port, "")?;
        if state.listeners.values().filter(|l| l.balancer == balancer).count() >= MOST {
            let why = format!("The maximum number of listeners has been reached on load balancer '{balancer}'");
            return Err(refuse("TooManyListeners", why));
        }
        let side = Side { balancer, protocol, port };
        let default_action = actions::read(state, &side, input, "DefaultActions")?;
        let arn = arn_below(balancer, "listener");
        state.tags.insert(arn.clone(), tags);
        if let Some(policy) = policy {
            facts::set(state, &arn, "ssl_policy", policy.into());
        }
        let (balancer, protocol) = (balancer.to_owned(), protocol.to_owned());
        let listener = Listener { balancer, protocol, port, certificates, default_action, rules: BTreeMap::new() };
        let described = node(state, &arn, &listener);
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
    let found = state.listeners.iter().filter(|(arn, l)| wanted(arn, l)).map(|(arn, l)| node(&state, arn, l)).collect();
    Ok(page(input, "Listeners", found)?.into())
}

pub(super) fn modify(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    let arn = input.need("ListenerArn")?;
    cloud.change_whole(false, |state| {
        let mut listener = find(state, arn)?.clone();
        listener.port = given_port(input)?.unwrap_or(listener.port);
        free_port(state, &listener.balancer, listener.port, arn)?;
        if let Some(protocol) = input.get("Protocol") {
            protocol.clone_into(&mut listener.protocol);
        }
        let policy = policy(&listener.protocol, input)?;
        // A new default one takes the place of the old; those for other names stay.
        let others: Vec<_> = listener.certificates.iter().skip(1).cloned().collect();
        let default = match certificates::given(input) {
            given if !given.is_empty() => given,
            _ if listener.protocol == "HTTPS" => listener.certificates.into_iter().take(1).collect(),
            _ => Vec::new(),
        };
        listener.certificates = certificates::for_listener(cloud, state, &listener.protocol, default)?;
        if listener.protocol == "HTTPS" {
            let new = others.into_iter().filter(|arn| !listener.certificates.contains(arn)).collect::<Vec<_>>();
            listener.certificates.extend(new);
        }
        if input.items("DefaultActions").next().is_some() {
            let side = Side { balancer: &listener.balancer, protocol: &listener.protocol, port: listener.port };
            listener.default_action = actions::read(state, &side, input, "DefaultActions")?;
        }
        if let Some(policy) = policy {
            facts::set(state, arn, "ssl_policy", policy.into());
        }
        let described = node(state, arn, &listener);
        state.listeners.insert(arn.to_owned(), listener);
        Ok(Node::default().list("Listeners", "member", [described]).into())
    })
}

pub(super) fn delete(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    let arn = input.need("ListenerArn")?;
    cloud.change(|state| {
        state.tags.remove(arn);
        state.facts.remove(arn);
        let gone = state.listeners.remove(arn);
        gone.map(|_| Node::default().into()).ok_or_else(|| not_found("ListenerNotFound", "listeners"))
    })
}
