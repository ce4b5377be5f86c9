//! What a rehearsal ends with: a table for a person, one JSON object for a program.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::process::ExitCode;

use serde_json::{Value, json};

use super::stages::{Seen, Stage, stages};
use crate::cli::args::Rehearse;
use crate::event::{Event, Outcome};
use crate::plan::Plan;
use crate::ui::table::Table;

/// The result.
pub struct Rehearsed {
    run: String,
    outcome: Outcome,
    asked_to_go_back: bool,
    seconds: f64,
    steps: Vec<Step>,
    stages: Vec<Stage>,
    report: Value,
    as_before: Option<Vec<String>>,
    why: Option<String>,
}

struct Step {
    name: String,
    state: &'static str,
    seconds: f64,
}

impl Rehearsed {
    /// Adds up what was seen.
    pub fn new(
        plan: &Plan,
        outcome: Outcome,
        seen: &Seen,
        seconds: f64,
        report: Value,
        as_before: Option<Vec<String>>,
        args: &Rehearse,
    ) -> Self {
        let mut steps: BTreeMap<&str, Step> = BTreeMap::new();
        let mut why = None;
        for (_, event) in seen {
            let (name, state, took) = match event {
                Event::StepDone { step, state, seconds } if state == "already-so" => (step, "already so", *seconds),
                Event::StepDone { step, seconds, .. } => (step, "done", *seconds),
                Event::StepFailed { step, .. } => (step, "failed", 0.0),
                Event::StepUndone { step, seconds } => (step, "taken back", *seconds),
                Event::RollingBack { why: because } | Event::Held { why: because, .. } => {
                    why.get_or_insert_with(|| because.clone());
                    continue;
                }
                _ => continue,
            };
            let step = steps.entry(name).or_insert(Step { name: name.clone(), state, seconds: 0.0 });
            step.state = state;
            step.seconds += took;
        }
        let waiting = |name: &String| Step { name: name.clone(), state: "not begun", seconds: 0.0 };
        let ordered = plan.steps.iter().map(|p| steps.remove(p.id.as_str()).unwrap_or_else(|| waiting(&p.id)));
        Self {
            run: plan.id.clone(),
            outcome,
            asked_to_go_back: args.roll_back,
            seconds,
            steps: ordered.collect(),
            stages: stages(seen),
            report,
            as_before,
            why,
        }
    }

    /// Whether the run is not over.
    pub fn holds(&self) -> bool {
        matches!(self.outcome, Outcome::OnHold | Outcome::NeedsAPerson)
    }

    /// One object.
    pub fn json(&self) -> Value {
        let step = |s: &Step| json!({ "name": s.name, "state": s.state, "seconds": round(s.seconds) });
        json!({
            "outcome": self.outcome,
            "run": self.run,
            "why": self.why,
            "seconds": round(self.seconds),
            "steps": self.steps.iter().map(step).collect::<Vec<_>>(),
            "stages": self.stages,
            "requests": number(&self.report, "requests"),
            "failed_requests": number(&self.report, "failed_requests"),
            "failures": self.report.get("failures"),
            "acknowledged_writes": number(&self.report, "acknowledged_writes"),
            "lost_writes": self.report.get("lost_writes"),
            "doubled_writes": self.report.get("doubled_writes"),
            "writer": self.report.get("writer"),
            "problem": self.report.get("problem"),
            "faults": self.report.get("faults"),
            "write_pause_ms": self.report.get("write_pause_ms"),
            "usual_write_gap_ms": self.report["visitors"].get("usual_write_gap_ms"),
            "rolled_back": self.outcome == Outcome::RolledBack,
            "as_before": self.as_before.as_ref().map(Vec::is_empty),
            "differences": self.as_before,
        })
    }

    /// For a person.
    pub fn table(&self) -> String {
        let mut table = Table::new(&["step", "state", ">seconds"]);
        for step in &self.steps {
            table.row([step.name.clone(), step.state.to_owned(), format!("{:.1}", step.seconds)]);
        }
        let stages = self.stages();
        let ending = match self.outcome {
            Outcome::Done => "done: the site moved",
            Outcome::RolledBack => "rolled back: the box serves as before",
            Outcome::NeedsAPerson => "stopped: it could not be taken back whole, a person is needed",
            Outcome::OnHold => "on hold, in a safe place",
        };
        let mut text = format!("{}{stages}\n\n{ending} ({:.1} s)", table.render(), self.seconds);
        if let Some(why) = &self.why {
            let _ = write!(text, "\nwhy: {why}");
        }
        let _ = write!(text, "\n{}", ledger_line(&self.report));
        match self.as_before.as_deref() {
            Some([]) => text += "\nas before: containers, records, rules, objects and rows are what they were",
            Some(lines) => {
                text += "\nNOT as before:";
                for line in lines {
                    let _ = write!(text, "\n  {line}");
                }
            }
            None => {}
        }
        text
    }

    fn stages(&self) -> String {
        if self.stages.is_empty() {
            return String::new();
        }
        let mut table = Table::new(&[">meant", ">measured", ">requests", "verdict", "why"]);
        for stage in &self.stages {
            let share = stage.measured_share.map(|share| format!("{share:.1} %")).unwrap_or_default();
            let all = stage.samples.iter().sum::<u64>().to_string();
            table.row([format!("{} %", stage.weight), share, all, stage.verdict.to_string(), stage.reason.clone()]);
        }
        format!("\n\n{}", table.render())
    }

    /// 0 as asked, 3 rolled back by itself, 4 where something was lost or is not as before, 5 on hold.
    pub fn exit_code(&self) -> ExitCode {
        let unproven = !self.report["problem"].is_null() && self.outcome != Outcome::OnHold;
        let harmed = unproven
            || number(&self.report, "lost_writes") + number(&self.report, "doubled_writes") > 0
            || self.as_before.as_ref().is_some_and(|lines| !lines.is_empty());
        ExitCode::from(match self.outcome {
            _ if harmed => 4,
            Outcome::RolledBack if self.asked_to_go_back => 0,
            outcome => outcome.exit_code(),
        })
    }
}

/// The visitors' and the ledger's figures on two lines.
pub fn ledger_line(report: &Value) -> String {
    let n = |key| number(report, key);
    let pause = report.get("write_pause_ms").and_then(Value::as_u64);
    let mut text = format!(
        "visitors: {} requests, {} failed\nwrites:   {} acknowledged, {} lost, {} doubled",
        n("requests"),
        n("failed_requests"),
        n("acknowledged_writes"),
        n("lost_writes"),
        n("doubled_writes")
    );
    let faults = report["faults"].as_array().map_or(0, Vec::len);
    if faults > 0 {
        let _ = write!(text, "\nfaults:   {faults} struck");
    }
    if let Some(problem) = report["problem"].as_str() {
        let _ = write!(text, "\nproblem:  {problem}");
    }
    if let Some(pause) = pause {
        let _ = write!(text, ", longest pause {pause} ms");
    }
    text
}

fn number(report: &Value, key: &str) -> u64 {
    report.get(key).and_then(Value::as_u64).unwrap_or(0)
}

fn round(seconds: f64) -> f64 {
    (seconds * 100.0).round() / 100.0
}
