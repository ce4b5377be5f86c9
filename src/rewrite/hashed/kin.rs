//! Hashes that look like words: a bundler's hash now and then has no digit, or only one kind of letters, and then nothing
//! tells it from a word but its neighbours, whose names have a hash in the same place, of the same length and letters.

use std::collections::{BTreeMap, BTreeSet};

use crate::rewrite::media;

/// The letters a bundler's hashes are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Letters {
    /// webpack
    Hexadecimal,
    /// esbuild
    Base32,
    /// Vite
    Mixed,
}

/// Where and how the files of a folder carry their hashes: folder, ending, the character before the hash, its length.
type Shape<'n> = (&'n str, &'n str, char, usize);

/// The hashes, by file, of those files that only their neighbours tell of.
pub(super) fn unlike(names: &[String]) -> BTreeMap<String, String> {
    let (mut shapes, mut plain): (BTreeSet<(Shape<'_>, Letters)>, Vec<&String>) = (BTreeSet::new(), Vec::new());
    for name in names.iter().filter(|name| !media::keeps_its_name(name)) {
        let Some((folder, stem, ending)) = parts(name) else { continue };
        match media::hash_part(name) {
            None => plain.push(name),
            Some(hash) => {
                let before = stem.strip_suffix(hash).and_then(|head| head.chars().next_back());
                shapes.extend(before.map(|before| ((folder, ending, before, hash.len()), letters(hash))));
            }
        }
    }
    let mut found = BTreeMap::new();
    for name in plain {
        let Some((folder, stem, ending)) = parts(name) else { continue };
        let fits = shapes.iter().find_map(|((of, with, before, len), made_of)| {
            let at = stem.len().checked_sub(*len).filter(|at| stem.is_char_boundary(*at))?;
            let (head, hash) = stem.split_at(at);
            let alike = (*of, *with) == (folder, ending) && head.ends_with(*before) && is_of(hash, *made_of);
            alike.then(|| hash.to_owned())
        });
        found.extend(fits.map(|hash| (name.clone(), hash)));
    }
    found
}

/// Folder, stem and ending of a script or a style sheet, which are what bundlers name by hashes and rewriting changes.
fn parts(name: &str) -> Option<(&str, &str, &str)> {
    let (folder, base) = name.rsplit_once('/').unwrap_or(("", name));
    let dot = [".chunk.js", ".chunk.css", ".js", ".mjs", ".css"].iter().find(|ending| base.ends_with(**ending))?;
    Some((folder, &base[..base.len() - dot.len()], &base[base.len() - dot.len()..]))
}

fn letters(hash: &str) -> Letters {
    if hash.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
        Letters::Hexadecimal
    } else if hash.bytes().all(|b| matches!(b, b'A'..=b'Z' | b'2'..=b'7')) {
        Letters::Base32
    } else {
        Letters::Mixed
    }
}

fn is_of(hash: &str, made_of: Letters) -> bool {
    let any = |is: fn(&u8) -> bool| hash.as_bytes().iter().any(is);
    match made_of {
        Letters::Hexadecimal | Letters::Base32 => letters(hash) == made_of,
        Letters::Mixed => {
            let inner_capital = hash.bytes().skip(1).any(|b| b.is_ascii_uppercase());
            let letters = any(u8::is_ascii_alphabetic);
            hash.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
                && letters
                && (any(u8::is_ascii_digit) || inner_capital && any(u8::is_ascii_lowercase) || hash.contains('_'))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_tell_a_hash_from_a_word() {
        let names = [
            "assets/index-DkX3a9_b.js",
            "assets/view-k3x_a9b2.js",
            "assets/list-abXdefgh.js",
            "assets/index-settings.js",
            "assets/theme-DkX3a9_c.css",
            "chunk-3K5TQ2ZC.js",
            "chunk-ABCDEFGH.js",
            "main-README.js",
            "js/a.3f2a9c1b.chunk.js",
            "js/b.12345678.chunk.js",
            "js/c.12345678.js",
            "other/view-k3x_a9b2.js",
        ];
        let names = names.map(str::to_owned);
        let hashes: Vec<String> = unlike(&names).into_values().collect();
        assert_eq!(hashes, ["abXdefgh", "k3x_a9b2", "ABCDEFGH", "12345678"]);
    }
}
