//! Connection strings of keywords: libpq's `host=db port=5432 dbname=shop` and Npgsql's `Host=db;Port=5432;…`.

use std::ops::Range;

/// A connection string, cut into keywords and the spans of their values (quotes excluded).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Keywords {
    /// Keyword in small letters without blanks or underscores, and where its value stands.
    pub pairs: Vec<(String, Range<usize>)>,
    /// Npgsql's form with semicolons.
    pub semicolons: bool,
}

impl Keywords {
    /// The first of the named keywords.
    pub(super) fn get(&self, names: &[&str]) -> Option<Range<usize>> {
        self.pairs.iter().find(|(key, _)| names.contains(&key.as_str())).map(|(_, value)| value.clone())
    }
}

/// Names of the keyword for the host.
pub(super) const HOST: [&str; 4] = ["host", "hostaddr", "server", "datasource"];
/// Names of the keyword for the port.
pub(super) const PORT: [&str; 1] = ["port"];
/// Names of the keyword for the database.
pub(super) const NAME: [&str; 4] = ["dbname", "database", "initialcatalog", "db"];
/// Names of the keyword for TLS.
pub(super) const SSLMODE: [&str; 1] = ["sslmode"];

/// Reads the whole value as a connection string; `None` if it is not one.
pub(super) fn read(text: &str) -> Option<Keywords> {
    let semicolons = text.contains(';');
    let pairs = if semicolons { semicolon_pairs(text)? } else { blank_pairs(text)? };
    let keywords = Keywords { pairs, semicolons };
    let others = ["port", "user", "username", "userid", "uid", "password", "pwd"];
    keywords.get(&HOST)?;
    (keywords.get(&NAME).is_some() || keywords.get(&others).is_some()).then_some(keywords)
}

fn name(text: &str) -> Option<String> {
    let name: String = text.trim().chars().filter(|c| !" _".contains(*c)).collect::<String>().to_ascii_lowercase();
    (!name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric())).then_some(name)
}

/// libpq: pairs between blanks, values in single quotes where they hold blanks, backslash escapes.
fn blank_pairs(text: &str) -> Option<Vec<(String, Range<usize>)>> {
    let mut pairs = Vec::new();
    let mut at = 0;
    loop {
        at += text[at..].len() - text[at..].trim_start().len();
        if at >= text.len() {
            return Some(pairs);
        }
        let equals = at + text[at..].find('=')?;
        let key = name(&text[at..equals]).filter(|_| !text[at..equals].trim().contains(char::is_whitespace))?;
        let start = equals + 1 + (text[equals + 1..].len() - text[equals + 1..].trim_start().len());
        let quoted = text[start..].starts_with('\'');
        let from = start + usize::from(quoted);
        let mut escaped = false;
        let stop = text[from..].char_indices().find(|(_, c)| {
            let ends = !escaped && if quoted { *c == '\'' } else { c.is_whitespace() };
            escaped = !escaped && *c == '\\';
            ends
        });
        let end = match stop {
            Some((i, _)) => from + i,
            None if quoted => return None,
            None => text.len(),
        };
        pairs.push((key, from..end));
        at = end + usize::from(quoted);
    }
}

/// Npgsql: pairs between semicolons, values in single or double quotes where they hold one.
fn semicolon_pairs(text: &str) -> Option<Vec<(String, Range<usize>)>> {
    let mut pairs = Vec::new();
    let mut at = 0;
    while !text[at..].trim().is_empty() {
        let equals = at + text[at..].find('=')?;
        let key = name(&text[at..equals])?;
        let start = equals + 1 + (text[equals + 1..].len() - text[equals + 1..].trim_start().len());
        let quote = text[start..].chars().next().filter(|c| matches!(c, '\'' | '"'));
        let from = start + usize::from(quote.is_some());
        let end = match quote {
            Some(quote) => from + text[from..].find(quote)?,
            None => text[from..].find(';').map_or(text.len(), |i| from + i),
        };
        let trimmed = from + text[from..end].trim_end().len();
        pairs.push((key, from..if quote.is_some() { end } else { trimmed }));
        at = text[end..].find(';').map_or(text.len(), |i| end + i + 1);
    }
    Some(pairs)
}

/// The string as it may be shown: where it leads and as whom, nothing else.
pub(super) fn shown(text: &str, keywords: &Keywords) -> String {
    let joint = if keywords.semicolons { ";" } else { " " };
    let known =
        ["host", "hostaddr", "server", "datasource", "port", "dbname", "database", "db", "user", "username", "sslmode"];
    let parts = keywords.pairs.iter().map(|(key, value)| {
        let said = if known.contains(&key.as_str()) { &text[value.clone()] } else { "•••" };
        format!("{key}={said}")
    });
    parts.collect::<Vec<_>>().join(joint)
}
