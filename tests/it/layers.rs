//! The layers of ARCHITECTURE.md, held by reading the sources: who may use whom, who may print, who may name an SDK,
//! how long a file may be, and that no file is forgotten. Each rule is tried on a planted violation as well.

#[path = "layers/source.rs"]
mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use source::{Source, below, shipped, words};

/// A room, and the rooms it may use. A room that is not here yet needs a line, and a thought.
const ROOMS: [(&str, &[&str]); 18] = [
    // plain data: no room above is known to it
    ("world", &[]),
    ("text", &[]),
    ("event", &[]),
    ("home", &[]),
    ("site", &[]),
    ("rewrite", &["site"]),
    ("playbook", &["site", "text"]),
    ("journal", &["event"]),
    // the wire
    ("clients", &["site"]),
    ("postgres", &["clients", "site", "world"]),
    // the steps, and what drives them
    ("step", &["clients", "event", "postgres", "site", "world"]),
    ("steps", &["clients", "event", "postgres", "rewrite", "site", "step", "world"]),
    ("plan", &["playbook", "site", "step", "steps", "world"]),
    ("engine", &["event", "journal", "plan", "site", "step"]),
    ("discover", &["clients", "rewrite", "site", "text"]),
    ("rehearsal", &["clients", "site"]),
    // the edge
    ("ui", &["event", "plan", "step", "text"]),
    ("cli", &ANY),
];
const ANY: [&str; 17] = [
    "world",
    "text",
    "event",
    "home",
    "site",
    "rewrite",
    "playbook",
    "journal",
    "clients",
    "postgres",
    "step",
    "steps",
    "plan",
    "engine",
    "discover",
    "rehearsal",
    "ui",
];

/// A crate whose name begins so, and the only places that may name it.
const CRATES: [(&str, &[&str]); 15] = [
    ("bollard", &["src/clients/"]),
    ("aws_sdk_", &["src/clients/"]),
    ("aws_config", &["src/clients/"]),
    ("aws_smithy_", &["src/clients/"]),
    ("tokio_postgres", &["src/clients/", "src/postgres/"]),
    ("hyper", &["src/clients/", "src/rehearsal/"]),
    ("tokio_rustls", &["src/clients/", "src/rehearsal/"]),
    // cli/world.rs reads the rehearsal's authorities: certificates as data
    ("rustls", &["src/clients/", "src/rehearsal/", "src/cli/world.rs"]),
    ("s3s", &["src/rehearsal/"]),
    ("hickory_", &["src/rehearsal/"]),
    ("rcgen", &["src/rehearsal/"]),
    ("indicatif", &["src/ui/"]),
    ("inquire", &["src/ui/"]),
    ("clap", &["src/cli/", "src/main.rs"]),
    // YAML: the user's files by one door, other people's files by the other
    ("serde_saphyr", &["src/playbook/load", "src/rewrite/config/"]),
];

const LONGEST: usize = 500;
const LONGEST_MAIN: usize = 40;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The rooms a file uses: by `crate::room`, `crate::{room, …}`, or `super::room` from a room's own top.
fn uses(file: &Source) -> Vec<(usize, String)> {
    let depth = file.modules().len();
    let mut found = Vec::new();
    let mut offset = 0;
    for (number, line) in file.code.lines().enumerate() {
        for (at, word) in line.match_indices("crate::").chain(line.match_indices("super::")) {
            let before = &line[..at];
            if before.ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':') {
                continue;
            }
            let mut rest = &file.code[offset + at..];
            let mut supers = 0;
            while let Some(next) = rest.strip_prefix("super::") {
                (rest, supers) = (next, supers + 1);
            }
            if word == "super::" && supers < depth {
                continue;
            }
            let rest = rest.strip_prefix("crate::").unwrap_or(rest);
            found.extend(heads(rest).into_iter().map(|room| (number + 1, room)));
        }
        offset += line.len() + 1;
    }
    found
}

/// The first names of a path or of a list of paths in braces.
fn heads(rest: &str) -> Vec<String> {
    let name = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let Some(list) = rest.strip_prefix('{') else { return vec![name(rest)] };
    let (mut depth, mut start, mut all) = (0_usize, 0, Vec::new());
    for (at, c) in list.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' | '}' if depth == 0 => {
                all.push(name(list[start..at].trim_start()));
                start = at + 1;
                if c == '}' {
                    break;
                }
            }
            _ => {}
        }
    }
    all.retain(|name| !name.is_empty());
    all
}

fn layers(files: &[Source]) -> Vec<String> {
    let rooms: BTreeMap<&str, &[&str]> = ROOMS.into_iter().collect();
    let mut wrong = Vec::new();
    for file in files {
        let Some(room) = file.room() else { continue };
        let Some(may) = rooms.get(room) else {
            wrong.push(format!("{}: the room `{room}` has no line in tests/it/layers.rs", file.path));
            continue;
        };
        for (line, used) in uses(file) {
            // A name that is no room is an item of lib.rs.
            if used != room && rooms.contains_key(used.as_str()) && !may.contains(&used.as_str()) {
                let may = if may.is_empty() { "no other room".to_owned() } else { may.join(", ") };
                wrong.push(format!("{}:{line}: `{room}` uses `{used}`; it may use {may}", file.path));
            }
        }
    }
    wrong
}

fn crates(files: &[Source]) -> Vec<String> {
    let mut wrong = Vec::new();
    for file in files {
        for (line, word, after) in words(&file.code) {
            let named = |(name, places): &&(&str, &[&str])| {
                let whole = word == *name
                    || (word.starts_with(*name) && (name.ends_with('_') || word[name.len()..].starts_with('_')));
                whole && after.starts_with("::") && !places.iter().any(|place| file.path.starts_with(place))
            };
            if let Some((_, places)) = CRATES.iter().find(named) {
                wrong.push(format!("{}:{line}: `{word}` may be named in {} only", file.path, places.join(", ")));
            }
        }
    }
    wrong
}

fn printing(files: &[Source]) -> Vec<String> {
    let may = |path: &str| path.starts_with("src/cli/") || path.starts_with("src/ui/") || path == "src/main.rs";
    let mut wrong = Vec::new();
    for file in files.iter().filter(|file| !may(&file.path)) {
        for (line, word, after) in words(&file.code) {
            let prints = match word {
                "println" | "eprintln" | "print" | "eprint" | "dbg" => after.starts_with('!'),
                "stdout" | "stderr" => after.starts_with("()"),
                _ => false,
            };
            if prints {
                wrong.push(format!("{}:{line}: `{word}` outside src/cli and src/ui; send an event instead", file.path));
            }
        }
    }
    wrong
}

fn lengths(files: &[Source]) -> Vec<String> {
    let limit = |path: &str| if path == "src/main.rs" { LONGEST_MAIN } else { LONGEST };
    let lines = |file: &Source| file.text.lines().count();
    let long = files.iter().filter(|file| lines(file) > limit(&file.path));
    long.map(|file| format!("{}: {} lines; {} at most", file.path, lines(file), limit(&file.path))).collect()
}

/// Files that no `mod NAME;` of another file leads to: they would not even be compiled.
fn forgotten(files: &[Source], tops: &[&str]) -> Vec<String> {
    let mut known: BTreeSet<String> = tops.iter().map(|top| (*top).to_owned()).collect();
    for file in files {
        known.extend(file.declared().into_iter().map(|(path, _)| path));
    }
    let lost = files.iter().filter(|file| !known.contains(&file.path));
    lost.map(|file| format!("{}: no `mod` line leads to it", file.path)).collect()
}

fn none(wrong: &[String]) {
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[test]
fn every_room_uses_only_the_rooms_below_it() {
    let files = shipped(&below(root(), "src"));
    assert!(files.len() > 100 && files.iter().map(|file| uses(file).len()).sum::<usize>() > 100, "nothing was read");
    none(&layers(&files));
}

#[test]
fn every_crate_of_the_wire_is_named_in_its_place_only() {
    none(&crates(&shipped(&below(root(), "src"))));
}

#[test]
fn only_the_edge_prints() {
    none(&printing(&shipped(&below(root(), "src"))));
}

#[test]
fn files_are_short() {
    let (mut all, tests) = (below(root(), "src"), below(root(), "tests"));
    all.extend(tests);
    none(&lengths(&all));
}

#[test]
fn no_file_is_forgotten() {
    none(&forgotten(&below(root(), "src"), &["src/lib.rs", "src/main.rs"]));
    none(&forgotten(&below(root(), "tests"), &["tests/it.rs"]));
}

#[test]
fn the_map_of_the_rooms_is_whole() {
    let map = std::fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let missing: Vec<_> = ROOMS.iter().filter(|(room, _)| !map.contains(&format!("\n| `{room}"))).collect();
    assert!(missing.is_empty(), "ARCHITECTURE.md has no row for {missing:?}");
    assert!(map.lines().count() < 130, "ARCHITECTURE.md stays under two pages");
}

#[test]
fn a_room_that_looks_up_is_seen() {
    let planted = |path: &str, text: &str| layers(&[Source::new(path, text)]);
    for (path, text) in [
        ("src/journal/fold.rs", "use crate::engine::Engine;\n"),
        ("src/journal/mod.rs", "fn f() -> crate::plan::Plan {}\n"),
        ("src/rehearsal/cloud/mod.rs", "use crate::{\n    clients::{Kind, aws},\n    steps::build,\n};\n"),
        ("src/world.rs", "use super::site::Site;\n"),
        ("src/rewrite/origin/mod.rs", "use super::super::clients::Kind;\n"),
        ("src/plan/seal.rs", "#[cfg(test)]\nmod tests {\n    use crate::ui;\n}\nuse crate::engine;\n"),
        ("src/attic/mod.rs", "//! A room nobody knows.\n"),
    ] {
        assert_eq!(planted(path, text).len(), 1, "{path}\n{text}");
    }
    for (path, text) in [
        ("src/journal/mod.rs", "//! See [`crate::engine`].\n/* crate::ui */ const A: &str = \"crate::ui\";\n"),
        ("src/journal/mod.rs", "const A: &str = r#\"\"crate::ui\"#; const B: char = '\"';\nuse crate::event::Event;\n"),
        ("src/journal/fold.rs", "use super::record::Fact;\n#[cfg(test)]\nuse crate::engine::Engine;\n"),
        ("src/cli/run.rs", "use crate::{engine, rehearsal, ui};\n"),
        ("src/main.rs", "fn main() { outgrow::cli::main() }\n"),
    ] {
        assert_eq!(planted(path, text), [""; 0], "{path}\n{text}");
    }
}

#[test]
fn an_sdk_or_a_print_in_the_wrong_place_is_seen() {
    let steps = |text: &str| [Source::new("src/steps/targets.rs", text)];
    for text in ["use aws_sdk_s3::Client;", "fn f(e: &bollard::Docker) {}", "use hyper_util::rt;", "use clap::Args;"] {
        assert_eq!(crates(&steps(text)).len(), 1, "{text}");
        assert_eq!(crates(&steps(&format!("// {text}\n#[cfg(test)]\n{text}\n"))), [""; 0], "{text}");
    }
    assert_eq!(crates(&[Source::new("src/clients/aws/mod.rs", "use aws_sdk_s3::Client;")]), [""; 0]);
    assert_eq!(crates(&steps("use hyperbole::it;")), [""; 0], "another crate");
    for text in ["fn f() { println!(\"\") }", "fn f() { std::io::stderr().flush() }", "fn f() { dbg!(1) }"] {
        assert_eq!(printing(&steps(text)).len(), 1, "{text}");
        assert_eq!(printing(&[Source::new("src/ui/plain.rs", text)]), [""; 0], "{text}");
    }
    assert_eq!(printing(&steps("fn f() { command.stdout(Stdio::null()); /* println!() */ }")), [""; 0]);
}

#[test]
fn a_long_and_a_forgotten_file_are_seen() {
    let of = |path: &str, lines: usize| Source::new(path, &"\n".repeat(lines));
    assert_eq!(lengths(&[of("src/a.rs", LONGEST), of("src/main.rs", LONGEST_MAIN)]), [""; 0]);
    assert_eq!(lengths(&[of("src/a.rs", LONGEST + 1), of("src/main.rs", LONGEST_MAIN + 1)]).len(), 2);
    let text = "pub mod a;\n// mod b;\n#[cfg(test)]\n#[path = \"a_tests.rs\"]\nmod tests;\n#[cfg(test)]\nmod c;\n";
    let files = ["src/a.rs", "src/b.rs", "src/c.rs", "src/c/d.rs", "src/a_tests.rs"].map(|path| of(path, 1));
    let files: Vec<_> = std::iter::once(Source::new("src/lib.rs", text)).chain(files).collect();
    assert_eq!(forgotten(&files, &["src/lib.rs"]).len(), 2, "b, and d in c");
    let kept: Vec<_> = shipped(&files).into_iter().map(|file| file.path).collect();
    assert_eq!(kept, ["src/lib.rs", "src/a.rs", "src/b.rs"], "test code is not shipped");
}
