//! What a text says of other files: the hashes of their names, and digests of their content.

use std::collections::{BTreeMap, BTreeSet};

use aws_lc_rs::digest::{self, Algorithm, SHA1_FOR_LEGACY_USE_ONLY, SHA256, SHA384, SHA512};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use regex::Regex;

/// Digests as `integrity` attributes write them, escaped slashes included.
fn integrity_pattern() -> Regex {
    Regex::new(r"sha(?:256|384|512)-(?:[A-Za-z0-9+/]|\\/|\\u002[fF]){43,}={0,2}").expect("the pattern is a constant")
}

/// Words that could hold a hash: eight or more of the characters of Vite's. By hand, for a pattern takes several times as
/// long and bundles are large.
fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let bytes = text.as_bytes();
    let is_word = |b: u8| matches!(b, b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'-');
    let mut at = 0;
    std::iter::from_fn(move || {
        while at < bytes.len() {
            let start = at;
            while at < bytes.len() && is_word(bytes[at]) {
                at += 1;
            }
            let end = at;
            at += 1;
            if end - start >= 8 {
                return Some((start, &text[start..end]));
            }
        }
        None
    })
}

/// The hashes and digests that texts may hold.
pub(super) struct Scanner {
    integrity: Regex,
    tokens: BTreeSet<String>,
    /// Lengths of the hashes, so that a longer word is cut only where one can fit.
    lengths: BTreeSet<usize>,
}

impl Scanner {
    pub(super) fn new(tokens: BTreeSet<String>) -> Self {
        let lengths = tokens.iter().map(String::len).collect();
        Self { integrity: integrity_pattern(), tokens, lengths }
    }

    /// Where hashes of names stand in the text.
    pub(super) fn tokens<'t>(&self, text: &'t str) -> Vec<(usize, &'t str)> {
        let mut found = Vec::new();
        for (start, word) in words(text) {
            let mut at = 0;
            while at < word.len() {
                // most places are inside a word: the cheap question first, a bundle has millions of them
                if !opens(text, start + at) {
                    at += 1;
                    continue;
                }
                let fits = |len: &usize| {
                    let piece = word.get(at..at + len)?;
                    (self.tokens.contains(piece) && is_edge(text, start + at, piece.len())).then_some(piece)
                };
                match self.lengths.iter().rev().find_map(fits) {
                    Some(piece) => {
                        found.push((start + at, piece));
                        at += piece.len();
                    }
                    None => at += 1,
                }
            }
        }
        found
    }

    /// The digests in the text, unescaped: those of `integrity`, and words that may be the hexadecimal ones of a service
    /// worker's list.
    pub(super) fn integrities(&self, text: &str) -> BTreeSet<String> {
        let mut found: BTreeSet<String> =
            words(text).filter(|(_, word)| is_hex_digest(word)).map(|(_, word)| word.to_owned()).collect();
        if may_hold_digests(text) {
            found.extend(self.integrity.find_iter(text).map(|m| unescape(m.as_str())));
        }
        found
    }

    /// The text with hashes and digests replaced by what the tables say, and with these places of it besides.
    pub(super) fn replace(
        &self,
        text: &str,
        tokens: &BTreeMap<String, String>,
        digests: &BTreeMap<String, String>,
        mut changes: Vec<(usize, usize, String)>,
    ) -> String {
        for (at, token) in self.tokens(text) {
            if let Some(new) = tokens.get(token) {
                changes.push((at, at + token.len(), new.clone()));
            }
        }
        for (at, word) in words(text).filter(|(_, word)| is_hex_digest(word)) {
            // A word that is the hash of a name too was replaced as that.
            if let Some(new) = digests.get(word).filter(|_| !tokens.contains_key(word)) {
                changes.push((at, at + word.len(), new.clone()));
            }
        }
        let searched = if may_hold_digests(text) && !digests.is_empty() { text } else { "" };
        for found in self.integrity.find_iter(searched) {
            let raw = found.as_str();
            if let Some(new) = digests.get(&unescape(raw)) {
                let slash = ["\\u002F", "\\u002f", "\\/"].into_iter().find(|s| raw.contains(s)).unwrap_or("/");
                changes.push((found.start(), found.end(), new.replace('/', slash)));
            }
        }
        changes.sort();
        let mut out = String::with_capacity(text.len());
        let mut done = 0;
        for (start, end, new) in changes.into_iter().filter(|c| c.1 > c.0) {
            if start >= done {
                out.push_str(&text[done..start]);
                out.push_str(&new);
                done = end;
            }
        }
        out + &text[done..]
    }
}

/// Whether the word has the form of an MD5, a SHA-1 or a SHA-256.
fn is_hex_digest(word: &str) -> bool {
    matches!(word.len(), 32 | 40 | 64) && word.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// The quick question before the pattern is run over megabytes.
fn may_hold_digests(text: &str) -> bool {
    ["sha256-", "sha384-", "sha512-"].iter().any(|name| text.contains(name))
}

fn unescape(raw: &str) -> String {
    raw.replace("\\/", "/").replace("\\u002F", "/").replace("\\u002f", "/")
}

/// Whether a hash stands by itself: between characters that are no letters or digits, or behind an escaped slash or
/// quote, whose last character may be one.
fn is_edge(text: &str, at: usize, len: usize) -> bool {
    opens(text, at) && !text[at + len..].starts_with(char::is_alphanumeric)
}

/// The left half of [`is_edge`].
fn opens(text: &str, at: usize) -> bool {
    let head = &text[..at];
    let escaped = ["%2F", "%2f", "%22", "%2E", "%2e", "%2D", "%2d", "\\u002F", "\\u002f", "\\x2F", "\\x2f", "\\u0022"];
    !head.ends_with(char::is_alphanumeric) || escaped.iter().any(|e| head.ends_with(e))
}

/// The digests of some content: three as `integrity` writes them, then MD5 (Workbox), SHA-1 (Angular's service worker)
/// and SHA-256 in hexadecimal. Their order is always this one.
pub(super) fn digests(bytes: &[u8]) -> [String; 6] {
    let [one, two, three] = integrity(bytes);
    let hexadecimal = |algorithm: &'static Algorithm| hex::encode(digest::digest(algorithm, bytes));
    [one, two, three, md5(bytes), hexadecimal(&SHA1_FOR_LEGACY_USE_ONLY), hexadecimal(&SHA256)]
}

/// The three digests of some content, as `integrity` writes them.
pub(super) fn integrity(bytes: &[u8]) -> [String; 3] {
    let one = |name: &str, algorithm: &'static Algorithm| {
        format!("{name}-{}", STANDARD.encode(digest::digest(algorithm, bytes)))
    };
    [one("sha256", &SHA256), one("sha384", &SHA384), one("sha512", &SHA512)]
}

/// The MD5, by which Workbox tells versions of a file apart.
pub(super) fn md5(bytes: &[u8]) -> String {
    use md5::Digest as _;
    hex::encode(md5::Md5::digest(bytes))
}

/// A hash for a name, in the letters and the length of the old one.
pub(super) fn fresh_token(old: &str, content: &[u8], taken: impl Fn(&str) -> bool) -> Option<String> {
    const SMALL: &str = "abcdefghijklmnopqrstuvwxyz0123456789";
    const CAPITAL: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    const MIXED: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let all = |is: fn(&u8) -> bool| old.as_bytes().iter().all(is);
    let letters = if all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
        "0123456789abcdef"
    } else if all(|b| !b.is_ascii_lowercase()) {
        CAPITAL
    } else if all(|b| !b.is_ascii_uppercase()) {
        SMALL
    } else {
        MIXED
    };
    let letters = letters.as_bytes();
    (0_u32..1000).find_map(|salt| {
        let mut hasher = digest::Context::new(&SHA512);
        hasher.update(old.as_bytes());
        hasher.update(&salt.to_be_bytes());
        hasher.update(content);
        let sum = hasher.finish();
        let fresh: String = sum
            .as_ref()
            .iter()
            .cycle()
            .take(old.len())
            .map(|b| char::from(letters[usize::from(*b) % letters.len()]))
            .collect();
        // the new name must be recognised as a hashed one by the next run
        let seen = crate::rewrite::media::hash_part(&format!("a.{fresh}.js")) == Some(fresh.as_str())
            && crate::rewrite::media::hash_part(&format!("a-{fresh}.js")) == Some(fresh.as_str());
        (seen && !taken(&fresh)).then_some(fresh)
    })
}
