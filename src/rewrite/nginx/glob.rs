//! File names by an include's pattern.

use std::collections::BTreeMap;

/// The files of a map whose paths match the pattern (`*`, `?` within one directory), in order. What a closure of
/// [`super::load`] answers when the files lie in memory.
pub fn matching(files: &BTreeMap<String, String>, pattern: &str) -> Vec<(String, String)> {
    let found = files.iter().filter(|(path, _)| matches(pattern.as_bytes(), path.as_bytes()));
    found.map(|(path, text)| (path.clone(), text.clone())).collect()
}

fn matches(pattern: &[u8], text: &[u8]) -> bool {
    match (pattern.split_first(), text.split_first()) {
        (None, None) => true,
        (Some((b'*', after)), _) => {
            matches(after, text) || text.split_first().is_some_and(|(c, rest)| *c != b'/' && matches(pattern, rest))
        }
        (Some((b'?', pattern)), Some((c, text))) if *c != b'/' => matches(pattern, text),
        (Some((p, pattern)), Some((c, text))) if p == c => matches(pattern, text),
        _ => false,
    }
}
