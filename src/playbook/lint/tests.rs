use std::path::Path;

use super::super::load::{checked_playbook, checked_site};
use super::super::{Complaint, Source};

/// Everything said about a file, whether it is refused or not.
fn told<T>(result: Result<(T, Source, Vec<Complaint>), super::super::complaint::LoadError>) -> String {
    let (source, complaints) = match result {
        Ok((_, source, complaints)) => (source, complaints),
        Err(error) => (error.source, error.complaints),
    };
    let blocks: Vec<_> = complaints.iter().map(|c| c.render(&source)).collect();
    if blocks.is_empty() { "nothing".into() } else { blocks.join("\n\n") }
}

fn in_file<R>(name: &str, text: &str, read: impl Fn(&Path) -> R) -> R {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(name);
    std::fs::write(&path, text).unwrap();
    read(&path)
}

fn about_playbook(steps: &str) -> String {
    let text = format!("playbook: p\nsteps:\n{steps}");
    let told = in_file("p.yaml", &text, |path| (told(checked_playbook(path)), path.display().to_string()));
    told.0.replace(&told.1, "p.yaml")
}

fn about_site(change: &[(&str, &str)]) -> String {
    let mut text = include_str!("../testdata/site.yaml").to_owned();
    for (from, to) in change {
        assert!(text.contains(from), "the fixture holds no {from}");
        text = text.replace(from, to);
    }
    let told = in_file("shop.yaml", &text, |path| (told(checked_site(path)), path.display().to_string()));
    told.0.replace(&told.1, "shop.yaml")
}

#[test]
fn the_playbooks_that_come_along_have_nothing_to_say() {
    for name in ["one-shot", "canary", "rehearsal"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("playbooks/{name}.yaml"));
        assert_eq!(told(checked_playbook(&path)), "nothing", "{name}");
    }
    assert_eq!(about_site(&[]), "nothing");
}

const BEGINNING: &str = "  - static-site: {}\n  - app-host: {}\n  - database-copy: {}\n  - targets: {}\n";
const HANDOVER: &str = "  - database-handover: {}\n  - app-config: {}\n";

#[test]
fn orders_that_cannot_work() {
    let cases = [
        ("no steps", "  []\n".to_owned()),
        ("handover without a copy", HANDOVER.into()),
        ("copy after the handover", format!("{HANDOVER}  - database-copy: {{}}\n")),
        ("handover without app-config", format!("{BEGINNING}  - database-handover: {{}}\n")),
        ("app-config first", format!("{BEGINNING}  - app-config: {{}}\n  - database-handover: {{}}\n")),
        ("shift without targets", format!("  - database-copy: {{}}\n{HANDOVER}  - shift-targets: {{}}\n")),
        ("canary before the handover", format!("{BEGINNING}  - shift-targets: {{}}\n{HANDOVER}")),
        ("dns before its goal", "  - dns-weights: { of: api }\n  - dns-weights: { of: pages }\n".into()),
        ("finalize in the middle", format!("{BEGINNING}{HANDOVER}  - finalize: {{}}\n  - soak: {{ for: 1d }}\n")),
        ("a step twice", format!("{BEGINNING}{HANDOVER}  - targets: {{}}\n")),
        ("copy for nothing", BEGINNING.into()),
        ("pooler for nothing", "  - pooler: {}\n".into()),
        (
            "pooler after app-config",
            format!("{BEGINNING}  - app-config: {{}}\n  - pooler: {{}}\n  - database-handover: {{}}\n"),
        ),
        (
            "pooler too late",
            format!("{BEGINNING}  - database-handover: {{}}\n  - pooler: {{}}\n  - app-config: {{}}\n"),
        ),
        ("pooler that hides nothing", format!("{BEGINNING}  - pooler: {{}}\n{HANDOVER}")),
        (
            "app-host from an app behind the pooler",
            "  - database-copy: {}\n  - pooler: {}\n  - app-config: {}\n  - app-host: {}\n  - database-handover: {}\n"
                .into(),
        ),
    ];
    let all: Vec<_> = cases.iter().map(|(name, steps)| format!("## {name}\n{}\n", about_playbook(steps))).collect();
    insta::assert_snapshot!(all.join("\n"));
}

#[test]
fn parameters_that_bite() {
    let with = |steps: &str| format!("{BEGINNING}{HANDOVER}{steps}");
    let cases = [
        ("going back", with("  - shift-targets: { stages: [50] }\n  - shift-targets: { stages: [25, 100] }\n")),
        ("not to the end", with("  - shift-targets: { stages: [50] }\n")),
        (
            "not to the end, finalized",
            with("  - shift-targets: { stages: [50] }\n  - soak: { for: 1d }\n  - finalize: {}\n"),
        ),
        ("no bake", with("  - shift-targets: { stages: [50, 100], bake: 0s }\n")),
        (
            "gates out of range",
            with(
                "  - shift-targets:\n      gates: { min-samples: 0, confidence: 100, slower-than: 0.5, probes: [{ get: x }] }\n",
            ),
        ),
        ("ttl of nothing", with("  - dns-weights: { of: api, ttl: 0 }\n")),
        ("long ttl", with("  - dns-weights: { of: api, ttl: 3600 }\n")),
        ("no time", "  - database-copy: {}\n  - database-handover: { hold-at-most: 0s }\n  - app-config: {}\n".into()),
        (
            "long hold",
            "  - database-copy: {}\n  - database-handover: { hold-at-most: 1h }\n  - app-config: {}\n".into(),
        ),
    ];
    let all: Vec<_> = cases.iter().map(|(name, steps)| format!("## {name}\n{}\n", about_playbook(steps))).collect();
    insta::assert_snapshot!(all.join("\n"));
}

#[test]
fn names_that_contradict_each_other() {
    let cases: &[(&str, &[(&str, &str)])] = &[
        ("site name", &[("site: shop", "site: My Shop")]),
        ("outside the zone", &[("pages: [www.shop.test]", "pages: [www.shop.test, 쇼핑.other.test, www.other.test]")]),
        ("apex", &[("pages: [www.shop.test]", "pages: [shop.test]")]),
        ("page host is an api host", &[("pages: [www.shop.test]", "pages: [api.shop.test]")]),
        ("same base", &[("old: https://box.shop.test/api", "old: https://api.shop.test/api")]),
        ("base elsewhere", &[("new: https://api.shop.test/api", "new: http://www.shop.test/api")]),
        ("no pages", &[("pages: [www.shop.test]", "pages: []")]),
        ("containers", &[("container: demo-was", "container: demo-db"), ("root: /usr", "root: usr")]),
        ("the box as a new host", &[("address: 172.31.0.21", "address: 172.30.0.10")]),
        ("aws", &[("bucket: shop-pages", "bucket: Shop_Pages"), ("d111111abcdef8", "https://d111111abcdef8")]),
        ("health", &[("health: /healthz", "health: healthz\n  origins: [https://a.test/x]")]),
    ];
    let all: Vec<_> = cases.iter().map(|(name, change)| format!("## {name}\n{}\n", about_site(change))).collect();
    insta::assert_snapshot!(all.join("\n"));
}
