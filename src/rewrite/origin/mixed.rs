//! Mixed content: what a page that came by https may not load, or should not. Told, never changed.

use regex::{Regex, RegexBuilder};

use super::{Leftover, Lines, context};

/// So many places of a file are told.
const TOLD: usize = 20;
/// Why an own host by `http:` is told.
const PLAIN: &str = "http: where the site is https (mixed content)";

/// What to look for; nothing by default.
#[derive(Clone, Debug, Default)]
pub(super) struct Mixed {
    addresses: Option<Regex>,
    hosts: Option<Regex>,
}

impl Mixed {
    /// The box's own addresses in any address, and hosts of the site by `http:` or `ws:`.
    pub(super) fn new(addresses: &[String], hosts: &[String]) -> Self {
        Self {
            addresses: pattern(r"(?:(?:https?|wss?):)?(?:\\?/){2}\[?", addresses),
            hosts: pattern(r"(?:http|ws):(?:\\?/){2}", hosts),
        }
    }

    /// The places of a text, in their order.
    pub(super) fn places(&self, name: &str, text: &str) -> Vec<Leftover> {
        let mut found: Vec<(usize, usize, &'static str)> = Vec::new();
        let mut look = |pattern: Option<&Regex>, why| {
            let all = pattern.into_iter().flat_map(|pattern| pattern.find_iter(text));
            found.extend(all.filter(|m| ends(&text[m.end()..])).map(|m| (m.start(), m.end(), why)));
        };
        look(self.addresses.as_ref(), "the box's own address, which it will not keep");
        look(self.hosts.as_ref(), PLAIN);
        found.extend(loaded(name, text).filter(|_| self.hosts.is_some()).map(|(start, end)| (start, end, PLAIN)));
        found.sort_unstable();
        found.dedup_by(|later, first| later.0 < first.1);
        let mut lines = Lines { text, counted: 0, line: 1, column: 1 };
        let told = found.into_iter().take(TOLD).map(|(start, end, why)| {
            let (line, column) = lines.of(start);
            Leftover { line, column, text: context_of(text, start, end), why }
        });
        told.collect()
    }
}

fn context_of(text: &str, start: usize, end: usize) -> String {
    context(text, start, end, &text[start..end])
}

fn pattern(before: &str, names: &[String]) -> Option<Regex> {
    let names: Vec<String> = names.iter().map(|name| regex::escape(name)).collect();
    let pattern = format!("{before}(?:{})", names.join("|"));
    if names.is_empty() { None } else { RegexBuilder::new(&pattern).case_insensitive(true).build().ok() }
}

/// Whether the host does not go on.
fn ends(rest: &str) -> bool {
    let mut chars = rest.chars();
    match chars.next() {
        Some(c) if c.is_alphanumeric() || c == '-' => false,
        Some('.') => !chars.next().is_some_and(char::is_alphanumeric),
        _ => true,
    }
}

/// What a page loads by `http:`, from wherever it is: links that are only followed are none of it.
fn loaded<'t>(name: &str, text: &'t str) -> impl Iterator<Item = (usize, usize)> + 't {
    let page = matches!(name.rsplit_once('.').map_or("", |(_, e)| e), "html" | "htm" | "xhtml");
    let tags = if page { text.match_indices('<') } else { "".match_indices('<') };
    tags.filter_map(|(open, _)| {
        let rest = &text[open + 1..];
        let name: String = rest.chars().take_while(char::is_ascii_alphabetic).collect();
        let attributes = match name.to_ascii_lowercase().as_str() {
            "script" | "img" | "iframe" | "audio" | "video" | "source" | "embed" => "src=",
            "link" if !rest.starts_with("link rel=\"canonical\"") => "href=",
            "object" => "data=",
            _ => return None,
        };
        let tag = &rest[..rest.find('>').unwrap_or(rest.len())];
        let at = tag.find(attributes)? + attributes.len();
        let value = tag[at..].trim_start_matches(['"', '\'']);
        let start = open + 1 + tag.len() - value.len();
        let loads = name != "link" || ["stylesheet", "preload", "icon", "manifest"].iter().any(|r| tag.contains(r));
        (loads && value.starts_with("http://")).then(|| (start, start + "http://".len()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_addresses_and_plain_http_are_told_with_their_places() {
        let mixed = Mixed::new(&["203.0.113.7".into()], &["www.shop.test".into()]);
        let told =
            |name: &str, text: &str| mixed.places(name, text).iter().map(|l| (l.line, l.column)).collect::<Vec<_>>();
        assert_eq!(told("a.js", "x\n y='http://203.0.113.7:8080/api' //203.0.113.70"), [(2, 5)]);
        assert_eq!(told("a.js", r#""ws:\/\/www.shop.test\/x" https://www.shop.test"#), [(1, 2)]);
        assert_eq!(told("a.js", "http://www.shop.testing http://www.shop.test.example"), []);
        assert_eq!(told("a.html", "<a href=http://other.test>x</a><img src='http://other.test/a.png'>").len(), 1);
        assert_eq!(
            told("a.html", "<link rel=stylesheet href=http://other.test/a.css><link rel=x href=http://o.test>").len(),
            1
        );
        assert!(Mixed::default().places("a.html", "<img src=http://a.test>").is_empty());
    }
}
