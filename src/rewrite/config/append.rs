//! One more item at the end of a list, written like the item before it: YAML block and flow, JSON, TOML, and the
//! `key[0]=…` lines of Java properties.

use super::slot::{Slot, Style, line_of};
use super::{Format, RewriteError, encode, scan, verify};

/// The text with `item` added behind the last item of the list at `list`.
///
/// # Errors
/// [`RewriteError::NoSuchKey`] if there is no list of plain values there, [`RewriteError::Damaged`] if the result does
/// not read back as the old values and one more.
pub fn append(text: &str, format: Format, list: &str, item: &str) -> Result<String, RewriteError> {
    let slots = scan(text, format)?;
    let missing = || RewriteError::NoSuchKey { key: list.to_owned() };
    let (at, slot) = slots
        .iter()
        .enumerate()
        .rfind(|(_, s)| if s.style.is_list() { s.path == list } else { item_index(&s.path, list).is_some() })
        .ok_or_else(missing)?;
    let cannot = || RewriteError::CannotHold { key: list.to_owned(), line: line_of(text, slot.span.start), format };
    let (place, insert) = match slot.style {
        Style::EmptyList => {
            let coded = encode::whole(Style::JsonString, item).ok_or_else(cannot)?;
            (slot.span.end - 1, coded)
        }
        Style::Property => {
            let index = item_index(&slot.path, list).ok_or_else(missing)?;
            let line = line_start(text, slot.span.start);
            let head = text[line..slot.span.start].replacen(&format!("[{index}]"), &format!("[{}]", index + 1), 1);
            let coded = encode::whole(slot.style, item).ok_or_else(cannot)?;
            new_line(text, slot.span.end, &format!("{head}{coded}"))
        }
        style => {
            let coded =
                encode::whole(style, item).or_else(|| encode::whole(Style::YamlDouble, item)).ok_or_else(cannot)?;
            match dash_indent(text, slot) {
                Some(indent) if format == Format::Yaml => new_line(text, slot.span.end, &format!("{indent}- {coded}")),
                _ => (slot.span.end, format!("{}{coded}", separator(text, &slots, at, list))),
            }
        }
    };
    let out = format!("{}{insert}{}", &text[..place], &text[place..]);
    verify::appended(&out, format, &slots, list, item)?;
    Ok(out)
}

/// The index in `list[7]`.
fn item_index(path: &str, list: &str) -> Option<usize> {
    path.strip_prefix(list)?.strip_prefix('[')?.strip_suffix(']')?.parse().ok()
}

fn line_start(text: &str, at: usize) -> usize {
    text[..at].rfind('\n').map_or(0, |i| i + 1)
}

/// Where a line goes that follows the one in which `at` stands, and how it is broken off; a missing final newline stays
/// missing.
fn new_line(text: &str, at: usize, line: &str) -> (usize, String) {
    let end = text[at..].find('\n').map_or(text.len(), |i| at + i);
    let end = if text[..end].ends_with('\r') { end - 1 } else { end };
    let ending = if text[..end].contains("\r\n") || text[end..].starts_with("\r\n") { "\r\n" } else { "\n" };
    (end, format!("{ending}{line}"))
}

/// The indentation of the dash of a block list item, if it is one.
fn dash_indent(text: &str, slot: &Slot) -> Option<String> {
    let before = &text[line_start(text, slot.span.start)..slot.span.start];
    let dashes = before.trim_end_matches(|c: char| c != '-');
    (!dashes.is_empty() && dashes.chars().all(|c| " \t-".contains(c)) && before[dashes.len()..].starts_with(' '))
        .then(|| " ".repeat(dashes.len() - 1))
}

/// What stands between two items: as before the last one, or guessed from how the only one is set.
fn separator(text: &str, slots: &[Slot], at: usize, list: &str) -> String {
    let end = &slots[at];
    if let Some(previous) = at.checked_sub(1).map(|i| &slots[i]).filter(|s| item_index(&s.path, list).is_some()) {
        let between = &text[previous.span.end..end.span.start];
        if between.chars().all(|c| c == ',' || c.is_whitespace()) {
            return between.to_owned();
        }
    }
    let line = line_start(text, end.span.start);
    let indent = &text[line..end.span.start];
    if line > 0 && indent.trim().is_empty() {
        let ending = if text[..line].ends_with("\r\n") { "\r\n" } else { "\n" };
        return format!(",{ending}{indent}");
    }
    ", ".to_owned()
}
