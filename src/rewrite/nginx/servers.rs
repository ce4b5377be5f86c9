//! What a tree means: servers, their names, and where each location goes.

use std::collections::BTreeMap;

use super::Directive;

/// A server block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// Its names, as written.
    pub names: Vec<String>,
    /// Where it listens.
    pub listens: Vec<Listen>,
    /// Its certificate's file, if it has one.
    pub certificate: Option<String>,
    /// What it answers to whatever is asked, if it only redirects.
    pub redirect: Option<Redirect>,
    /// Redirects behind an `if` or in a location, with their conditions.
    pub conditional: Vec<Redirect>,
    /// Its locations.
    pub routes: Vec<Route>,
    /// The document root, if the server names one.
    pub root: Option<String>,
    /// Where it stands: file and line.
    pub at: (String, usize),
}

/// A `listen`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listen {
    /// The port; 80 where none is written.
    pub port: u16,
    /// With TLS.
    pub tls: bool,
    /// Takes what no other server's names match.
    pub default: bool,
}

/// A `return` to elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redirect {
    /// 301, 302, 303, 307 or 308.
    pub status: u16,
    /// Where to, as written.
    pub to: String,
    /// The condition of the `if` around it; empty for none.
    pub when: String,
    /// Its line.
    pub line: usize,
}

/// How a location matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Modifier {
    /// None: the longest prefix.
    Prefix,
    /// `=`
    Exact,
    /// `^~`: a prefix that keeps regular expressions out.
    Final,
    /// `~` and `~*`.
    Regex,
}

/// A location and where it goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The server's names.
    pub server_names: Vec<String>,
    /// The path or expression.
    pub location: String,
    /// How it matches.
    pub modifier: Modifier,
    /// Where it goes.
    pub to: To,
    /// The file it stands in.
    pub file: String,
    /// Its line.
    pub line: usize,
}

/// Where a location goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum To {
    /// To another server, or one of several.
    Upstream(Vec<Peer>),
    /// Elsewhere.
    Redirect(Redirect),
    /// To files below a root.
    Static,
    /// To something else (`FastCGI`, an address made of variables …), as text.
    Other(String),
}

/// Another server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// Host name or address.
    pub host: String,
    /// The port; the scheme's own where none is written.
    pub port: u16,
}

/// Upstream blocks by name.
type Upstreams = BTreeMap<String, Vec<String>>;

/// Every location of every server.
pub fn routes(tree: &[Directive]) -> Vec<Route> {
    servers(tree).into_iter().flat_map(|server| server.routes).collect()
}

/// Every HTTP server of the tree.
pub fn servers(tree: &[Directive]) -> Vec<Server> {
    let https = tree.iter().filter(|d| d.name == "http").flat_map(Directive::inside);
    // A file of `conf.d` alone has no `http` around its servers.
    let all: Vec<&Directive> = https.chain(tree.iter().filter(|d| d.name != "http")).collect();
    let members =
        |d: &Directive| d.inside().iter().filter(|m| m.name == "server").map(|m| m.arg().to_owned()).collect();
    let named = all.iter().filter(|d| d.name == "upstream" && d.block.is_some());
    let upstreams: Upstreams = named.map(|d| (d.arg().to_owned(), members(d))).collect();
    all.iter().filter(|d| d.name == "server" && d.block.is_some()).map(|d| server(d, &upstreams)).collect()
}

/// The server nginx would choose for a host on a port: by exact name, by wildcard, the default one, the first one.
pub fn server_for<'a>(servers: &'a [Server], host: &str, port: u16) -> Option<&'a Server> {
    let here: Vec<&Server> = servers.iter().filter(|s| s.listens.iter().any(|l| l.port == port)).collect();
    let exact = |s: &&&Server| s.names.iter().any(|name| name.eq_ignore_ascii_case(host));
    let wild = |s: &&&Server| s.names.iter().any(|name| wildcard(name, host));
    let default = |s: &&&Server| s.listens.iter().any(|l| l.port == port && l.default);
    let mut chosen = here.iter().find(exact).or_else(|| here.iter().find(wild));
    chosen = chosen.or_else(|| here.iter().find(default)).or_else(|| here.first());
    chosen.copied()
}

fn wildcard(name: &str, host: &str) -> bool {
    if let Some(suffix) = name.strip_prefix("*.") {
        return host.strip_suffix(suffix).is_some_and(|left| left.len() > 1 && left.ends_with('.'));
    }
    if let Some(suffix) = name.strip_prefix('.') {
        return host == suffix || wildcard(&format!("*.{suffix}"), host);
    }
    name.strip_suffix(".*").is_some_and(|prefix| host.strip_prefix(prefix).is_some_and(|rest| rest.starts_with('.')))
}

fn server(block: &Directive, upstreams: &Upstreams) -> Server {
    let inside = block.inside();
    let of = |name: &'static str| inside.iter().filter(move |d| d.name == name);
    let names: Vec<String> = of("server_name").flat_map(|d| d.args.clone()).collect();
    let tls_on = of("ssl").any(|d| d.arg() == "on");
    let mut listens: Vec<Listen> = of("listen").filter_map(|d| listen(d, tls_on)).collect();
    if listens.is_empty() {
        listens.push(Listen { port: 80, tls: tls_on, default: false });
    }
    listens.dedup();
    let mut conditional: Vec<Redirect> = Vec::new();
    for condition in of("if") {
        conditional.extend(redirect(condition.inside(), &condition.args.join(" ")));
    }
    let variables = variables(inside, &BTreeMap::new());
    let mut routes = Vec::new();
    for location in of("location") {
        locations(location, inside, &variables, upstreams, &names, &mut routes);
    }
    conditional.extend(routes.iter().filter_map(|route| match &route.to {
        To::Redirect(redirect) => Some(redirect.clone()),
        _ => None,
    }));
    Server {
        names,
        listens,
        certificate: of("ssl_certificate").next().map(|d| d.arg().to_owned()),
        redirect: redirect(inside, ""),
        conditional,
        routes,
        root: of("root").next().map(|d| d.arg().to_owned()),
        at: (block.file.clone(), block.line),
    }
}

fn listen(directive: &Directive, tls_on: bool) -> Option<Listen> {
    let address = directive.arg();
    if address.starts_with("unix:") {
        return None;
    }
    let port = match address.rsplit_once(':') {
        Some((_, port)) if !port.ends_with(']') => port.parse().ok()?,
        _ => address.parse().unwrap_or(80),
    };
    let has = |word: &str| directive.args.iter().any(|arg| arg == word);
    Some(Listen { port, tls: tls_on || has("ssl") || has("quic"), default: has("default_server") || has("default") })
}

fn redirect(inside: &[Directive], when: &str) -> Option<Redirect> {
    let found = inside.iter().find(|d| d.name == "return")?;
    let (status, to) = match found.args.as_slice() {
        [to] => (302, to),
        [status, to, ..] => (status.parse().ok()?, to),
        [] => return None,
    };
    let elsewhere = matches!(status, 301 | 302 | 303 | 307 | 308) && !to.chars().all(|c| c.is_ascii_digit());
    elsewhere.then(|| Redirect { status, to: to.clone(), when: when.to_owned(), line: found.line })
}

fn variables(inside: &[Directive], outer: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let mut all = outer.clone();
    for set in inside.iter().filter(|d| d.name == "set") {
        if let [name, value] = set.args.as_slice() {
            all.insert(name.clone(), filled(value, &all));
        }
    }
    all
}

/// The text with the variables that were set to constants.
fn filled(text: &str, variables: &BTreeMap<String, String>) -> String {
    let mut out = text.to_owned();
    // Longer names first, so that `$app` does not eat the head of `$app_port`.
    let mut names: Vec<&String> = variables.keys().collect();
    names.sort_by_key(|name| std::cmp::Reverse(name.len()));
    for name in names {
        let braced = format!("${{{}}}", name.trim_start_matches('$'));
        out = out.replace(&braced, &variables[name]).replace(name.as_str(), &variables[name]);
    }
    out
}

fn locations(
    block: &Directive,
    siblings: &[Directive],
    variables_outside: &BTreeMap<String, String>,
    upstreams: &Upstreams,
    names: &[String],
    out: &mut Vec<Route>,
) {
    let (modifier, location) = match block.args.as_slice() {
        [modifier, location] => {
            let modifier = match modifier.as_str() {
                "=" => Modifier::Exact,
                "^~" => Modifier::Final,
                _ => Modifier::Regex,
            };
            (modifier, location.clone())
        }
        [location] if location.starts_with('@') => return,
        [location] => (Modifier::Prefix, location.clone()),
        _ => return,
    };
    let variables = variables(block.inside(), variables_outside);
    out.push(Route {
        server_names: names.to_vec(),
        location,
        modifier,
        to: to(block.inside(), siblings, &variables, upstreams),
        file: block.file.clone(),
        line: block.line,
    });
    for nested in block.inside().iter().filter(|d| d.name == "location") {
        locations(nested, siblings, &variables, upstreams, names, out);
    }
}

fn to(inside: &[Directive], siblings: &[Directive], variables: &BTreeMap<String, String>, upstreams: &Upstreams) -> To {
    let find = |name: &str| inside.iter().find(|d| d.name == name);
    if let Some(redirect) = redirect(inside, "") {
        return To::Redirect(redirect);
    }
    if let Some(pass) = find("proxy_pass") {
        return proxied(&filled(pass.arg(), variables), upstreams);
    }
    if let Some(other) = ["fastcgi_pass", "uwsgi_pass", "scgi_pass", "grpc_pass"].iter().find_map(|name| find(name)) {
        return To::Other(format!("{} {}", other.name, other.arg()));
    }
    // Files first, then a named location: what is no file goes there.
    let last = find("try_files").and_then(|d| d.args.last()).filter(|last| last.starts_with('@'));
    let named = last.and_then(|last| siblings.iter().find(|d| d.name == "location" && d.arg() == last));
    match named {
        Some(named) => to(named.inside(), &[], variables, upstreams),
        None => To::Static,
    }
}

fn proxied(address: &str, upstreams: &Upstreams) -> To {
    let Some((scheme, rest)) = address.split_once("://") else { return To::Other(address.to_owned()) };
    let authority = rest.split('/').next().unwrap_or_default();
    let own_port = if scheme == "https" { 443 } else { 80 };
    let members = match upstreams.get(authority) {
        Some(members) => members.clone(),
        None => vec![authority.to_owned()],
    };
    let peers: Option<Vec<Peer>> = members.iter().map(|member| peer(member, own_port)).collect();
    peers.map_or_else(|| To::Other(address.to_owned()), To::Upstream)
}

fn peer(text: &str, own_port: u16) -> Option<Peer> {
    if text.is_empty() || text.contains('$') || text.starts_with("unix:") {
        return None;
    }
    match text.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => Some(Peer { host: host.to_owned(), port: port.parse().ok()? }),
        _ => Some(Peer { host: text.to_owned(), port: own_port }),
    }
}
