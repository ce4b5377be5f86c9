//! Database URLs inside a value: `postgres://user:pw@host:port/db?x`, `jdbc:postgresql://…`, `postgresql+psycopg2://…`.
//! Cut into spans, so that what is not changed (above all the password) keeps its bytes.

use std::ops::Range;

use super::placeholder;

/// The parts of one URL, as spans of the value in which it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Url {
    pub whole: Range<usize>,
    pub scheme: Range<usize>,
    /// Where `user:password@` ends; equal to the authority's start without one.
    pub userinfo: Range<usize>,
    /// Host and port of each server.
    pub hosts: Vec<(Range<usize>, Option<Range<usize>>)>,
    /// The database's name; empty if there is none.
    pub name: Range<usize>,
    /// Name and value of each parameter.
    pub params: Vec<(Range<usize>, Range<usize>)>,
    /// Whether there is a `?`.
    pub has_query: bool,
    /// Where a parameter would be added.
    pub query_end: usize,
}

impl Url {
    /// The value of a parameter, by name without regard to case.
    pub(super) fn param(&self, text: &str, name: &str) -> Option<Range<usize>> {
        self.params.iter().find(|(k, _)| text[k.clone()].eq_ignore_ascii_case(name)).map(|(_, v)| v.clone())
    }
}

/// Every Postgres URL in the text, in order.
pub(super) fn find_all(text: &str) -> Vec<Url> {
    let mut urls = Vec::new();
    let mut from = 0;
    while let Some(i) = text[from..].find("://") {
        let colon = from + i;
        let head = &text[from..colon];
        let word = head.trim_end_matches(|c: char| c.is_ascii_alphanumeric() || "+.-:_".contains(c));
        let mut start = from + word.len();
        // `${DB_URL:postgres://…}` and `url:postgres://…`: the scheme begins behind a foreign first part
        while !is_postgres(&text[start..colon]) {
            match text[start..colon].find(':') {
                Some(next) => start += next + 1,
                None => break,
            }
        }
        from = colon + 3;
        if is_postgres(&text[start..colon]) {
            let url = cut(text, start, colon);
            from = url.whole.end;
            urls.push(url);
        }
    }
    urls
}

fn is_postgres(scheme: &str) -> bool {
    let mut parts = scheme.split([':', '+']).peekable();
    let first = parts.peek().copied().unwrap_or("").to_ascii_lowercase();
    let names = ["postgres", "postgresql", "postgis", "pgsql", "psql", "timescale", "timescaledb"];
    let known = names.contains(&first.as_str()) || first == "jdbc" || first == "r2dbc";
    known && parts.any(|p| names.contains(&p.to_ascii_lowercase().as_str()))
}

fn cut(text: &str, start: usize, colon: usize) -> Url {
    let authority = colon + 3;
    let end = end_of(text, start, authority);
    let text = &text[..end];
    let slash = placeholder::find(text, authority, &['/']).unwrap_or(end);
    let at = text[authority..slash].rfind('@').map_or(authority, |i| authority + i + 1);
    let query = placeholder::find(text, at, &['?', '#']).unwrap_or(end);
    let hosts_end = slash.min(query);
    let hosts = if at == hosts_end { Vec::new() } else { placeholder::split(text, at..hosts_end, ',') };
    let fragment = placeholder::find(text, query, &['#']).unwrap_or(end);
    let has_query = text[query..].starts_with('?');
    let params = if has_query { placeholder::split(text, query + 1..fragment, '&') } else { Vec::new() };
    Url {
        whole: start..end,
        scheme: start..colon,
        userinfo: authority..at,
        hosts: hosts.into_iter().map(|host| host_and_port(text, host)).collect(),
        name: (hosts_end + 1).min(query)..query,
        params: params
            .into_iter()
            .filter(|p| !p.is_empty())
            .map(|p| {
                let equals = placeholder::find(&text[..p.end], p.start, &['=']).unwrap_or(p.end);
                (p.start..equals, (equals + 1).min(p.end)..p.end)
            })
            .collect(),
        has_query,
        query_end: fragment,
    }
}

/// Where the URL ends: with the value if that is nothing else, or at a blank, a quote or the brace that closes the
/// placeholder around it.
fn end_of(text: &str, start: usize, authority: usize) -> usize {
    if start == 0 && !text.contains(char::is_whitespace) {
        return text.len();
    }
    let stops = [' ', '\t', '\n', '\r', '"', '\'', '`', '<', '>', '}', '|'];
    placeholder::find(text, authority, &stops).unwrap_or(text.len())
}

fn host_and_port(text: &str, range: Range<usize>) -> (Range<usize>, Option<Range<usize>>) {
    let from = text[range.clone()].find(']').map_or(range.start, |i| range.start + i);
    match placeholder::find(&text[..range.end], from, &[':']) {
        Some(colon) => (range.start..colon, Some(colon + 1..range.end)),
        None => (range, None),
    }
}

/// The URL as it may be shown: no password, and of the parameters only values that are known to be harmless.
pub(super) fn shown(text: &str, url: &Url) -> String {
    const HARMLESS: [&str; 9] =
        ["sslmode", "ssl", "host", "port", "dbname", "currentschema", "schema", "application_name", "connect_timeout"];
    let mut out = text[url.scheme.clone()].to_owned() + "://";
    if !url.userinfo.is_empty() {
        let info = url.userinfo.start..url.userinfo.end - 1;
        match placeholder::find(&text[..info.end], info.start, &[':']) {
            Some(colon) => out += &[&text[info.start..colon], ":•••@"].concat(),
            None => out += &text[url.userinfo.clone()],
        }
    }
    let head_end = url.params.first().map_or(url.query_end, |(key, _)| key.start);
    out += &text[url.userinfo.end..head_end];
    for (index, (key, value)) in url.params.iter().enumerate() {
        let name = &text[key.clone()];
        let harmless = HARMLESS.contains(&name.to_ascii_lowercase().as_str());
        let joint = if index == 0 { "" } else { "&" };
        let said = if harmless { &text[value.clone()] } else { "•••" };
        out += &[joint, name, "=", said].concat();
    }
    out
}
