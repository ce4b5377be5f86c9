//! A place where a value stands, and the form in which it is written there.

use std::ops::Range;

use super::Found;

/// How a value is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// `.env` without quotes; `export` lines are read by a shell.
    EnvPlain { export: bool },
    /// `.env` in double quotes, with backslash escapes.
    EnvDouble,
    /// `.env` in single quotes (or backticks): no escapes at all.
    EnvLiteral(char),
    /// Java properties.
    Property,
    /// YAML without quotes, in a block or in a flow collection.
    YamlPlain { flow: bool },
    /// YAML in single quotes.
    YamlSingle,
    /// YAML in double quotes.
    YamlDouble,
    /// YAML `|`, indented by so many bytes.
    YamlLiteral { indent: usize },
    /// YAML `>`, indented by so many bytes.
    YamlFolded { indent: usize },
    /// A JSON string.
    JsonString,
    /// A number or a boolean of JSON or TOML.
    Bare,
    /// TOML `"…"`.
    TomlBasic,
    /// TOML `'…'`.
    TomlLiteral,
    /// TOML `"""…"""`.
    TomlLongBasic,
    /// TOML `'''…'''`.
    TomlLongLiteral,
    /// A list without items, `[]`: not a value, but a place for one.
    EmptyList,
}

impl Style {
    pub(super) fn is_list(self) -> bool {
        self == Self::EmptyList
    }
}

/// A value's place.
#[derive(Clone)]
pub(super) struct Slot {
    pub path: String,
    pub value: String,
    pub span: Range<usize>,
    pub style: Style,
}

impl Slot {
    pub(super) fn into_found(self, text: &str) -> Found {
        Found { line: line_of(text, self.span.start), path: self.path, value: self.value, span: self.span }
    }
}

/// The line of a byte offset, from 1.
pub(super) fn line_of(text: &str, at: usize) -> usize {
    text[..at.min(text.len())].matches('\n').count() + 1
}
