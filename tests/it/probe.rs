//! The law probe (`tests/probe`): boto3, whose models are AWS's own, asks `outgrow cloud` what AWS would answer.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The environment that `scripts/test` makes.
pub fn python() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    let python = target.join("tools/probe-venv/bin/python");
    assert!(python.exists(), "{} is missing: `scripts/test` makes it (need_probe in scripts/lib.sh)", python.display());
    python
}

fn probe(args: &[&str]) -> Output {
    let mut command = Command::new(python());
    command.arg(root().join("tests/probe/probe.py")).args(args).env("PYTHONDONTWRITEBYTECODE", "1");
    // What the one who runs it has of AWS is no business of the probe.
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("AWS_")) {
        command.env_remove(name);
    }
    command.output().unwrap()
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn every_answer_is_the_one_aws_gives() {
    let output = probe(&["--program", assert_cmd::cargo::cargo_bin!("outgrow").to_str().unwrap()]);
    let said = said(&output);
    // The verdict is on standard output; a web server of the probe's may still complain of a closed connection elsewhere.
    let verdict = String::from_utf8_lossy(&output.stdout);
    let last = verdict.lines().last().unwrap_or_default();
    let passed = last.split_once(" passed, 0 failed").and_then(|(passed, _)| passed.parse::<u32>().ok());
    assert!(output.status.success() && passed.is_some_and(|passed| passed >= 150), "{said}");
}

#[test]
fn the_readme_lists_every_question_with_its_source() {
    let output = probe(&["--readme", "--check"]);
    assert!(output.status.success(), "{}", said(&output));
}
