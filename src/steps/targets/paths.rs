//! The paths of the app, from the proxy's configuration into the balancer's patterns.

use crate::clients::hosts::Container;
use crate::rewrite::nginx::{Modifier, Peer, Route, To, server_for};
use crate::step::{Fault, Look, StepResult};

use super::proxy;

/// Condition values one rule takes. Source: Quotas for your Application Load Balancers, condition values per rule.
const VALUES: usize = 5;
/// Characters one pattern takes. Source: Listener rules for your Application Load Balancer, path conditions.
const LONGEST: usize = 128;

/// What of the app's locations the balancer can say.
#[derive(Debug, Default)]
pub(super) struct Paths {
    /// Patterns; empty means every path.
    pub patterns: Vec<String>,
    /// Locations it cannot say, and why.
    pub unsaid: Vec<String>,
}

/// The paths that the box's proxy sends to the app for the API's names, today's and tomorrow's.
pub(super) async fn of_app(look: &Look) -> StepResult<Paths> {
    let servers = proxy::servers(look).await?;
    let app = &look.site.old.app;
    let container = look.old.container(&app.container).await?.ok_or_else(|| {
        Fault::failed_with(
            format!("there is no container {} on the box", app.container),
            "correct `box.app.container` in the site file",
        )
    })?;
    let names = look.site.names.api.iter().chain([&look.site.names.api_base.old.host]);
    let port = look.site.app.listen.port;
    let mut routes: Vec<&Route> = Vec::new();
    for name in names {
        // Behind a port that only redirects, the paths stand where the redirect leads.
        for port in [port, 443] {
            let server = server_for(&servers, name, port);
            let to_app = server.map(|server| server.routes.as_slice()).unwrap_or_default().iter();
            let to_app: Vec<&Route> = to_app.filter(|route| goes_to(route, &container, app.port)).collect();
            if !to_app.is_empty() {
                routes.extend(to_app);
                break;
            }
        }
    }
    routes.dedup();
    if routes.is_empty() {
        return Err(Fault::failed_with(
            format!(
                "the configuration of {} sends no path to {} on port {}",
                look.site.old.proxy, app.container, app.port
            ),
            "correct `box.proxy`, `box.app` or `names.api` in the site file",
        ));
    }
    Ok(patterns(&routes))
}

/// Whether a location goes to the app's container.
fn goes_to(route: &Route, app: &Container, port: u16) -> bool {
    let To::Upstream(peers) = &route.to else { return false };
    let aliases = app.networks.iter().flat_map(|n| n.aliases.iter().chain([&n.address]));
    let mut names: Vec<&str> = aliases.map(String::as_str).filter(|name| !name.is_empty()).collect();
    names.extend([app.name.as_str(), app.hostname.as_str()]);
    let inside = |peer: &Peer| peer.port == port && names.contains(&peer.host.as_str());
    // Through the host: by a port that is published for it.
    let published = |peer: &Peer| app.ports.iter().any(|p| p.container == port && p.host == peer.port);
    peers.iter().any(|peer| inside(peer) || (!names.contains(&peer.host.as_str()) && published(peer)))
}

fn patterns(routes: &[&Route]) -> Paths {
    let mut paths = Paths::default();
    let mut every = false;
    for route in routes {
        let location = &route.location;
        let pattern = match route.modifier {
            Modifier::Exact => location.clone(),
            Modifier::Prefix | Modifier::Final if location == "/" => {
                every = true;
                continue;
            }
            Modifier::Prefix | Modifier::Final => format!("{location}*"),
            Modifier::Regex => String::new(),
        };
        let said = |c: char| c.is_ascii_alphanumeric() || "_-.$/~\"'@:+&".contains(c);
        if pattern.is_empty() || !location.chars().all(said) || pattern.len() > LONGEST {
            paths.unsaid.push(format!("{location} ({}, line {})", route.file, route.line));
        } else {
            paths.patterns.push(pattern);
        }
    }
    if every {
        paths.patterns.clear();
    }
    // What a shorter prefix takes anyway needs no value of its own.
    let all = paths.patterns.clone();
    let covers = |wide: &str, narrow: &str| {
        wide != narrow && wide.strip_suffix('*').is_some_and(|prefix| narrow.trim_end_matches('*').starts_with(prefix))
    };
    paths.patterns.retain(|narrow| !all.iter().any(|wide| covers(wide, narrow)));
    paths.patterns.sort();
    paths.patterns.dedup();
    paths
}

/// Hosts and paths, cut so that no rule has more values than it takes.
pub(super) fn conditions(hosts: &[String], paths: &[String]) -> Vec<(Vec<String>, Vec<String>)> {
    if paths.is_empty() {
        return hosts.chunks(VALUES).map(|hosts| (hosts.to_vec(), Vec::new())).collect();
    }
    let hosts_each = hosts.len().clamp(1, 2);
    let pairs = hosts
        .chunks(hosts_each)
        .flat_map(|some| paths.chunks(VALUES - some.len()).map(move |paths| (some.to_vec(), paths.to_vec())));
    pairs.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(modifier: Modifier, location: &str) -> Route {
        Route {
            server_names: Vec::new(),
            location: location.into(),
            modifier,
            to: To::Static,
            file: "site.conf".into(),
            line: 7,
        }
    }

    #[test]
    fn locations_become_patterns_and_expressions_are_told() {
        let routes = [
            route(Modifier::Prefix, "/api/"),
            route(Modifier::Prefix, "/api/v1/"),
            route(Modifier::Exact, "/healthz"),
            route(Modifier::Final, "/ws"),
            route(Modifier::Regex, "^/v[0-9]+/"),
            route(Modifier::Prefix, "/상품/"),
            route(Modifier::Exact, "/a*b"),
        ];
        let paths = patterns(&routes.iter().collect::<Vec<_>>());
        assert_eq!(paths.patterns, ["/api/*", "/healthz", "/ws*"]);
        assert_eq!(paths.unsaid.len(), 3);
        assert_eq!(paths.unsaid[0], "^/v[0-9]+/ (site.conf, line 7)");
    }

    #[test]
    fn the_root_is_every_path() {
        let (root, api) = (route(Modifier::Prefix, "/"), route(Modifier::Prefix, "/api/"));
        assert!(patterns(&[&root, &api]).patterns.is_empty());
    }

    #[test]
    fn no_rule_has_more_than_five_values() {
        let many = |n: usize, what: &str| (0..n).map(|i| format!("{what}{i}")).collect::<Vec<_>>();
        for (hosts, paths) in [(1, 1), (1, 9), (3, 9), (12, 0), (7, 1)] {
            let made = conditions(&many(hosts, "h"), &many(paths, "/p"));
            assert!(made.iter().all(|(h, p)| h.len() + p.len() <= VALUES && !h.is_empty()), "{made:?}");
            let pairs: usize = made.iter().map(|(h, p)| h.len() * p.len().max(1)).sum();
            assert_eq!(pairs, hosts * paths.max(1), "every host with every path, once");
        }
    }
}
