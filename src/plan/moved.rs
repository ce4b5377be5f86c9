//! Whether what a plan was made from has moved since: the plan is made again and held against the sealed one.

use super::Plan;

/// What differs between the sealed plan and one made now, a line each; empty if nothing has moved.
pub fn moved(sealed: &Plan, now: &Plan) -> Vec<String> {
    let mut lines = Vec::new();
    for step in &sealed.steps {
        match now.steps.iter().find(|s| s.id == step.id) {
            None => lines.push(format!("{}: is not called for any more", step.id)),
            Some(other) if other.draft == step.draft && other.parameters == step.parameters => {}
            Some(other) => {
                lines.push(format!("{}: was planned as", step.id));
                lines.extend(shown(step));
                lines.push("  and would now be".to_owned());
                lines.extend(shown(other));
            }
        }
    }
    for step in now.steps.iter().filter(|s| sealed.steps.iter().all(|p| p.id != s.id)) {
        lines.push(format!("{}: was not called for when the plan was made", step.id));
    }
    lines
}

fn shown(step: &super::PlannedStep) -> Vec<String> {
    match &step.draft {
        None => vec!["    already so".to_owned()],
        Some(draft) => draft.lines.iter().take(12).map(|line| format!("    {line}")).collect(),
    }
}
