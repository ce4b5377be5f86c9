//! The API's base address in the text files of a static site: the exact origin at the borders of an address, in every
//! spelling that scripts and markup use, and nothing else.

mod context;
mod hidden;
mod matcher;
mod mixed;

#[cfg(test)]
mod tests;

use bytes::Bytes;
use regex::{Regex, RegexBuilder};
use thiserror::Error;

use matcher::{Base, Mention};

/// Texts longer than this are looked through but not rewritten, in bytes.
pub const LARGEST_TEXT: usize = 16 << 20;

/// Characters shown on either side of a hit.
const CONTEXT: usize = 40;

/// A base address that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BaseError {
    /// Not an absolute address.
    #[error("{0} is not a base address: write it as https://host/path, without user, query or fragment")]
    NotABase(String),
    /// The new base holds the old one, so a second run would rewrite it again.
    #[error("the new base {new} contains the old base {old}: a second run would rewrite it again")]
    Overlap {
        /// The old base.
        old: String,
        /// The new base.
        new: String,
    },
}

/// The old base address and the new one.
#[derive(Clone, Debug)]
pub struct Bases {
    old: Base,
    new: Base,
    host: Regex,
    /// The host in bytes of any encoding, as UTF-16 too.
    raw: regex::bytes::Regex,
    /// The host in base64, wherever it stands in the encoded text.
    hidden: Option<Regex>,
    /// What may not be loaded from pages that come by https.
    mixed: mixed::Mixed,
    /// The old host is one of the pages' own, so that scripts have other reasons to name it.
    serves_pages: bool,
}

impl Bases {
    /// Reads both addresses (`https://box.shop.test/api`).
    ///
    /// # Errors
    /// [`BaseError`] if one is no base, or the new one contains the old one.
    pub fn new(old: &str, new: &str) -> Result<Self, BaseError> {
        let (old_base, new_base) = (read(old)?, read(new)?);
        let host = RegexBuilder::new(&regex::escape(&old_base.host))
            .case_insensitive(true)
            .build()
            .map_err(|_| BaseError::NotABase(old.to_owned()))?;
        let wide: Vec<String> = old_base.host.chars().map(|c| regex::escape(&c.to_string())).collect();
        let raw = regex::bytes::RegexBuilder::new(&format!("{}|{}", regex::escape(&old_base.host), wide.join("\\x00")))
            .case_insensitive(true)
            .build()
            .map_err(|_| BaseError::NotABase(old.to_owned()))?;
        let (hidden, mixed) = (hidden::pattern(&old_base.host), mixed::Mixed::default());
        let bases = Self { old: old_base, new: new_base, host, raw, hidden, mixed, serves_pages: false };
        let overlap =
            ["", "/"].iter().any(|tail| bases.pass(&format!("{new}{tail}")).is_some_and(|p| !p.hits.is_empty()));
        if overlap { Err(BaseError::Overlap { old: old.to_owned(), new: new.to_owned() }) } else { Ok(bases) }
    }

    /// The same, looking for mixed content too: the box's own addresses in any address, and these hosts by `http:`.
    #[must_use]
    pub fn watching(mut self, addresses: &[String], hosts: &[String]) -> Self {
        let other = |all: &[String]| all.iter().filter(|one| **one != self.old.host).cloned().collect::<Vec<_>>();
        self.mixed = mixed::Mixed::new(&other(addresses), &other(hosts));
        self.serves_pages = hosts.contains(&self.old.host);
        self
    }

    /// The old host.
    pub fn old_host(&self) -> &str {
        &self.old.host
    }

    /// Whether the old host is in these bytes, of whatever encoding.
    pub fn are_named_in(&self, bytes: &[u8]) -> bool {
        self.raw.is_match(bytes)
    }

    /// One pass over a text; `None` if the old host is not in it.
    fn pass(&self, text: &str) -> Option<Pass> {
        let mut pass = Pass { text: String::new(), hits: Vec::new(), leftovers: Vec::new(), made: Vec::new() };
        let mut done = 0;
        let mut lines = Lines { text, counted: 0, line: 1, column: 1 };
        for found in self.host.find_iter(text) {
            let mention = match matcher::judge(text, found.range(), &self.old, &self.new) {
                // Permissions and connections are for a whole origin.
                Mention::Origin(range, new) if context::is_for_origins(text, range.start) => Mention::Base(range, new),
                Mention::Origin(range, _) => {
                    if context::is_literal(text, &range) {
                        pass.made.push((range.start, "the origin alone"));
                    }
                    Mention::Left(matcher::ANOTHER_PATH)
                }
                Mention::Left(why) => {
                    if context::is_literal(text, &found.range()) {
                        pass.made.push((found.start(), "the host alone"));
                    }
                    Mention::Left(why)
                }
                other => other,
            };
            match mention {
                Mention::OtherHost | Mention::Origin(..) => {}
                Mention::Left(why) => {
                    let (line, column) = lines.of(found.start());
                    let around = context(text, found.start(), found.end(), found.as_str());
                    pass.leftovers.push(Leftover { line, column, text: around, why });
                }
                Mention::Base(range, new) => {
                    let (line, column) = lines.of(range.start);
                    pass.text.push_str(&text[done..range.start]);
                    pass.text.push_str(&new);
                    done = range.end;
                    let before = context(text, range.start, range.end, &text[range.clone()]);
                    let after = context(text, range.start, range.end, &new);
                    pass.hits.push(Hit { line, column, before, after });
                }
            }
        }
        if pass.hits.is_empty() && pass.leftovers.is_empty() {
            return None;
        }
        pass.text.push_str(&text[done..]);
        Some(pass)
    }
}

struct Pass {
    text: String,
    hits: Vec<Hit>,
    leftovers: Vec<Leftover>,
    /// Where a script holds a part of the address that it puts together with others, and which.
    made: Vec<(usize, &'static str)>,
}

/// Counts lines once over a text, however many places are asked for.
struct Lines<'t> {
    text: &'t str,
    counted: usize,
    line: usize,
    column: usize,
}

impl Lines<'_> {
    /// Line and column of a place; places are asked for in their order.
    fn of(&mut self, at: usize) -> (usize, usize) {
        let walked = &self.text[self.counted.min(at)..at];
        self.line += walked.matches('\n').count();
        self.column = match walked.rfind('\n') {
            Some(last) => walked[last + 1..].chars().count() + 1,
            None => self.column + walked.chars().count(),
        };
        self.counted = at;
        (self.line, self.column)
    }
}

/// A place that was rewritten.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
    /// The old address amid forty characters on either side.
    pub before: String,
    /// The same with the new address.
    pub after: String,
}

/// A mention of the old host that was not rewritten.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leftover {
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
    /// The mention amid forty characters on either side.
    pub text: String,
    /// Why it was left.
    pub why: &'static str,
}

/// What became of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing was rewritten.
    Unchanged {
        /// Mentions of the old host that stay.
        leftovers: Vec<Leftover>,
    },
    /// The base was rewritten.
    Rewritten {
        /// The new content.
        bytes: Bytes,
        /// Where.
        hits: Vec<Hit>,
        /// Mentions of the old host that stay.
        leftovers: Vec<Leftover>,
    },
    /// The old host is in it, but it cannot be rewritten.
    Refused {
        /// Names the file and says what to do.
        why: String,
    },
}

/// Rewrites the old base in one file. Binary files are never touched.
pub fn rewrite_asset(name: &str, bytes: &Bytes, bases: &Bases) -> Outcome {
    let nothing = Outcome::Unchanged { leftovers: Vec::new() };
    if !has_text_name(name) || bytes.contains(&0) && !bases.raw.is_match(bytes) {
        return nothing;
    }
    if bytes.len() > LARGEST_TEXT {
        let why = format!(
            "{name} names {} and is over {} MiB: serve the API under the site's own name instead",
            bases.old.host,
            LARGEST_TEXT >> 20
        );
        return if bases.raw.is_match(bytes) { Outcome::Refused { why } } else { nothing };
    }
    let Some(text) = std::str::from_utf8(bytes).ok().filter(|t| !t.contains('\0')) else {
        let why = format!("{name} names {} but is not UTF-8 text: convert it, or change it by hand", bases.old.host);
        return if bases.raw.is_match(bytes) { Outcome::Refused { why } } else { nothing };
    };
    if let Some(place) = bases.hidden.as_ref().and_then(|hidden| hidden::place(text, hidden)) {
        let host = &bases.old.host;
        let why =
            format!("{name}:{place} holds {host} in base64, where it cannot be rewritten: change the file's source");
        return Outcome::Refused { why };
    }
    let mixed = bases.mixed.places(name, text);
    let Some(mut pass) = bases.pass(text) else { return Outcome::Unchanged { leftovers: mixed } };
    pass.leftovers.extend(mixed);
    let made = pass.made.iter().find(|(at, _)| !bases.serves_pages && context::is_script(name, text, *at));
    if let Some((at, part)) = made.copied() {
        let (line, column) = Lines { text, counted: 0, line: 1, column: 1 }.of(at);
        let why = format!(
            "{name}:{line}:{column} holds {part} of the API's address on {}: the script puts the address together when \
             it runs; name the part that stands there as `names.api-base` in the site file, or change the file's source",
            bases.old.host
        );
        return Outcome::Refused { why };
    }
    if pass.hits.is_empty() {
        return Outcome::Unchanged { leftovers: pass.leftovers };
    }
    Outcome::Rewritten { bytes: pass.text.into(), hits: pass.hits, leftovers: pass.leftovers }
}

/// The name of the text that a packed file is a twin of (`app.js` of `app.js.gz`).
pub fn twin_of(name: &str) -> Option<&str> {
    [".gz", ".br"].iter().find_map(|end| name.strip_suffix(end)).filter(|text| has_text_name(text))
}

/// Whether a name is that of a text file of a site.
pub fn has_text_name(name: &str) -> bool {
    const TEXT: [&str; 26] = [
        "html",
        "htm",
        "xhtml",
        "js",
        "mjs",
        "cjs",
        "css",
        "json",
        "map",
        "webmanifest",
        "xml",
        "svg",
        "txt",
        "md",
        "vue",
        "jsx",
        "ts",
        "tsx",
        "php",
        "appcache",
        "rss",
        "atom",
        "csv",
        "yml",
        "yaml",
        "vtt",
    ];
    let base = name.rsplit('/').next().unwrap_or(name);
    base.rsplit_once('.').is_some_and(|(_, e)| TEXT.contains(&e.to_ascii_lowercase().as_str()))
}

/// `middle` with what stands before and behind the span, on one line.
fn context(text: &str, start: usize, end: usize, middle: &str) -> String {
    let from = text[..start].char_indices().rev().take(CONTEXT).last().map_or(start, |(i, _)| i);
    let to = text[end..].char_indices().nth(CONTEXT).map_or(text.len(), |(i, _)| end + i);
    format!("{}{middle}{}", &text[from..start], &text[end..to]).replace(['\n', '\r', '\t'], " ")
}

/// Reads an absolute address.
fn read(address: &str) -> Result<Base, BaseError> {
    let bad = || BaseError::NotABase(address.to_owned());
    let (scheme, rest) = address.split_once("://").ok_or_else(bad)?;
    let tls = match scheme.to_ascii_lowercase().as_str() {
        "https" => true,
        "http" => false,
        _ => return Err(bad()),
    };
    if rest.contains(['?', '#', '@', '"', '\'', '\\', '<']) || rest.contains(char::is_whitespace) {
        return Err(bad());
    }
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) => (host, port.parse().map_err(|_| bad())?),
        None => (authority, if tls { 443 } else { 80 }),
    };
    let host = host.to_lowercase();
    if host.is_empty() || !host.chars().all(|c| c.is_alphanumeric() || "-._".contains(c)) {
        return Err(bad());
    }
    Ok(Base { tls, host, port, path: path.split('/').filter(|p| !p.is_empty()).map(str::to_owned).collect() })
}
