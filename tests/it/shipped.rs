//! What comes along with the program is right: the demo's site file, the playbooks, and what the documents say.

use std::path::Path;
use std::process::Command;

use clap::CommandFactory as _;
use outgrow::cli::args::Cli;
use outgrow::playbook::StepSpec;

fn read(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

#[test]
fn the_files_that_come_along_have_nothing_wrong() {
    let files = ["demo/site.yaml", "playbooks/one-shot.yaml", "playbooks/canary.yaml", "playbooks/rehearsal.yaml"];
    let output = Command::new(env!("CARGO_BIN_EXE_outgrow"))
        .arg("lint")
        .args(files)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr).trim(), "4 files: nothing wrong");
    assert!(output.status.success());
}

#[test]
fn the_demos_address_is_the_one_its_box_gets() {
    let scripts = read("scripts/demo-box");
    let net = scripts.split("OUTGROW_DEMO_NET:-").nth(1).and_then(|rest| rest.split('}').next()).unwrap();
    assert!(scripts.contains("--ip \"$net.10\""));
    assert!(read("demo/site.yaml").contains(&format!("\n  address: {net}.10\n")), "{net}");
}

#[test]
fn the_readme_knows_every_verb() {
    let readme = read("README.md");
    let about = [readme.as_str(), &read("ARCHITECTURE.md")].concat();
    for verb in Cli::command().get_subcommands().map(|verb| verb.get_name().to_owned()) {
        assert!(about.contains(&format!("`outgrow {verb}")) || about.contains(&format!("`{verb}`")), "{verb}");
    }
    for line in readme.lines().filter(|line| line.trim_start().starts_with("scripts/")) {
        let script = line.split_whitespace().next().unwrap();
        assert!(Path::new(env!("CARGO_MANIFEST_DIR")).join(script).is_file(), "{script}");
    }
}

#[test]
fn every_kind_of_step_has_its_what_if() {
    let page = read("docs/what-if.md");
    let missing: Vec<_> = StepSpec::KINDS.iter().filter(|kind| !page.contains(&format!("\n| `{kind}` |"))).collect();
    assert!(missing.is_empty(), "docs/what-if.md has no row for {missing:?}");
}

#[test]
fn links_between_the_documents_lead_somewhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for page in [
        "README.md",
        "ARCHITECTURE.md",
        "CHANGELOG.md",
        "docs/what-if.md",
        "docs/database.md",
        "docs/static.md",
        "demo/README.md",
    ] {
        let text = read(page);
        let links = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        for link in links.filter(|link| !link.starts_with("http") && !link.starts_with('#')) {
            assert!(root.join(page).with_file_name(link).exists(), "{page} links to {link}");
        }
    }
}
