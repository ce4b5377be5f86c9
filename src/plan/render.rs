//! The plan as a person reads it: every change as a diff, what taking it back means, what is so already.

use std::fmt::Write as _;

use super::{Plan, PlannedStep, safety};
use crate::step::{Finding, Reversal, Severity};

/// The most lines of a step's diff that are shown unless all are asked for.
const SHORT: usize = 24;

/// The whole plan as text; `whole` shows every line of every diff.
pub fn render(plan: &Plan, whole: bool) -> String {
    let mut text = String::new();
    let so = plan.steps.iter().filter(|s| s.draft.is_none() && !s.unknown).count();
    let _ = writeln!(
        text,
        "plan {} · site {} · playbook {} · {} steps{}",
        plan.id,
        plan.site.site,
        plan.playbook,
        plan.steps.len(),
        if so > 0 { format!(", {so} of them already so") } else { String::new() }
    );
    for (index, step) in plan.steps.iter().enumerate() {
        let _ = writeln!(text, "\n{:>3}. {} · {}", index + 1, step.id, step.title);
        text.push_str(&diff(step, if whole { usize::MAX } else { SHORT }));
        let _ = writeln!(text, "     back: {}", price(step));
    }
    text.push_str(&served(plan));
    if !plan.findings.is_empty() {
        let _ = writeln!(text, "\nfindings");
        let mut sorted: Vec<&Finding> = plan.findings.iter().collect();
        sorted.sort_by_key(|f| std::cmp::Reverse(f.severity));
        for finding in sorted {
            text.push_str(&tell(finding));
        }
    }
    text
}

/// The walk through the plan: who serves and who writes after each step, and what a rollback costs there.
fn served(plan: &Plan) -> String {
    let Ok(items) = plan.items() else { return String::new() };
    let steps: Vec<_> = items.into_iter().map(|(_, step)| step).collect();
    let heads = ["after", "writes to", "box's app", "new app", "API on balancer", "pages on CDN", "a rollback costs"];
    let rows = safety::walk(&steps);
    let cells = rows.iter().map(|row| {
        [&row.after, row.writes, row.old_app, row.new_app, &row.api, &row.pages, &row.back].map(str::to_owned)
    });
    let lines: Vec<[String; 7]> = std::iter::once(heads.map(str::to_owned)).chain(cells).collect();
    let wide: Vec<usize> =
        (0..heads.len()).map(|at| lines.iter().map(|line| line[at].chars().count()).max().unwrap_or(0)).collect();
    let mut text = String::from("\nwho serves, and who writes\n");
    for line in &lines {
        let padded: Vec<String> = line.iter().zip(&wide).map(|(cell, wide)| format!("{cell:<wide$}")).collect();
        let _ = writeln!(text, "  {}", padded.join("  ").trim_end());
    }
    text
}

/// A step's diff, indented, cut after `most` lines.
pub fn diff(step: &PlannedStep, most: usize) -> String {
    let mut text = String::new();
    let Some(draft) = &step.draft else {
        let word = if step.unknown { "could not be planned, see the findings" } else { "already so" };
        return format!("       {word}\n");
    };
    for line in draft.lines.iter().take(most) {
        let _ = writeln!(text, "     {line}");
    }
    if draft.lines.len() > most {
        let _ = writeln!(text, "       … and {} more lines (--whole shows all)", draft.lines.len() - most);
    }
    text
}

/// What taking a step back means, in a sentence.
pub fn price(step: &PlannedStep) -> String {
    match step.draft.as_ref().map(|d| &d.reversal) {
        None if step.unknown => "not known".to_owned(),
        None => "nothing to take back".to_owned(),
        Some(Reversal::Exact) => "exact, all is as before".to_owned(),
        Some(Reversal::LosesWritesSince(text)) => text.clone(),
        Some(Reversal::PointOfNoReturn(text)) => format!("NO WAY BACK: {text}"),
    }
}

/// A finding, on two lines.
pub fn tell(finding: &Finding) -> String {
    let word = match finding.severity {
        Severity::Blocker => "blocker",
        Severity::Warning => "warning",
        Severity::Note => "note",
    };
    let law = finding.law.as_ref().map(|id| format!(" [law {id}]")).unwrap_or_default();
    format!("  {word}: {}{law}\n      try: {}\n", finding.what, finding.todo)
}
