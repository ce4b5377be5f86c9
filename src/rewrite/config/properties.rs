//! Java properties: `=`, `:` or white space as separator, continuation lines, `\uXXXX`, comments with `#` and `!`.

use super::pieces;
use super::slot::{Slot, Style};
use super::{Format, RewriteError};

pub(super) fn scan(text: &str) -> Result<Vec<Slot>, RewriteError> {
    let mut slots = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let line = physical(text, at);
        let body = text[at..line].trim_start_matches([' ', '\t', '\x0c']);
        let start = line - body.len();
        if body.is_empty() || body.starts_with(['#', '!']) {
            at = after_break(text, line);
            continue;
        }
        let end = logical(text, start);
        let key_end = key_end(text, start, end);
        let value_start = skip_separator(text, key_end, end);
        let key = pieces::join(&pieces::of(Style::Property, &text[start..key_end]));
        check_unicode(text, start, end)?;
        let value = pieces::join(&pieces::of(Style::Property, &text[value_start..end]));
        slots.push(Slot { path: key, value, span: value_start..end, style: Style::Property });
        at = after_break(text, end);
    }
    Ok(slots)
}

/// The end of the physical line, before its line break.
fn physical(text: &str, at: usize) -> usize {
    text[at..].find(['\n', '\r']).map_or(text.len(), |i| at + i)
}

/// The offset behind the line break at `at`.
fn after_break(text: &str, at: usize) -> usize {
    let rest = &text.as_bytes()[at..];
    at + if rest.starts_with(b"\r\n") { 2 } else { rest.len().min(1) }
}

/// The end of the logical line: physical lines ending in an odd number of backslashes go on.
fn logical(text: &str, at: usize) -> usize {
    let mut end = physical(text, at);
    let mut from = at;
    loop {
        let slashes = text[from..end].bytes().rev().take_while(|b| *b == b'\\').count();
        if slashes % 2 == 0 || end >= text.len() {
            return end;
        }
        from = after_break(text, end);
        end = physical(text, from);
    }
}

fn key_end(text: &str, start: usize, end: usize) -> usize {
    let mut escaped = false;
    for (i, c) in text[start..end].char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '=' | ':' | ' ' | '\t' | '\x0c' => return start + i,
            _ => {}
        }
    }
    end
}

fn skip_separator(text: &str, key_end: usize, end: usize) -> usize {
    let blanks = |from: usize| end - text[from..end].trim_start_matches([' ', '\t', '\x0c']).len();
    let at = blanks(key_end);
    if text[at..end].starts_with(['=', ':']) { blanks(at + 1) } else { at }
}

fn check_unicode(text: &str, start: usize, end: usize) -> Result<(), RewriteError> {
    let mut rest = start;
    while let Some(i) = text[rest..end].find('\\') {
        let at = rest + i;
        let tail = &text.as_bytes()[at + 1..end];
        if tail.first() == Some(&b'u') && !(tail.len() >= 5 && tail[1..5].iter().all(u8::is_ascii_hexdigit)) {
            return Err(RewriteError::syntax(Format::Properties, text, at, "\\u needs four hexadecimal digits"));
        }
        rest = at + 1 + text[at + 1..end].chars().next().map_or(0, char::len_utf8);
    }
    Ok(())
}
