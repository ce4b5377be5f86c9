//! What is typed and what is in the files: bad input gets a clear error, exit code 2, and changes nothing.

use std::path::Path;

use assert_cmd::Command;

const SITE: &str = include_str!("../../src/playbook/testdata/site.yaml");

fn outgrow(dir: &Path) -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("outgrow"));
    command.current_dir(dir).env_remove("OUTGROW_HOME").env("HOME", dir).env("XDG_STATE_HOME", dir.join("state"));
    command
}

/// Exit code, standard output, standard error.
fn typed(dir: &Path, args: &[&str]) -> (i32, String, String) {
    let output = outgrow(dir).args(args).output().expect("the program starts");
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("what it prints is text");
    (output.status.code().expect("it ends by itself"), text(&output.stdout), text(&output.stderr))
}

#[test]
fn lint_points_at_what_is_wrong_in_every_file() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("shop.yaml"), SITE.replace("port: 8000", "prot: 8000")).unwrap();
    std::fs::write(dir.path().join("book.yaml"), "playbook: p\nsteps:\n  - shift-targets: {}\n  - finalize: {}\n")
        .unwrap();
    let (code, out, err) = typed(dir.path(), &["lint", "shop.yaml", "book.yaml", "gone.yaml"]);
    assert_eq!((code, out.as_str()), (2, ""));
    insta::assert_snapshot!(err);
    let (code, out, err) = typed(dir.path(), &["lint", "--json", "shop.yaml", "book.yaml"]);
    let told: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, err.as_str()), (2, ""));
    assert_eq!(told["files"][0]["complaints"][0]["line"], 11);
    assert_eq!(told["files"][0]["accepted"], false);
    assert_eq!(told["errors"], 3);
}

#[test]
fn lint_has_nothing_to_say_about_good_files() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("shop.yaml"), SITE).unwrap();
    let (code, out, err) = typed(dir.path(), &["lint", "shop.yaml", "one-shot", "canary", "rehearsal"]);
    assert_eq!((code, out.as_str(), err.as_str()), (0, "", "4 files: nothing wrong\n"));
}

#[test]
fn what_cannot_be_typed_is_bad_input() {
    let dir = tempfile::tempdir().unwrap();
    for args in [
        &["frobnicate"][..],
        &[],
        &["lint"],
        &["plan"],
        &["rehearse", "shop.yaml", "--visitors", "0"],
        &["rehearse", "shop.yaml", "--fail-at", "x", "--roll-back"],
        &["schema", "wombat"],
        &["rollback"],
    ] {
        let (code, out, err) = typed(dir.path(), args);
        assert_eq!((code, out.as_str()), (2, ""), "{args:?}");
        assert!(err.contains("Usage:") || err.contains("--help"), "{args:?}: {err}");
    }
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "bad input leaves nothing behind");
}

#[test]
fn what_comes_out_of_the_code_is_data_on_standard_output() {
    let dir = tempfile::tempdir().unwrap();
    for of in ["site", "playbook"] {
        let (code, out, err) = typed(dir.path(), &["schema", of]);
        let schema: serde_json::Value = serde_json::from_str(&out).unwrap();
        assert_eq!((code, err.as_str()), (0, ""));
        assert_eq!(schema["additionalProperties"], false);
    }
    for args in [&["completions", "zsh"][..], &["man"], &["--version"], &["--help"]] {
        let (code, out, err) = typed(dir.path(), args);
        assert!(code == 0 && out.contains("outgrow") && err.is_empty(), "{args:?}");
    }
    assert_eq!(typed(dir.path(), &["man", "pages"]).0, 0);
    assert!(dir.path().join("pages/outgrow-rehearse.1").exists());
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let dir = tempfile::tempdir().unwrap();
    let mut child = std::process::Command::new(assert_cmd::cargo::cargo_bin!("outgrow"))
        .args(["completions", "bash"])
        .current_dir(dir.path())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    assert!(child.wait().unwrap().success());
}

#[test]
fn an_engine_that_is_none_or_does_not_answer_is_bad_input() {
    let dir = tempfile::tempdir().unwrap();
    for engine in ["tcp://box", "unix:///nowhere/docker.sock"] {
        let (code, out, err) = typed(dir.path(), &["discover", engine]);
        assert_eq!((code, out.as_str()), (2, ""), "{engine}");
        assert!(err.starts_with("error: ") && err.contains("\ntry: ") && err.contains(engine), "{err}");
    }
}
