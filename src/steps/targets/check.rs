//! What stands in the way of the targets.

use std::net::IpAddr;

use crate::clients::Kind;
use crate::clients::balancer::Balancer;
use crate::rewrite::nginx::{Server, server_for};
use crate::site::{Protocol, Site};
use crate::step::{Fault, Finding, Look, Severity, StepResult};
use crate::steps::tags;

use super::own::group_names;
use super::{forwarding, paths, proxy};

/// Rules one balancer takes. Source: Quotas for your Application Load Balancers.
const RULES: usize = 100;
/// Characters a target group's name takes. Source: `CreateTargetGroup`.
const NAME: usize = 32;

pub(super) async fn findings(look: &Look) -> StepResult<Vec<Finding>> {
    let mut found = addresses(&look.site);
    found.extend(groups(look).await?);
    match paths::of_app(look).await {
        Ok(paths) => {
            found.extend(paths.unsaid.iter().map(|location| {
                Finding::new(
                    Severity::Warning,
                    format!("the balancer cannot say the location {location}; its requests go to the default action"),
                    "add a plain prefix for these paths to the proxy, or a rule by hand",
                )
            }));
            found.extend(proxied(look, &proxy::servers(look).await?));
            found.extend(balancer(look, paths.patterns.len()).await?);
        }
        Err(Fault::Failed { what, hint }) => {
            let todo = hint.unwrap_or_else(|| "correct the site file".to_owned());
            found.push(Finding::new(Severity::Blocker, what, todo));
        }
        Err(other) => return Err(other),
    }
    Ok(found)
}

/// Law L1.
fn addresses(site: &Site) -> Vec<Finding> {
    let hosts = site.app.hosts.iter().map(|host| (host.name.as_str(), host.address));
    let all = std::iter::once(("the box", site.old.address)).chain(hosts);
    let public = all.filter(|(_, address)| !reachable(*address)).map(|(name, address)| {
        Finding::new(
            Severity::Blocker,
            format!("{name} has the address {address}, which a balancer refuses as a target"),
            "give its private address (RFC 1918 or 100.64.0.0/10), or move by DNS weights alone, without `targets`",
        )
        .law("L1")
    });
    public.collect()
}

fn reachable(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_private() || (v4.octets()[0] == 100 && v4.octets()[1] & 0xc0 == 64),
        IpAddr::V6(_) => false,
    }
}

async fn groups(look: &Look) -> StepResult<Vec<Finding>> {
    let mut found = Vec::new();
    for name in group_names(look) {
        if name.len() > NAME {
            found.push(Finding::new(
                Severity::Blocker,
                format!("the target group's name {name} is longer than 32 characters"),
                "shorten `site` in the site file",
            ));
            continue;
        }
        if let Some(group) = look.balancer.group(&name).await?.filter(|group| !tags::is_ours(look, &group.tags)) {
            found.push(Finding::new(
                Severity::Blocker,
                format!("there is a target group {name}, made by {}", tags::maker(&group.tags)),
                "roll that run back, or delete the group; it is never adopted",
            ));
        }
    }
    Ok(found)
}

async fn balancer(look: &Look, paths: usize) -> StepResult<Vec<Finding>> {
    let name = &look.site.aws.balancer;
    let balancer = match look.balancer.balancer(name).await {
        Ok(balancer) => balancer,
        Err(error) if error.kind == Kind::NotFound => {
            let todo = "create the balancer in two Availability Zones (law L5), or correct `aws.balancer`";
            return Ok(vec![Finding::new(Severity::Blocker, error.to_string(), todo).law("L5")]);
        }
        Err(error) => return Err(error.into()),
    };
    let mut found = Vec::new();
    let listeners = forwarding(&balancer.listeners);
    if listeners.is_empty() {
        let todo = "add an HTTPS listener with the site's certificate";
        found.push(Finding::new(Severity::Blocker, format!("the balancer {name} has no listener"), todo));
    } else if listeners.iter().all(|listener| listener.protocol != "HTTPS") {
        let todo = "add an HTTPS listener with the site's certificate, unless the site has no TLS today";
        found.push(Finding::new(Severity::Warning, format!("the balancer {name} has no HTTPS listener"), todo));
    }
    let present: usize = balancer.listeners.iter().map(|listener| listener.rules.len()).sum();
    if present + listeners.len() * (paths + look.site.names.api.len()) > RULES {
        let what = format!("the balancer {name} has {present} rules and takes {RULES}");
        found.push(Finding::new(Severity::Warning, what, "delete rules that are not used, or ask AWS for more"));
    }
    found.extend(shadows(look, &balancer));
    let port = look.site.app.listen.port;
    found.push(
        Finding::new(
            Severity::Note,
            format!("the security groups of the box and the new hosts must let the balancer in on port {port}"),
            "allow it from the balancer's security group",
        )
        .law("L5"),
    );
    Ok(found)
}

/// Rules of others that take one of the API's hosts, or any host: with a lower number they take the request first.
fn shadows(look: &Look, balancer: &Balancer) -> Vec<Finding> {
    let names = &look.site.names.api;
    let rules = forwarding(&balancer.listeners).into_iter().flat_map(|listener| &listener.rules);
    let foreign = rules.filter(|rule| !tags::is_ours(look, &rule.tags));
    let taking = foreign.filter(|rule| rule.hosts.is_empty() || rule.hosts.iter().any(|host| names.contains(host)));
    let warn = taking.map(|rule| {
        let what = format!("rule {} of the balancer takes requests for {} too", rule.priority, names.join(", "));
        Finding::new(Severity::Warning, what, "see that it does not come before the rules of this step")
    });
    warn.collect()
}

/// What the proxy would do to requests that come through the balancer.
fn proxied(look: &Look, servers: &[Server]) -> Vec<Finding> {
    let site = &look.site;
    let listen = &site.app.listen;
    let mut found = Vec::new();
    let names = site.names.api.iter().map(String::as_str);
    for name in names {
        let Some(server) = server_for(servers, name, listen.port) else {
            found.push(Finding::new(
                Severity::Blocker,
                format!("the proxy does not listen on port {}", listen.port),
                "correct `app.listen` in the site file",
            ));
            break;
        };
        let tls = server.listens.iter().any(|l| l.port == listen.port && l.tls);
        if tls != (listen.protocol == Protocol::Https) {
            found.push(Finding::new(
                Severity::Blocker,
                format!("the proxy speaks {} on port {}", if tls { "TLS" } else { "plain HTTP" }, listen.port),
                "correct `app.listen.protocol` in the site file",
            ));
        }
        let all = server.redirect.iter().chain(&server.conditional);
        let by_scheme = all.into_iter().find(|r| r.to.starts_with("https://") && !r.when.contains("x_forwarded_proto"));
        if let Some(redirect) = by_scheme.filter(|_| !tls) {
            found.push(
                Finding::new(
                    Severity::Blocker,
                    format!(
                        "for {name} on port {} the proxy redirects to https by its own scheme ({}, line {}): behind \
                         the balancer that is a loop",
                        listen.port, server.at.0, redirect.line
                    ),
                    "let the balancer speak HTTPS to port 443 (`app.listen`), or test $http_x_forwarded_proto",
                )
                .law("L7"),
            );
        }
    }
    // A health check names no host of the site: nginx takes its default server for it.
    let address = site.old.address.to_string();
    let health = server_for(servers, &address, listen.port).filter(|server| server.redirect.is_some());
    if let Some(server) = health {
        found.push(Finding::new(
            Severity::Warning,
            format!("health checks reach the server at {}, line {}, which redirects", server.at.0, server.at.1),
            format!("let the default server of port {} answer {}", listen.port, site.app.health),
        ));
    }
    found
}
