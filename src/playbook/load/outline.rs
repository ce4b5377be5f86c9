//! The place of every key and value in a YAML text, as far as it can be read.

use std::collections::BTreeMap;

use serde_saphyr::granit_parser::{Event, Parser, Span};

use super::super::source::{Place, Shape, Spot};

/// An open list or map on the way down.
struct Level {
    path: String,
    kind: Kind,
}

enum Kind {
    List { next: usize },
    Map { key: Option<(String, Spot)> },
}

/// The places by path of keys and indexes. Stops at the first thing that is no YAML, and at a second document.
pub fn places(text: &str) -> BTreeMap<String, Place> {
    let mut outline = Outline { text, places: BTreeMap::new(), open: Vec::new() };
    for event in Parser::new_from_str(text) {
        let Ok((event, span)) = event else { break };
        match event {
            Event::Scalar(value, ..) => outline.scalar(&value, span),
            Event::Alias(_) | Event::UnresolvedAlias(_) => outline.scalar("", span),
            Event::SequenceStart(..) => outline.open(Kind::List { next: 0 }, Shape::List, span),
            Event::MappingStart(..) => outline.open(Kind::Map { key: None }, Shape::Map, span),
            Event::SequenceEnd | Event::MappingEnd => outline.close(span),
            Event::DocumentEnd => break,
            _ => {}
        }
    }
    outline.places
}

struct Outline<'a> {
    text: &'a str,
    places: BTreeMap<String, Place>,
    open: Vec<Level>,
}

impl Outline<'_> {
    fn scalar(&mut self, value: &str, span: Span) {
        let spot = self.spot(span);
        if let Some(Level { kind: Kind::Map { key: key @ None }, .. }) = self.open.last_mut() {
            *key = Some((value.to_owned(), spot));
            return;
        }
        let (path, key) = self.step_down();
        // Of a duplicate key the first stays: the complaint points at the second by itself.
        self.places.entry(path).or_insert(Place { key, value: spot, shape: Shape::Scalar(value.to_owned()) });
    }

    fn open(&mut self, kind: Kind, shape: Shape, span: Span) {
        let (path, key) = self.step_down();
        let value = self.spot(span);
        self.places.entry(path.clone()).or_insert(Place { key, value, shape });
        self.open.push(Level { path, kind });
    }

    /// A list or map in brackets is marked to its end.
    fn close(&mut self, span: Span) {
        let Some(place) = self.open.pop().and_then(|level| self.places.get_mut(&level.path)) else { return };
        if span.end.line() == place.value.line && span.end.col() >= place.value.column {
            place.value.length = span.end.col() + 1 - place.value.column;
        }
    }

    /// The path and the key of the value that begins now.
    fn step_down(&mut self) -> (String, Option<Spot>) {
        let Some(level) = self.open.last_mut() else { return (String::new(), None) };
        let (name, key) = match &mut level.kind {
            Kind::List { next } => {
                *next += 1;
                ((*next - 1).to_string(), None)
            }
            Kind::Map { key } => key.take().map_or_else(|| (String::new(), None), |(name, spot)| (name, Some(spot))),
        };
        (if level.path.is_empty() { name } else { format!("{}/{name}", level.path) }, key)
    }

    /// A span as a spot that stays on its first line.
    fn spot(&self, span: Span) -> Spot {
        let (start, end) = (span.start, span.end);
        let on_line = |last: usize| last.saturating_sub(start.col());
        let length = if end.line() == start.line() && end.col() > start.col() {
            on_line(end.col())
        } else if end.line() > start.line() {
            let line = self.text.split('\n').nth(start.line().saturating_sub(1)).unwrap_or_default();
            on_line(line.trim_end().chars().count())
        } else {
            1
        };
        Spot { line: start.line(), column: start.col() + 1, length: length.max(1) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_and_value_has_its_place() {
        let text = "playbook: p\nsteps:\n  - soak: { for: 7d }\n  - shift-targets:\n      stages: [1, 50]\n";
        let told: Vec<String> = places(text)
            .into_iter()
            .map(|(path, place)| {
                let spot = |s: Spot| format!("{}:{}+{}", s.line, s.column, s.length);
                format!("{path} {} {}", place.key.map_or("-".to_owned(), spot), spot(place.value))
            })
            .collect();
        insta::assert_snapshot!(told.join("\n"));
    }

    #[test]
    fn a_broken_file_has_the_places_before_the_break() {
        let found = places("a: 1\nb: [1, 2\nc: }");
        assert!(found.contains_key("a") && found.contains_key("b/0"), "{found:?}");
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[-a:\\[\\]{}&*!|>'\" \t\r\n#,?한]{0,60}") {
            places(&text);
        }
    }
}
