//! New text for a value, in the form of the old one wherever that form can hold it.

use std::fmt::Write as _;

use super::pieces::{self, Piece};
use super::slot::{Slot, Style};

/// Values that differ over more characters than this are coded anew between their common ends.
const LONGEST_COMPARED: usize = 4096;

/// The raw text that says `new` in the place of `slot`, whose raw text is `raw`. `None` if the form cannot say it.
pub(super) fn replace(slot: &Slot, raw: &str, new: &str) -> Option<String> {
    if matches!(slot.style, Style::YamlPlain { .. }) && !plain_fits(slot, new)
        || matches!(slot.style, Style::EnvPlain { export } if !env_plain_fits(&slot.value, new, export))
    {
        return whole(slot.style, new);
    }
    if slot.style == Style::Bare {
        let same = |word: &str| (is_number(word), word == "true" || word == "false");
        return (same(&slot.value) == same(new) && !new.contains(char::is_whitespace)).then(|| new.to_owned());
    }
    let pieces = pieces::of(slot.style, raw);
    let said = pieces::join(&pieces);
    let block = matches!(slot.style, Style::YamlLiteral { .. } | Style::YamlFolded { .. });
    if said == slot.value {
        return splice(slot.style, &pieces, new);
    }
    // `|-` and the last line without a break: the text proper is the same, the breaks behind it are the header's affair
    let (old_core, new_core) = (slot.value.trim_end_matches('\n'), new.trim_end_matches('\n'));
    if block && said.trim_end_matches('\n') == old_core && slot.value[old_core.len()..] == new[new_core.len()..] {
        return splice(slot.style, &pieces, &format!("{new_core}{}", &said[old_core.len()..]));
    }
    if block { None } else { whole(slot.style, new) }
}

/// Keeps the pieces that agree at both ends, and codes the text between them.
fn splice(style: Style, pieces: &[Piece<'_>], new: &str) -> Option<String> {
    let (mut head, mut head_text) = (0, 0);
    while head < pieces.len() && new[head_text..].starts_with(&pieces[head].said) {
        head_text += pieces[head].said.len();
        head += 1;
    }
    let (mut tail, mut tail_text) = (pieces.len(), new.len());
    while tail > head && new[head_text..tail_text].ends_with(&pieces[tail - 1].said) {
        tail_text -= pieces[tail - 1].said.len();
        tail -= 1;
    }
    // the closing quote says nothing and agrees with any end: the head must not have walked over it
    while head == pieces.len() && head > 0 && head_text < new.len() && pieces[head - 1].said.is_empty() {
        head -= 1;
        tail = head;
    }
    let middle = between(style, &pieces[head..tail], &new[head_text..tail_text])?;
    let raw = |part: &[Piece<'_>]| part.iter().map(|p| p.raw).collect::<String>();
    let out = format!("{}{middle}{}", raw(&pieces[..head]), raw(&pieces[tail..]));
    (style != Style::Property || !new.starts_with([' ', '\t', '\x0c']) || out.starts_with('\\')).then_some(out)
}

/// The changed part, in which runs that agree keep their raw form too: a value changes at its host and at its end, and
/// the password between them keeps its escapes.
fn between(style: Style, old: &[Piece<'_>], new: &str) -> Option<String> {
    if old.len() > LONGEST_COMPARED || new.len() > LONGEST_COMPARED {
        return inner(style, new);
    }
    let old_said: Vec<&str> = old.iter().map(|p| p.said.as_str()).filter(|s| !s.is_empty()).collect();
    let spoken: Vec<usize> = (0..old.len()).filter(|i| !old[*i].said.is_empty()).collect();
    let new_said: Vec<&str> = new.char_indices().map(|(i, c)| &new[i..i + c.len_utf8()]).collect();
    // pieces that say nothing (indentation, continued lines) go with the one before them
    let from = |i: usize| spoken.get(i).copied().unwrap_or(old.len());
    let mut out: String = old[..from(0)].iter().map(|p| p.raw).collect();
    for op in similar::capture_diff_slices(similar::Algorithm::Myers, &old_said, &new_said) {
        if op.tag() == similar::DiffTag::Equal {
            let run = op.old_range();
            out.extend(old[from(run.start)..from(run.end)].iter().map(|p| p.raw));
        } else {
            out.push_str(&inner(style, &new_said[op.new_range()].concat())?);
        }
    }
    Some(out)
}

/// The whole value anew, quotes included.
pub(super) fn whole(style: Style, new: &str) -> Option<String> {
    let around = |quote: &str, style: Style| inner(style, new).map(|text| format!("{quote}{text}{quote}"));
    match style {
        Style::EnvPlain { export } if env_plain_fits("", new, export) => Some(new.to_owned()),
        Style::EnvPlain { .. } if !new.contains(['\'', '\n', '\r']) => Some(format!("'{new}'")),
        Style::EnvPlain { .. } | Style::EnvDouble => around("\"", Style::EnvDouble),
        Style::EnvLiteral(quote) => around(&quote.to_string(), style),
        Style::YamlPlain { flow } if yaml_plain(new, flow) && is_text(new) => Some(new.to_owned()),
        Style::YamlPlain { .. } | Style::YamlSingle => {
            around("'", Style::YamlSingle).or_else(|| around("\"", Style::YamlDouble))
        }
        Style::YamlDouble | Style::JsonString | Style::TomlBasic => around("\"", style),
        Style::TomlLiteral => around("'", style).or_else(|| around("\"", Style::TomlBasic)),
        Style::TomlLongBasic => around("\"\"\"", style),
        Style::TomlLongLiteral => around("'''", style),
        Style::Property => {
            let text = inner(style, new)?;
            Some(if text.starts_with([' ', '\t', '\x0c']) { format!("\\{text}") } else { text })
        }
        Style::Bare => Some(new.to_owned()),
        Style::YamlLiteral { .. } | Style::YamlFolded { .. } | Style::EmptyList => None,
    }
}

/// Text as it stands inside the quotes of a style, or `None` where the style has no way to write it.
fn inner(style: Style, text: &str) -> Option<String> {
    let has_break = text.contains(['\n', '\r']);
    let control = text.contains(|c: char| c.is_control() && c != '\t');
    match style {
        Style::EnvPlain { .. } | Style::YamlPlain { .. } | Style::Bare => (!control).then(|| text.to_owned()),
        Style::EnvLiteral(quote) => (!text.contains(quote) && !text.contains('\r')).then(|| text.to_owned()),
        Style::EnvDouble => {
            Some(text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n").replace('\r', "\\r"))
        }
        Style::YamlSingle => (!control).then(|| text.replace('\'', "''")),
        Style::TomlLiteral | Style::TomlLongLiteral => (!control && !text.contains('\'')).then(|| text.to_owned()),
        Style::YamlLiteral { .. } | Style::YamlFolded { .. } => (!has_break && !control).then(|| text.to_owned()),
        Style::YamlDouble | Style::JsonString | Style::TomlBasic | Style::TomlLongBasic => Some(backslashed(text)),
        Style::Property => Some(property(text)),
        Style::EmptyList => None,
    }
}

/// The escapes that YAML, JSON and TOML share.
fn backslashed(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}') => {
                write!(out, "\\u{:04x}", u32::from(c)).expect("writing to a String cannot fail");
            }
            c => out.push(c),
        }
    }
    out
}

/// Properties are Latin-1 to some readers and UTF-8 to others; `\uXXXX` is right for both.
fn property(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\x0c' => out.push_str("\\f"),
            ' '..='~' => out.push(c),
            c => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    write!(out, "\\u{unit:04x}").expect("writing to a String cannot fail");
                }
            }
        }
    }
    out
}

fn is_number(word: &str) -> bool {
    word.replace('_', "").parse::<f64>().is_ok()
}

/// Whether a plain YAML word reads as text, not as a number, a boolean or nothing (by YAML 1.1 readers either).
fn is_text(word: &str) -> bool {
    let lower = word.to_ascii_lowercase();
    let special =
        ["", "~", "null", "true", "false", "yes", "no", "on", "off", "y", "n", ".nan", ".inf", "-.inf", "+.inf"];
    let numeric = lower.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c))
        && lower.chars().all(|c| c.is_ascii_hexdigit() || "+-._:xoetz".contains(c))
        && lower.matches('.').count() < 3;
    !special.contains(&lower.as_str()) && !numeric
}

/// Whether `new` can stand without quotes where `slot` stood without, and reads as the same kind of thing.
fn plain_fits(slot: &Slot, new: &str) -> bool {
    let Style::YamlPlain { flow } = slot.style else { return false };
    yaml_plain(new, flow) && (is_text(new) || !is_text(&slot.value) && is_number(&slot.value) == is_number(new))
}

fn yaml_plain(text: &str, flow: bool) -> bool {
    let Some(first) = text.chars().next() else { return false };
    let indicator = "-?:,[]{}#&*!|>'\"%@`".contains(first);
    let opens = !indicator || "-?:".contains(first) && text[1..].starts_with(|c: char| !c.is_whitespace());
    opens
        && !text.starts_with("---")
        && text.trim() == text
        && !text.ends_with(':')
        && !text.contains(": ")
        && !text.contains(" #")
        && !text.contains(|c: char| c.is_control() || matches!(c, '\u{85}' | '\u{2028}' | '\u{2029}' | '\u{feff}'))
        && !(flow && text.contains([',', '[', ']', '{', '}']))
        && !(flow && opens && "-?:".contains(first))
}

/// Without quotes where nothing in the text means anything to a reader, or no more than the old text did already.
fn env_plain_fits(old: &str, new: &str, export: bool) -> bool {
    let shell = |c: char| "&;|<>()$`\\*?~".contains(c) && export;
    let odd = |c: char| c.is_whitespace() || matches!(c, '#') || shell(c);
    let quote = new.starts_with(['"', '\'', '`']);
    !new.contains(|c: char| c.is_control())
        && new.trim() == new
        && !new.starts_with('#')
        && !new.contains(" #")
        && (!quote || old.starts_with(['"', '\'', '`']))
        && new.chars().filter(|c| odd(*c)).all(|c| old.contains(c))
}
