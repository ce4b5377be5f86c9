//! Every law that the rehearsal holds has a test that breaks it, named after it: a test function (`r3_…`, `law_c5_…`), a
//! refusal that is asked for by the law's name, or a question of the probe.

use std::path::Path;

use outgrow::rehearsal::cloud::law::{Enforced, Law};

fn read(folder: &Path, into: &mut String) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let kind = path.extension().and_then(|kind| kind.to_str());
        if path.is_dir() {
            read(&path, into);
        } else if matches!(kind, Some("rs" | "py")) && !path.ends_with("laws.rs") {
            into.push_str(&std::fs::read_to_string(&path).unwrap());
        }
    }
}

fn is_tested(id: &str, sources: &str) -> bool {
    let small = id.to_lowercase();
    let functions = sources.lines().filter_map(|line| line.split_once("fn ").map(|(_, name)| name));
    let mut named = functions.filter_map(|name| name.split_once('(')).map(|(name, _)| name);
    named.any(|name| name.split('_').take(4).any(|part| part == small))
        || sources.contains(&format!("\"law {id}\""))
        || sources.contains(&format!(", \"{id}\")\n"))
}

#[test]
fn every_law_that_the_rehearsal_holds_is_broken_by_a_test() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut sources = String::new();
    for folder in ["tests/it", "tests/probe/asked", "src/rehearsal"] {
        read(&root.join(folder), &mut sources);
    }
    let held = Law::ALL.iter().filter(|law| law.enforced() != Enforced::No);
    let untested: Vec<&str> = held.map(|law| law.id()).filter(|id| !is_tested(id, &sources)).collect();
    assert!(untested.is_empty(), "no test breaks {untested:?}: write one and name it after the law");
}

#[test]
fn a_law_that_nothing_is_named_after_is_found() {
    let sources = "fn r3_weights() {}\nfn law_c5_a_day() {}\nrefused!(x, \"law D1\");\n@about(\"a\", \"b\", \"L7\")\n";
    let tested = ["R3", "C5", "D1", "L7", "R4"].map(|id| is_tested(id, sources));
    assert_eq!(tested, [true, true, true, true, false]);
}
