//! The YAML library's errors in outgrow's words: what is wrong, at which key, and what would be right.

use serde_saphyr::Error;

use super::super::complaint::Complaint;
use super::super::model::StepSpec;
use super::super::source::{Shape, Source, Spot};
use super::What;
use crate::text::nearest;

/// What an error means to the person who wrote the file.
pub fn complaint(error: &Error, source: &Source, what: What) -> Complaint {
    let error = innermost(error);
    let location = error.location();
    let (line, column) = location.map_or((1, 1), |at| (to_usize(at.line()), to_usize(at.column())));
    let page = Page { source, what, line, column };
    if let Some(found) = page.bare_step(error) {
        return found;
    }
    let spot = Some(source.spot(line, column));
    let (spot, (text, fix)) = match error {
        Error::SerdeUnknownField { field, expected, .. } => (spot, page.unknown_key(field, expected)),
        Error::SerdeUnknownVariant { variant, expected, .. } => (spot, page.unknown_word(variant, expected)),
        Error::SerdeMissingField { field, .. } => page.missing(field),
        Error::DuplicateMappingKey { key, .. } => {
            let length = key.as_deref().map_or(1, |key| key.chars().count().max(1));
            (spot.map(|spot| Spot { length, ..spot }), page.duplicate(key.as_deref()))
        }
        Error::InvalidScalar { ty, .. } => (spot, page.not_a_number(ty)),
        Error::ExpectedMappingEndAfterEnumVariantValue { .. } => (spot, page.second_key()),
        Error::ExternallyTaggedEnumExpectedScalarOrMapping { .. } => (spot, page.wants("a one-key map")),
        Error::NullIntoString { .. } => (spot, page.nothing_there()),
        Error::Unexpected { expected, .. } => (spot, page.wants(kind_of(expected))),
        Error::SerdeInvalidType { expected, .. } => (spot, page.wants(expected)),
        Error::MultipleDocuments { .. } => (
            spot,
            (
                format!("a second document begins in this {}", what.name()),
                "keep one document a file; remove the line `---` and what follows".into(),
            ),
        ),
        Error::UnknownAnchor { .. } => (
            spot,
            (
                "a word that begins with `*` is an alias, and there is no such anchor".into(),
                "put the value in quotes".into(),
            ),
        ),
        Error::Budget { .. } => {
            (spot, (format!("the file is too large or too deep for a {}", what.name()), "simplify it".into()))
        }
        Error::Message { msg, .. } => (spot, page.told(msg)),
        other => (spot, syntax(&bare(other))),
    };
    Complaint::error(spot, text, fix)
}

/// Text and advice.
type Words = (String, String);

/// The place of the error, and what is known about it.
struct Page<'a> {
    source: &'a Source,
    what: What,
    line: usize,
    column: usize,
}

impl Page<'_> {
    /// The name of the key whose value begins here.
    fn key(&self) -> Option<String> {
        let (path, _) = self.source.value_at(self.line, self.column)?;
        let mut parts = path.rsplit('/');
        let last = parts.next().filter(|name| !name.is_empty())?;
        if last.bytes().all(|b| b.is_ascii_digit()) {
            return Some(format!("an entry of `{}`", parts.next().unwrap_or("the list")));
        }
        Some(format!("`{last}`"))
    }

    fn name(&self) -> String {
        self.key().unwrap_or_else(|| format!("a {}", self.what.name()))
    }

    fn found(&self) -> String {
        match self.source.value_at(self.line, self.column).map(|(path, place)| (path, &place.shape)) {
            Some((path, Shape::Scalar(_))) if path.ends_with("password") => "something else".into(),
            Some((_, Shape::Scalar(text))) if text.is_empty() => "nothing".into(),
            Some((_, Shape::Scalar(text))) => format!("`{}`", text.chars().take(60).collect::<String>()),
            Some((_, Shape::List)) => "a list".into(),
            Some((_, Shape::Map)) => "a map".into(),
            None => "something else".into(),
        }
    }

    fn unknown_key(&self, field: &str, expected: &[&'static str]) -> Words {
        let parent = self.source.key_at(self.line, self.column).and_then(|(path, _)| path.rsplit_once('/'));
        let parent = parent.and_then(|(above, _)| above.rsplit('/').find(|s| !s.bytes().all(|b| b.is_ascii_digit())));
        let within = parent.map_or_else(|| format!("in a {}", self.what.name()), |name| format!("in `{name}`"));
        if expected.is_empty() {
            let name = parent.unwrap_or("this step");
            return (format!("unknown key `{field}`: `{name}` takes no parameters"), format!("write `{name}: {{}}`"));
        }
        (format!("unknown key `{field}` {within}"), did_you_mean(field, "known keys are", expected))
    }

    fn unknown_word(&self, word: &str, expected: &[&'static str]) -> Words {
        if expected.contains(&"static-site") {
            return (format!("unknown step `{word}`"), did_you_mean(word, "known steps are", &StepSpec::KINDS));
        }
        if expected.contains(&"lost-answer") {
            return (format!("unknown fault `{word}`"), did_you_mean(word, "known faults are", expected));
        }
        let name = self.name();
        (format!("{name} cannot be `{word}`"), did_you_mean(word, "known words are", expected))
    }

    fn missing(&self, field: &str) -> (Option<Spot>, Words) {
        let holder = self.holder();
        // In `- soak:` with `for: 7d` below it but not further in, the parameter has become a key of the entry.
        let beside = holder.rsplit_once('/').map(|(above, _)| format!("{above}/{field}"));
        if let Some(spot) = beside.and_then(|path| self.source.key(&path)).filter(|_| is_step(holder)) {
            let text = format!("`{field}` stands beside the step, not below it");
            return (Some(spot), (text, format!("indent `{field}` by two more spaces")));
        }
        let name = holder.rsplit('/').next().filter(|name| !name.is_empty() && !is_number(name));
        let within = name.map_or_else(String::new, |name| format!(" in `{name}`"));
        let spot = Some(holder).filter(|path| !path.is_empty()).and_then(|path| self.source.key(path));
        (spot, (format!("missing key `{field}`{within}"), format!("add {}", phrase(field))))
    }

    /// The path of the map in which a key is missing. The library points at the last key it has read there, or at the
    /// map if it is empty.
    fn holder(&self) -> &str {
        match self.source.key_at(self.line, self.column) {
            Some((path, place)) if is_step(path) && place.scalar().is_some() => path,
            Some((path, _)) => path.rsplit_once('/').map_or("", |(above, _)| above),
            None => self.source.value_at(self.line, self.column).map_or("", |(path, _)| path),
        }
    }

    fn duplicate(&self, key: Option<&str>) -> Words {
        let key = key.unwrap_or("this key");
        // The first of the two stands above the second, at the same column in block style.
        let above = self.source.keys_named(key).filter(|spot| spot.line <= self.line && spot.column <= self.column);
        let first = above.max_by_key(|spot| (spot.line, spot.column));
        let first = first.map_or_else(String::new, |spot| format!(", first in line {}", spot.line));
        (format!("duplicate key `{key}`{first}"), "keep one of the two".into())
    }

    fn not_a_number(&self, ty: &str) -> Words {
        let range = match ty {
            "u16" => "a whole number from 0 to 65535",
            "u32" => "a whole number, without a unit",
            "i64" => "a whole number",
            "bool" => "`true` or `false`",
            _ => "a number",
        };
        let name = self.name();
        let fix = if name == "`ttl`" { "write the seconds alone, as in `ttl: 60`".into() } else { self.right() };
        (format!("{name} must be {range}, not {}", self.found()), fix)
    }

    fn second_key(&self) -> Words {
        let key = self.source.key_at(self.line, self.column).map(|(path, _)| path.rsplit('/').next().unwrap_or(path));
        let key = key.unwrap_or("this");
        (
            format!("a step is one key, but `{key}` is a second key in the same step"),
            format!("if it is a step, begin a new entry: `- {key}: …`; if it is a parameter, indent it below the step"),
        )
    }

    fn nothing_there(&self) -> Words {
        (format!("{} is empty", self.name()), self.right())
    }

    fn wants(&self, kind: &str) -> Words {
        (format!("{} must be {kind}, not {}", self.name(), self.found()), self.right())
    }

    /// A message of outgrow's own types, split into what is wrong and what would be right.
    fn told(&self, message: &str) -> Words {
        if message == "invalid IP address syntax" {
            return (format!("{} must be an IP address, not {}", self.name(), self.found()), self.right());
        }
        let (text, fix) = message.split_once(": ").unwrap_or((message, ""));
        let name = self.key().filter(|name| !text.starts_with(name.trim_matches('`')));
        let name = name.map_or_else(String::new, |name| format!("{name}: "));
        (format!("{name}{text}"), if fix.is_empty() { self.right() } else { fix.to_owned() })
    }

    /// An example of the key whose value begins here.
    fn right(&self) -> String {
        let path = self.source.value_at(self.line, self.column).map(|(path, _)| path);
        let name = path.and_then(|path| path.rsplit('/').find(|part| !part.bytes().all(|b| b.is_ascii_digit())));
        match name.filter(|name| !name.is_empty()) {
            Some(name) => format!("write it like {}", phrase(name)),
            None if self.what == What::Playbook => "begin with `playbook: NAME` and `steps:`".into(),
            None => "begin with `site: NAME`, or let `outgrow discover` draft it".into(),
        }
    }

    /// A step written as a bare word.
    fn bare_step(&self, error: &Error) -> Option<Complaint> {
        if self.what != What::Playbook || !matches!(error, Error::Unexpected { .. }) {
            return None;
        }
        let mut steps = (0..).map_while(|n| self.source.place(&format!("steps/{n}")));
        let (place, word) = steps.find_map(|p| p.scalar().map(|word| (p, word)))?;
        let known = StepSpec::KINDS.contains(&word);
        known.then(|| {
            let text = format!("the step `{word}` lacks its parameters");
            Complaint::error(Some(place.value), text, format!("write `- {word}: {}`", example(word)))
        })
    }
}

/// An example of a key with its value.
pub(super) fn phrase(key: &str) -> String {
    match key {
        "box" | "names" | "app" | "aws" | "web" | "database" | "api-base" | "listen" | "admin" | "master" => {
            format!("`{key}:` with its keys below, indented")
        }
        "steps" => "`steps:` with entries such as `- static-site: {}` below".into(),
        _ => format!("`{key}: {}`", example(key)),
    }
}

/// An example of a value, by its key.
fn example(key: &str) -> &'static str {
    match key {
        "stages" => "[10, 50, 100]",
        "bake" | "hold-at-most" => "30s",
        "for" => "7d",
        "of" => "api",
        "ttl" => "60",
        "on-failure" => "roll-back",
        "engine" => "ssh://user@host",
        "address" => "203.0.113.10",
        "port" => "8000",
        "protocol" => "https",
        "health" => "/healthz",
        "root" => "/usr/share/nginx/html",
        "files" => "[/app/config.yaml]",
        "password" => "env:DB_PASSWORD",
        "user" => "postgres",
        "zone" => "example.com",
        "pages" => "[www.example.com]",
        "api" => "[api.example.com]",
        "old" => "https://box.example.com/api",
        "new" => "https://api.example.com/api",
        "origins" => "[https://partner.example.com]",
        "hosts" => "[{ name: app-1, engine: ssh://user@host, address: 10.0.1.10 }]",
        "region" => "ap-northeast-2",
        "static-site" | "certificate" | "distribution" | "database-copy" | "app-host" | "targets" | "app-config"
        | "finalize" => "{}",
        "dns-weights" => "{ of: api, stages: [100] }",
        "shift-targets" => "{ stages: [1, 5, 25, 50, 100], bake: 10m }",
        "database-handover" => "{ hold-at-most: 30s }",
        "soak" => "{ for: 7d }",
        _ => "NAME",
    }
}

/// Whether a path is that of a step: `steps/3/soak`.
fn is_step(path: &str) -> bool {
    path.starts_with("steps/") && path.matches('/').count() == 2
}

fn is_number(path: &str) -> bool {
    path.rsplit('/').next().is_some_and(|name| !name.is_empty() && name.bytes().all(|b| b.is_ascii_digit()))
}

fn did_you_mean(word: &str, known_are: &str, known: &[&'static str]) -> String {
    let list = known.join(", ");
    match nearest(word, known.iter().copied()) {
        Some(near) if known.len() < 2 => format!("did you mean `{near}`?"),
        Some(near) => format!("did you mean `{near}`? {known_are} {list}"),
        None => format!("{known_are} {list}"),
    }
}

fn kind_of(expected: &str) -> &str {
    match expected {
        "string scalar" => "plain text",
        "mapping start" => "a map of keys and values",
        "sequence start" => "a list",
        other => other,
    }
}

/// What is wrong with the YAML itself. The library's fragment is kept, with advice for the usual slips.
fn syntax(message: &str) -> Words {
    let fix = if message.contains("tabs") {
        "indent with spaces; YAML does not allow tabs there"
    } else if message.contains("mapping values are not allowed") {
        "put a value that holds `: ` in quotes, and indent the keys of one map alike"
    } else if message.contains("unclosed") || message.contains("quoted scalar") || message.contains("end of stream") {
        "close the bracket or the quote"
    } else if message.contains("unexpected character") || message.contains("cannot start any token") {
        "put the value in quotes"
    } else {
        "check indentation, colons, quotes and brackets in this line and the one above"
    };
    (format!("this is no YAML: {message}"), fix.to_owned())
}

/// The library's message without the position, which outgrow prints itself.
fn bare(error: &Error) -> String {
    let text = error.to_string();
    text.split(" at line ").next().unwrap_or(&text).to_owned()
}

fn innermost(error: &Error) -> &Error {
    match error.without_snippet() {
        Error::AliasError { error, .. } => innermost(error),
        error => error,
    }
}

fn to_usize(number: u64) -> usize {
    usize::try_from(number).unwrap_or(1).max(1)
}
