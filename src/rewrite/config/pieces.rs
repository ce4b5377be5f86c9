//! Raw text cut into pieces that each stand for some text: an escape, a quote (for nothing), a character. With these a
//! value can be changed in its middle while its untouched ends keep their very bytes, escapes and all.

use std::fmt::Write as _;

use super::slot::Style;

/// Some raw bytes and what they say.
pub(super) struct Piece<'t> {
    pub raw: &'t str,
    pub said: String,
}

/// What the pieces say together.
pub(super) fn join(pieces: &[Piece<'_>]) -> String {
    pieces.iter().map(|p| p.said.as_str()).collect()
}

/// Cuts `raw`, which is written in `style`. What they say may differ from the value where the form folds lines; callers
/// compare.
pub(super) fn of(style: Style, raw: &str) -> Vec<Piece<'_>> {
    match style {
        Style::EnvDouble => quoted(raw, 1, |rest| escape(rest, env_escape)),
        Style::YamlDouble | Style::TomlBasic => quoted(raw, 1, |rest| escape(rest, yaml_escape)),
        Style::JsonString => quoted(raw, 1, json_piece),
        Style::TomlLongBasic => quoted(raw, 3, |rest| escape(rest, yaml_escape)),
        Style::EnvLiteral(_) | Style::TomlLiteral => quoted(raw, 1, one),
        Style::TomlLongLiteral => quoted(raw, 3, one),
        Style::YamlSingle => quoted(raw, 1, |rest| if rest.starts_with("''") { (2, "'".into()) } else { one(rest) }),
        Style::Property => cut(raw, |rest| escape(rest, property_escape)),
        Style::YamlLiteral { indent } => block(raw, indent, "\n"),
        Style::YamlFolded { indent } => block(raw, indent, " "),
        Style::EnvPlain { .. } | Style::YamlPlain { .. } | Style::Bare | Style::EmptyList => cut(raw, one),
    }
}

/// Adds a key to a dotted path.
pub(super) fn push_key(path: &mut String, key: &str) {
    if !path.is_empty() {
        path.push('.');
    }
    path.push_str(key);
}

/// Adds a list index to a dotted path.
pub(super) fn push_index(path: &mut String, index: usize) {
    write!(path, "[{index}]").expect("writing to a String cannot fail");
}

type Next = (usize, String);

fn one(rest: &str) -> Next {
    let c = rest.chars().next().unwrap_or('\u{fffd}');
    (c.len_utf8(), c.to_string())
}

fn cut(raw: &str, next: impl Fn(&str) -> Next) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut at = 0;
    while at < raw.len() {
        let (len, said) = next(&raw[at..]);
        pieces.push(Piece { raw: &raw[at..at + len], said });
        at += len;
    }
    pieces
}

fn quoted(raw: &str, quotes: usize, next: impl Fn(&str) -> Next) -> Vec<Piece<'_>> {
    let end = raw.len().saturating_sub(quotes).max(quotes);
    // a line break right behind three quotes belongs to them
    let after = &raw[quotes..end];
    let lead = if quotes == 3 {
        after.len() - after.strip_prefix("\r\n").or(after.strip_prefix('\n')).unwrap_or(after).len()
    } else {
        0
    };
    let mut pieces = vec![Piece { raw: &raw[..quotes + lead], said: String::new() }];
    pieces.extend(cut(&raw[quotes + lead..end], next));
    pieces.push(Piece { raw: &raw[end..], said: String::new() });
    pieces
}

/// One character, or the escape that starts with a backslash.
fn escape(rest: &str, known: fn(&str) -> Option<Next>) -> Next {
    match rest.strip_prefix('\\') {
        Some(tail) if !tail.is_empty() => known(tail).map_or_else(|| one(rest), |(len, said)| (len + 1, said)),
        _ => one(rest),
    }
}

fn env_escape(tail: &str) -> Option<Next> {
    let said = match tail.as_bytes()[0] {
        b'n' => "\n",
        b'r' => "\r",
        b't' => "\t",
        b'"' => "\"",
        b'\\' => "\\",
        b'$' => "$",
        _ => return None,
    };
    Some((1, said.to_owned()))
}

fn hex(tail: &str, digits: usize) -> Option<Next> {
    let code = u32::from_str_radix(tail.get(1..=digits)?, 16).ok()?;
    Some((1 + digits, char::from_u32(code)?.to_string()))
}

/// The escapes of YAML; those of TOML are among them.
fn yaml_escape(tail: &str) -> Option<Next> {
    let said = match tail.as_bytes()[0] {
        b'0' => "\0",
        b'a' => "\x07",
        b'b' => "\x08",
        b't' | b'\t' => "\t",
        b'n' => "\n",
        b'v' => "\x0b",
        b'f' => "\x0c",
        b'r' => "\r",
        b'e' => "\x1b",
        b' ' => " ",
        b'"' => "\"",
        b'/' => "/",
        b'\\' => "\\",
        b'N' => "\u{85}",
        b'_' => "\u{a0}",
        b'L' => "\u{2028}",
        b'P' => "\u{2029}",
        b'x' => return hex(tail, 2),
        b'u' => return hex(tail, 4),
        b'U' => return hex(tail, 8),
        b'\n' | b'\r' => return Some((folded(tail), String::new())),
        _ => return None,
    };
    Some((1, said.to_owned()))
}

/// Length of a line break and the blanks that open the next line.
fn folded(tail: &str) -> usize {
    let broken = tail.strip_prefix("\r\n").or_else(|| tail.strip_prefix(['\n', '\r'])).unwrap_or(tail);
    tail.len() - broken.trim_start_matches([' ', '\t', '\x0c']).len()
}

fn property_escape(tail: &str) -> Option<Next> {
    match tail.as_bytes()[0] {
        b't' => Some((1, "\t".into())),
        b'n' => Some((1, "\n".into())),
        b'r' => Some((1, "\r".into())),
        b'f' => Some((1, "\x0c".into())),
        b'u' => hex(tail, 4).or_else(|| pair(tail)),
        b'\n' | b'\r' => Some((folded(tail), String::new())),
        _ => Some(one(tail)),
    }
}

/// A surrogate pair `uD83D\uDE00`.
fn pair(tail: &str) -> Option<Next> {
    let high = u16::from_str_radix(tail.get(1..5)?, 16).ok()?;
    let low = u16::from_str_radix(tail.get(5..11)?.strip_prefix("\\u")?, 16).ok()?;
    let c = char::decode_utf16([high, low]).next()?.ok()?;
    Some((11, c.to_string()))
}

fn json_piece(rest: &str) -> Next {
    escape(rest, |tail| match tail.as_bytes()[0] {
        b'u' => hex(tail, 4).or_else(|| pair(tail)),
        _ => yaml_escape(tail),
    })
}

/// The indented lines of a block scalar. `joint` is what a line break between two lines says.
fn block<'t>(raw: &'t str, indent: usize, joint: &str) -> Vec<Piece<'t>> {
    let mut pieces = Vec::new();
    let mut lines = raw.split_inclusive('\n').peekable();
    while let Some(line) = lines.next() {
        let text = line.trim_end_matches('\n').trim_end_matches('\r');
        let lead = text.bytes().take(indent).take_while(|b| *b == b' ').count();
        pieces.push(Piece { raw: &line[..lead], said: String::new() });
        pieces.extend(cut(&text[lead..], one));
        if text.len() < line.len() {
            let said = if lines.peek().is_some() { joint } else { "\n" };
            pieces.push(Piece { raw: &line[text.len()..], said: said.to_owned() });
        }
    }
    pieces
}
