//! Playbook + what is there → concrete steps. A ramp becomes a step a stage.

use crate::playbook::model::StepSpec;
use crate::step::{AnyStep, Fault, Look, StepResult};
use crate::steps;

/// The concrete steps of one playbook entry.
pub async fn expand(spec: &StepSpec, _look: &Look) -> StepResult<Vec<Box<dyn AnyStep>>> {
    Ok(match spec {
        StepSpec::DatabaseCopy(_) => vec![Box::new(steps::database_copy::DatabaseCopy {})],
        StepSpec::DatabaseHandover(handover) => vec![Box::new(steps::database_handover::DatabaseHandover {
            hold_at_most: handover.hold_at_most.duration().as_secs().max(1),
        })],
        other => return Err(Fault::failed(format!("{} is not there yet", other.kind()))),
    })
}
