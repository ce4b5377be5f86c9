//! `${NAME:default}` and `${NAME:-default}`: left alone, unless the default is what is changed.

use std::ops::Range;

/// The part of `text` that is a value of its own: all of it, the default of a placeholder that spans all of it, or
/// nothing where a placeholder has no default.
pub(super) fn literal(text: &str) -> Option<Range<usize>> {
    let Some(inner) = text.strip_prefix("${").filter(|_| end(text, 0) == Some(text.len())) else {
        return (!text.contains("${")).then_some(0..text.len());
    };
    let colon = inner[..inner.len() - 1].find(':')?;
    let dash = usize::from(inner[colon + 1..].starts_with('-'));
    let start = 2 + colon + 1 + dash;
    let range = start..text.len() - 1;
    let nested = literal(&text[range.clone()])?;
    Some(start + nested.start..start + nested.end)
}

/// The offset of the first of `wanted` in `text` from `from` on that is not inside a placeholder.
pub(super) fn find(text: &str, from: usize, wanted: &[char]) -> Option<usize> {
    let mut at = from;
    while let Some(c) = text[at..].chars().next() {
        if text[at..].starts_with("${")
            && let Some(after) = end(text, at)
        {
            at = after;
            continue;
        }
        if wanted.contains(&c) {
            return Some(at);
        }
        at += c.len_utf8();
    }
    None
}

/// The pieces between the separators that stand outside placeholders.
pub(super) fn split(text: &str, range: Range<usize>, separator: char) -> Vec<Range<usize>> {
    let mut parts = Vec::new();
    let mut start = range.start;
    while let Some(at) = find(&text[..range.end], start, &[separator]) {
        parts.push(start..at);
        start = at + separator.len_utf8();
    }
    parts.push(start..range.end);
    parts
}

/// The offset behind the placeholder that opens at `at`, nested ones inside it counted.
fn end(text: &str, at: usize) -> Option<usize> {
    let mut depth = 0_usize;
    let mut i = at;
    while i < text.len() {
        if text[i..].starts_with("${") {
            depth += 1;
            i += 2;
        } else {
            let c = text[i..].chars().next()?;
            i += c.len_utf8();
            if c == '}' {
                depth -= 1;
                if depth == 0 {
                    return Some(i);
                }
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_the_value() {
        let said = |text: &'static str| literal(text).map(|r| &text[r]);
        assert_eq!(said("db"), Some("db"));
        assert_eq!(said("${DB_HOST:db}"), Some("db"));
        assert_eq!(said("${DB_HOST:-db}"), Some("db"));
        assert_eq!(said("${A:${B:db}}"), Some("db"));
        assert_eq!(said("${DB_HOST}"), None);
        assert_eq!(said("x-${A:b}"), None);
        assert_eq!(said("${A:b}-${C:d}"), None);
        assert_eq!(find("${A:b}:1", 0, &[':']), Some(6));
        assert_eq!(split("a,${B:c,d},e", 0..12, ',').len(), 3);
    }
}
