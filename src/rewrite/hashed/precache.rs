//! What lists of files say of each one: Workbox's pairs of address and revision, the hash table of Angular's service
//! worker, and digests that a page's tag demands of what it loads.

use std::path::{Component, Path};

use regex::Regex;

/// One file as a list has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Listed {
    /// Its path under the document root.
    pub file: String,
    /// Where its revision or digest stands in the text.
    pub at: (usize, usize),
    /// What stands there.
    pub digest: String,
}

/// Finds them. Made once for a site.
pub(super) struct Lists {
    pair: Regex,
    tag: Regex,
}

impl Lists {
    pub(super) fn new() -> Self {
        let field =
            |n: u8| format!(r#"\\?["']?\b(?P<k{n}>url|revision)\\?["']?\s*:\s*\\?["'](?P<v{n}>[^"'\\]+)\\?["']"#);
        let pair = Regex::new(&format!(r"{}\s*,\s*{}", field(1), field(2))).expect("the pattern is a constant");
        let tag = Regex::new(r"(?i)<(?:script|link)\b[^>]*\bintegrity\s*=[^>]*>").expect("the pattern is a constant");
        Self { pair, tag }
    }

    /// The pairs of address and revision in a text that lies at this path.
    pub(super) fn pairs(&self, path: &str, text: &str) -> Vec<Listed> {
        if !text.contains("revision") {
            return Vec::new();
        }
        let pairs = self.pair.captures_iter(text).filter_map(|found| {
            let (url, revision) = match (&found["k1"], &found["k2"]) {
                ("url", "revision") => (found.name("v1")?, found.name("v2")?),
                ("revision", "url") => (found.name("v2")?, found.name("v1")?),
                _ => return None,
            };
            let file = resolved(path, url.as_str())?;
            Some(Listed { file, at: (revision.start(), revision.end()), digest: revision.as_str().to_owned() })
        });
        pairs.collect()
    }

    /// The digests that tags demand of files of the site, one a tag; of several in a tag the last.
    pub(super) fn demanded(&self, path: &str, text: &str) -> Vec<Listed> {
        let tags = self.tag.find_iter(text).filter_map(|tag| {
            let file = attribute(tag.as_str(), "src").or_else(|| attribute(tag.as_str(), "href"))?;
            let (start, digests) = attribute_at(tag.as_str(), "integrity")?;
            let digest = digests.split_whitespace().last()?;
            let from = tag.start() + start;
            let at = (from, from + digests.len());
            Some(Listed { file: resolved(path, file)?, at, digest: digest.to_owned() })
        });
        tags.collect()
    }
}

/// The hash table of an `ngsw.json`; empty for any other file.
pub(super) fn hash_table(path: &str, text: &str) -> Vec<Listed> {
    if path.rsplit('/').next() != Some("ngsw.json") {
        return Vec::new();
    }
    let Ok(serde_json::Value::Object(whole)) = serde_json::from_str(text) else { return Vec::new() };
    let table = whole.get("hashTable").and_then(|table| table.as_object());
    let rows = table.into_iter().flatten().filter_map(|(url, hash)| {
        Some(Listed { file: resolved(path, url)?, at: (0, 0), digest: hash.as_str()?.to_owned() })
    });
    rows.collect()
}

/// A file of the site, by an address as a text at `path` writes it; `None` for one of another host.
pub(super) fn resolved(path: &str, url: &str) -> Option<String> {
    let url = url.split(['?', '#']).next().unwrap_or_default();
    if url.starts_with("//") || url.contains("://") || url.is_empty() {
        return None;
    }
    let url = percent_encoding::percent_decode_str(url).decode_utf8().ok()?;
    let base = if url.starts_with('/') { Path::new("") } else { Path::new(path).parent().unwrap_or(Path::new("")) };
    let mut parts: Vec<&str> = Vec::new();
    for part in base.components().chain(Path::new(url.trim_start_matches('/')).components()) {
        match part {
            Component::Normal(part) => parts.push(part.to_str()?),
            Component::ParentDir => {
                parts.pop()?;
            }
            _ => {}
        }
    }
    let file = parts.join("/");
    // A folder's address is its index.
    match (file.as_str(), url.ends_with('/')) {
        ("", _) => Some("index.html".to_owned()),
        (_, true) => Some(format!("{file}/index.html")),
        _ => Some(file),
    }
}

fn attribute<'t>(tag: &'t str, name: &str) -> Option<&'t str> {
    attribute_at(tag, name).map(|(_, value)| value)
}

/// Where an attribute's value begins in its tag, and the value.
fn attribute_at<'t>(tag: &'t str, name: &str) -> Option<(usize, &'t str)> {
    let lower = tag.to_ascii_lowercase();
    let mut from = 0;
    while let Some(found) = lower[from..].find(name) {
        let start = from + found;
        from = start + name.len();
        let rest = tag[from..].trim_start();
        let Some(value) = rest.strip_prefix('=').map(str::trim_start) else { continue };
        if !lower[..start].ends_with(char::is_whitespace) && !lower[..start].ends_with(['"', '\'']) {
            continue;
        }
        let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''));
        let value = value.strip_prefix(['"', '\'']).unwrap_or(value);
        let end = quote.map_or_else(|| value.find(|c: char| c.is_whitespace() || c == '>'), |quote| value.find(quote));
        return Some((tag.len() - value.len(), &value[..end.unwrap_or(value.len())]));
    }
    None
}

/// What a page's inline scripts and styles hold, for the digests its policy allows them by.
pub(super) fn inline(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    // As long as the text, since only ASCII letters change.
    let lower = text.to_ascii_lowercase();
    for (open, close) in [("<script", "</script"), ("<style", "</style")] {
        let mut at = 0;
        while let Some(start) = lower[at..].find(open).map(|found| at + found) {
            let Some(from) = text[start..].find('>').map(|end| start + end + 1) else { break };
            let Some(to) = lower[from..].find(close).map(|end| from + end) else { break };
            found.push(&text[from..to]);
            at = to;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_read_in_every_spelling() {
        let text = r#"[{url:"index.html",revision:"aa"},{"revision":"bb","url":"/a/b%20c.js?x=1"},{\"url\":\"x\",\"revision\":\"cc\"},{url:"y",revision:null}]"#;
        let found: Vec<(String, String)> =
            Lists::new().pairs("app/sw.js", text).into_iter().map(|l| (l.file, l.digest)).collect();
        let wanted = [("app/index.html", "aa"), ("a/b c.js", "bb"), ("app/x", "cc")];
        assert_eq!(found, wanted.map(|(a, b)| (a.to_owned(), b.to_owned())));
        for one in Lists::new().pairs("sw.js", text) {
            assert_eq!(text[one.at.0..one.at.1], one.digest);
        }
    }

    #[test]
    fn a_tags_demand_is_read_whatever_the_order_and_quotes() {
        let text = "<script integrity='sha384-x' src=/a.js></script><link href=\"b.css\" data-integrity=no integrity=\"sha256-y sha512-z\">\
                    <script src=https://cdn.test/c.js integrity=sha384-w></script>";
        let found: Vec<(String, String)> =
            Lists::new().demanded("en/index.html", text).into_iter().map(|l| (l.file, l.digest)).collect();
        assert_eq!(found, [("a.js".into(), "sha384-x".into()), ("en/b.css".into(), "sha512-z".into())]);
    }

    #[test]
    fn addresses_lead_to_files_of_the_site() {
        for (path, url, file) in [
            ("a/b.html", "../c.js", Some("c.js")),
            ("a/b.html", "./", Some("a/index.html")),
            ("a/b.html", "/", Some("index.html")),
            ("a", "/docs/", Some("docs/index.html")),
            ("a", "//cdn.test/x.js", None),
            ("a", "https://cdn.test/x.js", None),
            ("a", "../../x", None),
        ] {
            assert_eq!(resolved(path, url).as_deref(), file, "{path} {url}");
        }
    }

    #[test]
    fn inline_parts_are_found() {
        let text = "<SCRIPT>a()</SCRIPT><script src=x></script><style nonce=1>b{}</style>한<script>c";
        assert_eq!(inline(text), ["a()", "", "b{}"]);
    }
}
