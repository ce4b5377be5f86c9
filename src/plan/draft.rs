//! Makes a plan: expands the playbook, looks at everything each step would alter, and collects what stands in the
//! way. Changes nothing.

use super::expand::{self, Manner};
use super::{Plan, PlannedStep, safety};
use crate::playbook::model::{OnFailure, Playbook};
use crate::step::{AnyStep, Fault, Finding, Look, Patience, Severity};

/// Plans a playbook for the site of `look`. Whatever stands in the way is a finding in the plan, so that everything is
/// told at once; a plan with blockers is shown, and not run.
pub async fn draft(look: &Look, playbook: &Playbook, rehearsal: Option<String>) -> Plan {
    let mut findings = Vec::new();
    let mut steps: Vec<Box<dyn AnyStep>> = Vec::new();
    let manner = Manner::of(playbook);
    for spec in &playbook.steps {
        match Patience::ask(&*look.clock, || expand::expand(spec, manner, look)).await {
            Ok(more) => steps.extend(more),
            Err(fault) => findings.push(blocker(spec.kind(), &fault)),
        }
    }
    if findings.is_empty() {
        // Only a whole list of steps can be judged: one that is missing would be blamed on the others.
        findings.extend(
            safety::judge(&steps).iter().map(|wrong| Finding::new(Severity::Blocker, wrong.to_string(), wrong.todo)),
        );
    }
    let mut planned = Vec::new();
    for step in &steps {
        let stands_in_the_way = match Patience::ask(&*look.clock, || step.check(look)).await {
            Ok(found) => {
                let blocked = found.iter().any(|f| f.severity == Severity::Blocker);
                findings.extend(found.into_iter().filter(|f| !findings.contains(f)).collect::<Vec<_>>());
                blocked
            }
            Err(fault) => {
                findings.push(blocker(&step.id(), &fault));
                true
            }
        };
        let (draft, unknown) = match Patience::ask(&*look.clock, || step.plan(look)).await {
            Ok(draft) => (draft, false),
            Err(_) if stands_in_the_way => (None, true),
            Err(fault) => {
                findings.push(blocker(&step.id(), &fault));
                (None, true)
            }
        };
        match PlannedStep::new(&**step, draft).map(|planned| PlannedStep { unknown, ..planned }) {
            Ok(step) if planned.iter().any(|p: &PlannedStep| p.id == step.id) => findings.push(Finding::new(
                Severity::Blocker,
                format!("the step {} occurs twice", step.id),
                "name each step once in the playbook",
            )),
            Ok(step) => planned.push(step),
            Err(fault) => findings.push(blocker(&step.id(), &fault)),
        }
    }
    Plan {
        id: look.run.clone(),
        made_at: jiff::Timestamp::now(),
        playbook: playbook.playbook.clone(),
        roll_back_on_failure: playbook.on_failure == OnFailure::RollBack,
        site: (*look.site).clone(),
        rehearsal,
        steps: planned,
        findings,
    }
}

/// The plan's own steps, looked at again as things are now: what a sealed plan is held against before it runs.
pub async fn again(sealed: &Plan, look: &Look) -> Plan {
    let mut steps = Vec::new();
    for planned in &sealed.steps {
        let Ok(step) = crate::steps::build(&planned.kind, &planned.parameters) else { continue };
        let draft = Patience::ask(&*look.clock, || step.plan(look)).await.unwrap_or_default();
        if let Ok(planned) = PlannedStep::new(&*step, draft) {
            steps.push(planned);
        }
    }
    Plan { steps, ..sealed.clone() }
}

fn blocker(step: &str, fault: &Fault) -> Finding {
    let hint = match fault {
        Fault::Failed { hint: Some(hint), .. } => hint.clone(),
        Fault::InDoubt(_) => "see that it can be reached from here, then plan again".to_owned(),
        _ => "mend it, then plan again".to_owned(),
    };
    Finding::new(Severity::Blocker, format!("{step}: {fault}"), hint)
}
