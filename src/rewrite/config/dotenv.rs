//! `.env` files: `KEY=value`, `export KEY=value`, quotes of three kinds (double and single may span lines), comments.

use super::pieces;
use super::slot::{Slot, Style};
use super::{Format, RewriteError};

pub(super) fn scan(text: &str) -> Result<Vec<Slot>, RewriteError> {
    let mut slots = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let line_end = text[at..].find('\n').map_or(text.len(), |i| at + i);
        let line = text[at..line_end].trim_end_matches('\r');
        let body = line.trim_start_matches([' ', '\t']);
        let mut start = at + line.len() - body.len();
        if body.is_empty() || body.starts_with('#') {
            at = line_end + 1;
            continue;
        }
        let export = body.strip_prefix("export").is_some_and(|rest| rest.starts_with([' ', '\t']));
        if export {
            let rest = body["export".len()..].trim_start_matches([' ', '\t']);
            start += body.len() - rest.len();
        }
        let rest = &text[start..at + line.len()];
        let Some(equals) = rest.find('=') else {
            // `KEY` alone passes the variable on from the environment (Docker): no value stands here.
            if rest.trim_end().contains(char::is_whitespace) {
                return Err(RewriteError::syntax(Format::Env, text, start, "expected KEY=value"));
            }
            at = line_end + 1;
            continue;
        };
        let key = rest[..equals].trim_end();
        if key.is_empty() || key.contains(char::is_whitespace) {
            return Err(RewriteError::syntax(Format::Env, text, start, "expected KEY=value"));
        }
        let raw_value = &rest[equals + 1..];
        let value_start = start + equals + 1 + (raw_value.len() - raw_value.trim_start_matches([' ', '\t']).len());
        let slot = value(text, value_start, at + line.len(), export).map_err(|quote| {
            RewriteError::syntax(Format::Env, text, value_start, format!("the {quote} quote is never closed"))
        })?;
        let slot = Slot { path: key.to_owned(), ..slot };
        at = text[slot.span.end..].find('\n').map_or(text.len(), |i| slot.span.end + i) + 1;
        slots.push(slot);
    }
    Ok(slots)
}

/// The value from `start` on; the error is the quote that stays open.
fn value(text: &str, start: usize, line_end: usize, export: bool) -> Result<Slot, char> {
    let made = |span: std::ops::Range<usize>, style: Style| {
        let value = match style {
            Style::EnvPlain { .. } => text[span.clone()].to_owned(),
            _ => pieces::join(&pieces::of(style, &text[span.clone()])),
        };
        Slot { path: String::new(), value, span, style }
    };
    let plain = || {
        let line = &text[start..line_end];
        let comment = line
            .char_indices()
            .find(|(i, c)| *c == '#' && (*i == 0 || line[..*i].ends_with([' ', '\t'])))
            .map_or(line.len(), |(i, _)| i);
        made(start..start + line[..comment].trim_end().len(), Style::EnvPlain { export })
    };
    let Some(quote) = text[start..line_end].chars().next().filter(|c| matches!(c, '"' | '\'' | '`')) else {
        return Ok(plain());
    };
    let close = closing(text, start, quote).ok_or(quote)?;
    let rest = text[close..].lines().next().unwrap_or("").trim_start();
    if !rest.is_empty() && !rest.starts_with('#') {
        // `"a"b`: quotes inside a bare word. Taken as it stands, quotes and all.
        return Ok(plain());
    }
    let style = if quote == '"' { Style::EnvDouble } else { Style::EnvLiteral(quote) };
    Ok(made(start..close, style))
}

/// The offset behind the closing quote.
fn closing(text: &str, start: usize, quote: char) -> Option<usize> {
    let mut escaped = false;
    for (i, c) in text[start + 1..].char_indices() {
        if escaped {
            escaped = false;
        } else if c == '\\' && quote == '"' {
            escaped = true;
        } else if c == quote {
            return Some(start + 1 + i + 1);
        }
    }
    None
}
