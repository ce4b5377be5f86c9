//! A file's text with the place of everything in it, so that a complaint can point.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, LazyLock};

use regex::Regex;
use serde::Serialize;

use crate::text::{visible, width};

/// A place in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Spot {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// How many characters it covers, at least 1, none of them beyond the line.
    pub length: usize,
}

/// Where a key and its value stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The key, if it is a value in a map.
    pub key: Option<Spot>,
    /// The value.
    pub value: Spot,
    /// What the value is.
    pub shape: Shape,
}

/// What a value is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shape {
    /// A text, a number, nothing: whatever is written in one piece.
    Scalar(String),
    /// A list.
    List,
    /// A map.
    Map,
}

impl Place {
    /// The text of the value, if it is a scalar.
    pub fn scalar(&self) -> Option<&str> {
        if let Shape::Scalar(text) = &self.shape { Some(text) } else { None }
    }
}

/// A file's text and the place of everything in it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Source {
    path: String,
    /// As it may be shown: nothing that looks like a password is in it.
    lines: Arc<[String]>,
    /// By path of keys and indexes (`steps/3/soak/for`).
    places: BTreeMap<String, Place>,
}

/// A key that sounds like a secret, and the value behind it.
static SECRET: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"(?i)((?:pas|pwd|psw|secret|token)[a-z_-]*["']?\s*[:=]\s*)(\S.*)$"#)
        .expect("the pattern is a constant that the tests of this file use")
});

impl Source {
    /// A file whose places are known as far as it could be read.
    pub fn new(path: &str, text: &str, places: BTreeMap<String, Place>) -> Self {
        let mut lines: Vec<String> = text.split('\n').map(|line| mask(&visible(line.trim_end_matches('\r')))).collect();
        for (path, place) in &places {
            let key = path.rsplit('/').next().unwrap_or_default();
            let is_secret = SECRET.is_match(&format!("{key}: x"));
            if is_secret && place.scalar().is_some_and(|text| !is_reference(text)) {
                mask_block(&mut lines, place);
            }
        }
        Self { path: path.to_owned(), lines: lines.into(), places }
    }

    /// The file's path, as it was given.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Where the value at a path of keys and indexes stands.
    pub fn value(&self, path: &str) -> Option<Spot> {
        self.places.get(path).map(|place| place.value)
    }

    /// Where the key at a path stands; for an element of a list, where the element begins.
    pub fn key(&self, path: &str) -> Option<Spot> {
        self.places.get(path).map(|place| place.key.unwrap_or(place.value))
    }

    /// The place at a path.
    pub fn place(&self, path: &str) -> Option<&Place> {
        self.places.get(path)
    }

    /// The path and place of the value that begins at a line and column.
    pub fn value_at(&self, line: usize, column: usize) -> Option<(&str, &Place)> {
        self.find(|place| Some(place.value), line, column)
    }

    /// The path and place of the key that begins at a line and column.
    pub fn key_at(&self, line: usize, column: usize) -> Option<(&str, &Place)> {
        self.find(|place| place.key, line, column)
    }

    /// Where keys of this name stand, in the order of their paths.
    pub fn keys_named(&self, name: &str) -> impl Iterator<Item = Spot> {
        self.places.iter().filter(move |(path, _)| path.rsplit('/').next() == Some(name)).filter_map(|(_, p)| p.key)
    }

    /// Paths and spots of the values with this very text.
    pub fn values_that_are(&self, text: &str) -> impl Iterator<Item = (&str, Spot)> {
        let is = move |place: &Place| place.scalar() == Some(text);
        self.places.iter().filter(move |(_, place)| is(place)).map(|(path, place)| (path.as_str(), place.value))
    }

    fn find(&self, which: impl Fn(&Place) -> Option<Spot>, line: usize, column: usize) -> Option<(&str, &Place)> {
        let here = |place: &Place| which(place).is_some_and(|spot| (spot.line, spot.column) == (line, column));
        self.places.iter().find(|(_, place)| here(place)).map(|(path, place)| (path.as_str(), place))
    }

    /// The spot at a line and column: as long as the key or value there, or one character.
    pub fn spot(&self, line: usize, column: usize) -> Spot {
        let key = self.key_at(line, column).and_then(|(_, place)| place.key);
        let value = self.value_at(line, column).map(|(_, place)| place.value);
        key.or(value).unwrap_or(Spot { line, column, length: 1 })
    }

    /// The line before, the line, and a caret under the spot.
    pub fn snippet(&self, spot: Spot) -> String {
        let gutter = spot.line.to_string().len();
        let mut text = format!("{:gutter$} |\n", "");
        let before = spot.line.checked_sub(1).filter(|line| *line > 0);
        for number in before.into_iter().chain([spot.line]) {
            let line = self.lines.get(number.saturating_sub(1)).map_or("", String::as_str);
            let line: String = line.chars().take(160).collect();
            text.push_str(format!("{number:gutter$} | {line}").trim_end());
            text.push('\n');
        }
        let line = self.lines.get(spot.line.saturating_sub(1)).map_or("", String::as_str);
        let lead: String = line.chars().take(spot.column.saturating_sub(1)).collect();
        let marked: String = line.chars().skip(spot.column.saturating_sub(1)).take(spot.length).collect();
        let carets = "^".repeat(width(&marked).max(1));
        let _ = write!(text, "{:gutter$} | {}{carets}", "", " ".repeat(width(&lead)));
        text
    }
}

/// Whether a password's text only says where the password is found.
fn is_reference(text: &str) -> bool {
    text.starts_with("env:") || text.starts_with("file:")
}

fn mask(line: &str) -> String {
    SECRET
        .replace(line, |found: &regex::Captures<'_>| {
            let value = found[2].trim_start_matches(['"', '\'']);
            let stays = is_reference(value) || value.starts_with(['#', '|', '>']);
            let shown = if stays { found[2].to_owned() } else { "*".repeat(found[2].chars().count()) };
            format!("{}{shown}", &found[1])
        })
        .into_owned()
}

/// Hides a value that begins on one line and may go on below, as block scalars do.
fn mask_block(lines: &mut [String], place: &Place) {
    let first = place.value.line.saturating_sub(1);
    let count = place.scalar().map_or(1, |text| text.trim_end().split('\n').count() + 1);
    for (number, line) in lines.iter_mut().enumerate().skip(first).take(count) {
        let from = if number == first { place.value.column.saturating_sub(1) } else { 0 };
        if number > first && line.trim_start().split(' ').next().is_some_and(|word| word.ends_with(':')) {
            break;
        }
        *line = line.chars().enumerate().map(|(at, c)| if at < from || c == ' ' { c } else { '*' }).collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spot(line: usize, column: usize, length: usize) -> Spot {
        Spot { line, column, length }
    }

    #[test]
    fn a_caret_stands_under_wide_characters() {
        let source = Source::new("x.yaml", "a: 1\n쇼핑: 한글\r\n", BTreeMap::new());
        insta::assert_snapshot!(source.snippet(spot(2, 5, 2)), @r"
          |
        1 | a: 1
        2 | 쇼핑: 한글
          |       ^^^^
        ");
    }

    #[test]
    fn a_place_beyond_the_file_does_no_harm() {
        let source = Source::new("x.yaml", "", BTreeMap::new());
        for place in [spot(1, 1, 1), spot(9, 9, 9), spot(0, 0, 0)] {
            assert!(source.snippet(place).contains('^'));
        }
    }

    #[test]
    fn what_looks_like_a_password_is_never_shown() {
        let text = "password: hunter2\nPGPASSWORD=hunter2\n{ user: a, \"pass\": 'hunter2' }\npasswort: hunter2";
        let source = Source::new("x.yaml", text, BTreeMap::new());
        let shown: String = (1..=4).map(|line| source.snippet(spot(line, 1, 1))).collect();
        assert!(!shown.contains("hunter"), "{shown}");
        let source = Source::new("x.yaml", "password: env:DB_PASSWORD # where", BTreeMap::new());
        assert!(source.snippet(spot(1, 1, 1)).contains("env:DB_PASSWORD"));
    }
}
