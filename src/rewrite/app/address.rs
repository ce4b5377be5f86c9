//! The database's address inside one value: every URL and connection string that leads to the old server is turned to
//! the new one, user and password untouched.

use std::ops::Range;

use super::database::Database;
use super::keyword::{self, Keywords};
use super::placeholder::literal;
use super::url::{self, Url};

/// What became of a value.
#[derive(Default)]
pub(super) struct Turned {
    /// The new value, if anything in it changed.
    pub new: Option<String>,
    /// Before and after of each address, redacted.
    pub shown: Vec<(String, String)>,
    /// What was met and left.
    pub notes: Vec<String>,
}

type Splice = (Range<usize>, String);

/// Turns the addresses in `value`.
pub(super) fn turn(value: &str, database: &Database) -> Turned {
    let mut turned = Turned::default();
    let urls = url::find_all(value);
    if urls.is_empty() {
        if let Some(keywords) = keyword::read(value) {
            match keyword_splices(value, &keywords, database) {
                Ok(splices) if !splices.is_empty() => {
                    let new = spliced(value, splices);
                    let after = keyword::read(&new).map_or_else(String::new, |k| keyword::shown(&new, &k));
                    turned.shown.push((keyword::shown(value, &keywords), after));
                    turned.new = Some(new);
                }
                Ok(_) => {}
                Err(note) => turned.notes.push(note),
            }
        }
        return turned;
    }
    let mut all = Vec::new();
    for found in &urls {
        match url_splices(value, found, database) {
            Ok(splices) if splices.is_empty() => {}
            Ok(splices) => {
                let local =
                    splices.iter().map(|(r, s)| (r.start - found.whole.start..r.end - found.whole.start, s.clone()));
                let after = spliced(&value[found.whole.clone()], local.collect());
                let after_url = url::find_all(&after).into_iter().next();
                let after = after_url.map_or_else(String::new, |u| url::shown(&after, &u));
                turned.shown.push((url::shown(value, found), after));
                all.extend(splices);
            }
            Err(note) => turned.notes.push(note),
        }
    }
    if !all.is_empty() {
        turned.new = Some(spliced(value, all));
    }
    turned
}

/// Puts the new pieces into the text.
fn spliced(text: &str, mut splices: Vec<Splice>) -> String {
    splices.sort_by_key(|(range, _)| (range.start, range.end));
    let mut out = String::with_capacity(text.len() + 64);
    let mut done = 0;
    for (range, new) in splices {
        out.push_str(&text[done..range.start]);
        out.push_str(&new);
        done = range.end;
    }
    out + &text[done..]
}

/// The literal part of a span, as a span.
fn literal_at(text: &str, range: &Range<usize>) -> Option<Range<usize>> {
    literal(&text[range.clone()]).map(|r| range.start + r.start..range.start + r.end)
}

/// What a span says, if it says it itself.
fn said<'t>(text: &'t str, range: &Range<usize>) -> Option<&'t str> {
    literal_at(text, range).map(|r| &text[r])
}

/// A port or name beside a host that was the old one: whether it fits, and the change it needs.
fn beside(text: &str, range: &Range<usize>, old: &str, new: &str) -> Result<Option<Splice>, String> {
    match literal_at(text, range) {
        None => Ok(None),
        Some(at) if text[at.clone()] == *old => Ok((old != new).then(|| (at, new.to_owned()))),
        Some(at) => Err(text[at].to_owned()),
    }
}

fn url_splices(text: &str, url: &Url, database: &Database) -> Result<Vec<Splice>, String> {
    let mut splices = Vec::new();
    let in_query = if url.hosts.is_empty() { url.param(text, "host") } else { None };
    let hosts: Vec<(Range<usize>, Option<Range<usize>>)> = match in_query {
        Some(host) => vec![(host, url.param(text, "port"))],
        None => url.hosts.clone(),
    };
    let old = |host: &Range<usize>| said(text, host).is_some_and(|h| database.is_old_host(h));
    if !hosts.iter().any(|(host, _)| old(host)) {
        return Ok(splices);
    }
    if text[url.name.clone()].contains('@') {
        return Err(
            "a database URL whose user part cannot be told from its path was left: change it by hand".to_owned()
        );
    }
    if !hosts.iter().all(|(host, _)| old(host)) {
        return Err("a database URL lists the old server beside others and was left: change it by hand".to_owned());
    }
    let (old_port, new_port) = (database.old.port.to_string(), database.new.port.to_string());
    for (index, (host, port)) in hosts.iter().enumerate() {
        let at = literal_at(text, host).unwrap_or(host.clone());
        let change = match port {
            Some(port) => beside(text, port, &old_port, &new_port).map_err(|p| other_port(&p))?,
            None if database.old.port != 5432 => return Err(other_port("5432")),
            None if database.new.port != 5432 => Some((host.end..host.end, format!(":{new_port}"))),
            None => None,
        };
        if index == 0 {
            splices.push((at, database.new.host.clone()));
            splices.extend(change);
        }
    }
    if let (Some((first, port)), Some((last, last_port))) = (hosts.first(), hosts.last())
        && hosts.len() > 1
    {
        // one server follows on several names of the old one
        let first_end = port.as_ref().map_or(first.end, |p| p.end);
        splices.push((first_end..last_port.as_ref().map_or(last.end, |p| p.end), String::new()));
    }
    if !url.name.is_empty() {
        let change = beside(text, &url.name, &database.old.name, &database.new.name).map_err(|n| other_name(&n))?;
        splices.extend(change);
    }
    tls(text, url, database, &mut splices)?;
    Ok(splices)
}

/// The TLS parameter: raised where it is weaker, added where the driver knows it by a name we know.
fn tls(text: &str, url: &Url, database: &Database, splices: &mut Vec<Splice>) -> Result<(), String> {
    let Some(mode) = &database.new.sslmode else { return Ok(()) };
    let scheme = text[url.scheme.clone()].to_ascii_lowercase();
    let key = match scheme.as_str() {
        s if s.contains("asyncpg") => "ssl",
        s if s.contains("r2dbc") => "sslMode",
        s if s.contains("pg8000") => return Ok(()),
        _ => "sslmode",
    };
    if let Some(value) = url.param(text, key) {
        if let Some(at) = literal_at(text, &value).filter(|at| database.is_weaker(&text[at.clone()])) {
            splices.push((at, mode.clone()));
        }
        return Ok(());
    }
    if text[url.query_end..url.whole.end].contains('@') {
        return Err("a database URL with a # in its user part was left: change it by hand".to_owned());
    }
    let joint = match (url.has_query, url.params.is_empty()) {
        (false, _) => "?",
        (true, true) => "",
        (true, false) => "&",
    };
    splices.push((url.query_end..url.query_end, format!("{joint}{key}={mode}")));
    Ok(())
}

fn keyword_splices(text: &str, keywords: &Keywords, database: &Database) -> Result<Vec<Splice>, String> {
    let mut splices = Vec::new();
    let Some(host) = keywords.get(&keyword::HOST) else { return Ok(splices) };
    let Some(at) = literal_at(text, &host).filter(|at| database.is_old_host(&text[at.clone()])) else {
        return Ok(splices);
    };
    let (old_port, new_port) = (database.old.port.to_string(), database.new.port.to_string());
    splices.push((at, database.new.host.clone()));
    match keywords.get(&keyword::PORT) {
        Some(port) => splices.extend(beside(text, &port, &old_port, &new_port).map_err(|p| other_port(&p))?),
        None if database.old.port != 5432 => return Err(other_port("5432")),
        None if database.new.port != 5432 => {
            let pair = if keywords.semicolons { format!(";Port={new_port}") } else { format!(" port={new_port}") };
            let quoted = text[host.end..].starts_with(['\'', '"']);
            let end = host.end + usize::from(quoted);
            splices.push((end..end, pair));
        }
        None => {}
    }
    if let Some(name) = keywords.get(&keyword::NAME) {
        let change = beside(text, &name, &database.old.name, &database.new.name).map_err(|n| other_name(&n))?;
        splices.extend(change);
    }
    if let (Some(mode), Some(at)) = (&database.new.sslmode, keywords.get(&keyword::SSLMODE))
        && database.is_weaker(&text[at.clone()])
    {
        splices.push((at, if keywords.semicolons { npgsql(mode) } else { mode.clone() }));
    }
    Ok(splices)
}

/// `verify-full` is `VerifyFull` to Npgsql.
fn npgsql(mode: &str) -> String {
    let capital = |part: &str| match part {
        "ca" => "CA".to_owned(),
        _ => part.chars().take(1).flat_map(char::to_uppercase).chain(part.chars().skip(1)).collect(),
    };
    mode.split('-').map(capital).collect()
}

fn other_port(port: &str) -> String {
    let port = if port.chars().all(|c| c.is_ascii_digit()) { port } else { "another" };
    format!("an address on the old server with port {port} was left: it is not the database that moves")
}

fn other_name(name: &str) -> String {
    format!("an address on the old server names the database {name} and was left: it is not the one that moves")
}
