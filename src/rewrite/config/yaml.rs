//! YAML: the parser's events say where each scalar stands; this keeps the path to it.

use serde_saphyr::granit_parser::{Event, Parser, ScalarStyle, StructureStyle};

use super::pieces;
use super::slot::{Slot, Style};
use super::{Format, RewriteError};

/// What is open around the present node.
enum Open {
    /// A mapping; the key that waits for its value, and the length of the path before it.
    Map { key: Option<String>, flow: bool, base: usize },
    /// A list; the next index, where it starts, and the length of the path before it.
    Seq { index: usize, start: usize, flow: bool, base: usize },
}

pub(super) fn scan(text: &str) -> Result<Vec<Slot>, RewriteError> {
    let mut walk = Walk { text, open: Vec::new(), path: String::new(), slots: Vec::new() };
    for next in Parser::new_from_str(text) {
        let (event, span) = next.map_err(|e| RewriteError::Syntax {
            format: Format::Yaml,
            line: e.marker().line(),
            column: e.marker().col() + 1,
            what: e.info(),
        })?;
        let range = span.byte_range().unwrap_or(0..0);
        match event {
            Event::DocumentStart(..) => walk.path.clear(),
            Event::MappingStart(style, ..) => {
                let base = walk.enter();
                walk.open.push(Open::Map { key: None, flow: style == StructureStyle::Flow, base });
            }
            Event::SequenceStart(style, ..) => {
                let base = walk.enter();
                let flow = style == StructureStyle::Flow;
                walk.open.push(Open::Seq { index: 0, start: range.start, flow, base });
            }
            Event::MappingEnd | Event::SequenceEnd => walk.leave(range.end),
            Event::Alias(_) => walk.node(None),
            Event::Scalar(value, style, ..) => walk.scalar(&value, style, range),
            _ => {}
        }
    }
    Ok(walk.slots)
}

struct Walk<'t> {
    text: &'t str,
    open: Vec<Open>,
    path: String,
    slots: Vec<Slot>,
}

impl Walk<'_> {
    fn scalar(&mut self, value: &str, style: ScalarStyle, mut range: std::ops::Range<usize>) {
        if let Some(Open::Map { key: key @ None, .. }) = self.open.last_mut() {
            *key = Some(value.to_owned());
            return;
        }
        let flow = self.open.iter().any(|o| matches!(o, Open::Map { flow: true, .. } | Open::Seq { flow: true, .. }));
        if matches!(style, ScalarStyle::Literal | ScalarStyle::Folded) {
            // the parser's span starts behind the first line's indentation; ours are whole lines
            range.start = self.text[..range.start].rfind('\n').map_or(0, |i| i + 1);
        }
        let indent = self.text[range.clone()].bytes().take_while(|b| *b == b' ').count();
        let style = match style {
            ScalarStyle::Plain => Style::YamlPlain { flow },
            ScalarStyle::SingleQuoted => Style::YamlSingle,
            ScalarStyle::DoubleQuoted => Style::YamlDouble,
            ScalarStyle::Literal => Style::YamlLiteral { indent },
            ScalarStyle::Folded => Style::YamlFolded { indent },
        };
        let raw = &self.text[range.clone()];
        // a key without a value has an empty span: nothing stands there
        let slot = (!raw.is_empty()).then(|| Slot { path: String::new(), value: value.to_owned(), span: range, style });
        self.node(slot);
    }

    /// A node that is over at once: a scalar or an alias.
    fn node(&mut self, slot: Option<Slot>) {
        if let Some(Open::Map { key: key @ None, .. }) = self.open.last_mut() {
            *key = Some(String::new());
            return;
        }
        let base = self.enter();
        if let Some(slot) = slot {
            self.slots.push(Slot { path: self.path.clone(), ..slot });
        }
        self.path.truncate(base);
    }

    /// Puts the present key or index on the path and gives back the length before it. A collection as a key stands for
    /// an empty key.
    fn enter(&mut self) -> usize {
        let base = self.path.len();
        match self.open.last_mut() {
            Some(Open::Map { key, .. }) => {
                if let Some(key) = key.take() {
                    pieces::push_key(&mut self.path, &key);
                } else {
                    *key = Some(String::new());
                }
            }
            Some(Open::Seq { index, .. }) => {
                pieces::push_index(&mut self.path, *index);
                *index += 1;
            }
            None => {}
        }
        base
    }

    fn leave(&mut self, end: usize) {
        match self.open.pop() {
            Some(Open::Seq { index: 0, start, flow: true, base }) => {
                self.slots.push(Slot {
                    path: self.path.clone(),
                    value: String::new(),
                    span: start..end,
                    style: Style::EmptyList,
                });
                self.path.truncate(base);
            }
            Some(Open::Map { base, .. } | Open::Seq { base, .. }) => self.path.truncate(base),
            None => {}
        }
    }
}
