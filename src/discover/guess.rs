//! Concludes from what was seen which container does what, and which names lead where. Pure.

use crate::clients::hosts::Container;
use crate::rewrite::nginx::{Modifier, Peer, Route, Server, To};
use crate::site::EngineAddress;

use super::Seen;

/// A value with the reason for it, or a blank with what was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guess {
    /// The value; nothing for a blank.
    pub value: Option<String>,
    /// Why this, or why none.
    pub why: String,
}

impl Guess {
    fn of(value: impl Into<String>, why: impl Into<String>) -> Self {
        Self { value: Some(value.into()), why: why.into() }
    }

    fn blank(why: impl Into<String>) -> Self {
        Self { value: None, why: why.into() }
    }
}

/// Everything a site file needs and a box can tell.
#[derive(Debug, Clone)]
pub struct Guesses {
    /// The box's engine.
    pub engine: String,
    /// The box's address.
    pub address: Guess,
    /// The proxy's container.
    pub proxy: Guess,
    /// The web container.
    pub web: Guess,
    /// Its document root.
    pub root: Guess,
    /// The app's container.
    pub app: Guess,
    /// Its port.
    pub port: Guess,
    /// Its configuration files.
    pub files: Vec<String>,
    /// The database's container.
    pub database: Guess,
    /// The database's name.
    pub database_name: Guess,
    /// Its superuser.
    pub admin: Guess,
    /// The zone.
    pub zone: Guess,
    /// The hosts of the pages.
    pub pages: Vec<String>,
    /// The hosts of the API.
    pub api: Vec<String>,
    /// Why these.
    pub names_why: String,
    /// The path in front of every API path, such as `/api`.
    pub prefix: String,
    /// The health path.
    pub health: Guess,
    /// What a person should know beside.
    pub remarks: Vec<String>,
}

/// Paths by which apps usually say that they are well.
const HEALTH: [&str; 6] = ["/healthz", "/health", "/ready", "/status", "/ping", "/actuator/health"];
/// Endings of configuration files.
const CONFIG: [&str; 8] = [".env", ".properties", ".yaml", ".yml", ".json", ".toml", ".ini", ".conf"];

/// Concludes.
pub fn guess(seen: &[Seen], engine: &EngineAddress) -> Guesses {
    let proxy = proxy(seen);
    let routes: Vec<&Route> = proxy.iter().flat_map(|p| &p.servers).flat_map(|server| &server.routes).collect();
    let app = app(seen, &routes);
    let (database, db) = database(seen);
    let (web, root) = web(seen, &routes, proxy);
    let (zone, pages, api, names_why) = names(proxy);
    let app_env = app.map(|(seen, ..)| seen.container.env.as_slice()).unwrap_or_default();
    let db_env = db.map(|seen| seen.container.env.as_slice()).unwrap_or_default();
    let health = routes.iter().find(|route| HEALTH.contains(&route.location.as_str()));
    Guesses {
        engine: engine.to_string(),
        address: address(engine, proxy),
        proxy: proxy.map_or_else(
            || Guess::blank("no container holds an nginx that passes requests on"),
            |seen| Guess::of(&seen.container.name, "its nginx passes requests on to other containers"),
        ),
        web,
        root,
        app: app.map_or_else(
            || Guess::blank("no path of the proxy leads to a container that is no nginx"),
            |(seen, _, route)| Guess::of(&seen.container.name, format!("`location {}` leads here", route.location)),
        ),
        port: app.map_or_else(
            || Guess::blank("the port the app listens on inside the box's network"),
            |(_, peer, route)| Guess::of(peer.port.to_string(), format!("{}, line {}", route.file, route.line)),
        ),
        files: app.map(|(seen, ..)| config_files(&seen.container)).unwrap_or_default(),
        database,
        database_name: first_env(app_env, &["DB_NAME", "DATABASE_NAME", "PGDATABASE", "POSTGRES_DB"], "the app")
            .or_else(|| first_env(db_env, &["POSTGRES_DB"], "the database's container"))
            .unwrap_or_else(|| Guess::blank("the database to move; `psql -l` lists them")),
        admin: first_env(db_env, &["POSTGRES_USER"], "the database's container")
            .unwrap_or_else(|| Guess::of("postgres", "the image's own superuser")),
        zone,
        pages,
        api,
        names_why,
        prefix: app.map(|(_, _, route)| route.location.trim_end_matches('/').to_owned()).unwrap_or_default(),
        health: health.map_or_else(
            || Guess::blank("the path that answers 200 when the app and its database are well"),
            |route| Guess::of(&route.location, format!("{}, line {}", route.file, route.line)),
        ),
        remarks: remarks(seen),
    }
}

/// The nginx that passes requests on; of several the one with TLS, then the one with published ports.
fn proxy(seen: &[Seen]) -> Option<&Seen> {
    let passes = |seen: &&Seen| seen.servers.iter().flat_map(|s| &s.routes).any(|r| matches!(r.to, To::Upstream(_)));
    let tls = |seen: &Seen| seen.servers.iter().flat_map(|s| &s.listens).any(|l| l.tls);
    seen.iter().filter(passes).max_by_key(|seen| (tls(seen), !seen.container.ports.is_empty()))
}

/// The container a proxied request arrives at.
fn container_of<'a>(seen: &'a [Seen], peer: &Peer) -> Option<&'a Seen> {
    let is = |container: &Container| {
        container.name == peer.host
            || container.hostname == peer.host
            || container.networks.iter().any(|net| net.address == peer.host || net.aliases.contains(&peer.host))
    };
    seen.iter().find(|seen| is(&seen.container))
}

fn targets<'a, 'b>(seen: &'a [Seen], routes: &'b [&'b Route]) -> impl Iterator<Item = (&'a Seen, &'b Peer, &'b Route)> {
    routes.iter().flat_map(move |route| {
        let peers = if let To::Upstream(peers) = &route.to { peers.as_slice() } else { &[] };
        peers.iter().filter_map(move |peer| container_of(seen, peer).map(|found| (found, peer, *route)))
    })
}

/// The container behind the proxy that is no nginx; of its paths the most telling prefix (`/api/` before `/`).
fn app<'a, 'b>(seen: &'a [Seen], routes: &'b [&'b Route]) -> Option<(&'a Seen, &'b Peer, &'b Route)> {
    let telling = |route: &Route| {
        let is_prefix = matches!(route.modifier, Modifier::Prefix | Modifier::Final);
        (route.location.contains("api"), is_prefix, std::cmp::Reverse(route.location.len()))
    };
    targets(seen, routes).filter(|(seen, ..)| seen.servers.is_empty()).max_by_key(|(_, _, route)| telling(route))
}

fn web<'a>(seen: &'a [Seen], routes: &[&Route], proxy: Option<&'a Seen>) -> (Guess, Guess) {
    let root_of = |seen: &'a Seen| seen.servers.iter().find_map(|server| server.root.clone());
    let behind = targets(seen, routes).find(|(seen, ..)| !seen.servers.is_empty());
    let behind = behind.map(|(seen, _, route)| (seen, format!("`location {}` leads here", route.location)));
    let itself =
        proxy.filter(|proxy| root_of(proxy).is_some()).map(|proxy| (proxy, "the proxy serves files itself".into()));
    match behind.or(itself) {
        Some((seen, why)) => {
            let root = root_of(seen).map(|root| Guess::of(root, "`root` of its nginx configuration"));
            let web = Guess::of(&seen.container.name, why);
            (web, root.unwrap_or_else(|| Guess::blank("the document root inside the container")))
        }
        None => (
            Guess::blank("no container behind the proxy serves files with nginx"),
            Guess::blank("the document root inside the container"),
        ),
    }
}

fn database(seen: &[Seen]) -> (Guess, Option<&Seen>) {
    let is_postgres = |seen: &&Seen| {
        let image = seen.container.image.to_ascii_lowercase();
        let named = ["postgres", "postgis", "timescale", "pgvector"].iter().any(|word| image.contains(word));
        named || seen.container.env.iter().any(|(name, _)| name == "PGDATA" || name == "POSTGRES_PASSWORD")
    };
    let found: Vec<&Seen> = seen.iter().filter(is_postgres).collect();
    match found.as_slice() {
        [one] => (Guess::of(&one.container.name, format!("image `{}`", one.container.image)), Some(one)),
        [] => (Guess::blank("no container looks like PostgreSQL"), None),
        several => {
            let names: Vec<&str> = several.iter().map(|seen| seen.container.name.as_str()).collect();
            (Guess::blank(format!("several look like PostgreSQL: {}", names.join(", "))), None)
        }
    }
}

/// The value of the first of these variables that is set. None of them is a secret.
fn first_env(env: &[(String, String)], names: &[&str], whose: &str) -> Option<Guess> {
    names.iter().find_map(|wanted| {
        let (_, value) = env.iter().find(|(name, value)| name == wanted && !value.is_empty())?;
        Some(Guess::of(value, format!("`{wanted}` of {whose}")))
    })
}

fn config_files(app: &Container) -> Vec<String> {
    let is_config = |path: &str| path.starts_with('/') && CONFIG.iter().any(|end| path.ends_with(end));
    let from_env = app.env.iter().map(|(_, value)| value.as_str());
    let from_mounts = app.mounts.iter().map(|mount| mount.target.as_str());
    let mut files: Vec<String> =
        from_env.chain(from_mounts).filter(|path| is_config(path)).map(str::to_owned).collect();
    files.sort();
    files.dedup();
    files
}

fn names(proxy: Option<&Seen>) -> (Guess, Vec<String>, Vec<String>, String) {
    let is_host = |name: &&String| {
        name.contains('.') && !name.contains(['*', '~', '$']) && name.parse::<std::net::IpAddr>().is_err()
    };
    let servers = proxy.map(|seen| seen.servers.as_slice()).unwrap_or_default();
    let named = |server: &Server| server.names.iter().filter(is_host).cloned().collect::<Vec<_>>();
    let mut all: Vec<String> = servers.iter().flat_map(named).collect();
    all.sort();
    all.dedup();
    let zone = common_end(&all);
    let api: Vec<String> = all.iter().filter(|name| name.starts_with("api.")).cloned().collect();
    let of_pages = |name: &&String| name.starts_with("www.") || Some(name.as_str()) == zone.as_deref();
    let pages: Vec<String> = all.iter().filter(of_pages).cloned().collect();
    let others: Vec<&str> =
        all.iter().filter(|name| !api.contains(name) && !pages.contains(name)).map(String::as_str).collect();
    let mut why = "from `server_name` of the proxy".to_owned();
    if !others.is_empty() {
        why = format!("{why}; left out, to be added where they belong: {}", others.join(", "));
    }
    let zone = zone.map_or_else(
        || Guess::blank("the hosted zone of the names below"),
        |zone| Guess::of(zone, "what the proxy's names have in common"),
    );
    (zone, pages, api, why)
}

/// The labels at the end that all names share, two at least.
fn common_end(names: &[String]) -> Option<String> {
    let mut shared: Vec<&str> = names.first()?.rsplit('.').collect();
    for name in names {
        let same = name.rsplit('.').zip(&shared).take_while(|(a, b)| a == *b).count();
        shared.truncate(same);
    }
    // A single name may be the zone itself, unless it is plainly a host in it.
    if names.len() == 1 && matches!(shared.last(), Some(&("www" | "api"))) {
        shared.pop();
    }
    // `co.kr` and its like belong to nobody: the names are of several zones.
    let public = matches!(shared.as_slice(), [country, "co" | "or" | "ne" | "ac" | "go" | "com" | "net" | "org"] if country.len() == 2);
    shared.reverse();
    (shared.len() >= 2 && !public).then(|| shared.join("."))
}

fn address(engine: &EngineAddress, proxy: Option<&Seen>) -> Guess {
    let host = match engine {
        EngineAddress::Tcp { host, .. } => host.as_str(),
        EngineAddress::Ssh { destination } => {
            let host = destination.rsplit('@').next().unwrap_or(destination);
            host.split(':').next().unwrap_or(host)
        }
        EngineAddress::Unix(_) => "",
    };
    if host.parse::<std::net::IpAddr>().is_ok() {
        return Guess::of(host, "the engine is reached there");
    }
    let inside = proxy.filter(|proxy| proxy.container.ports.is_empty());
    let inside = inside.and_then(|proxy| proxy.container.networks.iter().find(|net| !net.address.is_empty()));
    match inside {
        Some(net) => Guess::of(&net.address, "the proxy publishes no port, so this is its own address"),
        None => Guess::blank("the address the box's DNS records hold"),
    }
}

fn remarks(seen: &[Seen]) -> Vec<String> {
    let unread = seen.iter().filter_map(|seen| {
        seen.unread
            .as_ref()
            .map(|why| format!("the nginx configuration of {} could not be read: {why}", seen.container.name))
    });
    let unmodelled = seen.iter().filter(|seen| !seen.container.unmodelled.is_empty()).map(|seen| {
        format!(
            "{} also has what outgrow does not carry over: {}",
            seen.container.name,
            seen.container.unmodelled.join(", ")
        )
    });
    unread.chain(unmodelled).collect()
}
