//! TOML: `toml_edit` reads the text and says where each value stands.

use toml_edit::{Array, Document, Item, TableLike, Value};

use super::pieces;
use super::slot::{Slot, Style};
use super::{Format, RewriteError};

pub(super) fn scan(text: &str) -> Result<Vec<Slot>, RewriteError> {
    let document = Document::parse(text).map_err(|e| {
        // only the message: the library's own display quotes the line, and a password may stand on it
        RewriteError::syntax(Format::Toml, text, e.span().map_or(0, |s| s.start), e.message())
    })?;
    let mut slots = Vec::new();
    table(text, document.as_table(), &mut String::new(), &mut slots);
    Ok(slots)
}

fn table(text: &str, table_like: &dyn TableLike, path: &mut String, slots: &mut Vec<Slot>) {
    for (key, item) in table_like.iter() {
        let kept = path.len();
        pieces::push_key(path, key);
        match item {
            Item::Table(inner) => table(text, inner, path, slots),
            Item::ArrayOfTables(tables) => {
                for (index, inner) in tables.iter().enumerate() {
                    let kept = path.len();
                    pieces::push_index(path, index);
                    table(text, inner, path, slots);
                    path.truncate(kept);
                }
            }
            Item::Value(inner) => value(text, inner, path, slots),
            Item::None => {}
        }
        path.truncate(kept);
    }
}

fn value(text: &str, found: &Value, path: &mut String, slots: &mut Vec<Slot>) {
    match found {
        Value::InlineTable(inner) => table(text, inner, path, slots),
        Value::Array(items) => array(text, items, path, slots),
        scalar => {
            let Some(span) = scalar.span() else { return };
            let raw = &text[span.clone()];
            let (style, said) = match scalar.as_str() {
                None => (Style::Bare, raw.to_owned()),
                Some(said) => {
                    let style = if raw.starts_with("\"\"\"") {
                        Style::TomlLongBasic
                    } else if raw.starts_with("'''") {
                        Style::TomlLongLiteral
                    } else if raw.starts_with('"') {
                        Style::TomlBasic
                    } else {
                        Style::TomlLiteral
                    };
                    (style, said.to_owned())
                }
            };
            slots.push(Slot { path: path.clone(), value: said, span, style });
        }
    }
}

fn array(text: &str, items: &Array, path: &mut String, slots: &mut Vec<Slot>) {
    if items.is_empty() {
        if let Some(span) = items.span() {
            slots.push(Slot { path: path.clone(), value: String::new(), span, style: Style::EmptyList });
        }
        return;
    }
    for (index, item) in items.iter().enumerate() {
        let kept = path.len();
        pieces::push_index(path, index);
        value(text, item, path, slots);
        path.truncate(kept);
    }
}
