//! Edits of values in configuration files. Each format has a scanner that says where its values stand; an edit splices
//! the new text into those spans, and the result is read again before it is handed out. Nothing outside a changed value
//! moves: comments, order, quotes, line endings, byte-order mark, final newline.

mod append;
mod dotenv;
mod encode;
mod error;
mod format;
mod json;
mod pieces;
mod properties;
mod slot;
mod toml;
mod verify;
mod yaml;

#[cfg(test)]
mod golden;
#[cfg(test)]
mod tests;

use std::fmt;
use std::ops::Range;

pub use append::append;
pub use error::RewriteError;
pub use format::Format;

use slot::{Slot, line_of};

/// A value in a file: where it stands and what it says. `Debug` keeps the value to itself, it may be a password.
#[derive(Clone, PartialEq, Eq)]
pub struct Found {
    /// Dotted key (`spring.datasource.url`), list items as `key[0]`; the name itself in flat formats.
    pub path: String,
    /// The value with quotes and escapes undone.
    pub value: String,
    /// Bytes of the value in the text, quotes included.
    pub span: Range<usize>,
    /// Line of the value's first byte, from 1.
    pub line: usize,
}

impl fmt::Debug for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Found({} at line {}, bytes {:?})", self.path, self.line, self.span)
    }
}

/// One value to change.
#[derive(Clone, PartialEq, Eq)]
pub struct Edit {
    /// The dotted key as [`values`] names it.
    pub key: String,
    /// What the value will say, before quoting and escaping.
    pub new: String,
}

impl fmt::Debug for Edit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Edit({})", self.key)
    }
}

/// Every scalar value of the file, in the order of the text.
///
/// # Errors
/// [`RewriteError::Syntax`] with line and column where the text is not of the format.
pub fn values(text: &str, format: Format) -> Result<Vec<Found>, RewriteError> {
    Ok(scan(text, format)?.into_iter().filter(|s| !s.style.is_list()).map(|s| s.into_found(text)).collect())
}

/// The keys of lists without items, with their lines: no value stands there, but [`append`] can put one in.
///
/// # Errors
/// As [`values`].
pub fn empty_lists(text: &str, format: Format) -> Result<Vec<(String, usize)>, RewriteError> {
    let lists = scan(text, format)?.into_iter().filter(|s| s.style.is_list());
    Ok(lists.map(|s| (s.path, line_of(text, s.span.start))).collect())
}

/// The text with the named values changed, and nothing else.
///
/// # Errors
/// A key that is not there, one that is there more than once, a value the form cannot hold, and a result that does not
/// read back as intended. The text is never half changed.
pub fn edit(text: &str, format: Format, edits: &[Edit]) -> Result<String, RewriteError> {
    let slots = scan(text, format)?;
    let mut chosen = Vec::with_capacity(edits.len());
    for edit in edits {
        let mut places = slots.iter().enumerate().filter(|(_, s)| s.path == edit.key && !s.style.is_list());
        let (at, _) = places.next().ok_or_else(|| RewriteError::NoSuchKey { key: edit.key.clone() })?;
        if let Some((_, second)) = places.next() {
            return Err(RewriteError::Ambiguous {
                key: edit.key.clone(),
                first: line_of(text, slots[at].span.start),
                second: line_of(text, second.span.start),
            });
        }
        chosen.push((at, edit.new.as_str()));
    }
    apply(text, format, &slots, chosen)
}

/// Like [`edit`], but the places are named by what [`values`] found in this very text, so that a key that stands twice
/// (two YAML documents, a repeated variable) can be changed in one of them.
///
/// # Errors
/// As [`edit`]; a place that is not in the text counts as a missing key.
pub fn edit_found(text: &str, format: Format, edits: &[(&Found, &str)]) -> Result<String, RewriteError> {
    let slots = scan(text, format)?;
    let mut chosen = Vec::with_capacity(edits.len());
    for (found, new) in edits {
        let at = slots
            .iter()
            .position(|s| s.span == found.span && s.path == found.path && !s.style.is_list())
            .ok_or_else(|| RewriteError::NoSuchKey { key: found.path.clone() })?;
        chosen.push((at, *new));
    }
    apply(text, format, &slots, chosen)
}

/// Splices and checks. `chosen` names slots by index.
fn apply(text: &str, format: Format, slots: &[Slot], mut chosen: Vec<(usize, &str)>) -> Result<String, RewriteError> {
    chosen.retain(|(at, new)| slots[*at].value != *new);
    chosen.sort_unstable();
    chosen.dedup();
    if let Some(pair) = chosen.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        let slot = &slots[pair[0].0];
        let line = line_of(text, slot.span.start);
        return Err(RewriteError::Ambiguous { key: slot.path.clone(), first: line, second: line });
    }
    let mut out = String::with_capacity(text.len() + 64 * chosen.len());
    let mut done = 0;
    for (at, new) in &chosen {
        let slot = &slots[*at];
        let raw = &text[slot.span.clone()];
        let coded = encode::replace(slot, raw, new).ok_or_else(|| RewriteError::CannotHold {
            key: slot.path.clone(),
            line: line_of(text, slot.span.start),
            format,
        })?;
        out.push_str(&text[done..slot.span.start]);
        out.push_str(&coded);
        done = slot.span.end;
    }
    out.push_str(&text[done..]);
    if !chosen.is_empty() {
        verify::edited(text, &out, format, slots, &chosen)?;
    }
    Ok(out)
}

/// The scanners, behind the byte-order mark.
fn scan(text: &str, format: Format) -> Result<Vec<Slot>, RewriteError> {
    let body = text.strip_prefix('\u{feff}').unwrap_or(text);
    let shift = text.len() - body.len();
    let mut slots = match format {
        Format::Env => dotenv::scan(body),
        Format::Properties => properties::scan(body),
        Format::Yaml => yaml::scan(body),
        Format::Json => json::scan(body),
        Format::Toml => toml::scan(body),
    }?;
    for slot in &mut slots {
        slot.span = slot.span.start + shift..slot.span.end + shift;
    }
    slots.sort_by_key(|s| (s.span.start, s.span.end));
    Ok(slots)
}
