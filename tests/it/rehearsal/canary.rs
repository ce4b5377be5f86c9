//! The canary of the demo site under new apps that misbehave: each is found, told by its reason, and taken back or held.
//! Real containers, real servers, the real program; the demo box must be up (`scripts/demo-box up`).

use std::io::Write as _;

use serde_json::Value;

use super::{Outgrow, result, text};

/// The rehearsal's playbook with a canary in it that takes its time.
fn playbook(shift: &str) -> tempfile::NamedTempFile {
    let whole = include_str!("../../../playbooks/rehearsal.yaml");
    let line = whole.lines().find(|line| line.contains("shift-targets:")).unwrap();
    let mut file = tempfile::Builder::new().suffix(".yaml").tempfile().unwrap();
    let whole = whole.replace(line, shift).replace("database-copy: {}", "database-copy: { follow: true }");
    file.write_all(whole.as_bytes()).unwrap();
    file
}

fn rehearse(outgrow: &Outgrow, shift: &str, app: &str, code: i32) -> Value {
    let playbook = playbook(shift);
    let path = playbook.path().display().to_string();
    let arguments = ["rehearse", "demo/site.yaml", "--playbook", &path, "--app", app, "--visitors", "24", "--json"];
    result(&outgrow.run(&arguments), code)
}

/// Fewer than 0.5 % of the visitors' requests failed after the database had changed hands, nothing was lost.
fn assert_harmless(result: &Value) {
    let (all, failed) = (result["requests"].as_u64().unwrap(), result["failed_requests"].as_u64().unwrap());
    // The handover keeps writers waiting by itself: its answers with 503 are not the canary's.
    let of_handover: u64 =
        result["failures"].as_object().unwrap().values().filter_map(|reasons| reasons["status 503"].as_u64()).sum();
    assert!(all > 1000 && (failed - of_handover) * 200 < all, "{result}");
    assert_eq!((&result["lost_writes"], &result["doubled_writes"]), (&Value::from(0), &Value::from(0)), "{result}");
}

#[test]
fn a_new_app_with_errors_is_taken_back_and_all_is_as_before() {
    let outgrow = Outgrow::new();
    let shift = "  - shift-targets: { stages: [25, 50, 100], bake: 5m, gates: { undecided-for: 3h } }";
    let result = rehearse(&outgrow, shift, "errors", 3);
    let stages = result["stages"].as_array().unwrap();
    let last = stages.last().unwrap();
    assert_eq!((&last["verdict"], &result["as_before"]), (&Value::from("failed"), &Value::from(true)), "{result}");
    assert!(last["reason"].as_str().unwrap().contains("errors failed"), "{last}");
    assert!(last["back_ms"].as_u64().unwrap() < 2000, "{last}");
    assert_harmless(&result);
}

#[test]
#[ignore = "a whole rehearsal more: scripts/test --run-ignored all"]
fn a_new_side_that_gets_nothing_holds_the_run_with_its_reason() {
    let outgrow = Outgrow::new();
    let shift = "  - shift-targets: { stages: [10, 50, 100], bake: 2m, gates: { settle-within: 3m } }";
    let result = rehearse(&outgrow, shift, "silent", 5);
    let stages = result["stages"].as_array().unwrap();
    let verdicts: Vec<_> = stages.iter().map(|stage| (stage["weight"].as_u64(), stage["verdict"].as_str())).collect();
    assert_eq!(verdicts, [(Some(10), Some("passed")), (Some(50), Some("inconclusive"))], "{result}");
    assert!(result["why"].as_str().unwrap().contains("the new side gets 0 of"), "{result}");
    assert_harmless(&result);
    let run = result["run"].as_str().unwrap();
    let status: Value = serde_json::from_slice(&outgrow.run(&["status", run, "--json"]).stdout).unwrap();
    assert_eq!((&status["state"], &status["stage"][1]["weight"]), (&Value::from("on-hold"), &Value::from(50)));
    assert!(text(&outgrow.run(&["status", run]).stdout).contains("50 % meant"));
}

#[test]
#[ignore = "a whole rehearsal more: scripts/test --run-ignored all"]
fn a_new_app_with_the_wrong_origin_is_taken_back_at_the_first_look() {
    let outgrow = Outgrow::new();
    let shift = "  - shift-targets: { stages: [5, 100], bake: 2m }";
    let result = rehearse(&outgrow, shift, "cors", 3);
    assert!(result["why"].as_str().unwrap().contains("does not allow the origin"), "{result}");
    assert_eq!((&result["stages"][0]["weight"], &result["as_before"]), (&Value::from(5), &Value::from(true)));
    assert!(result["stages"][0]["back_ms"].as_u64().unwrap() < 2000, "{result}");
    assert_harmless(&result);
}
