//! The whole of it, on the demo site: there and back, a step that fails, and processes killed without warning.
//! Real containers, real servers, the real program; the demo box must be up (`scripts/demo-box up`), as `scripts/test`
//! sees to.

#[path = "rehearsal/canary.rs"]
mod canary;

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

/// outgrow with a home of its own. Whatever worlds it left up are ended with it, also when a test fails.
struct Outgrow {
    home: tempfile::TempDir,
}

impl Outgrow {
    fn new() -> Self {
        Self { home: tempfile::tempdir().unwrap() }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_outgrow"));
        command
            .args(arguments)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .env("OUTGROW_HOME", self.home.path())
            .env("DEMO_DB_PASSWORD", "postgres-secret")
            .env("DEMO_RDS_PASSWORD", "rds-secret")
            .stdin(Stdio::null());
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Starts a rehearsal and kills it, without warning, once it has said `marker`; gives the run's id.
    fn killed_at(&self, playbook: &str, marker: &str) -> String {
        let mut child: Child = self
            .command(&["rehearse", "demo/site.yaml", "--playbook", playbook, "--json"])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = Vec::new();
        for line in BufReader::new(child.stderr.take().unwrap()).lines() {
            said.push(line.unwrap());
            if said.last().unwrap().contains(marker) {
                break;
            }
        }
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(said.last().is_some_and(|line| line.contains(marker)), "it ended without `{marker}`: {said:#?}");
        let id = said.iter().find_map(|l| l.strip_prefix("rehearsal ")?.split(' ').next());
        id.unwrap().to_owned()
    }
}

impl Drop for Outgrow {
    fn drop(&mut self) {
        let worlds = std::fs::read_dir(self.home.path().join("rehearsals"));
        for world in worlds.into_iter().flatten().flatten() {
            let dir: PathBuf = world.path();
            if dir.join("world.json").exists() {
                let _ = self.command(&["world", &dir.display().to_string(), "--stop"]).output();
            }
        }
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn result(output: &Output, code: i32) -> Value {
    assert_eq!(output.status.code(), Some(code), "{}\n{}", text(&output.stderr), text(&output.stdout));
    serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {}", text(&output.stdout)))
}

/// Nothing lost, nothing doubled, and enough was written for that to mean something.
fn assert_whole(result: &Value) {
    assert!(result["acknowledged_writes"].as_u64().unwrap() > 100, "{result}");
    assert_eq!((&result["lost_writes"], &result["doubled_writes"]), (&Value::from(0), &Value::from(0)), "{result}");
    assert!(result["requests"].as_u64().unwrap() > 500, "{result}");
    assert!(result["write_pause_ms"].as_u64().is_some(), "{result}");
}

#[test]
fn the_demo_site_moves_and_comes_back_as_it_was() {
    let outgrow = Outgrow::new();
    let output = outgrow.run(&["rehearse", "demo/site.yaml", "--roll-back", "--json"]);
    let result = result(&output, 0);
    assert_whole(&result);
    assert_eq!(result["outcome"], "rolled-back");
    assert_eq!((&result["rolled_back"], &result["as_before"]), (&Value::from(true), &Value::from(true)), "{result}");
    let said = text(&output.stderr);
    assert!(said.contains(": done") && said.contains("carried back"), "{said}");
    let stages = result["stages"].as_array().unwrap();
    assert!(stages.len() == 2 && stages.iter().all(|stage| stage["verdict"] == "passed"), "{stages:?}");
    let steps = result["steps"].as_array().unwrap();
    assert!(steps.len() > 10 && steps.iter().all(|step| step["state"] == "taken back"), "{steps:?}");
}

/// The canary behind its pooler: nobody waits for long, and nobody sees a failure of the handover.
#[test]
fn the_canary_changes_the_database_behind_the_pooler() {
    let outgrow = Outgrow::new();
    let output = outgrow.run(&["rehearse", "demo/site.yaml", "--playbook", "playbooks/canary.yaml", "--json"]);
    let result = result(&output, 0);
    assert_whole(&result);
    assert_eq!(result["outcome"], "done");
    let pause = result["write_pause_ms"].as_u64().unwrap();
    // Some 0.5 s where nothing else runs; without the pooler it is four seconds.
    assert!(pause < 2000, "{pause} ms: {}", text(&output.stderr));
}

#[test]
fn killed_inside_the_handover_behind_the_pooler_resume_ends_well() {
    let outgrow = Outgrow::new();
    let run = outgrow.killed_at(&behind_the_pooler().path().display().to_string(), "database-handover: hand");
    let output = outgrow.run(&["resume", &run, "--yes"]);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("acknowledged, 0 lost, 0 doubled"), "{said}");
}

#[test]
fn killed_inside_the_handover_behind_the_pooler_rollback_ends_well() {
    let outgrow = Outgrow::new();
    let run = outgrow.killed_at(&behind_the_pooler().path().display().to_string(), "database-handover: hand");
    let output = outgrow.run(&["rollback", &run, "--yes"]);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("rolled back, all is as before"), "{said}");
    assert!(said.contains("acknowledged, 0 lost, 0 doubled"), "{said}");
}

/// The steps of the canary's database alone.
fn behind_the_pooler() -> tempfile::NamedTempFile {
    let file = tempfile::Builder::new().suffix(".yaml").tempfile().unwrap();
    let steps = "  - pooler: {}\n  - database-copy: { follow: true }\n  - app-config: {}\n  - database-handover: {}\n";
    std::fs::write(file.path(), format!("playbook: pooled\non-failure: roll-back\nsteps:\n{steps}")).unwrap();
    file
}

#[test]
fn a_failed_handover_takes_everything_back_by_itself() {
    let outgrow = Outgrow::new();
    let output = outgrow.run(&["rehearse", "demo/site.yaml", "--fail-at", "database-handover", "--json"]);
    let result = result(&output, 3);
    assert_whole(&result);
    assert_eq!((&result["outcome"], &result["as_before"]), (&Value::from("rolled-back"), &Value::from(true)));
    let run = result["run"].as_str().unwrap();
    let status: Value = serde_json::from_slice(&outgrow.run(&["status", run, "--json"]).stdout).unwrap();
    assert_eq!(status["state"], "rolled-back");
}

#[test]
fn killed_inside_the_handover_resume_ends_well() {
    let outgrow = Outgrow::new();
    let run = outgrow.killed_at("playbooks/rehearsal.yaml", "database-handover: hand");
    let status = text(&outgrow.run(&["status", &run]).stdout);
    assert!(status.contains("stopped") && status.contains(&format!("outgrow resume {run}")), "{status}");
    let output = outgrow.run(&["resume", &run, "--yes"]);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("acknowledged, 0 lost, 0 doubled"), "{said}");
}

#[test]
fn killed_while_the_app_is_swapped_rollback_ends_well() {
    let outgrow = Outgrow::new();
    let run = outgrow.killed_at("playbooks/rehearsal.yaml", "app-config: point");
    let output = outgrow.run(&["rollback", &run, "--yes"]);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("rolled back, all is as before"), "{said}");
    assert!(said.contains("acknowledged, 0 lost, 0 doubled"), "{said}");
}

/// The rehearsal's playbook with these faults in it.
fn shaken(faults: &str) -> tempfile::NamedTempFile {
    let whole = include_str!("../../playbooks/rehearsal.yaml");
    let steps = &whole[whole.find("\nsteps:").unwrap()..];
    let file = tempfile::Builder::new().suffix(".yaml").tempfile().unwrap();
    std::fs::write(file.path(), format!("playbook: shaken\non-failure: roll-back\nfaults:\n{faults}{steps}")).unwrap();
    file
}

#[test]
fn broken_on_the_way_it_ends_well_or_as_it_was_and_loses_nothing() {
    let outgrow = Outgrow::new();
    let playbook = shaken(
        r#"  - lost-answer: { of: "route53:ChangeResourceRecordSets", nth: 1 }
  - throttled: { of: "elasticloadbalancing:*", percent: 5, for: 1s }
  - held-answer: { of: "s3:PutObject", nth: 3, for: 2s }
  - stale-read: { of: "elasticloadbalancing:DescribeRules", every: 3, for: 2s }
  - target-dies: { host: box, at: static-site, for: 2s }
  - database-restarts: { side: old, at: database-copy }
  - network-cut: { between: [outside, rds], at: targets, for: 2s }
"#,
    );
    let path = playbook.path().display().to_string();
    let output = outgrow.run(&["rehearse", "demo/site.yaml", "--playbook", &path, "--json"]);
    let code = output.status.code().unwrap();
    assert!(code == 0 || code == 3, "{code}: {}\n{}", text(&output.stderr), text(&output.stdout));
    let result = result(&output, code);
    assert_whole(&result);
    assert!(code == 0 || result["as_before"] == true, "{result}");
    let struck = result["faults"].to_string();
    for what in ["s3:PutObject Held", "the box stood still", "crashed and started again"] {
        assert!(struck.contains(what) && !struck.contains("could not be done"), "{what}: {struck}");
    }
}

#[test]
fn a_full_disk_is_told_and_all_is_as_before() {
    let outgrow = Outgrow::new();
    let playbook = shaken("  - disk-full: { host: app-1, at: app-host, for: 10s }\n");
    let path = playbook.path().display().to_string();
    let output = outgrow.run(&["rehearse", "demo/site.yaml", "--playbook", &path, "--json"]);
    let result = result(&output, 3);
    assert!(result["why"].as_str().unwrap().contains("no space left on device"), "{result}");
    assert_eq!((&result["as_before"], &result["lost_writes"]), (&Value::from(true), &Value::from(0)), "{result}");
    let refused = outgrow.run(&["plan", "demo/site.yaml", "--playbook", &path]);
    assert_eq!(refused.status.code(), Some(2), "{}", text(&refused.stderr));
    assert!(text(&refused.stderr).contains("nothing real is made to fail"), "{}", text(&refused.stderr));
}

#[test]
fn a_step_that_is_not_there_is_refused_before_anything_moves() {
    let outgrow = Outgrow::new();
    let output = outgrow.run(&["rehearse", "demo/site.yaml", "--fail-at", "no-such-step"]);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("no step `no-such-step`") && said.contains("database-handover"), "{said}");
}
