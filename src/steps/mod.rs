//! One file a kind of step, its tests beside it; and the one table of kinds, by which a plan's steps come to life.

pub mod database_copy;
pub mod database_handover;
#[cfg(test)]
pub mod testing;

use serde_json::Value;

use crate::step::{AnyStep, Fault, Step, StepResult};

/// Brings a planned step to life from its kind and parameters.
pub fn build(kind: &str, parameters: &Value) -> StepResult<Box<dyn AnyStep>> {
    match kind {
        database_copy::DatabaseCopy::KIND => read::<database_copy::DatabaseCopy>(parameters),
        database_handover::DatabaseHandover::KIND => read::<database_handover::DatabaseHandover>(parameters),
        _ => Err(Fault::failed_with(
            format!("there is no step of the kind `{kind}`"),
            "the plan was made by another version of outgrow; go on with that version",
        )),
    }
}

fn read<S: Step>(parameters: &Value) -> StepResult<Box<dyn AnyStep>> {
    S::deserialize(parameters).map(|step| Box::new(step) as Box<dyn AnyStep>).map_err(|e| {
        Fault::failed_with(
            format!("a planned {} step could not be read: {e}", S::KIND),
            "the plan was made by another version of outgrow; go on with that version",
        )
    })
}
