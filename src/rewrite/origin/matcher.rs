//! Finding an old base address in text: at each mention of the host, the text before it must be `//` with or without a
//! scheme, in any of the spellings that scripts and markup use, and the text behind it the base's port and path, ended
//! like an address ends.

use std::ops::Range;

/// An address split into its parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Base {
    pub tls: bool,
    pub host: String,
    pub port: u16,
    /// The path's parts, without empty ones.
    pub path: Vec<String>,
}

/// How a slash is spelt, with the colon that goes with it.
struct Spelling {
    slash: &'static str,
    colon: &'static str,
}

/// The longer spellings come before those that are their ends.
const SPELLINGS: [Spelling; 9] = [
    Spelling { slash: "\\\\u002f", colon: "\\\\u003a" },
    Spelling { slash: "\\u002f", colon: "\\u003a" },
    Spelling { slash: "\\x2f", colon: "\\x3a" },
    Spelling { slash: "%252f", colon: "%253a" },
    Spelling { slash: "%2f", colon: "%3a" },
    Spelling { slash: "&#x2f;", colon: "&#x3a;" },
    Spelling { slash: "\\\\/", colon: ":" },
    Spelling { slash: "\\/", colon: ":" },
    Spelling { slash: "/", colon: ":" },
];

/// What a mention of the old host is.
pub(super) enum Mention {
    /// The old base: the bytes to replace and what with.
    Base(Range<usize>, String),
    /// The old origin without the base's path: the bytes it takes, and the new origin in the same spelling.
    Origin(Range<usize>, String),
    /// Part of a longer host name: another host altogether.
    OtherHost,
    /// The host, but not as the base; with the reason.
    Left(&'static str),
}

/// Judges the mention of the old host at `at`.
pub(super) fn judge(text: &str, at: Range<usize>, old: &Base, new: &Base) -> Mention {
    if continues_left(text, at.start) || continues_right(text, at.end) {
        return Mention::OtherHost;
    }
    let head = &text[..at.start];
    let Some(spelling) = SPELLINGS.iter().find(|s| ends_with(head, s.slash).is_some()) else {
        return Mention::Left("not part of an absolute address");
    };
    let Some(authority) = ends_with(head, spelling.slash).and_then(|rest| ends_with(rest, spelling.slash)) else {
        return Mention::Left("not part of an absolute address");
    };
    let upper = text[authority.len()..at.start].contains(['F', 'U', 'X']);
    let (start, scheme) = match scheme(authority, spelling, old.tls) {
        Ok(found) => found,
        Err(why) => return Mention::Left(why),
    };
    let port = port(&text[at.end..], spelling);
    let (after_port, given) = match port {
        Some((len, port)) => (at.end + len, Some(port)),
        None => (at.end, None),
    };
    if given.is_some_and(|port| port != old.port) || given.is_none() && old.port != if old.tls { 443 } else { 80 } {
        return Mention::Left("another port");
    }
    let end = path(text, after_port, &old.path, spelling).filter(|end| is_boundary(&text[*end..]));
    let cased = |spelt: &str| if upper { uppercase_hex(spelt) } else { spelt.to_owned() };
    let (slash, colon) = (cased(spelling.slash), cased(spelling.colon));
    let mut made = String::new();
    if let Some(scheme) = scheme {
        let name = match (scheme.starts_with(['w', 'W']), new.tls) {
            (true, true) => "wss",
            (true, false) => "ws",
            (false, true) => "https",
            (false, false) => "http",
        };
        made += name;
        made += &text[start + scheme.len()..authority.len()];
    }
    made += &text[authority.len()..at.start];
    made += &new.host;
    if new.port != if new.tls { 443 } else { 80 } {
        made += &colon;
        made += &new.port.to_string();
    }
    match end {
        Some(end) => {
            for part in &new.path {
                made += &slash;
                made += part;
            }
            Mention::Base(start..end, made)
        }
        None if ends_here(&text[after_port..]) => Mention::Origin(start..after_port, made),
        None => Mention::Left(ANOTHER_PATH),
    }
}

/// Why the origin with another path is left.
pub(super) const ANOTHER_PATH: &str = "another path";

/// Whether the address ends behind its authority: the end of a literal, an attribute or a word.
fn ends_here(rest: &str) -> bool {
    rest.chars().next().is_none_or(|c| "\"'`\\<>;, \t\n".contains(c)) && !rest.starts_with("\\/")
}

/// `head` without `tail`, compared without case.
fn ends_with<'t>(head: &'t str, tail: &str) -> Option<&'t str> {
    let cut = head.len().checked_sub(tail.len()).filter(|c| head.is_char_boundary(*c))?;
    head[cut..].eq_ignore_ascii_case(tail).then(|| &head[..cut])
}

fn starts_with<'t>(rest: &'t str, head: &str) -> Option<&'t str> {
    rest.get(..head.len()).filter(|h| h.eq_ignore_ascii_case(head)).map(|h| &rest[h.len()..])
}

/// `\u002f` in capitals where the text has it so: the escape's letter itself keeps its case.
fn uppercase_hex(spelt: &str) -> String {
    if spelt.starts_with('&') { spelt.to_owned() } else { spelt.replace('f', "F").replace('a', "A") }
}

/// Whether the host name goes on to the left (`notbox.shop.test`, `a.box.shop.test`).
fn continues_left(text: &str, at: usize) -> bool {
    let head = &text[..at];
    let escaped = SPELLINGS.iter().any(|s| ends_with(head, s.slash).is_some() || ends_with(head, s.colon).is_some())
        || ["%40", "%22", "%27", "%20", "%3d", "%26", "\\u0022", "\\u0027", "\\n", "\\t", "\\r", "\\b"]
            .iter()
            .any(|e| ends_with(head, e).is_some());
    !escaped && head.ends_with(|c: char| c.is_alphanumeric() || "-_.".contains(c))
}

/// Whether the host name goes on to the right (`box.shop.test.example.org`, `box.shop.testing`).
fn continues_right(text: &str, at: usize) -> bool {
    let rest = &text[at..];
    let mut chars = rest.chars();
    match chars.next() {
        Some(c) if c.is_alphanumeric() || "-_".contains(c) => true,
        Some('.') => chars.next().is_some_and(|c| c.is_alphanumeric() || "-_".contains(c)),
        Some('%') => ["%2d", "%2e", "%5f"].iter().any(|e| starts_with(rest, e).is_some()),
        _ => false,
    }
}

/// Where the address starts and its scheme, if it has one. `authority` is the text before the slashes.
fn scheme<'t>(authority: &'t str, spelling: &Spelling, tls: bool) -> Result<(usize, Option<&'t str>), &'static str> {
    let Some(named) = ends_with(authority, spelling.colon).or_else(|| authority.strip_suffix(':')) else {
        let glued = authority.ends_with(|c: char| c.is_alphanumeric() || "-_.~%/)]}".contains(c));
        return if glued { Err("not part of an absolute address") } else { Ok((authority.len(), None)) };
    };
    for name in ["https", "http", "wss", "ws"] {
        let Some(before) = ends_with(named, name) else { continue };
        // `%22https:`: the escape ends in a letter or digit and is no part of the scheme
        let quoted = before.len() >= 3 && before.as_bytes()[before.len() - 3] == b'%'
            || ["\\n", "\\t", "\\r", "\\u0022", "\\u0027", "\\x22", "\\x27"]
                .iter()
                .any(|e| ends_with(before, e).is_some());
        if before.ends_with(|c: char| c.is_ascii_alphanumeric() || "+.-".contains(c)) && !quoted {
            break;
        }
        return match (name, tls) {
            ("http", true) => Err("http: where the site is https (mixed content)"),
            ("https" | "wss", false) => Err("https: where the old base is http"),
            _ => Ok((before.len(), Some(&named[before.len()..]))),
        };
    }
    Err("another scheme")
}

fn port(rest: &str, spelling: &Spelling) -> Option<(usize, u16)> {
    let tail = starts_with(rest, spelling.colon).or_else(|| rest.strip_prefix(':'))?;
    let digits = tail.bytes().take_while(u8::is_ascii_digit).count();
    let port = tail[..digits].parse().ok()?;
    Some((rest.len() - tail.len() + digits, port))
}

/// The offset behind the base's path, if it follows.
fn path(text: &str, from: usize, parts: &[String], spelling: &Spelling) -> Option<usize> {
    let mut rest = &text[from..];
    for part in parts {
        rest = starts_with(rest, spelling.slash).or_else(|| rest.strip_prefix('/'))?.strip_prefix(part.as_str())?;
    }
    Some(text.len() - rest.len())
}

/// Whether an address, or the base in it, may end here.
fn is_boundary(rest: &str) -> bool {
    let Some(c) = rest.chars().next() else { return true };
    match c {
        '%' => ["%2f", "%3f", "%23", "%22", "%27", "%20", "%26", "%2c", "%3b", "%252f", "%253f"]
            .iter()
            .any(|e| starts_with(rest, e).is_some()),
        '.' => !rest[1..].starts_with(|c: char| c.is_alphanumeric() || "-_./".contains(c)),
        '$' => rest.starts_with("${"),
        ':' | '@' | '=' | '+' | '~' | '-' | '_' => false,
        c => !c.is_alphanumeric(),
    }
}
